//go:build linux

package ostest

import "golang.org/x/sys/unix"

// setSecondArgument changes an argument of the system call that a thread is about to make.
func setSecondArgument(tid int, value uint64) error {
	var regs unix.PtraceRegsArm64
	if err := unix.PtraceGetRegSetArm64(tid, unix.NT_PRSTATUS, &regs); err != nil {
		return err
	}
	regs.Regs[1] = value
	return unix.PtraceSetRegSetArm64(tid, unix.NT_PRSTATUS, &regs)
}
