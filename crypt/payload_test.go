package crypt

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
)

// An evil writer has every public key and none of our scruples.

func testIdentity(t testing.TB, postQuantum bool) *Identity {
	t.Helper()
	id, err := GenerateIdentity(postQuantum)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// encryptTo makes the text of an age blob with any content and any recipients.
func encryptTo(t testing.TB, payload []byte, to ...age.Recipient) string {
	t.Helper()
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(payload); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

// stanza is a recipient that writes whatever it is told to.
type stanza []*age.Stanza

func (s stanza) Wrap([]byte) ([]*age.Stanza, error) { return s, nil }

// unlabelled takes from age the label by which it refuses a mix.
type unlabelled struct{ age.Recipient }

func (u unlabelled) Wrap(fileKey []byte) ([]*age.Stanza, error) { return u.Recipient.Wrap(fileKey) }

// labelled pretends to be post-quantum.
type labelled struct{ age.Recipient }

func (l labelled) WrapWithLabels(fileKey []byte) ([]*age.Stanza, []string, error) {
	s, err := l.Recipient.Wrap(fileKey)
	return s, []string{"postquantum"}, err
}

func payloadOf(magic string, key []byte, to []string) []byte {
	return appendList(slices.Concat([]byte(magic), key), to)
}

func TestPayloads(t *testing.T) {
	id := testIdentity(t, false)
	to := []string{id.Recipient().Fingerprint()}
	key := bytes.Repeat([]byte{7}, keySize)
	good := payloadOf(payloadMagic, key, to)
	k := GenerateDataKey()
	s := &Session{key: hide((*[keySize]byte)(key)), to: to}
	long := make([]string, MaxRecipients+1)
	for i := range long {
		long[i] = strings.Repeat("a", fingerprintLen)
	}
	tests := []struct {
		name    string
		payload []byte
		want    error
	}{
		{"right", good, nil},
		{"empty", nil, ErrPayloadMagic},
		{"magic only", []byte(payloadMagic), ErrPayloadMagic},
		{"magic of a sealed file", payloadOf(domain+" file\n", key, to), ErrPayloadMagic},
		{"magic of suite 2", payloadOf("ageseal.dev/suite-2 session key\n", key, to), ErrPayloadMagic},
		{"magic in upper case", payloadOf(strings.ToUpper(payloadMagic), key, to), ErrPayloadMagic},
		{"magic with CRLF", payloadOf(domain+" session key\r\n", key, to), ErrPayloadMagic},
		{"no magic", payloadOf("", key, to), ErrPayloadMagic},
		{"space in front", append([]byte(" "), good...), ErrPayloadMagic},
		{"31 bytes", payloadOf(payloadMagic, key[1:], to), ErrPayloadMagic},
		{"33 bytes", payloadOf(payloadMagic, append([]byte{7}, key...), to), ErrPayloadMagic},
		{"no list", payloadOf(payloadMagic, key, nil)[:len(payloadMagic)+keySize], ErrPayloadMagic},
		{"empty list", payloadOf(payloadMagic, key, nil), ErrToMismatch},
		{"a byte more", append(slices.Clone(good), 0), ErrPayloadMagic},
		{"a byte less", good[:len(good)-1], ErrPayloadMagic},
		{"129 in the list", payloadOf(payloadMagic, key, long), ErrPayloadMagic},
		{"list of something else", payloadOf(payloadMagic, key, []string{"not-base-32-at-a"}), ErrPayloadMagic},
		{"shorter fingerprint", payloadOf(payloadMagic, key, []string{to[0][1:]}), ErrPayloadMagic},
		{"for somebody else", payloadOf(payloadMagic, key, []string{"aaaaaaaaaaaaaaaa"}), ErrToMismatch},
		{"two in the list", payloadOf(payloadMagic, key, []string{"aaaaaaaaaaaaaaaa", to[0]}), ErrToMismatch},
		{"to the limit", append([]byte(canaryMagic), make([]byte, maxPayload-len(canaryMagic))...), ErrPayloadMagic},
		{"over the limit", append([]byte(canaryMagic), make([]byte, maxPayload-len(canaryMagic)+1)...), ErrLimit},
		{"far over the limit", make([]byte, 4*maxPayload), ErrLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := s.Wrap(k)
			w.Age = encryptTo(t, tt.payload, id.recipient.age())
			_, err := NewOpener(id).Unwrap(k.ID(), w)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), canaryMagic) {
				t.Error("the error quotes the payload")
			}
		})
	}
}

const canaryMagic = "hunter2-canary"

func TestAListThatIsNoSetIsRefusedEvenWhenItIsAuthentic(t *testing.T) {
	id := testIdentity(t, false)
	fp := id.Recipient().Fingerprint()
	key := bytes.Repeat([]byte{7}, keySize)
	k := GenerateDataKey()
	for name, to := range map[string][]string{
		"duplicate": {fp, fp},
		"unsorted":  {"zzzzzzzzzzzzzzzz", fp},
		"empty":     {},
	} {
		t.Run(name, func(t *testing.T) {
			w := (&Session{key: hide((*[keySize]byte)(key)), to: to}).Wrap(k)
			w.Age = encryptTo(t, payloadOf(payloadMagic, key, to), id.recipient.age())
			if _, err := NewOpener(id).Unwrap(k.ID(), w); !errors.Is(err, ErrToMismatch) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestStanzas(t *testing.T) {
	classic, hybrid := testIdentity(t, false), testIdentity(t, true)
	c, h := classic.recipient.age(), hybrid.recipient.age()
	passphrase, err := age.NewScryptRecipient("hunter2")
	if err != nil {
		t.Fatal(err)
	}
	passphrase.SetWorkFactor(1)
	grease := stanza{{Type: "x7-grease", Args: []string{"a", "b"}, Body: []byte("whatever")}, {Type: "joint-oil", Body: nil}}
	fakeScrypt := stanza{{Type: "scrypt", Args: []string{"AAAAAAAAAAAAAAAAAAAAAA", "30"}, Body: make([]byte, 32)}}
	ssh := stanza{{Type: "ssh-ed25519", Args: []string{"AAAAAA", "AAAA"}, Body: make([]byte, 32)}}
	tests := []struct {
		name string
		to   []age.Recipient
		id   *Identity
		want error
	}{
		{"grease first", []age.Recipient{grease, c}, classic, nil},
		{"grease last", []age.Recipient{c, grease, grease}, classic, nil},
		{"grease beside hybrid", []age.Recipient{unlabelled{h}, grease}, hybrid, nil},
		{"grease only", []age.Recipient{grease}, classic, ErrAge},
		{"passphrase", []age.Recipient{passphrase}, classic, ErrAge},
		{"passphrase of great cost beside us", []age.Recipient{fakeScrypt, c}, classic, ErrAge},
		{"post-quantum and classic", []age.Recipient{h, labelled{c}}, hybrid, ErrAge},
		{"classic and post-quantum", []age.Recipient{c, unlabelled{h}}, classic, ErrAge},
		{"post-quantum and ssh", []age.Recipient{unlabelled{h}, ssh}, hybrid, ErrAge},
		{"classic and ssh", []age.Recipient{c, ssh}, classic, nil},
		{"malformed X25519", []age.Recipient{stanza{{Type: "X25519", Body: make([]byte, 32)}}, c}, classic, ErrAge},
		{"128", manyOf(c, MaxRecipients), classic, nil},
		{"129", manyOf(c, MaxRecipients+1), classic, ErrLimit},
		{"1,025", append(manyOf(c, 1), slices.Repeat([]age.Recipient{grease}, 512)...), classic, ErrAge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key := bytes.Repeat([]byte{7}, keySize)
			s := &Session{key: hide((*[keySize]byte)(key)), to: []string{tt.id.Recipient().Fingerprint()}}
			k := GenerateDataKey()
			w := s.Wrap(k)
			w.Age = encryptTo(t, payloadOf(payloadMagic, key, s.to), tt.to...)
			got, err := NewOpener(tt.id).Unwrap(k.ID(), w)
			if !errors.Is(err, tt.want) || (err == nil) != (got != nil) {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestAWrongDataKeyUnderARightID(t *testing.T) {
	id := testIdentity(t, false)
	s, err := NewSession([]*Recipient{id.Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	promised, given := GenerateDataKey(), GenerateDataKey()
	lie := &DataKey{key: given.key, id: promised.id}
	if _, err := NewOpener(id).Unwrap(promised.id, s.Wrap(lie)); !errors.Is(err, ErrKeyID) {
		t.Errorf("got %v", err)
	}
}

func TestDataKeysOfOtherLengths(t *testing.T) {
	id := testIdentity(t, false)
	s, err := NewSession([]*Recipient{id.Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	k := GenerateDataKey()
	for _, n := range []int{0, 16, 31, 33, 48, 64, 1000} {
		w := s.Wrap(k)
		sealed := newAEAD(wrapKey(s.key(), k.id)).Seal(nil, zeroNonce[:], make([]byte, n), nil)
		w.DK = base64.StdEncoding.EncodeToString(sealed)
		if _, err := NewOpener(id).Unwrap(k.id, w); !errors.Is(err, ErrDataKey) {
			t.Errorf("%d bytes: got %v", n, err)
		}
	}
}
