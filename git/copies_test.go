package git_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEverAt(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			w := newWork(t, "--object-format="+format)
			r := w.open()
			w.git("config", "log.showRoot", "false")
			w.git("config", "log.showSignature", "true")
			ever := func(contents ...string) [][]string {
				t.Helper()
				var data [][]byte
				for _, c := range contents {
					data = append(data, []byte(c))
				}
				got, err := r.EverAt(t.Context(), data...)
				if err != nil {
					t.Fatal(err)
				}
				for _, paths := range got {
					slices.Sort(paths)
				}
				return got
			}
			want := func(what string, got [][]string, want ...string) {
				t.Helper()
				var all []string
				for _, paths := range got {
					all = append(all, strings.Join(paths, " "))
				}
				if diff := cmp.Diff(want, all); diff != "" {
					t.Errorf("%s (-want +got):\n%s", what, diff)
				}
			}
			w.write("staged", "one")
			want("nothing is there", ever("one"), "")
			w.git("add", "staged")
			want("before the first commit", ever("one", "two"), "staged", "")
			w.commit("root")
			w.git("mv", "staged", "moved\nodd")
			w.commit("moved")
			w.write("copy", "one")
			w.write("two", "two")
			w.git("add", "-A")
			want("in the index, at HEAD and before", ever("one", "never", "two", "one"), "copy moved\nodd staged", "", "two", "copy moved\nodd staged")

			// A branch that was merged by taking nothing of it; one that was removed.
			w.commit("two")
			w.git("checkout", "-q", "-b", "side")
			w.write("aside", "three")
			w.commit("three")
			w.git("checkout", "-q", "main")
			w.git("merge", "-q", "-s", "ours", "-m", "merge", "side")
			w.git("branch", "-q", "-D", "side")
			w.git("checkout", "-q", "-b", "gone")
			w.write("lost", "four")
			w.commit("four")
			w.git("checkout", "-q", "main")
			w.git("branch", "-q", "-D", "gone")
			want("merged and removed", ever("three", "four"), "aside", "lost")

			var many []string
			for i := range 450 {
				many = append(many, strings.Repeat("x", i))
			}
			got := ever(append(many, "three")...)
			want("many", got[450:], "aside")
		})
	}
}

func TestNowAt(t *testing.T) {
	w := newWork(t)
	r := w.open()
	now := func(want ...[]string) {
		t.Helper()
		got, err := r.NowAt(t.Context(), []byte("same"), []byte("other"), []byte("never"))
		if err != nil {
			t.Fatal(err)
		}
		for _, paths := range got {
			slices.Sort(paths)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	w.write("a", "same")
	w.write("b", "same")
	w.write("c", "other")
	now(nil, nil, nil)
	w.git("add", "-A")
	now([]string{"a", "b"}, []string{"c"}, nil)
	w.commit("one")
	w.git("mv", "c", "d")
	w.write("a", "changed")
	w.write("untracked", "same")
	now([]string{"a", "b"}, []string{"c", "d"}, nil)
	w.commit("two")
	now([]string{"b", "untracked"}, []string{"d"}, nil)
}

func TestWrittenWith(t *testing.T) {
	w := newWork(t)
	r := w.open()
	with := func(path string) string {
		t.Helper()
		got, err := r.WrittenWith(t.Context(), path, "policy")
		if err != nil {
			t.Fatal(err)
		}
		return string(got)
	}
	w.write("policy", "one")
	if got := with("a"); got != "" {
		t.Errorf("before the first commit: %q", got)
	}
	w.write("a", "1")
	w.commit("a")
	w.write("policy", "two")
	w.commit("policy")
	w.write("b", "1")
	w.commit("b")
	w.write("policy", "three")
	w.commit("policy")
	if a, b, none := with("a"), with("b"), with("none"); a != "one" || b != "two" || none != "" {
		t.Errorf("a %q, b %q, none %q", a, b, none)
	}
	w.write("b", "2")
	w.commit("b again")
	if b := with("b"); b != "three" {
		t.Errorf("b, changed: %q", b)
	}
	if r.Shallow() {
		t.Error("shallow")
	}
	// In a shallow clone everything seems to have come with its first commit.
	w.git("clone", "-q", "--depth", "1", "file://"+w.dir, w.dir+"-shallow")
	w.dir += "-shallow"
	if !w.open().Shallow() {
		t.Error("not shallow")
	}
}
