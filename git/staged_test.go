package git_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/git"
)

func TestStaged(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			w := newWork(t, "--object-format="+format)
			w.write("first", "1")
			w.write("dir/second", "2")
			w.git("add", "-A")
			if diff := cmp.Diff(map[string]string{"first": "1", "dir/second": "2"}, w.staged(100)); diff != "" {
				t.Fatalf("first commit (-want +got):\n%s", diff)
			}
			w.commit("one")
			if got := w.staged(100); len(got) != 0 {
				t.Fatalf("nothing is staged, got %q", got)
			}
			w.write("first", "1 changed")
			w.write("long", strings.Repeat("x", 101))
			w.write("fits", strings.Repeat("x", 100))
			w.write("empty", "")
			w.write("odd \"name\"\nwith ünicode\tand tab", "odd")
			w.write("-flag", "flag")
			w.write(":(top)magic*", "magic")
			w.write("after", "last")
			w.git("mv", "dir/second", "dir/renamed")
			w.git("add", "-A")
			w.write("first", "in the work tree only")
			w.write("untracked", "x")
			want := map[string]string{
				"first": "1 changed", "long": "too long", "fits": strings.Repeat("x", 100), "empty": "", "after": "last",
				"odd \"name\"\nwith ünicode\tand tab": "odd", "-flag": "flag", ":(top)magic*": "magic", "dir/renamed": "2",
			}
			if diff := cmp.Diff(want, w.staged(100)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestIgnored(t *testing.T) {
	w := newWork(t)
	w.write(".gitignore", "*.env\nsecret/\n")
	w.write("tracked.env", "x")
	w.git("add", "-f", "tracked.env")
	for _, path := range []string{"app.env", "secret/deep/key", "odd *[\"dir/b.env", "plain"} {
		w.write(path, "x")
	}
	asked := []string{"app.env", "./secret/deep/key", "odd *[\"dir/b.env", "plain", "tracked.env", "absent.env"}
	got, err := w.open().Ignored(t.Context(), asked...)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"app.env": true, "./secret/deep/key": true, "odd *[\"dir/b.env": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStagedSkips(t *testing.T) {
	w := newWork(t)
	w.write("gone", "x")
	w.write("becomes-link", "x")
	if err := os.Symlink("gone", filepath.Join(w.dir, "becomes-file")); err != nil {
		t.Fatal(err)
	}
	w.commit("one")
	w.git("rm", "-q", "gone")
	for _, name := range []string{"link", "becomes-link"} {
		os.Remove(filepath.Join(w.dir, name))
		if err := os.Symlink("/etc/passwd", filepath.Join(w.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	os.Remove(filepath.Join(w.dir, "becomes-file"))
	w.write("becomes-file", "now a file")
	w.git("init", "-q", filepath.Join(w.dir, "sub"))
	sub := &work{t, filepath.Join(w.dir, "sub")}
	sub.write("x", "x")
	sub.commit("one")
	w.git("-c", "advice.addEmbeddedRepo=false", "add", "-A")
	if got := w.git("diff", "--cached", "--raw"); !strings.Contains(got, "160000") || !strings.Contains(got, "120000") {
		t.Fatalf("the case lacks a submodule or a symlink:\n%s", got)
	}
	if diff := cmp.Diff(map[string]string{"becomes-file": "now a file"}, w.staged(100)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Settings with which git diff would say something else.
func TestStagedIgnoresDiffSettings(t *testing.T) {
	w := newWork(t)
	w.write("sub/old", "one\ntwo\nthree\n")
	w.commit("one")
	for k, v := range map[string]string{"diff.renames": "copies", "diff.relative": "true", "diff.noprefix": "true", "core.quotepath": "true",
		"diff.external": "/bin/false", "color.ui": "always", "diff.mnemonicPrefix": "true", "core.abbrev": "4"} {
		w.git("config", k, v)
	}
	w.git("mv", "sub/old", "sub/nëw")
	got := map[string]string{}
	err := open(t, filepath.Join(w.dir, "sub")).Staged(t.Context(), 100, func(b git.Blob) error {
		got[b.Path] = string(b.Data)
		return nil
	})
	if err != nil || got["sub/nëw"] == "" || len(got) != 1 {
		t.Errorf("%q, %v", got, err)
	}
}

func TestStagedStops(t *testing.T) {
	w := newWork(t)
	for i := range 50 {
		w.write(fmt.Sprintf("f%02d", i), strings.Repeat("x", 100_000))
	}
	w.git("add", "-A")
	stop := errors.New("enough")
	calls := 0
	err := w.open().Staged(t.Context(), 1<<20, func(b git.Blob) error {
		if calls++; calls == 2 {
			return stop
		}
		return nil
	})
	if err != stop || calls != 2 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func TestStagedLostObject(t *testing.T) {
	w := newWork(t)
	w.write("lost", "CANARY-5d41402a")
	w.git("add", "-A")
	id := w.git("rev-parse", ":lost")
	if err := os.Remove(filepath.Join(w.dir, ".git", "objects", id[:2], id[2:])); err != nil {
		t.Fatal(err)
	}
	err := w.open().Staged(t.Context(), 100, func(git.Blob) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "lost") || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("got %v", err)
	}
}

func TestStagedMergeConflict(t *testing.T) {
	w := newWork(t)
	w.write("f", "base\n")
	w.commit("base")
	w.git("checkout", "-q", "-b", "side")
	w.write("f", "side\n")
	w.write("from-side", "s")
	w.commit("side")
	w.git("checkout", "-q", "main")
	w.write("f", "main\n")
	w.commit("main")
	if _, err := w.try("merge", "-q", "side"); err == nil {
		t.Fatal("the merge has no conflict")
	}
	if diff := cmp.Diff(map[string]string{"from-side": "s"}, w.staged(100)); diff != "" {
		t.Errorf("in a conflict (-want +got):\n%s", diff)
	}
	w.write("f", "both\n")
	w.git("add", "f")
	if got := w.staged(100); got["f"] != "both\n" {
		t.Errorf("resolved: %q", got)
	}
}

// BenchmarkStaged is an ordinary commit in a repository of 10,000 files. Compare with "git diff-index" and
// "git cat-file" alone: the difference is ours.
func BenchmarkStaged(b *testing.B) {
	dir := b.TempDir()
	run := func(args ...string) {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	run("init", "-q")
	for i := range 10_000 {
		p := filepath.Join(dir, fmt.Sprintf("d%02d", i%100), fmt.Sprintf("f%05d.yaml", i))
		os.MkdirAll(filepath.Dir(p), 0o755)
		if err := os.WriteFile(p, []byte("kind: ConfigMap\nn: "+fmt.Sprint(i)), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	run("add", "-A")
	run("-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-q", "-m", "one")
	for i := range 10 {
		os.WriteFile(filepath.Join(dir, fmt.Sprintf("d%02d", i), fmt.Sprintf("f%05d.yaml", i)), []byte("kind: Secret"), 0o644)
	}
	run("add", "-A")
	for b.Loop() {
		r, err := git.Open(b.Context(), dir)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		if err := r.Staged(b.Context(), 8<<20, func(git.Blob) error { n++; return nil }); err != nil || n != 10 {
			b.Fatal(n, err)
		}
	}
}
