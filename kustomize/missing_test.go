package kustomize

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestMissingValues: what was sealed for a build and is not in its output is told, and what was overridden is not.
func TestMissingValues(t *testing.T) {
	const local = "  annotations: {config.kubernetes.io/local-config: 'true'}\n"
	annotated := func(text string) string {
		return strings.Replace(sealedDB, "  namespace: shop\n", "  namespace: shop\n"+text, 1)
	}
	behaves := func(behavior string) string {
		return annotated("  annotations: {kustomize.config.k8s.io/behavior: " + behavior + "}\n")
	}
	only := "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {canary: canary}\n"
	patch := "\npatches:\n- target: {kind: Secret}\n  patch: "
	for name, c := range map[string]struct {
		kustomization string
		files         map[string]string
		want          string // the file that is missing
	}{
		"all there":                  {"resources: [db.yaml, settings.yaml]\n", nil, ""},
		"local-config":               {"resources: [db.yaml, settings.yaml]\n", map[string]string{"db.yaml": annotated(local)}, "db.yaml"},
		"local-config by patch":      {"resources: [db.yaml, settings.yaml]" + patch + `'[{"op":"add","path":"/metadata/annotations","value":{"config.kubernetes.io/local-config":"true"}}]'` + "\n", nil, "db.yaml"},
		"deleted":                    {"resources: [db.yaml, settings.yaml]" + patch + "'{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop}, $patch: delete}'\n", nil, "db.yaml"},
		"values removed":             {"resources: [db.yaml]" + patch + `'[{"op":"remove","path":"/data"}]'` + "\n", nil, "db.yaml"},
		"a patch of nothing":         {"resources: [settings.yaml]\npatches: [{path: db.yaml, target: {kind: Secret}}]\n", nil, "db.yaml"},
		"a patch of something else":  {"resources: [db.yaml]\npatches: [{path: patch.yaml, target: {name: dv}}]\n", map[string]string{"patch.yaml": sealedDB}, "patch.yaml"},
		"a patch overrides":          {"resources: [only.yaml]\npatches: [{path: patch.yaml}]\n", map[string]string{"only.yaml": only, "patch.yaml": only}, ""},
		"a plain patch overrides":    {"resources: [only.yaml]\npatches: [{path: p.clear.yaml}]\n", map[string]string{"only.yaml": only, "p.clear.yaml": strings.Replace(only, "stringData: {canary: canary}", "data: {canary: eA==}", 1)}, ""},
		"a patch overrides a patch":  {"resources: [db.yaml]\npatches: [{path: patch.yaml}, {path: patch2.yaml}]\n", map[string]string{"patch.yaml": only, "patch2.yaml": only}, ""},
		"a generator replaces":       {"resources: [base]\ngenerators: [replace.yaml]\n", map[string]string{"replace.yaml": behaves("replace"), "base/kustomization.yaml": "generators: [gen.yaml]\n", "base/gen.yaml": only}, ""},
		"a generator merges":         {"resources: [base]\ngenerators: [merge.yaml]\nnamePrefix: x-\n", map[string]string{"merge.yaml": behaves("merge"), "base/kustomization.yaml": "generators: [gen.yaml]\n", "base/gen.yaml": sealedDB}, ""},
		"a generator that is hashed": {"resources: [base]\ngenerators: [replace.yaml]\n", map[string]string{"replace.yaml": annotated("  annotations: {kustomize.config.k8s.io/behavior: replace, kustomize.config.k8s.io/needs-hash: 'true'}\n"), "base/kustomization.yaml": "generators: [gen.yaml]\n", "base/gen.yaml": only}, ""},
		"no values":                  {"resources: [none.yaml, settings.yaml]\n", map[string]string{"none.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop, annotations: {config.kubernetes.io/local-config: 'true'}}\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"kustomization.yaml": c.kustomization, "db.yaml": sealedDB, "settings.yaml": settings}
			for name, text := range c.files {
				files[name] = text
			}
			dir := writeTree(t, files)
			sealTree(t, dir)
			t.Chdir(dir)
			r, err := build1(dir, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var want string
			if c.want != "" {
				want = filepath.FromSlash(c.want) + ": Secret shop/db: sealed, but not in the build's output"
			}
			if got := strings.Join(r.Warnings, "\n"); got != want {
				t.Errorf("warnings %q, want %q", got, want)
			}
		})
	}
}
