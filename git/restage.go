package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ErrRestaged: something else was staged meanwhile.
var ErrRestaged = errors.New("staged anew meanwhile")

// Restage stages other content for blobs that came from Staged, their Data, in place of what was read, all or none. Modes stay, and so does the
// work tree. undo puts back what was staged before; it fails, as Restage does, with ErrRestaged if that is not what is staged now.
func (r *Repo) Restage(ctx context.Context, blobs []Blob) (undo func() error, err error) {
	old, sealed := make([]entry, len(blobs)), make([]entry, len(blobs))
	for i, b := range blobs {
		// No filter of the user's: what was staged has been through them.
		out, err := r.run(ctx, b.Data, "hash-object", "-w", "--stdin", "--no-filters")
		if err != nil {
			return nil, err
		}
		old[i], sealed[i] = b.entry, entry{b.Path, strings.TrimSpace(string(out)), b.entry.mode}
	}
	if err := r.exchange(ctx, old, sealed); err != nil {
		return nil, err
	}
	return func() error { return r.exchange(context.WithoutCancel(ctx), sealed, old) }, nil
}

// exchange replaces entries of the index by others of the same paths, in one step of git's.
func (r *Repo) exchange(ctx context.Context, old, replacement []entry) error {
	given := map[string][]string{}
	for _, e := range old {
		given[e.path] = []string{e.path}
	}
	now, err := r.indexed(ctx, given)
	if err != nil {
		return err
	}
	for _, e := range old {
		if !slices.Contains(now, e) {
			return &Error{Err: fmt.Errorf("%s: %w", strconv.Quote(e.path), ErrRestaged), Hint: "nothing was overwritten; run the command again"}
		}
	}
	var lines strings.Builder
	for _, e := range replacement {
		lines.WriteString(e.mode + " " + e.id + "\t" + e.path + "\x00")
	}
	_, err = r.run(ctx, []byte(lines.String()), "update-index", "-z", "--index-info")
	return err
}

// Temporary reports whether the index is one that somebody made for the occasion, as "git commit FILE" does: what is staged there does not stay
// staged.
func (r *Repo) Temporary() bool {
	for _, e := range r.env {
		file, ok := strings.CutPrefix(e, "GIT_INDEX_FILE=")
		if !ok || file == "" {
			continue
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(r.Top, file)
		}
		dir, err1 := os.Stat(filepath.Dir(file))
		own, err2 := os.Stat(r.dir)
		// "git commit -a" has the new index in the file that will become it.
		name := filepath.Base(file)
		return err1 != nil || err2 != nil || !os.SameFile(dir, own) || name != "index" && name != "index.lock"
	}
	return false
}

// Conflicts reports whether the index has files with merge conflicts.
func (r *Repo) Conflicts(ctx context.Context) (bool, error) {
	out, err := r.run(ctx, nil, "ls-files", "--unmerged", "-z")
	return len(out) > 0, err
}
