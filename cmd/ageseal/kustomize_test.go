package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/corpora"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// builder runs builds through a program named kustomize: ours, by a link, or the real one.
type builder struct{ path, identity string }

func (b builder) build(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(b.path, append([]string{"build"}, args...)...)
	cmd.Env = append(os.Environ(), "AGESEAL_IDENTITY="+b.identity)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s build %q: %v\n%s", b.path, args, err, &errs)
	}
	return out.String()
}

func builders(t *testing.T) (ours, theirs builder) {
	t.Helper()
	tools, err := filepath.Abs("../../.tools")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", tools+string(os.PathListSeparator)+os.Getenv("PATH")+string(os.PathListSeparator)+goBin())
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "kustomize")
	if err := os.Symlink(program, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	found, err := exec.LookPath("kustomize")
	if err != nil {
		t.Skip("kustomize is not installed; \"make tools\" installs it")
	}
	return builder{link, testkeys.Dave().SecretText()}, builder{path: found}
}

// TestKustomizeName: for cases of kustomize's own suite, a link named kustomize prints what kustomize does.
func TestKustomizeName(t *testing.T) {
	dir := corpora.Path(t, "corpora", "krusty")
	var cases []struct {
		Case, Run string
		Flags     []string
	}
	corpora.JSON(t, &cases, "corpora", "krusty", "index.json")
	ours, theirs := builders(t)
	compared := 0
	for i := 0; i < len(cases); i += 3 {
		c := cases[i]
		args := append([]string{filepath.Join(checkout(t, filepath.Join(dir, c.Case, "in")), c.Run)}, c.Flags...)
		if diff := cmp.Diff(theirs.build(t, args...), ours.build(t, args...)); diff != "" {
			t.Errorf("%s (-kustomize +ageseal):\n%s", c.Case, diff)
		}
		compared++
	}
	if compared < 20 {
		t.Errorf("%d builds compared, want 20 at least", compared)
	}
}

// TestKustomizeNameSealed: with its Secrets sealed, a tree gives through the link what kustomize makes of the plaintext.
func TestKustomizeNameSealed(t *testing.T) {
	ours, theirs := builders(t)
	dirs, err := filepath.Glob("../../testdata/kustomize/*/plain")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, plain := range dirs {
		if _, err := os.Stat(filepath.Join(plain, "..", "sealed")); err == nil {
			continue // stock kustomize needs another tree
		}
		target := ""
		if _, err := os.Stat(filepath.Join(plain, "kustomization.yaml")); err != nil {
			target = "overlay"
		}
		sealed := checkout(t, plain)
		sealBelow(t, sealed, secret.EncryptOptions{})
		if diff := cmp.Diff(theirs.build(t, filepath.Join(plain, target)), ours.build(t, filepath.Join(sealed, target))); diff != "" {
			t.Errorf("%s (-kustomize +ageseal):\n%s", plain, diff)
		}
		compared++
	}
	if compared < 10 {
		t.Errorf("%d builds compared, want 10 at least", compared)
	}
}

// checkout copies a tree to where it is all of a git repository: the root of a build is its top level.
func checkout(t *testing.T, dir string) string {
	t.Helper()
	top := t.TempDir()
	if err := os.CopyFS(top, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(top, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	return top
}

// sealBelow encrypts the Secrets below a directory to Dave.
func sealBelow(t *testing.T, dir string, o secret.EncryptOptions) (n int) {
	t.Helper()
	paths, err := manifestsBelow(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := manifest.Parse(src)
		if err != nil || strings.Contains(path, ".clear.") || filepath.Base(path) == "kustomization.yaml" {
			continue
		}
		o.Target = secret.Target{Recipients: []*crypt.Recipient{testkeys.Dave().Recipient()}}
		r, err := secret.NewWriter().Encrypt(f, o)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		n += len(r.Sealed)
		if err := os.WriteFile(path, f.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return n
}
