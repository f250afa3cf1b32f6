//go:build e2e

package e2e

import (
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestArgoCDCache shows that the guide's warning is true: who reaches Redis has the values, and they outlive the key.
func TestArgoCDCache(t *testing.T) {
	a := startArgoCD(t, argoOptions{})
	a.startPlugin(t, a.guide.pluginName, a.guide.plugin)
	request := a.byPlugin(a.guide.pluginName)
	delete(request, "noCache")
	a.native(t, a.ask(t, request), "Plugin")
	cached := a.cache(t)
	for where, value := range a.shop.values {
		if !strings.Contains(cached, base64.StdEncoding.EncodeToString([]byte(value))) {
			t.Errorf("%s is not in the cache: the guide's warning says too much", where)
		}
	}
	t.Run("outlives the key", func(t *testing.T) {
		a.setIdentity(t, "")
		a.native(t, a.ask(t, request), "Plugin")
		if got := a.ask(t, hard(request)); !strings.Contains(got.failure, "ageseal: error: ") {
			t.Errorf("got %q, %s", got.failure, got.kinds())
		}
	})
}

// TestArgoCDCachedError: an error outlives its cause, as the guide says, until a hard refresh.
func TestArgoCDCachedError(t *testing.T) {
	a := startArgoCD(t, argoOptions{})
	a.startPlugin(t, a.guide.pluginName, a.guide.plugin)
	request := a.byPlugin(a.guide.pluginName)
	delete(request, "noCache")
	a.setIdentity(t, "")
	for range 3 { // then Argo CD pauses, for an hour
		a.refused(t, a.ask(t, request), "ageseal: error: ")
	}
	a.setIdentity(t, a.shop.key)
	a.refused(t, a.ask(t, request), "(cached)", "ageseal: error: ")
	a.native(t, a.ask(t, hard(request)), "Plugin")
}

// hard is the request of a hard refresh.
func hard(request argoFields) argoFields {
	request = maps.Clone(request)
	request["noCache"] = true
	return request
}

// TestArgoCDDebug shows that the guide's warning is true: at this level the servers log what a build writes.
func TestArgoCDDebug(t *testing.T) {
	for _, way := range []string{"plugin", "kustomize"} {
		t.Run(way, func(t *testing.T) {
			a := startArgoCD(t, argoOptions{level: "debug"})
			request := a.byKustomize(a.guide.kustomizeName, "")
			if way == "plugin" {
				a.startPlugin(t, a.guide.pluginName, a.guide.plugin)
				request = a.byPlugin(a.guide.pluginName)
			}
			if got := a.ask(t, request); got.failure != "" {
				t.Fatal(got.failure)
			}
			if len(a.shop.leaks(a.logs(t))) == 0 {
				t.Error("no value in the logs: the guide's warning says too much")
			}
		})
	}
}

// TestArgoCDFileMode shows that a plugin gets programs of the repository as plain files, unless its spec has preserveFileMode.
func TestArgoCDFileMode(t *testing.T) {
	a := startArgoCD(t, argoOptions{})
	for name, spec := range map[string]string{"plain": "", "preserved": "  preserveFileMode: true\n"} {
		plugin := strings.NewReplacer("name: "+a.guide.pluginName+"\n", "name: "+name+"\n", "ageseal build ", "ageseal build --enable-alpha-plugins --enable-exec ").
			Replace(a.guide.plugin)
		a.startPlugin(t, name, strings.Replace(plugin, "spec:\n", "spec:\n"+spec, 1))
	}
	a.shop.branch(t, "programs", filepath.Join(a.guide.path, "kustomization.yaml"), func(text string) string {
		a.shop.write(t, filepath.Join(a.guide.path, "pass"), "#!/bin/sh\ncat\n")
		a.shop.write(t, filepath.Join(a.guide.path, "pass.yaml"), "apiVersion: example.org/v1\nkind: Pass\nmetadata:\n  name: pass\n"+
			"  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./pass}\n")
		if err := os.Chmod(filepath.Join(a.shop.dir, a.guide.path, "pass"), 0o755); err != nil {
			t.Fatal(err)
		}
		a.shop.must(t, "", "git", "add", ".")
		return text + "transformers: [pass.yaml]\n"
	})
	ask := func(name string) argoAnswer {
		request := a.byPlugin(name)
		request["revision"] = "programs"
		return a.ask(t, request)
	}
	a.refused(t, ask("plain"), "permission denied")
	a.native(t, ask("preserved"), "Plugin")
}

// TestArgoCDPartOfRepository: a plugin that isn't sent all of the repository refuses to look for bases without .git, and does with the
// guide's command.
func TestArgoCDPartOfRepository(t *testing.T) {
	for what, o := range map[string]argoOptions{
		"plugin-tar-exclude":                 {flags: []string{"--plugin-tar-exclude", ".git", "--plugin-tar-exclude", ".git/*"}},
		"plugin-use-manifest-generate-paths": {flags: []string{"--plugin-use-manifest-generate-paths"}},
	} {
		t.Run(what, func(t *testing.T) {
			a := startArgoCD(t, o)
			a.startPlugin(t, a.guide.pluginName, a.guide.plugin)
			a.startPlugin(t, "rooted", fmt.Sprintf("apiVersion: argoproj.io/v1alpha1\nkind: ConfigManagementPlugin\nmetadata:\n  name: rooted\n"+
				"spec:\n  generate:\n    command: [sh, -c]\n    args: [%q]\n", a.guide.rooted))
			ask := func(plugin string) argoAnswer {
				request := a.byPlugin(plugin)
				request["annotationManifestGeneratePaths"] = ".;../base"
				return a.ask(t, request)
			}
			a.refused(t, ask(a.guide.pluginName), "leads outside the root of this build")
			a.native(t, ask("rooted"), "Plugin")
		})
	}
}
