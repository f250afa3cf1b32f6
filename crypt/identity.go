package crypt

import (
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
)

// Identity is a private key. Printing one, with any verb, shows its recipient only.
type Identity struct {
	age       hidden[nativeIdentity]
	recipient *Recipient
}

// nativeIdentity is what the two kinds of key share: String is the secret text.
type nativeIdentity interface {
	age.Identity
	String() string
}

// ParseIdentity reads one age X25519 ("AGE-SECRET-KEY-1…") or hybrid post-quantum
// ("AGE-SECRET-KEY-PQ-1…") identity. Anything around it, spaces included, is an error. A public key is
// ErrIsRecipient; a plugin, ssh or encrypted identity is ErrUnsupported. The error never quotes s.
func ParseIdentity(s string) (*Identity, error) {
	switch {
	case strings.HasPrefix(s, "AGE-SECRET-KEY-PQ-1"):
		if id, err := age.ParseHybridIdentity(s); err == nil {
			return newHybrid(id), nil
		}
		return nil, errors.New("malformed post-quantum identity: it was cut short or mistyped")
	case strings.HasPrefix(s, "AGE-SECRET-KEY-1"):
		if id, err := age.ParseX25519Identity(s); err == nil {
			return newX25519(id), nil
		}
		return nil, errors.New("malformed identity: it was cut short or mistyped")
	case strings.HasPrefix(s, "AGE-PLUGIN-"):
		return nil, fmt.Errorf("plugin identities are %w", ErrUnsupported)
	case strings.HasPrefix(s, "-----BEGIN AGE "), strings.HasPrefix(s, "age-encryption.org/"):
		return nil, fmt.Errorf("passphrase-encrypted identities are %w", ErrUnsupported)
	case strings.HasPrefix(s, "-----BEGIN"):
		return nil, fmt.Errorf("ssh and PEM private keys are %w", ErrUnsupported)
	case strings.HasPrefix(s, "age1"), strings.HasPrefix(s, "ssh-"):
		return nil, ErrIsRecipient
	}
	return nil, errors.New("malformed identity: expected AGE-SECRET-KEY-PQ-1… or AGE-SECRET-KEY-1…")
}

// GenerateIdentity returns a fresh identity, hybrid post-quantum or X25519.
func GenerateIdentity(postQuantum bool) (*Identity, error) {
	if postQuantum {
		id, err := age.GenerateHybridIdentity()
		if err != nil {
			return nil, errors.New("no post-quantum identity could be generated")
		}
		return newHybrid(id), nil
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, errors.New("no identity could be generated")
	}
	return newX25519(id), nil
}

func newHybrid(id *age.HybridIdentity) *Identity {
	r := id.Recipient()
	return &Identity{hide[nativeIdentity](id), newRecipient(r, r.String(), true)}
}

func newX25519(id *age.X25519Identity) *Identity {
	r := id.Recipient()
	return &Identity{hide[nativeIdentity](id), newRecipient(r, r.String(), false)}
}

// Recipient is the public half.
func (i *Identity) Recipient() *Recipient { return i.recipient }

// SecretText is the private key itself, "AGE-SECRET-KEY-…", for writing a new identity file only.
func (i *Identity) SecretText() string { return i.age().String() }

// Format prints the recipient, whatever the verb.
func (i Identity) Format(f fmt.State, _ rune) {
	if i.recipient == nil {
		fmt.Fprint(f, "identity")
		return
	}
	fmt.Fprint(f, "identity of ", i.recipient.text)
}
