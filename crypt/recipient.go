package crypt

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/plugin"
	"filippo.io/age/tag"
	"golang.org/x/crypto/ssh"
)

// Recipient is a parsed public key.
type Recipient struct {
	age         hidden[age.Recipient] // public, but not worth printing
	text        string
	fingerprint string
	kind        string
	plugin      string // that encrypts to it, "" for none
}

// What Recipient.Kind says of age's own recipients and of ssh keys. For other plugins it is "plugin NAME".
const (
	kindHybrid    = "post-quantum"
	kindHybridTag = "post-quantum tag" // of a hardware key, which a plugin opens with
	kindTag       = "tag"
	kindX25519    = "X25519"
	kindEd25519   = "ssh-ed25519"
	kindRSA       = "ssh-rsa"
)

// ParseRecipient reads a recipient: age's hybrid post-quantum ("age1pq1…") and X25519 ("age1…") ones, those of hardware keys
// ("age1tag1…", "age1tagpq1…") and of plugins ("age1name1…"), and "ssh-ed25519 …" and "ssh-rsa …" as in a .pub file, whose comment is
// dropped. Anything else around it, spaces included, is an error. A private key is ErrIsIdentity; another type of ssh key is
// ErrUnsupported. The error never quotes s, which may be a secret pasted into a wrong place.
//
// To a plugin's recipient nothing can be encrypted before Through gave it the plugin.
func ParseRecipient(s string) (*Recipient, error) {
	switch {
	case looksPrivate(s):
		return nil, ErrIsIdentity
	case strings.HasPrefix(s, "ssh-"), strings.HasPrefix(s, "ecdsa-"), strings.HasPrefix(s, "sk-"):
		return parseSSHRecipient(s)
	case strings.HasPrefix(s, "age1pq1"):
		r, err := age.ParseHybridRecipient(s)
		if err != nil {
			return nil, errors.New("malformed post-quantum recipient: copy the whole age1pq1… line again")
		}
		return newRecipient(r, r.String(), kindHybrid), nil
	case strings.HasPrefix(s, "age1tag1"), strings.HasPrefix(s, "age1tagpq1"):
		r, err := tag.ParseRecipient(s)
		if err != nil {
			return nil, errors.New("malformed recipient of a hardware key: copy the whole age1tag… line again")
		}
		if r.Hybrid() {
			return newRecipient(r, r.String(), kindHybridTag), nil
		}
		return newRecipient(r, r.String(), kindTag), nil
	case strings.HasPrefix(s, "age1") && strings.Contains(s[len("age1"):], "1"):
		name, data, err := plugin.ParseRecipient(s)
		if err != nil {
			return nil, errors.New("malformed recipient of a plugin: copy the whole age1… line again")
		}
		r := newRecipient(missingPlugin{}, plugin.EncodeRecipient(name, data), "plugin "+name)
		r.plugin = name
		return r, nil
	case strings.HasPrefix(s, "age1"):
		r, err := age.ParseX25519Recipient(s)
		if err != nil {
			return nil, errors.New("malformed recipient: copy the whole age1… line again")
		}
		return newRecipient(r, r.String(), kindX25519), nil
	}
	return nil, errors.New("malformed recipient: expected age1pq1…, age1… or ssh-…")
}

func newRecipient(r age.Recipient, text, kind string) *Recipient {
	h := sha256.Sum256([]byte(domain + " recipient\n" + text))
	return &Recipient{age: hide(r), text: text, fingerprint: b32.EncodeToString(h[:fingerprintLen*5/8]), kind: kind}
}

// longestRSA bounds the work that a key in a policy can make, in bits; OpenSSH makes no longer ones.
const longestRSA = 16384

// parseSSHRecipient reads a line of a .pub file. Its text is type and key, without comment.
func parseSSHRecipient(s string) (*Recipient, error) {
	kind, _, _ := strings.Cut(s, " ")
	if kind != kindEd25519 && kind != kindRSA {
		return nil, fmt.Errorf("ssh keys of this type are %w: age takes ssh-ed25519 and ssh-rsa", ErrUnsupported)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(s))
	if err != nil || key.Type() != kind || strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("malformed ssh recipient: copy the whole line of the .pub file again")
	}
	var r age.Recipient
	if kind == kindEd25519 {
		r, err = agessh.NewEd25519Recipient(key)
	} else {
		public, ok := key.(ssh.CryptoPublicKey).CryptoPublicKey().(*rsa.PublicKey)
		if r, err = agessh.NewRSARecipient(key); err == nil && (!ok || public.N.BitLen() > longestRSA) { // not reached: ssh refuses those, too, from x/crypto v0.56.0 on
			err = ErrLimit
		}
	}
	if err != nil {
		return nil, errors.New("an ssh key that is not used: it is too short, too long or weak")
	}
	return newRecipient(r, strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(key)), "\n"), kind), nil
}

// missingPlugin stands for a plugin that nobody allowed.
type missingPlugin struct{}

func (missingPlugin) Wrap([]byte) ([]*age.Stanza, error) { return nil, ErrUnavailable }

// Plugin is the name of the plugin that encrypts to r, "" if none is needed.
func (r *Recipient) Plugin() string { return r.plugin }

// Through returns r as one that a plugin encrypts to. What the plugin's errors say is shown to people.
func (r *Recipient) Through(plugin age.Recipient) *Recipient {
	through := *r
	through.age = hide(plugin)
	return &through
}

// String is the canonical text: parsed and encoded again, lower-case bech32; of an ssh key type and base64.
func (r *Recipient) String() string { return r.text }

// Kind says in a word or two what kind of key it is.
func (r *Recipient) Kind() string { return r.kind }

// longestDisplay is how many characters people compare at most.
const longestDisplay = 120

// Display is what a person compares: a recipient itself, of an ssh key what "ssh-keygen -l" prints, and of another one that is long, as
// post-quantum ones are, a hash. Its first characters would not do: they can be chosen.
func (r *Recipient) Display() string {
	if kind, key, ok := strings.Cut(r.text, " "); ok {
		blob, _ := base64.StdEncoding.DecodeString(key) // written by ssh.MarshalAuthorizedKey
		return kind + " " + hashText(blob)
	}
	if len(r.text) <= longestDisplay {
		return r.text
	}
	return r.text[:strings.LastIndexByte(r.text, '1')+1] + "… " + hashText([]byte(r.text))
}

func hashText(b []byte) string {
	h := sha256.Sum256(b)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(h[:])
}

// Fingerprint is the 16-character label that documents carry. Two different recipients can be made to
// share one: compare String where it matters.
func (r *Recipient) Fingerprint() string { return r.fingerprint }

// PostQuantum reports whether what is sealed to r stays closed to a quantum computer. Of a plugin nobody knows, so it is false.
func (r *Recipient) PostQuantum() bool { return r.kind == kindHybrid || r.kind == kindHybridTag }

// Fingerprints returns those of rs, sorted, without duplicates.
func Fingerprints(rs []*Recipient) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.fingerprint
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// looksPrivate reports whether s starts as an identity does, in either case.
func looksPrivate(s string) bool {
	const longest = len("AGE-SECRET-KEY-")
	head := strings.ToUpper(s[:min(len(s), longest)])
	return strings.HasPrefix(head, "AGE-SECRET-KEY") || strings.HasPrefix(head, "AGE-PLUGIN-") ||
		strings.HasPrefix(head, "-----BEGIN")
}
