package kustomize

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
)

// TestFunctionsLeftOut: kustomize drops exec functions without a word unless --enable-exec says that they may run.
func TestFunctionsLeftOut(t *testing.T) {
	const function = "apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: %s\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./run.sh}\n"
	config := func(name string) string { return fmt.Sprintf(function, name) }
	legacy := "apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: old\n  configFn: {exec: {path: ./run.sh}}\n"
	builtin := "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: x-\nfieldSpecs: [{path: metadata/name}]\n"
	dir := writeTree(t, map[string]string{
		"kustomization.yaml": "resources: [db.yaml]\ngenerators: [gen.yaml, ours.yaml]\ntransformers:\n- old.yaml\n- dir\n- builtin.yaml\n- |-\n  " +
			strings.ReplaceAll(config("inline"), "\n", "\n  ") + "\n",
		"db.yaml": sealedDB, "gen.yaml": config("gen"), "old.yaml": legacy, "builtin.yaml": builtin,
		"ours.yaml":              strings.NewReplacer("name: db", "name: ours", "metadata:\n", "metadata:\n  annotations: {config.kubernetes.io/function: 'exec: {path: ageseal-fn}'}\n").Replace(sealedDB),
		"dir/kustomization.yaml": "resources: [t.yaml]\n", "dir/t.yaml": config("t"),
		"run.sh": "#!/bin/sh\ncat\n",
	})
	if err := os.Chmod(filepath.Join(dir, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	sealTree(t, dir)
	t.Chdir(dir)
	options := func(exec bool) Options {
		plugins := types.EnabledPluginConfig(types.BploUseStaticallyLinked)
		plugins.FnpLoadingOptions.EnableExec = exec
		o := krusty.MakeDefaultOptions()
		o.PluginConfig = plugins
		return Options{Kustomize: o}
	}
	r, err := build1(dir, options(false))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"dir/t.yaml: kustomize leaves out the function Thing t without --enable-exec",
		"gen.yaml: kustomize leaves out the function Thing gen without --enable-exec",
		"kustomization.yaml: kustomize leaves out the function Thing inline without --enable-exec",
		"old.yaml: kustomize leaves out the function Thing old without --enable-exec",
	}
	if diff := cmp.Diff(want, r.Warnings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r, err = build1(dir, options(true)); err != nil || len(r.Warnings) > 0 {
		t.Errorf("with --enable-exec: %v, %v", err, r)
	}
	// Without --enable-alpha-plugins kustomize itself refuses.
	r, err = build1(dir, Options{})
	refused(t, r, err, nil, "external plugins disabled")
}
