package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
)

// childHasTerminal is set while a program of the user's runs in the foreground: Ctrl-C is meant for it.
var childHasTerminal atomic.Bool

// edit runs the user's editor on a file and waits for its end.
func (c *cli) runEditor(path string) error {
	editor := editorCommand()
	cmd := editorProcess(editor, path)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.in, c.out, c.err
	childHasTerminal.Store(true)
	err := cmd.Run()
	childHasTerminal.Store(false)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return fmt.Errorf("the editor (%s) ended with %s: nothing was changed", editor, exit.ProcessState)
	case err != nil:
		return hinted("set $VISUAL or $EDITOR", "the editor (%s) could not be run", editor)
	}
	return nil
}

// editorCommand is a command line, as git takes it: for the shell where it has a meaning of its own there.
func editorCommand() string {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if editor := strings.TrimSpace(os.Getenv(name)); editor != "" {
			return editor
		}
	}
	if runtime.GOOS == "windows" {
		return "notepad"
	}
	return "vi"
}

func editorProcess(editor, path string) *exec.Cmd {
	args := append(discreet(editor), path)
	if runtime.GOOS == "windows" || !strings.ContainsAny(editor, "|&;<>()$`\\\"'\n*?[#~=%") {
		words := strings.Fields(editor)
		return exec.CommandContext(context.Background(), words[0], append(words[1:], args...)...)
	}
	return exec.CommandContext(context.Background(), "sh", append([]string{"-c", editor + ` "$@"`, editor}, args...)...)
}

// discreet are options that keep vim from writing what it edits elsewhere: swap and backup files, undo history, and the registers that its
// viminfo (shada) keeps. Other editors keep such files beside the edited one, which is in memory, unless they are configured otherwise; the
// help says so.
func discreet(editor string) []string {
	words := strings.Fields(editor)
	path, err := exec.LookPath(words[0])
	if err != nil {
		return nil
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil
	}
	name := filepath.Base(path)
	if !strings.HasPrefix(name, "vim") && !strings.HasPrefix(name, "nvim") && !strings.HasPrefix(name, "gvim") {
		return nil
	}
	return []string{"-n", "-i", "NONE", "-c", "set nobackup nowritebackup noundofile"}
}
