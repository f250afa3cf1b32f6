package kustomize

import (
	"cmp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/resource"
)

// missing gives a warning for each document that was served and has no value in the result, unless something took the
// place of its values. kustomize drops resources for many a reason (an annotation, a patch, a target that fits nothing)
// and says nothing of it.
func (s *survey) missing(all []*resource.Resource) (warnings []string) {
	here := make(map[*document]bool, len(s.b.docs))
	for _, p := range s.placed {
		for _, site := range p.sites {
			here[site.doc] = true
		}
	}
	for _, d := range s.b.docs {
		if len(d.keys) > 0 && !here[d] && !s.overridden(d, all) {
			warnings = append(warnings, d.file+": Secret "+d.ref+": sealed, but not in the build's output")
		}
	}
	return warnings
}

// overridden reports whether a Secret of the result is the one of d, with other values where those of d would be. The
// values of a generator may be merged with others, or replaced by them, so it has to be there only. Those of a patch can
// be overridden by a later patch only; a Secret with other values is one that the patch missed.
func (s *survey) overridden(d *document, all []*resource.Resource) bool {
	patch := s.b.tree.uses[d.path] == usePatch
	for _, r := range all {
		if r.GetKind() != "Secret" || r.GetApiVersion() != "v1" || !s.b.isOf(d, r) {
			continue
		}
		if d.wrapped {
			return true
		}
		patched := s.patched(r)
		full := true
		for _, k := range d.keys {
			if patch && !patched[k.name] || lookup(r.YNode(), "data", k.name) == nil && lookup(r.YNode(), "stringData", k.name) == nil {
				full = false
				break
			}
		}
		if full {
			return true
		}
	}
	return false
}

// patched are the keys of a Secret whose values come from sealed patches or generators.
func (s *survey) patched(r *resource.Resource) map[string]bool {
	keys := make(map[string]bool)
	for _, p := range s.placed {
		if p.res != r {
			continue
		}
		for _, site := range p.sites {
			if site.doc.wrapped || s.b.tree.uses[site.doc.path]&usePatch != 0 {
				keys[site.key] = true
			}
		}
	}
	return keys
}

// isOf reports whether a Secret of the result may be the one of d.
func (b *build) isOf(d *document, r *resource.Resource) bool {
	if ns := r.GetNamespace(); ns != "" && d.binding.Namespace != "" && ns != d.binding.Namespace {
		return false
	}
	names := []string{cmp.Or(d.binding.Name, d.ref[strings.LastIndexByte(d.ref, '/')+1:])}
	if d.src != nil && d.binding.Name == "" {
		names = b.tree.generated[d.path]
	}
	name := r.GetName()
	bare := hashSuffix().ReplaceAllString(name, "")
	return slices.ContainsFunc(names, func(of string) bool { return b.tree.canName(name, of) || b.tree.canName(bare, of) })
}
