package manifest

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// mayHoldSecret is the cheap test before any parsing: most documents are no Secrets. It must not miss one, so it looks for the word
// where a value can stand, and for everything that can spell the word otherwise.
func mayHoldSecret(text []byte) bool { return hasSecretWord(text) || MayHideWords(text) }

// MayHideWords says whether YAML text has anything that can spell a word otherwise than letter by letter: escapes in double quotes, a
// double-quoted scalar continued over a line end, and the tag !!binary, which a %TAG directive or %-escapes can hide. A search for words
// in text without these finds all there are.
func MayHideWords(text []byte) bool {
	if bytes.Contains(text, []byte("!!")) || bytes.Contains(text, []byte("!<")) || bytes.Contains(text, []byte("%TAG")) {
		return true
	}
	for i := 0; i < len(text)-1; i++ {
		j := bytes.IndexByte(text[i:len(text)-1], '\\')
		if j < 0 {
			return false
		}
		i += j
		switch text[i+1] {
		case 'u', 'x', 'U', '\n', '\r':
			return true
		}
	}
	return false
}

// hasSecretWord finds Secret, EncryptedSecret, SealedSecret and their Lists as whole words.
func hasSecretWord(text []byte) bool {
	const word = "Secret"
	for {
		i := bytes.Index(text, []byte(word))
		if i < 0 {
			return false
		}
		before, after := text[:i], bytes.TrimPrefix(text[i+len(word):], []byte("List"))
		before = bytes.TrimSuffix(bytes.TrimSuffix(before, []byte("Encrypted")), []byte("Sealed"))
		if (len(before) == 0 || !isAlnum(before[len(before)-1])) && (len(after) == 0 || !isAlnum(after[0])) {
			return true
		}
		text = text[i+len(word):]
	}
}

const maxKindValue = 256 // bytes behind "kind:" that are looked at

// speaksOf says whether text that doesn't parse has a line "kind: Secret" or "kind: EncryptedSecret" of any spelling, the latter also
// by the group's name.
func speaksOf(text string) (secret, sealed bool) {
	text = unescape(text)
	sealed = strings.Contains(text, group+"/") && strings.Contains(text, "EncryptedSecret")
	for rest := text; ; {
		i := strings.Index(rest, "kind")
		if i < 0 {
			return secret, sealed
		}
		rest = rest[i+4:]
		v := strings.TrimLeft(rest, "\"' \t\r\n")
		if !strings.HasPrefix(v, ":") {
			continue
		}
		v = strings.TrimLeft(v[1:], " \t\r\n")
		v = v[:min(len(v), maxKindValue)]
		if j := strings.IndexAny(v, ",\n"); j >= 0 {
			v = v[:j]
		}
		if !hasSecretWord([]byte(v)) {
			continue
		}
		secret = true
		sealed = sealed || strings.Contains(v, "EncryptedSecret")
	}
}

// unescape resolves \xNN and \uNNNN wherever they stand.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			n := 0
			switch s[i+1] {
			case 'x':
				n = 2
			case 'u':
				n = 4
			case 'U':
				n = 8
			}
			if r, ok := hexRune(s[i+2:], n); ok {
				b.WriteRune(r)
				i += 1 + n
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func hexRune(s string, n int) (rune, bool) {
	if n == 0 || len(s) < n {
		return 0, false
	}
	var r uint32
	for i := 0; i < n; i++ {
		d := strings.IndexByte(hexDigits, s[i]|0x20)
		if d < 0 {
			return 0, false
		}
		r = r<<4 | uint32(d)
	}
	return rune(r), true
}

// looksUTF16 finds the files that Windows PowerShell writes with ">": they hold no word of ASCII, so no test by bytes sees them, but
// kubectl reads them.
func looksUTF16(src []byte) bool {
	return len(src) >= 2 && (src[0] == 0xff && src[1] == 0xfe || src[0] == 0xfe && src[1] == 0xff)
}

func utf16Items(src []byte) []*Item {
	order := binary.ByteOrder(binary.LittleEndian)
	if src[0] == 0xfe {
		order = binary.BigEndian
	}
	units := make([]uint16, 0, len(src)/2)
	for i := 2; i+1 < len(src); i += 2 {
		units = append(units, order.Uint16(src[i:]))
	}
	secret, sealed := speaksOf(string(utf16.Decode(units)))
	if !secret && !sealed {
		return nil
	}
	return []*Item{{Kind: Broken, Line: 1, Ours: sealed, Err: &Error{Line: 1, Err: &fault{"the file is UTF-16", ErrParse}, Hint: "save it as UTF-8"}}}
}
