package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/internal/lazy"
)

// localVariables tie a git process to one repository; hooks get them from git. (git rev-parse --local-env-vars, less
// those that carry configuration, which is the user's own.)
var localVariables = []string{
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR",
}

// droppedVariables change what our commands mean, or are of no use to them.
var droppedVariables = []string{
	"GIT_PREFIX", "GIT_IMPLICIT_WORK_TREE", "GIT_NAMESPACE", "GIT_GRAFT_FILE", "GIT_SHALLOW_FILE", "GIT_REPLACE_REF_BASE",
	"GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_LITERAL_PATHSPECS", "GIT_EXTERNAL_DIFF",
	"GIT_DIFF_OPTS", "GIT_PAGER", "PAGER", "PWD", "LC_ALL", "LANGUAGE", "GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT",
}

// splitEnvironment separates what ties git to a repository from the rest, to which it adds what makes git's output fit
// for programs. No child sees a variable of ageseal's: one of them may be an identity.
func splitEnvironment(environ []string) (clean, local []string) {
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		switch {
		case slices.Contains(localVariables, name):
			local = append(local, e)
		case slices.Contains(droppedVariables, name), strings.HasPrefix(name, "AGESEAL_"):
		default:
			clean = append(clean, e)
		}
	}
	clean = append(clean, "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_LITERAL_PATHSPECS=1")
	return slices.Clip(clean), local
}

// absolute makes the variables hold at r's top level, where our processes run. GIT_INDEX_FILE is relative to the top
// level wherever git is started.
func absolute(local []string, r *Repo) []string {
	out := make([]string, 0, len(local))
	for _, e := range local {
		name, value, _ := strings.Cut(e, "=")
		switch name {
		case "GIT_DIR":
			value = r.dir
		case "GIT_WORK_TREE":
			value = r.Top
		case "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR":
			if abs, err := filepath.Abs(value); err == nil {
				value = abs
			}
		}
		out = append(out, name+"="+value)
	}
	if has(local, "GIT_DIR") && !has(local, "GIT_WORK_TREE") {
		out = append(out, "GIT_WORK_TREE="+r.Top) // else git takes its working directory for the top level
	}
	return out
}

func has(environ []string, name string) bool {
	return slices.ContainsFunc(environ, func(e string) bool { return strings.HasPrefix(e, name+"=") })
}

// command prepares git in dir. A file monitor would be one more program that the repository's configuration names.
func command(ctx context.Context, dir string, env []string, args ...string) (*exec.Cmd, error) {
	path, err := exec.LookPath("git")
	if err != nil {
		return nil, &Error{Err: ErrNoGit, Hint: "install git 2.31 or later"}
	}
	cmd := exec.CommandContext(ctx, path, append([]string{"--no-pager", "-c", "core.fsmonitor=false"}, args...)...)
	cmd.Dir, cmd.Env = dir, env
	return cmd, nil
}

func run(ctx context.Context, dir string, env []string, stdin []byte, args ...string) ([]byte, error) {
	cmd, err := command(ctx, dir, env, args...)
	if err != nil {
		return nil, err
	}
	var out, problem bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &problem
	if err := cmd.Run(); err != nil {
		return nil, explain(ctx, args[0], err, problem.String())
	}
	return out.Bytes(), nil
}

// statusError is git's own way of saying no.
type statusError struct {
	command string
	status  int
	message string
}

func (e *statusError) Error() string {
	if e.message == "" {
		return fmt.Sprintf("git %s ended with status %d", e.command, e.status)
	}
	return fmt.Sprintf("git %s: %s", e.command, e.message)
}

// status is the exit status of the git process that err comes from, -1 if it comes from elsewhere.
func status(err error) int {
	if e, ok := errors.AsType[*statusError](err); ok {
		return e.status
	}
	return -1
}

var credentials = lazy.Regexp(`://[^/@\s]*@`)

// explain turns the end of a git process into an error for people.
func explain(ctx context.Context, command string, err error, stderr string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return fmt.Errorf("running git: %w", err)
	}
	switch {
	case strings.Contains(stderr, "not a git repository"), strings.Contains(stderr, "must be run in a work tree"):
		return &Error{Err: ErrNotARepository, Hint: `"git init" makes one`}
	case strings.Contains(stderr, "dubious ownership"), strings.Contains(stderr, "unsafe repository"):
		hint := "make it yours, or see safe.directory in git help config"
		for line := range strings.Lines(stderr) {
			if advice := strings.TrimSpace(line); strings.HasPrefix(advice, "git config --global --add safe.directory ") {
				hint = "if you trust it: " + advice
			}
		}
		return &Error{Err: ErrUnsafe, Hint: hint}
	}
	const longest = 200
	message := ""
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		for _, prefix := range []string{"fatal: ", "error: "} {
			if rest, ok := strings.CutPrefix(line, prefix); ok && message == "" {
				rest = credentials().ReplaceAllString(rest, "://")
				message = strings.ToValidUTF8(rest[:min(len(rest), longest)], "")
			}
		}
	}
	return &statusError{command, exit.ExitCode(), message}
}
