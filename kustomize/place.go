package kustomize

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// check holds every placeholder of a Secret against its binding, and the Secret against what Kubernetes takes, and fills in the namespace that it has from it.
func (b *build) check(p *placed) error {
	namespace := b.namespace(p)
	var faults []error
	var document *document // the last one that does not fit at all: told once
	for _, s := range p.sites {
		if s.doc == document {
			continue
		}
		if err := b.fitsSecret(p, namespace, s.doc); err != nil {
			document = s.doc
			faults = append(faults, err)
		} else if err := b.fitsKey(p, s); err != nil {
			faults = append(faults, err)
		}
	}
	if err := b.valid(p); err != nil {
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	if t := lookup(p.res.YNode(), "type"); !b.o.Redact && t != nil && manifest.IsCredentialType(t.Value) && !slices.Contains(b.o.AllowTypes, t.Value) {
		return p.sites[0].doc.fault("", factf(secret.ErrType, "the build gives it the type %s, with which the cluster mints or accepts a credential", t.Value),
			"if you want it, say so on the command line: --allow-type "+t.Value)
	}
	if err := p.dropRequests(); err != nil {
		return err
	}
	switch _, marked := p.res.GetAnnotations()[redactedAnnotation]; {
	case b.o.Redact:
		if err := p.markRedacted(); err != nil {
			return err
		}
	case marked:
		return p.sites[0].doc.fault("", factf(ErrPlacement, "%s says that it is redacted, and would hold the values", b.describe(p.res)),
			"take the annotation "+redactedAnnotation+" out of the tree")
	}
	if p.res.GetNamespace() == "" && p.bound() != "" {
		return p.res.SetNamespace(namespace)
	}
	return nil
}

// namespace is where a Secret will be: what the build says, else where its output is applied, else what it is bound to.
func (b *build) namespace(p *placed) string {
	return cmp.Or(p.res.GetNamespace(), b.o.Namespace, p.bound())
}

// bound is the namespace that the first value with one is bound to.
func (p *placed) bound() string {
	for _, s := range p.sites {
		if ns := s.doc.binding.Namespace; ns != "" {
			return ns
		}
	}
	return ""
}

// dropRequests drops the annotations of sealed manifests that were meant for the build. kustomize knows them on
// generators only.
func (p *placed) dropRequests() error {
	all := p.res.GetAnnotations()
	n := len(all)
	for _, s := range p.sites {
		for _, name := range s.doc.requests {
			delete(all, name)
		}
	}
	if len(all) == n {
		return nil
	}
	return p.res.SetAnnotations(all)
}

// fitsSecret holds the Secret against the binding of a document that has values in it.
func (b *build) fitsSecret(p *placed, namespace string, d *document) error {
	bound := d.binding
	if bound.Namespace != "" && namespace != bound.Namespace {
		return d.fault("", factf(ErrPlacement, "sealed for namespace %s, the build puts it into %s", bound.Namespace, b.marks.scrub(namespace)),
			"if it belongs there: ageseal mv FILE --namespace NAMESPACE; --any-namespace if it may go everywhere; or look for a namespace: in a kustomization above it")
	}
	if name := p.baseName(); bound.Name != "" && !b.tree.canName(name, bound.Name) {
		return d.fault("", factf(ErrPlacement, "sealed for a Secret named %s, the build puts it into one named %s", bound.Name, b.marks.scrub(p.res.GetName())),
			"namePrefix, nameSuffix and the content hash may change the name; anything else needs a Secret sealed for it")
	}
	if err := secret.CheckCopies(bound.Namespace, p.res.GetAnnotations(), 0, d.ref); err != nil {
		return InFile(d.file, err)
	}
	return nil
}

// fitsKey holds one value against its key.
func (b *build) fitsKey(p *placed, s site) error {
	if s.key != s.slot.key && s.doc.src != nil && !s.unknown() {
		return s.doc.fault(s.slot.key, factf(ErrPlacement, "the value would end under key %s of %s", b.marks.scrub(s.key), b.describe(p.res)),
			"it is sealed for the key "+s.slot.key+"; under files: write "+s.slot.key+"="+b.tree.written[s.doc.path])
	}
	if s.key != s.slot.key && !s.unknown() {
		return s.doc.fault(s.slot.key, factf(ErrPlacement, "the value would end under key %s of %s", b.marks.scrub(s.key), b.describe(p.res)),
			"a value stays with its key; set the other key with \"ageseal set\"")
	}
	if lookup(p.res.YNode(), "stringData", s.key) == nil {
		return nil
	}
	if b.tree.uses[s.doc.path] == usePatch {
		return s.doc.fault(s.key, factf(ErrPlacement, "the patch has no effect: its target has this key in stringData, which wins over data"),
			"encrypt the target too, or move the key to data there")
	}
	return s.doc.fault(s.key, factf(ErrPlacement, "%s would have this key in stringData, too, which wins over data in a cluster", b.describe(p.res)),
		"look for the patch that adds stringData, and take the key out of it; to change the value: ageseal set FILE KEY")
}

// unknown reports whether the key that the value is bound to is in a sealed file that nobody opened.
func (s site) unknown() bool { return s.doc.src != nil && s.slot.key == "" }

// baseName is the name without the hash that kustomize appended.
func (p *placed) baseName() string {
	name := p.res.GetName()
	if p.hash != nil {
		return strings.TrimSuffix(name, "-"+p.hash.old)
	}
	return name
}

// canName reports whether prefixes and suffixes that the tree declares make name of bound.
func (t *tree) canName(name, bound string) bool {
	for i := 0; i+len(bound) <= len(name); i++ {
		if name[i:i+len(bound)] == bound && madeOf(name[:i], t.prefixes) && madeOf(name[i+len(bound):], t.suffixes) {
			return true
		}
	}
	return false
}

// madeOf reports whether s is a row of parts, each as often as it likes.
func madeOf(s string, parts []string) bool {
	reach := make([]bool, len(s)+1)
	reach[0] = true
	for i := range s {
		if !reach[i] {
			continue
		}
		for _, p := range parts {
			if strings.HasPrefix(s[i:], p) {
				reach[i+len(p)] = true
			}
		}
	}
	return reach[len(s)]
}

// text is the base64 of the value of a site as kustomize would have written it.
func (s site) text() (string, error) {
	k := s.doc.key(s.slot.key)
	if k == nil || !s.doc.open {
		return "", fmt.Errorf("internal error: no value for key %s", s.slot.key)
	}
	value := k.value
	if s.unknown() {
		value = redactedForm(s.key, string(value))
	}
	text := base64.StdEncoding.EncodeToString(value)
	if !s.doc.wrapped || len(text) < wrapAt {
		return text, nil
	}
	var b strings.Builder
	b.Grow(len(text) + len(text)/wrapAt + 1)
	for len(text) > 0 {
		n := min(wrapAt, len(text))
		b.WriteString(text[:n])
		b.WriteByte('\n')
		text = text[n:]
	}
	return b.String(), nil
}

// wrapAt is the width of the base64 that kustomize's generators write (kyaml/yaml/datamap.go).
const wrapAt = 70

// lookup follows keys through mappings.
func lookup(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		var next *yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				next = n.Content[i+1]
			}
		}
		n = next
	}
	return n
}

func decoded(token string) string {
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return ""
	}
	return string(raw)
}
