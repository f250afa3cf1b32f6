package identity

import (
	"errors"
	"io"
	"os/exec"
)

// run executes a command line in the platform's shell, as git does with the commands of its
// configuration, and returns its standard output. The environment has no AGESEAL_ variable any more.
// Standard input stays ours: it may be the manifest that is being decrypted.
func run(command string, stderr io.Writer) (string, error) {
	cmd := shell(command)
	cmd.Stderr = stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", errors.New("no pipe to the command")
	}
	if err := cmd.Start(); err != nil {
		return "", errors.New("no shell was found to run the command")
	}
	text, readErr := readAll(out)
	if readErr != nil {
		cmd.Process.Kill() // it may be writing without end
	}
	err = cmd.Wait()
	switch exit, ok := errors.AsType[*exec.ExitError](err); {
	case readErr != nil:
		return "", readErr
	case ok: // its own words are on stderr
		return "", errors.New("the command ended with " + exit.String())
	case err != nil:
		return "", errors.New("the command did not end well")
	}
	return text, nil
}
