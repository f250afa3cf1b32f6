package kustomize

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOffline: nothing is fetched, wherever a kustomization names it. Without the option each of these is an error of the network.
func TestOffline(t *testing.T) {
	const remote = "http://127.0.0.1:1/x.yaml"
	for name, k := range map[string]string{
		"a resource":           "resources: [URL]\n",
		"a repository":         "resources: [\"git@127.0.0.1:x/y\"]\n",
		"anybody's":            "resources: [\"me@127.0.0.1:x/y\"]\n",
		"of GitHub":            "resources: [github.com/x/y]\n",
		"a component":          "components: [URL]\n",
		"a patch":              "resources: [settings.yaml]\npatches: [{path: URL}]\n",
		"a file":               "configMapGenerator: [{name: x, files: [x=URL]}]\n",
		"a schema":             "openapi: {path: URL}\nresources: [settings.yaml]\n",
		"in a transformer":     "resources: [settings.yaml]\ntransformers: [patch.yaml]\n",
		"in an inline one":     "resources: [settings.yaml]\ntransformers:\n- |\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: URL\n",
		"beside a file's name": "resources: [URL]\n# there is a directory http: with such a file\n",
		"in a base":            "resources: [base]\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeTree(t, map[string]string{
				"kustomization.yaml": strings.ReplaceAll(k, "URL", remote), "settings.yaml": settings,
				"patch.yaml":              "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: " + remote + "\n",
				"base/kustomization.yaml": "resources: [" + remote + "]\n", "http:/127.0.0.1:1/x.yaml": settings,
			})
			r, err := Build(t.Context(), dir, Options{Redact: true, Offline: true, Root: dir})
			refused(t, r, err, ErrRemote, "would be fetched")
		})
	}
	dir := writeTree(t, map[string]string{
		"kustomization.yaml": "resources: [settings.yaml]\nnamespace: x\ntransformers: ['{apiVersion: builtin, kind: PrefixTransformer, metadata: {name: x}, prefix: x-, fieldSpecs: [{path: metadata/name}]}']\n", "settings.yaml": settings})
	r, err := Build(t.Context(), dir, Options{Redact: true, Offline: true, Root: dir})
	if err != nil || !strings.Contains(string(r.YAML), "name: x-") {
		t.Errorf("what is here: %v", err)
	}
}

// TestRoots: a base, a component and what makes plugins' configuration are not built by themselves; what can't be read is.
func TestRoots(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"prod/kustomization.yaml":    "resources: [../base]\ncomponents: [../part]\ngenerators: [../plugins]\n",
		"staging/kustomization.yml":  "bases: [../base]\n",
		"base/kustomization.yaml":    "resources: [settings.yaml]\n",
		"part/kustomization.yaml":    "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
		"unused/Kustomization":       "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
		"plugins/kustomization.yaml": "resources: [x.yaml]\n",
		"broken/kustomization.yaml":  "<<<<<<< HEAD\n",
		"alone/kustomization.yaml":   "",
	})
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	var files, got []string
	for _, name := range []string{"alone/kustomization.yaml", "base/kustomization.yaml", "broken/kustomization.yaml", "part/kustomization.yaml", "plugins/kustomization.yaml",
		"prod/kustomization.yaml", "prod/other.yaml", "staging/kustomization.yml", "unused/Kustomization"} {
		files = append(files, filepath.Join(dir, name))
	}
	for _, path := range Inspect(files).Roots() {
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, filepath.ToSlash(rel))
	}
	want := []string{"alone/kustomization.yaml", "broken/kustomization.yaml", "prod/kustomization.yaml", "staging/kustomization.yml"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
