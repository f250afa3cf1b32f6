// Package git runs the git executable: which repository is this, what is staged, what was committed, where are its
// hooks. It is the only package that does.
//
// It knows git's plumbing and its environment. It refuses to know what the files mean. Nothing that comes from a user or
// a repository is ever passed where git could take it for an option, names of files are passed and read NUL-separated
// and literally, and messages never quote the content of a file or the credentials in an address. git 2.31 or later.
package git

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// Repo is a work tree. It is safe for concurrent use.
type Repo struct {
	Top string // absolute, without symlinks, in the platform's form

	env       []string // of every git process
	dir       string   // the work tree's own git directory, absolute
	emptyTree string   // object id
	shallow   bool     // when it was opened
}

var (
	// ErrNotARepository: there is no work tree here. A bare repository and the inside of .git are none.
	ErrNotARepository = errors.New("not in a git work tree")
	// ErrNoGit: there is no git executable.
	ErrNoGit = errors.New("git is not installed, or not in PATH")
	// ErrUnsafe: git does not trust the owner of the repository (safe.directory).
	ErrUnsafe = errors.New("git refuses a repository that somebody else owns")
)

// Error is a fault with a way out. Error() is what is wrong.
type Error struct {
	Err  error
	Hint string
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// The ids of the tree without entries, by object format; git knows them without an object.
var emptyTrees = map[string]string{
	"sha1":   "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
	"sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}

// Open finds the repository whose work tree dir lies in. What git passes to its hooks through the environment (GIT_DIR,
// GIT_INDEX_FILE and their like) counts if, and only if, it is about that same repository: in the hook of a partial
// commit the index to look at is a temporary one, but a hook of one repository may well ask about another.
func Open(ctx context.Context, dir string) (*Repo, error) {
	clean, local := splitEnvironment(os.Environ())
	r, err := open(ctx, dir, clean)
	if len(local) == 0 {
		return r, err
	}
	if err != nil {
		return openElsewhere(ctx, dir, clean, local, err)
	}
	if own, e := open(ctx, ".", append(clean, local...)); e == nil && own.dir == r.dir {
		r.env = append(clean, absolute(local, r)...)
	}
	return r, nil
}

// openElsewhere is for a work tree whose git directory is not in it, as git --git-dir=… --work-tree=… makes one: only the
// environment knows about it.
func openElsewhere(ctx context.Context, dir string, clean, local []string, cause error) (*Repo, error) {
	if !errors.Is(cause, ErrNotARepository) || !has(local, "GIT_DIR") || !has(local, "GIT_WORK_TREE") {
		return nil, cause
	}
	r, err := open(ctx, ".", append(clean, local...))
	if err != nil {
		return nil, cause
	}
	if _, err := r.Rel(dir); err != nil {
		return nil, cause
	}
	r.env = append(clean, absolute(local, r)...)
	return r, nil
}

func open(ctx context.Context, dir string, env []string) (*Repo, error) {
	out, err := run(ctx, dir, env, nil, "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--show-object-format", "--is-shallow-repository")
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != 4 || lines[0] == "" {
		return nil, &Error{Err: errors.New("git says where the repository is in a way that can't be read"), Hint: "git 2.31 or later is needed, and a path without line breaks"}
	}
	r := &Repo{Top: filepath.FromSlash(lines[0]), dir: filepath.FromSlash(lines[1]), env: env, emptyTree: emptyTrees[lines[2]], shallow: lines[3] != "false"}
	if r.emptyTree == "" {
		return nil, &Error{Err: errors.New("unknown object format of the repository"), Hint: "use a version of ageseal that knows it"}
	}
	return r, nil
}

// Rel returns path, which need not exist, relative to the top level and slash-separated. Symlinks among the directories
// of path are followed, path itself is not. Outside the work tree is an error.
func (r *Repo) Rel(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		abs = filepath.Join(real, filepath.Base(abs))
	}
	rel, err := filepath.Rel(r.Top, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return "", &Error{Err: errors.New("outside the git work tree")}
	}
	return filepath.ToSlash(rel), nil
}

func (r *Repo) run(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	return run(ctx, r.Top, r.env, stdin, args...)
}
