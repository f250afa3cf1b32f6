package identity

import (
	"os/exec"
	"syscall"
)

// shell gives cmd.exe the line as it is: its quoting is not that of other programs, which exec.Command writes.
func shell(command string) *exec.Cmd {
	cmd := exec.Command("cmd.exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /s /c "` + command + `"`}
	return cmd
}
