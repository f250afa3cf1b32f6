//go:build linux && (amd64 || arm64)

package ostest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age/plugin"
)

// hidden types a line at a question, once the terminal does not show it.
func (p *terminal) hidden(question, text string) {
	p.t.Helper()
	p.waitFor(question)
	waitUntil(p.t, "a terminal without echo", func() bool { return !p.echoes() })
	p.typed(text)
}

// TestPassphrase: a passphrase is not shown, a Ctrl-C at the question gives the terminal back as it was, and nothing was decrypted.
func TestPassphrase(t *testing.T) {
	t.Parallel()
	s := stage(t, 1)
	key := filepath.Join(s.dir, "locked.key")
	p := onTerminal(t, command{args: []string{ageseal(t), "keygen", "--passphrase", "-o", key}, dir: s.dir})
	p.hidden("new passphrase: ", canary+"words\n")
	p.hidden("the same again: ", canary+"words\n")
	if status := p.end(); status != 0 {
		t.Fatalf("status %d: %s", status, p.text())
	}
	<-p.read
	if leaks(p.text()) {
		t.Errorf("the passphrase was shown: %q", p.text())
	}
	_, recipient, _ := strings.Cut(p.text(), "recipient: ")
	sealed := s.dir + "/apps/s00.yaml"
	succeed(t, command{args: []string{ageseal(t), "encrypt", "-w", "-r", strings.TrimSpace(recipient), sealed}, dir: s.dir})
	before := read(t, s.dir)
	get := command{args: []string{ageseal(t), "get", "-i", key, sealed, "password"}, dir: s.dir}

	p = onTerminal(t, get)
	p.hidden("passphrase of ", "\x03")
	if status := p.end(); status != statusInterrupted {
		t.Errorf("status %d: %s", status, p.text())
	}
	if !p.echoes() {
		t.Error("the terminal was left without echo")
	}
	<-p.read
	if leaks(p.text()) {
		t.Errorf("a value was shown: %q", p.text())
	}

	p = onTerminal(t, get)
	p.hidden("passphrase of ", canary+"words\n")
	status := p.end()
	<-p.read
	if shown := p.text(); status != 0 || strings.Contains(shown, "words") || !strings.Contains(shown, canary+"0000") {
		t.Errorf("status %d: %s", status, shown)
	}
	unchanged(t, s.dir, before)
}

// TestHangingPlugin: whoever waits is told for what, and can leave.
func TestHangingPlugin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.script("age-plugin-hang", "echo \"$PPID $*\" > \"$HOME/called\"\nexec sleep 1000\n")
	key := filepath.Join(w.home, "hang.key")
	if err := os.WriteFile(key, []byte(plugin.EncodeIdentity("hang", nil)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := w.command("get", "--plugin", "hang", "-i", key, w.sealed, "password")
	c.env = append(c.env, "PATH="+w.top+":"+os.Getenv("PATH"))
	p := onTerminal(t, c)
	p.waitFor("ageseal: waiting for plugin hang")
	p.typed("\x03")
	if status := p.end(); status != statusInterrupted {
		t.Errorf("status %d: %s", status, p.text())
	}
	if leaks(p.text()) {
		t.Errorf("a value was shown: %q", p.text())
	}
}
