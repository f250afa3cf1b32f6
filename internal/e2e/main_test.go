//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// TestMain sees to it that nothing is left, also after Ctrl-C: every server is stopped, and everything that tests wrote is below one directory.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ageseal-e2e-")
	if err == nil {
		err = os.Setenv("TMPDIR", dir) // t.TempDir is below it
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	end := func() {
		stopAll()
		os.RemoveAll(dir)
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-interrupted
		end()
		os.Exit(130)
	}()
	defer end()
	return m.Run()
}

// root is the repository's.
func root(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// tool is a program in .tools. A test that can't have it is skipped.
func tool(t testing.TB, name string) string {
	t.Helper()
	file := filepath.Join(root(t), ".tools", name)
	if _, err := os.Stat(file); err != nil {
		t.Skipf("no .tools/%s: \"make e2e\" builds it, and said why it could not", name)
	}
	return file
}

// ageseal is the program under test, as "make build" makes it.
func ageseal(t testing.TB) string {
	t.Helper()
	file := filepath.Join(root(t), "bin", "ageseal")
	if _, err := os.Stat(file); err != nil {
		t.Fatal("no bin/ageseal: \"make e2e\" builds it")
	}
	return file
}
