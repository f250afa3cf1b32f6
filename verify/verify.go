// Package verify finds, without any private key, what must not be committed: plaintext Secrets, private keys, sealed
// manifests that nobody could open, and sealed files that somebody else can; and in what kustomizations build to,
// references to Secrets that are not there.
//
// It knows bytes and what a manifest says. It refuses to know where they come from – the index, a directory, a pipe –
// and whether a finding is silenced. No field of a finding ever holds a value, a part of one, or a key; the names of a
// Secret's keys it does name, as the sealed form does. Files are tested byte for byte before anything is parsed.
package verify

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// The rules by which findings are silenced.
const (
	PlaintextSecret     = "plaintext-secret"     // a native Secret with values, or a copy of one inside something else
	PlaintextUnreadable = "plaintext-unreadable" // a document that speaks of a Secret and can't be read
	PrivateKey          = "private-key"          // an age identity or a PEM private key, in any file
	MalformedSealed     = "malformed-sealed"     // a sealed manifest or file that can't be opened as it stands
	PlaintextBeside     = "plaintext-beside"     // a file beside the sealed file that bears its name
)

// Leaks reports whether what a rule finds may be plaintext: in git it is known to whoever reads the repository.
func Leaks(rule string) bool {
	return slices.Contains([]string{PlaintextSecret, PlaintextUnreadable, PrivateKey, PlaintextBeside}, rule)
}

// Levels of findings.
const (
	Fault   = "finding" // it fails a check
	Warning = "warning" // it does not
	Change  = "change"  // what a change does, neither right nor wrong
)

// Finding is one thing that is wrong with a file, or worth to be told of it.
type Finding struct {
	Level  string `json:"level"` // "" is Fault
	Rule   string `json:"rule"`
	File   string `json:"file"`             // as the user knows it, with escapes for what is not printable
	Line   int    `json:"line"`             // 1-based
	Secret string `json:"secret,omitempty"` // namespace/name, as far as known
	Key    string `json:"key,omitempty"`    // of the Secret; several are joined by ", "
	What   string `json:"what"`
	Hint   string `json:"hint,omitempty"` // what to do next
}

// maxFindings bounds what one file can make us say, by rule.
const maxFindings = 100

// Bytes checks the content of one file. name, as the user knows the file, is for messages and for its extension: text
// that is no manifest by name may quote a broken one. The findings are in the order of their lines; there are at most 100
// of a rule.
func Bytes(name string, data []byte) []Finding { return check(name, data, nil) }

func check(name string, data []byte, judge func(*checker, *manifest.EncryptedSecret)) []Finding {
	c := &checker{name: name, judge: judge}
	if crypt.IsArmored(data) {
		c.sealedFile(data)
	}
	data = toUTF8(data)
	if !isBinary(data) && mayHoldManifest(data) {
		c.manifests(data)
	}
	c.privateKeys(data)
	slices.SortStableFunc(c.found, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return c.found
}

type checker struct {
	name   string
	found  []Finding
	judge  func(*checker, *manifest.EncryptedSecret) // of sealed manifests without a fault; nil for none
	valued map[int]bool                              // lines of values of Secrets that were found already
}

// full reports whether there are as many findings of a rule as are told.
func (c *checker) full(rule string) bool {
	n := 0
	for _, f := range c.found {
		if f.Rule == rule {
			n++
		}
	}
	return n >= maxFindings
}

func (c *checker) add(f Finding) {
	if !c.full(f.Rule) {
		f.Level = cmp.Or(f.Level, Fault)
		f.File = c.name
		for _, s := range []*string{&f.File, &f.Secret, &f.Key, &f.What, &f.Hint} {
			*s = printable(*s)
		}
		c.found = append(c.found, f)
	}
}

// printable writes what is no visible character as Go's escape of it: control characters, terminal escapes, marks that reorder text. Names of
// files and what a document calls things must not steer a terminal.
func printable(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if strconv.IsPrint(r) && (r != utf8.RuneError || n > 1) {
			b.WriteString(s[:n])
		} else {
			q := strconv.Quote(s[:n])
			b.WriteString(q[1 : len(q)-1])
		}
		s = s[n:]
	}
	return b.String()
}

// named reports whether the file's name promises a manifest. What comes from a pipe has no extension.
func (c *checker) named() bool {
	switch strings.ToLower(path.Ext(strings.ReplaceAll(c.name, `\`, "/"))) {
	case ".yaml", ".yml", ".json", ".kyaml", "":
		return true
	}
	return false
}

// isBinary is git's test: a NUL byte near the beginning.
func isBinary(data []byte) bool {
	const near = 8000
	return bytes.IndexByte(data[:min(len(data), near)], 0) >= 0
}

// mayHoldManifest is the test that most files fail. An object has both fields by name, unless escapes or a tag hide one.
func mayHoldManifest(data []byte) bool {
	if bytes.Contains(data, []byte("kind")) && bytes.Contains(data, []byte("apiVersion")) && bytes.Contains(data, []byte("Secret")) {
		return true
	}
	// A kustomization needs neither field, and binaryData hides the words.
	return bytes.Contains(data, []byte("secretGenerator")) || bytes.Contains(data, []byte("binaryData")) ||
		bytes.Contains(data, []byte("patch")) && bytes.Contains(data, []byte("Secret")) || manifest.MayHideWords(data)
}

// toUTF8 decodes UTF-16, which PowerShell's ">" writes and kubectl reads; anything else stays as it is.
func toUTF8(data []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return data
	}
	text := make([]byte, 0, len(data)/2)
	for i := 2; i+1 < len(data); i += 2 {
		r := rune(order.Uint16(data[i:]))
		if i+3 < len(data) {
			if pair := utf16.DecodeRune(r, rune(order.Uint16(data[i+2:]))); pair != utf8.RuneError {
				r = pair
				i += 2
			}
		}
		text = utf8.AppendRune(text, r) // half a pair is none
	}
	return text
}
