package git

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
)

// Change is that a commit gave a path another content. Was are what the commit's parents have there: none for a path that is new, several for
// a merge that has neither's. Is is "" where the path is gone. Contents go by git's names of them.
type Change struct {
	Commit, Path string
	Was          []string
	Is           string
}

// Log lists every change of a regular file in any commit that a branch, a tag, the stash, HEAD or a reflog leads to, parents before children.
// Where a merge takes one side's content there is no change. A renamed file is gone from one path, and new at another.
func (r *Repo) Log(ctx context.Context) ([]Change, error) {
	revisions := []string{"rev-list", "--topo-order", "--reverse", "--all", "--reflog"}
	if ok, err := r.hasCommit(ctx); err != nil {
		return nil, err
	} else if ok {
		revisions = append(revisions, "HEAD") // it may lead to no branch
	}
	commits, err := r.run(ctx, nil, append(revisions, "--")...)
	if err != nil {
		return nil, err
	}
	out, err := r.run(ctx, commits, "diff-tree", "--stdin", "-r", "-c", "--root", "--raw", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=all")
	if err != nil {
		return nil, err
	}
	return parseLog(out)
}

// parseLog reads the ids of commits, and for each change as many colons, modes and ids as the commit has parents, the mode and id of the
// result, a status, and the path (git diff-tree, "diff format for merges").
func parseLog(out []byte) ([]Change, error) {
	odd := errors.New("git says in an unexpected way what changed")
	changes := make([]Change, 0, bytes.Count(out, []byte(":1"))/2)
	names := map[string]string{} // a path or an id is kept once, and what git said is let go
	one := func(s []byte) string {
		name, ok := names[string(s)]
		if !ok {
			name = string(s)
			names[name] = name
		}
		return name
	}
	commit := ""
	for len(out) > 0 {
		head, rest, ok := bytes.Cut(out, []byte{0})
		if !ok || len(head) == 0 {
			return nil, odd
		}
		out = rest
		if head[0] != ':' {
			commit = one(head)
			continue
		}
		parents := len(head) - len(bytes.TrimLeft(head, ":"))
		fields := bytes.Fields(head[parents:])
		path, rest, ok := bytes.Cut(out, []byte{0})
		if !ok || len(fields) != 2*parents+3 {
			return nil, odd
		}
		out = rest
		c := Change{Commit: commit, Path: one(path)}
		modes, ids := fields[:parents+1], fields[parents+1:2*parents+2]
		for i := range parents {
			if regular(string(modes[i])) {
				c.Was = append(c.Was, one(ids[i]))
			}
		}
		if regular(string(modes[parents])) {
			c.Is = one(ids[parents])
		}
		if len(c.Was) > 0 || c.Is != "" {
			changes = append(changes, c)
		}
	}
	return slices.Clip(changes), nil
}

// Contents calls fn for each content, in order, through one git process. Of what is longer than limit bytes, data is nil.
func (r *Repo) Contents(ctx context.Context, ids []string, limit int64, fn func(id string, data []byte) error) error {
	entries := make([]entry, len(ids))
	for i, id := range ids {
		entries[i] = entry{path: id, id: id}
	}
	return r.blobs(ctx, entries, limit, func(b Blob) error { return fn(b.Path, b.Data) })
}

// Name is git's name of a content.
func (r *Repo) Name(data []byte) string { return r.blobID(data) }

// Names gives git's name of what a path has in each of the commits, "" where it has no content there.
func (r *Repo) Names(ctx context.Context, path string, commits []string) (map[string]string, error) {
	if strings.ContainsAny(path, "\n") || len(commits) == 0 {
		return nil, nil
	}
	var ask bytes.Buffer
	for _, c := range commits {
		ask.WriteString(c + ":" + path + "\n")
	}
	out, err := r.run(ctx, ask.Bytes(), "cat-file", "--batch-check=%(objectname) %(objecttype)")
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(commits))
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != len(commits) {
		return nil, errors.New("git cat-file says something unexpected")
	}
	for i, line := range lines {
		if id, ok := strings.CutSuffix(line, " blob"); ok {
			names[commits[i]] = id
		}
	}
	return names, nil
}

// Tree gives git's names of the regular files at HEAD, by path; none before the first commit.
func (r *Repo) Tree(ctx context.Context) (map[string]string, error) {
	names := map[string]string{}
	if ok, err := r.hasCommit(ctx); err != nil || !ok {
		return names, err
	}
	out, err := r.run(ctx, nil, "ls-tree", "-r", "-z", "--full-tree", "HEAD")
	for _, e := range parseTree(out) {
		names[e.path] = e.id
	}
	return names, err
}
