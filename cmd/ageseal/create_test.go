package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/corpora"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// kubectlCase is a row of kubectl's own tests, with what a kubectl printed for it.
type kubectlCase struct {
	Name   string
	Args   []string
	Files  map[string][]byte
	Env    map[string]string
	RC     int
	Result *createdSecret
}

type createdSecret struct {
	Metadata struct{ Name, Namespace string }
	Type     string
	Data     map[string][]byte
}

// TestCreateAsKubectl: the same command line, decrypted, gives the same name, type and data; what kubectl refuses is refused.
// Names with an underscore, which kubectl leaves to the API server, are refused.
func TestCreateAsKubectl(t *testing.T) {
	var cases []kubectlCase
	corpora.JSON(t, &cases, "corpora", "kubectl", "create-secret-cases.json")
	counts := map[string]int{}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { counts[createAsKubectl(t, c)]++ })
	}
	if diff := cmp.Diff(map[string]int{"the same": 20, "both refuse": 21, "a bad name": 8}, counts); diff != "" {
		t.Errorf("cases (-want +got):\n%s", diff)
	}
}

func createAsKubectl(t *testing.T, c kubectlCase) string {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, data := range c.Files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for key, value := range c.Env {
		t.Setenv(key, value)
	}
	alice := testkeys.Alice()
	args := append([]string{"ageseal", "create", "secret"}, c.Args...)
	var out, errw bytes.Buffer
	status := run(append(args, "-r", alice.Recipient().String()), strings.NewReader(""), &out, &errw, func() {})

	badName := c.Result != nil && strings.Contains(c.Result.Metadata.Name, "_")
	if c.RC != 0 || badName {
		if status == 0 || out.Len() > 0 || !strings.Contains(errw.String(), "ageseal: error: ") {
			t.Errorf("status %d, %d bytes on stdout, stderr:\n%s", status, out.Len(), errw.String())
		}
		if !badName {
			return "both refuse"
		}
		if !strings.Contains(errw.String(), "metadata.name") {
			t.Errorf("stderr does not name metadata.name:\n%s", errw.String())
		}
		return "a bad name"
	}
	if status != 0 {
		t.Fatalf("status %d:\n%s", status, errw.String())
	}
	got := openCreated(t, out.Bytes(), alice)
	if diff := cmp.Diff(c.Result, got); diff != "" {
		t.Errorf("Secret (-kubectl +ageseal):\n%s", diff)
	}
	for key, value := range c.Result.Data {
		encoded := base64.StdEncoding.EncodeToString(value)
		if len(value) > 8 && (bytes.Contains(out.Bytes(), value) || strings.Contains(out.String(), encoded)) {
			t.Errorf("the value of %s is in the sealed manifest", key)
		}
	}
	return "the same"
}

func openCreated(t *testing.T, text []byte, id *crypt.Identity) *createdSecret {
	f, err := manifest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	_, s, err := secret.Select(f, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if !s.Canonical {
		t.Error("not canonical")
	}
	values, err := secret.OpenForReading(s, crypt.NewOpener(id))
	if err != nil {
		t.Fatal(err)
	}
	got := &createdSecret{}
	got.Metadata.Name, got.Metadata.Namespace = s.Name, s.Namespace
	if s.Spec.Type != nil {
		got.Type = *s.Spec.Type
	}
	if len(values) > 0 {
		got.Data = values
	}
	return got
}

func writeCertificate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: certificate CERT KEY")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"example.org"},
		NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}
