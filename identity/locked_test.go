package identity_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/identity"
	"github.com/ageseal/ageseal/internal/testkeys"
)

const passphrase = "canary of a passphrase"

// ecdsaKey is a private key that age takes no part in.
func ecdsaKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// person types what it is told to and counts how often it was asked.
type person struct {
	mu        sync.Mutex
	types     string
	err       error
	questions []string
}

func (p *person) ask(question string) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.questions = append(p.questions, question)
	return []byte(p.types), p.err
}

// sealTo makes wraps in as many runs, and tells their ids.
func sealTo(t *testing.T, n int, to ...*crypt.Recipient) (ids []string, wraps []crypt.Wrap) {
	t.Helper()
	for range n {
		s, err := crypt.NewSession(to)
		if err != nil {
			t.Fatal(err)
		}
		k := crypt.GenerateDataKey()
		ids, wraps = append(ids, k.ID()), append(wraps, s.Wrap(k))
	}
	return ids, wraps
}

// openAll opens wraps at the same time and gives the errors.
func openAll(set *identity.Set, ids []string, wraps []crypt.Wrap) []error {
	o := crypt.NewOpener(append(set.Identities, set.Further...)...)
	errs := make([]error, len(ids))
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() { _, errs[i] = o.Unwrap(ids[i], wraps[i]) })
	}
	all.Wait()
	return errs
}

func mustOpen(t *testing.T, errs []error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

// A file with a passphrase is unlocked once, when something needs it, and by whom: not when another identity opens everything.
func TestLockedFile(t *testing.T) {
	dir, _ := home(t)
	lockedText, err := identity.Lock(identity.Text(testkeys.Alice())+testkeys.DaveText()+"\n", passphrase)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, filepath.Join(dir, "locked"), lockedText)
	ids, wraps := sealTo(t, 8, testkeys.Alice().Recipient())

	t.Run("another identity opens", func(t *testing.T) {
		p := &person{}
		t.Setenv("AGESEAL_IDENTITY", testkeys.AliceText())
		set, err := identity.Load(identity.Options{Files: []string{file}, Ask: p.ask})
		if err != nil {
			t.Fatal(err)
		}
		mustOpen(t, openAll(set, ids, wraps))
		if len(p.questions) > 0 {
			t.Errorf("asked %q", p.questions)
		}
	})
	t.Run("one question", func(t *testing.T) {
		p := &person{types: passphrase}
		set, err := identity.Load(identity.Options{Files: []string{file}, Ask: p.ask})
		if err != nil {
			t.Fatal(err)
		}
		mustOpen(t, openAll(set, ids, wraps))
		if len(p.questions) != 1 || p.questions[0] != "passphrase of ~/locked: " {
			t.Errorf("asked %q", p.questions)
		}
		ids, wraps := sealTo(t, 1, testkeys.Dave().Recipient())
		mustOpen(t, openAll(set, ids, wraps))
		ids, wraps = sealTo(t, 1, testkeys.Bob().Recipient())
		if err := openAll(set, ids, wraps)[0]; !errors.Is(err, crypt.ErrNoIdentity) || errors.Is(err, crypt.ErrUnavailable) {
			t.Errorf("for somebody else: %v", err)
		}
		ids, wraps = sealTo(t, 1, testkeys.Alice().Recipient())
		wraps[0].Age = altered(wraps[0].Age)
		if err := openAll(set, ids, wraps)[0]; !errors.Is(err, crypt.ErrAge) {
			t.Errorf("altered, for a recipient that is known by now: %v", err)
		}
		if r, err := set.Recipient(); err != nil || r.String() != testkeys.Alice().Recipient().String() {
			t.Errorf("recipient %v, %v", r, err)
		}
		if len(p.questions) != 1 {
			t.Errorf("asked %q", p.questions)
		}
	})
	for name, p := range map[string]*person{
		"the passphrase is wrong": {types: passphrase + "x"},
		"nothing was typed":       {},
		"no terminal":             {err: identity.ErrNoTerminal},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := identity.Load(identity.Options{Files: []string{file}, Ask: p.ask})
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range openAll(set, ids, wraps) {
				if !errors.Is(err, crypt.ErrNoIdentity) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "~/locked") {
					t.Errorf("got %v", err)
				}
				wantSilent(t, err.Error())
				if strings.Contains(err.Error(), "canary") {
					t.Errorf("the error quotes the passphrase: %v", err)
				}
			}
			if len(p.questions) != 1 {
				t.Errorf("asked %q", p.questions)
			}
		})
	}
	t.Run("twice", func(t *testing.T) {
		twice, err := identity.Lock(lockedText, passphrase)
		if err != nil {
			t.Fatal(err)
		}
		set, err := identity.Load(identity.Options{Files: []string{write(t, filepath.Join(dir, "twice"), twice)}, Ask: (&person{types: passphrase}).ask})
		if err != nil {
			t.Fatal(err)
		}
		if err := openAll(set, ids[:1], wraps)[0]; !errors.Is(err, crypt.ErrNoIdentity) || !strings.Contains(err.Error(), "~/twice:1: encrypted with a passphrase twice") {
			t.Errorf("got %v", err)
		}
	})
}

// altered changes the body of the first stanza of a base64 age file: age then finds no identity that matches.
func altered(age string) string {
	at := len("age-encryption.org/v1\n-> mlkem768x25519 ") * 4 / 3
	at += 200
	c := byte('A')
	if age[at] == c {
		c = 'B'
	}
	return age[:at] + string(c) + age[at+1:]
}

// sshFile writes a private key as ssh-keygen does, with a passphrase if there is one.
func sshFile(t *testing.T, path string, key crypto.PrivateKey, passphrase string) *crypt.Recipient {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "a comment")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "a comment", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(pem.EncodeToMemory(block)))
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := crypt.ParseRecipient(string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(signer.PublicKey()))) + " somebody")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSSHKeys(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.PrivateKey{"ssh-ed25519": ed, "ssh-rsa": rsaKey} {
		t.Run(name, func(t *testing.T) {
			dir, _ := home(t)
			file := filepath.Join(dir, "key")
			r := sshFile(t, file, key, "")
			ids, wraps := sealTo(t, 4, r, testkeys.Erin().Recipient())
			set, err := identity.Load(identity.Options{Files: []string{file}})
			if err != nil {
				t.Fatal(err)
			}
			if got := set.Identities[0].Recipient(); got.Fingerprint() != r.Fingerprint() || got.String() != r.String() {
				t.Errorf("the recipient of the private key is %s, that of the .pub file %s", got, r)
			}
			mustOpen(t, openAll(set, ids, wraps))

			t.Setenv("AGESEAL_IDENTITY", "# mine\r\n"+strings.ReplaceAll(string(mustRead(t, file)), "\n", "\r\n")+testkeys.BobText())
			if set, err = identity.Load(identity.Options{}); err != nil || len(set.Identities) != 2 {
				t.Fatalf("beside another identity: %v, %v", set, err)
			}
			mustOpen(t, openAll(set, ids, wraps))

			lockedFile := filepath.Join(dir, "locked")
			sshFile(t, lockedFile, key, passphrase)
			p := &person{types: passphrase}
			if set, err = identity.Load(identity.Options{Files: []string{lockedFile}, Ask: p.ask}); err != nil {
				t.Fatal(err)
			}
			others, othersWraps := sealTo(t, 2, testkeys.Erin().Recipient())
			for _, err := range openAll(set, others, othersWraps) {
				if !errors.Is(err, crypt.ErrNoIdentity) {
					t.Errorf("for somebody else: %v", err)
				}
			}
			if len(p.questions) > 0 {
				t.Errorf("asked %q for what is not for this key", p.questions)
			}
			mustOpen(t, openAll(set, ids, wraps))
			if len(p.questions) != 1 || p.questions[0] != "passphrase of ~/locked: " {
				t.Errorf("asked %q", p.questions)
			}

			p = &person{types: "canary of a wrong one"}
			if set, err = identity.Load(identity.Options{Files: []string{lockedFile}, Ask: p.ask}); err != nil {
				t.Fatal(err)
			}
			for _, err := range openAll(set, ids, wraps) {
				if !errors.Is(err, crypt.ErrNoIdentity) || errors.Is(err, crypt.ErrAge) || !strings.Contains(err.Error(), "~/locked: the passphrase is wrong") || strings.Contains(err.Error(), "canary") {
					t.Errorf("with a wrong passphrase: %v", err)
				}
			}
			if len(p.questions) != 1 {
				t.Errorf("asked %q", p.questions)
			}
		})
	}
}

// The user's own ssh key is read when something is encrypted to such a key, and not before.
func TestDefaultSSHKey(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := home(t)
	file := filepath.Join(dir, ".ssh", "id_ed25519")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	r := sshFile(t, file, key, passphrase)
	p := &person{types: passphrase}
	load := func() *identity.Set {
		t.Helper()
		set, err := identity.Load(identity.Options{Ask: p.ask})
		if err != nil || len(set.Identities) != 0 {
			t.Fatalf("%v, %v", set, err)
		}
		return set
	}
	ids, wraps := sealTo(t, 4, r)
	mustOpen(t, openAll(load(), ids, wraps))
	if len(p.questions) != 1 || p.questions[0] != "passphrase of ~/.ssh/id_ed25519: " {
		t.Errorf("asked %q", p.questions)
	}

	write(t, file, "no key")
	native, nativeWraps := sealTo(t, 1, testkeys.Dave().Recipient())
	if err := openAll(load(), native, nativeWraps)[0]; !errors.Is(err, crypt.ErrNoIdentity) || errors.Is(err, crypt.ErrUnavailable) {
		t.Errorf("for a key of age: %v", err)
	}
	if err := openAll(load(), ids, wraps)[0]; !errors.Is(err, crypt.ErrUnavailable) || !strings.Contains(err.Error(), "~/.ssh/id_ed25519:1: ") {
		t.Errorf("with a damaged key: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := openAll(load(), ids, wraps)[0]; !errors.Is(err, crypt.ErrNoIdentity) || errors.Is(err, crypt.ErrUnavailable) {
		t.Errorf("without one: %v", err)
	}
}

// Keys that ssh-keygen makes, in every format it has.
func TestSSHKeygen(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("no ssh-keygen here")
	}
	for _, args := range [][]string{{"-t", "ed25519"}, {"-t", "rsa", "-b", "3072"}, {"-t", "rsa", "-b", "2048", "-m", "PEM"}} {
		for _, typed := range []string{"", passphrase} {
			dir, _ := home(t)
			file := filepath.Join(dir, "key")
			if out, err := exec.Command(keygen, append(args, "-q", "-N", typed, "-C", "a comment", "-f", file)...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			r, err := crypt.ParseRecipient(strings.TrimSpace(string(mustRead(t, file+".pub"))))
			if err != nil {
				t.Fatal(err)
			}
			set, err := identity.Load(identity.Options{Files: []string{file}, Ask: (&person{types: typed}).ask})
			if typed != "" && args[len(args)-1] == "PEM" {
				if err == nil || !strings.Contains(err.Error(), "ssh-keygen -p -o") {
					t.Errorf("%q with a passphrase: %v", args, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			ids, wraps := sealTo(t, 1, r)
			mustOpen(t, openAll(set, ids, wraps))
		}
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
