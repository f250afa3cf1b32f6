//go:build !windows

package identity

import (
	"io/fs"
	"os"
	"syscall"
)

// ownedByOther reports whether a file belongs to somebody else than who runs this program.
func ownedByOther(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) != os.Geteuid()
}
