package kustomize

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/corpora"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// fold does what an API server does to a Secret it is given: stringData goes into data. It is written without the code
// under test.
func fold(t *testing.T, stream []byte) (folded []byte, secrets int) {
	t.Helper()
	var docs [][]byte
	for _, text := range strings.Split(string(stream), "\n---\n") {
		var doc map[string]any
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		if doc["kind"] != "Secret" || doc["apiVersion"] != "v1" {
			docs = append(docs, []byte(strings.TrimSuffix(text, "\n")+"\n"))
			continue
		}
		secrets++
		if clear, ok := doc["stringData"].(map[string]any); ok {
			data, _ := doc["data"].(map[string]any)
			if data == nil {
				data = map[string]any{}
			}
			for k, v := range clear {
				data[k] = base64.StdEncoding.EncodeToString([]byte(v.(string)))
			}
			doc["data"] = data
			delete(doc, "stringData")
		}
		out, err := yaml.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, out)
	}
	return bytes.Join(docs, []byte("---\n")), secrets
}

// bindWider seals the one Secret of the twin whose metadata name a namespace that every kustomization above it replaces:
// bound to its name only, as whoever wants such a Secret everywhere has to ask for when encrypting it.
func bindWider(t *testing.T, path string) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := manifest.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	r, err := secret.NewWriter().Encrypt(f, secret.EncryptOptions{
		Target:       secret.Target{Recipients: []*crypt.Recipient{testkeys.Dave().Recipient()}},
		AnyNamespace: true,
	})
	if err != nil || !slices.Equal(r.Sealed, []string{"flux-system/cluster-secrets"}) {
		t.Fatalf("sealed %v, %v", r, err)
	}
	if err := os.WriteFile(path, f.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestTwin builds a real GitOps repository before and after its Secrets are encrypted.
func TestTwin(t *testing.T) {
	var builds []goldenBuild
	corpora.JSON(t, &builds, "corpora", "gitops", "twin-builds.json")
	if len(builds) != 119 {
		t.Fatalf("%d builds, want 119", len(builds))
	}
	root := t.TempDir()
	corpora.Untar(t, corpora.Path(t, "corpora", "gitops", "Diaoul+home-ops.twin.tar.gz"), root)
	before := make([][]byte, len(builds))
	for i, b := range builds {
		before[i] = mustBuild(t, goldenPath(t, root, b.Path), Options{Kustomize: flags(t, b.Flags), Root: root})
		if got := hash(before[i]); got != b.SHA256 {
			t.Errorf("%s before: sha256 %s, want %s", b.Path, got, b.SHA256)
		}
	}
	bindWider(t, filepath.Join(goldenPath(t, root, "kubernetes/components/common/sops"), "cluster-secrets.sops.yaml"))
	if n := 1 + sealTree(t, root); n != 43 {
		t.Fatalf("%d Secrets sealed, want 43", n)
	}
	compared, holding := 0, 0
	for i, b := range builds {
		want, secrets := fold(t, before[i])
		if secrets > 0 {
			holding++
		}
		o := dave()
		got := mustBuild(t, goldenPath(t, root, b.Path), Options{Kustomize: flags(t, b.Flags), Root: root, Opener: o.get})
		compared++
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", b.Path, diff)
		}
		if (secrets > 0) != (o.called == 1) || o.called > 1 {
			t.Errorf("%s: %d Secrets, and the identity was asked for %d times", b.Path, secrets, o.called)
		}
	}
	if compared != 119 || holding != 56 {
		t.Errorf("%d builds compared, %d of them with a Secret; want 119 and 56", compared, holding)
	}
}
