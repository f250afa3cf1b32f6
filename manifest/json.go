package manifest

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// parseJSON reads text[from:] if it is one JSON object and nothing else; nil if it isn't. The YAML library doesn't read all of JSON (surrogate
// pairs), and a JSON document stays JSON.
func parseJSON(s source, from int) *node {
	text := s.text[from:]
	if !utf8.ValidString(text) || !json.Valid([]byte(text)) {
		return nil
	}
	p := &jsonReader{text: s.text, off: from, line: s.line0 + 1 + strings.Count(s.text[:from], "\n")}
	p.blanks()
	if p.text[p.off] != '{' {
		return nil
	}
	return p.value()
}

// jsonReader reads text that is known to be valid JSON.
type jsonReader struct {
	text      string
	off, line int
}

func (p *jsonReader) blanks() {
	for p.off < len(p.text) {
		switch p.text[p.off] {
		case '\n':
			p.line++
		case ' ', '\t', '\r', ',', ':':
		default:
			return
		}
		p.off++
	}
}

func (p *jsonReader) value() *node {
	p.blanks()
	n := &node{line: p.line, off: p.off}
	switch c := p.text[p.off]; c {
	case '{', '[':
		n.kind, n.style = mapping, flow
		if c == '[' {
			n.kind = sequence
		}
		for p.off++; ; {
			p.blanks()
			if c := p.text[p.off]; c == '}' || c == ']' {
				break
			}
			n.kids = append(n.kids, p.value())
		}
		p.off++
	case '"':
		n.kind, n.style, n.str = scalar, double, true
		p.off++
		simple := true
		for p.text[p.off] != '"' {
			if p.text[p.off] == '\\' {
				simple = false
				p.off++
			}
			p.off++
		}
		p.off++
		if simple {
			n.value = p.text[n.off+1 : p.off-1]
		} else if err := json.Unmarshal([]byte(p.text[n.off:p.off]), &n.value); err != nil {
			panic("valid JSON that isn't") // not reached: json.Valid has seen it
		}
	default:
		n.kind = scalar
		for p.off < len(p.text) && strings.IndexByte(" \t\r\n,]}", p.text[p.off]) < 0 {
			p.off++
		}
		n.value = p.text[n.off:p.off]
	}
	n.end = p.off
	return n
}
