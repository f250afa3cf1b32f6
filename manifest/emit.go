package manifest

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// emitter writes nodes: block style (canonical writing, format.md) or, inside flow collections and JSON documents, JSON with two spaces.
type emitter struct{ b []byte }

func (e *emitter) blanks(n int) {
	for ; n > 0; n-- {
		e.b = append(e.b, ' ')
	}
}

func (e *emitter) comments(head []string, indent int, raw bool) {
	for _, h := range head {
		switch {
		case raw:
		case h == "": // not reached: blank lines are handed on with raw alone
			continue
		default:
			e.blanks(indent)
		}
		e.b = append(e.b, h...)
		e.b = append(e.b, '\n')
	}
}

// entries writes the keys and values of a mapping, each line ended. With inline the first line has its indentation already.
func (e *emitter) entries(kids []*node, indent int, inline bool) {
	for i := 0; i < len(kids); i += 2 {
		k := kids[i]
		notes := k.comments()
		e.comments(notes.head, indent, k.raw)
		if i > 0 || !inline || len(notes.head) > 0 {
			e.blanks(indent)
		}
		e.b = appendScalar(e.b, k.value)
		e.b = append(e.b, ':')
		e.value(kids[i+1], indent, notes.eol)
	}
}

// value writes what follows a colon in block style.
func (e *emitter) value(n *node, indent int, eol string) {
	switch {
	case n.lines:
		e.literal(n.value, indent+2, eol)
	case len(n.kids) == 0 || n.kind == sequence && n.style == flow && allScalars(n):
		before := len(e.b)
		e.b = append(e.b, ' ')
		if e.inline(n); len(e.b) == before+1 {
			e.b = e.b[:before] // absent stays absent
		}
		e.b = append(append(e.b, eol...), '\n')
	case n.kind == mapping:
		e.b = append(append(e.b, eol...), '\n')
		e.entries(n.kids, indent+2, false)
	default:
		e.b = append(append(e.b, eol...), '\n')
		for _, k := range n.kids {
			e.blanks(indent)
			e.b = append(e.b, '-', ' ')
			if k.kind == mapping && len(k.kids) > 0 {
				e.entries(k.kids, indent+2, true)
			} else {
				e.inline(k)
				e.b = append(e.b, '\n')
			}
		}
	}
	e.comments(n.comments().foot, indent+2, n.raw)
}

// literal writes a string for which hasLines holds.
func (e *emitter) literal(s string, indent int, eol string) {
	text, ended := strings.CutSuffix(s, "\n")
	e.b = append(e.b, ' ', '|')
	if !ended {
		e.b = append(e.b, '-')
	}
	e.b = append(append(e.b, eol...), '\n')
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" {
			e.blanks(indent)
			e.b = append(e.b, line...)
		}
		e.b = append(e.b, '\n')
	}
}

func allScalars(n *node) bool {
	for _, k := range n.kids {
		if k.kind != scalar {
			return false
		}
	}
	return true
}

// inline writes a value on one line, in flow style.
func (e *emitter) inline(n *node) {
	switch n.kind {
	case scalar:
		if n.str {
			e.b = appendScalar(e.b, n.value)
		} else {
			e.b = append(e.b, n.value...)
		}
	case mapping:
		e.b = append(e.b, '{')
		for i, k := range n.kids {
			switch {
			case i%2 == 1:
				e.b = append(e.b, ':', ' ')
			case i > 0:
				e.b = append(e.b, ',', ' ')
			}
			e.inline(k)
		}
		e.b = append(e.b, '}')
	default:
		e.b = append(e.b, '[')
		for i, k := range n.kids {
			if i > 0 {
				e.b = append(e.b, ',', ' ')
			}
			e.inline(k)
		}
		e.b = append(e.b, ']')
	}
}

// json writes a value as JSON whose first line stands at indent. Comments only occur where the text around is YAML in flow style.
func (e *emitter) json(n *node, indent int) {
	if n.kind == scalar {
		switch {
		case n.str:
			e.b = appendQuoted(e.b, n.value)
		case n.value == "":
			e.b = append(e.b, "null"...)
		default:
			e.b = append(e.b, n.value...)
		}
		return
	}
	open, shut, step := byte('{'), byte('}'), 2
	if n.kind == sequence {
		open, shut, step = '[', ']', 1
	}
	e.b = append(e.b, open)
	if len(n.kids) == 0 && len(n.comments().foot) == 0 {
		e.b = append(e.b, shut)
		return
	}
	if n.oneLine {
		for i, k := range n.kids {
			if i > 0 {
				e.b = append(e.b, ',', ' ')
			}
			e.json(k, indent)
		}
		e.b = append(e.b, shut)
		return
	}
	e.b = append(e.b, '\n')
	for i := 0; i < len(n.kids); i += step {
		k := n.kids[i]
		if step == 2 {
			e.comments(k.comments().head, indent+2, false)
		}
		e.blanks(indent + 2)
		eol := ""
		if step == 2 {
			e.b = appendQuoted(e.b, k.value)
			e.b = append(e.b, ':', ' ')
			eol = k.comments().eol
			k = n.kids[i+1]
		}
		e.json(k, indent+2)
		if i+step < len(n.kids) {
			e.b = append(e.b, ',')
		}
		e.b = append(append(e.b, eol...), '\n')
	}
	e.comments(n.comments().foot, indent+2, false)
	e.blanks(indent)
	e.b = append(e.b, shut)
}

// maker makes the nodes of a new tree, ahead of their use.
type maker struct{ slab []node }

func (m *maker) make(n node) *node {
	if len(m.slab) == 0 {
		m.slab = make([]node, 16)
	}
	p := &m.slab[0]
	m.slab = m.slab[1:]
	*p = n
	return p
}

func (m *maker) text(s string) *node    { return m.make(node{kind: scalar, str: true, value: s}) }
func (m *maker) literal(s string) *node { return m.make(node{kind: scalar, value: s}) }
func (m *maker) mapping(entries int) *node {
	return m.make(node{kind: mapping, kids: make([]*node, 0, 2*entries)})
}

func (m *maker) add(n *node, key string, v *node) { n.kids = append(n.kids, m.text(key), v) }

// addType adds the two fields that a Secret and a spec share.
func (m *maker) addType(n *node, typ *string, immutable *bool) {
	if typ != nil {
		m.add(n, "type", m.text(*typ))
	}
	if immutable != nil {
		m.add(n, "immutable", m.literal(strconv.FormatBool(*immutable)))
	}
}

// node makes the tree of a spec in canonical order.
func (s *Spec) node() *node {
	m := &maker{slab: make([]node, 16+10*len(s.Wraps)+6*len(s.Data))}
	n := m.mapping(6)
	m.add(n, "suite", m.literal("1"))
	m.addType(n, s.Type, s.Immutable)
	binding := m.mapping(2)
	if s.Binding.Namespace != "" {
		m.add(binding, "namespace", m.text(s.Binding.Namespace))
	}
	if s.Binding.Name != "" {
		m.add(binding, "name", m.text(s.Binding.Name))
	}
	m.add(n, "binding", binding)
	wraps := m.mapping(len(s.Wraps))
	for _, id := range slices.Sorted(maps.Keys(s.Wraps)) {
		w := s.Wraps[id]
		to := m.make(node{kind: sequence, style: flow, oneLine: true})
		for _, t := range w.To {
			to.kids = append(to.kids, m.text(t))
		}
		e := m.mapping(3)
		m.add(e, "to", to)
		m.add(e, "age", m.text(w.Age))
		m.add(e, "dk", m.text(w.DK))
		m.add(wraps, id, e)
	}
	m.add(n, "wraps", wraps)
	data := m.mapping(len(s.Data))
	for _, key := range slices.Sorted(maps.Keys(s.Data)) {
		b := s.Data[key]
		e := m.mapping(2)
		m.add(e, "by", m.text(b.By))
		m.add(e, "box", m.text(b.Box))
		m.add(data, key, e)
	}
	m.add(n, "data", data)
	return n
}

// canonical says whether the item's text, but for comments, blank lines and metadata, is what this package writes for s.
func (i *Item) canonical(s *Spec) bool {
	spec, version, kind := i.n.get("spec"), i.n.get("apiVersion"), i.n.get("kind")
	text := i.doc.text
	if i.writesJSON() {
		var e emitter
		e.json(s.node(), lineIndent(text, spec.off))
		return string(e.b) == text[spec.off:spec.end]
	}
	top := i.entries(i.n)
	if top == nil || version.style != plain || kind.style != plain {
		return false
	}
	e := emitter{make([]byte, 0, spec.end-spec.off+64)}
	e.entries([]*node{newString("spec"), s.node()}, i.n.off-lineStart(text, i.n.off), true)
	for _, t := range top {
		if t.v == spec {
			return sameLines(text[t.k.off:t.to], e.b)
		}
	}
	return false // not reached: the spec is among the entries
}

// isCanonical is canonical of the spec that the item has, asked once: it costs as much as to write it.
func (i *Item) isCanonical(s *Spec) bool {
	if i.own == nil {
		own := i.canonical(s)
		i.own = &own
	}
	return *i.own
}

// sameLines compares text with what was expected of it, comments and blank lines aside.
func sameLines(text string, want []byte) bool {
	for text != "" {
		end := lineEnd(text, 0)
		line := text[:end-1]
		text = text[end:]
		if t := strings.TrimLeft(line, " "); t == "" || t[0] == '#' {
			continue
		}
		n := bytes.IndexByte(want, '\n')
		if n < 0 || len(line) < n || line[:n] != string(want[:n]) {
			return false
		}
		if rest := line[n:]; rest != "" && !(rest[0] == ' ' && strings.HasPrefix(strings.TrimLeft(rest, " "), "#")) {
			return false
		}
		want = want[n+1:]
	}
	return len(want) == 0
}

const maxLookBack = 4 << 10

// lineIndent is the number of blanks that the line of off begins with; 0 if it begins far away, as in a List of one line.
func lineIndent(text string, off int) int {
	near := text[max(0, off-maxLookBack):off]
	i := strings.LastIndexByte(near, '\n')
	if i < 0 && len(near) < off {
		return 0
	}
	return countSpaces(text[off-len(near)+i+1:])
}
