package git

import (
	"context"
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
	found, err := r.At(ctx, "HEAD", paths...)
	if err != nil {
		if ok, e := r.hasCommit(ctx); e == nil && !ok {
			return map[string][]byte{}, nil
		}
	}
	return found, err
}

// At is Head for any commit, which has to be there.
func (r *Repo) At(ctx context.Context, commit string, paths ...string) (map[string][]byte, error) {
	found := map[string][]byte{}
	given := clean(paths)
	if len(given) == 0 {
		return found, nil
	}
	args := []string{"ls-tree", "-z", "--full-tree"}
	if asArguments(given) {
		args = append(append(args, commit, "--"), sorted(given)...)
	} else {
		args = append(args, "-r", commit)
	}
	out, err := r.run(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	entries := slices.DeleteFunc(parseTree(out), func(e entry) bool { return given[e.path] == nil })
	return found, r.collect(ctx, entries, given, found)
}

// collect reads the entries into found, under the paths as they were given.
func (r *Repo) collect(ctx context.Context, entries []entry, given map[string][]string, found map[string][]byte) error {
	return r.blobs(ctx, entries, MaxHead, func(b Blob) error {
		if b.Data != nil {
			for _, p := range given[b.Path] {
				found[p] = b.Data
			}
		}
		return nil
	})
}

// Index returns the content that paths, relative to the top level, have in the index, as Head does at HEAD.
func (r *Repo) Index(ctx context.Context, paths ...string) (map[string][]byte, error) {
	found := map[string][]byte{}
	given := clean(paths)
	if len(given) == 0 {
		return found, nil
	}
	entries, err := r.indexed(ctx, given)
	if err != nil {
		return nil, err
	}
	return found, r.collect(ctx, entries, given, found)
}

// indexed are the entries of the index for those paths that are regular files there, without a conflict.
func (r *Repo) indexed(ctx context.Context, given map[string][]string) ([]entry, error) {
	args := []string{"ls-files", "--stage", "-z"}
	if asArguments(given) {
		args = append(append(args, "--"), sorted(given)...)
	}
	out, err := r.run(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for line := range strings.SplitSeq(string(out), "\x00") { // mode SP id SP stage TAB path
		head, name, _ := strings.Cut(line, "\t")
		fields := strings.Fields(head)
		if len(fields) == 3 && regular(fields[0]) && fields[2] == "0" && given[name] != nil {
			entries = append(entries, entry{name, fields[1], fields[0]})
		}
	}
	return entries, nil
}

// Grep lists the files of a commit, "" for the index, that hold one of the words, relative to the top level: those that attributes call binary,
// too, which are as a pull request has them, and whatever the user's settings say.
func (r *Repo) Grep(ctx context.Context, commit string, words ...string) ([]string, error) {
	if len(words) == 0 {
		return nil, nil
	}
	args := []string{"grep", "-z", "-l", "--fixed-strings", "--full-name", "--text", "--no-color", "--no-recurse-submodules"}
	for _, w := range words {
		args = append(args, "-e", w)
	}
	prefix := "" // of each answer
	if commit == "" {
		args = append(args, "--cached")
	} else {
		args, prefix = append(args, commit), commit+":"
	}
	out, err := r.run(ctx, nil, append(args, "--")...)
	if status(err) == 1 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var paths []string
	for p := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		paths = append(paths, strings.TrimPrefix(p, prefix))
	}
	return paths, nil
}

// Versions calls fn for every content that paths, relative to the top level, have had in any commit that a branch, a
// tag, the stash or HEAD leads to, each once. What is only staged, or was only in commits that nothing leads to any
// more, is not found; a file that was renamed since has another path. Of a file longer than MaxHead, Data is nil.
func (r *Repo) Versions(ctx context.Context, fn func(Blob) error, paths ...string) error {
	given := clean(paths)
	if len(given) == 0 {
		return nil
	}
	// --full-history does not leave out a branch whose file was deleted before it was merged.
	args := []string{"rev-list", "--objects", "--all", "--full-history", "--filter=object:type=blob", "--filter-provided-objects"}
	args, stdin := asPaths(args, given)
	out, err := r.run(ctx, stdin, args...)
	if err != nil {
		return err
	}
	byLine := make(map[string]string, len(given)) // git cuts a path at its first line break here
	for p := range given {
		line, _, _ := strings.Cut(p, "\n")
		byLine[line] = p
	}
	var entries []entry
	for line := range strings.Lines(string(out)) {
		id, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if p, wanted := byLine[name]; ok && wanted {
			entries = append(entries, entry{path: p, id: id})
		}
	}
	return r.blobs(ctx, entries, MaxHead, fn)
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

// asPaths adds paths to the arguments of rev-list, or to what it reads.
func asPaths(args []string, paths map[string][]string) (all []string, stdin []byte) {
	if asArguments(paths) {
		return append(append(args, "--"), sorted(paths)...), nil
	}
	return append(args, "--stdin"), []byte("--\n" + strings.Join(sorted(paths), "\n") + "\n")
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
	if r.shallow {
		return "", nil
	}
	out, err := r.run(ctx, nil, "rev-list", "--max-parents=0", "HEAD", "--")
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
