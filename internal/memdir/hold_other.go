//go:build !unix

package memdir

import (
	"errors"
	"os"
	"path/filepath"
)

// hold keeps a file in the directory open: where files in use can't be removed, that tells a directory in use from a leftover.
func hold(path string) (*os.File, error) {
	name := filepath.Join(path, "in-use")
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return os.Create(name)
}

func release(d *Dir) error {
	d.held.Close()
	return os.RemoveAll(d.Path)
}

// ours: temporary directories are each user's own here.
func ours(string) bool { return true }
