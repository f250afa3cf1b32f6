//go:build linux && (amd64 || arm64)

package ostest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inOwnMounts runs the rest of a test where it may mount: on a thread with a mount namespace of its own, or, without
// root's rights, in a second process with a user namespace. f must not start subtests: they would be on other threads.
func inOwnMounts(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	if os.Geteuid() != 0 {
		inUserNamespace(t)
		return
	}
	// The thread ends with the test's goroutine: it is never unlocked.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		t.Skipf("no mount namespace here: %v", err)
	}
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Skipf("mounts can't be made private here: %v", err)
	}
	f(t)
}

func inUserNamespace(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), binaryVariable+"="+ageseal(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Skipf("neither root nor a user namespace: %v", err)
	}
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(exit, err)
	}
	switch {
	case err != nil:
		t.Errorf("in a user namespace:\n%s", &out)
	case bytes.Contains(out.Bytes(), []byte("--- SKIP")):
		t.Skipf("in a user namespace:\n%s", &out)
	case !bytes.Contains(out.Bytes(), []byte("--- PASS: "+t.Name())):
		t.Errorf("nothing ran in the user namespace:\n%s", &out)
	}
}

// mountTmpfs mounts an empty filesystem in memory on a scene's directory, moves the scene's files there, and takes it
// away with the test.
func (s *scene) mountTmpfs(t *testing.T) {
	t.Helper()
	if err := unix.Mount("ageseal-ostest", s.dir, "tmpfs", 0, "size=64m,mode=755"); err != nil {
		t.Skipf("a tmpfs can't be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(s.dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s.before.write(t, s.dir)
}

// remount changes the filesystem's limits.
func (s *scene) remount(t *testing.T, flags uintptr, options string) {
	t.Helper()
	if err := unix.Mount("ageseal-ostest", s.dir, "tmpfs", unix.MS_REMOUNT|flags, options); err != nil {
		t.Fatalf("remount %s: %v", options, err)
	}
}

// nobody is a user without rights, if the tests run as root, whom permissions don't bind.
func nobody() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	return &syscall.Credential{Uid: 65534, Gid: 65534}
}

// give makes a scene's files and directories those of a user, and lets everybody reach them.
func (s *scene) give(t *testing.T, user *syscall.Credential) {
	t.Helper()
	if user == nil {
		return
	}
	for dir := filepath.Dir(s.dir); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(s.dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(user.Uid), int(user.Gid))
	})
	if err != nil {
		t.Fatal(err)
	}
}
