package git_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/git"
)

func install(w *work, script string) (path string, changed bool) {
	w.Helper()
	path, changed, err := w.open().InstallHook(w.Context(), "pre-commit", script)
	if err != nil {
		w.Fatal(err)
	}
	return path, changed
}

// logging returns a hook's line that writes a word to a file, and that file's lines so far.
func logging(w *work) (line func(word string) string, lines func() string) {
	file := filepath.Join(w.TempDir(), "log")
	return func(word string) string { return "echo " + word + " >> '" + file + "'\n" },
		func() string {
			b, _ := os.ReadFile(file)
			os.Remove(file)
			return strings.Join(strings.Fields(string(b)), " ")
		}
}

func (w *work) hook(content string, mode os.FileMode) string {
	w.Helper()
	path := filepath.Join(w.dir, ".git", "hooks", "pre-commit")
	w.mkdir(filepath.Dir(path))
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		w.Fatal(err)
	}
	return path
}

func TestInstallHook(t *testing.T) {
	w := newWork(t)
	log, lines := logging(w)
	path, changed := install(w, log("ours"))
	if !changed || path != filepath.Join(w.dir, ".git", "hooks", "pre-commit") {
		t.Errorf("%s, %v", path, changed)
	}
	w.write("f", "1")
	w.commit("one")
	if got := lines(); got != "ours" {
		t.Errorf("a commit ran %q", got)
	}
	if _, changed := install(w, log("ours")); changed {
		t.Error("installing again changed something")
	}
	if _, changed := install(w, log("newer")); !changed {
		t.Error("a new script was not installed")
	}
	w.write("f", "2")
	w.commit("two")
	if got := lines(); got != "newer" {
		t.Errorf("a commit ran %q", got)
	}
	if _, err := os.Stat(path + git.KeptSuffix); err == nil {
		t.Error("our own older hook was kept as somebody else's")
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, changed := install(w, log("newer")); !changed {
		t.Error("a hook that git would skip was left so")
	}
	install(w, "exit 3")
	w.write("f", "3")
	w.git("add", "-A")
	if _, err := w.try("commit", "-q", "-m", "three"); err == nil {
		t.Error("a failing hook let the commit through")
	}
}

func TestInstallHookBesideAnother(t *testing.T) {
	w := newWork(t)
	log, lines := logging(w)
	foreign := "#!/bin/sh\n" + log("theirs") + "test ! -e fail || exit 7\n"
	path := w.hook(foreign, 0o755)
	if _, changed := install(w, log("ours")); !changed {
		t.Error("not installed")
	}
	if got, err := os.ReadFile(path + git.KeptSuffix); err != nil || string(got) != foreign {
		t.Errorf("kept %q, %v", got, err)
	}
	w.mkdir(filepath.Join(w.dir, "sub"))
	t.Setenv("CDPATH", "/:"+w.dir) // would make cd print, and go elsewhere
	w.write("f", "1")
	w.commit("one")
	if got := lines(); got != "theirs ours" {
		t.Errorf("a commit ran %q", got)
	}
	if _, changed := install(w, log("ours")); changed {
		t.Error("installing again changed something")
	}
	w.write("fail", "")
	if out, err := w.try("commit", "-q", "--allow-empty", "-m", "two"); err == nil {
		t.Errorf("their refusal was ignored: %s", out)
	}
	if got := lines(); got != "theirs" {
		t.Errorf("a refused commit ran %q", got)
	}

	// The other tool installs its own again: that one is kept already.
	w.hook(foreign, 0o755)
	if _, changed := install(w, log("ours")); !changed {
		t.Error("not installed again")
	}
	if got, err := os.ReadFile(path + git.KeptSuffix); err != nil || string(got) != foreign {
		t.Errorf("kept %q, %v", got, err)
	}

	// A third tool puts its own in our place: nothing of two is thrown away.
	w.hook("#!/bin/sh\n", 0o755)
	_, _, err := w.open().InstallHook(t.Context(), "pre-commit", log("ours"))
	var e *git.Error
	if !errors.As(err, &e) || e.Hint == "" {
		t.Errorf("got %v", err)
	}
	if got, _ := os.ReadFile(path + git.KeptSuffix); string(got) != foreign {
		t.Error("the kept hook was overwritten")
	}
}

// As the pre-commit framework does: it keeps our hook, which it calls, and we keep its.
func TestHooksThatCallEachOther(t *testing.T) {
	w := newWork(t)
	log, lines := logging(w)
	path, _ := install(w, log("ours"))
	if err := os.Rename(path, path+".legacy"); err != nil {
		t.Fatal(err)
	}
	w.hook("#!/bin/sh\n"+log("framework")+`"$0.legacy" || "$(dirname "$0")/pre-commit.legacy"`+"\n", 0o755)
	install(w, log("ours"))
	w.write("f", "1")
	w.commit("one")
	if got := lines(); got != "framework ours" {
		t.Errorf("a commit ran %q", got)
	}
}

// As git's sample of pre-merge-commit does: it runs pre-commit, and with ours in between that is no circle.
func TestHookThatCallsAnother(t *testing.T) {
	w := newWork(t)
	log, lines := logging(w)
	path := w.hook("#!/bin/sh\n"+log("theirs"), 0o755)
	merge := filepath.Join(filepath.Dir(path), "pre-merge-commit")
	if err := os.WriteFile(merge, []byte("#!/bin/sh\nexec .git/hooks/pre-commit\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	install(w, log("ours"))
	if _, _, err := w.open().InstallHook(t.Context(), "pre-merge-commit", log("merge")); err != nil {
		t.Fatal(err)
	}
	w.write("f", "1")
	w.commit("one")
	w.git("checkout", "-q", "-b", "side")
	w.write("g", "1")
	w.commit("two")
	lines()
	w.git("checkout", "-q", "main")
	w.git("merge", "-q", "--no-ff", "-m", "merge", "side")
	if got := lines(); got != "theirs ours merge" {
		t.Errorf("a merge ran %q", got)
	}
}

func TestHookNotExecutable(t *testing.T) {
	w := newWork(t)
	log, lines := logging(w)
	w.hook("#!/bin/sh\n"+log("theirs"), 0o644)
	install(w, log("ours"))
	w.write("f", "1")
	w.commit("one")
	if got := lines(); got != "ours" {
		t.Errorf("a commit ran %q: git did not run theirs before", got)
	}
}

func TestHooksPath(t *testing.T) {
	w := newWork(t)
	w.git("config", "core.hooksPath", "tools/hooks")
	log, lines := logging(w)
	sub := filepath.Join(w.dir, "sub")
	w.mkdir(sub)
	path, _, err := open(t, sub).InstallHook(t.Context(), "pre-commit", log("ours"))
	if want := filepath.Join(w.dir, "tools", "hooks", "pre-commit"); err != nil || path != want {
		t.Fatalf("%s, %v, want %s", path, err, want)
	}
	w.write("f", "1")
	w.commit("one")
	if got := lines(); got != "ours" {
		t.Errorf("a commit ran %q", got)
	}

	w.git("config", "core.hooksPath", os.DevNull)
	_, _, err = w.open().InstallHook(t.Context(), "pre-commit", log("ours"))
	if err == nil || !strings.Contains(err.Error(), "switched off") {
		t.Errorf("hooks switched off: %v", err)
	}
	for _, name := range []string{"", "../x", "a/b", "x.local"} {
		if _, _, err := w.open().InstallHook(t.Context(), name, ""); err == nil {
			t.Errorf("installed %q", name)
		}
	}
}

// TestHasHook: what counts is whether git runs it, not only whether it is there.
func TestHasHook(t *testing.T) {
	w := newWork(t)
	has := func(want bool) {
		t.Helper()
		path, got, err := w.open().HasHook(t.Context(), "pre-commit", "ageseal")
		if err != nil || got != want {
			t.Errorf("%s: %v, %v", path, got, err)
		}
	}
	has(false)
	path, _ := install(w, "exit 0")
	has(true)
	w.hook("#!/bin/sh\nexit 0\n", 0o755)
	has(false)
	w.hook("#!/bin/sh\nageseal verify --staged\n", 0o755)
	has(true)
	if runtime.GOOS != "windows" {
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		has(false)
	}
}

func TestFiles(t *testing.T) {
	w := newWork(t)
	for _, name := range []string{"tracked", "other", "ignored", "dir/ignored but tracked", "dir/ö"} {
		w.write(name, "x")
	}
	w.write(".gitignore", "*ignored*\n")
	w.git("add", "tracked")
	w.git("add", "-f", "dir/ignored but tracked")
	w.git("init", "-q", "inner")
	w.write("inner/f", "x")
	got, err := w.open().Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if want := ".gitignore|dir/ignored but tracked|dir/ö|other|tracked"; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", strings.Join(got, "|"), want)
	}
}
