package identity

import "golang.org/x/sys/unix"

// shield keeps other processes of the same user, such as a function that a build runs, from reading this
// one's memory and its first environment, which stays in /proc/PID/environ after os.Unsetenv; and it
// keeps keys out of core dumps. Root is not kept out. Best effort: a kernel that refuses is no error.
func shield() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
