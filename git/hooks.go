package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/internal/lazy"
)

// hookMarker is the line by which a hook of ours is recognised, whatever version wrote it.
const hookMarker = "# This hook is ageseal's: it is replaced when ageseal installs its hooks again."

// KeptSuffix is what the name of the hook that was there before ours ends in.
const KeptSuffix = ".local"

// HooksDir returns the absolute path of the directory that git runs hooks from. It honours core.hooksPath, a relative
// one of which is relative to the top level, and linked work trees, which share their hooks. It need not exist.
func (r *Repo) HooksDir(ctx context.Context) (string, error) {
	out, err := r.run(ctx, nil, "rev-parse", "--path-format=absolute", "--git-path", "hooks")
	if err != nil {
		return "", err
	}
	return filepath.FromSlash(strings.TrimSuffix(string(out), "\n")), nil
}

var hookName = lazy.Regexp(`^[a-z]+(-[a-z]+)*$`)

// InstallHook writes an executable hook that runs script, lines of POSIX shell, and returns its path. A hook of somebody
// else's is kept beside it as NAME.local (KeptSuffix), and ours runs it first, with the same arguments and input: it may
// still change what is staged, and if it fails, so does ours, with its status. Again is harmless: a hook of ours is
// brought up to date, or left alone, and then changed is false.
func (r *Repo) InstallHook(ctx context.Context, name, script string) (path string, changed bool, err error) {
	if !hookName().MatchString(name) {
		return "", false, errors.New("malformed name of a hook")
	}
	dir, err := r.HooksDir(ctx)
	if err != nil {
		return "", false, err
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return "", false, &Error{Err: fmt.Errorf("hooks are switched off: %s, where git looks for them, is no directory", dir),
			Hint: "git config --show-origin core.hooksPath"}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", false, err
	}
	path = filepath.Join(dir, name)
	want := hookText(name, script)
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		old, err = nil, danglingLink(path)
	}
	if err != nil {
		return "", false, err
	}
	switch {
	case bytes.Equal(old, want):
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o111 != 0 {
			return path, false, err
		}
	case old != nil && !ours(old):
		if err := keep(path, old); err != nil {
			return "", false, err
		}
		old = nil
		fallthrough
	default:
		if err := atomicfile.WriteAll([]atomicfile.File{{Path: path, Data: want, Old: old, Mode: 0o755}}); err != nil {
			return "", false, err
		}
	}
	return path, true, os.Chmod(path, 0o755) // a file that existed keeps its mode otherwise, and git skips what can't be run
}

// HasHook reports whether git runs a hook of this name that mentions what is given, and where it is or would be: one of
// ours does, and so does another's that calls ageseal.
func (r *Repo) HasHook(ctx context.Context, name, mention string) (path string, has bool, err error) {
	dir, err := r.HooksDir(ctx)
	if err != nil {
		return "", false, err
	}
	path = filepath.Join(dir, name)
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o111 == 0 {
		return path, false, nil // git runs no file that it can't
	}
	text, err := os.ReadFile(path)
	return path, err == nil && bytes.Contains(text, []byte(mention)), nil
}

// UninstallHook removes a hook of ours, and puts the one in its place that InstallHook kept. It returns the hook's path, and whether there
// was one of ours: somebody else's is left alone.
func (r *Repo) UninstallHook(ctx context.Context, name string) (path string, changed bool, err error) {
	dir, err := r.HooksDir(ctx)
	if err != nil {
		return "", false, err
	}
	path = filepath.Join(dir, name)
	hook, err := os.ReadFile(path)
	if err != nil || !ours(hook) {
		return path, false, nil // none, or none that InstallHook wrote
	}
	if _, err := os.Lstat(path + KeptSuffix); err == nil {
		return path, true, os.Rename(path+KeptSuffix, path)
	}
	return path, true, os.Remove(path)
}

// keep moves somebody else's hook out of the way. It may have been kept before, and come back since.
func keep(path string, hook []byte) error {
	kept := path + KeptSuffix
	_, err := os.Lstat(kept)
	if before, e := os.ReadFile(kept); err == nil && (e != nil || !bytes.Equal(before, hook)) {
		return &Error{Err: fmt.Errorf("%s is not ageseal's, and %s exists already", path, filepath.Base(kept)),
			Hint: "join the two, or call ageseal from the hook yourself"}
	}
	return os.Rename(path, kept)
}

// danglingLink is an error if path exists after all, as a link to nowhere.
func danglingLink(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return &Error{Err: fmt.Errorf("%s is a link to a file that does not exist", path), Hint: "remove it, or put the file there"}
	}
	return nil
}

func ours(hook []byte) bool {
	for i, line := range strings.SplitN(string(hook), "\n", 4) {
		if i < 3 && line == hookMarker {
			return true
		}
	}
	return false
}

// hookText is the hook. Some tools keep a hook of ours as we keep theirs, and each would run the other for ever: the
// variable, which holds the directory because a hook may commit to another repository, ends that circle. It holds the name,
// too: git's sample of pre-merge-commit runs pre-commit, where another hook may be waiting.
func hookText(name, script string) []byte {
	return []byte("#!/bin/sh\n" + hookMarker + `
# The hook that was here before is kept beside it, as ` + name + KeptSuffix + `, and runs first.
hooks="$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)" || exit 1
if [ "$AGESEAL_IN_HOOK" = "$hooks/` + name + `" ]; then exit 0; fi
if [ -x "$hooks/` + name + KeptSuffix + `" ]; then
	AGESEAL_IN_HOOK="$hooks/` + name + `" "$hooks/` + name + KeptSuffix + `" "$@" || exit $?
fi
` + strings.TrimSuffix(script, "\n") + "\n")
}
