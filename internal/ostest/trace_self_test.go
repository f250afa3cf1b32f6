//go:build linux && (amd64 || arm64)

package ostest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// TestTracer holds the tracer itself to a program whose steps are known: a tracer that sees nothing would pass everything.
func TestTracer(t *testing.T) {
	t.Parallel()
	const script = `echo one > a; echo two >> a; mv a b; rm b; echo outside > /dev/null; cat /dev/null; exec chmod 600 c`
	fresh := func(t *testing.T) (command, string) {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "c"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return command{args: []string{"/bin/sh", "-c", script}, dir: dir}, dir
	}
	// mv, rm and cat are child processes, which are not followed; the shell becomes chmod.
	want := []step{{call: "openat", path: "a"}, {call: "write", path: "a"}, {call: "openat", path: "a"}, {call: "write", path: "a"}, {call: "fchmodat", path: "c"}}

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
		{"before the write", 2, killBefore, tree{"a": {"", 0o644}, "c": {"", 0o644}}},
		{"after it", 2, killAfter, tree{"a": {"one\n", 0o644}, "c": {"", 0o644}}},
		{"before the second write", 4, killBefore, tree{"a": {"one\n", 0o644}, "c": {"", 0o644}}},
		{"at the last one", 5, killBefore, tree{"c": {"", 0o644}}},
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
