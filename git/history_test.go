package git_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/git"
)

func TestHead(t *testing.T) {
	w := newWork(t)
	r := w.open()
	if got, err := r.Head(t.Context(), "a"); err != nil || len(got) != 0 {
		t.Fatalf("before the first commit: %q, %v", got, err)
	}
	w.write("a", "committed")
	w.write("dir/b\nreak", "odd name")
	w.write("-n", "flag")
	w.write(":(top)*", "magic")
	if err := os.Symlink("a", filepath.Join(w.dir, "link")); err != nil {
		t.Fatal(err)
	}
	w.commit("one")
	w.write("a", "changed")
	w.write("staged", "x")
	w.git("add", "-A")

	want := map[string][]byte{"a": []byte("committed"), "./a": []byte("committed"), "dir/b\nreak": []byte("odd name"),
		"-n": []byte("flag"), ":(top)*": []byte("magic")}
	ask := []string{"a", "./a", "dir/b\nreak", "-n", ":(top)*", "link", "dir", "staged", "absent", "../a", "/etc/passwd", "", ".", "x\x00y"}
	got, err := r.Head(t.Context(), ask...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("few paths (-want +got):\n%s", diff)
	}
	for _, many := range [][]string{{"a", "-n"}, {"a", "-n", "dir/b\nreak"}} {
		for range 300 {
			many = append(many, strings.Repeat("long/", 20)+many[0])
			many = append(many, "absent"+strings.Repeat("x", len(many)))
		}
		got, err = r.Head(t.Context(), many...)
		if err != nil || string(got["a"]) != "committed" || string(got["-n"]) != "flag" {
			t.Errorf("many paths: %q, %v", got, err)
		}
	}
}

func TestVersions(t *testing.T) {
	w := newWork(t)
	r := w.open()
	versions := func(paths ...string) map[string][]string {
		t.Helper()
		got := map[string][]string{}
		err := r.Versions(t.Context(), func(b git.Blob) error {
			got[b.Path] = append(got[b.Path], string(b.Data))
			slices.Sort(got[b.Path])
			return nil
		}, paths...)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := versions("a"); len(got) != 0 {
		t.Fatalf("before the first commit: %v", got)
	}
	w.write("now", "now 1")
	w.write("deleted", "deleted")
	w.write("dir/odd\nname", "dir/odd\nname")
	w.write("-n", "-n")
	w.commit("one")
	w.git("rm", "-q", "deleted")
	w.git("commit", "-q", "-m", "two")

	// Came and went on a branch before it was merged: history simplification would leave it out.
	w.git("checkout", "-q", "-b", "side")
	w.write("side-only", "side-only")
	w.commit("side")
	w.git("rm", "-q", "side-only")
	w.git("commit", "-q", "-m", "side gone")
	w.git("checkout", "-q", "main")
	w.write("main-line", "main-line")
	w.write("now", "now 2")
	w.commit("three")
	w.git("merge", "-q", "--no-ff", "-m", "merge", "side")

	// Only the merge itself has it.
	w.git("checkout", "-q", "-b", "other", "HEAD~1")
	w.write("other", "other")
	w.commit("other")
	w.git("checkout", "-q", "main")
	w.git("merge", "-q", "--no-ff", "--no-commit", "other")
	w.write("evil", "evil")
	w.git("add", "evil")
	w.git("commit", "-q", "-m", "evil merge")
	w.git("rm", "-q", "evil")
	w.git("commit", "-q", "-m", "evil gone")

	w.git("branch", "-q", "-D", "side", "other")
	w.git("checkout", "-q", "-b", "elsewhere")
	w.write("other-branch", "other-branch")
	w.commit("elsewhere")
	w.git("checkout", "-q", "main")
	w.write("staged", "staged")
	w.git("add", "staged")
	w.git("config", "log.showSignature", "true")
	w.git("config", "log.follow", "true")

	want := map[string][]string{
		"now": {"now 1", "now 2"}, "deleted": {"deleted"}, "-n": {"-n"}, "side-only": {"side-only"}, "evil": {"evil"}, "other-branch": {"other-branch"},
	}
	ask := []string{"now", "deleted", "./deleted", "-n", "side-only", "evil", "other-branch", "staged", "absent", "..", "*", ":(top)"}
	if diff := cmp.Diff(want, versions(ask...)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, one := range []string{"evil", "dir/odd\nname"} {
		if got := versions(one); len(got[one]) != 1 {
			t.Errorf("%q alone: %v", one, got)
		}
	}
	many := append([]string(nil), ask...)
	for len(many) < 400 {
		many = append(many, strings.Repeat("deep/", 20)+string(rune('a'+len(many)%26))+strings.Repeat("x", len(many)))
	}
	if diff := cmp.Diff(want, versions(many...)); diff != "" {
		t.Errorf("many paths (-want +got):\n%s", diff)
	}
}

func TestKey(t *testing.T) {
	w := newWork(t)
	r := w.open()
	key := func() string {
		t.Helper()
		k, err := r.Key(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	if got, want := key(), "path "+w.dir; got != want {
		t.Errorf("empty repository: %q, want %q", got, want)
	}
	w.write("f", "x")
	w.commit("one")
	root := w.git("rev-parse", "HEAD")
	w.write("f", "y")
	w.commit("two")
	if got, want := key(), "root "+root; got != want {
		t.Errorf("without a remote: %q, want %q", got, want)
	}
	for url, want := range map[string]string{
		"https://github.com/org/repo.git":                    "https://github.com/org/repo.git",
		"https://user:CANARY@github.com/org/repo.git":        "https://github.com/org/repo.git",
		"https://CANARY@github.com/org/repo.git":             "https://github.com/org/repo.git",
		"https://oauth2:CAN@ARY@gitlab.com/org/repo":         "https://gitlab.com/org/repo",
		"https://git.example.org/r.git?private_token=CANARY": "https://git.example.org/r.git",
		"ssh://git@github.com:22/org/repo.git":               "ssh://git@github.com:22/org/repo.git",
		"ssh://git:CANARY@github.com/org/repo.git":           "ssh://git@github.com/org/repo.git",
		"git@github.com:org/repo.git":                        "git@github.com:org/repo.git",
		"/srv/git/repo.git":                                  "/srv/git/repo.git",
		"../upstream":                                        filepath.Dir(w.dir) + "/upstream",
		"file:///srv/git/repo.git":                           "file:///srv/git/repo.git",
		"codecommit::us-east-1://profile@repo":               "codecommit::us-east-1://profile@repo",
	} {
		w.git("config", "remote.origin.url", url)
		if got := key(); got != "remote "+want || strings.Contains(got, "CANARY") {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}

func TestKeyOfShallowClone(t *testing.T) {
	w := newWork(t)
	for _, n := range []string{"one", "two"} {
		w.write("f", n)
		w.commit(n)
	}
	shallow := filepath.Join(filepath.Dir(w.dir), "shallow")
	w.git("clone", "-q", "--depth=1", "file://"+w.dir, shallow)
	s := &work{t, shallow}
	s.git("remote", "remove", "origin")
	if got, err := s.open().Key(t.Context()); err != nil || got != "path "+shallow {
		t.Errorf("%q, %v: the root of a shallow clone moves", got, err)
	}
}
