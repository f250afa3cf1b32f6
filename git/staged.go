package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Blob is a staged or committed file.
type Blob struct {
	Path string // relative to the top level, slash-separated
	Data []byte // nil if it is longer than the limit

	entry entry // that it was read for
}

// entry names a blob that is to be read.
type entry struct {
	path, id string
	mode     string // where it is known
}

// Staged calls fn, in the order of paths, for every regular file whose content in the index differs from HEAD's: added,
// copied, modified, or turned from something else into a file. A renamed file counts as added. On the first commit that
// is every file. Symlinks and submodules are skipped: the blob of the one is a path, the other has none.
//
// The content is the index's, never the work tree's, and comes through one git process; of a file longer than limit
// bytes nothing is kept and Data is nil. An error of fn ends the walk and is returned as it is. Files with merge
// conflicts are not staged yet and not seen.
func (r *Repo) Staged(ctx context.Context, limit int64, fn func(Blob) error) error {
	out, err := r.changes(ctx, "HEAD")
	if err != nil {
		if ok, e := r.hasCommit(ctx); e != nil || ok {
			return err
		}
		if out, err = r.changes(ctx, r.emptyTree); err != nil {
			return err
		}
	}
	deltas, err := parseDeltas(out)
	if err != nil {
		return err
	}
	var entries []entry
	for _, d := range deltas {
		if d.Is != "" {
			entries = append(entries, entry{d.Is, d.isID, d.mode})
		}
	}
	return r.blobs(ctx, entries, limit, fn)
}

// Files lists the files of the work tree that are in the index or would be added to it: those that nothing ignores. They
// are relative to the top level and slash-separated. One of them may be missing from the work tree, or be a link; what is
// in a repository inside this one is not listed.
func (r *Repo) Files(ctx context.Context) ([]string, error) {
	out, err := r.run(ctx, nil, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--")
	if err != nil {
		return nil, err
	}
	files := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	return slices.DeleteFunc(files, func(path string) bool { return path == "" || strings.HasSuffix(path, "/") }), nil
}

// Ignored gives those of the paths, relative to the top level, that are files which git ignores: nothing adds them unless it is forced to.
func (r *Repo) Ignored(ctx context.Context, paths ...string) (map[string]bool, error) {
	given := clean(paths)
	if len(given) == 0 {
		return nil, nil
	}
	args := []string{"ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--"}
	if asArguments(given) {
		args = append(args, sorted(given)...)
	}
	out, err := r.run(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	ignored := map[string]bool{}
	for file := range strings.SplitSeq(string(out), "\x00") {
		for _, path := range given[file] {
			ignored[path] = true
		}
	}
	return ignored, nil
}

// changes compares the index with a tree. The plumbing is deaf to the user's diff settings.
func (r *Repo) changes(ctx context.Context, tree string) ([]byte, error) {
	return r.run(ctx, nil, "diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--diff-filter=ACMT",
		"--ignore-submodules=all", tree, "--")
}

// hasCommit reports whether HEAD names a commit, which it does not before the first one.
func (r *Repo) hasCommit(ctx context.Context) (bool, error) {
	_, err := r.run(ctx, nil, "rev-parse", "--quiet", "--verify", "--end-of-options", "HEAD^{commit}")
	if status(err) > 0 {
		return false, nil
	}
	return err == nil, err
}

func regular(mode string) bool { return strings.HasPrefix(mode, "100") }

// blobs reads the entries through one "git cat-file --batch".
func (r *Repo) blobs(ctx context.Context, entries []entry, limit int64, fn func(Blob) error) (err error) {
	if len(entries) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd, err := command(ctx, r.Top, r.env, "cat-file", "--batch", "--buffer")
	if err != nil {
		return err
	}
	var ids, problem bytes.Buffer
	for _, e := range entries {
		ids.WriteString(e.id + "\n")
	}
	cmd.Stdin, cmd.Stderr = &ids, &problem
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("running git: %w", err)
	}
	in := bufio.NewReaderSize(pipe, 64<<10)
	for _, e := range entries {
		data, err := readBlob(in, e, limit)
		if err == nil {
			err = fn(Blob{e.path, data, e})
		} else if ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil {
			cancel()
			_ = cmd.Wait() // it was killed
			return err
		}
	}
	if err := cmd.Wait(); err != nil {
		return explain(ctx, "cat-file", err, problem.String())
	}
	return nil
}

// readBlob reads one answer: "id blob size LF content LF", or "id missing LF".
func readBlob(in *bufio.Reader, e entry, limit int64) ([]byte, error) {
	head, err := in.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("git cat-file ended early: %w", err)
	}
	fields := strings.Fields(head)
	if len(fields) != 3 || fields[0] != e.id || fields[1] != "blob" {
		return nil, &Error{Err: fmt.Errorf("%s: git has no content for it", strconv.Quote(e.path)), Hint: `see what "git fsck" says`}
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil || size < 0 {
		return nil, errors.New("git cat-file says something unexpected")
	}
	var data []byte
	if size > limit {
		_, err = io.CopyN(io.Discard, in, size)
	} else {
		data = make([]byte, size)
		_, err = io.ReadFull(in, data)
	}
	if err == nil {
		_, err = in.Discard(1)
	}
	if err != nil {
		return nil, fmt.Errorf("git cat-file ended early: %w", err)
	}
	return data, nil
}
