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
// is in it stays what it is. A generator listed in a file does not get the kustomization's generatorOptions: that is
// kustomize's rule for all of them.
func (b *build) asGenerators(path string, f *manifest.File) ([]byte, error) {
	file := shortPath(path)
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
		config := b.generator(d)
		item.Unseal(&manifest.Plain{Annotations: map[string]string{documentAnnotation: strconv.Itoa(len(configs))}})
		configs = append(configs, config)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	// kustomize's own reader takes Lists and streams apart.
	nodes, err := resource.NewFactory(&hasher.Hasher{}).RNodesFromBytes(f.Bytes())
	if err != nil {
		return nil, &Error{File: file, Err: fmt.Errorf("reading the generators: %w", err)}
	}
	var out bytes.Buffer
	for _, node := range nodes {
		var text []byte
		if n, ok := node.GetAnnotations()[documentAnnotation]; ok {
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
	b.open()
	return out.Bytes(), nil
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
