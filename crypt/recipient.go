package crypt

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"filippo.io/age"
)

// Recipient is a parsed public key.
type Recipient struct {
	age         hidden[age.Recipient] // public, but not worth printing
	text        string
	fingerprint string
	postQuantum bool
}

// ParseRecipient reads an age X25519 ("age1…") or hybrid post-quantum ("age1pq1…") recipient. Anything
// around it, spaces included, is an error. A private key is ErrIsIdentity; an ssh, tag or plugin
// recipient is ErrUnsupported. The error never quotes s, which may be a secret pasted into a wrong place.
func ParseRecipient(s string) (*Recipient, error) {
	switch {
	case looksPrivate(s):
		return nil, ErrIsIdentity
	case strings.HasPrefix(s, "ssh-"), strings.HasPrefix(s, "ecdsa-"), strings.HasPrefix(s, "sk-"):
		return nil, fmt.Errorf("ssh recipients are %w", ErrUnsupported)
	case strings.HasPrefix(s, "age1pq1"):
		r, err := age.ParseHybridRecipient(s)
		if err != nil {
			return nil, errors.New("malformed post-quantum recipient: copy the whole age1pq1… line again")
		}
		return newRecipient(r, r.String(), true), nil
	case strings.HasPrefix(s, "age1") && strings.Contains(s[len("age1"):], "1"):
		return nil, fmt.Errorf("tag and plugin recipients are %w", ErrUnsupported)
	case strings.HasPrefix(s, "age1"):
		r, err := age.ParseX25519Recipient(s)
		if err != nil {
			return nil, errors.New("malformed recipient: copy the whole age1… line again")
		}
		return newRecipient(r, r.String(), false), nil
	}
	return nil, errors.New("malformed recipient: expected age1pq1… or age1…")
}

func newRecipient(r age.Recipient, text string, postQuantum bool) *Recipient {
	h := sha256.Sum256([]byte(domain + " recipient\n" + text))
	return &Recipient{hide(r), text, b32.EncodeToString(h[:fingerprintLen*5/8]), postQuantum}
}

// String is the canonical text: parsed and encoded again, lower-case bech32.
func (r *Recipient) String() string { return r.text }

// Display is what a person compares: a classic recipient itself, and of a post-quantum one, which has 2,000 characters,
// a hash. Its first characters would not do: they can be chosen.
func (r *Recipient) Display() string {
	if !r.postQuantum {
		return r.text
	}
	h := sha256.Sum256([]byte(r.text))
	return "age1pq1… SHA256:" + base64.RawStdEncoding.EncodeToString(h[:])
}

// Fingerprint is the 16-character label that documents carry. Two different recipients can be made to
// share one: compare String where it matters.
func (r *Recipient) Fingerprint() string { return r.fingerprint }

// PostQuantum reports whether what is sealed to r stays closed to a quantum computer.
func (r *Recipient) PostQuantum() bool { return r.postQuantum }

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
