package kustomize

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/ageseal/ageseal/crypt"
)

// placed is a Secret of the result that holds placeholders as whole data values.
type placed struct {
	res   *resource.Resource
	sites []site
	hash  *contentHash // nil if kustomize appended none
}

// site is one placeholder in its place.
type site struct {
	*slot
	key  string // where it stands
	node *yaml.Node
}

// survey looks at every scalar and map key of the result once: it finds the placeholders that are whole data values,
// and refuses marks anywhere else, and ciphertext.
type survey struct {
	b      *build
	res    *resource.Resource
	path   []string // the way to the current node; "[3]" for an item
	placed []*placed
	faults []error

	sops, sealedSecrets int
}

const maxFaults = 20 // more of the same help nobody

// resource surveys one resource.
func (s *survey) resource(r *resource.Resource) {
	s.res, s.path = r, s.path[:0]
	root := r.YNode()
	if root == nil || root.Kind != yaml.MappingNode {
		s.node(root)
		return
	}
	core := strings.TrimPrefix(r.GetApiVersion(), "/") == "v1" // an empty group may be written out
	secret := core && r.GetKind() == "Secret"
	armored := secret || core && r.GetKind() == "ConfigMap"
	var sites []site
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		switch key.Value {
		case "data", "stringData", "binaryData":
			if armored {
				s.armor(key.Value, value, secret)
			}
			if secret && key.Value == "data" && value.Kind == yaml.MappingNode {
				sites = s.data(value)
				continue
			}
		case "sops":
			if value.Kind == yaml.MappingNode {
				s.sops++
			}
		}
		s.pair(key, value)
	}
	s.leftover(root)
	if r.GetKind() == "SealedSecret" && strings.HasPrefix(r.GetApiVersion(), "bitnami.com/") {
		s.sealedSecrets++
	}
	if len(sites) > 0 {
		s.placed = append(s.placed, &placed{res: r, sites: sites})
	}
}

// data surveys the data of a Secret, the one place for placeholders.
func (s *survey) data(n *yaml.Node) (sites []site) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if slot, ok := s.b.slots[value.Value]; ok && value.Kind == yaml.ScalarNode && !s.b.marks.in(key.Value) {
			sites = append(sites, site{slot: slot, key: key.Value, node: value})
			continue
		}
		s.path = append(s.path, "data")
		s.pair(key, value)
		s.path = s.path[:len(s.path)-1]
	}
	return sites
}

func (s *survey) pair(key, value *yaml.Node) {
	s.path = append(s.path, key.Value)
	s.node(key)
	s.node(value)
	s.path = s.path[:len(s.path)-1]
}

func (s *survey) node(n *yaml.Node) {
	if n == nil {
		return
	}
	switch n.Kind {
	case yaml.ScalarNode:
		if len(s.b.slots) > 0 && s.b.marks.in(n.Value) {
			s.leak(n.Value)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			s.pair(n.Content[i], n.Content[i+1])
		}
		s.leftover(n)
	default:
		for i, c := range n.Content {
			s.path = append(s.path, fmt.Sprintf("[%d]", i))
			s.node(c)
			s.path = s.path[:len(s.path)-1]
		}
	}
}

// leak notes a mark where none may be.
func (s *survey) leak(value string) {
	if len(s.faults) >= maxFaults {
		return
	}
	where := fmt.Sprintf("%s, field %s", s.b.describe(s.res), s.b.marks.scrub(s.field()))
	if found := s.b.identify(value); found != nil {
		s.faults = append(s.faults, found.doc.fault(found.key, factf(ErrPlacement, "the value would end in %s", where), leakHint))
		return
	}
	s.faults = append(s.faults, &Error{Err: factf(ErrPlacement, "a sealed value, or a piece of one, would end in %s", where), Hint: leakHint})
}

const leakHint = "sealed values go into the Secret and key they are sealed for, whole, and nowhere else; look for replacements:, vars: and patches of that field"

// leftover notes ciphertext: a sealed document that came past the filesystem, or its spec in something else.
func (s *survey) leftover(n *yaml.Node) {
	var kind, group string
	var suite, wraps bool
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case "kind":
			kind = n.Content[i+1].Value
		case "apiVersion":
			group, _, _ = strings.Cut(n.Content[i+1].Value, "/")
		case "suite":
			suite = true
		case "wraps":
			wraps = true
		}
	}
	if !(kind == "EncryptedSecret" && group == "ageseal.dev") && !(suite && wraps) || len(s.faults) >= maxFaults {
		return
	}
	s.faults = append(s.faults, &Error{
		Err:  factf(ErrLeftover, "%s is still sealed", s.b.describe(s.res)),
		Hint: "list the file that holds it under resources:, patches: or generators:; one from a URL, a chart or a function is not opened",
	})
}

// warnings are about what passes through as it is.
func (s *survey) warnings() []string {
	var out []string
	if s.b.o.Redact && len(s.placed) > 0 {
		out = append(out, fmt.Sprintf("Secrets that hold placeholders for their sealed values, and are not fit for a cluster: %d", len(s.placed)))
	}
	if s.sops > 0 {
		out = append(out, fmt.Sprintf("resources that are encrypted with SOPS and pass through as they are: %d", s.sops))
	}
	if s.sealedSecrets > 0 {
		out = append(out, fmt.Sprintf("SealedSecrets that pass through as they are: %d", s.sealedSecrets))
	}
	return out
}

// minAge is less than the shortest age file has characters.
const minAge = 32

// holdsAge reports whether a value is an age file, as it is or in base64. A binary one counts in a Secret: elsewhere it may be anybody's.
func holdsAge(value string, secret bool) bool {
	if len(value) < minAge {
		return false
	}
	is := crypt.IsArmored
	if secret {
		is = crypt.IsAgeFile
	}
	if is([]byte(value[:min(len(value), 4<<10)])) {
		return true
	}
	head := strings.Join(strings.Fields(value[:min(len(value), 8<<10)]), "")
	first, err := base64.StdEncoding.DecodeString(head[:min(len(head), 4)])
	if err != nil || len(first) < 3 || !strings.ContainsRune("-a \t\r\n\x00", rune(first[0])) && first[0] < 0x80 {
		return false // by far the most values
	}
	text, _ := base64.StdEncoding.DecodeString(head[:len(head)/4*4])
	return is(text)
}

// sealedMarks are the base64 of "EncryptedSecret", what is sure of it, at each offset.
var sealedMarks = [3]string{"RW5jcnlwdGVkU2VjcmV0", "VuY3J5cHRlZFNlY3Jld", "FbmNyeXB0ZWRTZWNyZX"}

// minSealed is less than the shortest sealed manifest has characters.
const minSealed = 300

// holdsSealed reports whether a value is a sealed manifest, as it is or in base64.
func holdsSealed(value string) bool {
	if len(value) < minSealed {
		return false
	}
	value = strings.ReplaceAll(value, "\n", "")
	if slices.ContainsFunc(sealedMarks[:], func(mark string) bool { return strings.Contains(value, mark) }) {
		value = decoded(value)
	}
	return mayBeSealed([]byte(value)) && strings.Contains(value, "wraps")
}

// armor notes ciphertext that is the value of a Secret or ConfigMap.
func (s *survey) armor(field string, n *yaml.Node, secret bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1].Value
		what := "an age file"
		switch {
		case len(s.faults) >= maxFaults:
			return
		case holdsAge(value, secret):
		case holdsSealed(value):
			what = "a sealed manifest"
		default:
			continue
		}
		s.faults = append(s.faults, &Error{
			Key:  key,
			Err:  factf(ErrLeftover, "%s would hold %s as it is, in field %s.%s", s.b.describe(s.res), what, field, key),
			Hint: "a build opens sealed manifests, and sealed files as files: or envs: of a secretGenerator, and no ciphertext anywhere else",
		})
	}
}

// field is the way to the current node.
func (s *survey) field() string {
	return strings.ReplaceAll(strings.Join(s.path, "."), ".[", "[")
}

// describe names a resource as messages do.
func (b *build) describe(r *resource.Resource) string { return b.marks.scrub(describe(r)) }

func describe(r *resource.Resource) string {
	return r.GetKind() + " " + secretRef(r.GetNamespace(), r.GetName())
}

// identify finds the value whose placeholder stands in s, if it stands there whole.
func (b *build) identify(s string) *slot {
	found := b.marks.shape.FindString(s)
	if slot, ok := b.slots[found]; ok {
		return slot
	}
	for token, slot := range b.slots {
		if strings.Contains(s, token) || found != "" && found == decoded(token) {
			return slot
		}
	}
	return nil
}
