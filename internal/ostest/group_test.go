//go:build linux && (amd64 || arm64)

package ostest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/ageseal/ageseal/internal/testkeys"
)

// TestKilledGroup kills a run that replaces the identity of a group, its recipient in the policy, and what is encrypted to it, at each
// call that changes something. One without the others would be the end of the values: running the command again has to complete it.
func TestKilledGroup(t *testing.T) {
	t.Parallel()
	const files = 3
	s := stage(t, files)
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	bin, bob := ageseal(t), keyFile(t, testkeys.Bob())
	text := "apiVersion: ageseal.dev/v1alpha1\nkind: Policy\nrecipients:\n  alice: " + alice() + "\n  bob: " + testkeys.Bob().Recipient().String() +
		"\ngroups:\n  ops: {members: [alice, bob]}\nrules:\n- path: \"**\"\n  recipients: [ops]\n"
	if err := os.WriteFile(filepath.Join(s.dir, policyFile), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c := command{dir: s.dir, home: t.TempDir(), env: []string{"AGESEAL_IDENTITY_FILE=" + s.key}}
	for _, args := range [][]string{{git, "init", "-q"}, {bin, "recipients", "group", "create", "ops"}, {bin, "encrypt", "-w", "."}} {
		c.args = args
		succeed(t, c)
	}
	s.before = read(t, s.dir)
	c.args = []string{bin, "recipients", "group", "leave", "ops", "bob"}
	fresh := func() {
		s.before.write(t, s.dir)
		c.home = t.TempDir() // with nothing remembered: the policy is accepted as it is
	}
	isNew := func(when string) {
		t.Helper()
		now := read(t, s.dir)
		if diff := cmp.Diff(s.before.paths(), now.paths()); diff != "" {
			t.Errorf("%s: files (-want +got):\n%s", when, diff)
		}
		for path, was := range s.before {
			if now[path].Data == was.Data {
				t.Errorf("%s: %s is as it was", when, path)
			}
		}
		if diff := cmp.Diff(s.values, opens(t, s.dir, s.key, ".")); diff != "" {
			t.Errorf("%s: values (-want +got):\n%.4000s", when, diff)
		}
		r := run(t, command{args: []string{bin, "decrypt", "-i", bob, "."}, dir: s.dir})
		failed(t, r, 4, "no identity opens")
		r = run(t, command{args: []string{bin, "trust"}, dir: s.dir, home: c.home})
		if r.status != 0 || !strings.Contains(r.stderr, "is the policy you accepted") {
			t.Errorf("%s: the policy is not the accepted one: %v", when, r)
		}
	}

	fresh()
	all, r := steps(t, c, s.dir)
	if r.status != 0 {
		t.Fatal(r)
	}
	isNew("without a kill")
	counted := count(all)
	if counted["renameat"] != files+2 {
		t.Fatalf("%d renames: %v", counted["renameat"], counted)
	}
	synced(t, all)

	halves := 0
	kill := func(n int, do action) {
		fresh()
		r := trace(t, c, s.dir, func(at int, _ step) action {
			if at == n {
				return do
			}
			return proceed
		})
		if r.signal != unix.SIGKILL || r.stdout != "" {
			t.Fatalf("killed at step %d of %d: %v", n, len(all), r)
		}
		changed := 0
		for path, is := range read(t, s.dir) {
			was, known := s.before[path]
			switch {
			case leaks(is.Data) || strings.Contains(is.Data, "AGE-SECRET-KEY"):
				t.Errorf("%s: a secret in it", path)
			case !known && !strings.Contains(filepath.Base(path), temporaryMark):
				t.Errorf("%s: a file that nobody knows", path)
			case known && is.Data != was.Data:
				changed++
			}
		}
		if changed > 0 && changed < files+2 {
			halves++
			// Nobody takes half of it for a change by somebody else.
			r := run(t, command{args: []string{bin, "rekey"}, dir: s.dir, home: c.home, env: c.env})
			failed(t, r, 1, "a change of a group was cut short")
		}
		succeed(t, c)
		isNew(fmt.Sprintf("killed at step %d of %d, %v", n, len(all), all[n-1]))
	}
	renaming := false
	for i, step := range all {
		// The new files are written side by side, each in the same steps. Then each step counts.
		if renaming = renaming || step.call == "renameat"; renaming || i%6 == 0 {
			kill(i+1, killBefore)
		}
		if t.Failed() {
			return
		}
	}
	kill(len(all), killAfter)
	if halves < files+1 {
		t.Errorf("%d kills between two renames, want %d at least", halves, files+1)
	}
}
