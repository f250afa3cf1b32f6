package kustomize

import (
	"fmt"
	"sort"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
)

// order is how the result is sorted. Names and namespaces change after kustomize has run, and its own sort looks at all
// resources for each one, so the work is done here (api/internal/builtins/SortOrderTransformer.go is the model).
type order struct {
	kinds map[string]int // nil: as kustomize left it
}

// newOrder takes what the root kustomization says before what the command line says, as kustomize does.
func newOrder(reorder krusty.ReorderOption, root *types.Kustomization) order {
	legacy := reorder != krusty.ReorderOptionNone
	first, last := orderFirst, orderLast
	if root != nil && root.SortOptions != nil {
		legacy = root.SortOptions.Order == types.LegacySortOrder
		if o := root.SortOptions.LegacySortOptions; o != nil {
			first, last = o.OrderFirst, o.OrderLast
		}
	}
	if !legacy {
		return order{}
	}
	kinds := make(map[string]int)
	for i, kind := range first {
		kinds[kind] = i - len(first)
	}
	for i, kind := range last {
		kinds[kind] = i + 1
	}
	return order{kinds: kinds}
}

// apply sorts the resources. It refuses two of one identity, as kustomize does when it sorts; unsorted ones only if
// identities changed after kustomize.
func (o order) apply(all []*resource.Resource, changed bool) error {
	if o.kinds == nil && !changed {
		return nil
	}
	s := &byOrder{kinds: o.kinds, res: all, keys: make([]orderKey, len(all))}
	for i, r := range all {
		id := r.CurId()
		s.keys[i] = orderKey{id: id, kind: o.kinds[id.Kind], gvk: gvkText(id.Gvk), text: idText(id)}
	}
	if o.kinds != nil {
		sort.Sort(s)
	}
	seen := make(map[[3]string]bool, len(all))
	for _, k := range s.keys {
		identity := [3]string{k.gvk, k.id.EffectiveNamespace(), k.id.Name}
		if seen[identity] {
			return fmt.Errorf("may not add resource with an already registered id: %s", k.id)
		}
		seen[identity] = true
	}
	return nil
}

type orderKey struct {
	id        resid.ResId
	kind      int
	gvk, text string
}

type byOrder struct {
	kinds map[string]int
	res   []*resource.Resource
	keys  []orderKey
}

func (s *byOrder) Len() int { return len(s.res) }
func (s *byOrder) Swap(i, j int) {
	s.res[i], s.res[j] = s.res[j], s.res[i]
	s.keys[i], s.keys[j] = s.keys[j], s.keys[i]
}

func (s *byOrder) Less(i, j int) bool {
	a, b := &s.keys[i], &s.keys[j]
	if a.id.Gvk.Equals(b.id.Gvk) {
		return a.text < b.text
	}
	if a.kind != b.kind {
		return a.kind < b.kind
	}
	if a.id.Kind == types.NamespaceKind && b.id.Kind == types.NamespaceKind && (a.id.Group == "" || b.id.Group == "") {
		return a.gvk > b.gvk
	}
	return a.gvk < b.gvk
}

func gvkText(x resid.Gvk) string {
	return or(x.Group, "~G") + "_" + or(x.Version, "~V") + "_" + or(x.Kind, "~K")
}

func idText(id resid.ResId) string {
	return strings.Join([]string{id.Gvk.String(), or(id.Namespace, "~X"), or(id.Name, "~N")}, "|")
}

func or(s, empty string) string {
	if s == "" {
		return empty
	}
	return s
}

// The order of kinds when nothing else is said; kustomize has promised not to change it.
var (
	orderFirst = []string{
		"Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy",
		"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service",
		"LimitRange", "PriorityClass", "PersistentVolume", "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob",
		"PodDisruptionBudget",
	}
	orderLast = []string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
)
