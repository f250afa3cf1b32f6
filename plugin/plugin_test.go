package plugin

import (
	"strings"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

func options(dir string, ids ...*crypt.Identity) Options {
	return Options{Dir: dir, Opener: func() (*crypt.Opener, error) { return crypt.NewOpener(ids...), nil }}
}

// resourceListOf is what kustomize hands a generator: the config, and the config again as a marked item.
func resourceListOf(t *testing.T, extra string) string {
	t.Helper()
	f, err := manifest.Parse([]byte("apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: prod\n  annotations:\n" +
		"    config.kubernetes.io/local-config: \"true\"\n    mine: stays\nstringData:\n  k: canary\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := secret.NewWriter().Encrypt(f, secret.EncryptOptions{
		Target: secret.Target{Recipients: []*crypt.Recipient{testkeys.Alice().Recipient()}},
	}); err != nil {
		t.Fatal(err)
	}
	indented := "  " + strings.ReplaceAll(strings.TrimSpace(string(f.Bytes())), "\n", "\n  ")
	return "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nfunctionConfig:\n" + indented +
		"\nitems:\n- " + strings.TrimSpace(indented) + "\n" + extra
}

func TestGenerate(t *testing.T) {
	out, err := Generate(strings.NewReader(resourceListOf(t, "- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n")), options(t.TempDir(), testkeys.Alice()))
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	for _, want := range []string{"kind: ResourceList", "kind: ConfigMap", "kind: Secret", "k: Y2FuYXJ5", "mine: stays"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, no := range []string{"EncryptedSecret", "local-config"} {
		if strings.Contains(text, no) {
			t.Errorf("%q in\n%s", no, text)
		}
	}
}

func TestGenerateFailsWithoutOutput(t *testing.T) {
	list := resourceListOf(t, "")
	for name, c := range map[string]struct {
		input string
		ids   []*crypt.Identity
	}{
		"wrong key":       {list, []*crypt.Identity{testkeys.Bob()}},
		"no key":          {list, nil},
		"altered":         {strings.ReplaceAll(list, "name: db", "name: other"), []*crypt.Identity{testkeys.Alice()}},
		"half":            {list[:len(list)/4], []*crypt.Identity{testkeys.Alice()}},
		"not a list":      {"kind: Secret\nstringData: {k: canary}\n", nil},
		"not YAML":        {"canary: [", nil},
		"empty":           {"", nil},
		"a file's config": {strings.Replace(list, "config.kubernetes.io/local-config", "config.kubernetes.io/path", 1), []*crypt.Identity{testkeys.Alice()}},
		"its newer mark":  {strings.Replace(list, "config.kubernetes.io/local-config", "internal.config.kubernetes.io/path", 1), []*crypt.Identity{testkeys.Alice()}},
		"a transformer":   {list + "- {kind: ConfigMap, metadata: {annotations: {kustomize.config.k8s.io/id: x}}}\n", []*crypt.Identity{testkeys.Alice()}},
		"another config":  {"kind: ResourceList\nfunctionConfig: {kind: ConfigMap, data: {k: canary}}\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := Generate(strings.NewReader(c.input), options(t.TempDir(), c.ids...))
			if err == nil || out != nil {
				t.Fatalf("got %d bytes and %v", len(out), err)
			}
			if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "Y2FuYXJ5") {
				t.Errorf("the error quotes its input: %v", err)
			}
		})
	}
}
