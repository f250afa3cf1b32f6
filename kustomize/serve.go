package kustomize

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// Annotations by which a manifest asks for what a secretGenerator has as options. hashMarker is kustomize's own,
// undocumented mark for "append a hash to the name": it honours it on any resource and strips it.
const (
	hashAnnotation     = "kustomize.config.k8s.io/needs-hash"
	behaviorAnnotation = "kustomize.config.k8s.io/behavior"
	hashMarker         = "internal.config.kubernetes.io/needsHashSuffix"
)

// document is one sealed manifest, or sealed file, that was served.
type document struct {
	file     string // as messages show it
	ref      string // namespace/name, as messages show it
	binding  manifest.Binding
	line     int
	keys     []sealedKey // sorted: a map of them, for each document, is half of what a build holds
	requests []string    // names of the annotations that are meant for the build
	path     string      // resolved
	hash     bool        // a content hash is wanted
	behavior string      // of a generator
	wrapped  bool        // served as a generator: base64 in lines of 70 characters, as kustomize's generators write it

	sealed *manifest.EncryptedSecret // until it is opened; it holds on to the text of the file
	src    *sealedSource             // of a sealed file, whose binding and key are known when it is open
	open   bool                      // the values are there
	err    error
}

// sealedKey is one value of a document.
type sealedKey struct {
	name  string
	line  int
	value []byte // once it is open
}

// key finds a value; nil if there is none of that name. It looks at names only: the values may be under way.
func (d *document) key(name string) *sealedKey {
	i, ok := sort.Find(len(d.keys), func(i int) int { return strings.Compare(name, d.keys[i].name) })
	if !ok {
		return nil
	}
	return &d.keys[i]
}

func newDocument(path string, sealed *manifest.EncryptedSecret) *document {
	b := sealed.Spec.Binding
	d := &document{
		path: path, file: shortPath(path), sealed: sealed, line: sealed.Spec.Line, keys: make([]sealedKey, 0, len(sealed.Spec.Data)),
		binding: manifest.Binding{Namespace: strings.Clone(b.Namespace), Name: strings.Clone(b.Name)},
	}
	namespace := b.Namespace
	if namespace == "" {
		namespace = sealed.Namespace
	}
	d.ref = strings.Clone(secretRef(namespace, sealed.Name))
	for _, key := range slices.Sorted(maps.Keys(sealed.Spec.Data)) {
		d.keys = append(d.keys, sealedKey{name: strings.Clone(key), line: sealed.Spec.Data[key].Line})
	}
	for _, name := range []string{hashAnnotation, behaviorAnnotation} {
		if _, ok := sealed.Annotations[name]; ok {
			d.requests = append(d.requests, name)
		}
	}
	return d
}

// slot is the value that a placeholder stands for.
type slot struct {
	doc *document
	key string
}

// fault is an error of one value, or of the document if key is empty.
func (d *document) fault(key string, err error, hint string) *Error {
	e := &Error{File: d.file, Line: d.line, Secret: d.ref, Key: key, Err: err, Hint: hint}
	if d.src != nil {
		return e // its lines are encrypted
	}
	if k := d.key(key); k != nil {
		e.Line = k.line
	}
	return e
}

// serve replaces the sealed documents of a file that may have some.
func (b *build) serve(path string, u use, src []byte) ([]byte, error) {
	file := shortPath(path)
	out, known := b.fs.served[path]
	var f *manifest.File
	if !known {
		var err error
		if f, err = manifest.Parse(src); err != nil {
			return nil, InFile(file, err)
		}
		decrypters, err := decryptersIn(file, u, src)
		if err != nil {
			return nil, err
		}
		if len(decrypters) > 0 {
			return b.serveDecrypters(path, f, decrypters)
		}
		if !slices.ContainsFunc(f.Items(), func(i *manifest.Item) bool { return i.Kind == manifest.Sealed }) {
			return withoutSealed(file, u, f, src)
		}
	}
	generator := u == useGenerator
	if !generator && (u == 0 || u&^(useResource|usePatch) != 0) {
		return nil, misused(file, u)
	}
	if known {
		return out, nil
	}
	var err error
	if generator {
		out, err = b.asGenerators(path, f, nil)
	} else {
		out, err = b.asSecrets(path, f)
	}
	if err != nil {
		return nil, err
	}
	out = bytes.Clone(out) // it came in a buffer for the whole sealed file
	b.fs.served[path] = out
	return out, nil
}

// withoutSealed serves a file in which no sealed document was recognised. One that can't be read where a sealed one
// would be served gets our message, which has a line, rather than kustomize's.
func withoutSealed(file string, u use, f *manifest.File, src []byte) ([]byte, error) {
	for _, item := range f.Items() {
		if item.Kind == manifest.Broken && u&(useResource|usePatch|useGenerator) != 0 {
			return nil, InFile(file, secret.Broken(item))
		}
	}
	return src, nil
}

func misused(file string, u use) error {
	var where []string
	for _, bit := range slices.Sorted(maps.Keys(fields)) {
		if u&bit != 0 {
			where = append(where, fields[bit])
		}
	}
	hint := "list it under resources:, patches: or generators:"
	switch {
	case u&(useSecretFile|useSecretEnv) != 0:
		hint = "list it under generators: instead; it becomes a secretGenerator of its own"
	case u&useJSONPatch != 0:
		hint = "list it under patches:; a sealed manifest is a strategic-merge patch"
	case u&useGenerator != 0 && u&(useResource|usePatch) != 0:
		hint = "a file is either a generator or a resource; list it in one place"
	}
	what := "nothing that kustomize reads it for is a Secret"
	if len(where) > 0 {
		what = "it is listed under " + strings.Join(where, " and ")
	}
	return &Error{File: file, Err: factf(ErrUse, "a sealed manifest can't be used here: %s", what), Hint: hint}
}

// asSecrets gives the file with a native Secret for every sealed document.
func (b *build) asSecrets(path string, f *manifest.File) ([]byte, error) {
	var faults []error
	for _, item := range f.Items() {
		if item.Kind != manifest.Sealed && item.Kind != manifest.Broken {
			continue
		}
		d, err := b.read(path, item)
		if err == nil && d.behavior != "" && d.behavior != "create" {
			err = d.fault("", fmt.Errorf("the annotation %s has no effect on a resource", behaviorAnnotation),
				"list the file under generators: instead of resources:")
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		plain := b.plain(d)
		if d.hash {
			plain.Annotations = map[string]string{hashMarker: "enabled"}
		}
		item.Unseal(plain)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	b.open()
	return f.Bytes(), nil
}

func outOfBounds(namespace string) error {
	if namespace == "" {
		return factf(ErrNamespace, "sealed for any namespace, which this build may not open")
	}
	return factf(ErrNamespace, "sealed for namespace %q, which this build may not open", namespace)
}

// read reads one sealed item and what its annotations ask for.
func (b *build) read(path string, item *manifest.Item) (*document, error) {
	sealed, err := secret.Read(item)
	if err != nil {
		return nil, InFile(shortPath(path), err)
	}
	if err := secret.CheckBinding(sealed); err != nil {
		return nil, InFile(shortPath(path), err)
	}
	d := newDocument(path, sealed)
	if ns := sealed.Spec.Binding.Namespace; b.o.OnlyNamespaces != nil && (ns == "" || !slices.Contains(b.o.OnlyNamespaces, ns)) {
		return nil, d.fault("", outOfBounds(ns),
			"it may open "+strings.Join(b.o.OnlyNamespaces, ", "))
	}
	if text, ok := sealed.Annotations[hashAnnotation]; ok {
		if d.hash, err = strconv.ParseBool(text); err != nil {
			return nil, d.fault("", fmt.Errorf("the annotation %s is neither true nor false", hashAnnotation), "")
		}
	}
	d.behavior = strings.Clone(sealed.Annotations[behaviorAnnotation])
	if d.behavior != "" && !slices.Contains([]string{"create", "merge", "replace"}, d.behavior) {
		return nil, d.fault("", fmt.Errorf("the annotation %s is none of create, merge, replace", behaviorAnnotation), "")
	}
	return d, nil
}

// plain gives the Secret to serve for a document and takes the document into the build.
func (b *build) plain(d *document) *manifest.Plain {
	p := &manifest.Plain{Type: d.sealed.Spec.Type, Immutable: d.sealed.Spec.Immutable, Data: make(map[string]string, len(d.keys))}
	for _, k := range d.keys {
		_, p.Data[k.name] = b.placeholder(d, k.name)
	}
	b.docs = append(b.docs, d)
	return p
}

// placeholder makes the placeholder of one value, as it is and in base64.
func (b *build) placeholder(d *document, key string) (text, token string) {
	text = b.marks.placeholder(len(b.slots))
	token = base64.StdEncoding.EncodeToString([]byte(text))
	b.slots[token] = &slot{doc: d, key: key}
	return text, token
}
