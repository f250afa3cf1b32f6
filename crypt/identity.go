package crypt

import (
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
)

// Identity is a private key, or the way to one. Printing it, with any verb, shows its recipient only.
type Identity struct {
	age       hidden[age.Identity]
	secret    hidden[string] // nil for what is not age's own
	recipient *Recipient     // nil if not known
	kind      Kind
}

// Kind is what an identity costs to try. An Opener tries the cheap ones first.
type Kind int

const (
	Native Kind = iota // age's own
	SSH                // a private key of ssh
	Locked             // identities in a file with a passphrase, which somebody has to type
	Plugin             // a program, which may want to be touched
)

// Late is implemented by an age.Identity whose recipients become known while it is used.
type Late interface {
	Recipients() []*Recipient // so far
}

// Unlocker is Late and can be asked for them before.
type Unlocker interface {
	Late
	Unlock() error
}

// NewIdentity makes an identity of what is not age's own. r is its recipient, nil if that is not known. What id answers for a key that could not be
// used must match ErrUnavailable: others are tried, and its text is shown to people. It has to be safe for concurrent use.
func NewIdentity(kind Kind, id age.Identity, r *Recipient) *Identity {
	return &Identity{age: hide(id), recipient: r, kind: kind}
}

// ParseIdentity reads one age X25519 ("AGE-SECRET-KEY-1…") or hybrid post-quantum
// ("AGE-SECRET-KEY-PQ-1…") identity. Anything around it, spaces included, is an error. A public key is
// ErrIsRecipient; any other kind is ErrUnsupported, see NewIdentity. The error never quotes s.
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
	case strings.HasPrefix(s, "AGE-PLUGIN-"), strings.HasPrefix(s, "-----BEGIN"), strings.HasPrefix(s, "age-encryption.org/"):
		return nil, fmt.Errorf("an identity of this kind is %w here", ErrUnsupported)
	case strings.HasPrefix(s, "age1"), strings.HasPrefix(s, "ssh-"):
		return nil, ErrIsRecipient
	}
	return nil, errors.New("malformed identity: expected AGE-SECRET-KEY-PQ-1… or AGE-SECRET-KEY-1…")
}

// GenerateIdentity returns a fresh identity, hybrid post-quantum or X25519.
func GenerateIdentity(postQuantum bool) (*Identity, error) {
	if postQuantum {
		id, err := age.GenerateHybridIdentity()
		if err != nil { // not reached: only where the system has no random numbers, which ends Go's programs
			return nil, errors.New("no post-quantum identity could be generated")
		}
		return newHybrid(id), nil
	}
	id, err := age.GenerateX25519Identity()
	if err != nil { // not reached: as above
		return nil, errors.New("no identity could be generated")
	}
	return newX25519(id), nil
}

func newHybrid(id *age.HybridIdentity) *Identity {
	r := id.Recipient()
	return &Identity{hide[age.Identity](id), hide(id.String()), newRecipient(r, r.String(), kindHybrid), Native}
}

func newX25519(id *age.X25519Identity) *Identity {
	r := id.Recipient()
	return &Identity{hide[age.Identity](id), hide(id.String()), newRecipient(r, r.String(), kindX25519), Native}
}

// Recipient is the public half; nil for a Locked or a Plugin identity of which it is not known.
func (i *Identity) Recipient() *Recipient { return i.recipient }

// Kind says what it costs to try.
func (i *Identity) Kind() Kind { return i.kind }

// Unwrap makes i an age.Identity.
func (i *Identity) Unwrap(stanzas []*age.Stanza) ([]byte, error) { return i.age().Unwrap(stanzas) }

// recipients are those known by now.
func (i *Identity) recipients() []*Recipient {
	if i.recipient != nil {
		return []*Recipient{i.recipient}
	}
	if late, ok := i.age().(Late); ok {
		return late.Recipients()
	}
	return nil
}

// Unlock makes the recipients of i known, if they can be, and returns them.
func (i *Identity) Unlock() ([]*Recipient, error) {
	if u, ok := i.age().(Unlocker); ok {
		if err := u.Unlock(); err != nil {
			return nil, err
		}
	}
	return i.recipients(), nil
}

// SecretText is the private key itself, "AGE-SECRET-KEY-…", for writing a new identity file only. It is empty for what is not age's own.
func (i *Identity) SecretText() string {
	if i.secret == nil {
		return ""
	}
	return i.secret()
}

// Format prints the recipient, whatever the verb.
func (i Identity) Format(f fmt.State, _ rune) {
	if i.recipient == nil {
		fmt.Fprint(f, "identity")
		return
	}
	fmt.Fprint(f, "identity of ", i.recipient.text)
}
