package crypt_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
)

func TestRecipientsRoundTrip(t *testing.T) {
	for _, id := range []*crypt.Identity{testkeys.Alice(), testkeys.Dave()} {
		want := id.Recipient()
		got, err := crypt.ParseRecipient(want.String())
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() || got.Fingerprint() != want.Fingerprint() || got.PostQuantum() != want.PostQuantum() {
			t.Errorf("%v came back as %v", want, got)
		}
		again, err := crypt.ParseIdentity(id.SecretText())
		if err != nil || again.Recipient().String() != want.String() {
			t.Errorf("%v came back as %v, %v", id, again, err)
		}
	}
	for _, postQuantum := range []bool{true, false} {
		a, err := crypt.GenerateIdentity(postQuantum)
		if err != nil {
			t.Fatal(err)
		}
		b, err := crypt.GenerateIdentity(postQuantum)
		if err != nil {
			t.Fatal(err)
		}
		if a.SecretText() == b.SecretText() || a.Recipient().PostQuantum() != postQuantum {
			t.Errorf("generated %v and %v", a, b)
		}
	}
}

func TestParseRecipientRefuses(t *testing.T) {
	alice, dave := testkeys.Alice(), testkeys.Dave()
	pq, classic := alice.Recipient().String(), dave.Recipient().String()
	tests := []struct {
		name, text string
		want       error // nil: any
	}{
		{"identity", testkeys.DaveText(), crypt.ErrIsIdentity},
		{"post-quantum identity", testkeys.AliceText(), crypt.ErrIsIdentity},
		{"identity in lower case", strings.ToLower(testkeys.DaveText()), crypt.ErrIsIdentity},
		{"identity cut short", testkeys.DaveText()[:30], crypt.ErrIsIdentity},
		{"plugin identity", "AGE-PLUGIN-YUBIKEY-1QQQQ", crypt.ErrIsIdentity},
		{"ssh private key", "-----BEGIN OPENSSH PRIVATE KEY-----", crypt.ErrIsIdentity},
		{"ssh-ed25519 cut short", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2d5dlkPqOdI alice", nil},
		{"ssh-rsa cut short", "ssh-rsa AAAAB3Nz", nil},
		{"ssh-rsa of 1024 bits", rsaLine(t, 1024), nil},
		{"ssh of another type", strings.Replace(ed25519Line, "ssh-ed25519", "ssh-rsa", 1), nil},
		{"ssh with options", `no-pty ` + ed25519Line, nil},
		{"ssh, two lines", ed25519Line + "\n" + ed25519Line, nil},
		{"ssh, a line end", ed25519Line + "\r\n", nil},
		{"ssh of low order", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", nil},
		{"ecdsa", "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY=", crypt.ErrUnsupported},
		{"security key", "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t", crypt.ErrUnsupported},
		{"ssh certificate", "ssh-ed25519-cert-v01@openssh.com AAAA", crypt.ErrUnsupported},
		{"plugin cut short", pluginLine[:len(pluginLine)-1], nil},
		{"plugin in upper case", strings.ToUpper(pluginLine), nil},
		{"plugin with a path", "age1../x1" + pluginLine[len("age1yubikey1"):], nil},
		{"tag cut short", tagLine[:len(tagLine)-1], nil},
		{"empty", "", nil},
		{"spaces around", " " + classic + " ", nil},
		{"line end", classic + "\n", nil},
		{"cut short", classic[:len(classic)-1], nil},
		{"a character more", classic + "q", nil},
		{"one changed", classic[:20] + string(classic[20]^1) + classic[21:], nil},
		{"upper case", strings.ToUpper(classic), nil},
		{"mixed case", "age1" + strings.ToUpper(classic[4:]), nil},
		{"post-quantum cut short", pq[:100], nil},
		{"post-quantum line end", pq + "\r", nil},
		{"classic data as post-quantum", "age1pq1" + classic[4:], nil},
		{"two", classic + " " + classic, nil},
		{"a name", "alice", nil},
		{"a password", canary, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := crypt.ParseRecipient(tt.text)
			if err == nil || r != nil {
				t.Fatalf("got %v, %v", r, err)
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			for i := 0; i+12 <= len(tt.text); i++ {
				if strings.Contains(err.Error(), tt.text[i:i+12]) {
					t.Fatalf("the error quotes %q", tt.text[i:i+12])
				}
			}
		})
	}
}

const (
	ed25519Line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGwvvBUDKsHXyRzE9kbVGPbYQhwqVFCxTSI6QQx3m0Ct"
	pluginLine  = "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t"
	tagLine     = "age1tag1qwe0kafsjrar4txm6heqnhpfuggzr0gvznz7fvygxrlq90u5mq2pysxtw6h"
)

// rsaLine is a line of a .pub file with a new key.
func rsaLine(t *testing.T, bits int) string {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
}

// What documents carry for a recipient must be the same however its owner writes the line.
func TestRecipientsOfOtherKinds(t *testing.T) {
	rsa := rsaLine(t, 2048)
	for _, tt := range []struct{ line, text, kind, plugin string }{
		{ed25519Line, ed25519Line, "ssh-ed25519", ""},
		{ed25519Line + " alice@example.com, on her laptop", ed25519Line, "ssh-ed25519", ""},
		{strings.Replace(ed25519Line, " ", "   ", 1), ed25519Line, "ssh-ed25519", ""},
		{rsa + " bob", rsa, "ssh-rsa", ""},
		{pluginLine, pluginLine, "plugin yubikey", "yubikey"},
		{tagLine, tagLine, "tag", ""},
	} {
		r, err := crypt.ParseRecipient(tt.line)
		if err != nil {
			t.Errorf("%.20s: %v", tt.line, err)
			continue
		}
		if r.String() != tt.text || r.Kind() != tt.kind || r.Plugin() != tt.plugin || r.PostQuantum() {
			t.Errorf("%.20s: got %s, %s, %q, %v", tt.line, r, r.Kind(), r.Plugin(), r.PostQuantum())
		}
		sum := sha256.Sum256([]byte("ageseal.dev/suite-1 recipient\n" + tt.text))
		want := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10]))
		if r.Fingerprint() != want {
			t.Errorf("%.20s: fingerprint %s, want %s", tt.line, r.Fingerprint(), want)
		}
		shown := tt.text
		if key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(tt.line)); err == nil {
			shown = key.Type() + " " + ssh.FingerprintSHA256(key)
		}
		if r.Display() != shown {
			t.Errorf("%.20s: shown as %s, want %s", tt.line, r.Display(), shown)
		}
		_, err = crypt.NewSession([]*crypt.Recipient{r})
		if (err != nil) != (tt.plugin != "") {
			t.Errorf("%.20s: encrypting to it: %v", tt.line, err)
		}
		var mixed *crypt.MixedError
		_, err = crypt.NewSession([]*crypt.Recipient{testkeys.Alice().Recipient(), r})
		if !errors.As(err, &mixed) || !strings.Contains(err.Error(), tt.kind) || !strings.Contains(err.Error(), r.Display()) {
			t.Errorf("%.20s beside a post-quantum one: %v", tt.line, err)
		}
	}
}

func TestParseIdentityRefuses(t *testing.T) {
	pq, classic := testkeys.AliceText(), testkeys.DaveText()
	tests := []struct {
		name, text string
		want       error // nil: any
	}{
		{"recipient", testkeys.Dave().Recipient().String(), crypt.ErrIsRecipient},
		{"post-quantum recipient", testkeys.Alice().Recipient().String(), crypt.ErrIsRecipient},
		{"ssh recipient", "ssh-rsa AAAAB3Nz alice", crypt.ErrIsRecipient},
		{"plugin", "AGE-PLUGIN-YUBIKEY-1QQQQQQQQQQQQ", crypt.ErrUnsupported},
		{"ssh", "-----BEGIN OPENSSH PRIVATE KEY-----", crypt.ErrUnsupported},
		{"encrypted", "-----BEGIN AGE ENCRYPTED FILE-----", crypt.ErrUnsupported},
		{"empty", "", nil},
		{"cut short", classic[:len(classic)-1], nil},
		{"post-quantum cut short", pq[:len(pq)-1], nil},
		{"lower case", strings.ToLower(classic), nil},
		{"line end", classic + "\n", nil},
		{"spaces", " " + classic, nil},
		{"one as the other kind", strings.Replace(pq, "PQ-", "", 1), nil},
		{"the other as one kind", strings.Replace(classic, "KEY-1", "KEY-PQ-1", 1), nil},
		{"two", classic + classic, nil},
		{"a password", canary, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, err := crypt.ParseIdentity(tt.text)
			if err == nil || id != nil {
				t.Fatalf("got %v, %v", id, err)
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			text := strings.TrimSpace(tt.text)
			for i := 0; i+8 <= len(text); i++ {
				piece := text[i : i+8]
				if strings.Contains(err.Error(), piece) && !strings.Contains("AGE-SECRET-KEY-PQ-1 AGE-SECRET-KEY-1", piece) {
					t.Fatal("the error quotes the key")
				}
			}
		})
	}
}

// TestPrintingShowsNoKey tries every way of printing that a careless line may use.
func TestPrintingShowsNoKey(t *testing.T) {
	for name, id := range map[string]*crypt.Identity{"hybrid": testkeys.Alice(), "classic": testkeys.Dave()} {
		t.Run(name, func(t *testing.T) { testPrinting(t, id) })
	}
}

func testPrinting(t *testing.T, id *crypt.Identity) {
	k := crypt.GenerateDataKey()
	s := mustSession(t, id)
	secret := strings.ToLower(id.SecretText()[len("AGE-SECRET-KEY-PQ-1"):][:12])
	type holder struct {
		Identity  *crypt.Identity
		identity  *crypt.Identity
		byValue   crypt.Identity
		key       *crypt.DataKey
		keyValue  crypt.DataKey
		session   *crypt.Session
		sessValue crypt.Session
		any       any
	}
	held := holder{id, id, *id, k, *k, s, *s, *id}
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("x", "id", id, "value", *id, "held", held, "key", k, "session", s)
	encoded, err := json.Marshal([]any{id, held, k, s})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{log.String(), string(encoded), fmt.Sprint(id, *id, held, k, s), fmt.Sprintln(id)}
	for _, verb := range "vTstqxXdpbcoUeEfFgGw" {
		for _, flags := range []string{"%", "%+", "%#", "%-"} {
			for _, v := range []any{id, *id, &id, held, &held, []*crypt.Identity{id}, map[string]crypt.Identity{"k": *id}, k, *k, s, *s} {
				texts = append(texts, fmt.Sprintf(flags+string(verb), v))
			}
		}
	}
	bytes := regexp.MustCompile(`(?i)(\b(0x)?[0-9a-f]{1,3},? ){8}`)
	if !bytes.MatchString(fmt.Sprint(make([]byte, 32))) || !bytes.MatchString(fmt.Sprintf("%#v", make([]byte, 32))) {
		t.Fatal("the expression does not match printed bytes")
	}
	for _, text := range texts {
		if strings.Contains(strings.ToLower(text), secret) || strings.Contains(text, "AGE-SECRET") || bytes.MatchString(text) {
			t.Fatalf("printed a key: %.200s", bytes.FindString(text))
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for what, v := range map[string]any{"identity of " + id.Recipient().String(): id, "data key " + k.ID(): k} {
			if got := fmt.Sprintf(verb, v); got != what {
				t.Errorf("%s: got %q, want %q", verb, got, what)
			}
		}
	}
	if got := fmt.Sprint(crypt.Identity{}, (*crypt.Identity)(nil)); got != "identity <nil>" {
		t.Errorf("without a key: %q", got)
	}
}

func TestNewSessionSortsAndRefuses(t *testing.T) {
	alice, bob, carol := testkeys.Alice().Recipient(), testkeys.Bob().Recipient(), testkeys.Carol().Recipient()
	dave, erin := testkeys.Dave().Recipient(), testkeys.Erin().Recipient()

	in := []*crypt.Recipient{carol, alice, bob, alice, testkeys.Carol().Recipient()}
	before := slices.Clone(in)
	s, err := crypt.NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{alice.Fingerprint(), bob.Fingerprint(), carol.Fingerprint()}
	slices.Sort(want)
	if diff := cmp.Diff(want, s.To()); diff != "" {
		t.Errorf("to (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, crypt.Fingerprints(in)); diff != "" {
		t.Errorf("Fingerprints (-want +got):\n%s", diff)
	}
	if !slices.Equal(in, before) {
		t.Error("the caller's slice was changed")
	}
	s.To()[0] = "changed"
	if s.Wrap(crypt.GenerateDataKey()).To[0] != want[0] {
		t.Error("a caller changed the session")
	}

	if _, err := crypt.NewSession(nil); !errors.Is(err, crypt.ErrNoRecipients) {
		t.Errorf("none: got %v", err)
	}
	for _, set := range [][]*crypt.Recipient{{alice, dave}, {dave, alice}, {erin, dave, bob}} {
		_, err := crypt.NewSession(set)
		mixed, ok := errors.AsType[*crypt.MixedError](err)
		if !ok || mixed.Classic.PostQuantum() || !strings.Contains(err.Error(), mixed.Classic.String()) {
			t.Errorf("mixed: got %v", err)
		}
	}
	many := make([]*crypt.Recipient, crypt.MaxRecipients+1)
	for i := range many {
		many[i] = testkeys.Classic(fmt.Sprint(i)).Recipient()
	}
	if _, err := crypt.NewSession(many); !errors.Is(err, crypt.ErrLimit) {
		t.Errorf("129: got %v", err)
	}
	if _, err := crypt.NewSession(append(many[1:], many[1])); err != nil {
		t.Errorf("128 and a duplicate: got %v", err)
	}
}

func TestTheLargestWrapIsWithinTheLimit(t *testing.T) {
	rs := make([]*crypt.Recipient, crypt.MaxRecipients)
	for i := range rs {
		rs[i] = testkeys.PostQuantum(fmt.Sprint(i)).Recipient()
	}
	s, err := crypt.NewSession(rs)
	if err != nil {
		t.Fatal(err)
	}
	k := crypt.GenerateDataKey()
	w := s.Wrap(k)
	if len(w.Age) > crypt.MaxAge {
		t.Errorf("%d characters", len(w.Age))
	}
	mustUnwrap(t, crypt.NewOpener(testkeys.PostQuantum("127")), k.ID(), w)
}

// A recipient of low order makes a shared secret that everyone knows: age refuses, and we say which one.
func TestUnusableRecipient(t *testing.T) {
	const zero = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z"
	r, err := crypt.ParseRecipient(zero)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := crypt.NewSession([]*crypt.Recipient{r}); err == nil || !strings.Contains(err.Error(), zero) {
		t.Errorf("got %v", err)
	}
}
