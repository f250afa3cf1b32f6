package git

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// EverAt finds, for each content, every path that it has in the index and had in any commit that a branch, a tag, the stash, HEAD or a
// reflog leads to.
func (r *Repo) EverAt(ctx context.Context, contents ...[]byte) ([][]string, error) {
	const most = 200 // on one command line
	w := r.wanted(contents)
	revisions := []string{"--all", "--reflog"}
	if ok, err := r.hasCommit(ctx); err != nil {
		return nil, err
	} else if ok {
		revisions = append(revisions, "HEAD") // it may lead to no branch
	}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(w.at)), most) {
		args := []string{"log", "--format=", "--raw", "-z", "-m", "--root", "--no-abbrev", "--no-renames", "--no-show-signature"}
		for _, id := range some {
			args = append(args, "--find-object="+id)
		}
		out, err := r.run(ctx, nil, append(append(args, revisions...), "--")...)
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
			w.note(entry{path: path, id: fields[2]}, entry{path: path, id: fields[3]})
			rest = tail
		}
	}
	return w.found, r.inIndex(ctx, w)
}

// NowAt finds, for each content, the paths that it has in the index and at HEAD.
func (r *Repo) NowAt(ctx context.Context, contents ...[]byte) ([][]string, error) {
	w := r.wanted(contents)
	tree, err := r.Tree(ctx)
	if err != nil {
		return nil, err
	}
	for _, path := range slices.Sorted(maps.Keys(tree)) {
		w.note(entry{path: path, id: tree[path]})
	}
	return w.found, r.inIndex(ctx, w)
}

// wanted are contents that are looked for, by git's names of them.
type wanted struct {
	at    map[string][]int
	found [][]string
}

func (r *Repo) wanted(contents [][]byte) *wanted {
	w := &wanted{map[string][]int{}, make([][]string, len(contents))}
	for i, data := range contents {
		id := r.blobID(data)
		w.at[id] = append(w.at[id], i)
	}
	return w
}

func (w *wanted) note(entries ...entry) {
	for _, e := range entries {
		for _, i := range w.at[e.id] {
			if !slices.Contains(w.found[i], e.path) {
				w.found[i] = append(w.found[i], e.path)
			}
		}
	}
}

func (r *Repo) inIndex(ctx context.Context, w *wanted) error {
	out, err := r.run(ctx, nil, "ls-files", "-s", "-z", "--full-name", "--")
	for line := range strings.SplitSeq(string(out), "\x00") { // mode SP id SP stage TAB path
		head, path, _ := strings.Cut(line, "\t")
		if fields := strings.Fields(head); len(fields) == 3 && regular(fields[0]) {
			w.note(entry{path: path, id: fields[1]})
		}
	}
	return err
}

// WrittenWith gives the content that other had in the newest commit that changed path; nil if there is none.
func (r *Repo) WrittenWith(ctx context.Context, path, other string) ([]byte, error) {
	if ok, err := r.hasCommit(ctx); err != nil || !ok {
		return nil, err
	}
	out, err := r.run(ctx, nil, "rev-list", "-1", "HEAD", "--", path)
	commit := strings.TrimSpace(string(out))
	if err != nil || commit == "" {
		return nil, err
	}
	found, err := r.At(ctx, commit, other)
	return found[other], err
}

// parseTree reads "mode SP type SP id TAB path NUL" (git ls-tree), regular files only.
func parseTree(out []byte) (entries []entry) {
	for line := range strings.SplitSeq(string(out), "\x00") {
		head, path, _ := strings.Cut(line, "\t")
		if fields := strings.Fields(head); len(fields) == 3 && regular(fields[0]) {
			entries = append(entries, entry{path: path, id: fields[2]})
		}
	}
	return entries
}

// blobID is git's name for a content. Where SHA-1 makes it, nothing rests on nobody finding two contents of one name: the same content
// always has the same.
func (r *Repo) blobID(data []byte) string {
	h := sha1.New()
	if len(r.emptyTree) == hex.EncodedLen(sha256.Size) {
		h = sha256.New()
	}
	fmt.Fprintf(h, "blob %d\x00", len(data))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}
