//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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

// TestArgoCDPlugin has the plugin and the sidecar of the guide.
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

	t.Run("native Secrets", func(t *testing.T) {
		begun := time.Now()
		got := a.ask(t, a.byPlugin(name))
		t.Attr("argo-cd-plugin", fmt.Sprintf("%d manifests in %d ms", len(got.objects), time.Since(begun).Milliseconds()))
		a.native(t, got, "Plugin")
	})
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
