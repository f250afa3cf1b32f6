//go:build e2e

package e2e

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// argoShop is the shop of examples/ as a repository with sealed Secrets, and Argo CD among their readers.
type argoShop struct {
	place
	key    string            // Argo CD's identity
	values map[string]string // of the Application's Secrets before they were encrypted, by NAMESPACE/NAME/KEY
}

func newArgoShop(t testing.TB, guide argoGuide) *argoShop {
	t.Helper()
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	s := &argoShop{place: place{dir: filepath.Join(dir, "shop"), env: []string{
		"PATH=" + filepath.Dir(ageseal(t)) + ":" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + filepath.Join(home, ".config"), "TMPDIR=" + os.TempDir(),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Alice", "GIT_AUTHOR_EMAIL=alice@example.org",
		"GIT_COMMITTER_NAME=Alice", "GIT_COMMITTER_EMAIL=alice@example.org",
	}}}
	if err := os.CopyFS(filepath.Join(s.dir, "apps"), os.DirFS(filepath.Join(root(t), "examples", "apps"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	s.readValues(t, filepath.Join(s.dir, guide.path, "*.yaml"))
	s.must(t, "", "sh", "-ec", `git init -q -b main && ageseal init -q && ageseal encrypt -q -w apps
		ageseal keygen -q -o ~/argo-cd.key
		ageseal recipients add argo-cd "$(grep -o 'age1pq1.*' ~/argo-cd.key)" && ageseal rekey
		git add . && git commit -q -m "Add the shop"`)
	key, err := os.ReadFile(filepath.Join(home, "argo-cd.key"))
	if err != nil {
		t.Fatal(err)
	}
	s.key = string(key)
	return s
}

// readValues reads the plaintext Secrets of some files.
func (s *argoShop) readValues(t testing.TB, pattern string) {
	t.Helper()
	s.values = map[string]string{}
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var secret struct {
			Kind       string
			Metadata   struct{ Name, Namespace string }
			StringData map[string]string `yaml:"stringData"`
		}
		if err := yaml.Unmarshal(text, &secret); err != nil {
			t.Fatal(err)
		}
		for key, value := range secret.StringData {
			s.values[secret.Metadata.Namespace+"/"+secret.Metadata.Name+"/"+key] = value
		}
	}
	if len(s.values) < 3 {
		t.Fatalf("no values in %s", pattern)
	}
}

// branch commits an edit of a file to a branch of its own, past the hooks, as somebody would who is up to something.
func (s *argoShop) branch(t testing.TB, name, file string, edit func(string) string) {
	t.Helper()
	s.must(t, "", "git", "checkout", "-q", "-b", name, "main")
	text, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	edited := edit(string(text))
	if edited == string(text) {
		t.Fatalf("%s: nothing edited", name)
	}
	s.write(t, file, edited)
	s.must(t, "", "git", "commit", "-q", "-a", "--no-verify", "-m", name)
	s.must(t, "", "git", "checkout", "-q", "main")
}

// sealedBox finds the sealed value of a key.
func sealedBox(key string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)(^    ` + key + `:\n      by: \w+\n      box: )(\S+)$`)
}

// asFunction makes a sealed manifest an exec function of stock kustomize.
func asFunction(text string) string {
	return strings.Replace(text, "metadata:\n", "metadata:\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ageseal-fn}\n", 1)
}

// leaks are the values that stand in a text as they are, in base64, or as JSON quotes them.
func (s *argoShop) leaks(text string) []string {
	var found []string
	for where, value := range s.values {
		quoted, _ := json.Marshal(value)
		for _, form := range []string{value, string(quoted[1 : len(quoted)-1]), base64.StdEncoding.EncodeToString([]byte(value))} {
			if strings.Contains(value, "example") && strings.Contains(text, form) {
				found = append(found, where)
				break
			}
		}
	}
	return found
}
