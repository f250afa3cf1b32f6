package manifest

import (
	"maps"
	"slices"
	"strings"
)

var nativeBody = []string{"type", "immutable", "data", "stringData"}

// Seal turns a Native item that Native reads without error into a sealed document with this spec. Order, style and comments of the text
// outside stay, as format.md §2 and §3 say; what does not is returned.
func (i *Item) Seal(s *Spec) []Dropped { return i.rewrite(sealing(s)) }

func sealing(s *Spec) change {
	return change{
		apiVersion: apiVersion, kind: sealedKind,
		field: serverField, annotation: quotingAnnotation,
		gone: nativeBody, place: []string{"type", "data", "stringData"},
		body:    []*node{newString("spec"), s.node()},
		sealing: true,
	}
}

// SealKeepingComments is Seal, but comments inside data and stringData go along with their keys. Those that look like a value are left out
// all the same, unless their text is among known.
func (i *Item) SealKeepingComments(s *Spec, known []string) []Dropped {
	i.mustRead()
	c := sealing(s)
	spec := c.body[1]
	c.dest, c.known = map[*node]*node{}, make(map[string]bool, len(known))
	for _, text := range known {
		c.known[text] = true
	}
	for j := 0; j+1 < len(i.n.kids); j += 2 {
		k, v := i.n.kids[j], i.n.kids[j+1]
		switch k.value {
		case "type", "immutable":
			c.dest[k] = spec.key(k.value)
		case "data", "stringData":
			c.dest[k] = spec.key("data")
			for n := 0; v.is(mapping) && n < len(v.kids); n += 2 {
				c.dest[v.kids[n]] = spec.get("data").key(v.kids[n].value)
			}
		}
	}
	return i.rewrite(c)
}

// serverField names the fields of metadata that belong to a server.
func serverField(name string) bool {
	switch name {
	case "resourceVersion", "uid", "creationTimestamp", "managedFields", "selfLink", "generation", "ownerReferences":
		return true
	}
	return false
}

// quotingAnnotation names the annotations that quote the object as it was applied, values and all.
func quotingAnnotation(name string) bool {
	return name == "kubectl.kubernetes.io/last-applied-configuration" || name == "objectset.rio.cattle.io/applied" ||
		strings.HasPrefix(name, "kapp.k14s.io/original")
}

// ownAnnotation names the annotations that steer ageseal and kustomize and mean nothing in a cluster.
func ownAnnotation(name string) bool {
	switch name {
	case "config.kubernetes.io/path", "config.kubernetes.io/index", "config.kubernetes.io/function", "config.kubernetes.io/seqindent":
		return true
	}
	return strings.HasPrefix(name, group+"/") || strings.HasPrefix(name, "internal.config.kubernetes.io/")
}

// SetSpec rewrites the spec of a Sealed item that Sealed reads without error. Entries that are equal keep their bytes and comments; what is
// written is canonical. Comments of entries that are gone stand above the next one.
func (i *Item) SetSpec(s *Spec) { i.Rebind(s, "", "") }

// Rebind is SetSpec, and puts another namespace and name in the place of those that metadata has; "" leaves what it has.
func (i *Item) Rebind(s *Spec, namespace, name string) { i.respec(s.node(), namespace, name) }

// Summarize puts text for people in the place of each value of a Sealed item that Sealed reads without error, and leaves the data keys out.
// What it makes is no manifest.
func (i *Item) Summarize(s *Spec, values map[string]string) {
	head := *s
	head.Wraps, head.Data = nil, nil
	spec := head.node()
	spec.kids = spec.kids[:len(spec.kids)-4] // wraps and data, empty
	data := newMapping()
	for _, key := range slices.Sorted(maps.Keys(values)) {
		data.add(key, newString(values[key]))
	}
	spec.add("data", data)
	i.respec(spec, "", "")
}

func (i *Item) respec(spec *node, namespace, name string) {
	i.mustRead()
	old := i.n.get("spec")
	key := newString("spec")
	dest := map[*node]*node{}
	for j := 0; j+1 < len(i.n.kids); j += 2 {
		if i.n.kids[j+1] == old {
			dest[i.n.kids[j]] = key
		}
	}
	samePaths(old, spec, dest)
	raw := i.own != nil && *i.own
	if i.own == nil {
		var was Spec
		var f faults
		readSpec(&f, old, &was)
		raw = len(f.list) == 0 && i.isCanonical(&was)
	}
	i.rewrite(change{
		newName: name, newNamespace: namespace,
		gone: []string{"spec"}, place: []string{"spec"}, body: []*node{key, spec},
		dest: dest, raw: raw,
	})
}

// samePaths maps the keys of an old tree to those of a new one.
func samePaths(old, now *node, dest map[*node]*node) {
	if !old.is(mapping) || !now.is(mapping) {
		return
	}
	byName := make(map[string]int, len(now.kids)/2)
	for j := 0; j < len(now.kids); j += 2 {
		byName[now.kids[j].value] = j
	}
	for j := 0; j < len(old.kids); j += 2 {
		if k, ok := byName[old.kids[j].value]; ok {
			dest[old.kids[j]] = now.kids[k]
			samePaths(old.kids[j+1], now.kids[k+1], dest)
		}
	}
}

// Plain is a native Secret to be written in the place of a sealed one.
type Plain struct {
	Namespace   string // written if metadata has none; "" for none
	Type        *string
	Immutable   *bool
	Data        map[string]string // base64, one line
	Annotations map[string]string // added; nil for none

	// Text goes under stringData, several lines as several lines. Not nil, it makes the Secret one for people to edit: the comments of the
	// spec go along with the keys, and no annotation is dropped.
	Text map[string]string
}

// Unseal turns a Sealed item into a native Secret: metadata as it stands, less the annotations that format.md §2 drops from output, and
// type, immutable and data in the place of the spec, whose comments go with it.
func (i *Item) Unseal(p *Plain) {
	m := &maker{slab: make([]node, 10+2*len(p.Data)+2*len(p.Text))}
	body := m.mapping(4)
	m.addType(body, p.Type, p.Immutable)
	if p.Text != nil && (len(p.Text) > 0 || len(p.Data) == 0) {
		text := m.mapping(len(p.Text))
		for _, key := range slices.Sorted(maps.Keys(p.Text)) {
			v := m.text(p.Text[key])
			v.lines = !i.writesJSON() && hasLines(v.value)
			m.add(text, key, v)
		}
		m.add(body, "stringData", text)
	}
	if len(p.Data) > 0 {
		data := m.mapping(len(p.Data))
		for _, key := range slices.Sorted(maps.Keys(p.Data)) {
			m.add(data, key, m.text(p.Data[key]))
		}
		m.add(body, "data", data)
	}
	c := change{
		apiVersion: "v1", kind: "Secret", annotation: ownAnnotation, annotations: p.Annotations,
		gone: []string{"spec"}, place: []string{"spec"}, body: body.kids,
	}
	if meta := i.n.get("metadata"); meta != nil {
		if n := meta.get("namespace"); n == nil || isEmpty(n) {
			c.namespace = p.Namespace
		}
	}
	if p.Text != nil {
		c.dest = i.toNative(body)
		c.annotation = nil
	}
	i.rewrite(c)
}

// toNative maps the keys of a sealed item to those of a native body.
func (i *Item) toNative(body *node) map[*node]*node {
	i.mustRead()
	dest := map[*node]*node{}
	values := func(key string) *node {
		for _, field := range []string{"stringData", "data"} {
			if k := body.get(field).key(key); k != nil {
				return k
			}
		}
		return nil
	}
	for j := 0; j+1 < len(i.n.kids); j += 2 {
		k, spec := i.n.kids[j], i.n.kids[j+1]
		if k.value != "spec" {
			continue
		}
		dest[k] = body.kids[0]
		for s := 0; s+1 < len(spec.kids); s += 2 {
			k, data := spec.kids[s], spec.kids[s+1]
			if k.value != "data" {
				dest[k] = body.key(k.value)
				continue
			}
			dest[k] = body.kids[len(body.kids)-2]
			for n := 0; n+1 < len(data.kids); n += 2 {
				to := values(data.kids[n].value)
				dest[data.kids[n]] = to
				for e := 0; e < len(data.kids[n+1].kids); e += 2 {
					dest[data.kids[n+1].kids[e]] = to
				}
			}
		}
	}
	return dest
}

// Comments are the texts of the item's comments, each with its #.
func (i *Item) Comments() []string {
	i.mustRead()
	from, to := i.region()
	return texts(i.doc.text, i.comments(i.n, from, to))
}

// CommentPlaces are the item's comments with the keys that they belong to.
func (i *Item) CommentPlaces() []string {
	i.mustRead()
	from, to := i.region()
	keys := allKeys(i.n, nil)
	next := 0
	var list []string
	for _, c := range i.comments(i.n, from, to) {
		for next < len(keys) && keys[next].off < c.off {
			next++
		}
		of := next
		if !c.full {
			of--
		}
		name := ""
		if of >= 0 && of < len(keys) {
			name = keys[of].value
		}
		list = append(list, i.doc.text[c.off:c.end]+"\x00"+name)
	}
	return list
}

// Replace puts another item, of another version of the same file, in the place of this one, with the edits made to it and the comments
// above it. It reports whether that can be done: both must stand in the same kind of place.
func (i *Item) Replace(with *Item) bool {
	i.mustRead()
	with.mustRead()
	if i.top != with.top || i.inFlow != with.inFlow || i.doc.json != with.doc.json || i.indent != with.indent {
		return false
	}
	text := with.regionText()
	if i.top {
		const marker = "---\n"
		here, there := strings.HasPrefix(i.doc.text, marker), strings.HasPrefix(text, marker)
		switch {
		case here && !there: // it is no longer the first document
			text = marker + text
		case there && !here:
			text = text[len(marker):]
		case !with.edited && with.doc.fits(i.doc):
			text = string(with.doc.raw)
		}
	}
	from, to := i.region()
	i.edits, i.edited = []edit{{from, to, text}}, true
	return true
}

// fits says whether a document can stand, as it is, where another one does: without a final newline only at the end of a file, with a BOM only
// at its beginning.
func (d *document) fits(place *document) bool {
	return (place.last || len(d.raw) > 0 && d.raw[len(d.raw)-1] == '\n') && (place.start == 0 || !strings.HasPrefix(string(d.raw), bom))
}

// Text is the text that belongs to the item, with the edits made so far.
func (i *Item) Text() string {
	i.mustRead()
	return i.regionText()
}

// regionText is the text that belongs to the item, with its edits.
func (i *Item) regionText() string {
	from, to := i.region()
	var b strings.Builder
	for _, e := range i.edits {
		if e.from >= from {
			b.WriteString(i.doc.text[from:e.from])
			b.WriteString(e.text)
			from = e.to
		}
	}
	b.WriteString(i.doc.text[from:to])
	return b.String()
}

// Clear is everything that would stay in clear if a Native item were sealed, for a search for its values: the text that stays, and each
// string in it as YAML reads it, keys included. Of a List it is the item's own text.
func (i *Item) Clear() []string {
	edits, edited := i.edits, i.edited
	i.rewrite(change{
		field: serverField, annotation: quotingAnnotation, gone: nativeBody, place: nativeBody, sealing: true,
	})
	list := []string{i.regionText()}
	i.edits, i.edited = edits, edited
	var walk func(n *node, path string)
	walk = func(n *node, path string) {
		if n.kind == scalar {
			if n.value != "" {
				list = append(list, n.value)
			}
			return
		}
		for j, k := range n.kids {
			if n.kind == sequence {
				walk(k, "")
				continue
			}
			if j%2 == 1 {
				continue
			}
			switch name := k.value; {
			case path == "/metadata" && serverField(name), path == "/metadata/annotations" && quotingAnnotation(name):
				continue
			case path == "/data", path == "/stringData":
				list = append(list, name)
				continue
			}
			walk(k, "")
			walk(n.kids[j+1], path+"/"+k.value)
		}
	}
	walk(i.n, "")
	return list
}
