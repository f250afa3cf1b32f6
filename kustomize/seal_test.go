package kustomize

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// canary is in every plaintext of a case that has to fail, and may be in nothing that comes out of it.
const canary = "canary"

// opener is a function for Options, and says whether it was called.
type opener struct {
	ids    []*crypt.Identity
	called int
}

func (o *opener) get() (*crypt.Opener, error) {
	o.called++
	return crypt.NewOpener(o.ids...), nil
}

func dave() *opener { return &opener{ids: []*crypt.Identity{testkeys.Dave()}} }

// sealTree encrypts every native Secret in the YAML files below dir to Dave, and returns how many there were. Files whose
// name has ".clear." stay as they are.
func sealTree(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	w := secret.NewWriter()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || filepath.Ext(path) != ".yaml" && filepath.Ext(path) != ".yml" ||
			isKustomization(path) || strings.Contains(path, ".clear.") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(src, []byte("Secret")) {
			return err
		}
		out, sealed := sealText(t, w, path, src)
		n += sealed
		if sealed == 0 {
			return nil
		}
		return os.WriteFile(path, out, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func sealText(t *testing.T, w *secret.Writer, path string, src []byte) ([]byte, int) {
	t.Helper()
	f, err := manifest.Parse(src)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if !slices.ContainsFunc(f.Items(), func(i *manifest.Item) bool { return i.Kind == manifest.Native }) {
		return src, 0
	}
	r, err := w.Encrypt(f, secret.EncryptOptions{Target: secret.Target{Recipients: []*crypt.Recipient{testkeys.Dave().Recipient()}}})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f.Bytes(), len(r.Sealed)
}

// seal seals one text.
func seal(t *testing.T, src string) string {
	t.Helper()
	out, n := sealText(t, secret.NewWriter(), "text", []byte(src))
	if n == 0 {
		t.Fatalf("nothing to seal in:\n%s", src)
	}
	return string(out)
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// writeTree writes files into a new directory: names and contents in turn.
func writeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := writeFile(filepath.Join(dir, name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func build1(dir string, o Options) (*Result, error) {
	if o.Opener == nil {
		o.Opener = dave().get
	}
	if o.Root == "" {
		o.Root = dir
	}
	return Build(context.Background(), dir, o)
}
