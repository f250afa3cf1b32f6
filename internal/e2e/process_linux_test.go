//go:build e2e

package e2e

import "syscall"

// withUs ends a server with us, however we end; Ctrl-C is ours alone, for the order in which servers are stopped matters.
func withUs() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
