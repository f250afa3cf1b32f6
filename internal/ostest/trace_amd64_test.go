//go:build linux

package ostest

import "golang.org/x/sys/unix"

// setSecondArgument changes an argument of the system call that a thread is about to make.
func setSecondArgument(tid int, value uint64) error {
	var regs unix.PtraceRegsAmd64
	if err := unix.PtraceGetRegsAmd64(tid, &regs); err != nil {
		return err
	}
	regs.Rsi = value
	return unix.PtraceSetRegsAmd64(tid, &regs)
}
