package manifest

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/ageseal/ageseal/internal/lazy"
)

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// notString matches what YAML 1.1 (its type repository, and libyaml's and PyYAML's reading of it) or the core schema of YAML 1.2 takes
// for a number or a date. Go's YAML libraries also take underscores and upper-case prefixes; so does this.
var notString = lazy.Regexp(`^(?:` +
	`[-+]?[0-9][0-9_]*` +
	`|[-+]?0[bB][01_]+|[-+]?0[oO][0-7_]+|[-+]?0[xX][0-9a-fA-F_]+` +
	`|[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9][0-9_]*)?` +
	`|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?` +
	`|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)` +
	`|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t][-+0-9:.Zz \t]*)?` +
	`)$`)

// numberBytes are the bytes that notString can match: one look at each byte spares the regular expression for all but a few.
var numberBytes = func() (t [256]bool) {
	for _, c := range "0123456789abcdefABCDEFxXoO_.:+-tTzZ \tinfINF" {
		t[c] = true
	}
	return t
}()

// isString says whether a plain scalar is a string under YAML 1.1 and under YAML 1.2.
func isString(s string) bool {
	if len(s) <= 5 {
		switch strings.ToLower(s) {
		case "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "<<", "=":
			return false
		}
	}
	if c := s[0]; !(c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.') {
		return true
	}
	for i := 0; i < len(s); i++ {
		if !numberBytes[s[i]] {
			return true
		}
	}
	// Go's libraries drop underscores before anything else: 0_x1F is a number to them.
	return !notString().MatchString(s) && !(strings.Contains(s, "_") && notString().MatchString(strings.ReplaceAll(s, "_", "")))
}

// plainBytes are the bytes of a scalar that format.md lets be plain.
var plainBytes = func() (t [256]bool) {
	for c := 0; c < 256; c++ {
		t[c] = isAlnum(byte(c)) || strings.IndexByte("._/+=-", byte(c)) >= 0
	}
	return t
}()

// isPlain says whether a string is written without quotes. "-" and "---" are strings, but are indicators where they stand alone.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if !plainBytes[s[i]] {
			return false
		}
	}
	return s != "" && s != "-" && s != "---" && isString(s)
}

func appendScalar(b []byte, s string) []byte {
	if isPlain(s) {
		return append(b, s...)
	}
	return appendQuoted(b, s)
}

const hexDigits = "0123456789abcdef"

// appendQuoted writes a string in double quotes that JSON and every version of YAML read alike: raw UTF-8 above the BMP (YAML knows no
// surrogate pairs), escapes for what YAML takes for a line break or doesn't print.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		r, n := rune(c), 1
		if c >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
			if r > 0x9f && r != 0x2028 && r != 0x2029 && r != 0xfeff && r != 0xfffe && r != 0xffff && !(r == utf8.RuneError && n == 1) {
				i += n
				continue
			}
		}
		b = append(b, s[from:i]...)
		switch r {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		default:
			b = append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		}
		i += n
		from = i
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

// hasLines says whether a string is best read as a block literal, and can be one: several lines of what YAML prints, none of which ends in
// a blank that an editor might take away, the first not indented.
func hasLines(s string) bool {
	text := strings.TrimSuffix(s, "\n")
	if !strings.Contains(text, "\n") || strings.HasSuffix(text, "\n") || strings.ContainsAny(text[:1], " \t\n") {
		return false
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimRight(line, " \t") != line {
			return false
		}
	}
	quoted := appendQuoted(nil, strings.NewReplacer("\n", "", "\t", "", `"`, "", `\`, "").Replace(s))
	return !bytes.ContainsRune(quoted, '\\') && utf8.ValidString(s)
}

// IsSecretKey says whether Kubernetes takes s for a key of a Secret: 1 to 253 characters of a-z, A-Z, 0-9, - _ and ., not "." and nothing
// that begins with ".." (IsConfigMapKey in k8s.io/apimachinery).
func IsSecretKey(s string) bool {
	if len(s) == 0 || len(s) > 253 || s == "." || strings.HasPrefix(s, "..") {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isAlnum(c) && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}

// isID says whether s is base32 in the alphabet of suite 1, n characters long.
func isID(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := 0; i < n; i++ {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= '2' && c <= '7') {
			return false
		}
	}
	return true
}
