// Command proof runs what README.md and CONTRIBUTING.md promise, each command from a clean checkout of this commit, and writes what it saw
// to docs/proof.md. "make proof" runs it; nobody edits that page.
//
// Where it may (Linux, root, debootstrap) the checkout lies in a bare Debian that is made for it and holds git, make and Go, no more, until
// both commands of the README have passed there. Elsewhere it lies in a scratch directory of the machine as it is, and the page says so.
//
// A command that fails ends the run, and no page is written. It is a tool for people who work on ageseal, and no part of the binary.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// step is a command that is run, with what a reader should know about it.
type step struct {
	command string
	what    string
	head    int // how many lines of the output are shown before the last ones
}

// A bare Debian has to be enough for these.
var bare = []step{
	{"make demo", "The first command of the README: the whole path, on examples/.", 12},
	{"make test", "Its second: everything that runs without a cluster.", 0},
}

// Then these packages come, which some of the rest needs, and would skip without.
var packages = []string{"podman", "runc", "gcc", "libc6-dev"}

var rest = []step{
	{"make e2e", "A real API server, Argo CD and a container engine.", 0},
	{"make snapshot", "The release, of which nothing is published.", 0},
	{"make bench", "Beside the rivals; its tables and plot are in [benchmarks](benchmarks.md).", 0},
}

// made are the files that a step writes and that belong to this run.
var made = []string{"docs/benchmarks.md", "docs/benchmarks.svg"}

type options struct {
	write  string
	here   bool
	caches bool
	mounts []string
	only   string
	logs   string
}

func main() {
	var o options
	flag.StringVar(&o.write, "write", "docs/proof.md", "the page")
	flag.BoolVar(&o.here, "here", false, "on this machine as it is, also where a bare Debian could be made")
	flag.BoolVar(&o.caches, "caches", false, "with the caches of this machine's Go, which saves half an hour; the page says so")
	flag.StringVar(&o.only, "only", "", "commands, separated by commas, instead of all: writes no page")
	flag.StringVar(&o.logs, "logs", "dist/proof", "directory for the whole output of each command")
	flag.Func("mount", "a directory that the bare Debian may read, at the same path; may be given again", func(dir string) error {
		o.mounts = append(o.mounts, dir)
		return nil
	})
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, &o)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "proof: error: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o *options) (err error) {
	if err := clean(ctx, o.write); err != nil {
		return err
	}
	if err := os.MkdirAll(o.logs, 0o755); err != nil {
		return err
	}
	p, err := newPlace(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.remove()) }()

	r := report{place: p, date: time.Now()}
	if r.facts, err = p.facts(ctx); err != nil {
		return err
	}
	all := func(steps []step) error {
		for _, s := range steps {
			if o.only != "" && !slices.Contains(strings.Split(o.only, ","), s.command) {
				continue
			}
			done, err := perform(ctx, p, s, o.logs)
			if err != nil {
				return err
			}
			r.done = append(r.done, done)
		}
		return nil
	}
	if err := all(bare); err != nil {
		return err
	}
	if p.bare {
		if err := p.install(ctx, packages); err != nil {
			return err
		}
	}
	if err := all(rest); err != nil || o.only != "" {
		return err
	}
	for _, name := range made {
		text, err := os.ReadFile(filepath.Join(p.checkout(), name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(o.write, r.markdown(), 0o644)
}

// perform runs one step and keeps its whole output in a file of its own.
func perform(ctx context.Context, p *place, s step, logs string) (performed, error) {
	fmt.Fprintf(os.Stderr, "proof: %s\n", s.command)
	log := filepath.Join(logs, strings.ReplaceAll(s.command, " ", "-")+".log")
	var out bytes.Buffer
	cmd := p.command(ctx, s.command)
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if writeErr := os.WriteFile(log, out.Bytes(), 0o644); writeErr != nil {
		return performed{}, errors.Join(err, writeErr)
	}
	if err != nil {
		return performed{}, fmt.Errorf("%s: %w; %s has its output, which ends:\n%s", s.command, err, log, excerpt(out.String(), 0, p.checkout()))
	}
	return performed{step: s, output: excerpt(out.String(), s.head, p.checkout()), took: took, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}

// clean refuses a checkout with changes: what is proved is a commit. What an earlier run wrote is none.
func clean(ctx context.Context, page string) error {
	args := []string{"status", "--porcelain", "--", ".", ":!" + page}
	for _, name := range made {
		args = append(args, ":!"+name)
	}
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return fmt.Errorf("git status: %w", err)
	}
	if len(out) > 0 {
		return fmt.Errorf("there are changes that are not committed, and would not be proved:\n%s", out)
	}
	return nil
}
