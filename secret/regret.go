package secret

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ageseal/ageseal/manifest"
)

// Regrets are what an API server takes and whoever uses the Secret does not: warnings with line, key and hint, and nothing of a
// value in them. Where a value is a variable that is substituted after the build, nothing is known of it.
func Regrets(t *string, values map[string]manifest.Value, at time.Time) []Error {
	r := regrets{values: values}
	for _, key := range sortedKeys(values) {
		value := values[key].Bytes
		switch {
		case len(value) == 0 || bytes.Contains(value, []byte("${")):
		case isTextInBase64(value):
			r.add(key, "if nobody decodes it where it is used: "+twiceHint, "the value is base64 of text")
		case key == "ssh-privatekey" && !bytes.Contains(value, []byte("PRIVATE KEY-----")):
			r.add(key, "the public key is the one that ends with .pub", "no private key can be read from it")
		case key == "tls.crt":
			r.certificate(key, at)
		case key == "tls.key":
			r.privateKey(key)
		case typeOf(t) == "kubernetes.io/dockerconfigjson" && key == ".dockerconfigjson":
			r.dockerConfig(key)
		case typeOf(t) == "kubernetes.io/dockercfg" && key == ".dockercfg":
			var entries map[string]dockerEntry
			if json.Unmarshal(value, &entries) == nil {
				r.dockerEntries(key, entries)
			}
		case bytes.HasPrefix(bytes.TrimSpace(value), []byte("-----BEGIN ")):
			// OpenPGP's armor ends with a checksum, which is not PEM.
			if block, _ := pem.Decode(value); block == nil && !bytes.Contains(value, []byte("BEGIN PGP ")) {
				r.add(key, pemHint, "it begins as PEM and can't be read as PEM")
			}
		default:
			r.text(key)
		}
	}
	return r.list
}

type regrets struct {
	values map[string]manifest.Value
	list   []Error
}

func (r *regrets) add(key, hint, format string, args ...any) {
	r.list = append(r.list, Error{Line: r.values[key].Line, Key: key, Err: fmt.Errorf(format, args...), Hint: hint})
}

const (
	pemHint = "its line breaks may be lost: take the value from the file, or write a block scalar (|)"
	day     = "2006-01-02"
)

func (r *regrets) certificate(key string, at time.Time) {
	if bytes.Contains(r.values[key].Bytes, []byte("PRIVATE KEY-----")) {
		r.add(key, "leave it to tls.key", "it holds a private key, too: what serves the certificate may show it")
	}
	leaf := firstCertificate(r.values[key].Bytes)
	switch {
	case leaf == nil:
		r.add(key, pemHint, "no certificate can be read from it as PEM")
	case at.After(leaf.NotAfter):
		r.add(key, "", "the certificate expired on %s", leaf.NotAfter.UTC().Format(day))
	case at.Before(leaf.NotBefore):
		r.add(key, "", "the certificate is not valid before %s", leaf.NotBefore.UTC().Format(day))
	}
}

// privateKey also compares the key with the certificate, where that is known.
func (r *regrets) privateKey(key string) {
	signer, err := firstPrivateKey(r.values[key].Bytes)
	switch {
	case errors.Is(err, errPassphrase):
		r.add(key, "take the passphrase off: the value is encrypted here", "the private key has a passphrase, and nothing in a cluster asks for it")
		return
	case err != nil:
		r.add(key, pemHint, "no private key can be read from it as PEM")
		return
	}
	if leaf := firstCertificate(r.values["tls.crt"].Bytes); leaf != nil {
		if public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(leaf.PublicKey) {
			r.add(key, "the server's own certificate is the first in tls.crt", "the private key is not that of the certificate in tls.crt")
		}
	}
}

// firstCertificate is the one that a TLS server shows as its own (crypto/tls: X509KeyPair), nil if there is none to be read.
func firstCertificate(text []byte) *x509.Certificate {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return nil
		}
		if block.Type == "CERTIFICATE" {
			c, _ := x509.ParseCertificate(block.Bytes)
			return c
		}
		text = rest
	}
}

var errPassphrase = errors.New("encrypted with a passphrase")

// firstPrivateKey reads what X509KeyPair of crypto/tls does.
func firstPrivateKey(text []byte) (crypto.Signer, error) {
	for {
		block, rest := pem.Decode(text)
		switch {
		case block == nil:
			return nil, errors.New("no private key")
		case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, errPassphrase
		case block.Type != "PRIVATE KEY" && !strings.HasSuffix(block.Type, " PRIVATE KEY"):
			text = rest
			continue
		}
		switch block.Type {
		case "RSA PRIVATE KEY":
			return x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			return x509.ParseECPrivateKey(block.Bytes)
		}
		k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		signer, ok := k.(crypto.Signer)
		if err == nil && !ok {
			err = errors.New("no key to sign with")
		}
		return signer, err
	}
}

// dockerEntry is one registry of docker's config.json, in clear and as "docker login" writes it.
type dockerEntry struct {
	Auth, Username, Password     string
	IdentityToken, RegistryToken string
}

func (r *regrets) dockerConfig(key string) {
	var config struct {
		Auths       map[string]dockerEntry
		CredsStore  string
		CredHelpers map[string]string
	}
	if err := json.Unmarshal(r.values[key].Bytes, &config); err != nil {
		r.add(key, "kubectl create secret docker-registry writes one", "it is no configuration of docker: a field is of the wrong type")
		return
	}
	if config.CredsStore != "" || len(config.CredHelpers) > 0 {
		r.add(key, "log in without a credential store, and take that config.json", "credsStore and credHelpers name programs that no cluster has")
	}
	r.dockerEntries(key, config.Auths)
}

func (r *regrets) dockerEntries(key string, entries map[string]dockerEntry) {
	without := 0
	for _, e := range entries {
		if e.Auth == "" && (e.Username == "" || e.Password == "") && e.IdentityToken == "" && e.RegistryToken == "" {
			without++
		}
	}
	const hint = "a registry needs auth, or username and password"
	switch {
	case len(entries) == 0:
		r.add(key, hint, "it has credentials for no registry")
	case without > 0:
		r.add(key, hint, "%d of %d registries have no credentials in it", without, len(entries))
	}
}

// files are extensions of keys that become files, which end with a line end by right.
var files = []string{
	"agekey", "asc", "cer", "cert", "cfg", "cnf", "conf", "config", "crt", "csr", "csv", "env", "gpg", "hcl", "html", "htpasswd", "ini",
	"js", "json", "key", "list", "lua", "md", "netrc", "npmrc", "pem", "pgpass", "php", "properties", "pub", "py", "rb", "rules", "sh",
	"sql", "tf", "tfvars", "tmpl", "toml", "tpl", "txt", "xml", "yaml", "yml",
}

// text warns of the line end that echo and editors put behind a password.
func (r *regrets) text(key string) {
	value := r.values[key].Bytes
	word := bytes.TrimSuffix(bytes.TrimSuffix(value, []byte("\n")), []byte("\r"))
	file := strings.HasPrefix(key, ".") || slices.Contains(files, strings.ToLower(strings.TrimPrefix(path.Ext(key), ".")))
	// A line of htpasswd is a file with one user, whatever its key is called.
	htpasswd := bytes.Contains(word, []byte(":$")) || bytes.Contains(word, []byte(":{"))
	if len(word) > 0 && len(word) < len(value) && isWord(word) && !file && !htpasswd {
		r.add(key, `where it is no part of it, leave it off: printf '%s', or "stringData: |-"`, "it ends with a line end")
	}
}

func isWord(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
}

const twiceHint = "under data it is encoded twice, under stringData once too often"

// minTwice is the length in bytes from which a value that can be read as base64 of text is hardly one by chance.
const minTwice = 12

func isTextInBase64(value []byte) bool {
	value = bytes.TrimSpace(value)
	if len(value) < minTwice {
		return false
	}
	text, err := base64.StdEncoding.Strict().DecodeString(string(value))
	if err != nil || !utf8.Valid(text) {
		return false
	}
	return !bytes.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) })
}

func now(clock func() time.Time) time.Time {
	if clock == nil {
		return time.Now()
	}
	return clock()
}
