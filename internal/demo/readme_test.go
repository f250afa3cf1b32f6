package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// elsewhere are the lines that can't be run as they stand, what is run for each of them, and why.
var elsewhere = map[string]struct{ instead, why string }{
	"git clone https://github.com/ageseal/ageseal && cd ageseal": {
		`cd "$CHECKOUT"`, "the checkout under test stands for the clone of what is published"},
	"git clone -q https://github.com/ageseal/ageseal && cp -r ageseal/examples/sealed shop && cd shop && git init -q && git add . && chmod 600 demo-identity.txt": {
		`cp -r "$CHECKOUT"/examples/sealed shop && cd shop && git init -q && git add . && chmod 600 demo-identity.txt`, "the checkout under test stands for the clone of what is published"},
	"make test   # everything that runs without a cluster": {
		"make -n test", "this is a part of \"make test\", which would call itself"},
	"go install github.com/ageseal/ageseal/cmd/ageseal@latest": {
		`cd "$CHECKOUT" && GOBIN="$HOME/bin" go install ./cmd/ageseal && "$HOME/bin/ageseal" version`, "the commit under test is not published"},
}

// program builds ageseal as the Makefile does, once, into a directory of its own.
func program(t *testing.T, checkout string) string {
	t.Helper()
	stamp(t, checkout)
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "ageseal-built-"); built.err != nil { //nolint:usetesting // for all tests, not for the one that comes first
			return
		}
		cmd := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(built.dir, "ageseal"), "./cmd/ageseal")
		cmd.Dir, cmd.Env = checkout, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.dir
}

var built struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	status := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(status)
}

// stamp looks at every source file, so that "go test" does not take an old result for that of a program which changed since.
func stamp(t *testing.T, checkout string) {
	t.Helper()
	out, err := exec.Command("go", "list", "-C", checkout, "-deps", "-f", `{{if not .Standard}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}`, "./cmd/ageseal").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name := range strings.Lines(string(out)) {
		if !strings.HasPrefix(name, checkout+"/") {
			continue // of a dependency: go.mod pins it
		}
		if _, err := os.Stat(strings.TrimSpace(name)); err != nil {
			t.Fatal(err)
		}
		seen++
	}
	if seen == 0 {
		t.Fatal("the program has no sources")
	}
	if _, err := os.Stat(filepath.Join(checkout, "Makefile")); err != nil {
		t.Fatal(err)
	}
}

// TestDocuments runs every "$" line of the pages below, in order, each page in a fresh scratch repository that holds the examples.
func TestDocuments(t *testing.T) {
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	bin := program(t, checkout)
	used := map[string]bool{}
	for _, page := range []string{"README.md", "CONTRIBUTING.md", "examples/sealed/README.md"} {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(checkout, page))
			if err != nil {
				t.Fatal(err)
			}
			steps := parse(string(text), "")
			if lines := dollarLines(string(text)); len(steps) == 0 || len(steps) != lines {
				t.Fatalf("%d commands in console blocks, %d lines that begin with \"$ \": a command nobody runs", len(steps), lines)
			}
			s, err := newScratch(t.Context(), bin, filepath.Join(checkout, "examples"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.remove(); err != nil {
					t.Error(err)
				}
			})
			s.env = append(s.env, "CHECKOUT="+checkout)
			shop := s.dir
			for _, step := range steps {
				if page == "CONTRIBUTING.md" {
					s.dir = checkout
				} else if page == "README.md" && strings.HasPrefix(step.command, "ageseal ") {
					s.dir = shop // the reader went to a repository of their own
				}
				command := step.command
				if strings.Contains(command, " kustomize build ") && !s.succeeds(t, "command -v kustomize") {
					t.Skip("kustomize is not installed: make tools")
				}
				if other, ok := elsewhere[command]; ok {
					used[command] = true
					t.Logf("%s:%d: %q stands for %q: %s", page, step.line, other.instead, command, other.why)
					command = other.instead
				}
				out, status := s.run(t.Context(), command)
				if err := step.check(out, status); err != nil {
					t.Fatalf("%s: %v\n%s", page, err, shorten(out, 200))
				}
			}
		})
	}
	for command := range elsewhere {
		if !used[command] && !t.Failed() {
			t.Errorf("%q is no longer in any page: take it off the list", command)
		}
	}
}

// dollarLines counts the commands a reader sees, wherever they stand.
func dollarLines(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "$ ") {
			n++
		}
	}
	return n
}

// exampleIdentity is the published one of docs/format.md, in two pieces for the scanners' sake.
const exampleIdentity = "AGE-SECRET-KEY-" + "1V9NK2UM9V9KZUER9WCAZQCFQWP6KYMRFWD5X2EPQV4UXZMTSD3JSV3QK4X"

// TestFormatExample opens the sealed manifest that docs/format.md shows.
func TestFormatExample(t *testing.T) {
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(checkout, "docs", "format.md"))
	if err != nil {
		t.Fatal(err)
	}
	var doc string
	for block := range strings.SplitSeq(string(text), "```yaml\n") {
		if strings.Contains(block, "kind: EncryptedSecret\n") {
			doc, _, _ = strings.Cut(block, "```")
			break
		}
	}
	cmd := exec.Command(filepath.Join(program(t, checkout), "ageseal"), "decrypt", "-")
	cmd.Stdin = strings.NewReader(doc)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "AGESEAL_") }),
		"AGESEAL_IDENTITY="+exampleIdentity, "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "password: aHVudGVyMg==") {
		t.Errorf("ageseal decrypt: %v\n%s", err, out)
	}
}
