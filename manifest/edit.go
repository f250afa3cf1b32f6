package manifest

import (
	"maps"
	"slices"
	"strings"
)

// change is what Seal, SetSpec and Unseal have in common: new values for apiVersion and kind, a filter for metadata, and a body that
// takes the place of the old one.
type change struct {
	apiVersion, kind  string            // "": as they are
	field, annotation func(string) bool // of metadata: left out
	namespace         string            // written where metadata has none
	newName           string            // takes the place of metadata's, if it has one; "" leaves it
	newNamespace      string            // likewise
	annotations       map[string]string // added

	gone  []string // fields that the body replaces
	place []string // the body stands at the first of these
	body  []*node  // keys and values

	sealing bool            // leave out and report comments that can hold a value
	known   map[string]bool // texts of comments that don't, whatever they look like
	dest    map[*node]*node // the new key for each old one; comments in the body go along. nil: they don't
	raw     bool            // they keep their indentation
}

// Dropped is something that Seal left out of the sealed form.
type Dropped struct {
	Line int    // in the file
	What string // "comment that looks like a value", "annotation kubectl.kubernetes.io/last-applied-configuration", "metadata.uid"
}

const (
	CommentInside = "comment inside data" // which SealKeepingComments would have kept
	commentValue  = "comment that looks like a value"
)

// rewriter makes the edits of one change.
type rewriter struct {
	change
	i        *Item
	text     string
	edits    []edit
	comments []comment
	dropped  []Dropped
	moved    []string // comments of removed lines, to stand above the body
}

// rewrite sets the item's edits and returns what was left out.
func (i *Item) rewrite(c change) []Dropped {
	i.mustRead()
	w := newRewriter(i, c)
	if top := i.entries(i.n); i.writesJSON() || top == nil || !w.block(top) {
		w = newRewriter(i, c)
		w.whole()
	}
	for n, c := range w.comments {
		if c.value && !c.done {
			w.comments[n].done = true
			w.edits = append(w.edits, c.cut(w.text))
			w.drop(c.line, commentValue)
		}
	}
	slices.SortStableFunc(w.edits, func(a, b edit) int {
		if a.from == b.from {
			// What is inserted stands before what is replaced.
			return min(a.to-a.from, 1) - min(b.to-b.from, 1)
		}
		return a.from - b.from
	})
	slices.SortStableFunc(w.dropped, func(a, b Dropped) int { return a.Line - b.Line })
	i.edits = slices.DeleteFunc(w.edits, func(e edit) bool { return w.text[e.from:e.to] == e.text })
	i.edited = len(i.edits) > 0
	return w.dropped
}

// mustRead makes sure that the item is checked and measured. Nobody edits what couldn't be read: that would be text thrown away.
func (i *Item) mustRead() {
	if i.ready {
		return
	}
	if i.object(&faults{}); !i.ready { // not reached: callers ask Native or Sealed first
		panic("manifest: an edit of an item that can't be read")
	}
}

func newRewriter(i *Item, c change) *rewriter {
	w := &rewriter{change: c, i: i, text: i.doc.text}
	from, to := i.region()
	w.comments = i.comments(i.n, from, to)
	if c.sealing {
		var f valueFilter
		for n := range w.comments {
			w.comments[n].value = f.looksLikeValue(w.text, w.comments[n]) && !c.known[w.text[w.comments[n].off:w.comments[n].end]]
		}
	}
	return w
}

func (w *rewriter) replace(from, to int, text string) {
	w.edits = append(w.edits, edit{from, to, text})
}

func (w *rewriter) drop(line int, what string) { w.dropped = append(w.dropped, Dropped{line, what}) }

// take returns the comments of a range that is cut or written anew, less those that look like values.
func (w *rewriter) take(from, to int) (list []comment) {
	at, _ := slices.BinarySearchFunc(w.comments, from, func(c comment, from int) int { return c.off - from })
	for ; at < len(w.comments) && w.comments[at].off < to; at++ {
		c := &w.comments[at]
		switch {
		case c.done:
		case c.value:
			w.drop(c.line, commentValue)
		default:
			list = append(list, *c)
		}
		c.done = true
	}
	return list
}

// discard leaves the comments of a range out.
func (w *rewriter) discard(from, to int, what string) {
	for _, c := range w.take(from, to) {
		if w.sealing {
			w.drop(c.line, what)
		}
	}
}

func (w *rewriter) move(list []comment) {
	for _, c := range list {
		w.moved = append(w.moved, w.text[c.off:c.end])
	}
}

// block edits an object in block style line by line. false: it can't; nothing that it did counts then.
func (w *rewriter) block(top []entry) bool {
	place := -1
	for n, e := range top {
		name := e.k.value
		switch {
		case slices.Contains(w.gone, name):
			// A list item's first key can't be cut with its line, which has the dash: the body goes there.
			if place < 0 && (slices.Contains(w.place, name) || e.from == e.k.off && n == 0 && e.from > lineStart(w.text, e.from)) {
				place = n
			}
		case name == "apiVersion" && w.apiVersion != "":
			if !w.scalar(e, w.apiVersion) {
				return false
			}
		case name == "kind" && w.kind != "":
			if !w.scalar(e, w.kind) {
				return false
			}
		case name == "metadata":
			w.metadata(e)
		}
	}
	last := top[len(top)-1].tail
	at, to := last, last
	for n, e := range top {
		if !slices.Contains(w.gone, e.k.value) {
			continue
		}
		if place < 0 {
			place = n
		}
		from, end := e.head, e.tail
		if n == place {
			from = e.from
		}
		switch {
		case w.dest != nil && !w.sealing:
			end = e.to
			w.carry(e, end)
		case w.dest != nil:
			if n != place {
				w.move(w.take(from, e.from))
			}
			w.carry(e, end)
		case !w.sealing:
			w.discard(e.from, end, "")
		case e.k.value == "data" || e.k.value == "stringData":
			w.move(w.take(from, e.from))
			if e.v.kind == mapping && e.v.style == block || absent(e.v) {
				w.move(w.take(e.k.end, lineEnd(w.text, e.k.end)))
			}
			w.discard(e.from, end, CommentInside)
		default:
			w.move(w.take(from, end))
		}
		if n == place {
			at, to = from, end
		} else {
			w.replace(from, end, "")
		}
	}
	start := lineStart(w.text, w.i.n.off)
	col := w.i.n.off - start
	var above, e emitter
	if inline := at > lineStart(w.text, at); inline {
		above.comments(w.moved, lineIndent(w.text, at), false)
		w.replace(start, start, string(above.b))
		e.entries(w.body, col, true)
		if len(w.body) == 0 {
			e.b = append(e.b, '\n') // the dash keeps its line
		}
	} else {
		e.comments(w.moved, col, false)
		e.entries(w.body, col, false)
	}
	w.replace(at, to, string(e.b))
	return true
}

// carry gives the comments of an old field, up to an offset, to the keys of the new body.
func (w *rewriter) carry(e entry, to int) {
	list := w.take(e.from, to)
	if w.raw {
		list = withBlankLines(w.text, e.from, to, list)
	}
	keys := allKeys(e.v, []*node{e.k})
	last := w.body[len(w.body)-1]
	if foot := attach(w.text, keys, list, func(k *node) *node { return w.dest[k] }, w.raw); len(foot) > 0 {
		last.commented().foot = append(last.comments().foot, foot...)
	}
	last.raw = w.raw
}

// withBlankLines adds the blank lines of a canonical spec to its comments: they separate what somebody wanted separated.
func withBlankLines(text string, from, to int, list []comment) []comment {
	for p := from; p < to; p = lineEnd(text, p) {
		if end := lineEnd(text, p) - 1; strings.TrimLeft(text[p:end], " ") == "" {
			list = append(list, comment{off: p, end: end, full: true})
		}
	}
	slices.SortFunc(list, func(a, b comment) int { return a.off - b.off })
	return list
}

// scalar replaces a value of one line.
func (w *rewriter) scalar(e entry, value string) bool {
	if !w.isLine(e) {
		return false
	}
	w.replace(e.v.off, e.v.end, value)
	return true
}

func (w *rewriter) isLine(e entry) bool {
	return e.v.kind == scalar && e.v.style <= double && !absent(e.v) && !strings.Contains(w.text[e.k.off:e.v.end], "\n")
}

// renamed is what newName or newNamespace puts in the place of a field of metadata.
func (w *rewriter) renamed(k, v *node) (string, bool) {
	now := ""
	switch k.value {
	case "name":
		now = w.newName
	case "namespace":
		now = w.newNamespace
	}
	return now, now != "" && !isEmpty(v)
}

// metadata leaves out and adds what has to be, and nothing else.
func (w *rewriter) metadata(e entry) {
	if !w.metadataChanges(e.v) {
		return
	}
	list := w.i.entries(e.v)
	probe := rewriter{change: w.change}
	probe.sealing = false
	if list == nil || len(probe.filterMetadata(e.v, map[*node]*node{}).kids) == 0 || slices.ContainsFunc(list, func(f entry) bool {
		_, ok := w.renamed(f.k, f.v)
		return ok && !w.isLine(f)
	}) {
		w.again(e)
		return
	}
	indent := e.v.off - lineStart(w.text, e.v.off)
	namespace := w.namespace != ""
	annotations := len(w.annotations) > 0
	after := list[0].from
	for _, f := range list {
		if now, ok := w.renamed(f.k, f.v); ok {
			w.scalar(f, string(appendScalar(nil, now)))
		}
		switch name := f.k.value; {
		case w.field != nil && w.field(name):
			w.drop(f.k.line, "metadata."+name)
			w.leaveOut(f, "comment of metadata."+name)
		case name == "name":
			after = f.to
		case name == "namespace":
			if namespace && isEmpty(f.v) {
				w.discard(f.from, f.to, "")
				w.replace(f.from, f.to, "")
				after = f.to
			} else {
				namespace = false
			}
		case name == "annotations":
			w.annotationsOf(f)
			annotations = false
		}
	}
	var m emitter
	if namespace {
		m.entries([]*node{newString("namespace"), newString(w.namespace)}, indent, false)
		w.replace(after, after, string(m.b))
	}
	if annotations {
		m.b = nil
		m.entries([]*node{newString("annotations"), w.addedAnnotations()}, indent, false)
		end := list[len(list)-1].tail
		w.replace(end, end, string(m.b))
	}
}

func isEmpty(n *node) bool { return n.isNull() || n.kind == scalar && n.value == "" }

// leaveOut cuts an entry, with the comments that belong to it.
func (w *rewriter) leaveOut(e entry, what string) {
	w.discard(e.head, e.tail, what)
	w.replace(e.head, e.tail, "")
}

func (w *rewriter) addedAnnotations() *node {
	n := newMapping()
	for _, name := range slices.Sorted(maps.Keys(w.annotations)) {
		n.add(name, newString(w.annotations[name]))
	}
	return n
}

// annotationsOf edits the annotations of a metadata in block style.
func (w *rewriter) annotationsOf(e entry) {
	list := w.i.entries(e.v)
	if list == nil {
		m := w.filterAnnotations(e.v, w.report)
		if len(m.kids) == len(e.v.kids) && len(w.annotations) == 0 {
			return
		}
		if len(m.kids) == 0 {
			w.leaveOut(e, "comment of metadata.annotations")
			return
		}
		var a emitter
		a.comments(texts(w.text, w.take(e.from, e.to)), e.k.off-lineStart(w.text, e.k.off), false)
		a.entries([]*node{newString("annotations"), m}, e.k.off-lineStart(w.text, e.k.off), false)
		w.replace(e.from, e.to, string(a.b))
		return
	}
	left := 0
	for _, a := range list {
		name := a.k.value
		_, again := w.annotations[name]
		switch {
		case w.annotation != nil && w.annotation(name):
			w.report(a.k.line, "annotation "+name)
		case !again:
			left++
		}
	}
	if left == 0 && len(w.annotations) == 0 {
		w.leaveOut(e, "comment of metadata.annotations")
		return
	}
	for _, a := range list {
		if _, again := w.annotations[a.k.value]; again || w.annotation != nil && w.annotation(a.k.value) {
			w.leaveOut(a, "comment of annotation "+a.k.value)
		}
	}
	if len(w.annotations) > 0 {
		var a emitter
		a.entries(w.addedAnnotations().kids, e.v.off-lineStart(w.text, e.v.off), false)
		end := list[len(list)-1].tail
		w.replace(end, end, string(a.b))
	}
}

func (w *rewriter) report(line int, what string) {
	if w.sealing {
		w.drop(line, what)
	}
}

func texts(text string, list []comment) (s []string) {
	for _, c := range list {
		s = append(s, text[c.off:c.end])
	}
	return s
}

// again writes metadata anew: in flow style, or nothing left of it.
func (w *rewriter) again(e entry) {
	dest := map[*node]*node{}
	k, m := copyTree(e.k, dest), w.filterMetadata(e.v, dest)
	dest[e.k] = k
	m.commented().foot = attach(w.text, allKeys(e.v, []*node{e.k}), w.take(e.from, e.to), func(k *node) *node { return dest[k] }, false)
	var b emitter
	b.entries([]*node{k, m}, e.k.off-lineStart(w.text, e.k.off), e.from > lineStart(w.text, e.from))
	w.replace(e.from, e.to, string(b.b))
}
