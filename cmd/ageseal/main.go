// Command ageseal encrypts the values of Kubernetes Secrets for commit to git and decrypts them at build time.
//
// This package is the only one that knows of cobra, of the process's arguments, streams and exit status. A command is a
// constructor, an options struct and a run method; what it does is a call or two into the other rooms.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/identity"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/internal/memdir"
	"github.com/ageseal/ageseal/plugin"
)

// version is set when a release is linked. A program that "go install" made has that of its module.
var version = "dev"

func main() {
	if version == "dev" {
		if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
			version = info.Main.Version
		}
	}
	takeDirectory()
	os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr, catchSignals))
}

// catchSignals has them end the process in order. Until a command starts, and for one that only prints what it knows, the system's own way
// does: to catch signals is an eighth of a start.
func catchSignals() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, stopSignals...)
	go interrupted(signals)
	catchFileSizeSignal()
}

// takeDirectory makes the working directory the one that the system has. Reached through a link, $PWD says another, by which a file would
// have another rule of the policy.
func takeDirectory() {
	os.Unsetenv("PWD")
	if dir, err := os.Getwd(); err == nil {
		os.Setenv("PWD", dir)
	}
}

// interrupted ends the process on a signal, but not between two renames of one run, and leaves no temporary file. What is typed while the
// user's editor has the terminal, such as Ctrl-C, is for the editor.
func interrupted(signals <-chan os.Signal) {
	for s := range signals {
		if !slices.Contains(terminalSignals, s) || !childHasTerminal.Load() {
			break
		}
	}
	memdir.Interrupt()
	atomicfile.Interrupt()
	identity.RestoreTerminal()
	fmt.Fprintln(os.Stderr, "ageseal: interrupted")
	os.Exit(statusInterrupted)
}

// run is the whole program but for the process around it: arguments and streams in, exit status out. begin is called before a command does
// anything that an interruption could leave half done.
func run(args []string, in io.Reader, out, errw io.Writer, begin func()) (status int) {
	tuneCollector(heapPercent)
	c := &cli{in: in, out: out, err: errw, begin: begin, environment: identity.TakeEnvironment()}
	defer func() {
		if p := recover(); p != nil {
			// The value of a panic may quote anything, a secret value among it.
			fmt.Fprintln(errw, "ageseal: error: internal error")
			fmt.Fprintln(errw, "ageseal: hint: please report the command and the version; nothing was written after this point")
			status = statusError
		}
	}()
	var err error
	if name := calledAs(args[0]); isPlugin(name) {
		err = c.runPlugin(name, args[1:])
	} else {
		err = c.runCommand(name, args[1:])
	}
	if err == nil {
		return 0
	}
	if !c.started {
		err = &usageError{err}
	}
	c.report(err)
	return exitStatus(err)
}

// runCommand runs the command line that goes with the name the program was called by.
func (c *cli) runCommand(name string, args []string) error {
	c.words = append([]string{name}, args...)
	var root *cobra.Command
	switch name {
	case "kustomize":
		root = newKustomizeCommand(c)
		c.rootOf(root)
	case "kubectl-ageseal":
		root = newRootCommand(c)
		root.Use = "kubectl ageseal"
	case plugin.FunctionName:
		args = append([]string{"fn"}, args...)
		c.words = append(c.words, "fn")
		root = newRootCommand(c)
	default:
		root = newRootCommand(c)
	}
	root.SetArgs(args)
	return root.Execute()
}

// calledAs is the name the program was called by, without directory and .exe.
func calledAs(arg0 string) string {
	return strings.TrimSuffix(filepath.Base(arg0), ".exe")
}
