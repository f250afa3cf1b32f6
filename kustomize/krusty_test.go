package kustomize

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestKrustySealed takes the cases of kustomize's own suite that generate Secrets. What they generate is written out as
// manifests, sealed, and listed in place of the generators; the result must stay the same.
func TestKrustySealed(t *testing.T) {
	dir, all := krustyCases(t)
	cases, asResource := 0, 0
	for _, c := range all {
		if !c.SecretGenerator {
			continue
		}
		cases++
		want, err := os.ReadFile(filepath.Join(dir, c.Case, "expected.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range []string{"generators", "resources"} {
			root := t.TempDir()
			copyTree(t, filepath.Join(dir, c.Case, "in"), root)
			g := &generated{field: field}
			g.replaceIn(t, root)
			if field == "resources" && (g.behavior || g.long) {
				continue // a resource can't merge, and has its base64 on one line: another hash
			}
			if n := sealTree(t, root); n != g.n || n == 0 {
				t.Fatalf("%s: %d Secrets sealed of %d", c.Case, n, g.n)
			}
			got := mustBuild(t, filepath.Join(root, c.Run), Options{Kustomize: flags(t, c.Flags), Root: root, Opener: dave().get})
			wantDocs, gotDocs := strings.Split(string(want), "---\n"), strings.Split(string(got), "---\n")
			if field == "resources" { // resources come before what is generated
				asResource++
				slices.Sort(wantDocs)
				slices.Sort(gotDocs)
			}
			if diff := cmp.Diff(wantDocs, gotDocs); diff != "" {
				t.Errorf("%s under %s (-want +got):\n%s", c.Case, field, diff)
			}
		}
	}
	if cases != 6 || asResource < 3 {
		t.Errorf("%d cases with a secretGenerator, %d of them as resources too; want 6 and at least 3", cases, asResource)
	}
}

// generated replaces secretGenerators by manifests.
type generated struct {
	field          string
	n              int
	behavior, long bool
}

func (g *generated) replaceIn(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !isKustomization(path) {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var k map[string]any
		if err := yaml.Unmarshal(src, &k); err != nil {
			return err
		}
		entries, _ := k["secretGenerator"].([]any)
		delete(k, "secretGenerator")
		list, _ := k[g.field].([]any)
		for _, entry := range entries {
			name := fmt.Sprintf("generated-%d.yaml", g.n)
			g.n++
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), g.manifest(t, path, entry.(map[string]any)), 0o644); err != nil {
				return err
			}
			list = append(list, name)
		}
		if list != nil {
			k[g.field] = list
		}
		out, err := yaml.Marshal(k)
		if err != nil {
			return err
		}
		return os.WriteFile(path, out, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// manifest has kustomize generate one Secret without its hash, which becomes a wish.
func (g *generated) manifest(t *testing.T, kustomization string, entry map[string]any) []byte {
	t.Helper()
	old, err := os.ReadFile(kustomization)
	if err != nil {
		t.Fatal(err)
	}
	options, _ := entry["options"].(map[string]any)
	hash := options["disableNameSuffixHash"] != true
	behavior, _ := entry["behavior"].(string)
	delete(entry, "behavior")
	entry["options"] = map[string]any{"disableNameSuffixHash": true}
	only, err := yaml.Marshal(map[string]any{"secretGenerator": []any{entry}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kustomization, only, 0o644); err != nil {
		t.Fatal(err)
	}
	out := mustBuild(t, filepath.Dir(kustomization), Options{})
	if err := os.WriteFile(kustomization, old, 0o644); err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	annotations := map[string]any{}
	if hash {
		annotations[hashAnnotation] = "true"
	}
	if behavior != "" {
		g.behavior = true
		annotations[behaviorAnnotation] = behavior
	}
	doc["metadata"].(map[string]any)["annotations"] = annotations
	for _, v := range doc["data"].(map[string]any) {
		g.long = g.long || strings.Contains(v.(string), "\n")
	}
	out, err = yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
