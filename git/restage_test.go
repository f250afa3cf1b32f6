package git_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/git"
)

// blobs are what is staged, with other content.
func (w *work) blobs(change func(path, data string) string) []git.Blob {
	w.Helper()
	var all []git.Blob
	err := w.open().Staged(w.Context(), 1000, func(b git.Blob) error {
		b.Data = []byte(change(b.Path, string(b.Data)))
		all = append(all, b)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return all
}

func upper(_, data string) string { return strings.ToUpper(data) }

// TestRestage: contents change, and nothing else: not the modes, not the work tree, whatever filters the user has.
func TestRestage(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			w := newWork(t, "--object-format="+format)
			w.write(".gitattributes", "* filter=spoil text eol=crlf\n")
			w.commit("one")
			odd := "dir/odd \"name\"\nwith ünicode\tand tab"
			for _, name := range []string{"run", odd, "-flag", ":(top)magic*"} {
				w.write(name, "a\n")
			}
			if err := os.Chmod(filepath.Join(w.dir, "run"), 0o755); err != nil {
				t.Fatal(err)
			}
			w.git("add", "-A")
			w.write("run", "unstaged\n")
			w.git("config", "filter.spoil.clean", "tr A-Z x")
			before := w.git("ls-files", "--stage", "-z")
			undo, err := w.open().Restage(t.Context(), w.blobs(upper))
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"run": "A\n", odd: "A\n", "-flag": "A\n", ":(top)magic*": "A\n"}
			if diff := cmp.Diff(want, w.staged(100)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := w.git("ls-files", "--stage", "run"); !strings.HasPrefix(got, "100755 ") {
				t.Errorf("the mode is gone: %s", got)
			}
			if got, _ := os.ReadFile(filepath.Join(w.dir, "run")); string(got) != "unstaged\n" {
				t.Errorf("the work tree has %q", got)
			}
			if err := undo(); err != nil {
				t.Fatal(err)
			}
			if got := w.git("ls-files", "--stage", "-z"); got != before {
				t.Errorf("undone, the index is\n%q, was\n%q", got, before)
			}
		})
	}
}

// TestRestageAllOrNone: what was staged meanwhile stays, and so does everything where git can't write the index.
func TestRestageAllOrNone(t *testing.T) {
	w := newWork(t)
	w.write("a", "a")
	w.write("b", "b")
	w.git("add", "-A")
	blobs := w.blobs(upper)
	w.write("b", "newer")
	w.git("add", "b")
	if _, err := w.open().Restage(t.Context(), blobs); !errors.Is(err, git.ErrRestaged) || !strings.HasPrefix(err.Error(), `"b": `) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(map[string]string{"a": "a", "b": "newer"}, w.staged(100)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	blobs = w.blobs(upper)
	w.write(".git/index.lock", "")
	if _, err := w.open().Restage(t.Context(), blobs); err == nil || !strings.Contains(err.Error(), "update-index") {
		t.Errorf("a locked index: %v", err)
	}
	os.Remove(filepath.Join(w.dir, ".git", "index.lock"))
	undo, err := w.open().Restage(t.Context(), blobs)
	if err != nil {
		t.Fatal(err)
	}
	w.write("a", "newest")
	w.git("add", "a")
	if err := undo(); !errors.Is(err, git.ErrRestaged) {
		t.Errorf("undone over what was staged since: %v", err)
	}
	if diff := cmp.Diff(map[string]string{"a": "newest", "b": "NEWER"}, w.staged(100)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTemporary: what a hook is given is TestStagedInHook's.
func TestTemporary(t *testing.T) {
	w := newWork(t)
	t.Chdir(w.dir)
	for file, want := range map[string]bool{"": false, ".git/index": false, ".git/next-index-1.lock": true, filepath.Join(t.TempDir(), "index"): true} {
		t.Setenv("GIT_INDEX_FILE", file)
		if got := w.open().Temporary(); got != want {
			t.Errorf("GIT_INDEX_FILE=%s: %v", file, got)
		}
	}
}

func TestConflicts(t *testing.T) {
	w := newWork(t)
	w.write("f", "base\n")
	w.commit("base")
	w.git("checkout", "-q", "-b", "side")
	w.write("f", "side\n")
	w.commit("side")
	w.git("checkout", "-q", "main")
	w.write("f", "main\n")
	w.commit("main")
	for _, want := range []bool{false, true, false} {
		if got, err := w.open().Conflicts(t.Context()); err != nil || got != want {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
		if _, err := w.try("merge", "side"); err != nil && want {
			w.git("add", "f")
		}
	}
}
