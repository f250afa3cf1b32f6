package verify

import "path"

// place gives a namespace to what renders leave without one, where a Kustomization of Flux or an Application of Argo CD in one of them says
// where the directory is applied, and no other one says something else.
func (r *referencer) place(renders []Render) {
	namespaces := make(map[string]string) // by path; "" if they differ
	forced := make(map[string]bool)
	for _, o := range r.resources {
		var dir, namespace string
		switch o.group + "/" + o.kind {
		case "kustomize.toolkit.fluxcd.io/Kustomization":
			o.decode(&dir, "spec", "path")
			o.decode(&namespace, "spec", "targetNamespace")
		case "argoproj.io/Application":
			o.decode(&dir, "spec", "source", "path")
			o.decode(&namespace, "spec", "destination", "namespace")
		}
		if dir == "" {
			continue
		}
		dir = path.Clean(dir)
		if other, seen := namespaces[dir]; seen && other != namespace || madeLater(namespace) {
			namespace = ""
		}
		namespaces[dir] = namespace
		forced[dir] = o.kind == "Kustomization"
	}
	for _, o := range r.resources {
		dir := renders[o.render].Path
		if namespace := namespaces[dir]; namespace != "" && (o.namespace == "" || forced[dir]) {
			o.namespace = namespace
		}
	}
}
