//go:build linux && (amd64 || arm64)

package ostest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ageseal/ageseal/internal/testkeys"
)

const page = 4096

// TestFullFilesystem runs over many files on a filesystem that has room for none of the new ones, some, or almost all.
func TestFullFilesystem(t *testing.T) {
	inOwnMounts(t, func(t *testing.T) {
		s := stage(t, files)
		s.mountTmpfs(t)
		c := s.encrypt(t)
		var full unix.Statfs_t
		if err := unix.Statfs(s.dir, &full); err != nil {
			t.Fatal(err)
		}
		used := full.Blocks - full.Bfree
		succeed(t, c)
		need := uint64(0)
		for path, f := range read(t, s.dir) {
			if path != policyFile {
				need += uint64(len(f.Data)+page-1) / page
			}
		}
		s.before.write(t, s.dir)
		for _, free := range []uint64{0, 1, need / 2, need - 1} {
			s.remount(t, 0, fmt.Sprintf("size=%d", (used+free)*page))
			failed(t, run(t, c), 1, "no space left on device")
			unchanged(t, s.dir, s.before)
			if t.Failed() {
				t.Fatalf("with %d of %d pages free", free, need)
			}
		}
		s.remount(t, 0, "size=64m")

		inodes := full.Files - full.Ffree
		for _, free := range []uint64{0, 1, files / 2, files - 1} {
			s.remount(t, 0, fmt.Sprintf("nr_inodes=%d", inodes+free))
			failed(t, run(t, c), 1, "no space left on device")
			unchanged(t, s.dir, s.before)
			if t.Failed() {
				t.Fatalf("with %d of %d inodes free", free, files)
			}
		}
		s.remount(t, 0, "nr_inodes=1000")
		succeed(t, c)
		s.allNew(t)
	})
}

// TestFullFilesystemOneFile runs what writes a single file on a full filesystem: the old one stays, and no half a new one.
func TestFullFilesystemOneFile(t *testing.T) {
	inOwnMounts(t, func(t *testing.T) {
		s := stage(t, 1)
		s.mountTmpfs(t)
		native := filepath.Join(t.TempDir(), "native.yaml")
		large, _ := natives(4)
		if err := os.WriteFile(native, []byte(large["apps/s03.yaml"].Data), 0o600); err != nil {
			t.Fatal(err)
		}
		succeed(t, s.encrypt(t))
		s.allNew(t)
		s.before = read(t, s.dir)
		var stat unix.Statfs_t
		if err := unix.Statfs(s.dir, &stat); err != nil {
			t.Fatal(err)
		}
		// One page: a file can be made, and not all of it written.
		s.remount(t, 0, fmt.Sprintf("size=%d", (stat.Blocks-stat.Bfree+1)*page))
		for _, args := range [][]string{
			{"set", "-r", alice(), "apps/s00.yaml", "token"},
			{"encrypt", "-r", alice(), "-o", "apps/s00.yaml", native},
			{"encrypt", "-r", alice(), "-o", "new.yaml", native},
		} {
			c := command{args: append([]string{ageseal(t)}, args...), dir: s.dir}
			c.stdin = zeros(64 << 10)
			failed(t, run(t, c), 1, "no space left on device")
			unchanged(t, s.dir, s.before)
			if t.Failed() {
				t.Fatalf("%q", args)
			}
		}
		// Not even one.
		s.remount(t, 0, fmt.Sprintf("size=%d", (stat.Blocks-stat.Bfree)*page))
		for _, args := range [][]string{
			{"keygen", "-o", "key.txt"},
			{"decrypt", "-i", s.key, "-o", "plain.yaml", "apps/s00.yaml"},
		} {
			failed(t, run(t, command{args: append([]string{ageseal(t)}, args...), dir: s.dir}), 1, "no space left on device")
			unchanged(t, s.dir, s.before)
			if t.Failed() {
				t.Fatalf("%q", args)
			}
		}
	})
}

// TestReadOnlyFilesystem runs where nothing can be written at all.
func TestReadOnlyFilesystem(t *testing.T) {
	inOwnMounts(t, func(t *testing.T) {
		s := stage(t, files)
		s.mountTmpfs(t)
		s.remount(t, unix.MS_RDONLY, "")
		failed(t, run(t, s.encrypt(t)), 1, "read-only file system")
		unchanged(t, s.dir, s.before)
		s.remount(t, 0, "")
		succeed(t, s.encrypt(t))
		s.allNew(t)
	})
}

// TestFileSizeLimit runs under RLIMIT_FSIZE: whether no file can be written or just not the largest, none changes, and
// the signal that comes with it (SIGXFSZ) is no crash.
func TestFileSizeLimit(t *testing.T) {
	t.Parallel()
	s := stage(t, files)
	c := s.encrypt(t)
	succeed(t, c)
	var sizes []int
	for _, f := range read(t, s.dir) {
		sizes = append(sizes, len(f.Data))
	}
	slices.Sort(sizes)
	const block = 512 // of ulimit -f
	for _, blocks := range []int{0, 1, sizes[0]/block + 1, sizes[len(sizes)-1] / block} {
		t.Run(fmt.Sprintf("%d blocks", blocks), func(t *testing.T) {
			s.before.write(t, s.dir)
			limited := c
			limited.args = append([]string{"/bin/sh", "-c", fmt.Sprintf(`ulimit -f %d && exec "$@"`, blocks), "sh"}, c.args...)
			failed(t, run(t, limited), 1, "file too large")
			unchanged(t, s.dir, s.before)
		})
	}
	s.before.write(t, s.dir)
	succeed(t, c)
	s.allNew(t)
}

// TestFullOutput writes to a standard output that takes nothing.
func TestFullOutput(t *testing.T) {
	t.Parallel()
	s := stage(t, 1)
	succeed(t, s.encrypt(t))
	native := filepath.Join(t.TempDir(), "native.yaml")
	if err := os.WriteFile(native, []byte(s.before["apps/s00.yaml"].Data), 0o600); err != nil {
		t.Fatal(err)
	}
	s.before = read(t, s.dir)
	env := []string{"AGESEAL_IDENTITY=" + testkeys.AliceText()}
	for _, args := range [][]string{
		{"encrypt", "-r", alice(), native},
		{"decrypt", "apps/s00.yaml"},
		{"get", "apps/s00.yaml", "token"},
	} {
		t.Run(args[0], func(t *testing.T) {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Skip(err)
			}
			defer full.Close()
			failed(t, run(t, command{args: append([]string{ageseal(t)}, args...), dir: s.dir, env: env, stdout: full}), 1, "no space left on device")
			unchanged(t, s.dir, s.before)
		})
	}
}
