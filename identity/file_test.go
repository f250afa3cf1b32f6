package identity_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/identity"
	"github.com/ageseal/ageseal/internal/testkeys"
)

func TestWriteThenLoad(t *testing.T) {
	for name, id := range map[string]*crypt.Identity{"hybrid": testkeys.Alice(), "classic": testkeys.Dave()} {
		t.Run(name, func(t *testing.T) {
			dir, _ := home(t)
			path := filepath.Join(dir, "new", "er", "identities")
			if err := identity.Write(path, identity.Text(id)); err != nil {
				t.Fatal(err)
			}
			if runtime.GOOS != "windows" {
				for p, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700, filepath.Join(dir, "new"): 0o700} {
					info, err := os.Stat(p)
					if err != nil || info.Mode().Perm() != want {
						t.Errorf("%s: %v, %v, want %v", p, info.Mode(), err, want)
					}
				}
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			shape := regexp.MustCompile(`\A# created: \d{4}-\d\d-\d\dT[0-9:+Z-]+\n# [^\n]+\n# public key: (age1\S+)\n(AGE-SECRET-KEY-\S+)\n\z`)
			m := shape.FindStringSubmatch(string(content))
			if m == nil || m[1] != id.Recipient().String() || m[2] != id.SecretText() {
				t.Error("the file has another shape")
			}
			set, err := identity.Load(identity.Options{Files: []string{path}, Warn: func(s string) { t.Error(s) }})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(fingerprintsOf(id), fingerprints(set)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWriteRefusesToOverwrite(t *testing.T) {
	dir, _ := home(t)
	file := write(t, filepath.Join(dir, "keys"), "precious")
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	for _, path := range []string{file, link, dir} {
		err := identity.Write(path, identity.Text(testkeys.Alice()))
		if !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: got %v", path, err)
			continue
		}
		wantSilent(t, err.Error())
	}
	if b, _ := os.ReadFile(file); string(b) != "precious" {
		t.Error("the file was changed")
	}
	if _, err := os.Stat(filepath.Join(dir, "elsewhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the link was followed")
	}
}

func TestWriteLeavesNothingWhereItCannot(t *testing.T) {
	dir, _ := home(t)
	file := write(t, filepath.Join(dir, "file"), "")
	err := identity.Write(filepath.Join(file, "keys"), "text")
	if err == nil || !strings.HasPrefix(err.Error(), "~/file: ") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	// A device is no file to create: it exists.
	if err := identity.Write("/dev/full", "text"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
}

// The programs of age are the other readers of our identity files.
func TestWriteForStockAge(t *testing.T) {
	keygen, decrypt := stock(t, "age-keygen"), stock(t, "age")
	for name, id := range map[string]*crypt.Identity{"hybrid": testkeys.Alice(), "classic": testkeys.Dave()} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "identities")
			if err := identity.Write(path, identity.Text(id)); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(keygen, "-y", path).Output()
			if got := strings.TrimSpace(string(out)); err != nil || got != id.Recipient().String() {
				t.Errorf("age-keygen -y: %q, %v", got, err)
			}
			sealing := exec.Command(decrypt, "-r", id.Recipient().String())
			sealing.Stdin = strings.NewReader("hello")
			sealed, err := sealing.Output()
			if err != nil {
				t.Fatal(err)
			}
			opening := exec.Command(decrypt, "-d", "-i", path)
			opening.Stdin = strings.NewReader(string(sealed))
			if out, err := opening.Output(); err != nil || string(out) != "hello" {
				t.Errorf("age -d -i: %q, %v", out, err)
			}
		})
	}
}

// stock finds a program of age on the path or where "go install" puts it.
func stock(t *testing.T, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	if dir, err := os.UserHomeDir(); err == nil {
		if path, err := exec.LookPath(filepath.Join(dir, "go", "bin", name)); err == nil {
			return path
		}
	}
	t.Skipf("%s is not installed", name)
	return ""
}
