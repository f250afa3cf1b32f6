// Package memdir makes private directories in memory-backed storage, for plaintext that another program has to find in a file. It knows
// where the platform has such storage, how to tell a directory in use from one that a killed run left behind, and nothing of what is
// put there.
//
// A directory in memory may still be written to swap: that is the machine's to encrypt.
package memdir

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// prefix is how the names of the directories begin; the next run of the same user recognises them by it.
const prefix = "ageseal-memdir-"

// Dir is a directory of mode 0700 that nobody else uses.
type Dir struct {
	Path     string
	InMemory bool // false: the platform has no memory-backed storage, or none that can be written to

	held *os.File // keeps the directory from being taken for a leftover
}

// live are the directories of this process, for Interrupt.
var live struct {
	sync.Mutex
	dirs map[string]*Dir
}

// New makes a directory, in memory where that can be, and removes the leftovers of killed runs everywhere.
func New() (*Dir, error) {
	removeLeftovers(roots())
	var err error
	for _, root := range roots() {
		var d *Dir
		if d, err = newIn(root.path); err == nil {
			d.InMemory = root.memory
			return d, nil
		}
	}
	return nil, err
}

func newIn(root string) (*Dir, error) {
	live.Lock()
	defer live.Unlock()
	for {
		path, err := os.MkdirTemp(root, prefix)
		if err != nil {
			return nil, err
		}
		held, err := hold(path)
		if err != nil {
			os.RemoveAll(path)
			return nil, err
		}
		if held == nil {
			continue // another run took it for a leftover right after it was made
		}
		d := &Dir{Path: path, held: held}
		if live.dirs == nil {
			live.dirs = map[string]*Dir{}
		}
		live.dirs[path] = d
		return d, nil
	}
}

// Remove removes the directory and everything in it.
func (d *Dir) Remove() error {
	live.Lock()
	defer live.Unlock()
	return d.remove()
}

func (d *Dir) remove() error {
	delete(live.dirs, d.Path)
	return release(d)
}

// Interrupt removes all directories of this process and keeps it from making another: the process is expected to exit.
func Interrupt() {
	live.Lock()
	for _, d := range live.dirs {
		_ = d.remove()
	}
}

// RemoveLeftovers removes what killed runs of this user left behind. Every run of the program can afford it: directories in memory have few
// entries. Where the platform has none it reads the one for temporary files.
func RemoveLeftovers() {
	list := memoryRoots()
	if len(list) == 0 {
		list = roots()
	}
	removeLeftovers(list)
}

func removeLeftovers(list []root) {
	for _, root := range list {
		entries, err := os.ReadDir(root.path)
		if err != nil {
			continue
		}
		for _, e := range entries {
			path := filepath.Join(root.path, e.Name())
			if !strings.HasPrefix(e.Name(), prefix) || !ours(path) {
				continue
			}
			if held, err := hold(path); err == nil && held != nil {
				_ = (&Dir{Path: path, held: held}).remove()
			}
		}
	}
}

type root struct {
	path   string
	memory bool
}

// roots are the places to try, best first; the last one is on disk.
func roots() []root {
	return append(memoryRoots(), root{path: os.TempDir()})
}
