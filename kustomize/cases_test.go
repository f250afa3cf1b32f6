package kustomize

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kustomizeBinary finds the real thing.
func kustomizeBinary(t *testing.T) string {
	t.Helper()
	if home, err := os.UserHomeDir(); err == nil {
		if path := filepath.Join(home, "go", "bin", "kustomize"); exists(path) {
			return path
		}
	}
	path, err := exec.LookPath("kustomize")
	if err != nil {
		t.Skip("kustomize is not installed; \"make tools\" installs it")
	}
	return path
}

func kustomizeBuild(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(kustomizeBinary(t), append([]string{"build", dir}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("kustomize build %s: %v\n%s", dir, err, &errs)
	}
	return out.Bytes()
}

// caseTarget is where a case is built: its top, or the overlay.
func caseTarget(dir string) string {
	if exists(filepath.Join(dir, "kustomization.yaml")) {
		return dir
	}
	return filepath.Join(dir, "overlay")
}

// TestCases compares, for each directory of testdata/kustomize, what the kustomize binary makes of the plaintext with what
// Build makes of the same tree (or, where stock kustomize has no word for it, of the one in "sealed") after its Secrets
// were encrypted.
func TestCases(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join("..", "testdata", "kustomize", "*"))
	if err != nil || len(dirs) < 20 {
		t.Fatalf("%d cases (%v)", len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			if !exists(filepath.Join(dir, "README.md")) {
				t.Fatal("the case has no README.md")
			}
			tree := filepath.Join(dir, "sealed")
			if !exists(tree) {
				tree = filepath.Join(dir, "plain")
			}
			sealed := t.TempDir()
			copyTree(t, tree, sealed)
			if n := sealTree(t, sealed); n == 0 {
				t.Fatal("nothing was sealed")
			}
			for _, reorder := range []string{"", "none", "legacy"} {
				var args []string
				if reorder != "" {
					args = []string{"--reorder", reorder}
				}
				want := kustomizeBuild(t, caseTarget(filepath.Join(dir, "plain")), args...)
				got := mustBuild(t, caseTarget(sealed), Options{Kustomize: flags(t, args), Root: sealed, Opener: dave().get})
				if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
					t.Errorf("reorder %q (-want +got):\n%s", reorder, diff)
				}
			}
			compareFiles(t, caseTarget(filepath.Join(dir, "plain")), caseTarget(sealed), sealed)
		})
	}
}

// compareFiles does the same for one file a resource.
func compareFiles(t *testing.T, plain, sealed, root string) {
	t.Helper()
	out := t.TempDir()
	kustomizeBuild(t, plain, "-o", out)
	want := make(map[string]string)
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		src, err := os.ReadFile(filepath.Join(out, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		want[e.Name()] = string(src)
	}
	r, err := build1(sealed, Options{Root: root, OutputDir: true})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for name, src := range r.Files {
		got[name] = string(src)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
