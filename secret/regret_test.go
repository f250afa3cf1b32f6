package secret_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// today is the time of these tests; certificates of a pair are valid from a day before to a day after.
var today = time.Date(2030, 6, 15, 12, 0, 0, 0, time.UTC)

// pair makes a certificate for canary.example and its private key.
func pair(t *testing.T, signer crypto.Signer) (certificate, key string) {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "canary.example"}, DNSNames: []string{"canary.example"},
		NotBefore: today.AddDate(0, 0, -1), NotAfter: today.AddDate(0, 0, 1),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, signer.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		t.Fatal(err)
	}
	return pemText("CERTIFICATE", der), pemText("PRIVATE KEY", pkcs8)
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// regrets is what is said of some values, without the hints.
func regrets(t *string, values map[string]string, at time.Time) string {
	m := map[string]manifest.Value{}
	for k, v := range values {
		m[k] = manifest.Value{Bytes: []byte(v), Line: 7}
	}
	var all []string
	for _, w := range secret.Regrets(t, m, at) {
		all = append(all, w.Key+": "+w.Error())
	}
	return strings.Join(all, "; ")
}

func TestRegretsOfCertificates(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	crt, key := pair(t, ec)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edCrt, edPEM := pair(t, edKey)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaCrt, _ := pair(t, rsaKey)
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	encrypted := "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nY2FuYXJ5\n-----END RSA PRIVATE KEY-----\n"
	for _, c := range []struct {
		name, crt, key string
		at             time.Time
		want           string
	}{
		{"a pair", crt, key, today, ""},
		{"ed25519", edCrt, edPEM, today, ""},
		{"PKCS 1", rsaCrt, pemText("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), today, ""},
		{"SEC 1, with parameters", crt, pemText("EC PARAMETERS", []byte{6, 0}) + pemText("EC PRIVATE KEY", sec1), today, ""},
		{"a chain", crt + edCrt, key, today, ""},
		{"a chain from the wrong end", edCrt + crt, key, today, "tls.key: the private key is not that of the certificate in tls.crt"},
		{"another key", crt, edPEM, today, "tls.key: the private key is not that of the certificate in tls.crt"},
		{"expired", crt, key, today.AddDate(0, 0, 2), "tls.crt: the certificate expired on 2030-06-16"},
		{"not yet", crt, key, today.AddDate(0, 0, -2), "tls.crt: the certificate is not valid before 2030-06-14"},
		{"nothing yet", "", "", today, ""},
		{"a certificate alone", crt, "", today, ""},
		{"both in one", crt + key, key, today, "tls.crt: it holds a private key, too: what serves the certificate may show it"},
		{"swapped", key, crt, today, "tls.crt: it holds a private key, too: what serves the certificate may show it; tls.crt: no certificate can be read from it as PEM; tls.key: no private key can be read from it as PEM"},
		{"no line breaks", strings.ReplaceAll(crt, "\n", " "), strings.ReplaceAll(key, "\n", `\n`), today,
			"tls.crt: no certificate can be read from it as PEM; tls.key: no private key can be read from it as PEM"},
		{"a passphrase", crt, encrypted, today, "tls.key: the private key has a passphrase, and nothing in a cluster asks for it"},
		{"PKCS 8 with a passphrase", crt, pemText("ENCRYPTED PRIVATE KEY", []byte{1}), today, "tls.key: the private key has a passphrase, and nothing in a cluster asks for it"},
		{"base64 twice", base64.StdEncoding.EncodeToString([]byte(crt)), key, today, "tls.crt: the value is base64 of text"},
		{"variables", "${CRT}", "${KEY}", today, ""},
	} {
		if got := regrets(nil, map[string]string{"tls.crt": c.crt, "tls.key": c.key}, c.at); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRegretsOfDocker(t *testing.T) {
	for _, c := range []struct{ typ, value, want string }{
		{"dockerconfigjson", `{"auths":{"r":{"auth":"YTpi"}}}`, ""},
		{"dockerconfigjson", `{"auths":{"r":{"username":"canary","password":"canary"},"s":{"identitytoken":"canary"}}}`, ""},
		{"dockerconfigjson", `{"auths":{"r":{"username":"canary"},"s":{"auth":"YTpi"}}}`, "1 of 2 registries have no credentials in it"},
		{"dockerconfigjson", `{"auths":{"r":{}},"credsStore":"desktop"}`, "credsStore and credHelpers name programs that no cluster has; .dockerconfigjson: 1 of 1 registries have no credentials in it"},
		{"dockerconfigjson", `{"auths":{"r":{"auth":"YTpi"}},"credHelpers":{"gcr.io":"gcloud"}}`, "credsStore and credHelpers name programs that no cluster has"},
		{"dockerconfigjson", `{}`, "it has credentials for no registry"},
		{"dockerconfigjson", `null`, "it has credentials for no registry"},
		{"dockerconfigjson", `{"auths":["canary"]}`, "it is no configuration of docker: a field is of the wrong type"},
		{"dockercfg", `{"r":{"auth":"YTpi"}}`, ""},
		{"dockercfg", `{"r":{"email":"canary"}}`, "1 of 1 registries have no credentials in it"},
		{"dockercfg", `{}`, "it has credentials for no registry"},
	} {
		typ, want := "kubernetes.io/"+c.typ, c.want
		if want != "" {
			want = "." + c.typ + ": " + want
		}
		if got := regrets(&typ, map[string]string{"." + c.typ: c.value}, today); got != want {
			t.Errorf("%s: got %q, want %q", c.value, got, want)
		}
	}
}

func TestRegretsOfText(t *testing.T) {
	const newline, twice = "it ends with a line end", "the value is base64 of text"
	b64 := base64.StdEncoding.EncodeToString
	for _, c := range []struct{ key, value, want string }{
		{"password", "canary", ""},
		{"password", "canary\n", newline},
		{"password", "canary\r\n", newline},
		{"api.password", "canary\n", newline},
		{"password", "canary\n\n", ""}, // somebody means it
		{"password", "canary two\n", ""},
		{"password", "\n", ""},
		{"password", "a\nb\n", ""},
		{"password", "\x80\x81\n", ""},
		{"id.pub", "canary\n", ""}, {"app.yaml", "canary\n", ""}, {".netrc", "canary\n", ""}, {"App.ENV", "canary\n", ""},
		{"auth", "canary:$2y$05$x\n", ""}, {"auth", "canary:{SHA}x\n", ""}, // htpasswd
		{"url", "postgres://canary:canary@db/x\n", newline},
		{"password", b64([]byte("canary-value")), twice},
		{"password", b64([]byte("canary-value\n")) + "\n", twice},
		{"password", b64([]byte("kanarienvögel")), twice},
		{"password", b64([]byte("canary")), ""}, // 8 characters may be so by chance
		{"password", b64([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 200}), ""},
		{"password", "d41d8cd98f00b204e9800998ecf8427e", ""},
		{"password", "correcthorsebattery1", ""},
		{"password", "Y2FuYXJ5LXZhbHVl!", ""},
		{"password", "${PASSWORD}\n", ""},
		{"ca.crt", "-----BEGIN CERTIFICATE----- MIIB -----END CERTIFICATE-----", "it begins as PEM and can't be read as PEM"},
		{"id_rsa", `-----BEGIN OPENSSH PRIVATE KEY-----\nY2FuYXJ5\n-----END OPENSSH PRIVATE KEY-----`, "it begins as PEM and can't be read as PEM"},
		{"id_rsa", pemText("OPENSSH PRIVATE KEY", []byte("canary")), ""},
		{"pgp", "-----BEGIN PGP MESSAGE-----\n\nY2FuYXJ5\n=abcd\n-----END PGP MESSAGE-----\n", ""},
	} {
		want := c.want
		if want != "" {
			want = c.key + ": " + want
		}
		if got := regrets(nil, map[string]string{c.key: c.value}, today); got != want {
			t.Errorf("%s %q: got %q, want %q", c.key, c.value, got, want)
		}
	}
}

// Both writers warn, with the place, and say nothing of the value.
func TestWritersWarn(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	crt, key := pair(t, ec)
	text := head + "type: kubernetes.io/tls\ndata:\n  tls.crt: " + base64.StdEncoding.EncodeToString([]byte(crt)) +
		"\n  tls.key: " + base64.StdEncoding.EncodeToString([]byte(key)) + "\n  note: Y2FuYXJ5Cg==\n"
	later := func() time.Time { return today.AddDate(1, 0, 0) }
	f, r, err := encrypt(t, text, secret.EncryptOptions{Now: later})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, w := range r.Warnings {
		said = append(said, report(&w))
	}
	want := []string{
		"line 10: prod/db: note: it ends with a line end (where it is no part of it, leave it off: printf '%s', or \"stringData: |-\")\n",
		"line 8: prod/db: tls.crt: the certificate expired on 2030-06-16 ()\n",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("encrypt (-want +got):\n%s", diff)
	}

	item, s, err := secret.Select(parse(t, string(f.Bytes())), "", "")
	if err != nil {
		t.Fatal(err)
	}
	warnings, err := secret.NewWriter().Set(item, s, "tls.crt", []byte(crt), secret.SetOptions{Target: target(people("dave")...), Now: later})
	if err != nil || len(warnings) != 1 || warnings[0].Secret != "prod/db" || warnings[0].Key != "tls.crt" || warnings[0].Line != s.Spec.Data["tls.crt"].Line {
		t.Errorf("set: %v, %v", warnings, err)
	}
	if bytes.Contains([]byte(strings.Join(said, "")), []byte("canary")) {
		t.Error("a warning quotes the value")
	}
}
