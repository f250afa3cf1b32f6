package git_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/git"
)

func TestOpen(t *testing.T) {
	w := newWork(t)
	w.write("a/b/file", "x")
	for _, dir := range []string{w.dir, filepath.Join(w.dir, "a", "b")} {
		if got := open(t, dir).Top; got != w.dir {
			t.Errorf("Open(%s).Top = %s, want %s", dir, got, w.dir)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(w.dir, "a"), link); err != nil {
		t.Fatal(err)
	}
	if got := open(t, link).Top; got != w.dir {
		t.Errorf("through a symlink: %s", got)
	}
}

func TestOpenErrors(t *testing.T) {
	w := newWork(t)
	bare := filepath.Join(t.TempDir(), "bare.git")
	w.git("init", "-q", "--bare", bare)
	tests := []struct {
		name, dir string
		prepare   func(t *testing.T)
		want      error
		hint      string
	}{
		{"no repository", t.TempDir(), nil, git.ErrNotARepository, "git init"},
		{"bare", bare, nil, git.ErrNotARepository, ""},
		{"inside .git", filepath.Join(w.dir, ".git"), nil, git.ErrNotARepository, ""},
		{"no git", w.dir, func(t *testing.T) { t.Setenv("PATH", t.TempDir()) }, git.ErrNoGit, "install git"},
		{"somebody else's", w.dir, func(t *testing.T) { t.Setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1") }, git.ErrUnsafe, "safe.directory " + w.dir},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.prepare != nil {
				tt.prepare(t)
			}
			_, err := git.Open(t.Context(), tt.dir)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			var e *git.Error
			if !errors.As(err, &e) || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("hint of %#v lacks %q", err, tt.hint)
			}
		})
	}
	if _, err := git.Open(t.Context(), filepath.Join(w.dir, "absent")); err == nil {
		t.Error("opened a directory that does not exist")
	}
}

func TestRel(t *testing.T) {
	w := newWork(t)
	w.write("a/file", "x")
	r := w.open()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(w.dir, link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(w.dir, "a", "file"):   "a/file",
		filepath.Join(w.dir, "new"):         "new",
		filepath.Join(link, "a", "file"):    "a/file",
		filepath.Join(w.dir, "..", "other"): "",
		t.TempDir():                         "",
	} {
		got, err := r.Rel(path)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Rel(%s) = %q, %v, want %q", path, got, err, want)
		}
	}
}

func TestLinkedWorkTree(t *testing.T) {
	w := newWork(t)
	w.write("file", "x")
	w.commit("one")
	linked := filepath.Join(filepath.Dir(w.dir), "linked")
	w.git("worktree", "add", "-q", linked)
	l := &work{t, linked}
	l.write("new", "in the linked tree")
	l.git("add", "new")
	if got := open(t, linked).Top; got != linked {
		t.Errorf("Top = %s", got)
	}
	if got := l.staged(100); len(got) != 1 || got["new"] == "" {
		t.Errorf("linked: %q", got)
	}
	if got := w.staged(100); len(got) != 0 {
		t.Errorf("main: %q", got)
	}
	main, _ := w.open().HooksDir(t.Context())
	other, err := open(t, linked).HooksDir(t.Context())
	if err != nil || main != other || main != filepath.Join(w.dir, ".git", "hooks") {
		t.Errorf("hooks: %s and %s, %v", main, other, err)
	}
}

// Git tells its hooks through the environment which repository and index they are about. Here the tests' own process
// stands for a hook.
func TestHookEnvironment(t *testing.T) {
	w := newWork(t)
	w.write("old", "x")
	w.commit("one")
	w.write("new", "staged")
	w.git("add", "new")

	other := filepath.Join(filepath.Dir(w.dir), "other")
	w.git("init", "-q", other)
	o := &work{t, other}
	o.write("theirs", "x")
	o.git("add", "theirs")

	index := filepath.Join(w.dir, ".git", "partial")
	t.Setenv("GIT_INDEX_FILE", index)
	w.write("partial", "only this")
	w.git("read-tree", "HEAD")
	w.git("add", "partial")

	check := func(t *testing.T) {
		t.Helper()
		if got := w.staged(100); len(got) != 1 || got["partial"] != "only this" {
			t.Errorf("own repository: %q, want the partial commit's", got)
		}
		if got := o.staged(100); len(got) != 1 || got["theirs"] != "x" {
			t.Errorf("other repository: %q, want its own index", got)
		}
		if got := open(t, other).Top; got != other {
			t.Errorf("Open(other).Top = %s", got)
		}
	}
	t.Run("index", func(t *testing.T) {
		t.Chdir(w.dir)
		check(t)
	})
	t.Run("relative index", func(t *testing.T) {
		t.Chdir(w.dir)
		t.Setenv("GIT_INDEX_FILE", ".git/partial")
		check(t)
	})
	t.Run("relative index, hook in a subdirectory", func(t *testing.T) {
		w.mkdir(filepath.Join(w.dir, "sub"))
		t.Chdir(filepath.Join(w.dir, "sub"))
		t.Setenv("GIT_INDEX_FILE", ".git/partial")
		check(t)
	})
	t.Run("index and directory", func(t *testing.T) {
		t.Chdir(w.dir)
		t.Setenv("GIT_DIR", ".git")
		check(t)
	})
	t.Run("directory, from a subdirectory", func(t *testing.T) {
		t.Chdir(w.dir)
		t.Setenv("GIT_DIR", filepath.Join(w.dir, ".git"))
		r, err := git.Open(t.Context(), "sub")
		if err != nil || r.Top != w.dir {
			t.Errorf("%v, %v", r, err)
		}
	})
	t.Run("nonsense", func(t *testing.T) {
		t.Chdir(w.dir)
		t.Setenv("GIT_DIR", "/nonexistent")
		if got := w.staged(100); got["new"] != "staged" {
			t.Errorf("%q, want the repository's own index", got)
		}
	})
}

func TestSeparateGitDirectory(t *testing.T) {
	w := newWork(t)
	tree := filepath.Join(filepath.Dir(w.dir), "tree")
	w.mkdir(filepath.Join(tree, "sub"))
	t.Setenv("GIT_DIR", filepath.Join(w.dir, ".git"))
	t.Setenv("GIT_WORK_TREE", tree)
	x := &work{t, tree}
	x.write("file", "x")
	x.git("add", "file")
	if got := x.staged(100); len(got) != 1 {
		t.Errorf("staged %q", got)
	}
	if got := open(t, filepath.Join(tree, "sub")).Top; got != tree {
		t.Errorf("Top = %s", got)
	}
	if _, err := git.Open(t.Context(), t.TempDir()); !errors.Is(err, git.ErrNotARepository) {
		t.Errorf("elsewhere: %v", err)
	}
}

// An identity in the environment must not reach a program that git's configuration names, nor git's words with the
// credentials of a remote reach anybody.
func TestNothingSecretPasses(t *testing.T) {
	w := newWork(t)
	seen := filepath.Join(t.TempDir(), "seen")
	bin := t.TempDir()
	script := "#!/bin/sh\nenv > '" + seen + "'\necho \"fatal: unable to access 'https://user:CANARY@example.org/'\" >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("AGESEAL_IDENTITY", "CANARY-b1946ac9")
	_, err := git.Open(t.Context(), w.dir)
	if want := "git rev-parse: unable to access 'https://example.org/'"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	env, err := os.ReadFile(seen)
	if err != nil || !strings.Contains(string(env), "LC_ALL=C") || strings.Contains(string(env), "CANARY") {
		t.Errorf("git saw %s, %v", env, err)
	}
}
