//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// redacted holds what a keyless build makes to be good for the checks it is there for: the API server's own, and those by its schemas.
func redacted(t *testing.T, c *cluster) {
	p := c.in(t, "redacted")
	cases := secretCases(t)
	p.seal(t, c, "redacted", "resources", cases)
	keyless := place{dir: p.dir, env: append(p.env[:len(p.env):len(p.env)], "AGESEAL_IDENTITY=")}
	r := keyless.run(t, "", c.ageseal, "build", "--redact", "app")
	if r.status != 0 || canaries.MatchString(r.stdout+r.stderr) || strings.Count(r.stdout, "\nkind: Secret\n") != len(cases) {
		t.Fatalf("build --redact: %v", r)
	}

	t.Run("the server takes it", func(t *testing.T) {
		for _, flag := range []string{"--server-side=false", "--server-side"} {
			said := p.must(t, r.stdout, c.kubectl, "apply", "--dry-run=server", flag, "-f", "-")
			if n := strings.Count(said, "(server dry run)"); n != len(cases) || canaries.MatchString(said) {
				t.Errorf("%d of %d are taken: %s", n, len(cases), said)
			}
		}
		c.none(t, "redacted")
	})

	t.Run("kubeconform", func(t *testing.T) {
		kubeconform := tool(t, "kubeconform")
		t.Attr("kubeconform", modules(t, kubeconform)["github.com/yannh/kubeconform"])
		schemas(t, c, p)
		check := func(t *testing.T, text string) result {
			t.Helper()
			return p.run(t, text, kubeconform, "-strict", "-summary", "-schema-location", filepath.Join(p.dir, "schemas", "{{.ResourceKind}}.json"), "-")
		}
		valid := fmt.Sprintf("%d resources found parsing stdin - Valid: %[1]d, Invalid: 0, Errors: 0, Skipped: 0", len(cases))
		decrypted := p.must(t, "", append([]string{c.ageseal, "build", "app"}, allowing...)...)
		for name, text := range map[string]string{"redacted": r.stdout, "decrypted": decrypted} {
			if got := check(t, text); got.status != 0 || !strings.Contains(got.stdout, valid) {
				t.Errorf("%s: %v", name, got)
			}
			wrong := strings.Replace(text, "\nimmutable: true\n", "\nimutable: true\n", 1)
			if got := check(t, wrong); wrong == text || got.status == 0 || !strings.Contains(got.stdout, "imutable") || canaries.MatchString(got.stdout+got.stderr) {
				t.Errorf("%s, misspelt: %v", name, got)
			}
		}
	})
}

// schemas writes that of Secret below the place, made from what the API server tells of itself. kubeconform asks for closed ones with -strict.
func schemas(t *testing.T, c *cluster, p place) {
	t.Helper()
	var b bytes.Buffer
	if err := get(t.Context(), c.client, c.url+"/openapi/v2", c.token, &b); err != nil {
		t.Fatal(err)
	}
	var api struct{ Definitions map[string]map[string]any }
	if err := json.Unmarshal(b.Bytes(), &api); err != nil || len(api.Definitions) < 100 {
		t.Fatalf("%d definitions, %v", len(api.Definitions), err)
	}
	for _, d := range api.Definitions {
		if _, open := d["additionalProperties"]; d["properties"] != nil && !open {
			d["additionalProperties"] = false
		}
	}
	text, err := json.Marshal(map[string]any{"$ref": "#/definitions/io.k8s.api.core.v1.Secret", "definitions": api.Definitions})
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, "schemas/secret.json", string(text))
}
