package git

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// Shallow reports whether the clone lacks a part of its history.
func (r *Repo) Shallow(ctx context.Context) (bool, error) {
	out, err := r.run(ctx, nil, "rev-parse", "--is-shallow-repository")
	return strings.TrimSpace(string(out)) == "true", err
}

// EverAt finds, for each content, every path that it has in the index and had in any commit that a branch, a tag, the stash, HEAD or a
// reflog leads to.
func (r *Repo) EverAt(ctx context.Context, contents ...[]byte) ([][]string, error) {
	const most = 200 // on one command line
	found := make([][]string, len(contents))
	at := map[string][]int{}
	var options []string
	for i, data := range contents {
		id := r.blobID(data)
		if at[id] == nil {
			options = append(options, "--find-object="+id)
		}
		at[id] = append(at[id], i)
	}
	note := func(id, path string) {
		for _, i := range at[id] {
			if !slices.Contains(found[i], path) {
				found[i] = append(found[i], path)
			}
		}
	}
	revisions := []string{"--all", "--reflog"}
	if ok, err := r.exists(ctx, "HEAD"); err != nil {
		return nil, err
	} else if ok {
		revisions = append(revisions, "HEAD") // it may lead to no branch
	}
	for some := range slices.Chunk(options, most) {
		args := slices.Concat([]string{"log", "--format=", "--raw", "-z", "-m", "--root", "--no-abbrev", "--no-renames", "--no-show-signature"}, some, revisions, []string{"--"})
		out, err := r.run(ctx, nil, args...)
		if err != nil {
			return nil, err
		}
		for rest := strings.TrimLeft(string(out), "\x00"); rest != ""; rest = strings.TrimLeft(rest, "\x00") { // NULs stand between commits
			head, tail, _ := strings.Cut(rest, "\x00")
			path, tail, ok := strings.Cut(tail, "\x00")
			fields := strings.Fields(head)
			if !ok || len(fields) != 5 || head[0] != ':' {
				return nil, errors.New("git log says something unexpected")
			}
			note(fields[2], path)
			note(fields[3], path)
			rest = tail
		}
	}
	if len(contents) > 0 {
		entries, err := r.index(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			note(e.id, e.path)
		}
	}
	return found, nil
}

// Copies finds, for each path, the other paths that have the same content in the index, or have it at HEAD. What the index does not hold
// has none.
func (r *Repo) Copies(ctx context.Context, paths ...string) (map[string][]string, error) {
	copies := map[string][]string{}
	if len(paths) == 0 {
		return copies, nil
	}
	index, err := r.index(ctx)
	if err != nil {
		return nil, err
	}
	all := index
	if ok, err := r.exists(ctx, "HEAD"); err != nil {
		return nil, err
	} else if ok {
		out, err := r.run(ctx, nil, "ls-tree", "-r", "-z", "--full-tree", "HEAD")
		if err != nil {
			return nil, err
		}
		all = append(slices.Clip(index), parseTree(out)...)
	}
	ids, at := map[string]string{}, map[string][]string{}
	for _, e := range index {
		ids[e.path] = e.id
	}
	for _, e := range all {
		if !slices.Contains(at[e.id], e.path) {
			at[e.id] = append(at[e.id], e.path)
		}
	}
	for _, path := range paths {
		if id := ids[path]; id != "" {
			copies[path] = slices.DeleteFunc(slices.Clone(at[id]), func(other string) bool { return other == path })
		}
	}
	return copies, nil
}

// WrittenWith gives the content that other had in the newest commit that changed path; nil if there is none.
func (r *Repo) WrittenWith(ctx context.Context, path, other string) ([]byte, error) {
	if ok, err := r.exists(ctx, "HEAD"); err != nil || !ok {
		return nil, err
	}
	out, err := r.run(ctx, nil, "rev-list", "-1", "HEAD", "--", path)
	commit := strings.TrimSpace(string(out))
	if err != nil || commit == "" {
		return nil, err
	}
	found, err := r.at(ctx, commit, other)
	return found[other], err
}

// index lists the regular files of the index; those with merge conflicts once for each side.
func (r *Repo) index(ctx context.Context) ([]entry, error) {
	out, err := r.run(ctx, nil, "ls-files", "-s", "-z", "--full-name", "--")
	if err != nil {
		return nil, err
	}
	var entries []entry
	for line := range strings.SplitSeq(string(out), "\x00") { // mode SP id SP stage TAB path
		head, path, _ := strings.Cut(line, "\t")
		if fields := strings.Fields(head); len(fields) == 3 && regular(fields[0]) {
			entries = append(entries, entry{path, fields[1]})
		}
	}
	return entries, nil
}

// parseTree reads "mode SP type SP id TAB path NUL" (git ls-tree), regular files only.
func parseTree(out []byte) (entries []entry) {
	for line := range strings.SplitSeq(string(out), "\x00") {
		head, path, _ := strings.Cut(line, "\t")
		if fields := strings.Fields(head); len(fields) == 3 && regular(fields[0]) {
			entries = append(entries, entry{path, fields[2]})
		}
	}
	return entries
}

// blobID is git's name for a content. Where SHA-1 makes it, nothing rests on nobody finding two contents of one name: the same content
// always has the same.
func (r *Repo) blobID(data []byte) string {
	var h hash.Hash = sha1.New()
	if len(r.emptyTree) == hex.EncodedLen(sha256.Size) {
		h = sha256.New()
	}
	fmt.Fprintf(h, "blob %d\x00", len(data))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}
