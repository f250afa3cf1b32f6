package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/internal/corpora"
	"github.com/ageseal/ageseal/kustomize"
	"github.com/ageseal/ageseal/secret"
	"github.com/ageseal/ageseal/verify"
)

// judge counts what is said of the references in the kustomizations below a directory.
func judge(t *testing.T, dir string) (counts map[string]int, all []verify.Finding) {
	t.Helper()
	s := &renderer{c: &cli{err: t.Output()}}
	if err := s.below(dir); err != nil {
		t.Fatal(err)
	}
	refs, err := verify.CheckReferences(s.renders, kustomize.RedactedDotenv)
	if err != nil {
		t.Fatal(err)
	}
	counts = map[string]int{"rendered": len(s.renders), "skipped": s.skipped, "resolved": refs.Resolved, "unjudged": refs.Unjudged}
	all = slices.Concat(refs.Findings, refs.Warnings)
	for _, f := range all {
		t.Log(findingText(f))
		counts[f.Rule]++
	}
	maps.DeleteFunc(counts, func(_ string, n int) bool { return n == 0 })
	return counts, all
}

// TestReferencesRepositories judges real repositories. Nothing that they refer to is missing.
func TestReferencesRepositories(t *testing.T) {
	dir := corpora.Path(t, "corpora", "gitops")
	// home-ops: the one Secret that nothing refers to is read by an operator, Rook, by the name that its documentation gives it.
	homeOps := map[string]int{"rendered": 110, "resolved": 36, verify.UnusedSecret: 1}
	for archive, want := range map[string]map[string]int{
		"Diaoul+home-ops@33cbb2216a32":                        homeOps,
		"Diaoul+home-ops.twin":                                homeOps,
		"GoogleCloudPlatform+microservices-demo@34ffea917594": {"rendered": 5},
		"stefanprodan+podinfo@eec06d1ea459":                   {"rendered": 4},
	} {
		t.Run(archive, func(t *testing.T) {
			root := t.TempDir()
			if out, err := exec.Command("tar", "-xzf", filepath.Join(dir, archive+".tar.gz"), "--strip-components=1", "-C", root).CombinedOutput(); err != nil {
				t.Fatalf("tar: %v\n%s", err, out)
			}
			before, _ := judge(t, root)
			if diff := cmp.Diff(want, before); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !strings.Contains(archive, ".twin") {
				return
			}
			if n := sealBelow(t, root, secret.EncryptOptions{AnyNamespace: true}); n != 43 {
				t.Fatalf("%d Secrets sealed, want 43", n)
			}
			sealed, _ := judge(t, root)
			if diff := cmp.Diff(want, sealed); diff != "" {
				t.Errorf("sealed (-want +got):\n%s", diff)
			}
			typos(t, root)
		})
	}
}

// typos changes the key of each reference by key, one at a time: each has to be found, where it is.
func typos(t *testing.T, root string) {
	t.Helper()
	changed := 0
	paths, err := manifestsBelow(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; ; {
			i := bytes.Index(src[at:], []byte("secretKeyRef:"))
			if i < 0 {
				break
			}
			at += i + len("secretKeyRef:")
			key := at + bytes.Index(src[at:], []byte("key: ")) + len("key: ")
			if err := os.WriteFile(path, slices.Concat(src[:key], []byte("X"), src[key:]), 0o600); err != nil {
				t.Fatal(err)
			}
			changed++
			counts, all := judge(t, root)
			if counts[verify.MissingKey] != 1 || !strings.Contains(all[0].What, "did you mean") {
				t.Errorf("%s: a typo is not found: %v", path, counts)
			}
		}
		if err := os.WriteFile(path, src, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if changed != 8 {
		t.Errorf("%d references by key, want 8", changed)
	}
}
