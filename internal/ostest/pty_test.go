//go:build linux && (amd64 || arm64)

package ostest

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a process on a pseudoterminal of its own, as its session's leader.
type terminal struct {
	t      testing.TB
	cmd    *exec.Cmd
	master *os.File

	mu     sync.Mutex
	screen strings.Builder // everything that was printed, and what the terminal echoed
	read   chan struct{}   // closed when nothing more comes
}

// onTerminal starts a command on a pseudoterminal (pty(7)).
func onTerminal(t testing.TB, c command) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudoterminal here: %v", err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	p := &terminal{t: t, master: master, read: make(chan struct{})}
	p.cmd = exec.CommandContext(t.Context(), c.args[0], c.args[1:]...)
	p.cmd.Dir, p.cmd.Env = c.dir, append(c.environ(), "TERM=xterm")
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.read)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			p.mu.Lock()
			p.screen.Write(buf[:n])
			p.mu.Unlock()
			if err != nil { // EIO: nobody has the other end any more
				return
			}
		}
	}()
	t.Cleanup(func() { master.Close() })
	return p
}

func (p *terminal) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.screen.String()
}

// waitFor waits until a text was printed.
func (p *terminal) waitFor(text string) {
	p.t.Helper()
	waitUntil(p.t, fmt.Sprintf("%q on the terminal", text), func() bool { return strings.Contains(p.text(), text) })
}

func (p *terminal) typed(text string) {
	p.t.Helper()
	if _, err := p.master.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
}

// end waits for the process's end and returns its status, -1 if a signal ended it.
func (p *terminal) end() int {
	p.t.Helper()
	killed := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer killed.Stop()
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// echoes says whether the terminal shows what is typed.
func (p *terminal) echoes() bool {
	p.t.Helper()
	state, err := unix.IoctlGetTermios(int(p.master.Fd()), unix.TCGETS)
	if err != nil {
		p.t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

func waitUntil(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestPrompt: a value that is asked for is not shown, and a Ctrl-C gives the terminal back as it was.
func TestPrompt(t *testing.T) {
	t.Parallel()
	s := stage(t, 1)
	sealed := s.dir + "/apps/s00.yaml"
	succeed(t, command{args: []string{ageseal(t), "encrypt", "-w", "-r", alice(), sealed}, dir: s.dir})
	before := read(t, s.dir)
	c := command{args: []string{ageseal(t), "set", "-r", alice(), sealed, "password"}, dir: s.dir}

	p := onTerminal(t, c)
	p.waitFor("value of password (hidden): ")
	waitUntil(t, "a terminal without echo", func() bool { return !p.echoes() })
	p.typed("\x03")
	if status := p.end(); status != statusInterrupted {
		t.Errorf("status %d: %s", status, p.text())
	}
	if !p.echoes() {
		t.Error("the terminal was left without echo")
	}
	unchanged(t, s.dir, before)

	p = onTerminal(t, c)
	p.waitFor("value of password (hidden): ")
	waitUntil(t, "a terminal without echo", func() bool { return !p.echoes() })
	p.typed(canary + "typed\n")
	if status := p.end(); status != 0 {
		t.Errorf("status %d: %s", status, p.text())
	}
	<-p.read
	if leaks(p.text()) {
		t.Errorf("the value was shown: %q", p.text())
	}
	if got := opens(t, s.dir, s.key, sealed)["shop/s00"]["password"]; got != canary+"typed" {
		t.Errorf("the value is %q", got)
	}

	made := s.dir + "/made.yaml"
	p = onTerminal(t, command{args: []string{ageseal(t), "create", "secret", "generic", "made", "-n", "shop", "-r", alice(), "--prompt", "a", "--prompt", "b", "--file", made}, dir: s.dir})
	for _, key := range []string{"a", "b"} {
		p.waitFor("value of " + key + " (hidden): ")
		waitUntil(t, "a terminal without echo", func() bool { return !p.echoes() })
		p.typed(canary + key + "\n")
	}
	if status := p.end(); status != 0 {
		t.Errorf("status %d: %s", status, p.text())
	}
	<-p.read
	if leaks(p.text()) {
		t.Errorf("a value was shown: %q", p.text())
	}
	if got := opens(t, s.dir, s.key, made)["shop/made"]; got["a"] != canary+"a" || got["b"] != canary+"b" {
		t.Errorf("the values are %q", got)
	}
}

// TestEditorOnTerminal: the editor has the terminal, Ctrl-C there is the editor's, and a hang-up takes the plaintext away.
func TestEditorOnTerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	script := w.script("editor", `
trap 'echo interrupted' INT
echo "$1" > "$HOME/where"
test -t 0 && test -t 1 && echo ready
while :; do
	read -r line || continue # interrupted
	case $line in
	quit) exit 0 ;;
	*) echo "  typed: $line" >> "$1"; echo "took it" ;;
	esac
done
`)
	c := w.command("edit", "-r", alice(), "-i", w.key, w.sealed)
	c.env = append(c.env, "EDITOR="+script)
	p := onTerminal(t, c)
	p.waitFor("ready")
	p.typed("\x03")
	p.waitFor("interrupted")
	p.typed("abc\n")
	p.waitFor("took it")
	p.typed("quit\n")
	if status := p.end(); status != 0 {
		t.Fatalf("status %d: %s", status, p.text())
	}
	if got := opens(t, w.repo, w.key, w.sealed)["shop/s00"]["typed"]; got != "abc" {
		t.Errorf("the value is %q: %s", got, p.text())
	}
	w.gone()

	before := read(t, w.repo)
	p = onTerminal(t, c)
	p.waitFor("ready")
	if err := p.cmd.Process.Signal(unix.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if status := p.end(); status != statusInterrupted {
		t.Errorf("status %d: %s", status, p.text())
	}
	w.gone()
	unchanged(t, w.repo, before)
}

// TestVim: vim keeps swap files, backups, undo history and registers, and none of them with a value in it.
func TestVim(t *testing.T) {
	vim, err := exec.LookPath("vim")
	if err != nil {
		t.Skip("no vim here")
	}
	t.Parallel()
	w := newWorld(t)
	if err := os.WriteFile(w.home+"/.vimrc", []byte("set nocompatible undofile backup undodir=~ backupdir=~ directory=~ viminfo='100,<50\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := w.command("edit", "-r", alice(), "-i", w.key, w.sealed)
	c.env = append(c.env, "EDITOR="+vim)
	p := onTerminal(t, c)
	p.waitFor("stringData")
	p.typed(":%s/password: /password: vim-/\r")
	p.typed("yyp:w\r")
	p.typed("u:echo 'saved'.'-once'\r")
	p.waitFor("saved-once")
	w.nowhere("while vim is open", p.cmd.Process.Pid)
	p.typed(":wq\r")
	if status := p.end(); status != 0 {
		t.Fatalf("status %d: %s", status, p.text())
	}
	w.nowhere("after vim", 0)
	if got := opens(t, w.repo, w.key, w.sealed)["shop/s00"]["password"]; got != "vim-"+w.canary {
		t.Errorf("the value is %q", got)
	}
}
