//go:build !unix

package main

import (
	"context"
	"errors"
	"os/exec"
)

// become runs the command and passes its status on: here a process can't be replaced by another.
func (c *cli) become(program string, command, env []string) error {
	cmd := exec.CommandContext(context.Background(), program, command[1:]...)
	cmd.Args[0] = command[0]
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, c.in, c.out, c.err
	childHasTerminal.Store(true)
	defer childHasTerminal.Store(false)
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return &exitError{errPassedOn, exit.ExitCode()}
	case err != nil:
		return &exitError{hinted("", "%s: can't be run", command[0]), notRunStatus(err)}
	}
	return nil
}
