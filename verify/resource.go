package verify

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// resource is one object of a render.
type resource struct {
	render            int
	group, kind       string
	namespace, name   string
	labels, annotated map[string]string
	node              *yaml.Node
}

func (o *resource) describe() string { return nameOnly(o.kind) + " " + ref(o.namespace, o.name, "") }

func readResources(stream []byte, render int) ([]*resource, error) {
	var all []*resource
	dec := yaml.NewDecoder(bytes.NewReader(stream))
	for {
		var doc struct {
			APIVersion string `yaml:"apiVersion"`
			Kind       string
			Metadata   struct {
				Namespace, Name     string
				Labels, Annotations map[string]string
			}
		}
		var node yaml.Node
		if err := dec.Decode(&node); err != nil {
			if errors.Is(err, io.EOF) {
				return all, nil
			}
			return nil, err
		}
		_ = node.Decode(&doc) // what is no text where one should be stays empty
		group, _, versioned := strings.Cut(doc.APIVersion, "/")
		if !versioned {
			group = ""
		}
		all = append(all, &resource{render, group, doc.Kind, doc.Metadata.Namespace, doc.Metadata.Name, doc.Metadata.Labels, doc.Metadata.Annotations, node.Content[0]})
	}
}

// decode reads the field that a path leads to. What has another type than it should is left out: the API server refuses it.
func (o *resource) decode(into any, path ...string) {
	if n := field(o.node, path...); n != nil {
		_ = n.Decode(into)
	}
}

func field(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		var next *yaml.Node
		eachEntry(n, func(k string, v *yaml.Node) {
			if k == key {
				next = v
			}
		})
		if n = next; n == nil {
			return nil
		}
	}
	return n
}

// eachEntry visits the entries of a mapping, none of anything else or of nil.
func eachEntry(n *yaml.Node, visit func(key string, v *yaml.Node)) {
	if n == nil {
		return
	}
	if n = resolve(n); n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			visit(n.Content[i].Value, resolve(n.Content[i+1]))
		}
	}
}

// open reports whether a resource may speak of Secrets in ways that nobody knows here: one of a custom kind.
func (o *resource) open() bool {
	return strings.Contains(o.group, ".") && o.podSpecAt() == nil && !strings.HasSuffix(o.group, "networking.k8s.io") && o.group != "storage.k8s.io" &&
		o.group != "apiextensions.k8s.io" // schemas are full of words
}

// mentions visits the words that may name a Secret without being a reference as above: annotations, what a program is
// told, the values of a chart in a ConfigMap, and everything in custom kinds. A Secret says nothing of who uses it.
func (o *resource) mentions(visit func(word string)) {
	if o.kind == "Secret" && o.group == "" {
		return
	}
	w := &words{visit, make(map[*yaml.Node]bool), make(map[*yaml.Node]bool)}
	w.in(o.node, o.open() || o.kind == "ConfigMap" && o.group == "")
}

type words struct {
	visit        func(word string)
	seen, partly map[*yaml.Node]bool // wholly, and for what may hold words only
}

// in visits the words of all scalars below n, or of those that may name a Secret.
func (w *words) in(n *yaml.Node, all bool) {
	n = resolve(n)
	if w.seen[n] || w.partly[n] && !all {
		return
	}
	w.partly[n] = true
	w.seen[n] = all
	switch {
	case n.Kind == yaml.ScalarNode && all:
		for _, word := range strings.FieldsFunc(n.Value, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
		}) {
			w.visit(word)
		}
	case n.Kind == yaml.SequenceNode:
		for _, e := range n.Content {
			w.in(e, all)
		}
	}
	eachEntry(n, func(k string, v *yaml.Node) {
		switch k {
		case "metadata":
			if annotations := field(v, "annotations"); annotations != nil {
				w.in(annotations, true)
			}
		case "args", "command", "value":
			w.in(v, true)
		default:
			w.in(v, all)
		}
	})
}
