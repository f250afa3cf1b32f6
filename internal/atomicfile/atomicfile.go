// Package atomicfile replaces files so that each is, at every moment, whole and either old or new, and a run over many
// files changes all or none as far as the filesystem lets it.
package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
)

// File is a file to be written.
type File struct {
	Path string
	Data []byte
	// Old is what was read from Path; it must still be there when the file is replaced. nil: Path must not exist.
	Old []byte
	// Mode of a new file; one that exists keeps its own.
	Mode fs.FileMode
	// Private files get the mode 0600, whatever they had.
	Private bool
}

// ErrChanged: somebody else wrote the file after it was read.
var ErrChanged = errors.New("changed on disk meanwhile")

// syncers is how many files are synced at a time: a journal commits many waiting files at once.
const syncers = 16

// marker is in the name of every temporary file: what a killed run leaves behind is recognised by the next one.
const marker = ".ageseal-tmp"

// run is what Interrupt has to know of the run in progress.
var run struct {
	sync.Mutex
	temporary map[string]bool
}

// Interrupt waits until a replacement in progress has come to its end, removes temporary files, and keeps any further
// one from beginning: the process is expected to exit.
func Interrupt() {
	run.Lock()
	for path := range run.temporary {
		os.Remove(path)
	}
}

// WriteAll writes all files or, on an error, none: everything is written and synced beside its target first, then
// renamed into place; if a rename fails, the files renamed before are put back. Temporary files that an earlier, killed
// run left beside the targets are removed; hold Lock so that they can't be those of a live one.
func WriteAll(files []File) (err error) {
	if len(files) == 0 {
		return nil
	}
	for _, f := range files {
		// A link or a device would be replaced by a file; its target or driver would not get the data.
		if info, err := os.Lstat(f.Path); err == nil && !info.Mode().IsRegular() {
			return &fs.PathError{Op: "replace", Path: f.Path, Err: errors.New("not a regular file")}
		}
	}
	RemoveLeftovers(paths(files))
	staged := make([]string, len(files))
	defer func() {
		for _, path := range staged {
			if path != "" {
				forget(path)
			}
		}
	}()
	errs := make([]error, len(files))
	var wg sync.WaitGroup
	slots := make(chan struct{}, syncers)
	for i := range files {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			staged[i], errs[i] = stage(files[i])
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}

	run.Lock()
	defer run.Unlock()
	for _, f := range files {
		if err := unchanged(f); err != nil {
			return err
		}
	}
	for i, f := range files {
		err := unchanged(f) // again, right before: many renames take their time
		if err == nil {
			if err = os.Rename(staged[i], f.Path); err != nil {
				err = &fs.PathError{Op: "replace", Path: f.Path, Err: cause(err)}
			}
		}
		if err != nil {
			return errors.Join(err, restore(files[:i]))
		}
		delete(run.temporary, staged[i])
		staged[i] = ""
	}
	for _, dir := range directories(files) {
		syncDir(dir)
	}
	return nil
}

// stage writes f's data, synced, to a temporary file beside f.
func stage(f File) (path string, err error) {
	mode := f.Mode
	var replaced fs.FileInfo
	if f.Old != nil {
		if replaced, err = os.Stat(f.Path); err != nil {
			return "", err
		}
		mode = replaced.Mode().Perm()
	}
	if f.Private {
		mode = 0o600
	}
	run.Lock()
	t, err := os.CreateTemp(filepath.Dir(f.Path), temporaryName(f.Path)+"*")
	if err == nil {
		if run.temporary == nil {
			run.temporary = map[string]bool{}
		}
		run.temporary[t.Name()] = true
	}
	run.Unlock()
	if err != nil {
		return "", &fs.PathError{Op: "write beside", Path: f.Path, Err: cause(err)}
	}
	path = t.Name()
	_, err = t.Write(f.Data)
	if err == nil && replaced != nil {
		keepOwner(t, replaced)
	}
	if err == nil {
		err = t.Chmod(mode)
	}
	if err == nil {
		err = t.Sync()
	}
	if e := t.Close(); err == nil {
		err = e
	}
	if err != nil {
		forget(path)
		return "", &fs.PathError{Op: "write beside", Path: f.Path, Err: cause(err)}
	}
	return path, nil
}

// temporaryName is how the names of path's temporary files begin. A name may have 255 bytes, and more are added.
func temporaryName(path string) string {
	base := filepath.Base(path)
	return "." + base[:min(len(base), 200)] + marker
}

// IsLeftover reports whether a file of this name is a temporary one of this package. Without a run in progress it was left
// behind by one that was killed.
func IsLeftover(name string) bool {
	return strings.HasPrefix(name, ".") && strings.LastIndex(name, marker) > 1
}

func unchanged(f File) error {
	now, err := os.ReadFile(f.Path)
	switch {
	case f.Old == nil && errors.Is(err, fs.ErrNotExist):
		return nil
	case f.Old == nil && err == nil:
		return &fs.PathError{Op: "write", Path: f.Path, Err: fs.ErrExist}
	case err != nil:
		return err
	case !bytes.Equal(now, f.Old):
		return &fs.PathError{Op: "replace", Path: f.Path, Err: ErrChanged}
	}
	return nil
}

// restore puts back what was read from files that have been replaced already.
func restore(files []File) error {
	var errs []error
	for _, f := range files {
		if f.Old == nil {
			errs = append(errs, os.Remove(f.Path))
			continue
		}
		back := filepath.Join(filepath.Dir(f.Path), temporaryName(f.Path)+"-back")
		info, err := os.Stat(f.Path)
		if err == nil {
			err = os.WriteFile(back, f.Old, 0o600)
		}
		if err == nil {
			err = os.Chmod(back, info.Mode().Perm()) // by itself: the umask takes from WriteFile's mode
		}
		if err == nil {
			err = os.Rename(back, f.Path)
		}
		if err != nil {
			os.Remove(back)
			errs = append(errs, fmt.Errorf("%s: it was replaced and could not be put back: %w", f.Path, cause(err)))
		}
	}
	return errors.Join(errs...)
}

func forget(path string) {
	os.Remove(path)
	run.Lock()
	delete(run.temporary, path)
	run.Unlock()
}

// RemoveLeftovers removes the temporary files of runs that were killed while they replaced one of paths, or put it back:
// that one holds what the file held before. Hold Lock, as for WriteAll, which does this for its own files.
func RemoveLeftovers(paths []string) {
	names := map[string]bool{}
	dirs := map[string]bool{}
	for _, path := range paths {
		names[filepath.Join(filepath.Dir(path), temporaryName(path))] = true
		dirs[filepath.Dir(path)] = true
	}
	for dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if at := strings.LastIndex(e.Name(), marker); at > 0 {
				if names[filepath.Join(dir, e.Name()[:at+len(marker)])] {
					os.Remove(filepath.Join(dir, e.Name()))
				}
			}
		}
	}
}

func directories(files []File) []string {
	seen := map[string]bool{}
	var dirs []string
	for _, f := range files {
		if dir := filepath.Dir(f.Path); !seen[dir] {
			seen[dir] = true
			dirs = append(dirs, dir)
		}
	}
	sort.Strings(dirs)
	return dirs
}

// syncDir makes renames durable where directories can be synced; where they can't, there is nothing to do about it.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}

// cause strips the temporary name that the os package put around an error.
func cause(err error) error {
	var link *os.LinkError
	var path *fs.PathError
	switch {
	case errors.As(err, &link):
		return link.Err
	case errors.As(err, &path):
		return path.Err
	}
	return err
}

func paths(files []File) []string {
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	return paths
}
