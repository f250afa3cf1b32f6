//go:build e2e

package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/internal/testkeys"
)

// refused holds whatever goes wrong to be loud, and to leave nothing in the cluster: above all a sealed manifest that nobody opened.
func refused(t *testing.T, c *cluster) {
	p := c.in(t, "refused")
	p.seal(t, c, "refused", "resources", secretCases(t)[:2])
	noKind := `no matches for kind "EncryptedSecret" in version "ageseal.dev/v1alpha1"`
	for _, test := range []struct {
		name string
		says string
		args []string
	}{
		{"apply", noKind, []string{"apply", "-f", "app/opaque.yaml"}},
		{"apply --server-side", noKind, []string{"apply", "--server-side", "-f", "app/opaque.yaml"}},
		{"apply --validate=false", noKind, []string{"apply", "--validate=false", "-f", "app/opaque.yaml"}},
		{"create", noKind, []string{"create", "-f", "app/opaque.yaml"}},
		{"replace", noKind, []string{"replace", "-f", "app/opaque.yaml"}},
		{"apply -k", noKind, []string{"apply", "-k", "app"}},
		{"apply -k --server-side", noKind, []string{"apply", "--server-side", "-k", "app"}},
		{"past kubectl", "could not find the requested resource|NotFound", []string{"create", "--raw=/apis/ageseal.dev/v1alpha1/namespaces/refused/encryptedsecrets", "-f", "app/opaque.yaml"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			fails(t, p.run(t, "", append([]string{c.kubectl}, test.args...)...), test.says)
			c.none(t, "refused")
		})
	}

	// Somebody who "repairs" it.
	t.Run("a sealed manifest that was made a Secret", func(t *testing.T) {
		text := strings.NewReplacer("apiVersion: ageseal.dev/v1alpha1", "apiVersion: v1", "kind: EncryptedSecret", "kind: Secret").Replace(p.read(t, "app/opaque.yaml"))
		fails(t, p.run(t, text, c.kubectl, "apply", "-f", "-"), `unknown field "spec"`)
		c.none(t, "refused")
	})

	t.Run("a type that mints a credential", func(t *testing.T) {
		q := place{dir: t.TempDir(), env: p.env}
		q.seal(t, c, "refused", "resources", slices.DeleteFunc(secretCases(t), func(s secretCase) bool { return !slices.Contains(minted, s.kind) }))
		fails(t, q.run(t, "", c.ageseal, "build", "app"), "--allow-type "+minted[0])
	})

	for _, test := range []struct {
		name, says string
		env        string
		edit       func(string) string
	}{
		{name: "a key that does not fit", says: "no identity opens Secret refused/", env: "AGESEAL_IDENTITY=" + testkeys.BobText()},
		{name: "no key", says: "no identity", env: "AGESEAL_IDENTITY="},
		{name: "another namespace", says: "Secret default/opaque: .* altered, or copied", edit: func(s string) string { return strings.ReplaceAll(s, "namespace: refused", "namespace: default") }},
		{name: "another name", says: "opaque", edit: func(s string) string { return strings.Replace(s, "name: opaque", "name: evil", 1) }},
		{name: "an altered value", says: "opaque", edit: func(s string) string {
			at := strings.Index(s, "box: ") + 20
			flipped := "A"
			if s[at:at+1] == "A" {
				flipped = "B"
			}
			return s[:at] + flipped + s[at+1:]
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := place{dir: t.TempDir(), env: append(p.env[:len(p.env):len(p.env)], test.env)}
			for _, name := range []string{"app/kustomization.yaml", "app/none.yaml", "app/opaque.yaml"} {
				q.write(t, name, p.read(t, name))
			}
			if test.edit != nil {
				before := q.read(t, "app/opaque.yaml")
				after := test.edit(before)
				if after == before {
					t.Fatalf("nothing to edit in\n%s", before)
				}
				q.write(t, "app/opaque.yaml", after)
			}
			r := q.run(t, "", c.ageseal, "build", "app")
			fails(t, r, test.says)
			fails(t, q.run(t, r.stdout, c.kubectl, "apply", "--server-side", "-f", "-"), "no objects passed to apply")
			c.none(t, "refused")
			c.none(t, "default")
		})
	}
}

// fails holds a command to be loud, empty and discreet.
func fails(t *testing.T, r result, says string) {
	t.Helper()
	if r.status == 0 || r.stdout != "" || !regexp.MustCompile(says).MatchString(r.stderr) {
		t.Errorf("want no output and %q: %v", says, r)
	}
	if canaries.MatchString(r.stderr) || strings.Contains(r.stderr, "AGE-SECRET-KEY") {
		t.Errorf("stderr has a secret: %v", r)
	}
}

// none holds a namespace to have no Secret.
func (c *cluster) none(t *testing.T, namespace string) {
	t.Helper()
	for name := range c.secrets(t, namespace) {
		t.Errorf("Secret %s/%s was made", namespace, name)
	}
}
