package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ageseal/ageseal/internal/testkeys"
)

// TestPromptHides types into a pseudo-terminal once it does not echo any more, and reads what it shows. (testscript's ttyin
// types before anybody asks.)
func TestPromptHides(t *testing.T) {
	master, tty := openTerminal(t)
	t.Chdir(t.TempDir())
	alice := testkeys.Alice()
	var out, errw bytes.Buffer
	done := make(chan int)
	go func() {
		args := []string{"ageseal", "create", "secret", "generic", "db", "-n", "prod", "--prompt", "password"}
		done <- run(append(args, "-r", alice.Recipient().String()), tty, &out, &errw)
	}()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		state, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		if state.Lflag&unix.ECHO == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the terminal still echoes")
		}
	}
	if _, err := master.WriteString("canary-typed\n"); err != nil {
		t.Fatal(err)
	}
	if status := <-done; status != 0 {
		t.Fatalf("status %d:\n%s", status, errw.String())
	}
	if got := openCreated(t, out.Bytes(), alice); string(got.Data["password"]) != "canary-typed" {
		t.Error("another value was sealed")
	}
	if state, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS); err != nil || state.Lflag&unix.ECHO == 0 {
		t.Errorf("the terminal does not echo any more, %v", err)
	}
	if _, err := tty.WriteString("the end"); err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	for buf := make([]byte, 1024); !strings.Contains(shown.String(), "the end"); {
		n, err := master.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		shown.Write(buf[:n])
	}
	if strings.Contains(shown.String()+errw.String(), "canary") {
		t.Error("the value was shown")
	}
}

// openTerminal opens both ends of a pseudo-terminal (pty(7)).
func openTerminal(t *testing.T) (master, tty *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("this machine has no pseudo-terminals")
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return master, tty
}
