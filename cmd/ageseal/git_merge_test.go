package main

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// meant is one version of a Secret: its text, and what whoever wrote it meant.
type meant struct {
	text    string
	values  map[string]string
	under   map[string]string // key → which run of ours encrypted it: "base", or another
	readers []string          // of test people, sorted
	did     []string          // for messages
}

// writer makes random edits of Secrets, as the commands do, and keeps count.
type mergeWriter struct {
	*testing.T
	random *rand.Rand
	n      int
	did    map[string]int
}

func (w *mergeWriter) next(what string) string {
	w.n++
	return fmt.Sprintf("%s-%d", what, w.n)
}

func (w *mergeWriter) target(readers []string) secret.Target {
	var t secret.Target
	for _, name := range readers {
		t.Recipients = append(t.Recipients, testkeys.Classic(name).Recipient())
	}
	return t
}

func (w *mergeWriter) base() *meant {
	m := &meant{values: map[string]string{}, under: map[string]string{}, readers: []string{"dave"}}
	if w.random.IntN(2) == 0 {
		m.readers = append(m.readers, "erin")
	}
	native := "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: prod\nstringData:\n"
	for i := range 1 + w.random.IntN(8) {
		key := string(rune('a' + 2*i))
		m.values[key], m.under[key] = w.next("canary"), "base"
		native += "  " + key + ": " + m.values[key] + "\n"
	}
	f := w.parse(native)
	if _, err := secret.NewWriter().Encrypt(f, secret.EncryptOptions{Target: w.target(m.readers)}); err != nil {
		w.Fatal(err)
	}
	m.text = string(f.Bytes())
	return m
}

func (w *mergeWriter) parse(text string) *manifest.File {
	w.Helper()
	f, err := manifest.Parse([]byte(text))
	if err != nil {
		w.Fatal(err)
	}
	return f
}

// edit makes one to three edits of a version.
func (w *mergeWriter) edit(from *meant) *meant {
	m := &meant{from.text, maps.Clone(from.values), maps.Clone(from.under), slices.Clone(from.readers), nil}
	for range 1 + w.random.IntN(3) {
		f := w.parse(m.text)
		item, doc, err := secret.Select(f, "", "")
		if err != nil {
			w.Fatal(err)
		}
		did := []string{"add", "replace", "replace", "remove", "rewrap", "rotate", "consolidate", "leave"}[w.random.IntN(8)]
		keys := slices.Sorted(maps.Keys(m.values))
		key := string(rune('a' + w.random.IntN(18)))
		if did == "replace" || did == "remove" {
			if len(keys) == 0 {
				continue
			}
			key = keys[w.random.IntN(len(keys))]
		}
		o := secret.RekeyOptions{Sharing: secret.Sharing{Widen: true}, Opener: crypt.NewOpener(testkeys.Dave())}
		anew := false // every value is encrypted again
		switch did {
		case "add", "replace":
			m.values[key], m.under[key] = w.next("canary"), w.next("run")
			_, err = secret.NewWriter().Set(item, doc, key, []byte(m.values[key]), secret.SetOptions{Target: w.target(m.readers)})
		case "remove":
			delete(m.values, key)
			delete(m.under, key)
			err = secret.Unset(item, doc, false, key)
		case "rewrap":
			joins := []string{"erin", "frank"}[w.random.IntN(2)]
			if !slices.Contains(m.readers, joins) {
				m.readers = append(m.readers, joins)
				slices.Sort(m.readers)
			}
		case "leave":
			anew = len(m.readers) > 1
			m.readers = []string{"dave"}
		case "rotate":
			anew, o.Rotate = true, true
		case "consolidate":
			anew, o.Consolidate = len(slices.Compact(slices.Sorted(maps.Values(m.under)))) > 1, true
		}
		if did != "add" && did != "replace" && did != "remove" {
			o.Target = w.target(m.readers)
			_, err = secret.NewWriter().Rekey(f, o)
		}
		if err != nil {
			w.Fatalf("%s: %v", did, err)
		}
		if anew {
			run := w.next("run")
			for key := range m.under {
				m.under[key] = run
			}
		}
		m.text = string(f.Bytes())
		m.did = append(m.did, did)
		w.did[did]++
	}
	return m
}

// outcome is what a merge has to come to, from what both sides meant: values, and what is in conflict.
type outcome struct {
	values  map[string]string
	changed []string // keys that both sides changed
	alien   []string // keys that one side sealed for a reader whom the other took away
	apart   bool     // each side let in another reader of the same data key
}

func merge(base, ours, theirs *meant) outcome {
	o := outcome{values: map[string]string{}}
	all := maps.Clone(base.values)
	maps.Copy(all, ours.values)
	maps.Copy(all, theirs.values)
	old := false
	for _, key := range slices.Sorted(maps.Keys(all)) {
		b, we, they := base.under[key], ours.under[key], theirs.under[key]
		side, other := ours, theirs
		switch {
		case b != we && b != they:
			if we != "" || they != "" {
				o.changed = append(o.changed, key)
			}
			continue
		case b != they:
			side, other = theirs, ours
		}
		value, ok := side.values[key]
		if !ok {
			continue
		}
		if side.under[key] == "base" {
			old = true
		} else if intersect(side.readers, away(base, other)) {
			o.alien = append(o.alien, key)
		}
		o.values[key] = value
	}
	within := func(a, b *meant) bool {
		return !slices.ContainsFunc(a.readers, func(r string) bool { return !slices.Contains(b.readers, r) })
	}
	o.apart = old && !within(ours, theirs) && !within(theirs, ours)
	return o
}

// away are the readers of base whom a side took away: what it encrypted itself is not for them.
func away(base, side *meant) (left []string) {
	for _, run := range side.under {
		if run != "base" {
			for _, r := range base.readers {
				if !slices.Contains(side.readers, r) {
					left = append(left, r)
				}
			}
			return left
		}
	}
	return nil
}

func intersect(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

// TestGitMerges: 1,000 pairs of concurrent edits through "git merge". With the driver the result is the merge of the maps, or a conflict
// exactly where the two sides contradict each other; without it, the merge of the maps or a conflict. No value is lost or restored unseen.
func TestGitMerges(t *testing.T) {
	const merges, files = 20, 50
	w := &mergeWriter{T: t, random: rand.New(rand.NewPCG(2026, 5)), did: map[string]int{}}
	g := newGitRepository(t)
	clean, conflicts, asText := 0, 0, 0
	for round := range merges {
		var base, ours, theirs [files]*meant
		for i := range files {
			base[i] = w.base()
			ours[i], theirs[i] = w.edit(base[i]), w.edit(base[i])
		}
		g.commit("base", "main", base[:])
		g.commit("theirs", "base", theirs[:])
		g.commit("ours", "base", ours[:])

		// A clone that has the attributes, and no driver.
		unmerged := g.merge()
		for i := range files {
			want := merge(base[i], ours[i], theirs[i])
			if unmerged[i] {
				asText++
			} else {
				g.opens(fmt.Sprintf("without a driver, round %d", round), i, ours[i], theirs[i], want)
			}
		}
		g.git("reset", "-q", "--hard", "ours")

		unmerged = g.merge("-c", "merge.ageseal.driver="+mergeCommand)
		for i := range files {
			want := merge(base[i], ours[i], theirs[i])
			at := fmt.Sprintf("round %d, file %d (%v | %v)", round, i, ours[i].did, theirs[i].did)
			if wanted := len(want.changed)+len(want.alien) > 0 || want.apart; unmerged[i] != wanted {
				t.Fatalf("%s: conflict %v, want %v: %+v", at, unmerged[i], wanted, want)
			}
			if !unmerged[i] {
				clean++
				g.opens(at, i, ours[i], theirs[i], want)
				continue
			}
			conflicts++
			g.marked(at, i, want)
		}
		g.git("reset", "-q", "--hard", "ours")
	}
	t.Logf("%d pairs: %d clean, %d conflicts; without the driver %d clean, %d conflicts; edits %v", merges*files, clean, conflicts, merges*files-asText, asText, w.did)
	if clean < 300 || conflicts < 100 {
		t.Errorf("%d clean, %d conflicts: too few of one kind to prove anything", clean, conflicts)
	}
}

// gitRepository is a scratch one, in which git finds this program as ageseal.
type gitRepository struct {
	*testing.T
	dir string
	env []string
}

func newGitRepository(t *testing.T) *gitRepository {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(program, filepath.Join(bin, "ageseal")); err != nil {
		t.Fatal(err)
	}
	g := &gitRepository{T: t, dir: t.TempDir()}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "GIT_") && !strings.HasPrefix(e, "AGESEAL_") && !strings.HasPrefix(e, "PATH=") {
			g.env = append(g.env, e)
		}
	}
	g.env = append(g.env, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+t.TempDir(), "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	g.git("init", "-q", "-b", "main")
	if err := os.WriteFile(filepath.Join(g.dir, ".gitattributes"), []byte(strings.Join(attributes, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	g.git("add", ".")
	g.git("commit", "-q", "-m", "attributes")
	return g
}

func (g *gitRepository) run(args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-c", "gc.auto=0", "-c", "merge.renames=false"}, args...)...)
	cmd.Dir, cmd.Env = g.dir, g.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (g *gitRepository) git(args ...string) string {
	g.Helper()
	out, err := g.run(args...)
	if err != nil {
		g.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return out
}

func (g *gitRepository) path(i int) string { return filepath.Join(g.dir, fmt.Sprintf("%02d.yaml", i)) }

// commit makes a branch with these versions, on top of a commit.
func (g *gitRepository) commit(branch, from string, versions []*meant) {
	g.Helper()
	g.git("checkout", "-q", "-B", branch, from)
	for i, m := range versions {
		if err := os.WriteFile(g.path(i), []byte(m.text), 0o644); err != nil {
			g.Fatal(err)
		}
	}
	g.git("add", ".")
	g.git("commit", "-q", "--allow-empty", "-m", branch)
}

// merge merges theirs into ours, and says which files are in conflict.
func (g *gitRepository) merge(args ...string) map[int]bool {
	g.Helper()
	out, err := g.run(append(args, "merge", "-q", "-m", "merged", "theirs")...)
	if leaks.MatchString(out) {
		g.Fatalf("leaks: %s", out)
	}
	unmerged := map[int]bool{}
	for name := range strings.Lines(g.git("diff", "--name-only", "--diff-filter=U")) {
		var i int
		if _, err := fmt.Sscanf(name, "%02d.yaml", &i); err != nil {
			g.Fatal(name)
		}
		unmerged[i] = true
	}
	if (err != nil) != (len(unmerged) > 0) {
		g.Fatalf("%v, %d in conflict:\n%s", err, len(unmerged), out)
	}
	return unmerged
}

// opens holds a file that merged cleanly to what both sides meant.
func (g *gitRepository) opens(at string, i int, ours, theirs *meant, want outcome) {
	g.Helper()
	data, err := os.ReadFile(g.path(i))
	if err != nil {
		g.Fatal(err)
	}
	f, err := manifest.Parse(data)
	if err != nil {
		g.Fatal(err)
	}
	_, doc, err := secret.Select(f, "", "")
	if err != nil {
		g.Fatalf("%s: %v (%v | %v)\n%s", at, err, ours.did, theirs.did, data)
	}
	values, err := secret.Open(doc, crypt.NewOpener(testkeys.Dave()), nil)
	if err != nil {
		g.Fatalf("%s: %v", at, err)
	}
	got := map[string]string{}
	for key, v := range values {
		got[key] = string(v)
	}
	if diff := cmp.Diff(want.values, got); diff != "" || len(want.changed) > 0 || !doc.Canonical {
		g.Fatalf("%s, file %d (%v | %v): canonical %v, merged over %v, (-want +got):\n%s", at, i, ours.did, theirs.did, doc.Canonical, want.changed, diff)
	}
}

// marked holds a file in conflict to its markers: a key is between them if and only if it is in conflict, and what is outside is merged.
func (g *gitRepository) marked(at string, i int, want outcome) {
	g.Helper()
	data, err := os.ReadFile(g.path(i))
	if err != nil {
		g.Fatal(err)
	}
	inside, outside := map[string]bool{}, map[string]bool{}
	conflict, markers := false, 0
	for line := range bytes.Lines(data) {
		switch {
		case bytes.HasPrefix(line, []byte("<<<<<<< ")):
			conflict = true
			markers++
		case bytes.HasPrefix(line, []byte(">>>>>>> ")):
			conflict = false
		case len(line) < 10 && bytes.HasPrefix(line, []byte("    ")): // "y" and "n" are in quotes
			map[bool]map[string]bool{true: inside, false: outside}[conflict][strings.Trim(string(line), "\": \n")] = true
		}
	}
	for _, key := range append(slices.Clone(want.changed), want.alien...) {
		if !inside[key] || outside[key] {
			g.Fatalf("%s: key %s is not between the markers:\n%s", at, key, data)
		}
		delete(inside, key)
		delete(want.values, key)
	}
	if len(inside) > 0 || !slices.Equal(slices.Sorted(maps.Keys(want.values)), slices.Sorted(maps.Keys(outside))) || markers == 0 {
		g.Fatalf("%s: between the markers also %v, outside %v, want %v\n%s", at, inside, outside, want, data)
	}
}
