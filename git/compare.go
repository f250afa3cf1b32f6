package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNoBase: two commits have no history in common, as far as this clone has it.
var ErrNoBase = errors.New("no commit in common")

// Span is what HEAD did since it left a revision. Its fields are ids of commits.
type Span struct {
	Tip  string // what the revision names
	Base string // where HEAD left it: their best common ancestor
	Head string
}

// Since finds where HEAD left a revision. Errors: ErrNoBase; others for what names no commit here, or several.
func (r *Repo) Since(ctx context.Context, revision string) (*Span, error) {
	if err := r.unambiguous(ctx, revision); err != nil {
		return nil, err
	}
	s := &Span{}
	for _, x := range []struct {
		revision string
		id       *string
	}{{revision, &s.Tip}, {"HEAD", &s.Head}} {
		out, err := r.run(ctx, nil, "rev-parse", "--quiet", "--verify", "--end-of-options", x.revision+"^{commit}")
		if status(err) > 0 {
			return nil, &Error{Err: fmt.Errorf("%q names no commit in this clone", x.revision), Hint: r.fetchHint()}
		}
		if err != nil {
			return nil, err
		}
		*x.id = strings.TrimSpace(string(out))
	}
	out, err := r.run(ctx, nil, "merge-base", s.Tip, s.Head)
	if status(err) == 1 {
		return nil, &Error{Err: fmt.Errorf("%q and HEAD have %w", revision, ErrNoBase), Hint: r.fetchHint()}
	}
	if err != nil {
		return nil, err
	}
	s.Base = strings.TrimSpace(string(out))
	return s, nil
}

// unambiguous refuses a revision that begins with the name of several refs. git takes a tag called origin/main, which whoever pushes can make, for
// the remote's branch.
func (r *Repo) unambiguous(ctx context.Context, revision string) error {
	name := revision
	if i := strings.IndexAny(name, "~^:"); i >= 0 {
		name = name[:i]
	}
	name, _, _ = strings.Cut(name, "@{")
	args := []string{"for-each-ref", "--format=%(refname)"}
	for _, dir := range []string{"", "tags/", "heads/", "remotes/"} { // git help revisions
		args = append(args, "refs/"+dir+name)
	}
	out, err := r.run(ctx, nil, args...)
	if err != nil {
		return err
	}
	found := strings.Fields(string(out)) // what is below such a name, too
	refs := slices.DeleteFunc(args[2:], func(ref string) bool { return !slices.Contains(found, ref) })
	if len(refs) > 1 {
		return &Error{Err: fmt.Errorf("%q names several: %s", name, strings.Join(refs, ", ")), Hint: "write the one that is meant in full: " + refs[len(refs)-1]}
	}
	return nil
}

func (r *Repo) fetchHint() string {
	if r.shallow {
		return `the clone is shallow: "git fetch --unshallow"; in CI "fetch-depth: 0", or GIT_DEPTH: "0"`
	}
	return `"git fetch" brings branches of a remote; they are called origin/main here`
}

// Shallow reports whether the clone lacks a part of the history.
func (r *Repo) Shallow() bool { return r.shallow }

// Pair is a file that differs between two trees. Was and Is are its paths there, relative to the top level and slash-separated; "" where it is
// missing or no regular file.
type Pair struct {
	Was, Is     string
	wasID, isID string
}

// Pairs lists the files that differ between two commits, in the order of paths. A renamed file is one pair as far as git finds it out.
func (r *Repo) Pairs(ctx context.Context, from, to string) ([]Pair, error) {
	out, err := r.run(ctx, nil, append(append([]string{"diff-tree"}, findRenames...), from, to, "--")...)
	if err != nil {
		return nil, err
	}
	deltas, err := parseDeltas(out)
	pairs := make([]Pair, 0, len(deltas))
	for _, d := range deltas {
		if d.Was != "" || d.Is != "" {
			pairs = append(pairs, d.Pair)
		}
	}
	return pairs, err
}

// findRenames makes diff-tree tell renames, whatever the user's settings say. The limit is on files that were altered as well, each of which
// is held against each: what is only moved is always found.
var findRenames = []string{"-r", "--raw", "-z", "-M", "-l400", "--no-abbrev", "--ignore-submodules=all"}

// Both calls fn with both contents of each pair, in order. They come through one git process; of a file longer than limit bytes, Data is nil.
func (r *Repo) Both(ctx context.Context, limit int64, pairs []Pair, fn func(p Pair, was, is Blob) error) error {
	var entries []entry
	for _, p := range pairs {
		if p.Was != "" {
			entries = append(entries, entry{path: p.Was, id: p.wasID})
		}
		if p.Is != "" {
			entries = append(entries, entry{path: p.Is, id: p.isID})
		}
	}
	var was Blob
	return r.blobs(ctx, entries, limit, func(b Blob) error {
		p := pairs[0]
		if p.Was != "" && p.Is != "" && was.Path == "" {
			was = b
			return nil
		}
		first := was
		pairs, was = pairs[1:], Blob{}
		if p.Is == "" {
			return fn(p, b, Blob{})
		}
		return fn(p, first, b)
	})
}

// Older calls fn for every content that files have had in the history that leads to a commit, each once, newest first, with the id of a commit
// that brought it. paths are theirs at that commit; under the names that git finds they had before, they are looked for, too. What is longer
// than MaxHead is left out, and so is what a shallow clone lacks.
func (r *Repo) Older(ctx context.Context, commit string, fn func(commit string, b Blob) error, paths ...string) error {
	var entries []entry
	var brought []string // the commit of each entry
	asked, seen := map[string]bool{}, map[string]bool{}
	for given := clean(paths); len(given) > 0; {
		for p := range given {
			asked[p] = true
		}
		args, stdin := asPaths([]string{"rev-list", "--full-history", commit}, given)
		ids, err := r.run(ctx, stdin, args...)
		if err != nil {
			return err
		}
		// -m: a merge may bring what none of its parents has.
		out, err := r.run(ctx, ids, append(append([]string{"diff-tree"}, findRenames...), "--stdin", "-m", "--root")...)
		if err != nil {
			return err
		}
		deltas, err := parseDeltas(out)
		if err != nil {
			return err
		}
		before := map[string][]string{}
		for _, d := range deltas {
			if given[d.Is] == nil {
				continue
			}
			if !seen[d.isID] {
				seen[d.isID] = true
				entries, brought = append(entries, entry{path: d.Is, id: d.isID}), append(brought, d.commit)
			}
			if d.Was != "" && !asked[d.Was] {
				before[d.Was] = []string{d.Was}
			}
		}
		given = before
	}
	return r.blobs(ctx, entries, MaxHead, func(b Blob) error {
		by := brought[0]
		brought = brought[1:]
		if b.Data == nil {
			return nil
		}
		return fn(by, b)
	})
}

// delta is an entry of git's raw output.
type delta struct {
	Pair
	commit string // that it is of, if git wrote it
	mode   string // of Is
}

// parseDeltas reads ":old-mode new-mode old-id new-id status NUL path NUL", with a second path of what was renamed, and the ids of commits in
// between (git diff-tree, "raw output format").
func parseDeltas(out []byte) ([]delta, error) {
	odd := errors.New("git says in an unexpected way what changed")
	var deltas []delta
	commit := ""
	for len(out) > 0 {
		head, rest, ok := bytes.Cut(out, []byte{0})
		if len(head) == 0 || !ok {
			return nil, odd
		}
		out = rest
		if head[0] != ':' {
			commit = string(head)
			continue
		}
		fields := strings.Fields(string(head[1:]))
		was, rest, ok := bytes.Cut(out, []byte{0})
		if len(fields) != 5 || !ok {
			return nil, odd
		}
		out = rest
		is := was
		if fields[4][0] == 'R' {
			if is, out, ok = bytes.Cut(out, []byte{0}); !ok {
				return nil, odd
			}
		}
		d := delta{commit: commit}
		if regular(fields[0]) {
			d.Was, d.wasID = string(was), fields[2]
		}
		if regular(fields[1]) {
			d.Is, d.isID, d.mode = string(is), fields[3], fields[1]
		}
		deltas = append(deltas, d)
	}
	return slices.Clip(deltas), nil
}
