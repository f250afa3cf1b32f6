//go:build e2e

package e2e

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/internal/testkeys"
)

// create compares, in the cluster, what "ageseal create secret" and the real "kubectl create secret" make of the same arguments.
func create(t *testing.T, c *cluster) {
	theirs, ours := c.in(t, "create-kubectl"), c.in(t, "create-ageseal")
	certificate, key := pair(t)
	for _, p := range []place{theirs, ours} {
		p.write(t, "site.crt", certificate)
		p.write(t, "site.key", key)
		p.write(t, "in/a.txt", "canary-a\n")
		p.write(t, "in/b.bin", "canary-\x00\xff")
		p.write(t, "app.env", "# comment\nUSER=canary-env\nEMPTY=\nQUOTED=\"canary-quoted\"\n")
	}
	for _, test := range []struct {
		name string
		args []string
	}{
		{"literals", []string{"generic", "literals", "--from-literal=user=canary-user", "--from-literal=sql=a='b,c'=d", "--from-literal=empty="}},
		{"files", []string{"generic", "files", "--from-file=in", "--from-file=other=app.env", "--type=shop.example/files"}},
		{"an env file", []string{"generic", "env", "--from-env-file=app.env"}},
		{"tls", []string{"tls", "tls", "--cert=site.crt", "--key=site.key"}},
		{"docker-registry", []string{"docker-registry", "docker", "--docker-server=registry.example", "--docker-username=shop", "--docker-password=canary-\"docker\"", "--docker-email=a@example.org"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			args, name := append([]string{"create", "secret"}, test.args...), test.args[1]
			theirs.must(t, "", append(append([]string{c.kubectl}, args...), "-n", "create-kubectl")...)
			if err := os.RemoveAll(ours.dir + "/app"); err != nil {
				t.Fatal(err)
			}
			ours.write(t, "app/kustomization.yaml", "resources: ["+name+".yaml]\n")
			ours.must(t, "", append(append([]string{c.ageseal}, args...), "-q", "-n", "create-ageseal", "-r", testkeys.Alice().Recipient().String(),
				"--file", "app/"+name+".yaml")...)
			ours.sealed(t, "app")
			ours.must(t, ours.must(t, "", c.ageseal, "build", "app"), c.kubectl, "apply", "--server-side", "-f", "-")

			want, got := c.secrets(t, "create-kubectl")[name], c.secrets(t, "create-ageseal")[name]
			if diff := cmp.Diff(want.Data, got.Data); diff != "" || want.Type != got.Type || len(want.Data) == 0 {
				t.Errorf("type %s and %s, data (-kubectl +ageseal):\n%s", want.Type, got.Type, diff)
			}
		})
	}
}
