//go:build linux && (amd64 || arm64)

package ostest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/ageseal/ageseal/internal/testkeys"
)

// sealedFiles is how many of a rekey's files are sealed files; the others are manifests.
const sealedFiles = 4

// TestKilledRekey kills "rekey" at each call that changes something, over sealed manifests and sealed files: where somebody joined, whom the
// new files open for, and where somebody left, so that every value is encrypted again.
func TestKilledRekey(t *testing.T) {
	for _, test := range []struct{ name, before, after string }{
		{"joined", "alice", "alice, bob"},
		{"left", "alice, bob", "alice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := unsealed(t)
			killEverywhere(t, s, s.rekey(t, test.before, test.after))
		})
	}
}

// TestRekeyReadOnlyDirectory has one directory among several that files can't be made in: no file changes.
func TestRekeyReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	s := unsealed(t)
	c := s.rekey(t, "alice, bob", "alice")
	s.give(t, nobody())
	(&scene{dir: c.home}).give(t, nobody())
	(&scene{dir: filepath.Dir(s.key)}).give(t, nobody())
	c.user = nobody()
	chmod(t, s.dir, 0o555, "apps/web")
	failed(t, run(t, c), 1, "permission denied")
	unchanged(t, s.dir, s.before)
	chmod(t, s.dir, 0o755, "apps/web")
	succeed(t, c)
	s.allNew(t)
}

// TestRekeyFullFilesystem runs where there is room for none of the new files, some, or almost all: no file changes.
func TestRekeyFullFilesystem(t *testing.T) {
	inOwnMounts(t, func(t *testing.T) {
		s := unsealed(t)
		s.mountTmpfs(t)
		c := s.rekey(t, "alice", "alice, bob")
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
		for _, free := range []uint64{1, need / 2, need - 1} {
			s.remount(t, 0, fmt.Sprintf("size=%d", (used+free)*page))
			failed(t, run(t, c), 1, "no space left on device")
			unchanged(t, s.dir, s.before)
			if t.Failed() {
				t.Fatalf("with %d of %d pages free", free, need)
			}
		}
		s.remount(t, 0, "size=64m")
		succeed(t, c)
		s.allNew(t)
	})
}

// unsealed is a scene with plaintext of what rekey is going to work on.
func unsealed(t *testing.T) *scene {
	t.Helper()
	s := stage(t, files-sealedFiles)
	for i := range sealedFiles {
		path := fmt.Sprintf("%s/k%02d", []string{"apps", "apps/web", "infra/base"}[i%3], i)
		content := strings.Repeat(fmt.Sprintf("%s%04d\n", canary, i), 1+i*300)
		s.before[path] = file{content, 0o644}
		s.values[path+".age"] = map[string]string{"content": content}
	}
	s.before.write(t, s.dir)
	return s
}

// rekey seals a scene in a repository for some people, changes the policy, and gives the run that follows it.
func (s *scene) rekey(t *testing.T, before, after string) command {
	t.Helper()
	c := command{dir: s.dir, home: t.TempDir(), env: []string{"AGESEAL_IDENTITY_FILE=" + s.key}}
	do := func(args ...string) {
		t.Helper()
		c.args = args
		succeed(t, c)
	}
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	bin := ageseal(t)
	do(git, "init", "-q")
	policy := func(readers string) {
		t.Helper()
		text := "apiVersion: ageseal.dev/v1alpha1\nkind: Policy\nrecipients:\n  alice: " + alice() +
			"\n  bob: " + testkeys.Bob().Recipient().String() + "\nrules:\n- path: \"**\"\n  recipients: [" + readers + "]\n"
		if err := os.WriteFile(filepath.Join(s.dir, policyFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	policy(before)
	do(bin, "encrypt", "-w", ".")
	plain := slices.DeleteFunc(s.before.paths(), func(path string) bool { return strings.HasSuffix(path, ".yaml") })
	do(append([]string{bin, "encrypt", "--as", "value", "--name", "k", "-n", "shop", "--remove"}, plain...)...)
	policy(after)
	if len(after) > len(before) {
		do(bin, "trust", "--yes")
		s.key = keyFile(t, testkeys.Bob()) // what the run writes is opened by who joined
	}
	s.before = read(t, s.dir)
	if diff := cmp.Diff(s.values, opens(t, s.dir, keyFile(t, testkeys.Alice()), slices.DeleteFunc(s.before.paths(), func(path string) bool { return path == policyFile })...)); diff != "" {
		t.Fatalf("values (-want +got):\n%.2000s", diff)
	}
	c.args = []string{bin, "rekey"}
	return c
}
