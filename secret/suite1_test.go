package secret_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
)

// Suite 1 a second time, written from docs/format.md and not from package crypt, of which it uses no function that computes. It
// makes what no honest writer makes, and what crypt writes has to open here and the other way round.

const domain = "ageseal.dev/suite-1"

const payloadMagic = domain + " session key\n"

var b64 = base64.StdEncoding.EncodeToString

func unb64(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic("test data: " + err.Error())
	}
	return string(b)
}

func b32(s string) string {
	return strings.ToLower(strings.TrimRight(base32.StdEncoding.EncodeToString([]byte(s)), "="))
}

// lp is LP(x1…xn).
func lp(parts ...string) string {
	number := func(n int) string { return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) }
	out := number(len(parts))
	for _, p := range parts {
		out += number(len(p)) + p
	}
	return out
}

// opt is OPT(x); "" is absent.
func opt(x string) string {
	if x == "" {
		return "\x00"
	}
	return "\x01" + x
}

// hkdf is HKDF-SHA-256 (RFC 5869, sections 2.2 and 2.3).
func hkdf(ikm, salt, info string, n int) string {
	mac := func(key, text string) string {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(text))
		return string(h.Sum(nil))
	}
	if salt == "" {
		salt = strings.Repeat("\x00", sha256.Size)
	}
	prk, out, t := mac(salt, ikm), "", ""
	for i := byte(1); len(out) < n; i++ {
		t = mac(prk, t+info+string([]byte{i}))
		out += t
	}
	return out[:n]
}

func aeadSeal(key, text string) string {
	a, err := chacha20poly1305.New([]byte(key))
	if err != nil {
		panic(err)
	}
	return string(a.Seal(nil, make([]byte, 12), []byte(text), nil))
}

func aeadOpen(key, sealed string) (string, bool) {
	a, err := chacha20poly1305.New([]byte(key))
	if err != nil {
		panic(err)
	}
	out, err := a.Open(nil, make([]byte, 12), []byte(sealed), nil)
	return string(out), err == nil
}

// bucket is Padmé with a floor of 64.
func bucket(n int) int {
	if n <= 64 {
		return 64
	}
	e := 0
	for 2<<e <= n {
		e++
	}
	s := 1
	for 1<<s <= e {
		s++
	}
	step := max(64, 1<<(e-s))
	for n%step != 0 {
		n++
	}
	return n
}

func pad(v string) string {
	v += "\x80"
	return v + strings.Repeat("\x00", bucket(len(v))-len(v))
}

func fingerprintOf(recipient string) string {
	h := sha256.Sum256([]byte(domain + " recipient\n" + recipient))
	return b32(string(h[:10]))
}

// dataKey is one data key with the id that it is called by, which need not be its own.
type dataKey struct{ dk, id string }

func dataKeyOf(dk string) dataKey { return dataKey{dk, b32(hkdf(dk, "", domain+" data key id", 20))} }

// box seals a padded text. The salt is made of everything, so that equal calls give equal boxes: right for frozen vectors only.
func (k dataKey) box(namespace, name, key, padded string) string {
	h := sha256.Sum256([]byte(lp("salt of a test vector", k.dk, k.id, namespace, name, key, padded)))
	salt := string(h[:16])
	return b64([]byte(salt + aeadSeal(k.valueKey(salt, namespace, name, key), padded)))
}

func (k dataKey) valueKey(salt, namespace, name, key string) string {
	return hkdf(k.dk, salt, lp(domain+" value", k.id, opt(namespace), opt(name), key), 32)
}

// open is the value of a box, or false.
func (k dataKey) open(namespace, name, key, box string) (string, bool) {
	raw := unb64(box)
	if len(raw) < 16 {
		return "", false
	}
	p, ok := aeadOpen(k.valueKey(raw[:16], namespace, name, key), raw[16:])
	if !ok {
		return "", false
	}
	v := strings.TrimRight(p, "\x00")
	if !strings.HasSuffix(v, "\x80") || pad(v[:len(v)-1]) != p {
		return "", false
	}
	return v[:len(v)-1], true
}

// session is one session key, to whom it is said to be given, and the age file that says so.
type session struct {
	sk  string
	to  []string
	age string
}

func (s *session) dk(k dataKey) string { return s.dkOf(k.id, k.dk) }

func (s *session) dkOf(id, dk string) string {
	return b64([]byte(aeadSeal(hkdf(s.sk, "", lp(domain+" wrap", id), 32), dk)))
}

// named is 32 bytes that are the same in every run.
func named(label string) string {
	h := sha256.Sum256([]byte("ageseal published test vectors: " + label))
	return string(h[:])
}

// sessionFor makes a session for people of testkeys.
func sessionFor(label string, names ...string) *session {
	s := &session{sk: named(label)}
	for _, n := range names {
		s.to = append(s.to, fingerprint(n))
	}
	slices.Sort(s.to)
	return s.sealed(payloadMagic+s.sk+lp(s.to...), ageRecipients(names...)...)
}

// sealed gives the session another content and other readers than it says.
func (s *session) sealed(payload string, to ...age.Recipient) *session {
	s.age = b64([]byte(ageFile(payload, to...)))
	return s
}

func ageFile(payload string, to ...age.Recipient) string {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	if err == nil {
		_, err = w.Write([]byte(payload))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return out.String()
}

// person finds an identity of testkeys by name.
func person(name string) *crypt.Identity {
	switch name {
	case "alice", "bob", "carol":
		return testkeys.PostQuantum(name)
	case "dave", "erin":
		return testkeys.Classic(name)
	}
	panic("nobody is called " + name)
}

func people(names ...string) []*crypt.Identity {
	var ids []*crypt.Identity
	for _, n := range names {
		ids = append(ids, person(n))
	}
	return ids
}

func fingerprint(name string) string { return fingerprintOf(person(name).Recipient().String()) }

func ageRecipients(names ...string) []age.Recipient {
	var rs []age.Recipient
	for _, n := range names {
		parsed, err := age.ParseRecipients(strings.NewReader(person(n).Recipient().String()))
		if err != nil {
			panic(err)
		}
		rs = append(rs, parsed...)
	}
	return rs
}

// referenceOpen opens what a document says with the second implementation; false for any fault.
func referenceOpen(s *manifest.EncryptedSecret, ids ...*crypt.Identity) (map[string]string, bool) {
	var keys []age.Identity
	for _, id := range ids {
		parsed, err := age.ParseIdentities(strings.NewReader(id.SecretText()))
		if err != nil {
			panic(err)
		}
		keys = append(keys, parsed...)
	}
	values := map[string]string{}
	for key, b := range s.Spec.Data {
		w, ok := s.Spec.Wraps[b.By]
		if !ok {
			return nil, false
		}
		r, err := age.Decrypt(strings.NewReader(unb64(w.Age)), keys...)
		if err != nil {
			return nil, false
		}
		var payload bytes.Buffer
		if _, err := payload.ReadFrom(r); err != nil {
			return nil, false
		}
		rest, ok := strings.CutPrefix(payload.String(), payloadMagic)
		if !ok || len(rest) < 32 || rest[32:] != lp(w.To...) {
			return nil, false
		}
		dk, ok := aeadOpen(hkdf(rest[:32], "", lp(domain+" wrap", b.By), 32), unb64(w.DK))
		if !ok || len(dk) != 32 || dataKeyOf(dk).id != b.By {
			return nil, false
		}
		if values[key], ok = dataKeyOf(dk).open(s.Spec.Binding.Namespace, s.Spec.Binding.Name, key, b.Box); !ok {
			return nil, false
		}
	}
	return values, true
}

func TestTwoImplementationsAgree(t *testing.T) {
	values := map[string]string{"empty": "", "short": canary}
	for _, n := range []int{62, 63, 64, 65, 127, 128, 1023, 1024, 4095, 4096, 5000, 70_000} {
		values["of-"+strconv.Itoa(n)] = strings.Repeat("v", n)
	}
	for _, ids := range [][]*crypt.Identity{people("alice", "bob"), people("dave")} {
		s := doc(t, seal(t, native("prod", "db", values), ids...))
		got, ok := referenceOpen(s, ids[0])
		if !ok || len(got) != len(values) {
			t.Fatalf("the second implementation opens %d values, %v", len(got), ok)
		}
		for k, v := range values {
			if got[k] != v {
				t.Errorf("key %s: %d bytes, want %d", k, len(got[k]), len(v))
			}
		}
		var to []string
		for _, id := range ids {
			to = append(to, fingerprintOf(id.Recipient().String()))
		}
		slices.Sort(to)
		if !slices.Equal(wrapOf(s).To, to) {
			t.Errorf("fingerprints %v, want %v", wrapOf(s).To, to)
		}
	}
}
