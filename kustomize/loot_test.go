package kustomize

import (
	"bytes"
	"context"
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age/armor"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
)

// TestSessionKeyIsNoSealedFile copies the wrapped session key of a document, which is an age file, to a file of its own
// and asks a build for it. Whoever got the session key could open the document's data keys.
func TestSessionKeyIsNoSealedFile(t *testing.T) {
	sealed := seal(t, sealedDB)
	f, err := manifest.Parse([]byte(sealed))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Items()[0].Sealed()
	if err != nil {
		t.Fatal(err)
	}
	var blob []byte
	for _, w := range s.Spec.Wraps {
		if blob, err = base64.StdEncoding.DecodeString(w.Age); err != nil {
			t.Fatal(err)
		}
	}
	armored := armoredText(t, blob)
	open := func() (*crypt.Opener, error) { return crypt.NewOpener(testkeys.Dave()), nil }
	for name, c := range map[string]struct {
		kustomization string
		loot          string
		want          error
	}{
		"armored, as a file":                    {"secretGenerator:\n- {name: loot, files: [k=loot.age]}\n", armored, crypt.ErrFileSessionKey},
		"armored, under its own name":           {"secretGenerator:\n- {name: loot, files: [loot.age]}\n", armored, crypt.ErrFileSessionKey},
		"armored, white space in front":         {"secretGenerator:\n- {name: loot, files: [k=loot.age]}\n", "\u00a0\n\n" + armored, crypt.ErrFileSessionKey},
		"armored, as an environment file":       {"secretGenerator:\n- {name: loot, envs: [loot.age]}\n", armored, crypt.ErrFileSessionKey},
		"armored, as the environment file":      {"secretGenerator:\n- {name: loot, env: loot.age}\n", armored, crypt.ErrFileSessionKey},
		"armored, in a ConfigMap":               {"configMapGenerator:\n- {name: loot, files: [k=loot.age]}\n", armored, ErrUse},
		"armored, in a ConfigMap's environment": {"configMapGenerator:\n- {name: loot, envs: [loot.age]}\n", armored, ErrUse},
		"binary, as a file":                     {"secretGenerator:\n- {name: loot, files: [k=loot.age]}\n", string(blob), crypt.ErrAge},
		"as an environment file":                {"secretGenerator:\n- {name: loot, envs: [loot.age]}\n", "K=" + base64.StdEncoding.EncodeToString(blob) + "\n", nil},
		"binary, in a ConfigMap":                {"configMapGenerator:\n- {name: loot, files: [k=loot.age]}\n", string(blob), nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeTree(t, map[string]string{"kustomization.yaml": "resources: [db.yaml]\n" + c.kustomization, "db.yaml": sealed, "loot.age": c.loot})
			result, err := Build(context.Background(), dir, Options{Root: filepath.Dir(dir), Opener: open})
			if c.want != nil {
				refused(t, result, err, c.want, "loot.age")
				return
			}
			// What is not recognised as ours stays the ciphertext it was.
			if err != nil {
				t.Fatal(err)
			}
			out := strings.ReplaceAll(strings.ReplaceAll(string(result.YAML), "\n", ""), " ", "")
			if want := base64.StdEncoding.EncodeToString([]byte(c.loot)); name == "binary, in a ConfigMap" && !strings.Contains(out, want) {
				t.Error("the file is not in the output as it was")
			}
			if strings.Contains(out, base64.StdEncoding.EncodeToString([]byte("ageseal.dev/suite-1"))[:20]) {
				t.Error("the payload of the age file is in the output")
			}
		})
	}
}

func armoredText(t *testing.T, file []byte) string {
	t.Helper()
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	if _, err := w.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
