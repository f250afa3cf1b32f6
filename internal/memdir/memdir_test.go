package memdir

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestMain is, asked so, a run that makes a directory with a file in it and is killed.
func TestMain(m *testing.M) {
	if os.Getenv("MEMDIR_TEST_CHILD") != "" {
		d, err := New()
		if err != nil {
			os.Exit(1)
		}
		if err := os.WriteFile(filepath.Join(d.Path, "canary"), nil, 0o600); err != nil {
			os.Exit(1)
		}
		os.Stdout.WriteString(d.Path + "\n")
		select {}
	}
	os.Exit(m.Run())
}

// alone gives a test directories of its own: other runs of the program would remove a leftover first.
func alone(t *testing.T) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	if dir, err := os.MkdirTemp("/dev/shm", "memdir-test-"); err == nil { //nolint:usetesting // it has to be in memory
		t.Cleanup(func() { os.RemoveAll(dir) })
		t.Setenv("XDG_RUNTIME_DIR", dir)
	}
}

func TestDir(t *testing.T) {
	alone(t)
	d, err := New()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(d.Path)
	if err != nil || runtime.GOOS != "windows" && info.Mode() != os.ModeDir|0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if runtime.GOOS == "linux" && !d.InMemory {
		t.Logf("%s is not in memory: no tmpfs can be written to here", d.Path)
	}
	RemoveLeftovers()
	if _, err := os.Stat(d.Path); err != nil {
		t.Errorf("a directory in use was taken for a leftover: %v", err)
	}
	if err := d.Remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(d.Path); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}

// TestKilled: what a killed run leaves is kept while it runs, and removed by the next one.
func TestKilled(t *testing.T) {
	alone(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "MEMDIR_TEST_CHILD=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimSpace(string(buf[:n]))
	RemoveLeftovers()
	if _, err := os.Stat(filepath.Join(path, "canary")); err != nil {
		t.Errorf("removed under a run in progress: %v", err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("nothing was left: %v", err)
	}
	RemoveLeftovers()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the leftover is still there: %v", err)
	}
}

// TestForeign: a link, a file, and what another user made are not ours to remove.
func TestForeign(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("temporary directories are each user's own here")
	}
	root := t.TempDir()
	t.Setenv("TMPDIR", root)
	target := filepath.Join(t.TempDir(), "target")
	if err := os.Mkdir(target, 0o700); err != nil {
		t.Fatal(err)
	}
	link, file := filepath.Join(root, prefix+"link"), filepath.Join(root, prefix+"file")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	removeLeftovers(roots())
	for _, path := range []string{link, file, target} {
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
}
