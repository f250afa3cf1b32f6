package git_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/git"
)

// TestLog: every content of every file, in order, with what it was before; a merge has what neither of its parents has; a lost branch is
// found through the reflog.
func TestLog(t *testing.T) {
	w := newWork(t)
	w.write("a", "one\n")
	w.write("odd \"name\"\nwith ünicode", "odd\n")
	w.commit("first")
	w.git("checkout", "-q", "-b", "side")
	w.write("a", "side\n")
	w.commit("side")
	w.git("checkout", "-q", "main")
	w.write("a", "main\n")
	w.git("mv", "odd \"name\"\nwith ünicode", "plain")
	w.commit("main")
	if _, err := w.try("merge", "-q", "side"); err == nil {
		t.Fatal("the merge has no conflict")
	}
	w.write("a", "both\n")
	w.commit("merge")
	w.write("a", "lost\n")
	w.commit("lost")
	w.git("reset", "-q", "--hard", "HEAD~1")
	w.git("branch", "-q", "-D", "side")

	repo := w.open()
	log, err := repo.Log(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, c := range log {
		for _, id := range append(slices.Clone(c.Was), c.Is) {
			ids[id] = id != ""
		}
	}
	delete(ids, "")
	text := map[string]string{"": "gone"}
	err = repo.Contents(t.Context(), keys(ids), 100, func(id string, data []byte) error {
		if repo.Name(data) != id {
			t.Errorf("%s is %q", id, data)
		}
		text[id] = strings.TrimSpace(string(data))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range log {
		var was []string
		for _, id := range c.Was {
			was = append(was, text[id])
		}
		got = append(got, strings.Join(was, "+")+" > "+text[c.Is]+" "+c.Path[:1]+" in "+w.git("log", "-1", "--format=%s", c.Commit))
	}
	// The two branches may come in either order.
	slices.Sort(got)
	want := []string{" > odd o in first", " > odd p in main", " > one a in first", "both > lost a in lost", "main+side > both a in merge",
		"odd > gone o in main", "one > main a in main", "one > side a in side"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	at := func(c git.Change) int {
		return slices.IndexFunc(log, func(d git.Change) bool { return d.Commit == c.Commit })
	}
	for _, c := range log {
		for _, d := range log {
			if slices.Contains(d.Was, c.Is) && d.Path == c.Path && at(d) < at(c) {
				t.Errorf("%v comes before what it was", d)
			}
		}
	}

	commits := []string{log[0].Commit, log[len(log)-1].Commit}
	names, err := repo.Names(t.Context(), "plain", commits)
	if err != nil || names[commits[0]] != "" || text[names[commits[1]]] != "odd" {
		t.Errorf("names of plain: %v, %v", names, err)
	}
	tree, err := repo.Tree(t.Context())
	if err != nil || len(tree) != 2 || text[tree["a"]] != "both" {
		t.Errorf("tree: %v, %v", tree, err)
	}
	stop := errors.New("enough")
	if err := repo.Contents(t.Context(), keys(ids), 100, func(string, []byte) error { return stop }); err != stop {
		t.Errorf("got %v", err)
	}
}

// TestLogEmpty: before the first commit there is nothing, and no error.
func TestLogEmpty(t *testing.T) {
	w := newWork(t)
	repo := w.open()
	if log, err := repo.Log(t.Context()); err != nil || len(log) != 0 {
		t.Errorf("%v, %v", log, err)
	}
	if tree, err := repo.Tree(t.Context()); err != nil || len(tree) != 0 {
		t.Errorf("%v, %v", tree, err)
	}
}

func keys(m map[string]bool) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}
