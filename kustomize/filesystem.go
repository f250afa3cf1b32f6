package kustomize

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// fileSystem is what kustomize reads from: the disk, inside the root, with sealed manifests replaced. A build uses
// CleanedAbs and ReadFile, and RemoveAll on its own clones; the rest is the disk's.
//
// kustomize reports many errors of a filesystem as something else ("unable to find one of 'kustomization.yaml'") or
// not at all. So the first one that is no ordinary answer to a probe is kept: it is the error of the build.
type fileSystem struct {
	filesys.FileSystem
	root        string // resolved
	clones      string // how the path of a clone made by kustomize begins
	allowRemote bool
	offline     bool
	dirs        map[string]string // directory → the same, resolved
	tree        *tree
	serve       func(path string, use use, src []byte) ([]byte, error)
	serveFile   func(path string, use use, src []byte) ([]byte, error)
	served      map[string][]byte // what was served in place of something sealed
	err         error
}

func newFileSystem(root string, allowRemote bool) *fileSystem {
	temp, err := filepath.EvalSymlinks(os.TempDir())
	if err != nil {
		temp = os.TempDir()
	}
	return &fileSystem{
		FileSystem:  filesys.MakeFsOnDisk(),
		root:        root,
		clones:      filepath.Join(temp, "kustomize-"),
		allowRemote: allowRemote,
		dirs:        make(map[string]string),
		served:      make(map[string][]byte),
	}
}

// keep remembers the first error.
func (f *fileSystem) keep(err error) error {
	if f.err == nil {
		f.err = err
	}
	return err
}

// CleanedAbs resolves a path as the disk's does, with fewer calls, and refuses what lies outside.
func (f *fileSystem) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	full, info, err := f.resolve(path)
	if err != nil {
		return f.FileSystem.CleanedAbs(path) // for the disk's own words
	}
	if err := f.contains(full); err != nil {
		return "", "", err
	}
	if info.IsDir() {
		return filesys.ConfirmedDir(full), "", nil
	}
	return filesys.ConfirmedDir(filepath.Dir(full)), filepath.Base(full), nil
}

// ReadFile serves one file. With load restrictions off kustomize hands over the path as it is written, so it is resolved here.
func (f *fileSystem) ReadFile(path string) ([]byte, error) {
	full, info, err := f.resolve(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: cause(err)}
	}
	if err := f.contains(full); err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: syscall.EISDIR}
	}
	if !info.Mode().IsRegular() {
		return nil, f.keep(&Error{File: shortPath(full), Err: errors.New("not a regular file")})
	}
	src, err := os.ReadFile(full)
	if err != nil {
		return nil, f.keep(&Error{File: shortPath(full), Err: cause(err)})
	}
	use := f.tree.uses[full]
	if isKustomization(full) && !isAgeFile(src, use) {
		if err := f.tree.kustomization(full, src); err != nil {
			return nil, f.keep(err)
		}
		if err := f.stayHere(); err != nil {
			return nil, err
		}
		return src, nil
	}
	if isAgeFile(src, use) {
		out, err := f.serveFile(full, use, src)
		if err != nil {
			return nil, f.keep(err)
		}
		return out, nil
	}
	if use&(useResource|usePatch|useGenerator|useTransformer) != 0 {
		if err := checkAliases(src); err != nil {
			return nil, f.keep(&Error{File: shortPath(full), Err: err, Hint: "write the values out where they are used"})
		}
	}
	if use&(useTransformer|useReplacement) != 0 {
		f.tree.operators(full, use, src)
	}
	if mayBeSealed(src) || mayBeDecrypter(src) {
		if src, err = f.serve(full, use, src); err != nil {
			return nil, f.keep(err)
		}
	}
	if use&(useGenerator|useTransformer) != 0 {
		f.tree.functions(full, src) // of what is served: ours are functions no more
		f.tree.plugin(src)
		if err := f.stayHere(); err != nil {
			return nil, err
		}
	}
	return src, nil
}

// stayHere refuses, in a build that is offline, what the files read so far name elsewhere: it is not fetched yet.
func (f *fileSystem) stayHere() error {
	if !f.offline || f.tree.remote == "" {
		return nil
	}
	return f.keep(&Error{File: f.tree.last, Err: factf(ErrRemote, "%s would be fetched", f.tree.remote)})
}

// cause is what went wrong, without the operation and the path.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// resolve follows every symbolic link. The directories of a tree are few, so each is resolved once.
func (f *fileSystem) resolve(path string) (string, fs.FileInfo, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", nil, err
	}
	dir, ok := f.dirs[filepath.Dir(abs)]
	if !ok {
		if dir, err = filepath.EvalSymlinks(filepath.Dir(abs)); err != nil {
			return "", nil, err
		}
		f.dirs[filepath.Dir(abs)] = dir
	}
	full := filepath.Join(dir, filepath.Base(abs))
	info, err := os.Lstat(full)
	if err != nil {
		return "", nil, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if full, err = filepath.EvalSymlinks(full); err != nil {
			return "", nil, err
		}
		if info, err = os.Lstat(full); err != nil {
			return "", nil, err
		}
	}
	return full, info, nil
}

// contains refuses a resolved path that lies outside the root and is not below a clone made for a remote base.
func (f *fileSystem) contains(full string) error {
	if within(f.root, full) {
		return nil
	}
	if strings.HasPrefix(full, f.clones) {
		if f.allowRemote {
			return nil
		}
		return f.keep(&Error{File: f.tree.last, Err: factf(ErrRemote, "a base of this kustomization is in another repository"),
			Hint: "what is sealed there would be opened with your identity; if you trust it, build with --allow-remote"})
	}
	return f.keep(&Error{File: shortPath(full), Err: ErrOutside,
		Hint: "the root is " + f.root + "; name a wider one with --root"})
}

// within reports whether path is dir or below it. Both are absolute and clean.
func within(dir, path string) bool {
	if dir == path || dir == string(filepath.Separator) {
		return true
	}
	return strings.HasPrefix(path, dir+string(filepath.Separator))
}

// findRoot gives the resolved root of a build of target: root if given, else the nearest directory at or above target
// that has a .git, else target.
func findRoot(root, target string) (string, error) {
	if root != "" {
		abs, err := filepath.Abs(root)
		if err != nil {
			return "", err
		}
		return filepath.EvalSymlinks(abs)
	}
	abs, err := filepath.Abs(target)
	if err != nil {
		return "", err
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return "", err
	}
	for dir := abs; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return abs, nil
		}
	}
}
