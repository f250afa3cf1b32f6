package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSealedExample: examples/sealed builds to what stock kustomize makes of its plaintext, and where stock kustomize takes the sealed
// manifests itself, to the same bytes again. Nothing in it is plaintext.
func TestSealedExample(t *testing.T) {
	checkout, _ := guides(t)
	s := guideScratch(t, program(t, checkout), checkout)
	s.dir = filepath.Join(s.root, "sealed")
	if err := os.CopyFS(s.dir, os.DirFS(filepath.Join(checkout, "examples", "sealed"))); err != nil {
		t.Fatal(err)
	}
	run := func(command string) string {
		t.Helper()
		out, status := s.run(t.Context(), command)
		if status != 0 {
			t.Fatalf("%s: status %d\n%s", command, status, shorten(out, 200))
		}
		return out
	}
	s.env = append(s.env, "AGESEAL_IDENTITY_FILE="+filepath.Join(s.dir, "demo-identity.txt"))
	run("git init -q && chmod 600 demo-identity.txt && git add . && ageseal verify && ageseal verify --references && ! grep -rE --exclude=README.md 'example-(prod|staging)-' .")

	built := map[string]string{}
	for _, overlay := range []string{"staging", "prod"} {
		built[overlay] = run("ageseal build apps/shop/" + overlay)
		if n := strings.Count(built[overlay], "kind: Secret\n"); n != map[string]int{"staging": 1, "prod": 4}[overlay] {
			t.Errorf("%s: %d Secrets", overlay, n)
		}
	}
	if _, status := s.run(t.Context(), "command -v kustomize"); status != 0 {
		t.Skip("kustomize is not installed: make tools")
	}
	run("ageseal fn install")
	compare := func(what, command string, overlays ...string) {
		t.Helper()
		for _, overlay := range overlays {
			if out := run(command + " apps/shop/" + overlay); out != built[overlay] {
				t.Errorf("%s, %s:\n%s", overlay, what, shorten(out, 120))
			}
		}
	}
	const plugin = "kustomize build --enable-alpha-plugins"
	compare("sealed manifests through the plugin", plugin, "staging")
	// Stock kustomize knows no sealed files: for it they are decrypted, and the manifests are still generated.
	run(`for f in components/*/*.age; do ageseal decrypt -o "${f%.age}" "$f" 2> /dev/null; done
sed -i 's/=tls.key.age/=tls.key/; s/mail.env.age/mail.env/' components/*/kustomization.yaml`)
	compare("sealed manifests through the plugin, files in plaintext", plugin, "staging", "prod")
	// The plaintext twin: the manifests, too, decrypted in place and listed as resources.
	run(`ageseal decrypt -w -y apps 2> /dev/null
sed -i '/^generators:/,/^- secrets.yaml/d' apps/shop/*/kustomization.yaml
for d in apps/shop/prod apps/shop/staging; do (cd $d && sed -i '/^resources:/r /dev/stdin' kustomization.yaml <<< "$(printf -- '- %s\n' secrets/*.yaml)"); done`)
	compare("all in plaintext", "kustomize build", "staging", "prod")
}
