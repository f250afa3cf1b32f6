//go:build e2e

package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// readme walks the way of the README, from nothing to the cluster, and looks for the value everywhere else.
func readme(t *testing.T, c *cluster) {
	p := place{dir: t.TempDir(), env: []string{
		"PATH=" + filepath.Dir(c.ageseal) + string(filepath.ListSeparator) + os.Getenv("PATH"), "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Alice", "GIT_AUTHOR_EMAIL=alice@example.org", "GIT_COMMITTER_NAME=Alice", "GIT_COMMITTER_EMAIL=alice@example.org",
		"KUBECONFIG=" + filepath.Join(c.dir, "kubeconfig"),
	}}
	home := p.dir
	for _, dir := range []string{"home", "tmp", "shop"} {
		if err := os.Mkdir(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	p.env = append(p.env, "HOME="+filepath.Join(home, "home"), "TMPDIR="+filepath.Join(home, "tmp"))
	p.dir = filepath.Join(home, "shop")

	sh := func(script string) result { return p.run(t, "", "bash", "-o", "pipefail", "-c", script) }
	must := func(script string) string { return p.must(t, "", "bash", "-o", "pipefail", "-c", script) }
	if err := os.CopyFS(filepath.Join(p.dir, "apps"), os.DirFS(filepath.Join(root(t), "examples", "apps"))); err != nil {
		t.Fatal(err)
	}
	for _, env := range []string{"prod", "staging"} {
		name := "apps/shop/" + env + "/db.yaml"
		text := strings.Replace(p.read(t, name), "password: ", "password: canary-"+env+"-", 1)
		p.write(t, name, text)
		if !strings.Contains(text, "canary") {
			t.Fatalf("%s has no password", name)
		}
	}

	must("git init -q -b main && ageseal init && ageseal encrypt -w apps/shop/prod && git add .")
	if r := sh("git commit -q -m 'Add the shop'"); r.status == 0 || !strings.Contains(r.stdout+r.stderr, "plaintext-secret") || canaries.MatchString(r.stdout+r.stderr) {
		t.Errorf("plaintext can be committed: %v", r)
	}
	must("ageseal encrypt -w apps/shop/staging && git add . && git commit -q -m 'Add the shop'")
	must("printf canary-changed | ageseal set apps/shop/prod/payment.yaml api-token && git commit -q -a -m 'Change the token'")

	must("kubectl create namespace shop-prod")
	applied := must("ageseal build apps/shop/prod | kubectl apply --server-side -f -")
	if canaries.MatchString(applied) || strings.Count(applied, "secret/") != 2 {
		t.Errorf("what is applied: %s", applied)
	}
	got := c.secrets(t, "shop-prod")
	if v := string(got["db"].Data["password"]); !strings.HasPrefix(v, "canary-prod-") {
		t.Errorf("db's password is stored as %q", v)
	}
	if v := string(got["payment"].Data["api-token"]); v != "canary-changed" {
		t.Errorf("payment's api-token is stored as %q", v)
	}

	// A value that changes shows in kubectl's diff, and is not shown; then it is in the cluster, and nothing else changes.
	must("printf canary-again | ageseal set apps/shop/prod/payment.yaml api-token && git commit -q -a -m 'Change it again'")
	if r := sh("ageseal build apps/shop/prod | kubectl diff --server-side -f -"); r.status != 1 || strings.Count(r.stdout, "api-token: '***") != 2 || canaries.MatchString(r.stdout+r.stderr) {
		t.Errorf("kubectl diff: %v", r)
	}
	must("ageseal build apps/shop/prod | kubectl apply --server-side -f -")
	changed := c.secrets(t, "shop-prod")
	if v := string(changed["payment"].Data["api-token"]); v != "canary-again" || changed["db"].Metadata.ResourceVersion != got["db"].Metadata.ResourceVersion {
		t.Errorf("payment's api-token is stored as %q; versions of db: %s, %s", v, got["db"].Metadata.ResourceVersion, changed["db"].Metadata.ResourceVersion)
	}

	p.sealed(t, "..") // the repository, home, temporary files
	// What is staged once is an object of git's for ever: prod was sealed before, staging was not.
	objects := must("git cat-file --batch-all-objects --batch --buffer")
	if strings.Contains(objects, "canary-prod") || strings.Contains(objects, "canary-changed") || strings.Contains(objects, "canary-again") {
		t.Error("a value is among git's objects")
	}
	if history := must("git log -p --no-textconv --no-ext-diff"); canaries.MatchString(history) || !strings.Contains(history, "EncryptedSecret") {
		t.Error("a value is in git's history")
	}
}

// discreet holds the servers' logs and kubectl's cache to have no value; etcd's data has them all.
func (c *cluster) discreet(t *testing.T) {
	entries, err := fs.ReadDir(os.DirFS(c.dir), ".")
	if err != nil || len(entries) < 5 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, e := range entries {
		if e.Name() != "data" {
			c.sealed(t, e.Name())
		}
	}
}
