//go:build linux && (amd64 || arm64)

package ostest

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ageseal/ageseal/internal/testkeys"
)

// TestReadOnlyDirectory runs over directories that files can't be made in: all of them, or one among several.
func TestReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		dirs []string
	}{
		{"every directory", []string{"apps", "apps/web", "infra/base"}},
		{"the first", []string{"apps"}},
		{"one between", []string{"apps/web"}},
		{"the last", []string{"infra/base"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := stage(t, files)
			s.give(t, nobody())
			c := s.encrypt(t)
			c.user = nobody()
			chmod(t, s.dir, 0o555, test.dirs...)
			failed(t, run(t, c), 1, "permission denied")
			unchanged(t, s.dir, s.before)
			chmod(t, s.dir, 0o755, test.dirs...)
			succeed(t, c)
			s.allNew(t)
		})
	}
}

// TestReadOnlyDirectoryOneFile runs what writes a single file.
func TestReadOnlyDirectoryOneFile(t *testing.T) {
	t.Parallel()
	s := stage(t, 1)
	native := s.before["apps/s00.yaml"].Data
	succeed(t, s.encrypt(t))
	if err := os.WriteFile(filepath.Join(s.dir, "apps/plain.yaml"), []byte("# here before\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.give(t, nobody())
	s.before = read(t, s.dir)
	chmod(t, s.dir, 0o555, "apps")
	for _, args := range [][]string{
		{"set", "-r", alice(), "apps/s00.yaml", "password"},
		{"encrypt", "-r", alice(), "-o", "apps/s00.yaml", "-"},
		{"encrypt", "-r", alice(), "-o", "apps/new.yaml", "-"},
		{"decrypt", "-i", "-", "-o", "apps/plain.yaml", "apps/s00.yaml"},
		{"keygen", "-o", "apps/key.txt"},
	} {
		t.Run(args[0], func(t *testing.T) {
			s.before.write(t, s.dir)
			c := command{args: append([]string{ageseal(t)}, args...), dir: s.dir, user: nobody(), stdin: text(native)}
			if args[0] == "decrypt" {
				c.stdin = text(testkeys.AliceText())
			}
			failed(t, run(t, c), 1, "permission denied")
			unchanged(t, s.dir, s.before)
		})
	}
	chmod(t, s.dir, 0o755, "apps")
}

// TestUnreadableFile has one file among many that can't be read: the others stay as they are.
func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	s := stage(t, files)
	s.give(t, nobody())
	c := s.encrypt(t)
	c.user = nobody()
	const path = "apps/web/s04.yaml"
	chmod(t, s.dir, 0, path)
	r := run(t, c)
	chmod(t, s.dir, s.before[path].Mode, path)
	failed(t, r, 1, "s04.yaml: permission denied")
	unchanged(t, s.dir, s.before)
}

// refusing makes the last file of a scene one that can't be replaced, though files can be made beside it: that shows
// only when all the others have been replaced. (A sticky directory of somebody else, as /tmp is.)
func refusing(t *testing.T) (s *scene, c command, cure func()) {
	t.Helper()
	if nobody() == nil {
		t.Skip("only root can make a file of another user")
	}
	s = stage(t, files)
	s.give(t, nobody())
	dir, last := filepath.Join(s.dir, "infra/base"), filepath.Join(s.dir, "infra/base/s11.yaml")
	for _, path := range []string{dir, last} {
		if err := os.Chown(path, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(last, 0o664); err != nil {
		t.Fatal(err)
	}
	c = s.encrypt(t)
	c.user = nobody()
	return s, c, func() {
		t.Helper()
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRollback has the last of many renames fail: all that was replaced has to be put back.
func TestRollback(t *testing.T) {
	t.Parallel()
	s, c, cure := refusing(t)
	failed(t, run(t, c), 1, "s11.yaml: operation not permitted")
	unchanged(t, s.dir, s.before)
	cure()
	succeed(t, c)
	s.allNew(t)
}

// TestRollbackMounted is the same where a file is a mount point, as containers have them.
func TestRollbackMounted(t *testing.T) {
	inOwnMounts(t, func(t *testing.T) {
		s := stage(t, files)
		last := filepath.Join(s.dir, "infra/base/s11.yaml")
		if err := unix.Mount(last, last, "", unix.MS_BIND, ""); err != nil {
			t.Skipf("a file can't be mounted here: %v", err)
		}
		defer func() {
			if err := unix.Unmount(last, unix.MNT_DETACH); err != nil {
				t.Error(err)
			}
		}()
		failed(t, run(t, s.encrypt(t)), 1, "s11.yaml: device or resource busy")
		unchanged(t, s.dir, s.before)
	})
}

// TestKilledRollback kills a run at each step of putting back what it had replaced.
func TestKilledRollback(t *testing.T) {
	t.Parallel()
	s, c, cure := refusing(t)
	all, r := steps(t, c, s.dir)
	failed(t, r, 1, "s11.yaml: operation not permitted")
	first := 0
	for i, step := range all {
		if step.call == "renameat" {
			first = i + 1
			break
		}
	}
	if len(all)-first < 3*(files-1) {
		t.Fatalf("putting back takes more than that: %v", all[first:])
	}
	stride := 3 // of four steps for each file: all kinds are met
	if testing.Short() {
		stride = 13
	}
	for at := first; at <= len(all); at += stride {
		s.reset(t)
		r := trace(t, c, s.dir, func(n int, _ step) action {
			if n == at {
				return killBefore
			}
			return proceed
		})
		if r.signal != unix.SIGKILL {
			t.Fatalf("step %d was not reached: %v", at, r)
		}
		s.puttingBack = true
		s.eachOldOrNew(t)
		s.puttingBack = false
		cure()
		succeed(t, c)
		s.allNew(t)
		if t.Failed() {
			t.Fatalf("killed at step %d of %d: %v", at, len(all), all[at-1])
		}
	}
}

// reset is before.write for refusing's scene.
func (s *scene) reset(t *testing.T) {
	t.Helper()
	s.before.write(t, s.dir)
	s.give(t, nobody())
	dir := filepath.Join(s.dir, "infra/base")
	for _, path := range []string{dir, filepath.Join(dir, "s11.yaml")} {
		if err := os.Chown(path, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, dir string, mode os.FileMode, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Chmod(filepath.Join(dir, path), mode); err != nil {
			t.Fatal(err)
		}
	}
}
