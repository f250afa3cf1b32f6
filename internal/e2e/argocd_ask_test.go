//go:build e2e

package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"
)

type argoFields = map[string]any

// request is a ManifestRequest for the guide's Application, as Argo CD's controller makes it.
func (a *argoCD) request(source argoFields) argoFields {
	repo := "file://" + a.shop.dir
	all := argoFields{"repoURL": repo, "path": a.guide.path, "targetRevision": "main"}
	maps.Copy(all, source)
	return argoFields{
		"repo": argoFields{"repo": repo}, "revision": all["targetRevision"], "applicationSource": all,
		"appName": "shop-prod", "namespace": a.guide.namespace, "projectName": "shop",
		"appLabelKey": "app.kubernetes.io/instance", "trackingMethod": "annotation", "noCache": true,
	}
}

// byPlugin asks for the guide's plugin.
func (a *argoCD) byPlugin(name string) argoFields {
	return a.request(argoFields{"plugin": argoFields{"name": name}})
}

// byKustomize asks for a kustomize that argocd-cm knows, "" for the one in PATH, with options for it.
func (a *argoCD) byKustomize(version, buildOptions string) argoFields {
	r := a.request(argoFields{})
	if version != "" {
		r = a.request(argoFields{"kustomize": argoFields{"version": version}})
	}
	r["kustomizeOptions"] = argoFields{"BuildOptions": buildOptions,
		"Versions": []argoFields{{"Name": a.guide.kustomizeName, "Path": a.in(a.guide.kustomizePath)}}}
	return r
}

// argoAnswer is a ManifestResponse, or why there is none.
type argoAnswer struct {
	Manifests  []string
	SourceType string
	objects    []argoManifest
	failure    string
}

type argoManifest struct {
	Kind     string
	Metadata struct {
		Name, Namespace string
		Annotations     map[string]string
	}
	Data map[string][]byte // of a Secret
	Spec struct {
		Template struct {
			Spec struct{ Containers []struct{ Image string } }
		}
	}
}

// ask is a call of GenerateManifest.
func (a *argoCD) ask(t testing.TB, request argoFields) argoAnswer {
	t.Helper()
	in, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	r := place{dir: a.dir, env: os.Environ()}.run(t, string(in), a.program, "manifests", a.address)
	if r.status != 0 {
		if r.stdout != "" {
			t.Fatalf("a failure with manifests: %v", r)
		}
		return argoAnswer{failure: r.stderr}
	}
	var got argoAnswer
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatalf("%v: %v", err, r)
	}
	for _, text := range got.Manifests {
		var m argoManifest
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		got.objects = append(got.objects, m)
	}
	return got
}

// secrets are the values of all Secrets of an argoAnswer, by NAMESPACE/NAME/KEY.
func (r argoAnswer) secrets() map[string]string {
	values := map[string]string{}
	for _, m := range r.objects {
		if m.Kind == "Secret" {
			for key, value := range m.Data {
				values[m.Metadata.Namespace+"/"+m.Metadata.Name+"/"+key] = string(value)
			}
		}
	}
	return values
}

func (r argoAnswer) kinds() string {
	var kinds []string
	for _, m := range r.objects {
		kinds = append(kinds, m.Kind)
	}
	return strings.Join(kinds, " ")
}
