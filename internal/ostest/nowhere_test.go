//go:build linux && (amd64 || arm64)

package ostest

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ageseal/ageseal/internal/testkeys"
)

// world is everything that a run may write to, with a plaintext of its own: a home, a repository, a directory for temporary files. Outside
// of it are the system's temporary directories, which are searched, too, and the storage in memory, which is not.
type world struct {
	t               testing.TB
	top, home, repo string
	temporary       string
	key, sealed     string // an identity file; a sealed manifest, Secret shop/s00 with the key password
	canary          string
	begun           time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, top: top, home: top + "/home", repo: top + "/repo", temporary: top + "/tmp", key: keyFile(t, testkeys.Alice()),
		canary: canary + rand.Text(), begun: time.Now()}
	w.sealed = w.repo + "/s00.yaml"
	for _, dir := range []string{w.home, w.repo, w.temporary} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	native := "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s00\n  namespace: shop\nstringData:\n  password: " + w.canary + "\n"
	r := succeed(t, command{args: []string{ageseal(t), "encrypt", "-r", alice(), "-"}, dir: w.repo, stdin: text(native)})
	if err := os.WriteFile(w.sealed, []byte(r.stdout), 0o644); err != nil {
		t.Fatal(err)
	}
	return w
}

// command is a run in the world.
func (w *world) command(args ...string) command {
	return command{args: append([]string{ageseal(w.t)}, args...), dir: w.repo, home: w.home, env: []string{"TMPDIR=" + w.temporary}}
}

// script writes a shell script, for use as an editor or a command.
func (w *world) script(name, body string) string {
	w.t.Helper()
	path := filepath.Join(w.top, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o755); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// gone holds the storage in memory to having lost the directory that a script noted in $HOME/where.
func (w *world) gone() {
	w.t.Helper()
	if _, err := os.Stat(w.where()); !os.IsNotExist(err) {
		w.t.Errorf("the edited file is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(w.where())); !os.IsNotExist(err) {
		w.t.Errorf("its directory is still there: %v", err)
	}
}

func (w *world) where() string {
	w.t.Helper()
	path, err := os.ReadFile(w.home + "/where")
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(string(path))
}

// forms are those in which the plaintext could be found.
func (w *world) forms() [][]byte {
	forms := [][]byte{[]byte(w.canary)}
	for shift := range 3 {
		enc := base64.RawStdEncoding.EncodeToString([]byte("..."[:shift] + w.canary))
		forms = append(forms, []byte(enc[(shift*8+5)/6:len(enc)-2]))
	}
	return forms
}

// nowhere searches every file for the plaintext, and the command line and environment of every process that descends from pid, itself
// included; 0 for none.
func (w *world) nowhere(when string, pid int) {
	w.t.Helper()
	w.files(when, w.top)
	for _, dir := range []string{os.TempDir(), "/var/tmp"} {
		w.files(when, dir)
	}
	if pid != 0 && w.processes(when, pid) == 0 {
		w.t.Errorf("%s: no process was searched", when)
	}
}

func (w *world) files(when, dir string) {
	w.t.Helper()
	forms := w.forms()
	searched := 0
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // others come and go meanwhile
		}
		// An empty file holds nothing, and in a /proc that is mounted below, as a chroot's, such a file has no end.
		if info, err := d.Info(); err != nil || info.Size() == 0 || dir != w.top && info.ModTime().Before(w.begun) {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		searched++
		for _, form := range forms {
			if bytes.Contains(data, form) {
				w.t.Errorf("%s: %s has the plaintext", when, path)
			}
		}
		return nil
	})
	if dir == w.top && searched == 0 {
		w.t.Errorf("%s: no file was searched", when)
	}
}

// processes searches a process and its descendants, and returns how many there are.
func (w *world) processes(when string, pid int) (searched int) {
	w.t.Helper()
	parents := map[int]int{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		if child, err := strconv.Atoi(e.Name()); err == nil {
			stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
			if at := bytes.LastIndexByte(stat, ')'); err == nil && at > 0 {
				var state string
				var parent int
				if _, err := fmt.Sscan(string(stat[at+1:]), &state, &parent); err == nil {
					parents[child] = parent
				}
			}
		}
	}
	for child := range parents {
		of := child
		for of != pid && of > 1 {
			of = parents[of]
		}
		if of != pid {
			continue
		}
		searched++
		for _, name := range []string{"cmdline", "environ"} {
			data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", child, name))
			if err != nil && os.Geteuid() == 0 && !os.IsNotExist(err) && !strings.Contains(err.Error(), "no such process") {
				w.t.Errorf("%s: %v", when, err)
			}
			for _, form := range w.forms() {
				if bytes.Contains(data, form) {
					w.t.Errorf("%s: the %s of process %d has the plaintext", when, name, child)
				}
			}
			if child != pid && bytes.Contains(data, []byte("AGESEAL_")) {
				w.t.Errorf("%s: the %s of process %d has the identity", when, name, child)
			}
		}
	}
	return searched
}

// TestNowhereWrites: a run that is given a plaintext has it in no file, at no step.
func TestNowhereWrites(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		args func(w *world) []string
	}{
		{"set", func(w *world) []string { return []string{"set", "-r", alice(), w.sealed, "new"} }},
		{"create", func(w *world) []string {
			return []string{"create", "secret", "generic", "made", "-n", "shop", "-r", alice(), "--from-file=a=-", "--file", w.repo + "/made.yaml"}
		}},
		{"encrypt", func(w *world) []string { return []string{"encrypt", "-r", alice(), "-o", w.repo + "/out.yaml", "-"} }},
		{"mv", func(w *world) []string {
			return []string{"mv", "-r", alice(), "-i", w.key, "--name", "moved", w.sealed}
		}},
		{"unset", func(w *world) []string { return []string{"unset", w.sealed, "password"} }},
		{"rekey of a sealed file", func(w *world) []string {
			seal := w.command("encrypt", "-r", alice(), "--as", "value", "--name", "a", "-n", "b", "--key", "k", "-o", w.repo+"/k.age", "-")
			seal.stdin = text(w.canary)
			succeed(w.t, seal)
			policy := "apiVersion: ageseal.dev/v1alpha1\nkind: Policy\nrecipients: {alice: " + alice() + "}\nrules: [{path: \"**\", recipients: [alice]}]\n"
			if err := os.WriteFile(w.repo+"/policy.yaml", []byte(policy), 0o644); err != nil {
				w.t.Fatal(err)
			}
			return []string{"rekey", "--rotate", "-i", w.key, "--policy", w.repo + "/policy.yaml", w.repo + "/k.age"}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.command(test.args(w)...)
			input := w.canary
			if test.name == "encrypt" {
				input = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\nstringData: {k: " + w.canary + "}\n"
			}
			c.stdin = text(input)
			steps := 0
			r := trace(t, c, w.top, func(int, step) action {
				steps++
				w.files("at step "+strconv.Itoa(steps), w.top)
				return proceed
			})
			if r.status != 0 || steps < 3 {
				t.Fatalf("%d steps: %v", steps, r)
			}
			w.files("at the end", w.top)
			if leaks(r.stdout) || leaks(r.stderr) {
				t.Errorf("it was printed: %v", r)
			}
		})
	}
}

// waiting is the body of a script that says where it is and goes on when it is told to.
const waiting = `
echo "$1" > "$HOME/where"
echo $$ > "$HOME/pid"
while ! test -e "$HOME/go"; do sleep 0.02; done
`

// TestNowhereEdit: while somebody edits, the plaintext is in memory alone; when the run ends, however it ends, it is gone.
func TestNowhereEdit(t *testing.T) {
	t.Parallel()
	memory, err := os.MkdirTemp("/dev/shm", "ostest-") //nolint:usetesting // it has to be in memory
	if err != nil {
		t.Skipf("no storage in memory here: a warning says so: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(memory) })
	w := newWorld(t)
	script := w.script("editor", waiting+`sed -i 's/^  password:.*/&-changed/' "$1"`)
	c := w.command("edit", "-r", alice(), w.sealed)
	// A directory of its own: other runs on this machine would remove what kill -9 leaves.
	c.env = append(c.env, "XDG_RUNTIME_DIR="+memory, "EDITOR="+script, "AGESEAL_IDENTITY="+testkeys.Alice().SecretText())
	editing := func() (pid int, wait func() result) {
		t.Helper()
		for _, name := range []string{"go", "pid", "where"} {
			_ = os.Remove(filepath.Join(w.home, name))
		}
		cmd, wait := start(t, c)
		waitUntil(t, "the editor", func() bool { _, err := os.Stat(w.home + "/pid"); return err == nil })
		data, err := os.ReadFile(w.where())
		if err != nil || !bytes.Contains(data, []byte(w.canary)) {
			t.Fatalf("what is edited can't be read: %v", err)
		}
		for _, path := range []string{w.where(), filepath.Dir(w.where())} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: others may read it: %v, %v", path, info.Mode(), err)
			}
		}
		if !strings.HasPrefix(w.where(), memory+"/") {
			t.Errorf("edited in %s", w.where())
		}
		w.nowhere("in the editor", cmd.Process.Pid)
		return cmd.Process.Pid, wait
	}
	proceed := func() {
		if err := os.WriteFile(w.home+"/go", nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	_, wait := editing()
	proceed()
	if r := wait(); r.status != 0 || leaks(r.stderr) {
		t.Errorf("%v", r)
	}
	w.gone()
	w.nowhere("after the edit", 0)
	if got := opens(t, w.repo, w.key, w.sealed)["shop/s00"]["password"]; got != w.canary+"-changed" {
		t.Errorf("the value is %q", got)
	}

	for _, sig := range stopSignals[2:] { // the first two are typed, and for the editor
		before := read(t, w.repo)
		pid, wait := editing()
		if err := unix.Kill(pid, sig); err != nil {
			t.Fatal(err)
		}
		waitUntil(t, "the plaintext to be gone", func() bool { _, err := os.Stat(w.where()); return os.IsNotExist(err) })
		proceed() // the editor lives on, and holds the streams
		interrupted(t, wait())
		w.gone()
		w.nowhere("after "+unix.SignalName(sig), 0)
		unchanged(t, w.repo, before)
	}

	before := read(t, w.repo)
	pid, wait := editing()
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	w.nowhere("after kill -9", 0)
	if _, err := os.Stat(w.where()); err != nil {
		t.Fatalf("kill -9 left nothing to test with: %v", err)
	}
	next := w.command("version")
	next.env = append(next.env, "XDG_RUNTIME_DIR="+memory)
	succeed(t, next)
	w.gone()
	proceed()
	wait()
	unchanged(t, w.repo, before)
}

// TestNowhereExec: the values are in the environment of the command and nowhere else.
func TestNowhereExec(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	script := w.script("command", waiting+`test "$password" = "$(cat "$2")"`)
	expected := filepath.Join(t.TempDir(), "expected")
	c := w.command("exec", w.sealed, "--", script, "where", expected)
	c.env = append(c.env, "AGESEAL_IDENTITY="+testkeys.Alice().SecretText())
	cmd, wait := start(t, c)
	waitUntil(t, "the command", func() bool { _, err := os.Stat(w.home + "/pid"); return err == nil })
	w.files("while the command runs", w.top)
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", cmd.Process.Pid))
	if err != nil || !bytes.Contains(env, []byte("password="+w.canary)) || bytes.Contains(env, []byte("AGESEAL_")) {
		t.Errorf("its environment: %v", err)
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
	if err != nil || bytes.Contains(line, []byte(w.canary)) || !bytes.Contains(line, []byte(script)) {
		t.Errorf("its command line: %q, %v", line, err)
	}
	if err := os.WriteFile(expected, []byte(w.canary), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.home+"/go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := wait(); r.status != 0 {
		t.Errorf("%v", r)
	}
	if err := os.Remove(expected); err != nil {
		t.Fatal(err)
	}
	w.nowhere("after the command", 0)
}
