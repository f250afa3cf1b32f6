package manifest

import (
	"slices"
	"strings"
)

// EncryptedSecret is a sealed document as read.
type EncryptedSecret struct {
	Namespace, Name string // of metadata
	Labels          map[string]string
	Annotations     map[string]string
	Spec            Spec
	Canonical       bool // byte for byte as this package writes it; comments, blank lines and metadata aside
}

// Binding is what the values are authenticated with; "" is absent.
type Binding struct{ Namespace, Name string }

// Spec is the spec of a sealed document.
type Spec struct {
	Type      *string
	Immutable *bool
	Binding   Binding
	Wraps     map[string]Wrap // by data-key id
	Data      map[string]Box  // by Secret key
	Line      int             // set by Sealed, ignored on writing
}

// Wrap is one data key: sorted fingerprints of the recipients, the age file with the session key and the data key under it, in base64.
type Wrap struct {
	To      []string
	Age, DK string
	Line    int
}

// Box is one sealed value: the id of its data key, and the ciphertext in base64.
type Box struct {
	By, Box string
	Line    int
}

// Sealed reads a Sealed item strictly: limits, strict YAML, schema, ids, references. Errors are joined, each an *Error that wraps one of
// the sentinels. Whether the base64 is base64 is left to the suite.
func (i *Item) Sealed() (*EncryptedSecret, error) {
	var f faults
	n := i.object(&f)
	if n == nil || len(f.list) > 0 {
		return nil, f.join()
	}
	s := &EncryptedSecret{}
	fields(&f, n, "", "apiVersion", "kind", "metadata", "spec")
	if v := n.get("apiVersion"); v != nil {
		if a, ok := stringField(&f, v, "apiVersion"); ok && a != apiVersion {
			f.add(v.line, "", ErrSchema, "this version of ageseal reads "+apiVersion+" only", "use a version of ageseal that knows the apiVersion, or correct it")
		}
	}
	if v := n.get("kind"); v != nil {
		if k, ok := stringField(&f, v, "kind"); ok && k != sealedKind {
			f.add(v.line, "", ErrSchema, "the kind of a sealed manifest is "+sealedKind, "")
		}
	}
	if v := n.get("metadata"); v != nil {
		m := readMetadata(&f, v)
		s.Namespace, s.Name, s.Labels, s.Annotations = m.namespace, m.name, m.labels, m.annotations
	}
	if v := n.get("spec"); v != nil {
		readSpec(&f, v, &s.Spec)
	}
	if len(f.list) > 0 {
		// A document of a later version has fields that are unknown here, and is not damaged: that hint is enough then.
		if !slices.ContainsFunc(f.list, func(e *Error) bool { return e.Hint != "" }) {
			for _, e := range f.list {
				e.Hint = "restore it from git history, or encrypt the values again"
			}
		}
		return nil, f.join()
	}
	s.Canonical = i.isCanonical(&s.Spec) && !i.doc.normalized
	return s, nil
}

// fields checks that a mapping has all the named fields, but for those with a "?" behind, and no others.
func fields(f *faults, n *node, where string, names ...string) bool {
	if n.kind != mapping {
		f.add(n.line, "", ErrSchema, where+" is not a map", "")
		return false
	}
	dot := where
	if dot != "" {
		dot += "."
	}
next:
	for j := 0; j < len(n.kids); j += 2 {
		k := n.kids[j]
		for _, name := range names {
			if k.value == strings.TrimSuffix(name, "?") {
				continue next
			}
		}
		if where == "" {
			f.add(k.line, "", ErrSchema, "unknown field"+quoteField(k.value)+" of a sealed manifest", "")
		} else {
			f.add(k.line, "", ErrSchema, "unknown field"+quoteField(k.value)+" in "+where, "")
		}
	}
	ok := true
	for _, name := range names {
		if !strings.HasSuffix(name, "?") && n.get(name) == nil {
			f.add(n.line, "", ErrSchema, dot+name+" is missing", "")
			ok = false
		}
	}
	return ok
}

func readSpec(f *faults, n *node, s *Spec) {
	s.Line = n.line
	fields(f, n, "spec", "suite", "type?", "immutable?", "binding", "wraps", "data")
	if v := n.get("suite"); v != nil {
		readSuite(f, v)
	}
	if v := n.get("type"); v != nil {
		if t, ok := stringField(f, v, "spec.type"); ok {
			s.Type = &t
		}
	}
	if v := n.get("immutable"); v != nil {
		s.Immutable = boolField(f, v, "spec.immutable")
	}
	if v := n.get("binding"); v != nil && fields(f, v, "spec.binding", "namespace?", "name?") {
		for j := 0; j < len(v.kids); j += 2 {
			k := v.kids[j]
			if k.value != "namespace" && k.value != "name" {
				continue // reported, and it may be a value that went astray: the message must not quote it
			}
			text, ok := stringField(f, v.kids[j+1], "spec.binding."+k.value)
			if ok && text == "" {
				f.add(k.line, "", ErrSchema, "spec.binding."+k.value+" is empty", "")
			}
			if k.value == "name" {
				s.Binding.Name = text
			} else {
				s.Binding.Namespace = text
			}
		}
	}
	before := len(f.list)
	if v := n.get("wraps"); v != nil {
		s.Wraps = readWraps(f, v)
	}
	known := s.Wraps
	if len(f.list) > before {
		known = nil // references to a wrap that is wrong itself are no news
	}
	if v := n.get("data"); v != nil {
		s.Data = readData(f, v, known)
	}
}

func readSuite(f *faults, n *node) {
	switch {
	case n.kind == scalar && n.style == plain && n.value == "1":
	case n.kind == scalar && n.style == plain && isDecimal(n.value):
		f.add(n.line, "", ErrUnknownSuite, "this version of ageseal knows suite 1 only", "use a version of ageseal that knows the suite")
	default:
		f.add(n.line, "", ErrSchema, "spec.suite is not the integer 1", "")
	}
}

func isDecimal(s string) bool {
	s = strings.TrimPrefix(s, "-")
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && (s[0] != '0' || s == "0")
}

func readWraps(f *faults, n *node) map[string]Wrap {
	if n.kind != mapping {
		f.add(n.line, "", ErrSchema, "spec.wraps is not a map", "")
		return nil
	}
	if len(n.kids)/2 > MaxWraps {
		f.add(n.line, "", ErrLimit, "more than 64 data keys", "")
		return nil
	}
	m := make(map[string]Wrap, len(n.kids)/2)
	for j := 0; j < len(n.kids); j += 2 {
		k, v := n.kids[j], n.kids[j+1]
		if !isID(k.value, 32) {
			f.add(k.line, "", ErrSchema, "a data-key id is not 32 characters of a-z2-7", "")
			continue
		}
		w := Wrap{Line: k.line}
		if v.kind != mapping {
			f.add(k.line, "", ErrSchema, "an entry of spec.wraps is not a map", "")
			continue
		}
		if !fields(f, v, "spec.wraps", "to", "age", "dk") {
			continue
		}
		w.To = readTo(f, v.get("to"))
		w.Age = textField(f, v.get("age"), "", "age", MaxAgeLength)
		w.DK = textField(f, v.get("dk"), "", "dk", MaxAgeLength)
		m[k.value] = w
	}
	return m
}

func readTo(f *faults, n *node) []string {
	switch {
	case n.kind != sequence:
		f.add(n.line, "", ErrSchema, "to is not a list", "")
		return nil
	case len(n.kids) == 0:
		f.add(n.line, "", ErrSchema, "to is empty", "")
		return nil
	case len(n.kids) > MaxTo:
		f.add(n.line, "", ErrLimit, "more than 128 recipients", "")
		return nil
	}
	to := make([]string, 0, len(n.kids))
	for _, k := range n.kids {
		switch {
		case k.kind != scalar || !k.str || !isID(k.value, 16):
			f.add(k.line, "", ErrSchema, "a recipient's fingerprint is not 16 characters of a-z2-7", "")
			return nil
		case len(to) > 0 && k.value <= to[len(to)-1]:
			f.add(k.line, "", ErrSchema, "to is not sorted, or names a recipient twice", "")
			return nil
		}
		to = append(to, k.value)
	}
	return to
}

// textField reads a non-empty string of at most limit bytes.
func textField(f *faults, n *node, key, name string, limit int) string {
	switch {
	case n.kind != scalar || !n.str || n.value == "":
		f.add(n.line, key, ErrSchema, name+" is not a text", "")
	case len(n.value) > limit:
		f.add(n.line, key, ErrLimit, name+" is too long", "")
	default:
		return n.value
	}
	return ""
}

func readData(f *faults, n *node, wraps map[string]Wrap) map[string]Box {
	if n.kind != mapping {
		f.add(n.line, "", ErrSchema, "spec.data is not a map", "")
		return nil
	}
	if len(n.kids)/2 > MaxValues {
		f.add(n.line, "", ErrLimit, "more than 1024 values", "")
		return nil
	}
	m := make(map[string]Box, len(n.kids)/2)
	for j := 0; j < len(n.kids); j += 2 {
		k, v := n.kids[j], n.kids[j+1]
		if !IsSecretKey(k.value) {
			f.add(k.line, "", ErrSchema, "a key that Kubernetes does not allow in a Secret", "")
			continue
		}
		if v.kind != mapping {
			f.add(k.line, "", ErrSchema, "an entry of spec.data is not a map", "") // nor named: it may be the rest of a broken line
			continue
		}
		if !fields(f, v, "spec.data", "by", "box") {
			continue
		}
		b := Box{Line: k.line}
		by := v.get("by")
		b.By = textField(f, by, k.value, "by", MaxFileSize)
		b.Box = textField(f, v.get("box"), k.value, "box", MaxFileSize)
		if _, ok := wraps[b.By]; !ok && wraps != nil && b.By != "" {
			if !isID(b.By, 32) {
				f.add(by.line, k.value, ErrSchema, "by is not a data-key id", "")
			} else {
				f.add(by.line, k.value, ErrUnknownKey, "the value names a data key that spec.wraps does not have", "restore the file from git history, or set the value again")
			}
		}
		m[k.value] = b
	}
	return m
}
