package kustomize

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// Names of the kinds that generators: may list for us.
const (
	APIVersion    = "ageseal.dev/v1alpha1"
	SealedKind    = "EncryptedSecret"
	DecrypterKind = "Decrypter"
)

var errNotYAML = errors.New("malformed YAML") // the library's own words quote what they could not read

// maxListDepth bounds Lists inside Lists; more of them stay what they are, which nothing takes for a Secret.
const maxListDepth = 8

// Objects decodes a stream into its objects, Lists taken apart. Nodes keep the lines of src. What is no object (a list,
// a text) is among them, so that nothing of a stream is passed over; documents without content are not.
func Objects(src []byte) ([]*yaml.Node, error) {
	var all []*yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(src))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, errNotYAML
		case len(doc.Content) != 1 || doc.Content[0].ShortTag() == yaml.NodeTagNull:
			continue
		}
		all = flatten(all, doc.Content[0], 0)
	}
}

func flatten(all []*yaml.Node, n *yaml.Node, depth int) []*yaml.Node {
	items := lookup(n, "items")
	if depth >= maxListDepth || !strings.HasSuffix(text(n, "kind"), "List") || items == nil || items.Kind != yaml.SequenceNode {
		return append(all, n)
	}
	for _, item := range items.Content {
		all = flatten(all, item, depth+1)
	}
	return all
}

// text is the scalar that keys lead to, "" if there is none.
func text(n *yaml.Node, keys ...string) string {
	if n = lookup(n, keys...); n != nil && n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return ""
}

// IsOurs reports whether an object is of one of our kinds, in whatever version.
func IsOurs(n *yaml.Node, kind string) bool {
	group, _, _ := strings.Cut(text(n, "apiVersion"), "/")
	return group == "ageseal.dev" && text(n, "kind") == kind
}

// mayBeDecrypter is the cheap test before any parsing.
func mayBeDecrypter(src []byte) bool {
	return bytes.Contains(src, []byte(DecrypterKind)) && bytes.Contains(src, []byte("ageseal.dev/"))
}

// onlySealed checks that a file holds sealed manifests and nothing else: whoever lists it for decryption means all of it,
// and what is passed over would be missing without a word. Two readers have to agree on what there is.
func onlySealed(file string, src []byte) (*manifest.File, error) {
	f, err := manifest.Parse(src)
	if err != nil {
		return nil, InFile(file, err)
	}
	var faults []error
	refuse := func(line int, what, hint string) {
		if len(faults) < maxFaults {
			faults = append(faults, &Error{File: file, Line: line, Err: factf(ErrNotSealed, "%s", what), Hint: hint})
		}
	}
	for _, item := range f.Items() {
		switch item.Kind {
		case manifest.Sealed:
		case manifest.Broken:
			return nil, InFile(file, secret.Broken(item))
		case manifest.Native:
			refuse(item.Line, "a native Secret among sealed manifests", "ageseal encrypt -w "+file)
		default:
			refuse(item.Line, "a Secret of another tool, or a template, among sealed manifests", "list it elsewhere")
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	objects, err := Objects(src)
	if err != nil {
		return nil, &Error{File: file, Err: err}
	}
	for _, n := range objects {
		if !IsOurs(n, SealedKind) {
			refuse(n.Line, "a document that is no sealed manifest", "put it into a file of its own, under resources:")
		}
	}
	switch {
	case len(faults) > 0:
	case len(f.Items()) == 0:
		refuse(0, "no sealed manifest in it", "take it off the list, or encrypt what should be in it")
	case len(objects) != len(f.Items()):
		refuse(0, "its documents can't be told apart", "write each sealed manifest as a document of its own")
	}
	return f, errors.Join(faults...)
}
