//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestArgoCDKustomize has the script of the guide as a kustomize that Applications choose.
func TestArgoCDKustomize(t *testing.T) {
	a := startArgoCD(t, argoOptions{})
	version := a.guide.kustomizeName
	t.Run("another namespace", func(t *testing.T) {
		request := a.byKustomize(version, "")
		request["namespace"] = "shop-staging"
		a.refused(t, a.ask(t, request), `sealed for namespace "shop-prod", which this build may not open`)
		request["namespace"] = ""
		a.refused(t, a.ask(t, request), "--only-namespace is empty")
	})
	t.Run("no key", func(t *testing.T) {
		a.setIdentity(t, "")
		defer a.setIdentity(t, a.shop.key)
		a.refused(t, a.ask(t, a.byKustomize(version, "")), "ageseal: error: ")
	})
	t.Run("value of another key", func(t *testing.T) {
		a.shop.branch(t, "edited", filepath.Join(a.guide.path, "db.yaml"), func(text string) string {
			return sealedBox("username").ReplaceAllString(text, "${1}"+sealedBox("password").FindStringSubmatch(text)[2])
		})
		request := a.byKustomize(version, "")
		request["revision"] = "edited"
		a.refused(t, a.ask(t, request), "Secret shop-prod/db: key username: the value was altered, or copied")
	})
	t.Run("native Secrets", func(t *testing.T) { a.native(t, a.ask(t, a.byKustomize(version, "")), "Kustomize") })
	t.Run("build options", func(t *testing.T) {
		a.native(t, a.ask(t, a.byKustomize(version, "--load-restrictor LoadRestrictionsNone --enable-helm")), "Kustomize")
	})
	t.Run("an option that is not there", func(t *testing.T) {
		got := a.ask(t, a.byKustomize(version, "--no-such-option"))
		if !strings.Contains(got.failure, "--no-such-option") {
			t.Errorf("got %q, %s", got.failure, got.kinds())
		}
	})
	t.Run("images of the Application", func(t *testing.T) {
		request := a.byKustomize(version, "")
		request["applicationSource"].(argoFields)["kustomize"] = argoFields{"version": version, "images": []string{"registry.example.org/shop/web:9.9.9"}}
		a.newImage(t, a.ask(t, request))
	})
	t.Run("stock kustomize knows no sealed manifest", func(t *testing.T) {
		got := a.ask(t, a.byKustomize("", ""))
		if got.failure != "" || len(got.secrets()) > 0 || !strings.Contains(got.kinds(), "EncryptedSecret") {
			t.Errorf("got %q, %s", got.failure, got.kinds())
		}
	})
}

// newImage checks for what "kustomize edit" was to do, and for the Secrets.
func (a *argoCD) newImage(t *testing.T, got argoAnswer) {
	t.Helper()
	a.native(t, got, "Kustomize")
	for _, m := range got.objects {
		if m.Kind == "Deployment" && m.Spec.Template.Spec.Containers[0].Image != "registry.example.org/shop/web:9.9.9" {
			t.Errorf("the image is %s", m.Spec.Template.Spec.Containers[0].Image)
		}
	}
}

// TestArgoCDLink has a link named kustomize, to our program, first in PATH.
func TestArgoCDLink(t *testing.T) {
	dir := t.TempDir()
	installLink(t, ageseal(t), filepath.Join(dir, "kustomize"))
	a := startArgoCD(t, argoOptions{first: dir})
	t.Run("another namespace", func(t *testing.T) {
		a.refused(t, a.ask(t, a.byKustomize("", "--only-namespace shop-staging")), `sealed for namespace "shop-prod", which this build may not open`)
	})
	t.Run("native Secrets", func(t *testing.T) { a.native(t, a.ask(t, a.byKustomize("", "")), "Kustomize") })
	t.Run("build options", func(t *testing.T) {
		a.native(t, a.ask(t, a.byKustomize("", "--only-namespace shop-prod --only-namespace shop-staging --enable-helm")), "Kustomize")
	})
	t.Run("images of the Application", func(t *testing.T) {
		request := a.byKustomize("", "")
		request["applicationSource"].(argoFields)["kustomize"] = argoFields{"images": []string{"registry.example.org/shop/web:9.9.9"}}
		a.newImage(t, a.ask(t, request))
	})
}

// TestArgoCDSilentDrop shows what makes an exec function a trap in Argo CD, and that neither of the guide's ways has it. If its first
// subtest fails, kustomize has changed for the better: say so in docs/guides.
func TestArgoCDSilentDrop(t *testing.T) {
	dir := t.TempDir()
	installLink(t, ageseal(t), filepath.Join(dir, "ageseal-fn"))
	a := startArgoCD(t, argoOptions{first: dir})
	a.startPlugin(t, a.guide.pluginName, a.guide.plugin)
	base := filepath.Join(a.guide.path, "kustomization.yaml")
	a.shop.branch(t, "functions", base, func(text string) string {
		for _, file := range []string{"db.yaml", "payment.yaml"} {
			sealed, err := os.ReadFile(filepath.Join(a.shop.dir, a.guide.path, file))
			if err != nil {
				t.Fatal(err)
			}
			a.shop.write(t, filepath.Join(a.guide.path, file), asFunction(string(sealed)))
		}
		return strings.Replace(text, "- db.yaml\n- payment.yaml\n", "generators:\n- db.yaml\n- payment.yaml\n", 1)
	})
	ask := func(t *testing.T, request argoFields) argoAnswer {
		request["revision"] = "functions"
		return a.ask(t, request)
	}
	t.Run("stock kustomize with one flag leaves them out", func(t *testing.T) {
		got := ask(t, a.byKustomize("", "--enable-alpha-plugins"))
		if got.failure != "" || len(got.secrets()) > 0 || !strings.Contains(got.kinds(), "Deployment") {
			t.Fatalf("got %q, %s", got.failure, got.kinds())
		}
		if text := a.logs(t); strings.Contains(text, `"level":"error"`) || strings.Contains(text, "ageseal:") {
			t.Errorf("not without a word: %s", text)
		}
	})
	t.Run("with no flag it fails", func(t *testing.T) {
		a.refused(t, ask(t, a.byKustomize("", "")), "external plugins disabled")
	})
	t.Run("with both they are there", func(t *testing.T) {
		a.native(t, ask(t, a.byKustomize("", "--enable-alpha-plugins --enable-exec")), "Kustomize")
	})
	for _, options := range []string{"", "--enable-alpha-plugins", "--enable-alpha-plugins --enable-exec"} {
		t.Run(strings.TrimSpace("ours as kustomize "+options), func(t *testing.T) {
			a.native(t, ask(t, a.byKustomize(a.guide.kustomizeName, options)), "Kustomize")
		})
	}
	t.Run("the plugin", func(t *testing.T) { a.native(t, ask(t, a.byPlugin(a.guide.pluginName)), "Plugin") })
}
