package verify

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ageseal/ageseal/manifest"
)

// objects are the mappings of a stream that may be Kubernetes objects: its documents, and the items of Lists. They are
// read leniently – duplicate keys, aliases, merge keys and all – because a Secret that we would refuse to seal is
// plaintext nevertheless, and because ConfigMaps are none of manifest's business.
type objects struct {
	list   []object
	steps  int
	gaveUp bool // at one of the bounds: there may be more than was seen
}

type object struct {
	node   *yaml.Node
	line   int // of the object, in the file
	offset int // lines before its document
	all    *objects
}

// step counts the nodes looked at, and says when it is too much.
func (o *objects) step(depth int) bool {
	o.steps++
	o.gaveUp = o.gaveUp || o.steps > maxSteps || depth > maxDepth
	return o.steps <= maxSteps && depth <= maxDepth
}

// Bounds on reading one file: an alias bomb is not followed, and a document of more nodes than any manifest has is left
// to manifest, which reports it.
const (
	maxSteps = 1 << 18
	maxMarks = 1 << 19
	maxDepth = 16
)

func readObjects(data []byte) *objects {
	o := &objects{}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for offset := 0; len(data) > 0; {
		doc := data[:documentEnd(data)]
		data = data[len(doc):]
		o.document(doc, offset)
		offset += bytes.Count(doc, []byte("\n"))
	}
	return o
}

// documentEnd is where the next document begins: at a line of "---", whatever it stands in (YAML 1.2 §9.1.2).
func documentEnd(data []byte) int {
	for p := 0; ; {
		i := bytes.Index(data[p:], []byte("\n---"))
		if i < 0 {
			return len(data)
		}
		p += i + 1
		if end := p + 3; end == len(data) || bytes.IndexByte([]byte(" \t\r\n"), data[end]) >= 0 {
			return p
		}
	}
}

func (o *objects) document(doc []byte, offset int) {
	marks := 0
	for _, c := range doc {
		switch c {
		case ',', ':', '[', '{', '\n', '-', '?':
			marks++
		}
	}
	if marks > maxMarks || !maySpeakOfSecret(doc) {
		return
	}
	var root yaml.Node
	if err := yaml.Unmarshal(doc, &root); err != nil || len(root.Content) != 1 {
		return // manifest says so, if it speaks of a Secret
	}
	o.object(root.Content[0], offset, 0)
}

// maySpeakOfSecret is the byte test for a document that may hold a Secret in any way: in base64, too.
func maySpeakOfSecret(doc []byte) bool {
	for _, word := range []string{"Secret", "secretGenerator", "binaryData"} {
		if bytes.Contains(doc, []byte(word)) {
			return true
		}
	}
	return manifest.MayHideWords(doc)
}

func (o *objects) object(n *yaml.Node, offset, depth int) {
	line := n.Line + offset
	n = resolve(n)
	if !o.step(depth) || n.Kind != yaml.MappingNode {
		return
	}
	x := object{n, line, offset, o}
	o.list = append(o.list, x)
	if kind := x.text("kind"); !strings.HasSuffix(kind, "List") {
		return
	}
	x.each("items", func(items *yaml.Node) {
		if items.Kind == yaml.SequenceNode {
			for _, item := range items.Content {
				o.object(item, offset, depth+1)
			}
		}
	})
}

// at returns the object that begins in a line of the file.
func (o *objects) at(line int) *object {
	for i := range o.list {
		if o.list[i].line == line {
			return &o.list[i]
		}
	}
	return nil
}

func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

// each visits every value that some reader could take for that of a key: duplicates, and what merge keys bring.
func (x *object) each(key string, visit func(*yaml.Node)) {
	x.entries(x.node, 0, func(k, v *yaml.Node) {
		if k.Value == key {
			visit(resolve(v))
		}
	})
}

// entries visits the entries of a mapping, those of merge keys included.
func (x *object) entries(n *yaml.Node, depth int, visit func(k, v *yaml.Node)) {
	n = resolve(n)
	if !x.all.step(depth) {
		return
	}
	switch n.Kind {
	case yaml.SequenceNode: // of a merge key
		for _, e := range n.Content {
			if depth > 0 {
				x.entries(e, depth+1, visit)
			}
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := resolve(n.Content[i]), n.Content[i+1]
			if !x.all.step(depth) {
				return
			}
			if k.Kind == yaml.ScalarNode && k.Value == "<<" {
				x.entries(v, depth+1, visit)
			} else {
				visit(k, v)
			}
		}
	}
}

// text is the last text that the object has for a key.
func (x *object) text(key string) (s string) {
	x.each(key, func(v *yaml.Node) {
		if v.Kind == yaml.ScalarNode {
			s = v.Value
		}
	})
	return s
}

// names are the object's namespace, name and generateName.
func (x *object) names() (namespace, name, generateName string) {
	x.each("metadata", func(m *yaml.Node) {
		x.entries(m, 0, func(k, v *yaml.Node) {
			if v = resolve(v); v.Kind != yaml.ScalarNode {
				return
			}
			switch k.Value {
			case "namespace":
				namespace = v.Value
			case "name":
				name = v.Value
			case "generateName":
				generateName = v.Value
			}
		})
	})
	return namespace, name, generateName
}

// keys are those of a Secret that have a value, less what SOPS has encrypted.
func (x *object) keys() []string {
	sops := false
	x.each("sops", func(v *yaml.Node) { sops = sops || v.Kind == yaml.MappingNode })
	return x.keysWith(func(v *yaml.Node) bool { return !sops || !isSOPSValue(v) })
}

func isSOPSValue(v *yaml.Node) bool {
	return v.Kind == yaml.ScalarNode && strings.HasPrefix(v.Value, "ENC[") && strings.HasSuffix(v.Value, "]")
}

// literalKeys are those that have a value in a template as it stands.
func (x *object) literalKeys() []string {
	return x.keysWith(func(v *yaml.Node) bool { return !isAction(v) })
}

// isAction says whether a template makes the value: an empty one, text with an action, or a bare {{ … }}, which YAML takes for a mapping
// whose key is a mapping.
func isAction(v *yaml.Node) bool {
	switch v.Kind {
	case yaml.ScalarNode:
		return v.Value == "" || isActionText(v.Value)
	case yaml.MappingNode:
		return v.Style&yaml.FlowStyle != 0 && len(v.Content) > 0 && v.Content[0].Kind == yaml.MappingNode
	}
	return false
}

// keysWith are those of a Secret whose values count.
func (x *object) keysWith(counts func(*yaml.Node) bool) []string {
	seen := map[string]bool{}
	for _, field := range []string{"data", "stringData"} {
		x.each(field, func(values *yaml.Node) {
			if isAction(values) && !counts(values) {
				return
			}
			if values.Kind != yaml.MappingNode && values.ShortTag() != "!!null" {
				seen[""] = true // a text or a list where the map should be
			}
			x.entries(values, 0, func(k, v *yaml.Node) {
				switch v = resolve(v); {
				case !counts(v):
				case v.Kind != yaml.ScalarNode || v.ShortTag() != "!!null":
					seen[k.Value] = true
				case v.Value == "" && values.Style&yaml.FlowStyle != 0:
					seen[""] = true // {key}: perhaps a value that lost its key
				}
			})
		})
	}
	var keys []string
	for k := range seen {
		keys = append(keys, k)
	}
	return keys
}

// strayFields reports whether a Secret has fields that Secrets don't have: wrong indentation makes such ones of values, and a slip of the
// shift key of their map.
func (x *object) strayFields() (stray bool) {
	x.entries(x.node, 0, func(k, v *yaml.Node) {
		switch k.Value {
		case "apiVersion", "kind", "metadata", "type", "immutable", "data", "stringData", "$patch":
		default:
			v = resolve(v)
			stray = stray || !isAction(v) && (len(v.Content) > 0 || v.Kind == yaml.ScalarNode && v.ShortTag() != "!!null")
		}
	})
	return stray
}

// quote is a string that may be a manifest, and where it stands.
type quote struct {
	text, where, hint string
	line              int
	block             bool // a literal block scalar: its lines are lines of the file
}

// lineOf is where a line of the text stands in the file, as far as known.
func (q *quote) lineOf(line int) int {
	if q.block {
		return q.line + line
	}
	return q.line
}

// quotes are the annotations of all objects, among which are the copies that kubectl and others keep of what was applied,
// and the values of ConfigMaps. A Secret that is itself a finding is not searched: sealing it drops such annotations.
func (o *objects) quotes() []quote {
	var out []quote
	for i := range o.list {
		x := &o.list[i]
		kind := x.text("kind")
		if kind == "Secret" && len(x.keys()) > 0 {
			continue
		}
		collect := func(values *yaml.Node, where, hint string) {
			x.entries(values, 0, func(k, v *yaml.Node) {
				if v = resolve(v); v.Kind == yaml.ScalarNode && v.Value != "" {
					out = append(out, quote{v.Value, where + nameOnly(k.Value), hint, v.Line + x.offset, v.Style&yaml.LiteralStyle != 0})
				}
			})
		}
		x.each("metadata", func(m *yaml.Node) {
			x.entries(m, 0, func(k, v *yaml.Node) {
				if k.Value == "annotations" {
					collect(v, "the annotation ", "remove the annotation")
				}
			})
		})
		if kind == "ConfigMap" {
			x.each("data", func(values *yaml.Node) {
				collect(values, "a ConfigMap under ", ownManifest)
			})
			x.each("binaryData", func(values *yaml.Node) {
				x.entries(values, 0, func(k, v *yaml.Node) {
					if text := decoded(resolve(v).Value); text != "" {
						out = append(out, quote{text, "a ConfigMap under " + nameOnly(k.Value), ownManifest, v.Line + x.offset, false})
					}
				})
			})
		}
	}
	return out
}

// speaksOfSealed reports whether the document that begins in a line, and doesn't parse, is a sealed one.
func speaksOfSealed(data []byte, line int) bool {
	return bytes.Contains(documentAt(data, line), []byte("EncryptedSecret"))
}
