//go:build linux && (amd64 || arm64)

package ostest

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// statusInterrupted is what a run ends with on a signal that asks it to stop.
const statusInterrupted = 130

var stopSignals = []syscall.Signal{unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGHUP}

// interrupted holds a run to how one ends that was asked to stop.
func interrupted(t *testing.T, r result) {
	t.Helper()
	if r.status != statusInterrupted {
		t.Errorf("want status %d: %v", statusInterrupted, r)
	}
	silent(t, r)
}

// TestInterruptedStdin stops runs that wait for the rest of what they read.
func TestInterruptedStdin(t *testing.T) {
	t.Parallel()
	s := stage(t, 1)
	sealed := s.dir + "/apps/s00.yaml"
	succeed(t, command{args: []string{ageseal(t), "encrypt", "-w", "-r", alice(), sealed}, dir: s.dir})
	s.before = read(t, s.dir)

	// More than a pipe holds: once it is written, the program is reading.
	big := strings.Repeat("# padding\n", 20_000)
	begin := "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\nstringData:\n  password: " + canary + "\n"
	for _, test := range []struct {
		name string
		args []string
		text string
	}{
		{"encrypt", []string{"encrypt", "-r", alice(), "-"}, begin + big},
		{"encrypt to a file", []string{"encrypt", "-r", alice(), "-o", "out.yaml", "-"}, begin + big},
		{"decrypt", []string{"decrypt", "-i", s.key, "-"}, s.before["apps/s00.yaml"].Data + big},
		{"set", []string{"set", "-r", alice(), sealed, "password"}, canary + big},
	} {
		for _, sig := range stopSignals {
			t.Run(test.name+" "+unix.SignalName(sig), func(t *testing.T) {
				stdin, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer w.Close()
				cmd, wait := start(t, command{args: append([]string{ageseal(t)}, test.args...), dir: s.dir, stdin: stdin})
				stdin.Close()
				if _, err := io.WriteString(w, test.text); err != nil {
					t.Fatal(err)
				}
				signal(t, cmd, sig)
				interrupted(t, wait())
				unchanged(t, s.dir, s.before)
			})
		}
	}
}

// TestInterruptedAtStep stops a run over many files at each of the calls that change something.
func TestInterruptedAtStep(t *testing.T) {
	t.Parallel()
	s := stage(t, 4)
	c := s.encrypt(t)
	all, _ := steps(t, c, s.dir)
	if len(all) < 5*len(s.before) {
		t.Fatalf("only %d steps: %v", len(all), all)
	}
	for at := 1; at <= len(all); at++ {
		s.before.write(t, s.dir)
		// On one processor a handler that is installed beside everything else is installed last.
		c.env = []string{[]string{"GOMAXPROCS=1", "GOMAXPROCS=4"}[at/len(stopSignals)%2]}
		sig := stopSignals[at%len(stopSignals)]
		r := trace(t, c, s.dir, func(n int, now step) action {
			if n == at {
				if err := unix.Kill(now.pid, sig); err != nil {
					t.Error(err)
				}
			}
			return proceed
		})
		changed := s.eachOldOrNew(t)
		// The run may be over before it hears of the signal; but what was replaced it replaced as a whole.
		if r.status != 0 || len(changed) != len(s.before) {
			interrupted(t, r)
		}
		if len(changed) != 0 && len(changed) != len(s.before) {
			t.Errorf("%d of %d files replaced: a run that is asked to stop ends between two of its renames", len(changed), len(s.before))
		}
		if n := len(read(t, s.dir)); n != len(s.before) {
			t.Errorf("%d files, want %d: a temporary one was left", n, len(s.before))
		}
		if t.Failed() {
			t.Fatalf("%s at step %d of %d: %v: %v", unix.SignalName(sig), at, len(all), all[at-1], r)
		}
	}
}

// TestInterruptedLongRun presses Ctrl-C at different moments of a run over 2,000 files.
func TestInterruptedLongRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a few seconds")
	}
	t.Parallel()
	s := stage(t, 2000)
	c := s.encrypt(t)
	c.args = append(c.args, "-q")
	begun := time.Now()
	succeed(t, c)
	whole := time.Since(begun)
	s.allNew(t)

	stopped := 0
	const moments = 5
	for i := range moments {
		s.before.write(t, s.dir)
		cmd, wait := start(t, c)
		time.Sleep(whole * time.Duration(2*i+1) / (2 * moments))
		signal(t, cmd, unix.SIGINT)
		r := wait()
		changed := s.eachOldOrNew(t)
		if n := len(read(t, s.dir)); n != len(s.before) {
			t.Errorf("%d files, want %d: temporary ones were left", n, len(s.before))
		}
		switch {
		case len(changed) == 0:
			interrupted(t, r)
			stopped++
		case len(changed) != len(s.before):
			t.Errorf("%d of %d files replaced: %v", len(changed), len(s.before), r)
		}
	}
	t.Logf("%d of %d runs stopped before they replaced anything; a whole one takes %v", stopped, moments, whole)
	if stopped == 0 {
		t.Error("no run was stopped in time")
	}
	succeed(t, c)
}

func signal(t *testing.T, cmd *exec.Cmd, sig syscall.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}
