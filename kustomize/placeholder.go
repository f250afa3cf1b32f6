package kustomize

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
)

const (
	markLen = 12 // characters of base32: 60 bits that nobody can commit in advance
	idLen   = 6
)

// marks begin and end every placeholder of one build. markLen and idLen are multiples of three, so that both marks
// keep their own base64 characters in a placeholder's encoding, which has neither padding nor '+' nor '/'.
type marks struct {
	head, tail string
	patterns   []string // every way in which a mark shows itself
	shape      *regexp.Regexp
}

func newMarks() *marks {
	text := rand.Text()
	m := &marks{head: text[:markLen], tail: text[markLen : 2*markLen]}
	encode := base64.StdEncoding.EncodeToString
	for _, mark := range []string{m.head, m.tail} {
		m.patterns = append(m.patterns, mark)
		m.patterns = append(m.patterns, shifted(mark)...)
		m.patterns = append(m.patterns, shifted(encode([]byte(mark)))...)
	}
	m.shape = regexp.MustCompile(fmt.Sprintf("%s[0-9A-Z]{%d}%s|%s[0-9A-Za-z]{%d}%s",
		m.head, idLen, m.tail, encode([]byte(m.head)), idLen/3*4, encode([]byte(m.tail))))
	return m
}

// placeholder gives the n-th placeholder.
func (m *marks) placeholder(n int) string {
	return fmt.Sprintf("%s%0*X%s", m.head, idLen, n, m.tail)
}

// in reports whether s holds a mark, raw, in base64 or in base64 twice. Space is looked through: base64 is often wrapped.
func (m *marks) in(s string) bool {
	if len(s) < markLen {
		return false
	}
	for _, p := range m.patterns {
		if strings.Contains(s, p) {
			return true
		}
	}
	if strings.ContainsAny(s, " \t\r\n") {
		return m.in(strings.Join(strings.Fields(s), ""))
	}
	return false
}

// scrub takes the placeholders out of a text that is going to be shown.
func (m *marks) scrub(s string) string {
	return m.shape.ReplaceAllLiteralString(s, "(sealed value)")
}

// shifted gives what s always looks like in base64, whatever stands before and after it: for each of the three
// offsets, the characters that depend on s alone.
func shifted(s string) []string {
	var out []string
	for offset := range 3 {
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", offset) + s))
		first := (offset*8 + 5) / 6 // the first character without a bit of what stands before
		last := (offset + len(s)) * 8 / 6
		out = append(out, text[first:last])
	}
	return out
}
