//go:build unix

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// become replaces this process by the command: signals, job control and status are its own, and nothing of ours stays in memory.
func (c *cli) become(program string, command, env []string) error {
	err := unix.Exec(program, command, env)
	return &exitError{hinted("", "%s: can't be run: %s", command[0], fmt.Sprint(err)), notRunStatus(err)}
}
