package kustomize

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/api/hasher"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/ageseal/ageseal/manifest"
)

// documentAnnotation numbers the documents of a generator file while it is taken apart.
const documentAnnotation = "internal.config.kubernetes.io/ageseal-document"

// secretGenerator is the configuration of kustomize's builtin generator (types.SecretArgs as a resource).
type secretGenerator struct {
	APIVersion string                  `json:"apiVersion"`
	Kind       string                  `json:"kind"`
	Metadata   map[string]string       `json:"metadata"`
	Behavior   string                  `json:"behavior,omitempty"`
	Type       string                  `json:"type,omitempty"`
	Literals   []string                `json:"literals,omitempty"`
	Options    *types.GeneratorOptions `json:"options,omitempty"`
}

// asGenerators gives the file as configuration of builtin SecretGenerators, one for each sealed document; whatever else
// is in it stays what it is, and a Decrypter is replaced by what it stands for: decrypted has that in the order of the
// Decrypters. A generator listed in a file does not get the kustomization's generatorOptions: that is kustomize's rule
// for all of them.
func (b *build) asGenerators(path string, f *manifest.File, decrypted [][]*secretGenerator) ([]byte, error) {
	file := shortPath(path)
	configs, err := b.generators(path, f, func(item *manifest.Item, i int) {
		item.Unseal(&manifest.Plain{Annotations: map[string]string{documentAnnotation: strconv.Itoa(i)}})
	})
	if err != nil {
		return nil, err
	}
	// kustomize's own reader takes Lists and streams apart.
	nodes, err := resource.NewFactory(&hasher.Hasher{}).RNodesFromBytes(f.Bytes())
	if err != nil {
		return nil, &Error{File: file, Err: fmt.Errorf("reading the generators: %w", err)}
	}
	var out bytes.Buffer
	for _, node := range nodes {
		var text []byte
		if IsOurs(node.YNode(), DecrypterKind) && len(decrypted) > 0 {
			if text, err = generatorStream(decrypted[0]); err != nil {
				return nil, &Error{File: file, Err: err}
			}
			decrypted = decrypted[1:]
		} else if n, ok := node.GetAnnotations()[documentAnnotation]; ok {
			i, err := strconv.Atoi(n)
			if err != nil || i < 0 || i >= len(configs) {
				return nil, &Error{File: file, Err: factf(ErrUse, "the annotation %s is reserved", documentAnnotation)}
			}
			if text, err = yaml.Marshal(configs[i]); err != nil {
				return nil, &Error{File: file, Err: err}
			}
		} else {
			s, err := node.String()
			if err != nil {
				return nil, &Error{File: file, Err: err}
			}
			text = []byte(s)
		}
		out.WriteString("---\n")
		out.Write(text)
	}
	if len(decrypted) > 0 {
		return nil, &Error{File: file, Err: factf(ErrUse, "a Decrypter in it can't be told from the rest"), Hint: "put it into a file of its own"}
	}
	b.open()
	return out.Bytes(), nil
}

// generators takes the sealed documents of a file into the build and gives a generator for each; replace is called
// with each and its index, once it is understood.
func (b *build) generators(path string, f *manifest.File, replace func(item *manifest.Item, i int)) ([]*secretGenerator, error) {
	var configs []*secretGenerator
	var faults []error
	for _, item := range f.Items() {
		if item.Kind != manifest.Sealed && item.Kind != manifest.Broken {
			continue
		}
		d, err := b.read(path, item)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		d.wrapped = true
		b.docs = append(b.docs, d)
		configs = append(configs, b.generator(d))
		replace(item, len(configs)-1)
	}
	return configs, errors.Join(faults...)
}

func generatorStream(configs []*secretGenerator) ([]byte, error) {
	var out bytes.Buffer
	for i, c := range configs {
		text, err := yaml.Marshal(c)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

// decryptersIn are the Decrypters of a file that kustomize reads objects from.
func decryptersIn(file string, u use, src []byte) ([]*Decrypter, error) {
	if !mayBeDecrypter(src) || u&(useResource|usePatch|useGenerator|useTransformer) == 0 {
		return nil, nil
	}
	objects, err := Objects(src)
	if err != nil {
		return nil, nil // kustomize's to say
	}
	var all []*Decrypter
	var faults []error
	for _, n := range objects {
		if !IsOurs(n, DecrypterKind) {
			continue
		}
		if u != useGenerator {
			return nil, &Error{File: file, Line: n.Line, Err: factf(ErrUse, "a Decrypter can't be used here"), Hint: "list it under generators:, and nowhere else"}
		}
		d, err := readDecrypter(file, n)
		if err != nil {
			faults = append(faults, err)
		}
		all = append(all, d)
	}
	return all, errors.Join(faults...)
}

// serveDecrypters serves a file under generators: with Decrypters in it.
func (b *build) serveDecrypters(path string, f *manifest.File, all []*Decrypter) ([]byte, error) {
	dir := b.tree.owners[path]
	if dir == "" {
		return nil, &Error{File: shortPath(path), Err: factf(ErrUse, "several kustomizations list this Decrypter, and its paths are relative to one"),
			Hint: "give each a Decrypter of its own"}
	}
	decrypted := make([][]*secretGenerator, len(all))
	for i, d := range all {
		files, err := d.Open(dir)
		if err != nil {
			return nil, err
		}
		for _, sealed := range files {
			configs, err := b.generators(sealed.full, sealed.File, func(*manifest.Item, int) {})
			if err != nil {
				return nil, err
			}
			decrypted[i] = append(decrypted[i], configs...)
		}
	}
	out, err := b.asGenerators(path, f, decrypted)
	if err != nil {
		return nil, err
	}
	b.fs.served[path] = out
	return out, nil
}

func (b *build) generator(d *document) *secretGenerator {
	s := d.sealed
	g := &secretGenerator{
		APIVersion: konfig.BuiltinPluginApiVersion, Kind: "SecretGenerator",
		Metadata: map[string]string{"name": s.Name},
		Behavior: d.behavior,
		Options: &types.GeneratorOptions{
			Labels: s.Labels, Annotations: resourceAnnotations(s.Annotations),
			DisableNameSuffixHash: !d.hash,
			Immutable:             s.Spec.Immutable != nil && *s.Spec.Immutable,
		},
	}
	if s.Namespace != "" {
		g.Metadata["namespace"] = s.Namespace
	}
	if s.Spec.Type != nil {
		g.Type = *s.Spec.Type
	}
	for _, k := range d.keys {
		text, _ := b.placeholder(d, k.name)
		g.Literals = append(g.Literals, k.name+"="+text)
	}
	return g
}

// resourceAnnotations are those of a generator's configuration that are meant for the Secret. local-config is not:
// it marks the configuration, and on the Secret it would make kustomize drop it without a word.
func resourceAnnotations(all map[string]string) map[string]string {
	out := make(map[string]string)
	for k, v := range all {
		switch prefix, _, _ := strings.Cut(k, "/"); prefix {
		case "config.kubernetes.io", "config.k8s.io", "internal.config.kubernetes.io", "ageseal.dev":
			if k != "config.kubernetes.io/depends-on" {
				continue
			}
		}
		if k != hashAnnotation && k != behaviorAnnotation {
			out[k] = v
		}
	}
	return out
}
