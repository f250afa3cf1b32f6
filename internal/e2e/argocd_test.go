//go:build e2e

package e2e

import (
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// native checks that an argoAnswer is the Application with its Secrets, and all their bytes.
func (a *argoCD) native(t *testing.T, got argoAnswer, sourceType string) {
	t.Helper()
	if got.failure != "" {
		t.Fatalf("refused: %s", got.failure)
	}
	if got.SourceType != sourceType {
		t.Errorf("rendered as %s, not %s", got.SourceType, sourceType)
	}
	if diff := cmp.Diff(a.shop.values, got.secrets()); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	kinds := strings.Fields(got.kinds())
	slices.Sort(kinds)
	if diff := cmp.Diff([]string{"Deployment", "Secret", "Secret", "Service"}, kinds); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	for _, m := range got.objects {
		if m.Metadata.Annotations["argocd.argoproj.io/tracking-id"] == "" {
			t.Errorf("%s %s is not tracked", m.Kind, m.Metadata.Name)
		}
	}
}

// refused checks that Argo CD says why in our words, and that there is no plaintext in it, in the logs, or in the cache.
func (a *argoCD) refused(t *testing.T, got argoAnswer, messages ...string) {
	t.Helper()
	if got.failure == "" {
		t.Fatalf("rendered: %s", got.kinds())
	}
	for _, message := range append(messages, "rpc error: code = Unknown desc = ") {
		if !strings.Contains(got.failure, message) {
			t.Errorf("no %q in: %s", message, got.failure)
		}
	}
	for where, text := range map[string]string{"message": got.failure, "logs": a.logs(t), "cache": a.cache(t)} {
		if leaks := a.shop.leaks(text); len(leaks) > 0 {
			t.Errorf("plaintext of %q in the %s", leaks, where)
		}
		if strings.Contains(text, "ageseal: warning") {
			t.Errorf("a warning in the %s: %s", where, text)
		}
	}
}

func TestArgoCDPlugin(t *testing.T) {
	a := startArgoCD(t, argoOptions{})
	t.Attr("argo-cd", a.version(t))
	name := a.guide.pluginName
	a.startPlugin(t, name, a.guide.plugin)

	// What is refused comes first: the logs and the cache have had no plaintext yet.
	t.Run("another namespace", func(t *testing.T) {
		request := a.byPlugin(name)
		request["namespace"] = "shop-staging"
		a.refused(t, a.ask(t, request), `sealed for namespace "shop-prod", which this build may not open`, "it may open shop-staging")
	})
	t.Run("no namespace", func(t *testing.T) {
		request := a.byPlugin(name)
		request["namespace"] = ""
		a.refused(t, a.ask(t, request), "--only-namespace is empty")
	})
	t.Run("wrong key", func(t *testing.T) {
		other := a.shop.must(t, "", "sh", "-ec", "ageseal keygen -q -o ~/other.key && cat ~/other.key")
		a.setIdentity(t, other)
		a.refused(t, a.ask(t, a.byPlugin(name)), "ageseal: error: db.yaml: no identity opens Secret shop-prod/db (readable by argo-cd")
	})
	t.Run("no key", func(t *testing.T) {
		a.setIdentity(t, "")
		a.refused(t, a.ask(t, a.byPlugin(name)), "ageseal: error: ", "/identity/identities: no such file or directory")
	})
	a.setIdentity(t, a.shop.key)
	db := filepath.Join(a.guide.path, "db.yaml")
	for _, by := range []struct {
		branch, refused string
		edit            func(string) string
	}{
		{"edited-value", "Secret shop-prod/db: key password: the value was altered", func(text string) string {
			return sealedBox("password").ReplaceAllStringFunc(text, func(sealed string) string {
				middle := len(sealed) - 60
				return sealed[:middle] + string('A'+(sealed[middle]+1)%26) + sealed[middle+1:]
			})
		}},
		{"value-of-another-key", "Secret shop-prod/db: key username: the value was altered, or copied", func(text string) string {
			return sealedBox("username").ReplaceAllString(text, "${1}"+sealedBox("password").FindStringSubmatch(text)[2])
		}},
		{"another-name", "Secret shop-prod/web: key password: the value was altered, or copied", func(text string) string {
			return strings.ReplaceAll(text, "name: db\n", "name: web\n")
		}},
	} {
		a.shop.branch(t, by.branch, db, by.edit)
		t.Run(by.branch, func(t *testing.T) {
			request := a.byPlugin(name)
			request["revision"] = by.branch
			a.refused(t, a.ask(t, request), "ageseal: error: db.yaml:", by.refused)
		})
	}

	t.Run("native Secrets", func(t *testing.T) { a.native(t, a.ask(t, a.byPlugin(name)), "Plugin") })
	t.Run("without --only-namespace", func(t *testing.T) { // for an Argo CD of one team
		a.startPlugin(t, "team", strings.NewReplacer("name: "+name+"\n", "name: team\n", "command: [sh, -c]", a.guide.team, "    args:", "    # args:").Replace(a.guide.plugin))
		a.native(t, a.ask(t, a.byPlugin("team")), "Plugin")
	})
	t.Run("logs have no value", func(t *testing.T) {
		if leaks := a.shop.leaks(a.logs(t)); len(leaks) > 0 {
			t.Errorf("plaintext of %q", leaks)
		}
	})
}

// TestArgoCDSidecarUser: the identity is mode and group of the guide's, root's, and read by the guide's user through the guide's fsGroup.
func TestArgoCDSidecarUser(t *testing.T) {
	setpriv, err := exec.LookPath("setpriv")
	if os.Geteuid() != 0 || err != nil {
		t.Skip("runs the plugin server as the guide's user, which needs root and setpriv, of util-linux")
	}
	a := startArgoCD(t, argoOptions{})
	_, identity, _ := strings.Cut(a.guide.sidecarEnv[0], "=")
	name, user, group := a.guide.pluginName, a.guide.sidecarUser, a.guide.group
	tmp := a.in("/tmp-" + name)
	for _, err := range []error{
		os.Chmod(filepath.Dir(a.dir), 0o711), os.Chmod(a.dir, 0o711), // volumes are where the user gets to
		os.Chown(a.in(identity), 0, group), os.Chmod(a.in(identity), a.guide.identityMode),
		os.Chown(a.in("/plugins"), 0, group), os.Chmod(a.in("/plugins"), 0o770),
		os.Mkdir(tmp, 0o700), os.Chown(tmp, user, group),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for file, program := range map[string]string{a.in(a.guide.sidecar[0]): a.program, a.in("/image/ageseal"): ageseal(t)} {
		copyProgram(t, program, file) // a link would lead to where the user gets not
	}
	as := []string{setpriv, fmt.Sprintf("--reuid=%d", user), "--regid=0", fmt.Sprintf("--groups=%d", group), "--no-new-privs", "--inh-caps=-all"}
	p := place{dir: "/", env: os.Environ()}
	if r := p.run(t, "", append(as, "test", "-x", a.dir)...); r.status != 0 {
		t.Skipf("user %d gets not to %s", user, filepath.Dir(a.dir))
	}
	a.startPlugin(t, name, a.guide.plugin, as...)
	t.Run("with the group", func(t *testing.T) { a.native(t, a.ask(t, a.byPlugin(name)), "Plugin") })
	t.Run("without it", func(t *testing.T) {
		if err := os.Chown(a.in(identity), 0, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(a.in(identity), 0o400); err != nil {
			t.Fatal(err)
		}
		got := a.ask(t, a.byPlugin(name))
		if !strings.Contains(got.failure, "ageseal: error: ") || !strings.Contains(got.failure, "permission denied") || len(a.shop.leaks(got.failure)) > 0 {
			t.Errorf("got %q, %s", got.failure, got.kinds())
		}
	})
	if strings.Contains(a.logs(t), "ageseal: warning") {
		t.Errorf("a warning in the logs: %s", a.logs(t))
	}
}

// copyProgram puts a copy in the place of a link.
func copyProgram(t *testing.T, program, file string) {
	t.Helper()
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	installFile(t, file, string(text), 0o755)
}

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
		t.Run("ours as kustomize "+options, func(t *testing.T) {
			a.native(t, ask(t, a.byKustomize(a.guide.kustomizeName, options)), "Kustomize")
		})
	}
	t.Run("the plugin", func(t *testing.T) { a.native(t, ask(t, a.byPlugin(a.guide.pluginName)), "Plugin") })
}

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
