package manifest

import (
	"maps"
	"slices"
	"strings"
)

var nativeBody = []string{"type", "immutable", "data", "stringData"}

// Seal turns a Native item that Native reads without error into a sealed document with this spec. Order, style and comments of the text
// outside stay, as format.md §2 and §3 say; what does not is returned.
func (i *Item) Seal(s *Spec) []Dropped {
	return i.rewrite(change{
		apiVersion: apiVersion, kind: sealedKind,
		field: serverField, annotation: quotingAnnotation,
		gone: nativeBody, place: []string{"type", "data", "stringData"},
		body:    []*node{newString("spec"), s.node()},
		sealing: true,
	})
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
func (i *Item) SetSpec(s *Spec) {
	i.mustRead()
	old := i.n.get("spec")
	key, spec := newString("spec"), s.node()
	dest := map[*node]*node{}
	for j := 0; j+1 < len(i.n.kids); j += 2 {
		if i.n.kids[j+1] == old {
			dest[i.n.kids[j]] = key
		}
	}
	samePaths(old, spec, dest)
	var was Spec
	var f faults
	readSpec(&f, old, &was)
	i.rewrite(change{
		gone: []string{"spec"}, place: []string{"spec"}, body: []*node{key, spec},
		dest: dest, raw: len(f.list) == 0 && i.canonical(&was),
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
}

// Unseal turns a Sealed item into a native Secret: metadata as it stands, less the annotations that format.md §2 drops from output, and
// type, immutable and data in the place of the spec, whose comments go with it.
func (i *Item) Unseal(p *Plain) {
	m := &maker{slab: make([]node, 8+2*len(p.Data))}
	body := m.mapping(3)
	m.addType(body, p.Type, p.Immutable)
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
	i.rewrite(c)
}

// Clear is everything that would stay in clear if a Native item were sealed, for a search for its values: the text that stays, and each
// string in it as YAML reads it, keys included. Of a List it is the item's own text.
func (i *Item) Clear() []string {
	edits, edited := i.edits, i.edited
	i.rewrite(change{
		field: serverField, annotation: quotingAnnotation, gone: nativeBody, place: nativeBody, sealing: true,
	})
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
	i.edits, i.edited = edits, edited

	list := []string{b.String()}
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
