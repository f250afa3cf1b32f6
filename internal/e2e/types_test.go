//go:build e2e

package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/internal/testkeys"
)

// minted are the types for which a build wants to be told. Only "ageseal build" can be: a plugin of stock kustomize refuses them.
var minted = []string{"kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"}

// allowing are the flags that tell it.
var allowing = []string{"--allow-type", minted[0], "--allow-type", minted[1]}

// secretCase is a plaintext Secret, and what has to be stored of it.
type secretCase struct {
	name, kind  string // kind is the type, "" for none
	immutable   bool
	annotations map[string]string
	data        map[string]string
	labels      map[string]string
}

func secretCases(t *testing.T) []secretCase {
	t.Helper()
	certificate, key := pair(t)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	const docker = `{"registry.example":{"username":"shop","password":"canary-docker","auth":"c2hvcDpjYW5hcnktMQ=="}}`
	return []secretCase{
		{name: "none", data: map[string]string{"password": "canary-none"}},
		{name: "opaque", kind: "Opaque", data: map[string]string{"password": "canary-opaque", "lines": "canary-1\n\ncanary-2\n", ".dot_-": "canary-dot: [dot] # \"'"}},
		{name: "immutable", kind: "Opaque", immutable: true, data: map[string]string{"password": "canary-immutable"}},
		{name: "binary", data: map[string]string{"every": "canary-binary" + string(every), "invalid": "canary-\xff\xfe"}},
		{name: "empty", data: map[string]string{"empty": "", "password": "canary-empty"}},
		{name: "scalars", data: map[string]string{"yes": "true", "null": "null", "number": "012", "date": "2026-01-02", "float": "1e3"}},
		{name: "large", data: map[string]string{"blob": strings.Repeat("canary-0123456789", 4000)}},
		{name: "tls", kind: "kubernetes.io/tls", data: map[string]string{"tls.crt": certificate, "tls.key": key}},
		{name: "basic", kind: "kubernetes.io/basic-auth", data: map[string]string{"username": "canary-user", "password": "canary-basic"}},
		{name: "ssh", kind: "kubernetes.io/ssh-auth", data: map[string]string{"ssh-privatekey": "canary-ssh-key\n"}},
		{name: "dockercfg", kind: "kubernetes.io/dockercfg", data: map[string]string{".dockercfg": docker}},
		{name: "dockerconfigjson", kind: "kubernetes.io/dockerconfigjson", data: map[string]string{".dockerconfigjson": `{"auths":` + docker + `}`}},
		{name: "account", kind: "kubernetes.io/service-account-token", annotations: map[string]string{"kubernetes.io/service-account.name": "builder"},
			data: map[string]string{"extra": "canary-account"}},
		{name: "bootstrap-token-abcdef", kind: "bootstrap.kubernetes.io/token", data: map[string]string{
			"token-id": "abcdef", "token-secret": "canary-012345678", "usage-bootstrap-authentication": "true"}},
		{name: "custom", kind: "shop.example/license", labels: map[string]string{"app": "shop"}, data: map[string]string{"license": "canary-license"}},
	}
}

// text writes the manifest as people do: what is text under stringData, what is not under data.
func (c secretCase) text(namespace string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: %s\n", c.name, namespace)
	for _, m := range []struct {
		field string
		of    map[string]string
	}{{"labels", c.labels}, {"annotations", c.annotations}} {
		if len(m.of) > 0 {
			fmt.Fprintf(&b, "  %s:\n", m.field)
		}
		for _, k := range slices.Sorted(maps.Keys(m.of)) {
			fmt.Fprintf(&b, "    %s: %q\n", k, m.of[k])
		}
	}
	if c.kind != "" {
		fmt.Fprintf(&b, "type: %s\n", c.kind)
	}
	if c.immutable {
		b.WriteString("immutable: true\n")
	}
	texts, bytes := "", ""
	for _, k := range slices.Sorted(maps.Keys(c.data)) {
		if v := c.data[k]; utf8.ValidString(v) && v != "" {
			texts += fmt.Sprintf("  %q: %q\n", k, v)
		} else {
			bytes += fmt.Sprintf("  %q: %q\n", k, base64.StdEncoding.EncodeToString([]byte(v)))
		}
	}
	if bytes != "" {
		b.WriteString("data:\n" + bytes)
	}
	if texts != "" {
		b.WriteString("stringData:\n" + texts)
	}
	return b.String()
}

// stored compares what the API server has with what was written before it was encrypted.
func (c secretCase) stored(t *testing.T, got stored) {
	t.Helper()
	want := map[string][]byte{}
	for k, v := range c.data {
		want[k] = []byte(v)
	}
	if diff := cmp.Diff(want, got.Data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	kind := c.kind
	if kind == "" {
		kind = "Opaque"
	}
	if got.Type != kind || (got.Immutable != nil && *got.Immutable) != c.immutable {
		t.Errorf("type %s, immutable %v", got.Type, got.Immutable)
	}
	delete(got.Metadata.Annotations, lastApplied)
	for _, m := range []struct{ want, got map[string]string }{{c.labels, got.Metadata.Labels}, {c.annotations, got.Metadata.Annotations}} {
		if !maps.Equal(m.want, m.got) {
			t.Errorf("labels or annotations: want %v, got %v", m.want, m.got)
		}
	}
}

// lastApplied is where client-side apply keeps a copy of the manifest.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// everyType holds what is stored to be, byte for byte, what was encrypted, whichever way it got there; and a second apply to change nothing.
func everyType(t *testing.T, c *cluster) {
	for _, way := range []struct {
		name, namespace, field string // field of the kustomization that lists sealed manifests
		build                  []string
		apply                  []string
	}{
		{"ageseal build and apply", "client", "resources", append([]string{c.ageseal, "build"}, allowing...), nil},
		{"ageseal build and apply --server-side", "server", "resources", append([]string{c.ageseal, "build"}, allowing...), []string{"--server-side"}},
		{"stock kustomize and apply --server-side", "stock", "generators", []string{tool(t, "kustomize"), "build", "--enable-alpha-plugins"}, []string{"--server-side"}},
		{"kubectl kustomize and apply", "kubectl", "generators", []string{c.kubectl, "kustomize", "--enable-alpha-plugins"}, nil},
	} {
		t.Run(way.name, func(t *testing.T) {
			p := c.in(t, "type-"+way.namespace)
			cases := secretCases(t)
			if way.field == "generators" {
				cases = slices.DeleteFunc(cases, func(s secretCase) bool { return slices.Contains(minted, s.kind) })
			}
			p.seal(t, c, "type-"+way.namespace, way.field, cases)
			if way.field == "generators" {
				p.must(t, "", c.ageseal, "fn", "install")
			}
			built := p.must(t, "", append(way.build, "app")...)
			apply := append([]string{c.kubectl, "apply", "-f", "-"}, way.apply...)

			first := p.must(t, built, apply...)
			if n := strings.Count(first, "secret/"); n != len(cases) {
				t.Errorf("%d Secrets applied, want %d:\n%s", n, len(cases), first)
			}
			before := c.secrets(t, "type-"+way.namespace)
			for _, s := range cases {
				t.Run(s.name, func(t *testing.T) { s.stored(t, before[s.name]) })
			}

			diff := append([]string{c.kubectl, "diff", "-f", "-"}, way.apply...)
			if r := p.run(t, built, diff...); r.status != 0 || r.stdout != "" {
				t.Errorf("kubectl diff finds something: %v", r)
			}
			again := p.must(t, built, apply...)
			if way.apply == nil && strings.Count(again, " unchanged\n") != len(cases) {
				t.Errorf("the second apply:\n%s", again)
			}
			for name, s := range c.secrets(t, "type-"+way.namespace) {
				if was := before[name].Metadata.ResourceVersion; s.Metadata.ResourceVersion != was {
					t.Errorf("the second apply changed %s: version %s, was %s", name, s.Metadata.ResourceVersion, was)
				}
			}
		})
	}
}

// seal writes the cases below app, with a kustomization that lists them in a field, and encrypts them in place.
func (p place) seal(t *testing.T, c *cluster, namespace, field string, cases []secretCase) {
	t.Helper()
	kustomization := field + ":\n"
	for _, s := range cases {
		p.write(t, "app/"+s.name+".yaml", s.text(namespace))
		kustomization += "- " + s.name + ".yaml\n"
	}
	p.write(t, "app/kustomization.yaml", kustomization)
	p.must(t, "", c.ageseal, "encrypt", "-q", "-w", "-r", testkeys.Alice().Recipient().String(), "app")
	p.sealed(t, "app")
}

// canaries are how the values of these tests look, as text and as base64. (The bare word is in Kubernetes' own texts.)
var canaries = regexp.MustCompile(`canary-|Y2FuYXJ5L|NhbmFyeS|jYW5hcnkt`)

// sealed holds every file below a directory to have no plaintext.
func (p place) sealed(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(p.dir, dir), func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if canaries.Match(text) {
			t.Errorf("%s holds plaintext", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// pair is a certificate and its key as PEM.
func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"shop.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	var c, p bytes.Buffer
	_, _ = pem.Encode(&c, &pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.Encode(&p, &pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return c.String(), p.String()
}
