package git_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/git"
)

// stagedLog makes this test binary, called by a hook, write the staged paths and their content to a file.
const stagedLog = "TESTONLY_STAGED_LOG"

func TestMain(m *testing.M) {
	if log := os.Getenv(stagedLog); log != "" {
		if err := logStaged(log); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func logStaged(log string) error {
	r, err := git.Open(context.Background(), ".")
	if err != nil {
		return err
	}
	out := []string{filepath.Base(r.Top)}
	if r.Temporary() {
		out = append(out, "(temporary)")
	}
	err = r.Staged(context.Background(), 100, func(b git.Blob) error {
		out = append(out, b.Path+"="+string(b.Data))
		return nil
	})
	if err != nil {
		return err
	}
	return os.WriteFile(log, []byte(strings.Join(out, " ")), 0o644)
}

// What a pre-commit hook sees is what the commit will hold, in every way there is to commit.
func TestStagedInHook(t *testing.T) {
	w := newWork(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "log")
	install(w, stagedLog+"='"+log+"' '"+self+"'")
	expect := func(name, want string) {
		t.Helper()
		got, err := os.ReadFile(log)
		if err != nil || string(got) != want {
			t.Errorf("%s: the hook saw %q, %v, want %q", name, got, err, want)
		}
		os.Remove(log)
	}

	w.write("a", "1")
	w.write("dir/b", "1")
	w.commit("first")
	expect("the first commit", "repo a=1 dir/b=1")

	w.write("a", "2")
	w.write("dir/b", "2")
	w.git("add", "a")
	w.git("commit", "-q", "-m", "staged only")
	expect("git commit", "repo a=2")

	w.git("commit", "-q", "-a", "-m", "all")
	expect("git commit -a", "repo dir/b=2")

	w.write("a", "3")
	w.write("dir/b", "3")
	w.git("add", "a")
	w.git("commit", "-q", "-m", "partial", "--", "dir/b")
	expect("git commit FILE, another file staged", "repo (temporary) dir/b=3")
	w.git("commit", "-q", "-m", "the rest")
	expect("and the rest", "repo a=3")

	sub := &work{t, filepath.Join(w.dir, "dir")}
	w.write("dir/b", "4")
	sub.git("commit", "-q", "-m", "from a subdirectory", "b")
	expect("git commit FILE in a subdirectory", "repo (temporary) dir/b=4")

	w.write("a", "5")
	w.git("commit", "-q", "-a", "--amend", "-m", "amended")
	expect("git commit --amend", "repo a=5")

	outside := &work{t, t.TempDir()}
	w.write("a", "6")
	outside.git("-C", w.dir, "commit", "-q", "-a", "-m", "-C")
	expect("git -C DIR commit", "repo a=6")

	w.write("a", "7")
	outside.git("--git-dir="+filepath.Join(w.dir, ".git"), "--work-tree="+w.dir, "commit", "-q", "-a", "-m", "--git-dir")
	expect("git --git-dir --work-tree commit", "repo a=7")

	linked := &work{t, filepath.Join(filepath.Dir(w.dir), "linked")}
	w.git("worktree", "add", "-q", linked.dir)
	linked.write("a", "8")
	linked.write("dir/b", "8")
	linked.git("commit", "-q", "-m", "in a linked work tree", "a")
	expect("git commit FILE in a linked work tree", "linked (temporary) a=8")

	// A repository whose objects are borrowed, and whose hook is that of another.
	clone := &work{t, filepath.Join(filepath.Dir(w.dir), "clone")}
	w.git("clone", "-q", "--shared", w.dir, clone.dir)
	clone.git("config", "core.hooksPath", filepath.Join(w.dir, ".git", "hooks"))
	clone.write("a", "9")
	clone.git("commit", "-q", "-a", "-m", "in a clone")
	expect("git commit -a in a shared clone", "clone a=9")

	// As a submodule, .git is a file.
	w.git("submodule", "--quiet", "add", clone.dir, "module")
	w.git("commit", "-q", "-m", "submodule")
	got, _ := os.ReadFile(log)
	if names := strings.Fields(string(got)); !slices.ContainsFunc(names, func(s string) bool { return strings.HasPrefix(s, ".gitmodules=") || s == "repo" }) || strings.Contains(string(got), "module=") {
		t.Errorf("adding a submodule: %q", got)
	}
	module := &work{t, filepath.Join(w.dir, "module")}
	module.git("config", "core.hooksPath", filepath.Join(w.dir, ".git", "hooks"))
	module.write("a", "10")
	module.git("commit", "-q", "-a", "-m", "in a submodule")
	expect("git commit -a in a submodule", "module a=10")
}
