package kustomize

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// valid holds a Secret against what Kubernetes takes (v1.Secret and v1.ObjectMeta, k8s.io/api/core/v1/types.go). Whoever
// reads one that is not so quotes it in the error, and that one would be shown with its values: to all who see a sync fail.
func (b *build) valid(p *placed) error {
	v := &validator{sites: make(map[*yaml.Node]bool, len(p.sites))}
	for _, s := range p.sites {
		v.sites[s.node] = true
	}
	v.secret(p.res.YNode())
	var faults []error
	for _, f := range v.faults {
		faults = append(faults, p.sites[0].doc.fault("", factf(ErrInvalid, "%s would be invalid: %s", b.describe(p.res), b.marks.scrub(f)),
			"with its values in it, an invalid Secret would show them in the errors of whatever reads it; look for the patch or the name that makes it so"))
	}
	return errors.Join(faults...)
}

// total is the size of the values of a Secret, known when they are open.
func (b *build) total(p *placed) error {
	sum := 0
	for _, s := range p.sites {
		if k := s.doc.key(s.slot.key); k != nil {
			sum += len(k.value)
		}
	}
	data, clear := lookup(p.res.YNode(), "data"), lookup(p.res.YNode(), "stringData")
	for i := 0; i+1 < len(data.Content); i += 2 {
		text := data.Content[i+1].Value
		if _, ok := b.slots[text]; !ok {
			sum += base64.RawStdEncoding.DecodedLen(len(text) - strings.Count(text, "=") - strings.Count(text, "\n") - strings.Count(text, "\r"))
		}
	}
	if clear != nil {
		for i := 0; i+1 < len(clear.Content); i += 2 {
			sum += len(clear.Content[i+1].Value)
		}
	}
	if sum <= manifest.MaxTotal {
		return nil
	}
	return p.sites[0].doc.fault("", factf(manifest.ErrLimit, "the values of %s add up to %d bytes, Kubernetes takes %d", b.describe(p.res), sum, manifest.MaxTotal),
		"put some of them into a Secret of its own")
}

// validator notes what is wrong with a Secret.
type validator struct {
	sites  map[*yaml.Node]bool
	faults []string
}

func (v *validator) fault(format string, args ...any) {
	if len(v.faults) < maxFaults {
		v.faults = append(v.faults, fmt.Sprintf(format, args...))
	}
}

func (v *validator) secret(root *yaml.Node) {
	for key, n := range v.fields("the Secret", root) {
		switch key {
		case "apiVersion", "kind":
			// they are what they have to be, or the placeholders would not count as placed
		case "metadata":
			v.metadata(n)
		case "type":
			v.is(key, n, isString)
		case "immutable":
			v.is(key, n, isBool)
		case "data":
			v.values(key, n, "base64", v.isData)
		case "stringData":
			v.values(key, n, "a string", isString)
		default:
			v.fault("a Secret has no field %s", quoted(key))
		}
	}
}

// metadataFields are those a manifest may have, with what they have to be. managedFields are the API server's.
var metadataFields = map[string]func(*yaml.Node) bool{
	"name": isString, "namespace": isString, "generateName": isString, "uid": isString, "resourceVersion": isString, "selfLink": isString,
	"creationTimestamp": isTime, "deletionTimestamp": isTime,
	"generation": isInt, "deletionGracePeriodSeconds": isInt,
	"labels": isStrings, "annotations": isStrings,
	"finalizers":      func(n *yaml.Node) bool { return isList(n, isString) },
	"ownerReferences": func(n *yaml.Node) bool { return isList(n, isOwner) },
}

func (v *validator) metadata(metadata *yaml.Node) {
	named := false
	for key, n := range v.fields("metadata", metadata) {
		is := metadataFields[key]
		if is == nil {
			v.fault("metadata has no field %s: metadata.%s", quoted(key), quoted(key))
			continue
		}
		if !v.is("metadata."+key, n, is) {
			continue
		}
		switch {
		case key == "name":
			named = true
			if !secret.IsName(n.Value) {
				v.fault("metadata.name is no DNS-1123 subdomain (at most 253 of a-z, 0-9, - and .)")
			}
		case key == "namespace" && n.Value != "" && !isNull(n):
			if !secret.IsNamespace(n.Value) {
				v.fault("metadata.namespace is no DNS-1123 label (at most 63 of a-z, 0-9 and -)")
			}
		}
	}
	if !named {
		v.fault("it has no metadata.name")
	}
}

// values looks at data or stringData.
func (v *validator) values(field string, n *yaml.Node, what string, is func(*yaml.Node) bool) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		v.fault("%s is no mapping", field)
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch tag := key.ShortTag(); {
		case key.Kind != yaml.ScalarNode || tag != yaml.NodeTagString && tag != yaml.NodeTagInt && tag != yaml.NodeTagBool || !manifest.IsSecretKey(key.Value):
			v.fault("%s has the key %s, which Kubernetes does not take", field, quoted(key.Value))
		case !isNull(value) && !is(value):
			v.fault("%s.%s is not %s", field, key.Value, what)
		}
	}
}

func (v *validator) isData(n *yaml.Node) bool {
	if v.sites[n] {
		return true
	}
	if !isString(n) {
		return false
	}
	_, err := base64.StdEncoding.DecodeString(n.Value)
	return err == nil
}

// is notes a field that is not what it has to be. null stands for none.
func (v *validator) is(field string, n *yaml.Node, is func(*yaml.Node) bool) bool {
	if isNull(n) || is(n) {
		return true
	}
	v.fault("%s has a value of another type than Kubernetes takes", field)
	return false
}

// fields are the pairs of a mapping whose keys are strings.
func (v *validator) fields(what string, n *yaml.Node) func(func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			v.fault("%s is no mapping", what)
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i]; !isString(key) {
				v.fault("%s has a key that is no string", what)
			} else if !yield(key.Value, n.Content[i+1]) {
				return
			}
		}
	}
}

func isScalar(n *yaml.Node, tag string) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == tag
}

func isString(n *yaml.Node) bool { return isScalar(n, yaml.NodeTagString) }
func isNull(n *yaml.Node) bool   { return isScalar(n, yaml.NodeTagNull) }
func isBool(n *yaml.Node) bool   { return isScalar(n, yaml.NodeTagBool) }

func isInt(n *yaml.Node) bool {
	_, err := strconv.ParseInt(n.Value, 10, 64)
	return err == nil && isScalar(n, yaml.NodeTagInt)
}

func isTime(n *yaml.Node) bool {
	_, err := time.Parse(time.RFC3339, n.Value)
	return err == nil && (isString(n) || isScalar(n, "!!timestamp"))
}

// isStrings reports whether n is a mapping of strings to strings.
func isStrings(n *yaml.Node) bool {
	return isMapping(n, func(_ string, value *yaml.Node) bool { return isNull(value) || isString(value) })
}

func isOwner(n *yaml.Node) bool {
	return isMapping(n, func(key string, value *yaml.Node) bool {
		switch key {
		case "apiVersion", "kind", "name", "uid":
			return isString(value)
		case "controller", "blockOwnerDeletion":
			return isNull(value) || isBool(value)
		}
		return false
	})
}

func isMapping(n *yaml.Node, is func(key string, value *yaml.Node) bool) bool {
	if n.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; !isString(key) || !is(key.Value, n.Content[i+1]) {
			return false
		}
	}
	return true
}

func isList(n *yaml.Node, is func(*yaml.Node) bool) bool {
	return n.Kind == yaml.SequenceNode && !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return !is(c) })
}

// quoted is a name as messages show it, whatever it holds.
func quoted(name string) string {
	if len(name) > 64 {
		name = name[:64] + "..."
	}
	if manifest.IsSecretKey(name) {
		return name
	}
	return strconv.Quote(name)
}
