package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository is one with a Makefile of the same targets, and the current directory.
func repository(t *testing.T, test string) *options {
	t.Helper()
	t.Chdir(t.TempDir())
	makefile := "AGE_VERSION := v1\ndemo:\n\t@echo shown; pwd\ntest:\n\t@" + test + "\ne2e snapshot:\n\t@echo $@ passed\n" +
		"bench:\n\t@mkdir docs; for f in md svg; do echo measured > docs/benchmarks.$$f; done\n"
	for name, text := range map[string]string{"Makefile": makefile, "docs/kept.md": "", ".gitignore": "dist\n"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"add", ".gitignore", "Makefile"},
		{"-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "one"}, {"clean", "-qfd"},
	} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	if err := os.Mkdir("docs", 0o755); err != nil {
		t.Fatal(err)
	}
	return &options{write: "docs/proof.md", here: true, logs: "dist/proof"}
}

func TestPage(t *testing.T) {
	o := repository(t, "for i in $$(seq 100); do echo line $$i; done")
	if err := run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(o.write)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"age v1", "commit ", "| [`make demo`](#make-demo) |", "## `make test`\n", "```text\nshown\n~/ageseal\n```", "… (30 lines)\nline 31\n", "line 100\n```", "snapshot passed",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if got, err := os.ReadFile("docs/benchmarks.svg"); err != nil || string(got) != "measured\n" {
		t.Errorf("the plot of this run: %q, %v", got, err)
	}
	if log, err := os.ReadFile("dist/proof/make-test.log"); err != nil || strings.Count(string(log), "\n") != 100 {
		t.Errorf("the whole output: %v, %s", err, log)
	}
	// What the run wrote is no reason to refuse the next.
	if err := run(t.Context(), o); err != nil {
		t.Error(err)
	}
}

func TestNoPage(t *testing.T) {
	t.Run("a command fails", func(t *testing.T) {
		o := repository(t, "echo broken; exit 3")
		if err := run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "broken") {
			t.Errorf("%v", err)
		}
		missing(t, o.write)
	})
	t.Run("changes that are not committed", func(t *testing.T) {
		o := repository(t, "true")
		if err := os.WriteFile("new", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "?? new") {
			t.Errorf("%v", err)
		}
		missing(t, o.write)
	})
	t.Run("some commands only", func(t *testing.T) {
		o := repository(t, "false")
		o.only = "make demo,make e2e"
		if err := run(t.Context(), o); err != nil {
			t.Error(err)
		}
		missing(t, o.write)
	})
}

func missing(t *testing.T, name string) {
	t.Helper()
	if _, err := os.Stat(name); err == nil {
		t.Errorf("%s was written", name)
	}
}

func TestExcerpt(t *testing.T) {
	out := "go: downloading example.org/m v1\nCGO_ENABLED=0 go build -o x .\nPATH=\"/a b:$PATH\" go test ./...\n\n" +
		"one of three\rtwo of three\rdone \n\x1b[31mred\x1b[0m\n/scratch/x/root/ageseal/bin\n```\n"
	if got, want := excerpt(out, 0, "/scratch/x/root/ageseal"), "done\nred\n~/ageseal/bin\n` ` `\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var long strings.Builder
	for i := range 5 + lastLines {
		fmt.Fprintln(&long, i)
	}
	for head, want := range map[int]string{0: "… (5 lines)\n5\n", 2: "0\n1\n… (3 lines)\n5\n", 4: "0\n1\n2\n3\n4\n5\n"} {
		if got := excerpt(long.String(), head, ""); !strings.HasPrefix(got, want) {
			t.Errorf("the first %d lines: %.30q, want %q", head, got, want)
		}
	}
}

func TestMounted(t *testing.T) {
	real, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir, link := filepath.Join(real, "a b"), filepath.Join(real, "link")
	if err := errors.Join(os.Mkdir(dir, 0o755), os.Symlink(dir, link)); err != nil {
		t.Fatal(err)
	}
	escaped := filepath.Join(real, `a\040b`)
	line := func(on string) string {
		return "29 1 8:1 / / rw - ext4 /dev/sda rw\n36 29 8:1 /x " + on + " rw - ext4 /dev/sda rw\n"
	}
	for _, c := range []struct {
		mounts string
		is     bool
	}{
		{line(escaped + "/root/go"), true}, {line(escaped), true}, {"no list\n", true},
		{line(escaped + "c"), false}, {line("/elsewhere"), false},
	} {
		for _, name := range []string{dir, link} {
			if err := mounted(c.mounts, name); (err != nil) != c.is {
				t.Errorf("%s: %v, with %q", name, err, c.mounts)
			}
		}
	}
}

func TestRemove(t *testing.T) {
	p := place{root: filepath.Join(t.TempDir(), "none"), bare: true} // where nobody knows, nothing is removed
	if err := p.remove(); err == nil || !strings.Contains(err.Error(), "is left as it is") {
		t.Errorf("%v", err)
	}
	p = place{root: t.TempDir()}
	if err := p.remove(); err != nil {
		t.Error(err)
	}
	missing(t, p.root)
}
