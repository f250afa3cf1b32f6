//go:build linux && (amd64 || arm64)

package ostest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// knownVariable makes the test binary a program whose steps are known.
const knownVariable = "AGESEAL_OSTEST_KNOWN_STEPS"

// takeKnownSteps is that program, in the working directory. It shields itself as ageseal does.
func takeKnownSteps() error {
	write := func(name, text string, flag int) error {
		f, err := os.OpenFile(name, os.O_WRONLY|flag, 0o644)
		if err == nil {
			_, err = f.WriteString(text)
		}
		if err == nil {
			err = f.Close()
		}
		return err
	}
	for _, step := range []func() error{
		func() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) },
		func() error { return write("a", "one\n", os.O_CREATE|os.O_TRUNC) },
		func() error { return write("a", "two\n", os.O_APPEND) },
		func() error { return write(os.DevNull, "outside", os.O_TRUNC) },
		func() error { return os.Rename("a", "b") },
		func() error { return os.Chmod("c", 0o600) },
		func() error { return os.Remove("b") },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// TestTracer holds the tracer itself to a program whose steps are known: a tracer that sees nothing would pass everything.
func TestTracer(t *testing.T) {
	t.Parallel()
	fresh := func(t *testing.T) (command, string) {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "c"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return command{args: []string{self(t)}, dir: dir, env: []string{knownVariable + "=1"}}, dir
	}
	want := []step{
		{call: "openat", path: "a"}, {call: "write", path: "a"}, {call: "write", path: "a"},
		{call: "renameat", path: "b"}, {call: "fchmodat", path: "c"}, {call: "unlinkat", path: "b"},
	}

	c, dir := fresh(t)
	got, r := steps(t, c, dir)
	if r.status != 0 {
		t.Fatal(r)
	}
	for i := range got {
		got[i].pid = 0
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(step{})); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}

	for _, test := range []struct {
		name string
		at   int
		do   action
		want tree
	}{
		{"before the file is made", 1, killBefore, tree{"c": {"", 0o644}}},
		{"after it", 1, killAfter, tree{"a": {"", 0o644}, "c": {"", 0o644}}},
		{"before the second write", 3, killBefore, tree{"a": {"one\n", 0o644}, "c": {"", 0o644}}},
		{"after it", 3, killAfter, tree{"a": {"one\ntwo\n", 0o644}, "c": {"", 0o644}}},
		{"before the last", 6, killBefore, tree{"b": {"one\ntwo\n", 0o644}, "c": {"", 0o600}}},
		{"after it", 6, killAfter, tree{"c": {"", 0o600}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, dir := fresh(t)
			r := trace(t, c, dir, func(n int, _ step) action {
				if n == test.at {
					return test.do
				}
				return proceed
			})
			if r.signal != unix.SIGKILL {
				t.Fatalf("it was not killed: %v", r)
			}
			unchanged(t, dir, test.want)
		})
	}
}

// self is the test binary.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
