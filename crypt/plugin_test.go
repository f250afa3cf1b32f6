package crypt

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/tag"
)

// fake stands for a plugin: what it writes, what it answers, whose it turns out to be.
type fake struct {
	labels  []string
	stanzas []*age.Stanza
	err     error
	owners  []*Recipient
}

func (f fake) Wrap([]byte) ([]*age.Stanza, error) { return f.stanzas, f.err }

func (f fake) WrapWithLabels([]byte) ([]*age.Stanza, []string, error) {
	return f.stanzas, f.labels, f.err
}

func (f fake) Unwrap([]*age.Stanza) ([]byte, error) { return nil, f.err }

func (f fake) Recipients() []*Recipient { return f.owners }

func (f fake) Unlock() error { return f.err }

const fakeRecipient = "age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt"

func throughFake(t *testing.T, f fake) *Recipient {
	t.Helper()
	r, err := ParseRecipient(fakeRecipient)
	if err != nil {
		t.Fatal(err)
	}
	return r.Through(f)
}

// What a plugin writes must be what readers take, and the message names it.
func TestPluginStanzas(t *testing.T) {
	own := []*age.Stanza{{Type: "yubikey", Body: make([]byte, 32)}}
	classic := testIdentity(t, false).recipient
	for _, c := range []struct {
		name string
		fake fake
		to   []*Recipient
		says string
	}{
		{"a stanza of its own", fake{stanzas: own}, []*Recipient{classic}, ""},
		{"a passphrase", fake{stanzas: []*age.Stanza{{Type: "scrypt"}}}, nil, "encrypts with a passphrase"},
		{"a post-quantum stanza", fake{stanzas: []*age.Stanza{{Type: "mlkem768x25519"}}}, nil, "encrypts as a post-quantum recipient"},
		{"a fault", fake{err: errors.New("no card")}, nil, ": no card"},
		{"a label", fake{stanzas: own, labels: []string{"alone"}}, []*Recipient{classic}, "does not let it be mixed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := throughFake(t, c.fake)
			s, err := NewSession(append(c.to, r))
			if c.says == "" {
				facts, ferr := InspectWrap(s.Wrap(GenerateDataKey()).Age)
				if err != nil || ferr != nil || facts.Classic != 1 || facts.Other != 1 || facts.Recipients() != 2 || !facts.Fits(append(c.to, r)) {
					t.Errorf("%v, %+v, %v", err, facts, ferr)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), fakeRecipient) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if _, err := SealFile(&File{Use: UseEnv, Content: []byte("A=canary\n")}, append(c.to, r)); err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("a file: %v", err)
			}
			if _, err := SealIdentity(testIdentity(t, false), append(c.to, r)); err == nil {
				t.Error("an identity was sealed")
			}
		})
	}
}

// Whose a key is may be known only after it was used, or unlocked.
func TestLateRecipients(t *testing.T) {
	r := testIdentity(t, false).recipient
	for _, c := range []struct {
		name string
		id   *Identity
		n    int
		err  bool
	}{
		{"told at once", NewIdentity(SSH, fake{}, r), 1, false},
		{"told when asked", NewIdentity(Locked, fake{owners: []*Recipient{r, r}}, nil), 2, false},
		{"a wrong passphrase", NewIdentity(Locked, fake{err: errors.New("wrong")}, nil), 0, true},
		{"never told", NewIdentity(Plugin, struct{ age.Identity }{fake{}}, nil), 0, false},
	} {
		got, err := c.id.Unlock()
		if len(got) != c.n || (err != nil) != c.err {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
		if c.id.SecretText() != "" {
			t.Errorf("%s: a private key that age does not have", c.name)
		}
		if text := fmt.Sprintf("%v %s", c.id, c.id); !strings.HasPrefix(text, "identity") {
			t.Errorf("%s: printed as %s", c.name, text)
		}
	}
	nobody := NewIdentity(Plugin, fake{}, nil)
	if nobody.Kind() != Plugin || !NewOpener(nobody).Anonymous() || NewOpener(NewIdentity(Plugin, fake{}, r), testIdentity(t, true)).Anonymous() {
		t.Error("a plugin's identity without a recipient is not told from one with")
	}
}

// Each key that could not be used is named, and the cheap kinds are tried first.
func TestUnavailable(t *testing.T) {
	s, err := NewSession([]*Recipient{testIdentity(t, false).recipient})
	if err != nil {
		t.Fatal(err)
	}
	k := GenerateDataKey()
	absent := func(kind Kind, name string) *Identity {
		return NewIdentity(kind, fake{err: fmt.Errorf("%s: %w", name, ErrUnavailable)}, nil)
	}
	_, err = NewOpener(absent(Plugin, "the card"), absent(Locked, "the file")).Unwrap(k.ID(), s.Wrap(k))
	var unavailable *UnavailableError
	if !errors.Is(err, ErrNoIdentity) || !errors.Is(err, ErrUnavailable) || !errors.As(err, &unavailable) || len(unavailable.Reasons) != 2 {
		t.Fatalf("got %v", err)
	}
	file, card := strings.Index(err.Error(), "the file"), strings.Index(err.Error(), "the card")
	if file < 0 || card < file || !strings.Contains(err.Error(), "; ") {
		t.Errorf("got %v", err)
	}
}

// A hardware key's post-quantum recipient is as long as any, and shown as a hash.
func TestHybridTag(t *testing.T) {
	kem, err := mlkem.GenerateKey768()
	if err != nil {
		t.Fatal(err)
	}
	point, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own, err := tag.NewHybridRecipient(append(kem.EncapsulationKey().Bytes(), point.PublicKey().Bytes()...))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRecipient(own.String())
	if err != nil {
		t.Fatal(err)
	}
	if !r.PostQuantum() || r.String() != own.String() || !strings.HasPrefix(r.Display(), "age1tagpq1… SHA256:") || len(r.Display()) > longestDisplay {
		t.Errorf("%s, post-quantum %v", r.Display(), r.PostQuantum())
	}
	s, err := NewSession([]*Recipient{r, testIdentity(t, true).recipient})
	if err != nil {
		t.Fatal(err)
	}
	if facts, err := InspectWrap(s.age); err != nil || facts.PostQuantum != 2 {
		t.Errorf("%+v, %v", facts, err)
	}
}

func TestInspectWrapRefuses(t *testing.T) {
	c := testIdentity(t, false).recipient.age()
	for _, tt := range []struct {
		name, text string
		want       error
	}{
		{"nothing", "", ErrAge},
		{"no base64", "*canary*", ErrBase64},
		{"too long", strings.Repeat("A", MaxAge+4), ErrLimit},
		{"129 recipients", encryptTo(t, nil, manyOf(c, MaxRecipients+1)...), ErrLimit},
	} {
		if _, err := InspectWrap(tt.text); !errors.Is(err, tt.want) || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func manyOf(r age.Recipient, n int) (rs []age.Recipient) {
	for range n {
		rs = append(rs, r)
	}
	return rs
}
