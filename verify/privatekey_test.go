package verify_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/verify"
)

// pems are real private keys, made for this run, by what is said of them.
func pems(t *testing.T) map[string]string {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ed)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind + "PRIVATE KEY", Bytes: der}))
	}
	old := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(r),
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00112233445566778899AABBCCDDEEFF"}}))
	return map[string]string{
		"a private key (PKCS #8)":                              block("", pkcs8),
		"a private key (EC)":                                   block("EC ", sec1),
		"a private key (RSA)":                                  block("RSA ", x509.MarshalPKCS1PrivateKey(r)),
		"a private key (OPENSSH)":                              block("OPENSSH ", append([]byte("openssh-key-v1\x00\x00\x00\x00\x04none"), pkcs8...)),
		"a private key (PKCS #8, encrypted with a passphrase)": block("ENCRYPTED ", append(pkcs8, sec1...)),
		"a private key (RSA) with headers":                     old,
		"a private key (PGP) with headers": "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n" +
			base64.StdEncoding.EncodeToString(sec1) + "\n=AbCd\n-----END PGP PRIVATE KEY BLOCK-----\n",
	}
}

func TestPEM(t *testing.T) {
	for what, key := range pems(t) {
		what, headers := strings.CutSuffix(what, " with headers")
		indented := "  " + strings.ReplaceAll(strings.TrimSpace(key), "\n", "\n  ")
		for place, text := range map[string]string{
			"a file of its own":      "\n" + key,
			"a file without end":     "\n" + strings.TrimSpace(key),
			"a block scalar":         "key: |\n" + indented + "\n",
			"CRLF":                   "\r\n" + strings.ReplaceAll(key, "\n", "\r\n"),
			"JSON":                   "\n{\"key\": \"" + strings.ReplaceAll(key, "\n", `\n`) + "\"}",
			"JSON in JSON":           "\n{\"key\": \"" + strings.ReplaceAll(key, "\n", `\\n`) + "\"}",
			"source":                 "\nconst key = \"" + strings.ReplaceAll(key, "\n", "\\n\" +\n\t\"") + "\"",
			"an environment file":    "\nKEY=\"" + strings.ReplaceAll(key, "\n", `\n`) + "\"",
			"a comment":              "\n# " + strings.ReplaceAll(strings.TrimSpace(key), "\n", "\n# "),
			"one line":               "\nkey: " + strings.ReplaceAll(key, "\n", " "),
			"the middle of a binary": "\x00\x01\n" + key + "\x00",
		} {
			if headers && place == "one line" {
				continue // headers end with their lines
			}
			got := lines(t, "some/file", text)
			if diff := cmp.Diff([]string{"2: private-key:  " + what}, got); diff != "" {
				t.Errorf("%s in %s (-want +got):\n%s", what, place, diff)
			}
		}
		encoded := base64.StdEncoding.EncodeToString([]byte(key))
		if diff := cmp.Diff([]string{"2: private-key:  " + what + ", in base64"}, lines(t, "kubeconfig", "users:\n- client-key-data: "+encoded+"\n")); diff != "" {
			t.Errorf("%s in a kubeconfig (-want +got):\n%s", what, diff)
		}
		// Under data of a Secret it is one finding: the Secret's.
		if diff := cmp.Diff([]string{"1: plaintext-secret: prod/db [tls.key]"}, lines(t, "x.yaml", head+"data:\n  tls.key: "+encoded+"\n")); diff != "" {
			t.Errorf("%s in a Secret (-want +got):\n%s", what, diff)
		}
		for _, f := range verify.Bytes("x", []byte(key)) {
			if body := strings.Split(key, "\n")[1]; strings.Contains(fmt.Sprint(f), body[:16]) {
				t.Errorf("quotes the key: %+v", f)
			}
		}
	}
}

func TestIdentities(t *testing.T) {
	plugin := "AGE-PLUGIN-YUBIKEY-1" + testkeys.DaveText()[len("AGE-SECRET-KEY-1"):]
	for what, keys := range map[string][]string{
		"an age identity":              {testkeys.AliceText(), testkeys.DaveText()},
		"an identity of an age plugin": {plugin, plugin[:len("AGE-PLUGIN-YUBIKEY-1")+18], strings.Replace(plugin, "YUBIKEY", "X-1Y.Z_2+", 1)},
	} {
		for _, key := range keys {
			for place, text := range map[string]string{
				"a key file":  "# created: today\n" + key + "\n",
				"no newline":  "\n" + key,
				"YAML":        "\nage: " + key + " # mine\n",
				"JSON":        "\n{\"age\":\"" + key + "\\n\"}",
				"a variable":  "\nexport KEY='" + key + "'",
				"a binary":    "\x00\n" + key + "\x00",
				"a long line": "\n" + strings.Repeat("x", 100_000) + key,
			} {
				got := lines(t, "some/file", text)
				if diff := cmp.Diff([]string{"2: private-key:  " + what}, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", place, diff)
				}
			}
			for _, f := range verify.Bytes("x", []byte(key)) {
				if strings.Contains(fmt.Sprint(f), key[:24]) {
					t.Errorf("quotes the key: %+v", f)
				}
			}
		}
	}
	two := testkeys.AliceText() + "\n" + testkeys.BobText() + "\n"
	if got := lines(t, "x", two); len(got) != 2 {
		t.Errorf("two keys: %q", got)
	}
}

func TestNoPrivateKey(t *testing.T) {
	key := testkeys.DaveText()
	for name, text := range map[string]string{
		"prefixes":               "AGE-SECRET-KEY-1…, AGE-SECRET-KEY-PQ-1…, AGE-PLUGIN-YUBIKEY-1… and AGE-SECRET-KEY-\n",
		"an example":             "AGE-SECRET-KEY-1XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX\n",
		"an example of a few":    "AGE-PLUGIN-YUBIKEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQ\n",
		"dots":                   key[:40] + "...\n",
		"a template":             "AGE-SECRET-KEY-1{{ .Values.key }}\n",
		"a regular expression":   "AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}\n",
		"a recipient":            testkeys.Alice().Recipient().String() + "\n",
		"a plugin's name":        "AGE-PLUGIN-\nAGE-PLUGIN-1\n",
		"PEM without body":       "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n",
		"PEM with nothing":       "-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n",
		"PEM with an ellipsis":   "-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj...\n-----END RSA PRIVATE KEY-----\n",
		"PEM of one letter":      "-----BEGIN RSA PRIVATE KEY-----\n" + strings.Repeat("A", 200) + "\n-----END RSA PRIVATE KEY-----\n",
		"PEM in prose":           "it begins with -----BEGIN OPENSSH PRIVATE KEY----- and then comes a lot of text, more than sixty letters of it indeed\n",
		"PEM in source":          "if strings.HasPrefix(s, \"-----BEGIN RSA PRIVATE KEY-----\") { return true, errors.New(\"found one\") }\n",
		"a certificate":          "-----BEGIN CERTIFICATE-----\n" + strings.Repeat("MIIBkTCB+wIJAKHHIgJHPbk9MA0GCSqGSIb3\n", 5) + "-----END CERTIFICATE-----\n",
		"a public key":           "-----BEGIN PUBLIC KEY-----\n" + strings.Repeat("MIIBkTCB+wIJAKHHIgJHPbk9MA0GCSqGSIb3\n", 5) + "-----END PUBLIC KEY-----\n",
		"an age file, quoted":    "it is:\n-----BEGIN AGE ENCRYPTED FILE-----\n" + strings.Repeat("YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgy\n", 5) + "-----END AGE ENCRYPTED FILE-----\n",
		"a PGP message":          "-----BEGIN PGP MESSAGE-----\n\n" + strings.Repeat("hQEMAyUpShfNkFB/AQgAm6fqwqD8HqVNcxYu\n", 5) + "-----END PGP MESSAGE-----\n",
		"an encoded certificate": "ca: " + base64.StdEncoding.EncodeToString([]byte("-----BEGIN CERTIFICATE-----\n"+strings.Repeat("MIIBkTCB+wIJAKHHIgJHPbk9MA0GCSqGSIb3\n", 5))) + "\n",
	} {
		if got := lines(t, "some/file", text); len(got) != 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}
