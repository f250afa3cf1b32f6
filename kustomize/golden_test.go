package kustomize

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/ageseal/ageseal/internal/corpora"
)

func writeFile(path string, src []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, src, 0o644)
}

// flags gives the options that flags of "kustomize build" stand for.
func flags(t *testing.T, args []string) *krusty.Options {
	t.Helper()
	o := krusty.MakeDefaultOptions()
	o.Reorder = krusty.ReorderOptionUnspecified
	for i := 0; i+1 < len(args); i += 2 {
		switch args[i] {
		case "--reorder":
			o.Reorder = krusty.ReorderOption(args[i+1])
		case "--load-restrictor":
			if args[i+1] == "LoadRestrictionsNone" {
				o.LoadRestrictions = types.LoadRestrictionsNone
			}
		default:
			t.Fatalf("unknown flag %s", args[i])
		}
	}
	if len(args)%2 != 0 {
		t.Fatalf("odd flags %q", args)
	}
	return o
}

func mustBuild(t *testing.T, target string, o Options) []byte {
	t.Helper()
	r, err := Build(context.Background(), target, o)
	if err != nil {
		t.Fatalf("build %s: %v", target, err)
	}
	return r.YAML
}

func hash(src []byte) string {
	sum := sha256.Sum256(src)
	return hex.EncodeToString(sum[:])
}

type goldenBuild struct {
	Repo, Path string
	Flags      []string
	Secrets    int
	SHA256     string
}

// TestGoldenBuilds builds three public GitOps repositories without sealed documents: nothing may differ from kustomize.
func TestGoldenBuilds(t *testing.T) {
	var builds []goldenBuild
	corpora.JSON(t, &builds, "corpora", "gitops", "golden-builds.json")
	if len(builds) != 133 {
		t.Fatalf("%d golden builds, want 133", len(builds))
	}
	roots := goldenRoots(t, builds)
	for _, b := range builds {
		root := roots[b.Repo]
		out := mustBuild(t, goldenPath(t, root, b.Path), Options{Kustomize: flags(t, b.Flags), Root: root})
		if got := hash(out); got != b.SHA256 {
			t.Errorf("%s %s: sha256 %s, want %s", b.Repo, b.Path, got, b.SHA256)
		}
	}
}

// goldenRoots unpacks the repositories of the builds: name → directory.
func goldenRoots(t *testing.T, builds []goldenBuild) map[string]string {
	t.Helper()
	roots := make(map[string]string)
	for _, b := range builds {
		if roots[b.Repo] != "" {
			continue
		}
		archives, err := filepath.Glob(filepath.Join(corpora.Path(t, "corpora", "gitops"), b.Repo+"@*.tar.gz"))
		if err != nil || len(archives) != 1 {
			t.Fatalf("archives of %s: %v %v", b.Repo, archives, err)
		}
		roots[b.Repo] = t.TempDir()
		corpora.Untar(t, archives[0], roots[b.Repo])
	}
	return roots
}

// goldenPath finds a build's directory in an unpacked archive, with or without a top directory of its own.
func goldenPath(t *testing.T, root, path string) string {
	t.Helper()
	if full := filepath.Join(root, path); exists(full) {
		return full
	}
	found, _ := filepath.Glob(filepath.Join(root, "*", path))
	if len(found) != 1 {
		t.Fatalf("%s is not in the archive", path)
	}
	return found[0]
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

type krustyCase struct {
	Case, Run       string
	Flags           []string
	SecretGenerator bool
	Secrets         int
}

func krustyCases(t *testing.T) (dir string, all []krustyCase) {
	t.Helper()
	dir = corpora.Path(t, "corpora", "krusty")
	corpora.JSON(t, &all, "corpora", "krusty", "index.json")
	if len(all) != 93 {
		t.Fatalf("%d cases, want 93", len(all))
	}
	return dir, all
}

// TestKrusty builds cases of kustomize's own test suite.
func TestKrusty(t *testing.T) {
	dir, all := krustyCases(t)
	for _, c := range all {
		in := filepath.Join(dir, c.Case, "in")
		want, err := os.ReadFile(filepath.Join(dir, c.Case, "expected.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Build(context.Background(), filepath.Join(in, c.Run), Options{Kustomize: flags(t, c.Flags), Root: in})
		if err != nil {
			t.Errorf("%s: %v", c.Case, err)
			continue
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(r.YAML), "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.Case, diff)
		}
	}
}
