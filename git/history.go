package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// MaxHead is the size in bytes of a committed file that Head still reads.
const MaxHead = 64 << 20

// Head returns the content that paths, relative to the top level, have at HEAD. Missing from the map is what is no
// regular file there, or longer than MaxHead; before the first commit that is everything.
func (r *Repo) Head(ctx context.Context, paths ...string) (map[string][]byte, error) {
	found := map[string][]byte{}
	given := clean(paths)
	if len(given) == 0 {
		return found, nil
	}
	args := []string{"ls-tree", "-z", "--full-tree"}
	if asArguments(given) {
		args = append(append(args, "HEAD", "--"), sorted(given)...)
	} else {
		args = append(args, "-r", "HEAD")
	}
	out, err := r.run(ctx, nil, args...)
	if err != nil {
		if ok, e := r.exists(ctx, "HEAD"); e == nil && !ok {
			return found, nil
		}
		return nil, err
	}
	var entries []entry
	for line := range strings.SplitSeq(string(out), "\x00") { // mode SP type SP id TAB path
		head, name, _ := strings.Cut(line, "\t")
		fields := strings.Fields(head)
		if len(fields) == 3 && regular(fields[0]) && given[name] != nil {
			entries = append(entries, entry{name, fields[2]})
		}
	}
	err = r.blobs(ctx, entries, MaxHead, func(b Blob) error {
		if b.Data != nil {
			for _, p := range given[b.Path] {
				found[p] = b.Data
			}
		}
		return nil
	})
	return found, err
}

// EverCommitted tells which of paths, relative to the top level, have been in any commit that a branch, a tag, the stash
// or HEAD leads to. What is only staged, or was only in commits that nothing leads to any more, is not found; a file
// that was renamed since has another path. The walk ends as soon as all are found.
func (r *Repo) EverCommitted(ctx context.Context, paths ...string) (map[string]bool, error) {
	found := map[string]bool{}
	given := clean(paths)
	if len(given) == 0 {
		return found, nil
	}
	// -c shows of a merge what differs from all parents; --full-history does not leave out a branch whose file was
	// deleted before it was merged.
	args := []string{"-c", "log.follow=false", "log", "--all", "--full-history", "-c", "--name-only", "-z", "--format=", "--no-renames", "--diff-filter=AMT",
		"--no-show-signature", "--no-ext-diff", "--no-color", "--no-relative", "--root"}
	var stdin []byte
	if asArguments(given) {
		args = append(append(args, "--"), sorted(given)...)
	} else {
		args = append(args, "--stdin")
		stdin = []byte("--\n" + strings.Join(slices.DeleteFunc(sorted(given), func(p string) bool { return strings.Contains(p, "\n") }), "\n") + "\n")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd, err := command(ctx, r.Top, r.env, args...)
	if err != nil {
		return nil, err
	}
	var problem bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &problem
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("running git: %w", err)
	}
	in := bufio.NewReader(pipe)
	for left := len(given); left > 0; {
		name, err := in.ReadString(0)
		name = strings.Trim(name, "\x00")
		for _, p := range given[name] {
			if !found[p] {
				found[p] = true
			}
		}
		if given[name] != nil {
			delete(given, name)
			left--
		}
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("git log ended early: %w", err)
		}
	}
	if len(given) == 0 {
		cancel()
		_ = cmd.Wait() // the rest of history does not matter
		return found, nil
	}
	if err := cmd.Wait(); err != nil {
		return nil, explain(ctx, "log", err, problem.String())
	}
	return found, nil
}

// clean maps paths as git writes them to those given; what can't be a file in the work tree is left out.
func clean(paths []string) map[string][]string {
	out := make(map[string][]string, len(paths))
	for _, p := range paths {
		c := path.Clean(p)
		if p == "" || c == "." || c == ".." || strings.HasPrefix(c, "../") || strings.HasPrefix(c, "/") || strings.Contains(c, "\x00") {
			continue
		}
		out[c] = append(out[c], p)
	}
	return out
}

func sorted(m map[string][]string) []string {
	out := make([]string, 0, len(m))
	for p := range m {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// asArguments reports whether the paths fit on a command line everywhere (Windows: 32 KiB). A path with a line break
// can't be passed in any other way.
func asArguments(paths map[string][]string) bool {
	const most = 16 << 10
	n, breaks := 0, false
	for p := range paths {
		n += len(p) + 1
		breaks = breaks || strings.Contains(p, "\n")
	}
	return n <= most || breaks
}

// Keys identify the repository in the user's own records, the best first: the address of the remote "origin" without
// credentials, the root commit, the path. A repository gets the better ones in the course of its life, with its first
// commit and its remote, so a record is to be looked for under each. The sequence ends at the first error.
func (r *Repo) Keys(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, key := range []func(context.Context) (string, error){r.remoteKey, r.rootKey} {
			k, err := key(ctx)
			if err != nil {
				yield("", err)
				return
			}
			if k != "" && !yield(k, nil) {
				return
			}
		}
		yield("path "+r.Top, nil)
	}
}

// Key is the best of Keys.
func (r *Repo) Key(ctx context.Context) (string, error) {
	for key, err := range r.Keys(ctx) {
		return key, err
	}
	return "", nil
}

func (r *Repo) remoteKey(ctx context.Context) (string, error) {
	out, err := r.run(ctx, nil, "config", "--null", "--get", "remote.origin.url")
	if status(err) < 0 && err != nil {
		return "", err
	}
	url := strings.TrimRight(string(out), "\x00")
	if url == "" {
		return "", nil
	}
	return "remote " + r.address(url), nil
}

// rootKey is empty before the first commit, and for a shallow clone: its root moves with every fetch.
func (r *Repo) rootKey(ctx context.Context) (string, error) {
	out, err := r.run(ctx, nil, "rev-parse", "--is-shallow-repository")
	if err != nil || strings.TrimSpace(string(out)) != "false" {
		return "", err
	}
	out, err = r.run(ctx, nil, "rev-list", "--max-parents=0", "HEAD", "--")
	if status(err) < 0 && err != nil {
		return "", err
	}
	roots := strings.Fields(string(out))
	if len(roots) == 0 {
		return "", nil
	}
	return "root " + slices.Min(roots), nil
}

// address strips from a remote's URL what is secret or personal. A relative path is made absolute: two repositories may
// both have "../upstream".
func (r *Repo) address(url string) string {
	url = strings.TrimSpace(url)
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		colon, slash := strings.Index(url, ":"), strings.Index(url, "/")
		if remote := colon > 0 && (slash < 0 || colon < slash); remote || filepath.IsAbs(url) { // host:path, C:\path
			return url
		}
		return filepath.ToSlash(filepath.Join(r.Top, filepath.FromSlash(url)))
	}
	host, file, slash := strings.Cut(rest, "/")
	if at := strings.LastIndex(host, "@"); at >= 0 {
		user, _, _ := strings.Cut(host[:at], ":")
		host = host[at+1:]
		if !strings.HasPrefix(scheme, "http") && user != "" {
			host = user + "@" + host
		}
	}
	if strings.HasPrefix(scheme, "http") {
		file, _, _ = strings.Cut(file, "?")
		file, _, _ = strings.Cut(file, "#")
	}
	if slash {
		host += "/"
	}
	return scheme + "://" + host + file
}
