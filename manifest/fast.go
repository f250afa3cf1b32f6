package manifest

import "strings"

// The fast reader knows the small part of YAML that this package and most people write: block mappings of one-line scalars and literal
// blocks, in printable ASCII. It exists because the YAML library would eat most of the time of a run over a thousand documents. Whatever
// it isn't sure of it leaves to the library; a fuzz target holds that a tree it makes is the library's.

const maxFastDepth = 32

type fastReader struct {
	text string
	off  int    // start of a line
	line int    // of off, in the file
	slab []node // nodes made ahead
}

// parseFast returns the tree of a document, measured, or nil if the library has to read it.
func parseFast(s source) *node {
	for i := 0; i < len(s.text); i++ {
		if c := s.text[i]; (c < ' ' || c > '~') && c != '\n' {
			return nil
		}
	}
	p := &fastReader{text: s.text, line: s.line0 + 1}
	indent, ok := p.next()
	if ok && indent == 0 && strings.HasPrefix(p.text[p.off:], "---") {
		rest := p.text[p.off+3 : lineEnd(p.text, p.off)-1]
		if body := strings.TrimLeft(rest, " "); body != "" && (body[0] != '#' || len(body) == len(rest)) {
			return nil
		}
		p.advance()
		indent, ok = p.next()
	}
	if !ok || indent != 0 {
		return nil
	}
	n := p.mapping(0, 0)
	if n == nil || p.off < len(p.text) {
		return nil
	}
	return n
}

// advance goes to the next line.
func (p *fastReader) advance() {
	p.off = lineEnd(p.text, p.off)
	p.line++
}

// next passes blank lines and comments, and returns the indentation of the line it finds.
func (p *fastReader) next() (indent int, ok bool) {
	for p.off < len(p.text) {
		indent = countSpaces(p.text[p.off:])
		if c := p.text[p.off+indent]; c != '\n' && c != '#' {
			return indent, true
		}
		p.advance()
	}
	return 0, false
}

// maxAhead is how far new looks for what is left to be made nodes of: two for a line.
const maxAhead = 1 << 12

func (p *fastReader) new(k kind, s style, off int) *node {
	if len(p.slab) == 0 {
		ahead := p.text[p.off:min(len(p.text), p.off+maxAhead)]
		p.slab = make([]node, min(2*strings.Count(ahead, "\n")+1, 64))
	}
	n := &p.slab[0]
	p.slab = p.slab[1:]
	*n = node{kind: k, style: s, line: p.line, off: off}
	return n
}

// mapping reads the block mapping whose first key is on this line.
func (p *fastReader) mapping(indent, depth int) *node {
	if depth > maxFastDepth {
		return nil
	}
	n := p.new(mapping, block, p.off+indent)
	for {
		k := p.key(p.off + indent)
		if k == nil {
			return nil
		}
		v := p.value(k.end+1, indent, depth)
		if v == nil {
			return nil
		}
		n.kids = append(n.kids, k, v)
		n.end = v.end
		next, ok := p.next()
		if !ok || next < indent {
			return n
		}
		if next > indent {
			return nil
		}
	}
}

func (p *fastReader) key(off int) *node {
	k := p.new(scalar, plain, off)
	end := off
	switch c := p.text[off]; {
	case c == '"':
		if end = p.quoted(off); end == 0 {
			return nil
		}
		k.style, k.str, k.value = double, true, p.text[off+1:end-1]
	case isAlnum(c) || c == '.' || c == '_' || c == '/':
		for end++; isAlnum(p.text[end]) || strings.IndexByte("._/-", p.text[end]) >= 0; end++ {
		}
		k.value = p.text[off:end]
		k.str = isString(k.value)
	default:
		return nil
	}
	// The library takes no key over 1,024 characters.
	if k.end = end; end-off > 1000 || p.text[end] != ':' || p.text[end+1] != ' ' && p.text[end+1] != '\n' {
		return nil
	}
	return k
}

// quoted returns the end of a one-line scalar in quotes without any escape, or 0.
func (p *fastReader) quoted(off int) int {
	q := p.text[off]
	for i := off + 1; ; i++ {
		switch c := p.text[i]; {
		case c == '\n' || c == '\\' && q == '"':
			return 0
		case c == q:
			if p.text[i+1] == q {
				return 0
			}
			return i + 1
		}
	}
}

// rest says whether nothing but a comment follows on the line.
func (p *fastReader) rest(off int) bool {
	n := countSpaces(p.text[off:])
	c := p.text[off+n]
	return c == '\n' || c == '#' && n > 0
}

// value reads what follows a colon, and all lines below that belong to it.
func (p *fastReader) value(off, indent, depth int) *node {
	colon := off
	off += countSpaces(p.text[off:])
	n := p.new(scalar, plain, off)
	switch c := p.text[off]; {
	case c == '\n' || c == '#':
		n.off, n.end = colon, colon
		p.advance()
		next, ok := p.next()
		if ok && next > indent {
			return p.mapping(next, depth+1)
		}
		return n
	case c == '"' || c == '\'':
		if n.end = p.quoted(off); n.end == 0 {
			return nil
		}
		n.style, n.str, n.value = double, true, p.text[off+1:n.end-1]
		if c == '\'' {
			n.style = single
		}
	case c == '{':
		n.kind, n.style, n.end = mapping, flow, off+2
		if p.text[off+1] != '}' {
			return nil
		}
	case c == '[':
		if !p.list(n) {
			return nil
		}
	case c == '|':
		return p.literal(n, indent)
	case isAlnum(c) || strings.IndexByte("._/+=", c) >= 0 || c == '-' && isAlnum(p.text[off+1]):
		if !p.plain(n) {
			return nil
		}
	default:
		return nil
	}
	if !p.rest(n.end) {
		return nil
	}
	p.advance()
	// A line further in would continue the scalar, or be an error.
	at, line := p.off, p.line
	if next, ok := p.next(); ok && next > indent {
		return nil
	}
	p.off, p.line = at, line
	return n
}

func (p *fastReader) plain(n *node) bool {
	for i := n.off; ; i++ {
		switch p.text[i] {
		case '\n':
		case ':':
			if c := p.text[i+1]; c == ' ' || c == '\n' {
				return false
			}
			continue
		case ' ':
			if p.text[i+1] != '#' {
				continue
			}
		default:
			continue
		}
		n.value = strings.TrimRight(p.text[n.off:i], " ")
		n.end = n.off + len(n.value)
		n.str = isString(n.value)
		return true
	}
}

// list reads [a, b] with plain scalars of letters and digits, or quoted ones.
func (p *fastReader) list(n *node) bool {
	n.kind, n.style = sequence, flow
	i := n.off + 1
	if p.text[i] == ']' {
		n.end = i + 1
		return true
	}
	for {
		k := p.new(scalar, plain, i)
		switch {
		case p.text[i] == '"':
			if k.end = p.quoted(i); k.end == 0 {
				return false
			}
			k.style, k.str, k.value = double, true, p.text[i+1:k.end-1]
		default:
			for isAlnum(p.text[i]) {
				i++
			}
			if k.value, k.end = p.text[k.off:i], i; k.value == "" {
				return false
			}
			k.str = isString(k.value)
		}
		i = k.end
		n.kids = append(n.kids, k)
		switch {
		case p.text[i] == ']':
			n.end = i + 1
			return true
		case p.text[i] == ',' && p.text[i+1] == ' ':
			i += 2
		default:
			return false
		}
	}
}

// literal reads the lines of | and |-.
func (p *fastReader) literal(n *node, indent int) *node {
	off := n.off + 1
	strip := p.text[off] == '-'
	if strip {
		off++
	}
	if p.text[off] != '\n' {
		return nil
	}
	p.advance()
	n.style, n.str = literal, true
	want := countSpaces(p.text[p.off:])
	if want <= indent || p.off+want >= len(p.text) || p.text[p.off+want] == '\n' {
		return nil // empty, or blank lines first
	}
	var b strings.Builder
	blank := 0
	for p.off < len(p.text) {
		spaces := min(countSpaces(p.text[p.off:]), want)
		end := lineEnd(p.text, p.off)
		if p.text[p.off+spaces] == '\n' {
			blank++
		} else if spaces < want {
			break
		} else {
			for ; blank > 0; blank-- {
				b.WriteByte('\n')
			}
			b.WriteString(p.text[p.off+want : end])
			n.end = end - 1
		}
		p.off = end
		p.line++
	}
	n.value = b.String()
	if strip {
		n.value = n.value[:len(n.value)-1]
	}
	return n
}
