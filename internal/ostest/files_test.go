//go:build linux && (amd64 || arm64)

package ostest

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
)

func text(s string) io.Reader { return strings.NewReader(s) }

// zeros is a long line of input.
func zeros(n int) io.Reader { return text(strings.Repeat("0", n)) }

// canary is in every plaintext of these tests. It has characters that base64 has not: ciphertext never looks like it.
const canary = "canary-in-the-mine."

// canaries are its forms: itself, and in base64 at each of the three alignments.
var canaries = func() []string {
	forms := []string{canary}
	for shift := range 3 {
		enc := base64.RawStdEncoding.EncodeToString([]byte("..."[:shift] + canary))
		forms = append(forms, enc[(shift*8+5)/6:len(enc)-2])
	}
	return forms
}()

func leaks(text string) bool {
	return slices.ContainsFunc(canaries, func(c string) bool { return strings.Contains(text, c) })
}

const policyFile = ".ageseal.yaml"

// temporaryMark is in the name of every temporary file.
const temporaryMark = ".ageseal-tmp"

// file is what a directory has at a path.
type file struct {
	Data string
	Mode fs.FileMode
}

// tree is a directory's files by their relative path, without .git.
type tree map[string]file

func read(t testing.TB, dir string) tree {
	t.Helper()
	found := tree{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		found[rel] = file{string(data), info.Mode()}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// write makes dir hold the tree's files, and no temporary ones.
func (f tree) write(t testing.TB, dir string) {
	t.Helper()
	there := read(t, dir)
	for path := range there {
		if _, ours := f[path]; !ours {
			if err := os.Remove(filepath.Join(dir, path)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for path, content := range f {
		if there[path] == content {
			continue
		}
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content.Data), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, content.Mode); err != nil {
			t.Fatal(err)
		}
	}
}

func (f tree) paths() []string {
	var paths []string
	for path := range f {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// unchanged holds dir to what it was before: no byte, no mode, no file more or less.
func unchanged(t testing.TB, dir string, before tree) {
	t.Helper()
	if diff := cmp.Diff(before.sums(), read(t, dir).sums()); diff != "" {
		t.Errorf("files changed (-before +after):\n%s", diff)
	}
}

// sums says enough of each file to tell it from another.
func (f tree) sums() map[string]string {
	sums := map[string]string{}
	for path, is := range f {
		sums[path] = fmt.Sprintf("%v, %d bytes, %x", is.Mode, len(is.Data), sha256.Sum256([]byte(is.Data)))
	}
	return sums
}

// secrets are values by Secret and key.
type secrets map[string]map[string]string

// natives makes n native Secrets in three directories, with different sizes and modes, and another document for company.
func natives(n int) (tree, secrets) {
	files, values := tree{}, secrets{}
	for i := range n {
		name := fmt.Sprintf("s%02d", i)
		dir := []string{"apps", "apps/web", "infra/base"}[i%3]
		password := fmt.Sprintf("%s%04d", canary, i)
		token := strings.Repeat(password, 1+i%4*300) // to 27 kB: more than a page
		values["shop/"+name] = map[string]string{"password": password, "token": token}
		text := fmt.Sprintf("# of team %d\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: shop\nstringData:\n  password: %s\ndata:\n  token: %s\n",
			i, name, password, base64.StdEncoding.EncodeToString([]byte(token)))
		if i%4 == 1 {
			text += fmt.Sprintf("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%02d}\ndata: {a: b}\n", i)
		}
		files[filepath.Join(dir, name+".yaml")] = file{text, []fs.FileMode{0o644, 0o600, 0o664}[i%3]}
	}
	return files, values
}

// keyFile writes a test identity's private key outside of what the runs work on.
func keyFile(t testing.TB, id *crypt.Identity) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.txt")
	if err := os.WriteFile(path, []byte(id.SecretText()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// alice is the recipient of all that these tests encrypt.
func alice() string { return testkeys.Alice().Recipient().String() }

// opens decrypts files, by the binary, and gives the values of their Secrets, and by its path what a sealed file holds.
func opens(t testing.TB, dir, key string, paths ...string) secrets {
	t.Helper()
	found := secrets{}
	var manifests []string
	for _, path := range paths {
		if !strings.HasSuffix(path, ".age") {
			manifests = append(manifests, path)
			continue
		}
		r := succeed(t, command{args: []string{ageseal(t), "decrypt", "-i", key, path}, dir: dir})
		found[path] = map[string]string{"content": r.stdout}
	}
	if len(manifests) == 0 {
		return found
	}
	r := succeed(t, command{args: append([]string{ageseal(t), "decrypt", "-i", key}, manifests...), dir: dir})
	for doc := range strings.SplitSeq(r.stdout, "\n---") {
		var s struct {
			Kind     string
			Metadata struct{ Name, Namespace string }
			Data     map[string]string
		}
		if err := yaml.Unmarshal([]byte(strings.TrimPrefix(doc, "---")), &s); err != nil {
			t.Fatalf("what decrypt printed is no YAML: %v", err)
		}
		if s.Kind != "Secret" {
			continue
		}
		values := map[string]string{}
		for k, v := range s.Data {
			value, err := base64.StdEncoding.DecodeString(v)
			if err != nil {
				t.Fatalf("what decrypt printed is no base64: %v", err)
			}
			values[k] = string(value)
		}
		found[s.Metadata.Namespace+"/"+s.Metadata.Name] = values
	}
	return found
}

// scene is a directory, what it held, and the values in it.
type scene struct {
	dir    string
	before tree
	values secrets
	key    string // whose identity opens what a run writes

	// puttingBack allows for temporary files with a plaintext: the one of a file that is just being put back.
	puttingBack bool
}

// stage puts n native Secrets into a fresh directory.
func stage(t testing.TB, n int) *scene {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{dir: dir, key: keyFile(t, testkeys.Alice())}
	s.before, s.values = natives(n)
	s.before.write(t, dir)
	return s
}

// of gives the values of the Secrets that the given files hold.
func (s *scene) of(paths []string) secrets {
	some := secrets{}
	for _, path := range paths {
		name := "shop/" + strings.TrimSuffix(filepath.Base(path), ".yaml")
		if strings.HasSuffix(path, ".age") {
			name = path
		}
		some[name] = s.values[name]
	}
	return some
}

// eachOldOrNew holds the directory to what may be there at any moment of a run: each file as it was, or changed and
// with the same values in it; else only temporary files, and never a plaintext in them. It returns the changed files.
func (s *scene) eachOldOrNew(t testing.TB) (changed []string) {
	t.Helper()
	now := read(t, s.dir)
	for path, is := range now {
		was, known := s.before[path]
		switch {
		case !known && !strings.Contains(filepath.Base(path), temporaryMark):
			t.Errorf("%s: a file that nobody knows", path)
		case !known && leaks(is.Data) && !s.puttingBack:
			t.Errorf("%s: a temporary file with a plaintext in it", path)
		case !known:
		case is.Mode != was.Mode:
			t.Errorf("%s: mode %v, was %v", path, is.Mode, was.Mode)
		case is.Data != was.Data:
			changed = append(changed, path)
			if leaks(is.Data) {
				t.Errorf("%s: changed, and a plaintext in it", path)
			}
		}
	}
	for path := range s.before {
		if _, there := now[path]; !there {
			t.Errorf("%s: gone", path)
		}
	}
	slices.Sort(changed)
	if diff := cmp.Diff(s.of(changed), opens(t, s.dir, s.key, changed...)); diff != "" {
		t.Errorf("values of the changed files (-want +got):\n%.4000s", diff)
	}
	return changed
}

// allNew holds the directory to what a completed run leaves: every file changed, the same values, nothing else.
func (s *scene) allNew(t testing.TB) {
	t.Helper()
	changed := s.eachOldOrNew(t)
	manifests := slices.DeleteFunc(s.before.paths(), func(path string) bool { return path == policyFile })
	if diff := cmp.Diff(manifests, changed); diff != "" {
		t.Errorf("changed files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(s.before.paths(), read(t, s.dir).paths()); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// encrypt is a run over all of a scene.
func (s *scene) encrypt(t testing.TB) command {
	return command{args: []string{ageseal(t), "encrypt", "-w", "-r", alice(), "."}, dir: s.dir}
}
