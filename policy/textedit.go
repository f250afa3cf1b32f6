package policy

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// textEdit changes pieces of a policy's text at the places of its nodes. It looks at no more than that: what comes of it has to be
// parsed again and compared with what was meant.
type textEdit struct {
	src   []byte
	root  *yaml.Node
	lines []int // where each begins, by number - 1; the last is the end
	eol   string
	parts []part
}

// part is what stands between two offsets from now on.
type part struct {
	from, to int
	with     string
}

// newTextEdit takes a text that Parse takes.
func newTextEdit(src []byte) *textEdit {
	var doc yaml.Node
	_ = yaml.Unmarshal(src, &doc)
	e := &textEdit{src: src, root: doc.Content[0], lines: []int{0}, eol: "\n"}
	for i, c := range src {
		if c == '\n' {
			e.lines = append(e.lines, i+1)
		}
	}
	e.lines = append(e.lines, len(src))
	if bytes.Contains(src, []byte("\r\n")) {
		e.eol = "\r\n"
	}
	return e
}

func (e *textEdit) text() []byte {
	slices.SortStableFunc(e.parts, func(a, b part) int { return a.from - b.from })
	var out bytes.Buffer
	at := 0
	for _, p := range e.parts {
		out.Write(e.src[at:max(at, p.from)])
		out.WriteString(p.with)
		at = max(at, p.to)
	}
	out.Write(e.src[at:])
	return out.Bytes()
}

func (e *textEdit) insert(at int, text string) { e.parts = append(e.parts, part{at, at, text}) }

// cut takes out what stands between two offsets of a line; false for several lines, or a comment.
func (e *textEdit) cut(from, to int) bool {
	if from < 0 || to < from || bytes.ContainsAny(e.src[from:to], "#\n") {
		return false
	}
	e.parts = append(e.parts, part{from, to, ""})
	return true
}

func (e *textEdit) replace(n *yaml.Node, with string) bool {
	from, to := e.start(n), e.end(n)
	if from < 0 || to < 0 {
		return false
	}
	e.parts = append(e.parts, part{from, to, with})
	return true
}

// start is the offset of a node; its column counts characters.
func (e *textEdit) start(n *yaml.Node) int {
	at := e.lines[n.Line-1]
	if n.Line == 1 {
		at += len(e.src) - len(bytes.TrimPrefix(e.src, []byte("\ufeff")))
	}
	for range n.Column - 1 {
		_, size := utf8.DecodeRune(e.src[at:])
		at += size
	}
	return at
}

// end is the offset behind a scalar that is written on one line without escapes; -1 for any other.
func (e *textEdit) end(n *yaml.Node) int {
	at := e.start(n)
	for _, form := range []string{n.Value, `"` + n.Value + `"`, "'" + n.Value + "'"} {
		if bytes.HasPrefix(e.src[at:], []byte(form)) {
			return at + len(form)
		}
	}
	return -1
}

// insertFlow puts an entry in front of the others of a flow mapping.
func (e *textEdit) insertFlow(m *yaml.Node, entry string) bool {
	at := e.start(m)
	if at >= len(e.src) || e.src[at] != '{' {
		return false
	}
	if len(m.Content) > 0 {
		entry += ", "
	}
	e.insert(at+1, entry)
	return true
}

// insertLines puts lines before that of a number.
func (e *textEdit) insertLines(number int, indent string, lines ...string) bool {
	if number < 1 || number > len(e.lines) {
		return false
	}
	at := e.lines[number-1]
	text := indent + strings.Join(lines, e.eol+indent) + e.eol
	if at > 0 && e.src[at-1] != '\n' { // the last line has no end
		text = e.eol + strings.TrimSuffix(text, e.eol)
	}
	e.insert(at, text)
	return true
}

// above is the line of the comment that belongs to what stands in a line.
func (e *textEdit) above(line int) int {
	for line > 1 && bytes.HasPrefix(bytes.TrimSpace(e.src[e.lines[line-2]:e.lines[line-1]]), []byte("#")) {
		line--
	}
	return line
}

// removeLine takes out the line of an element of a block sequence, with the comment behind it.
func (e *textEdit) removeLine(n *yaml.Node) bool {
	from, to := e.lines[n.Line-1], e.lines[n.Line]
	if end := e.end(n); end < 0 || strings.Trim(string(e.src[from:e.start(n)]), " ") != "-" {
		return false
	}
	e.parts = append(e.parts, part{from, to, ""})
	return true
}

// keyOf and valueOf find a field of a mapping; nil if there is none.
func keyOf(m *yaml.Node, name string) *yaml.Node {
	k, _ := entryOf(m, name)
	return k
}

func valueOf(m *yaml.Node, name string) *yaml.Node {
	_, v := entryOf(m, name)
	return v
}

func entryOf(m *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == name {
			return m.Content[i], m.Content[i+1]
		}
	}
	return nil, nil
}
