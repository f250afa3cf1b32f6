package memdir

import (
	"os"

	"golang.org/x/sys/unix"
)

// memoryRoots are the directories in memory that a user may write to: that of the login session (XDG base directory specification), and
// the one for POSIX shared memory (shm_open(3)).
func memoryRoots() []root {
	var list []root
	for _, path := range []string{os.Getenv("XDG_RUNTIME_DIR"), "/dev/shm"} {
		var fs unix.Statfs_t
		if path != "" && unix.Statfs(path, &fs) == nil && (fs.Type == unix.TMPFS_MAGIC || fs.Type == unix.RAMFS_MAGIC) {
			list = append(list, root{path, true})
		}
	}
	return list
}
