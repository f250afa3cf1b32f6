package manifest

import "encoding/base64"

// NativeSecret is what a native Secret says.
type NativeSecret struct {
	Namespace, Name, GenerateName string
	Type                          *string          // nil if absent or null
	Immutable                     *bool            // nil if absent or null
	Values                        map[string]Value // data and stringData, decoded; stringData wins. Empty: nothing to encrypt
	HasData                       bool             // data or stringData is a map, if an empty one: not only a patch of metadata
	Annotations                   map[string]string
	Labels                        map[string]string
}

// Value is one value of a Secret and the line of its key.
type Value struct {
	Bytes []byte
	Line  int
}

// Native reads a Native item strictly, as format.md's "Native Secrets, as input" has it, with the meaning that kubectl gives it. All
// problems are joined, each an *Error with its line; none quotes a value.
func (i *Item) Native() (*NativeSecret, error) {
	var f faults
	n := i.object(&f)
	if n == nil {
		return nil, f.join()
	}
	if hasSOPS(n.get("sops")) {
		var half faults
		half.secret = f.secret
		half.add(n.get("sops").line, "", ErrSchema, "encrypted with SOPS in part: values under data or stringData are in clear",
			"finish it with sops (look at encrypted_regex), or decrypt it with sops first")
		return nil, half.join()
	}
	s := &NativeSecret{Values: map[string]Value{}}
	if n.get("kind") == nil || n.get("apiVersion") == nil {
		f.add(n.line, "", ErrSchema, "an item of a SecretList without apiVersion and kind", `add "apiVersion: v1" and "kind: Secret" to it`)
	}
	for j := 0; j < len(n.kids); j += 2 {
		k, v := n.kids[j], n.kids[j+1]
		if k.kind != scalar || !k.str {
			continue // reported
		}
		switch k.value {
		case "apiVersion", "kind":
			stringField(&f, v, k.value)
		case "metadata":
			m := readMetadata(&f, v)
			s.Namespace, s.Name, s.GenerateName, s.Labels, s.Annotations = m.namespace, m.name, m.generateName, m.labels, m.annotations
		case "type":
			if !v.isNull() {
				if t, ok := stringField(&f, v, "type"); ok {
					s.Type = &t
				}
			}
		case "immutable":
			if !v.isNull() {
				s.Immutable = boolField(&f, v, "immutable")
			}
		case "data":
			readValues(&f, v, "data", s)
		case "stringData":
		case "$patch":
			f.add(k.line, "", ErrSchema, "$patch directives can't be sealed", "seal the complete Secret, or leave the patch to kustomize in a file without values")
		default:
			f.add(k.line, "", ErrSchema, "unknown field"+quoteField(k.value)+" of a Secret", "keys of a Secret belong under stringData (as text) or data (as base64)")
		}
	}
	// Last, since it wins.
	if v := n.get("stringData"); v != nil {
		readValues(&f, v, "stringData", s)
	}
	if len(f.list) > 0 {
		return nil, f.join()
	}
	return s, nil
}

// noColon says whether an absent value may be none at all: {key} and ? key. Where it begins is only known of what was measured.
func noColon(n, k, v *node) bool { return n.style == flow || v.off == k.end }

func boolField(f *faults, n *node, name string) *bool {
	if reported(n) {
		return nil
	}
	if n.kind == scalar && n.style == plain && (n.value == "true" || n.value == "false") {
		b := n.value == "true"
		return &b
	}
	f.add(n.line, "", ErrSchema, name+" is neither true nor false", "write true or false, without quotes")
	return nil
}

func readValues(f *faults, n *node, field string, into *NativeSecret) {
	if n.isNull() || reported(n) {
		return
	}
	if n.kind != mapping {
		f.add(n.line, "", ErrSchema, field+" is not a map", "")
		return
	}
	into.HasData = true
	for j := 0; j < len(n.kids); j += 2 {
		k, v := n.kids[j], n.kids[j+1]
		key := k.value
		if k.kind != scalar || !k.str || reported(k) || reported(v) {
			continue
		}
		if !IsSecretKey(key) {
			text, hint := "a key that Kubernetes does not allow in a Secret", "letters, digits, - _ . only, at most 253, not . or .. at the beginning"
			if key == "$patch" {
				text, hint = "$patch directives can't be sealed", "seal the complete Secret"
			}
			f.add(k.line, "", ErrSchema, text, hint)
			continue
		}
		switch {
		case v.isNull() && v.value == "" && noColon(n, k, v):
			// Perhaps a value that lost its key: not to be named.
			f.add(k.line, "", ErrSchema, "a key without a value", `write key: value; "" is an empty value`)
		case v.isNull():
			f.add(k.line, key, ErrSchema, "the value is null", `write "" for an empty value, or remove the key`)
		case v.kind != scalar:
			f.add(k.line, key, ErrSchema, "the value is not a string", "")
		case !v.str:
			f.add(k.line, key, ErrSchema, "the value is not a string: YAML takes it for a number, a boolean or a date", "put it in quotes")
		case field == "stringData":
			into.Values[key] = Value{[]byte(v.value), k.line}
		default:
			// As Kubernetes decodes it: line breaks are passed over.
			b, err := base64.StdEncoding.DecodeString(v.value)
			if err != nil {
				f.add(k.line, key, ErrBase64, "the value is not base64", "text goes under stringData, base64 under data")
				continue
			}
			into.Values[key] = Value{b, k.line}
		}
	}
}
