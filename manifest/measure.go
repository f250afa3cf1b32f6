package manifest

import "strings"

// measurer finds where the nodes of a tree end in the text, which the YAML library doesn't say. It trusts the library for where they
// begin, and gives up (ok = false) at anything else than it expects: the object is then written anew instead of edited.
type measurer struct {
	text string
	ok   bool
}

// measure fills in end for a tree without anchors, aliases and tags, whose parent's block indentation is indent (-1 for none).
func measure(text string, n *node, indent int) bool {
	m := &measurer{text, true}
	m.node(n, indent)
	return m.ok
}

func lineStart(text string, off int) int { return strings.LastIndexByte(text[:off], '\n') + 1 }

// lineEnd is the offset behind the line break of the line that holds off.
func lineEnd(text string, off int) int {
	if i := strings.IndexByte(text[off:], '\n'); i >= 0 {
		return off + i + 1
	}
	return len(text)
}

func (m *measurer) node(n *node, indent int) {
	if n.marked || n.kind == alias || n.off >= len(m.text) {
		m.ok = false
		n.end = n.off
		return
	}
	switch {
	case n.kind == scalar:
		switch n.style {
		case plain:
			n.end = m.plainEnd(n)
		case single, double:
			n.end = m.quotedEnd(n.off)
		default:
			n.end = m.blockScalarEnd(n.off, indent)
		}
	case n.style == flow:
		m.flow(n, indent)
	case n.kind == mapping:
		col := n.off - lineStart(m.text, n.off)
		n.end = n.off
		for i := 0; i < len(n.kids); i += 2 {
			n.end = m.value(n.kids[i], n.kids[i+1], col)
		}
	default:
		col := n.off - lineStart(m.text, n.off)
		n.end = n.off
		for _, k := range n.kids {
			p := m.skip(n.end, "")
			if p >= len(m.text) || m.text[p] != '-' {
				m.ok = false
				return
			}
			if absent(k) {
				k.off, k.end = p+1, p+1
			} else {
				m.node(k, col)
			}
			n.end = k.end
		}
	}
}

func absent(n *node) bool { return n.kind == scalar && n.style == plain && n.value == "" && !n.marked }

// value measures a key and its value and returns the end of the value.
func (m *measurer) value(k, v *node, indent int) int {
	if absent(k) { // not reached: checkTree refuses an empty key before
		m.ok = false
	}
	if m.node(k, indent); !m.ok {
		return k.end
	}
	explicit := strings.HasSuffix(strings.TrimRight(m.text[:k.off], " \t\n"), "?")
	p := k.end
	if explicit {
		p = m.skip(p, "")
	}
	for p < len(m.text) && (m.text[p] == ' ' || m.text[p] == '\t') {
		p++
	}
	if explicit && absent(v) && (p >= len(m.text) || m.text[p] != ':') {
		v.off, v.end = k.end, k.end
		return k.end
	}
	if p >= len(m.text) || m.text[p] != ':' {
		m.ok = false
		return k.end
	}
	if absent(v) {
		v.off, v.end = p+1, p+1
	} else {
		m.node(v, indent)
	}
	return v.end
}

func (m *measurer) flow(n *node, indent int) {
	open, shut := byte('{'), byte('}')
	if n.kind == sequence {
		open, shut = '[', ']'
	}
	p, pair := n.off+1, false
	if m.text[n.off] != open {
		if n.kind != mapping || len(n.kids) != 2 {
			m.ok = false
			n.end = n.off
			return
		}
		p, pair = n.off, true // the a: b of [a: b]
	}
	for i := 0; i < len(n.kids); i++ {
		k := n.kids[i]
		if absent(k) {
			k.off, k.end = p, p
			if n.kind == mapping && i%2 == 0 { // not reached: checkTree refuses an empty key before
				m.ok = false
			}
		} else {
			m.node(k, indent)
		}
		p = k.end
		if n.kind == mapping && i%2 == 0 {
			if q := m.skip(p, ""); q < len(m.text) && m.text[q] == ':' {
				p = q + 1
			}
		}
	}
	if !pair {
		p = m.skip(p, ",")
		if p >= len(m.text) || m.text[p] != shut {
			m.ok = false
			n.end = p
			return
		}
		p++
	}
	n.end = p
}

// skip passes blanks, line breaks, comments and the bytes in also.
func (m *measurer) skip(p int, also string) int {
	for p < len(m.text) {
		switch c := m.text[p]; {
		case c == ' ' || c == '\t' || c == '\n' || strings.IndexByte(also, c) >= 0:
			p++
		case c == '#':
			p = lineEnd(m.text, p)
		default:
			return p
		}
	}
	return p
}

func (m *measurer) quotedEnd(p int) int {
	q := m.text[p]
	for p++; p < len(m.text); p++ {
		switch c := m.text[p]; {
		case c == '\\' && q == '"':
			p++
		case c == q:
			if q == '\'' && p+1 < len(m.text) && m.text[p+1] == '\'' {
				p++
				continue
			}
			return p + 1
		}
	}
	m.ok = false
	return len(m.text)
}

// plainEnd walks value and text together; a blank or line break of the value stands for folded line ends in the text.
func (m *measurer) plainEnd(n *node) int {
	p := n.off
	if strings.HasPrefix(m.text[p:], n.value) {
		return p + len(n.value)
	}
	for i := 0; i < len(n.value); {
		if p >= len(m.text) {
			m.ok = false
			return p
		}
		q := p
		for q < len(m.text) && (m.text[q] == ' ' || m.text[q] == '\t') {
			q++
		}
		if c := n.value[i]; (c == ' ' || c == '\n') && q < len(m.text) && m.text[q] == '\n' {
			for q < len(m.text) && (m.text[q] == ' ' || m.text[q] == '\t' || m.text[q] == '\n') {
				q++
			}
			p = q
			if c == ' ' {
				i++
			}
			for c == '\n' && i < len(n.value) && n.value[i] == '\n' {
				i++
			}
			continue
		}
		if n.value[i] != m.text[p] {
			m.ok = false
			return p
		}
		i++
		p++
	}
	return p
}

// blockScalarEnd follows libyaml's reading of a block scalar whose header is at p, in a collection indented by indent.
func (m *measurer) blockScalarEnd(p, indent int) int {
	want, keep := 0, false
	for p++; p < len(m.text) && (m.text[p] == '+' || m.text[p] == '-' || m.text[p] >= '1' && m.text[p] <= '9'); p++ {
		switch c := m.text[p]; c {
		case '+':
			keep = true
		case '-':
		default:
			want = max(indent, 0) + int(c-'0')
		}
	}
	p = lineEnd(m.text, p)
	end := p - 1
	if want == 0 {
		want = max(indent+1, 1)
		for q := p; q < len(m.text); q = lineEnd(m.text, q) {
			spaces := countSpaces(m.text[q:])
			want = max(want, spaces)
			if q+spaces >= len(m.text) || m.text[q+spaces] != '\n' {
				break
			}
		}
	}
	for q := p; q < len(m.text); q = lineEnd(m.text, q) {
		spaces := min(countSpaces(m.text[q:]), want)
		switch {
		case spaces == want && q+spaces < len(m.text) && m.text[q+spaces] != '\n':
			end = lineEnd(m.text, q) - 1
		case q+spaces < len(m.text) && m.text[q+spaces] == '\n':
			if keep {
				end = lineEnd(m.text, q) - 1
			}
		default:
			return end
		}
	}
	return end
}

func countSpaces(s string) int {
	i := 0
	for i < len(s) && s[i] == ' ' {
		i++
	}
	return i
}
