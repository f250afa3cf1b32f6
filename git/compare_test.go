package git_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/git"
)

func (w *work) since(revision string) *git.Span {
	w.Helper()
	s, err := w.open().Since(w.Context(), revision)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// both renders the files that differ since main.
func (w *work) both(limit int64) []string {
	w.Helper()
	s, r := w.since("main"), w.open()
	pairs, err := r.Pairs(w.Context(), s.Base, s.Head)
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	err = r.Both(w.Context(), limit, pairs, func(p git.Pair, was, is git.Blob) error {
		if was.Path != p.Was || is.Path != p.Is {
			w.Errorf("%q with %q and %q", p, was.Path, is.Path)
		}
		got = append(got, fmt.Sprintf("%q→%q: %.20q→%.20q", p.Was, p.Is, was.Data, is.Data))
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return got
}

func TestPairs(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			w := newWork(t, "--object-format="+format)
			moved := strings.Repeat("a line that stays\n", 20)
			w.write("moved", moved)
			w.write("altered", "1")
			w.write("removed", "gone")
			w.write("link", "file")
			w.write("same", "same")
			w.commit("one")
			w.git("checkout", "-q", "-b", "topic")
			w.git("config", "diff.renames", "false")
			w.git("config", "diff.renameLimit", "1")
			w.git("mv", "moved", "new \"name\"\nü")
			w.write("new \"name\"\nü", moved+"and one more\n")
			w.write("altered", "")
			w.write("long", strings.Repeat("x", 1001))
			os.Remove(filepath.Join(w.dir, "removed"))
			os.Remove(filepath.Join(w.dir, "link"))
			if err := os.Symlink("same", filepath.Join(w.dir, "link")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("same", filepath.Join(w.dir, "newlink")); err != nil {
				t.Fatal(err)
			}
			w.commit("two")
			w.write("same", "in the work tree only")
			// What main does meanwhile is no change of ours.
			w.git("stash", "-q")
			w.git("checkout", "-q", "main")
			w.write("theirs", "x")
			w.commit("theirs")
			w.git("checkout", "-q", "topic")
			want := []string{
				`"altered"→"altered": "1"→""`,
				`"link"→"": "file"→""`,
				`""→"long": ""→""`, // longer than the limit
				`"moved"→"new \"name\"\nü": "a line that stays\na "→"a line that stays\na "`,
				`"removed"→"": "gone"→""`,
			}
			if diff := cmp.Diff(want, w.both(1000)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			s := w.since("main")
			if s.Tip == s.Base || s.Base != w.git("rev-parse", "topic~1") || s.Head != w.git("rev-parse", "topic") {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestSinceNothing(t *testing.T) {
	w := newWork(t)
	w.write("a", "1")
	w.commit("one")
	w.git("checkout", "-q", "--orphan", "other")
	w.commit("two")
	_, err := w.open().Since(t.Context(), "main")
	var e *git.Error
	if !errors.Is(err, git.ErrNoBase) || !errors.As(err, &e) || e.Hint == "" {
		t.Errorf("unrelated: %v", err)
	}
	for _, revision := range []string{"", "nowhere", "--all", "main..other", "HEAD:a", "-"} {
		if s, err := w.open().Since(t.Context(), revision); err == nil || !errors.As(err, &e) || !strings.Contains(e.Error(), "names no commit") {
			t.Errorf("%q: %+v, %v", revision, s, err)
		}
	}
	// A tag of a branch's name comes first for git, and whoever pushes can make one.
	w.git("update-ref", "refs/remotes/origin/main", "main")
	w.git("tag", "origin/main", "HEAD")
	for _, revision := range []string{"origin/main", "origin/main~0", "origin/main^{commit}", "origin/main@{0}"} {
		if _, err := w.open().Since(t.Context(), revision); !errors.As(err, &e) || !strings.Contains(e.Error(), `"origin/main" names several: refs/tags/origin/main, refs/remotes/origin/main`) ||
			!strings.HasSuffix(e.Hint, " refs/remotes/origin/main") {
			t.Errorf("%q: %v", revision, err)
		}
	}
	if s, err := w.open().Since(t.Context(), "refs/tags/origin/main"); err != nil || s.Base != s.Head {
		t.Errorf("in full: %+v, %v", s, err)
	}
	w.git("checkout", "-q", "main")
	w.write("a", "2")
	w.commit("three")
	w.git("clone", "-q", "--depth=1", "--no-single-branch", "file://"+w.dir, filepath.Join(w.dir, "shallow"))
	r := open(t, filepath.Join(w.dir, "shallow"))
	if _, err := r.Since(t.Context(), "origin/other"); !errors.As(err, &e) || !strings.Contains(e.Hint, "--unshallow") {
		t.Errorf("a shallow clone: %v, hint %q", err, e.Hint)
	}
	if !r.Shallow() {
		t.Error("not shallow")
	}
}

func TestOlder(t *testing.T) {
	w := newWork(t)
	body := strings.Repeat("a line that stays\n", 20)
	write := func(path, last string) string {
		w.write(path, body+last)
		w.commit(last)
		return w.git("rev-parse", "HEAD")
	}
	names := map[string]string{}
	for i, x := range [][2]string{{"first", "v1"}, {"first", "v2"}} {
		names[write(x[0], x[1])] = fmt.Sprint("c", i+1)
	}
	w.git("mv", "first", "second")
	names[write("second", "v3")] = "c3"
	w.git("mv", "second", "dir with space")
	w.commit("moved only")
	names[w.git("rev-parse", "HEAD")] = "c4"
	w.git("checkout", "-q", "-b", "side", "HEAD~2")
	names[write("first", "on a branch that was merged")] = "side"
	w.git("checkout", "-q", "main")
	if out, err := w.try("merge", "-q", "--no-edit", "side"); err == nil {
		t.Fatalf("no conflict: %s", out)
	}
	names[write("dir with space", "by the merge alone")] = "merge"
	names[write("dir with space", "v5")] = "c5"
	write("other", "another file")
	at := w.git("rev-parse", "HEAD")
	write("dir with space", "after the commit")

	got := map[string]string{}
	err := w.open().Older(t.Context(), at, func(commit string, b git.Blob) error {
		last := strings.TrimPrefix(string(b.Data), body)
		if got[last] != "" {
			t.Errorf("%q twice", last)
		}
		got[last] = b.Path + " " + names[commit]
		return nil
	}, "dir with space")
	want := map[string]string{
		"v5": "dir with space c5", "by the merge alone": "dir with space merge", "on a branch that was merged": "first side",
		"v3": "dir with space c4", "v2": "first c2", "v1": "first c1",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := w.open().Older(t.Context(), at, nil, "nowhere", "../out", ""); err != nil {
		t.Error(err)
	}
}

func TestGrepAt(t *testing.T) {
	w := newWork(t)
	w.write("dir/a", "needle")
	w.write("b:c", "needle, too")
	w.write("d", "hay")
	w.write(".gitattributes", "* -diff\n")  // binary, says a pull request
	w.git("config", "color.grep", "always") // names in colour are none
	w.git("config", "submodule.recurse", "true")
	w.commit("one")
	w.write("d", "needle")
	w.git("add", "-A")
	r := w.open()
	for commit, want := range map[string][]string{"": {"b:c", "d", "dir/a"}, w.git("rev-parse", "HEAD"): {"b:c", "dir/a"}} {
		got, err := r.Grep(t.Context(), commit, "needle", "other")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", commit, err, diff)
		}
	}
	if got, err := r.Grep(t.Context(), "", "nothing"); len(got) > 0 || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
