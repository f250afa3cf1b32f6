package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// prepared is the repository that every guide begins in: that of README.md's first commit, with a remote that has it.
var prepared = []string{
	`ageseal init -q && ageseal encrypt -q -w apps && git add . && git commit -q -m "Add the shop"`,
	`git clone -q --bare . ../origin.git && git remote add origin ../origin.git && git fetch -q`,
}

// preparedFor are the pages that begin elsewhere: with nothing set up, or with what is to be migrated.
var preparedFor = map[string][]string{
	"start.md":   {},
	"migrate.md": append(slices.Clone(prepared), `cp "$STANDINS"/migrate/* apps/shop/prod/ && git add . && git commit -q -m "What others made"`),
}

// A standIn is what is run for a piece of a command, in all guides, and why.
type standIn struct {
	piece, instead string
	unless         string // succeeds on a machine where the piece runs as it stands
	why            string
}

// standIns are applied in this order, each to what the ones above it left of a command.
var standIns = []standIn{
	{"kubectl apply --server-side -f -", `"$STANDINS"/apply`, "",
		"needs a cluster: checks what would be applied, and says what kubectl says"},
	{"kubectl -n argocd create secret generic ", `kubectl -n argocd create secret generic --dry-run=client `, "",
		"needs a cluster: the same without one"},
	{"kubectl -n argocd create secret generic --dry-run=client ", `: `, "command -v kubectl",
		"kubectl is not installed"},
	{"kubectl kustomize ", `kustomize build `, "command -v kubectl",
		"kubectl is not installed: its kustomize is"},
	{"kubectl ageseal ", `kubectl-ageseal `, "command -v kubectl",
		"kubectl is not installed: this is what it would run"},
	{"helm upgrade --install ", `helm template `, "",
		"needs a cluster: the same release, with the same post-renderer, to standard output"},
	{"helm template ", `"$STANDINS"/helm template `, "helm version --short | grep -q '^v3'",
		"Helm 3 is not installed: concatenates a chart, and runs a post-renderer"},
	{"kpt fn ", `"$STANDINS"/kpt fn `, "command -v kpt",
		"kpt is not installed: makes the ResourceList that it would make"},
	{"flux push artifact ", `"$STANDINS"/apply > /dev/null # `, "",
		"needs a registry: checks what would be pushed"},
	{"flux tag artifact ", `: `, "", "needs a registry"},
	{"kubectl -n shop-prod get secret sms -o yaml", `"$STANDINS"/cluster-secret`, "",
		"needs a cluster: prints what one with Sealed Secrets has"},
	{"kubectl -n shop-prod delete ", `: `, "", "needs a cluster"},
	{"sops ", `"$STANDINS"/sops `, "command -v sops",
		"sops is not installed"},
	{"gh secret set ", `grep -qx 'AGE-SECRET-KEY-PQ-1[0-9A-Z]*' # `, "",
		"needs an account: checks that it is given the key alone"},
	{"glab variable set ", `grep -qx 'AGE-SECRET-KEY-PQ-1[0-9A-Z]*' # `, "",
		"needs an account: checks that it is given the key alone"},
}

// guides are the pages, by path.
func guides(t *testing.T) (checkout string, pages []string) {
	t.Helper()
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	pages, err = filepath.Glob(filepath.Join(checkout, "docs", "guides", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no guides: %v", err)
	}
	return checkout, pages
}

// TestGuides runs every "$" line of the guides, in order, each page in a fresh repository.
func TestGuides(t *testing.T) {
	checkout, pages := guides(t)
	bin := program(t, checkout)
	var used sync.Map
	var ran atomic.Int32
	t.Cleanup(func() { // when all pages are through
		for _, in := range standIns {
			if _, ok := used.Load(in.piece); !ok && !t.Failed() && int(ran.Load()) == len(pages) {
				t.Errorf("%q is in no guide: take it off the list", in.piece)
			}
		}
	})
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			defer ran.Add(1)
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			steps := parse(string(text), "")
			if lines := dollarLines(string(text)); len(steps) == 0 || len(steps) != lines {
				t.Fatalf("%d commands in console blocks, %d lines that begin with \"$ \": a command nobody runs", len(steps), lines)
			}
			start, special := preparedFor[filepath.Base(page)]
			if !special {
				start = prepared
			}
			s := guideScratchOf(t, bin, checkout, start)
			for _, step := range steps {
				command := s.replaced(t, step.command, &used)
				if strings.Contains(command, "kustomize build ") && !s.succeeds(t, "command -v kustomize") {
					t.Skip("kustomize is not installed: make tools")
				}
				out, status := s.run(t.Context(), command)
				if err := step.check(out, status); err != nil {
					t.Fatalf("%s: %v\n%s", filepath.Base(page), err, shorten(out, 200))
				}
			}
		})
	}
}

// guideScratch is a prepared scratch repository, with a directory of programs of its own: a guide makes links there.
func guideScratch(t *testing.T, bin, checkout string) *scratch {
	t.Helper()
	return guideScratchOf(t, bin, checkout, prepared)
}

func guideScratchOf(t *testing.T, bin, checkout string, start []string) *scratch {
	t.Helper()
	own := t.TempDir()
	if err := os.Link(filepath.Join(bin, "ageseal"), filepath.Join(own, "ageseal")); err != nil {
		t.Fatal(err)
	}
	s, err := newScratch(t.Context(), own, filepath.Join(checkout, "examples"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	})
	s.env = append(s.env, "STANDINS="+filepath.Join(checkout, "internal", "demo", "testdata"), "SOPS_AGE_KEY="+exampleIdentity)
	for _, command := range start {
		if out, status := s.run(t.Context(), command); status != 0 {
			t.Fatalf("%s: status %d\n%s", command, status, out)
		}
	}
	return s
}

// replaced gives a command with its stand-ins.
func (s *scratch) replaced(t *testing.T, command string, used *sync.Map) string {
	t.Helper()
	for _, in := range standIns {
		if !strings.Contains(command, in.piece) {
			continue
		}
		used.Store(in.piece, true)
		if in.unless != "" && s.succeeds(t, in.unless) {
			continue
		}
		t.Logf("%s stands for %s: %s", in.instead, in.piece, in.why)
		command = strings.ReplaceAll(command, in.piece, in.instead)
	}
	return command
}

func (s *scratch) succeeds(t *testing.T, command string) bool {
	t.Helper()
	_, status := s.run(t.Context(), command)
	return status == 0
}
