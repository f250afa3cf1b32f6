package manifest

import "strings"

// object checks what holds for every object of ours before its fields are read: no YAML feature that makes two readers see two things.
// It returns nil if the fields can't be read.
func (i *Item) object(f *faults) *node {
	n := i.n
	if n == nil {
		f.add(i.Line, "", ErrParse, "not a readable object", "")
		return nil
	}
	if n.is(mapping) {
		f.secret = fullName(n)
	}
	if i.doc.odd {
		f.add(i.Line, "", ErrParse, "a line break that not every YAML reader takes for one (CR alone, NEL, LS or PS)", `write it as an escape in double quotes: "\r", "\u0085", "\u2028" or "\u2029"`)
		return nil
	}
	checkTree(f, n, 1)
	if len(f.list) > 0 {
		if n.is(mapping) && !n.marked {
			return n
		}
		return nil
	}
	if !i.ready && n.end == 0 && !measure(i.doc.text, n, i.indent) { // not reached: no text is known that the library reads and this does not
		n.end = 0
		f.add(n.line, "", ErrSchema, "a spelling of YAML that ageseal can't edit", `write the object in block style, one "key: value" a line`)
		return nil
	}
	i.ready = true
	return n
}

const wayOutOfAnchors = "write the value out where it is used"

func checkTree(f *faults, n *node, depth int) {
	switch {
	case len(f.list) >= maxFaults:
		return
	case depth > MaxDepth && n.kind != scalar:
		f.add(n.line, "", ErrLimit, "nested deeper than 16 levels", "")
		return
	case n.kind == alias:
		f.add(n.line, "", ErrSchema, "an alias, which YAML readers may expand differently", wayOutOfAnchors)
		return
	case n.marked:
		f.add(n.line, "", ErrSchema, "an anchor or a tag, which YAML readers may take differently", "remove it; "+wayOutOfAnchors)
	}
	if n.kind != mapping {
		for _, k := range n.kids {
			checkTree(f, k, depth+1)
		}
		return
	}
	seen := make(map[string]bool, len(n.kids)/2)
	for j := 0; j < len(n.kids); j += 2 {
		k, v := n.kids[j], n.kids[j+1]
		switch {
		case k.kind == alias || k.marked:
			checkTree(f, k, depth+1)
		case k.kind != scalar:
			f.add(k.line, "", ErrSchema, "a key that is not a string", "")
		case k.value == "<<" && k.style == plain:
			f.add(k.line, "", ErrSchema, "a merge key", "write the merged fields out")
			continue
		case !k.str:
			f.add(k.line, "", ErrSchema, "a key that YAML does not read as a string", "put it in quotes")
		case seen[k.value] && v.isNull() && v.value == "" && noColon(n, k, v):
			f.add(k.line, "", ErrSchema, "a key occurs twice", "keep one of the two")
		case seen[k.value]:
			f.add(k.line, "", ErrSchema, "the key"+quoteName(k.value)+" occurs twice", "keep one of the two")
		}
		if k.kind == scalar {
			seen[k.value] = true
		}
		if v.isNull() {
			v.line = k.line // the library puts an absent value where the next token is
		}
		checkTree(f, v, depth+1)
	}
}

// reported says whether checkTree has said what is wrong with a node.
func reported(n *node) bool { return n.marked || n.kind == alias }

// stringField reads a field that has to be a string.
func stringField(f *faults, n *node, name string) (string, bool) {
	switch {
	case reported(n):
	case n.kind != scalar:
		f.add(n.line, "", ErrSchema, name+" is not a string", "")
	case !n.str:
		f.add(n.line, "", ErrSchema, name+" is not a string for every YAML reader", "put it in quotes")
	default:
		return n.value, true
	}
	return "", false
}

// stringMap reads labels or annotations. Values that YAML takes for a number or a boolean are refused, as Kubernetes does.
func stringMap(f *faults, n *node, name string) map[string]string {
	if n.isNull() || reported(n) {
		return nil
	}
	if n.kind != mapping {
		f.add(n.line, "", ErrSchema, name+" is not a map", "")
		return nil
	}
	m := make(map[string]string, len(n.kids)/2)
	for j := 0; j < len(n.kids); j += 2 {
		v := n.kids[j+1]
		// Dates and times are strings to kubectl's reader.
		if v.kind == scalar && !v.str && !v.isNull() && !reported(v) && strings.Count(v.value, "-") < 2 && !strings.Contains(v.value, ":") {
			f.add(n.kids[j].line, "", ErrSchema, name+": a value that is not a string", "put it in quotes")
			continue
		}
		if v.kind != scalar && !reported(v) {
			f.add(n.kids[j].line, "", ErrSchema, name+": a value that is not a string", "")
		} else {
			m[n.kids[j].value] = v.value
		}
	}
	return m
}

type metadata struct {
	namespace, name, generateName string
	labels, annotations           map[string]string
}

func readMetadata(f *faults, n *node) (m metadata) {
	if reported(n) {
		return m
	}
	if n.kind != mapping {
		f.add(n.line, "", ErrSchema, "metadata is not a map", "")
		return m
	}
	for j := 0; j < len(n.kids); j += 2 {
		k, v := n.kids[j], n.kids[j+1]
		read := func(into *string) {
			if !v.isNull() {
				*into, _ = stringField(f, v, "metadata."+k.value)
			}
		}
		switch k.value {
		case "name":
			read(&m.name)
		case "namespace":
			read(&m.namespace)
		case "generateName":
			read(&m.generateName)
		case "labels":
			m.labels = stringMap(f, v, "metadata.labels")
		case "annotations":
			m.annotations = stringMap(f, v, "metadata.annotations")
		}
	}
	return m
}

// isObjectName tells a DNS subdomain, as Kubernetes names objects (RFC 1123).
func isObjectName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return s != "" && len(s) <= 253
}

// fullName finds namespace/name for messages, from whatever is readable.
func fullName(o *node) string {
	var namespace, name string
	if meta := o.get("metadata"); meta.is(mapping) {
		if n := meta.get("name"); n.is(scalar) && n.str {
			name = n.value
		}
		if n := meta.get("namespace"); n.is(scalar) && n.str {
			namespace = n.value
		}
	}
	switch {
	case !isObjectName(name) || namespace != "" && !isObjectName(namespace):
		return "" // a value may have come to stand here
	case namespace == "":
		return name
	}
	return namespace + "/" + name
}
