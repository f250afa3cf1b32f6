//go:build unix

package memdir

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// hold locks a directory (flock(2)); the lock ends with the process, however it ends. nil without an error: another process has it, or it
// is gone.
func hold(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, err
	}
	held, err := f.Stat()
	now, gone := os.Lstat(path)
	if err != nil || gone != nil || !os.SameFile(held, now) {
		f.Close()
		return nil, err
	}
	return f, nil
}

// release removes the directory before it ends the lock.
func release(d *Dir) error {
	err := os.RemoveAll(d.Path)
	d.held.Close()
	return err
}

// ours says whether a directory belongs to this user. Anyone can make one, or a link, in a directory that all may write to.
func ours(path string) bool {
	var info unix.Stat_t
	return unix.Lstat(path, &info) == nil && info.Mode&unix.S_IFMT == unix.S_IFDIR && int(info.Uid) == os.Geteuid()
}
