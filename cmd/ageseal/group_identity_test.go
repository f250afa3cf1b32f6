package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/identity"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/kustomize"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// TestBuildAsksOnce: however many runs of encryption there were, a build has the user's own identity open one file, that of the group.
// With a hardware key, that is one touch.
func TestBuildAsksOnce(t *testing.T) {
	const documents = 12
	top := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	group, alice := testkeys.PostQuantum("ops"), testkeys.Alice()
	write := func(name string, data []byte) {
		t.Helper()
		path := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".git/HEAD", []byte("ref: refs/heads/main\n"))
	write("alice.key", []byte(alice.SecretText()+"\n"))
	write(".ageseal.yaml", fmt.Appendf(nil, "apiVersion: ageseal.dev/v1alpha1\nkind: Policy\nrecipients:\n  alice: %s\ngroups:\n  ops: {members: [alice], recipient: %s}\nrules:\n- {path: '**', recipients: [ops]}\n",
		alice.Recipient(), group.Recipient()))
	file, err := crypt.SealIdentity(group, []*crypt.Recipient{alice.Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	write(".ageseal/identities/ops.age", file)
	resources := "resources:\n"
	for i := range documents {
		f, err := manifest.Parse(fmt.Appendf(nil, "apiVersion: v1\nkind: Secret\nmetadata: {name: s%d, namespace: prod}\nstringData: {password: canary-%d}\n", i, i))
		if err != nil {
			t.Fatal(err)
		}
		// A writer for each: each has a session key of its own.
		if _, err := secret.NewWriter().Encrypt(f, secret.EncryptOptions{Target: secret.Target{Recipients: []*crypt.Recipient{group.Recipient()}}}); err != nil {
			t.Fatal(err)
		}
		write(fmt.Sprintf("s%d.yaml", i), f.Bytes())
		resources += fmt.Sprintf("- s%d.yaml\n", i)
	}
	write("kustomization.yaml", []byte(resources))

	c := &cli{in: strings.NewReader(""), out: io.Discard, err: io.Discard, environment: identity.Environment{}}
	o := &buildOptions{identities: identityFlags{[]string{filepath.Join(top, "alice.key")}}}
	var opener *crypt.Opener
	result, err := kustomize.Build(t.Context(), top, kustomize.Options{
		Kustomize: krusty.MakeDefaultOptions(),
		Opener: func() (*crypt.Opener, error) {
			var err error
			opener, err = c.buildOpener(o, top)
			return opener, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(result.YAML), "kind: Secret"); n != documents {
		t.Errorf("%d Secrets of %d", n, documents)
	}
	if opener.Unwraps() != 1 {
		t.Errorf("the user's identity was asked for %d files, not for one", opener.Unwraps())
	}
}
