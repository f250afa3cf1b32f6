//go:build unix

package atomicfile

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives a file the owner of the one it will replace, where that is another: for root, and for groups that the
// user is in. Nobody else may, and for them the file becomes their own.
func keepOwner(f *os.File, replaced fs.FileInfo) {
	old, ok := replaced.Sys().(*syscall.Stat_t)
	if !ok || int(old.Uid) == os.Geteuid() && int(old.Gid) == os.Getegid() {
		return
	}
	_ = f.Chown(int(old.Uid), int(old.Gid))
}
