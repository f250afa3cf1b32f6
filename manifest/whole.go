package manifest

import (
	"slices"
	"strings"
)

// copyTree copies a tree for writing, and notes the new key of each old one.
func copyTree(n *node, dest map[*node]*node) *node {
	c := *n
	c.kids = make([]*node, len(n.kids))
	c.oneLine = false
	for i, k := range n.kids {
		c.kids[i] = copyTree(k, dest)
		if n.kind == mapping && i%2 == 0 {
			dest[k] = c.kids[i]
		}
	}
	return &c
}

// metadataChanges says whether anything in metadata has to go or to be added.
func (w *rewriter) metadataChanges(m *node) bool {
	if w.namespace != "" || w.newName != "" || w.newNamespace != "" || len(w.annotations) > 0 {
		return true
	}
	for j := 0; j+1 < len(m.kids); j += 2 {
		if w.field != nil && w.field(m.kids[j].value) {
			return true
		}
		if m.kids[j].value == "annotations" && w.annotation != nil {
			for a := 0; a+1 < len(m.kids[j+1].kids); a += 2 {
				if w.annotation(m.kids[j+1].kids[a].value) {
					return true
				}
			}
		}
	}
	return false
}

// filterMetadata copies metadata with the change made, for writing it anew.
func (w *rewriter) filterMetadata(m *node, dest map[*node]*node) *node {
	out := &node{kind: mapping, style: m.style}
	namespace, annotations := w.namespace != "", len(w.annotations) > 0
	at := 0
	for j := 0; j+1 < len(m.kids); j += 2 {
		k, v := m.kids[j], m.kids[j+1]
		switch {
		case w.field != nil && w.field(k.value):
			w.report(k.line, "metadata."+k.value)
			continue
		case k.value == "namespace":
			if namespace && isEmpty(v) {
				continue
			}
			namespace = false
		case k.value == "annotations":
			annotations = false
			a := w.filterAnnotations(v, w.report)
			if len(a.kids) == 0 && (len(v.kids) > 0 || len(w.annotations) > 0) {
				continue
			}
			if len(a.kids) > 0 {
				v = a
			}
		}
		if now, ok := w.renamed(k, v); ok {
			v = newString(now)
		}
		ck := copyTree(k, dest)
		dest[k] = ck
		out.kids = append(out.kids, ck, copyTree(v, dest))
		if k.value == "name" {
			at = len(out.kids)
		}
	}
	if namespace {
		out.kids = slices.Insert(out.kids, at, newString("namespace"), newString(w.namespace))
	}
	if annotations {
		out.add("annotations", w.addedAnnotations())
	}
	return out
}

// filterAnnotations returns the annotations that stay, with those that are added. Its nodes are those of n.
func (w *rewriter) filterAnnotations(n *node, report func(int, string)) *node {
	out := &node{kind: mapping, style: n.style, line: n.line, off: n.off}
	for j := 0; j+1 < len(n.kids); j += 2 {
		k := n.kids[j]
		if w.annotation != nil && w.annotation(k.value) {
			report(k.line, "annotation "+k.value)
			continue
		}
		if _, again := w.annotations[k.value]; !again {
			out.kids = append(out.kids, k, n.kids[j+1])
		}
	}
	if len(w.annotations) > 0 {
		out.kids = append(out.kids, w.addedAnnotations().kids...)
	}
	return out
}

// whole writes the object anew: JSON, flow style, and rare spellings of block style.
func (w *rewriter) whole() {
	n := w.i.n
	dest := map[*node]*node{}
	for k, d := range w.dest {
		dest[k] = d
	}
	out := newMapping()
	at := -1
	var bodyKey *node
	if len(w.body) > 0 {
		bodyKey = w.body[0]
	}
	for j := 0; j+1 < len(n.kids); j += 2 {
		k, v := n.kids[j], n.kids[j+1]
		ck := copyTree(k, dest)
		switch {
		case slices.Contains(w.gone, k.value):
			if at < 0 || slices.Contains(w.place, k.value) && !slices.ContainsFunc(n.kids[:j], func(p *node) bool { return slices.Contains(w.place, p.value) }) {
				at = len(out.kids)
			}
			if w.dest == nil {
				dest[k] = bodyKey
				what := ""
				if k.value == "data" || k.value == "stringData" {
					what = CommentInside
				}
				if what != "" || !w.sealing {
					// To the end of the line: a comment there is about the value.
					end := n.end - 1
					if j+2 < len(n.kids) {
						end = n.kids[j+2].off
					}
					w.discard(v.off, max(v.end, min(end, lineEnd(w.text, v.end))), what)
				}
			}
			continue
		case k.value == "apiVersion" && w.apiVersion != "":
			v = newString(w.apiVersion)
		case k.value == "kind" && w.kind != "":
			v = newString(w.kind)
		case k.value == "metadata":
			v = w.filterMetadata(v, dest)
		default:
			v = copyTree(v, dest)
		}
		dest[k] = ck
		out.kids = append(out.kids, ck, v)
	}
	if at < 0 {
		at = len(out.kids)
	}
	out.kids = slices.Insert(out.kids, at, w.body...)
	out.commented().foot = attach(w.text, allKeys(n, nil), w.take(n.off, n.end), func(k *node) *node { return dest[k] }, false)

	var e emitter
	if w.i.writesJSON() {
		e.json(out, lineIndent(w.text, n.off))
		w.replace(n.off, n.end, string(e.b))
		return
	}
	from := n.off
	start := lineStart(w.text, from)
	col, inline := from-start, true
	switch before := strings.TrimLeft(w.text[start:from], " "); {
	case w.i.top && before == "":
		from, col, inline = start, 0, false
	case w.i.top: // --- {
		col, inline = 0, false
		from = start + len(strings.TrimRight(w.text[start:from], " \t"))
		e.b = append(e.b, '\n')
	}
	e.entries(out.kids, col, inline)
	e.comments(out.comments().foot, col, false)
	to := n.end
	for w.text[to] == ' ' || w.text[to] == '\t' {
		to++
	}
	if w.text[to] != '\n' {
		to = n.end
	}
	written := strings.TrimSuffix(string(e.b), "\n")
	if slices.ContainsFunc(w.comments, func(c comment) bool { return c.off == to && !c.value }) {
		written += " " // behind a brace it is a comment without one, behind a scalar it isn't
	}
	w.replace(from, to, written)
}
