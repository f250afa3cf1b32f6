package verify

import (
	"bytes"
	"encoding/base64"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ageseal/ageseal/internal/lazy"
)

const (
	ownManifest  = "put the Secret into a manifest of its own and encrypt that"
	literalsHint = "encrypt --as env makes a sealed file of them, for envs: [FILE.age]; what is no secret belongs into a configMapGenerator"
)

// mayWrapSecret is the byte test for objects that carry a Secret: as a string, as an object, or as a generator's literals.
func mayWrapSecret(data []byte) bool {
	for _, word := range []string{"ConfigMap", "annotations", "patch", "ecretGenerator", "objects", "manifest"} {
		if bytes.Contains(data, []byte(word)) {
			return true
		}
	}
	return false
}

// wrapped looks through objects of other kinds for the Secrets that something makes of them: kustomize of generators and inline patches,
// OpenShift of a Template's objects, an operator of a manifest in its resource.
func (c *checker) wrapped(o *objects) {
	seen := make(map[*yaml.Node]bool, len(o.list))
	for _, x := range o.list {
		seen[x.node] = true // each on its own
	}
	for i := range o.list {
		x := &o.list[i]
		switch x.text("kind") {
		case "Secret":
			continue
		case "SecretGenerator":
			c.generator(x, x.node)
		}
		delete(seen, x.node)
		c.walk(x, x.node, seen, 0)
	}
}

func (c *checker) walk(x *object, n *yaml.Node, seen map[*yaml.Node]bool, depth int) {
	if seen[n] || !x.all.step(depth) {
		return
	}
	seen[n] = true
	if n.Kind == yaml.SequenceNode {
		for _, e := range n.Content {
			c.walk(x, resolve(e), seen, depth+1)
		}
		return
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	if n != x.node {
		inner := &object{n, n.Line + x.offset, x.offset, x.all}
		if inner.isSecret() && inner.text("apiVersion") != "" {
			if keys := inner.keysWith(func(v *yaml.Node) bool { return !isPlaceholder(v) && !isAction(v) }); len(keys) > 0 {
				c.add(Finding{Rule: PlaintextSecret, Line: inner.line, Secret: ref(inner.names()), Key: joinKeys(keys),
					What: "plaintext values of a Secret, inside another object", Hint: ownManifest})
			}
			return
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := resolve(n.Content[i]), resolve(n.Content[i+1])
		switch k.Value {
		case "secretGenerator":
			if v.Kind == yaml.SequenceNode {
				for _, g := range v.Content {
					c.generator(x, resolve(g))
				}
			}
		case "patch":
			c.patch(x, v, n)
		case "patches", "patchesStrategicMerge":
			c.patch(x, v, nil)
			if v.Kind == yaml.SequenceNode {
				for _, e := range v.Content {
					c.patch(x, resolve(e), nil)
				}
			}
		}
		c.walk(x, v, seen, depth+1)
	}
}

// isSecret reports whether an object is a Secret of the core group, or of none.
func (x *object) isSecret() bool {
	version := x.text("apiVersion")
	return x.text("kind") == "Secret" && (version == "v1" || version == "/v1" || version == "")
}

// generator is about the literals of a kustomize secretGenerator.
func (c *checker) generator(x *object, g *yaml.Node) {
	o := &object{g, g.Line + x.offset, x.offset, x.all}
	line, seen := 0, map[string]bool{}
	o.each("literals", func(list *yaml.Node) {
		for _, e := range list.Content {
			e = resolve(e)
			key, value, ok := strings.Cut(e.Value, "=")
			if !ok {
				key, value = "", e.Value
			}
			if len(value) >= 2 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
				value = value[1 : len(value)-1]
			}
			if e.Kind != yaml.ScalarNode || value == "" && ok || placeholder().MatchString(value) {
				continue
			}
			if line == 0 {
				line = e.Line + x.offset
			}
			seen[key] = true
		}
	})
	if len(seen) == 0 {
		return
	}
	var keys []string
	for k := range seen {
		keys = append(keys, k)
	}
	namespace, name, _ := o.names()
	for key, s := range map[string]*string{"namespace": &namespace, "name": &name} {
		if text := o.text(key); text != "" {
			*s = text
		}
	}
	c.add(Finding{Rule: PlaintextSecret, Line: line, Secret: ref(namespace, name, ""), Key: joinKeys(keys),
		What: "plaintext values of a Secret, as literals of a secretGenerator", Hint: literalsHint})
}

// placeholder is what another program puts a value in the place of: a variable of kustomize or Flux, a parameter of OpenShift.
var placeholder = lazy.Regexp(`^\$(?:\([-._a-zA-Z0-9]+\)|\{[-._a-zA-Z0-9]+\}|\{\{[-._a-zA-Z0-9]+\}\})$`)

func isPlaceholder(v *yaml.Node) bool {
	return v.Kind == yaml.ScalarNode && placeholder().MatchString(v.Value)
}

// patch is about an inline patch, a strategic merge or JSON operations. entry is the mapping around it, with the target, or nil.
func (c *checker) patch(x *object, v, entry *yaml.Node) {
	if v.Kind != yaml.ScalarNode || !strings.Contains(v.Value, "\n") && !strings.Contains(v.Value, "{") {
		return // or the name of a file
	}
	q := quote{v.Value, "a patch", ownManifest, v.Line + x.offset, v.Style&yaml.LiteralStyle != 0}
	found := func(line int, secret string, keys []string) {
		if len(keys) > 0 {
			c.add(Finding{Rule: PlaintextSecret, Line: q.lineOf(line), Secret: secret, Key: joinKeys(keys),
				What: "plaintext values of a Secret, quoted in " + q.where, Hint: q.hint})
		}
	}
	for _, p := range readObjects([]byte(v.Value)).list {
		if p.isSecret() {
			found(p.line, ref(p.names()), p.keysWith(func(v *yaml.Node) bool { return !isPlaceholder(v) && !isAction(v) }))
		}
	}
	if entry == nil {
		return
	}
	target := &object{entry, v.Line, x.offset, x.all}
	target.each("target", func(t *yaml.Node) {
		if t := (&object{t, v.Line, x.offset, x.all}); t.text("kind") == "Secret" {
			found(1, ref(t.text("namespace"), t.text("name"), ""), operationKeys(x, v.Value))
		}
	})
}

// operationKeys are the keys that JSON operations (RFC 6902) give a value under data or stringData.
func operationKeys(x *object, text string) (keys []string) {
	var root yaml.Node
	if len(text) > maxMarks || yaml.Unmarshal([]byte(text), &root) != nil || len(root.Content) != 1 || root.Content[0].Kind != yaml.SequenceNode {
		return nil
	}
	for _, e := range root.Content[0].Content {
		op := &object{resolve(e), 0, 0, x.all}
		field, key, inside := strings.Cut(strings.TrimPrefix(op.text("path"), "/"), "/")
		if field != "data" && field != "stringData" {
			continue
		}
		op.each("value", func(v *yaml.Node) {
			switch {
			case inside:
				if v.Kind != yaml.ScalarNode || v.Value != "" && !isPlaceholder(v) {
					keys = append(keys, key)
				}
			case v.Kind == yaml.MappingNode:
				op.entries(v, 0, func(k, v *yaml.Node) {
					if v = resolve(v); v.Kind != yaml.ScalarNode || v.Value != "" && !isPlaceholder(v) {
						keys = append(keys, k.Value)
					}
				})
			}
		})
	}
	return keys
}

// decoded is text in base64, or "".
func decoded(s string) string {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		return ""
	}
	return string(toUTF8(b))
}
