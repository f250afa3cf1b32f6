package crypt_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
)

// aged encrypts any text as stock age does.
func aged(t *testing.T, text string, to ...age.Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, to...)
	if err == nil {
		_, err = w.Write([]byte(text))
	}
	for _, c := range []interface{ Close() error }{w, a} {
		if err == nil {
			err = c.Close()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestOpenIdentity: the file of a shared identity is opened for one native identity, that of the recipient, and for nothing else.
func TestOpenIdentity(t *testing.T) {
	group, other := testkeys.PostQuantum("ops"), testkeys.PostQuantum("planted")
	alice, err := age.ParseHybridRecipient(testkeys.Alice().Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	good, err := crypt.SealIdentity(group, []*crypt.Recipient{testkeys.Alice().Recipient(), testkeys.Bob().Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	key := testkeys.PostQuantumText("ops")
	tests := []struct {
		name string
		file []byte
		want error
	}{
		{"as it is written", good, nil},
		{"as age-keygen writes it, with comments, by stock age", aged(t, "# created: today\n# public key: x\n\n"+key+"\r\n", alice), nil},
		{"another identity", aged(t, testkeys.PostQuantumText("planted")+"\n", alice), crypt.ErrShared},
		{"two identities, the right one first", aged(t, key+"\n"+testkeys.PostQuantumText("planted")+"\n", alice), crypt.ErrShared},
		{"the right one twice", aged(t, key+"\n"+key+"\n", alice), crypt.ErrShared},
		{"a classic one of another", aged(t, testkeys.ClassicText("ops")+"\n", alice), crypt.ErrShared},
		{"a plugin's", aged(t, "AGE-PLUGIN-CANARY-1QQQQQQQQQQQQ\n", alice), crypt.ErrShared},
		{"an ssh key", aged(t, "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n-----END OPENSSH PRIVATE KEY-----\n", alice), crypt.ErrShared},
		{"the right one and an ssh key", aged(t, key+"\n-----BEGIN OPENSSH PRIVATE KEY-----\n", alice), crypt.ErrShared},
		{"an encrypted identity file", aged(t, string(good), alice), crypt.ErrShared},
		{"cut short", aged(t, key[:len(key)-1]+"\n", alice), crypt.ErrShared},
		{"a recipient", aged(t, group.Recipient().String()+"\n", alice), crypt.ErrShared},
		{"another secret", aged(t, "canary-password\n", alice), crypt.ErrShared},
		{"empty", aged(t, "# nothing\n\n", alice), crypt.ErrShared},
		{"long", aged(t, strings.Repeat("#\n", 16<<10)+key+"\n", alice), crypt.ErrLimit},
		{"for somebody else", aged(t, key+"\n", mustHybrid(t, other)), crypt.ErrNoIdentity},
		{"no armor", []byte("canary"), crypt.ErrAge},
		{"too large", bytes.Repeat([]byte("a"), crypt.MaxIdentityFile+1), crypt.ErrLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, err := crypt.NewOpener(testkeys.Alice()).OpenIdentity(tt.file, group.Recipient())
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if err == nil && id.Recipient().String() != group.Recipient().String() || err != nil && id != nil {
				t.Errorf("identity %v", id)
			}
			if text := fmt.Sprint(err); strings.Contains(text, "canary") || strings.Contains(text, "CANARY") || strings.Contains(text, "SECRET-KEY-PQ-1") {
				t.Errorf("the message quotes what the file holds: %s", text)
			}
		})
	}
}

func mustHybrid(t *testing.T, id *crypt.Identity) age.Recipient {
	t.Helper()
	r, err := age.ParseHybridRecipient(id.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSealIdentityKinds: an identity goes under keys of its own kind only.
func TestSealIdentityKinds(t *testing.T) {
	for _, tt := range []struct{ id, to *crypt.Identity }{
		{testkeys.PostQuantum("ops"), testkeys.Dave()}, {testkeys.Classic("ops"), testkeys.Alice()},
	} {
		var mixed *crypt.MixedError
		if _, err := crypt.SealIdentity(tt.id, []*crypt.Recipient{tt.to.Recipient()}); !errors.As(err, &mixed) {
			t.Errorf("%v under %v: error %v", tt.id, tt.to, err)
		}
	}
	if _, err := crypt.SealIdentity(testkeys.PostQuantum("ops"), nil); !errors.Is(err, crypt.ErrNoRecipients) {
		t.Errorf("under nobody's: error %v", err)
	}
}

func TestParseNativeRecipient(t *testing.T) {
	for _, id := range []*crypt.Identity{testkeys.Alice(), testkeys.Dave()} {
		if r, err := crypt.ParseNativeRecipient(id.Recipient().String()); err != nil || r.String() != id.Recipient().String() {
			t.Errorf("%v: %v", id, err)
		}
	}
	for _, text := range []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHNRHR9fkYbvFPJjOSGFhcPIGHbuQdUFCLMNZDGDhdOW",
		"age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t", testkeys.AliceText(), ""} {
		if _, err := crypt.ParseNativeRecipient(text); err == nil {
			t.Errorf("%.12q is taken", text)
		}
	}
}

// TestShare: however many documents only a group's identity opens, the user's own is asked for one file, at most once, and never
// where it opens a document itself.
func TestShare(t *testing.T) {
	group := testkeys.PostQuantum("ops")
	file, err := crypt.SealIdentity(group, []*crypt.Recipient{testkeys.Alice().Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	loads := 0
	opener := func(fault error, ids ...*crypt.Identity) *crypt.Opener {
		loads = 0
		o := crypt.NewOpener(ids...)
		o.Share(group.Recipient(), func() (*crypt.Identity, error) {
			loads++
			if fault != nil {
				return nil, fault
			}
			return crypt.NewOpener(ids...).OpenIdentity(file, group.Recipient())
		})
		return o
	}
	sealed := func(to ...*crypt.Identity) (string, crypt.Wrap) {
		k := crypt.GenerateDataKey()
		return k.ID(), mustSession(t, to...).Wrap(k)
	}

	o := opener(nil, testkeys.Alice())
	var all sync.WaitGroup
	for range 20 {
		id, wrap := sealed(group)
		all.Go(func() {
			if _, err := o.Unwrap(id, wrap); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if loads != 1 || o.Unwraps() != 0 {
		t.Errorf("20 documents of the group: loaded %d times, the user's identity tried on %d of them", loads, o.Unwraps())
	}
	if !o.Holds(group.Recipient().Fingerprint()) {
		t.Error("what was loaded is not held")
	}
	armored, err := crypt.SealFile(&crypt.File{Use: crypt.UseEnv, Content: []byte("a=b\n")}, []*crypt.Recipient{group.Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.OpenFile(armored); err != nil || o.Unwraps() != 0 {
		t.Errorf("a sealed file once the identity is loaded: %v, the user's tried %d times", err, o.Unwraps())
	}

	o = opener(nil, testkeys.Alice())
	id, wrap := sealed(testkeys.Alice(), group)
	if _, err := o.Unwrap(id, wrap); err != nil || loads != 0 {
		t.Errorf("a document of the user and the group: %v, loaded %d times", err, loads)
	}
	id, wrap = sealed(testkeys.Bob())
	if _, err := o.Unwrap(id, wrap); !errors.Is(err, crypt.ErrNoIdentity) || loads != 0 {
		t.Errorf("a document of another: %v, loaded %d times", err, loads)
	}
	if _, err := o.OpenFile(armored); err != nil || loads != 1 {
		t.Errorf("a sealed file of the group: %v, loaded %d times", err, loads)
	}
	if _, err := o.OpenFile(mustSealFile(t, &keystore, testkeys.Bob())); !errors.Is(err, crypt.ErrNoIdentity) || loads != 1 {
		t.Errorf("a sealed file of another: %v, loaded %d times", err, loads)
	}

	id, wrap = sealed(group)
	if _, err := opener(nil, testkeys.Bob()).Unwrap(id, wrap); !errors.Is(err, crypt.ErrNoIdentity) {
		t.Errorf("for who is no member: %v", err)
	}
	unusable := &crypt.UnavailableError{Reasons: []error{crypt.ErrUnavailable}} // a member whose key is locked
	var found *crypt.UnavailableError
	if _, err := opener(unusable, testkeys.Bob()).Unwrap(id, wrap); !errors.As(err, &found) {
		t.Errorf("with a key that could not be used: %v", err)
	}
	if _, err := opener(unusable, testkeys.Bob()).OpenFile(armored); !errors.As(err, &found) {
		t.Errorf("a sealed file with a key that could not be used: %v", err)
	}
	fault := fmt.Errorf("%w: canary", crypt.ErrShared)
	if _, err := opener(fault, testkeys.Alice()).Unwrap(id, wrap); !errors.Is(err, crypt.ErrShared) {
		t.Errorf("with a planted file: %v", err)
	}
	if _, err := opener(fault, testkeys.Alice()).OpenFile(armored); !errors.Is(err, crypt.ErrShared) {
		t.Errorf("a sealed file with a planted file: %v", err)
	}
	wrong := crypt.NewOpener(testkeys.Alice())
	wrong.Share(group.Recipient(), func() (*crypt.Identity, error) { return testkeys.Carol(), nil })
	if _, err := wrong.Unwrap(id, wrap); !errors.Is(err, crypt.ErrShared) {
		t.Errorf("with the identity of another recipient: %v", err)
	}

	// The list of recipients is in clear: one that was altered does not make the group's identity open what is for others.
	id, wrap = sealed(testkeys.Carol())
	wrap.To = []string{group.Recipient().Fingerprint()}
	if _, err := opener(nil, testkeys.Alice()).Unwrap(id, wrap); !errors.Is(err, crypt.ErrAge) {
		t.Errorf("an altered list: %v", err)
	}
}

// meanwhile is an identity that opens nothing; while it is tried, something else happens.
type meanwhile func()

func (m meanwhile) Unwrap([]*age.Stanza) ([]byte, error) {
	m()
	return nil, age.ErrIncorrectIdentity
}

// TestShareLoadedMeanwhile: a sealed file opens with the identity that another caller loads while one's own are tried on the file.
func TestShareLoadedMeanwhile(t *testing.T) {
	group := testkeys.PostQuantum("ops")
	k := crypt.GenerateDataKey()
	wrap := mustSession(t, group).Wrap(k)
	var o *crypt.Opener
	var once sync.Once
	own := crypt.NewIdentity(crypt.Native, meanwhile(func() {
		once.Do(func() {
			if _, err := o.Unwrap(k.ID(), wrap); err != nil {
				t.Error(err)
			}
		})
	}), nil)
	o = crypt.NewOpener(own)
	o.Share(group.Recipient(), func() (*crypt.Identity, error) { return group, nil })
	armored, err := crypt.SealFile(&crypt.File{Use: crypt.UseEnv, Content: []byte("a=b\n")}, []*crypt.Recipient{group.Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.OpenFile(armored); err != nil {
		t.Error(err)
	}
}
