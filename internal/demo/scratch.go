package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// scratch is a git repository with a copy of the examples, and a home of its own: nothing of the person's own configuration, keys or
// hooks takes part, and nothing stays behind.
type scratch struct {
	root string // everything below is removed
	dir  string // where the next command starts
	env  []string
}

func newScratch(ctx context.Context, bin, examples string) (*scratch, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	root, err := os.MkdirTemp("", "ageseal-demo-")
	if err != nil {
		return nil, err
	}
	home := filepath.Join(root, "home")
	s := &scratch{root: root, dir: filepath.Join(root, "shop")}
	s.env = append(inherited(ctx),
		"PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"),
		"HOME="+home,
		"XDG_CONFIG_HOME="+filepath.Join(home, ".config"),
		"XDG_STATE_HOME="+filepath.Join(home, ".local", "state"),
		"XDG_CACHE_HOME="+filepath.Join(home, ".cache"),
		"TMPDIR="+root,
		"LC_ALL=C.UTF-8",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_PAGER=cat", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Alice", "GIT_AUTHOR_EMAIL=alice@example.org",
		"GIT_COMMITTER_NAME=Alice", "GIT_COMMITTER_EMAIL=alice@example.org",
	)
	err = errors.Join(os.Mkdir(home, 0o700), os.CopyFS(s.dir, os.DirFS(examples)),
		os.RemoveAll(filepath.Join(s.dir, "sealed"))) // a repository of its own, with a policy and a published key
	if err == nil {
		if out, status := s.run(ctx, "git init -q -b main"); status != 0 {
			err = fmt.Errorf("git init: status %d: %s", status, out)
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// inherited is the environment that a scratch repository may see: the Go command's settings and caches, nothing of git or ageseal.
func inherited(ctx context.Context) []string {
	var env []string
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "GO") || name == "TERM" || name == "SSL_CERT_FILE" || strings.HasSuffix(strings.ToLower(name), "_proxy") {
			env = append(env, e)
		}
	}
	// HOME moves, so what the Go command derives from it is stated.
	for _, name := range []string{"GOPATH", "GOCACHE", "GOMODCACHE"} {
		if os.Getenv(name) == "" {
			if out, err := exec.CommandContext(ctx, "go", "env", name).Output(); err == nil {
				env = append(env, name+"="+strings.TrimSpace(string(out)))
			}
		}
	}
	return env
}

// run gives a line to bash, with pipefail, and returns what it wrote to stdout and stderr, and its status. A "cd" lasts.
func (s *scratch) run(ctx context.Context, command string) (out string, status int) {
	pwd := filepath.Join(s.root, "pwd")
	cmd := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-c", command+"\nstatus=$?; pwd > "+pwd+"; exit $status")
	cmd.Dir, cmd.Env = s.dir, append(s.env, "PWD="+s.dir)
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	err := cmd.Run()
	if dir, readErr := os.ReadFile(pwd); readErr == nil {
		s.dir = strings.TrimSpace(string(dir))
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return both.String(), exit.ExitCode()
	}
	if err != nil {
		return err.Error() + "\n", 1
	}
	return both.String(), 0
}

func (s *scratch) remove() error { return os.RemoveAll(s.root) }
