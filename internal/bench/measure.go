package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// usage is what one process, with all it waited for, cost.
type usage struct {
	cpu  time.Duration // user and system
	peak int64         // bytes of resident memory
}

// command is a program to measure: args[0] is its path.
type command struct {
	args    []string
	stdin   string
	dir     string
	env     []string     // beside the one that all have
	prepare func() error // before each run, not measured
	repeat  int          // runs of the program in one measurement, for those that take a millisecond; 0 is 1
}

// measure runs a command once with its output thrown away.
func (b *bench) measure(ctx context.Context, c command) (usage, error) {
	if c.prepare != nil {
		if err := c.prepare(); err != nil {
			return usage{}, err
		}
	}
	var sum usage
	for range max(c.repeat, 1) {
		u, err := b.exec(ctx, c, nil)
		if err != nil {
			return usage{}, err
		}
		sum.cpu += u.cpu
		sum.peak = max(sum.peak, u.peak)
	}
	sum.cpu /= time.Duration(max(c.repeat, 1))
	return sum, nil
}

// output runs a command once and gives what it wrote to stdout.
func (b *bench) output(ctx context.Context, c command) ([]byte, error) {
	if c.prepare != nil {
		if err := c.prepare(); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	_, err := b.exec(ctx, c, &out)
	return out.Bytes(), err
}

// exec runs a program with an environment that holds nothing of the person's own. Without a buffer for stdout it goes to the null
// device, so that no pipe of ours is part of the cost.
func (b *bench) exec(ctx context.Context, c command, stdout *bytes.Buffer) (usage, error) {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir, cmd.Env = c.dir, slices.Concat(b.env, c.env)
	if c.stdin != "" {
		cmd.Stdin = strings.NewReader(c.stdin)
	}
	if stdout != nil {
		cmd.Stdout = stdout
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		if stderr.Len() > 0 {
			err = errors.New(strings.TrimSpace(stderr.String()))
		}
		return usage{}, fmt.Errorf("%s %s: %w", filepath.Base(c.args[0]), strings.Join(c.args[1:], " "), err)
	}
	p := cmd.ProcessState
	return usage{cpu: p.UserTime() + p.SystemTime(), peak: peakMemory(p)}, nil
}

// forget gives back the memory that checking took. A process that is started has the peak of this one for the least of its own: Linux
// keeps it through exec. The 5 resets that peak (proc_pid_clear_refs(5)); elsewhere there is no such file.
func forget() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

const (
	manySecrets = 1000 // take seconds: there is nothing to warm, and each turn says as much as several short ones
	someSecrets = 100  // take seconds where a program is started for each
)

// turns is how often a program is run.
func (b *bench) turns(p program, n int) int {
	switch {
	case n >= manySecrets && p.slow > 0:
		return p.slow
	case n >= manySecrets, n >= someSecrets && p.slow > 0:
		return 5
	}
	return b.runs
}

// measured is what the runs of each program of a round cost, by name.
type measured map[string][]usage

// run runs the programs of a round turn by turn. With few Secrets the first turn only warms the caches.
func (b *bench) run(ctx context.Context, r round, n int) (measured, error) {
	forget()
	m := measured{}
	first := 1
	if n >= manySecrets {
		first = 0
	}
	for i := range b.runs + first {
		for _, p := range r.programs {
			if i >= b.turns(p, n)+first {
				continue
			}
			// What follows a run of the same binary finds it in the processor's caches, which shows where a run takes milliseconds:
			// there all do, or the order would decide.
			if n < someSecrets && p.repeat == 0 {
				if _, err := b.measure(ctx, p.command); err != nil {
					return nil, err
				}
			}
			u, err := b.measure(ctx, p.command)
			if err != nil {
				return nil, err
			}
			if i >= first {
				m[p.name] = append(m[p.name], u)
			}
		}
	}
	return m, nil
}

func cpu(u usage) float64  { return float64(u.cpu) }
func peak(u usage) float64 { return float64(u.peak) }

// median of what each of the runs of a program cost.
func (m measured) median(name string, of func(usage) float64) float64 {
	return median(values(m[name], of))
}

// ratio of two programs, over the turns.
func (m measured) ratio(r ratio, of func(usage) float64) spread {
	return ratios(values(m[r.of], of), values(m[r.to], of))
}

// spread of a ratio over the turns.
type spread struct{ least, median, most float64 }

func values(us []usage, of func(usage) float64) []float64 {
	out := make([]float64, len(us))
	for i, u := range us {
		out[i] = of(u)
	}
	return out
}

// ratios pairs each run with the one of the same turn. What is slow has fewer.
func ratios(a, b []float64) spread {
	rs := make([]float64, min(len(a), len(b)))
	for i := range rs {
		rs[i] = a[i] / b[i]
	}
	return spread{slices.Min(rs), median(rs), slices.Max(rs)}
}

func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// scratch is a new directory in memory-backed storage where there is some: the disk is not what is compared.
func scratch(dir string) (string, error) {
	if dir == "" {
		if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
			if made, err := os.MkdirTemp("/dev/shm", "ageseal-bench-"); err == nil {
				return made, nil
			}
		}
	}
	return os.MkdirTemp(dir, "ageseal-bench-")
}
