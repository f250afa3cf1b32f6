//go:build linux && (amd64 || arm64)

package ostest

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// files is how many files the runs that are killed work on.
const files = 12

// TestKilledEncrypt kills "encrypt -w" over many files at each call that changes something.
func TestKilledEncrypt(t *testing.T) {
	t.Parallel()
	s := stage(t, files)
	killEverywhere(t, s, s.encrypt(t))
}

// killEverywhere runs a command once for each step that it takes, and kills it there. Whatever a kill leaves has to be
// whole, and running the command again has to complete.
func killEverywhere(t *testing.T, s *scene, c command) {
	all, r := steps(t, c, s.dir)
	if r.status != 0 {
		t.Fatal(r)
	}
	s.allNew(t)
	counted := count(all)
	for _, call := range []string{"openat", "write", "fchmod", "fsync", "renameat"} {
		if counted[call] < files {
			t.Fatalf("%d × %s in a run over %d files: the tracer does not see them all: %v", counted[call], call, files, counted)
		}
	}
	t.Logf("%d steps: %v", len(all), counted)
	synced(t, all)

	partial := map[int]bool{} // kills by how many files were new
	kill := func(call string, nth int, do action) {
		s.before.write(t, s.dir)
		met := 0
		r := trace(t, c, s.dir, func(_ int, now step) action {
			if now.call != call {
				return proceed
			}
			if met++; met != nth {
				return proceed
			}
			return do
		})
		if r.signal != unix.SIGKILL {
			t.Fatalf("%s %d was not reached: %v", call, nth, r)
		}
		if r.stdout != "" {
			t.Errorf("stdout is not empty: %v", r)
		}
		changed := s.eachOldOrNew(t)
		partial[len(changed)] = true
		succeed(t, c)
		s.allNew(t)
		if t.Failed() {
			t.Fatalf("killed at %s %d of %d, action %d", call, nth, counted[call], do)
		}
	}
	met := map[string]int{}
	renaming := false
	for _, step := range all {
		met[step.call]++
		nth := met[step.call]
		renaming = renaming || step.call == "renameat"
		// The new files are written side by side, each in the same steps: every second one is enough. Then each step counts.
		if nth%2 == 1 && !testing.Short() || renaming && !testing.Short() || nth%6 == 1 {
			kill(step.call, nth, killBefore)
		}
	}
	last := all[len(all)-1].call
	kill(last, counted[last], killAfter)
	for n := range files + 1 {
		if !partial[n] && !testing.Short() {
			t.Errorf("no kill left exactly %d of %d files new: the renames were not seen each by itself: %v", n, files, partial)
		}
	}
}

// synced holds the steps of a run to what a loss of power asks for, which no kill can show: everything that a file gets
// is synced before the first rename, and each directory after the last rename in it.
func synced(t *testing.T, all []step) {
	t.Helper()
	written, renamed := map[string]bool{}, map[string]bool{} // and not synced since
	for i, s := range all {
		switch s.call {
		case "write", "fchmod":
			written[s.path] = true
		case "fsync":
			delete(written, s.path)
			delete(renamed, s.path)
		case "renameat":
			renamed[filepath.Dir(s.path)] = true
			if len(written) > 0 {
				t.Fatalf("step %d, %v, before these were synced: %v", i+1, s, written)
			}
		}
	}
	if len(renamed) > 0 {
		t.Errorf("directories not synced after the last rename: %v", renamed)
	}
}

func count(all []step) map[string]int {
	n := map[string]int{}
	for _, s := range all {
		n[s.call]++
	}
	return n
}
