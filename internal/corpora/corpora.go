// Package corpora finds, for tests, the cases that nobody in the project wrote. They lie beside the repository, in ../shared or where
// $AGESEAL_SHARED says, and a clone alone has none: a test that asks for one is skipped. Only tests may import it.
package corpora

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Path is that of a file or directory of what is shared, absolute. It skips the test where that is absent.
func Path(t testing.TB, parts ...string) string {
	t.Helper()
	full := filepath.Join(append([]string{root(t)}, parts...)...)
	if _, err := os.Stat(full); err != nil {
		t.Skip("../shared is absent")
	}
	return full
}

func root(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("AGESEAL_SHARED"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for { // up to the repository
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(filepath.Dir(dir), "shared")
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("this is no package of the repository")
		}
		dir = parent
	}
}

// JSON reads a file of what is shared.
func JSON(t testing.TB, into any, parts ...string) {
	t.Helper()
	src, err := os.ReadFile(Path(t, parts...))
	if err == nil {
		err = json.Unmarshal(src, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Each calls do for every regular file of a .tar.gz.
func Each(t testing.TB, archive string, do func(name string, src []byte)) {
	t.Helper()
	each(t, archive, func(h *tar.Header, r io.Reader) error {
		if h.Typeflag != tar.TypeReg {
			return nil
		}
		src, err := io.ReadAll(r)
		if err == nil {
			do(h.Name, src)
		}
		return err
	})
}

// Untar unpacks the directories, regular files and links of a .tar.gz below dir.
func Untar(t testing.TB, archive, dir string) {
	t.Helper()
	each(t, archive, func(h *tar.Header, r io.Reader) error {
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		switch h.Typeflag {
		case tar.TypeDir:
			return os.MkdirAll(to, 0o755)
		case tar.TypeSymlink:
			return os.Symlink(h.Linkname, to)
		case tar.TypeReg:
			src, err := io.ReadAll(r)
			if err == nil {
				err = os.MkdirAll(filepath.Dir(to), 0o755)
			}
			if err == nil {
				err = os.WriteFile(to, src, 0o644)
			}
			return err
		}
		return nil
	})
}

func each(t testing.TB, archive string, do func(*tar.Header, io.Reader) error) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = do(h, r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
