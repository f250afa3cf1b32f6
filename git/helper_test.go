package git_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/git"
)

// hermetic keeps the user's git configuration, and the environment of a hook that may run these tests, out of them.
func hermetic(t *testing.T) {
	t.Helper()
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "GIT_") {
			t.Setenv(name, "") // restores it afterwards
			os.Unsetenv(name)
		}
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	for i, kv := range [][2]string{{"user.name", "Test"}, {"user.email", "test@example.org"}, {"init.defaultBranch", "main"}, {"protocol.file.allow", "always"}} {
		t.Setenv("GIT_CONFIG_KEY_"+string(rune('0'+i)), kv[0])
		t.Setenv("GIT_CONFIG_VALUE_"+string(rune('0'+i)), kv[1])
		t.Setenv("GIT_CONFIG_COUNT", string(rune('1'+i)))
	}
}

// work is a scratch work tree driven by the real git.
type work struct {
	*testing.T
	dir string
}

func newWork(t *testing.T, args ...string) *work {
	t.Helper()
	hermetic(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &work{t, filepath.Join(dir, "repo")}
	w.mkdir(w.dir)
	w.git(append([]string{"init", "-q"}, args...)...)
	return w
}

func (w *work) mkdir(dir string) {
	w.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.Fatal(err)
	}
}

func (w *work) git(args ...string) string {
	w.Helper()
	out, err := w.try(args...)
	if err != nil {
		w.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(out)
}

func (w *work) try(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = w.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (w *work) write(path, content string) {
	w.Helper()
	path = filepath.Join(w.dir, filepath.FromSlash(path))
	w.mkdir(filepath.Dir(path))
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		w.Fatal(err)
	}
}

func (w *work) commit(message string) {
	w.Helper()
	w.git("add", "-A")
	w.git("commit", "-q", "-m", message)
}

func (w *work) open() *git.Repo {
	w.Helper()
	return open(w.T, w.dir)
}

func open(t *testing.T, dir string) *git.Repo {
	t.Helper()
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// staged collects path → content; "too long" stands for nil.
func (w *work) staged(limit int64) map[string]string {
	w.Helper()
	got := map[string]string{}
	err := w.open().Staged(w.Context(), limit, func(b git.Blob) error {
		got[b.Path] = string(b.Data)
		if b.Data == nil {
			got[b.Path] = "too long"
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return got
}
