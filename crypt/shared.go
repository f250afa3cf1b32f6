package crypt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"filippo.io/age/armor"
)

// MaxIdentityFile is the most that the file of a shared identity has, in bytes: MaxRecipients in armor are less.
const MaxIdentityFile = 384 << 10

// maxIdentity is the most that such a file holds: an identity takes less than 80 characters, the rest is comments.
const maxIdentity = 16 << 10

// ErrShared: the file of a shared identity does not hold what it has to. Whoever can push writes it.
var ErrShared = errors.New("does not hold the identity that belongs there")

// ParseNativeRecipient is ParseRecipient for age's own two kinds, X25519 and hybrid, alone.
func ParseNativeRecipient(s string) (*Recipient, error) {
	r, err := ParseRecipient(s)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(s, "age1") || strings.LastIndexByte(strings.TrimPrefix(s, "age1pq"), '1') > len("age") {
		return nil, errors.New("expected a recipient of age's own: age1pq1… or age1…")
	}
	return r, nil
}

// SealIdentity encrypts an identity to the recipients, as an armored age file that stock age opens and whose content stock age
// takes for an identity file. All have to be of the identity's kind: a post-quantum one is only as safe as the key it is under.
// Errors: ErrNoRecipients, ErrLimit over MaxRecipients, *MixedError.
func SealIdentity(id *Identity, to []*Recipient) ([]byte, error) {
	to, err := canonicalSet(to)
	if err != nil {
		return nil, err
	}
	switch own := id.Recipient(); {
	case own.PostQuantum() && !to[0].PostQuantum():
		return nil, &MixedError{Classic: to[0]}
	case !own.PostQuantum() && to[0].PostQuantum():
		return nil, &MixedError{Classic: own}
	}
	file, err := encryptAge(fmt.Appendf(nil, "# shared by a group\n# public key: %s\n%s\n", id.Recipient(), id.SecretText()), to)
	if err != nil {
		return nil, fmt.Errorf("encrypting an identity: %w", err)
	}
	return armorOf(file)
}

// OpenIdentity opens what SealIdentity wrote, or stock age from an identity file, and gives the identity in it if it is the only
// one, of age's own, and that of want. Nothing else of the file is handed on, whatever it holds.
//
// Errors: ErrLimit, ErrAge (armor, too), ErrNoIdentity, ErrShared.
func (o *Opener) OpenIdentity(armored []byte, want *Recipient) (*Identity, error) {
	if len(armored) > MaxIdentityFile {
		return nil, fmt.Errorf("the file is %w of %d bytes", ErrLimit, MaxIdentityFile)
	}
	file, err := io.ReadAll(armor.NewReader(bytes.NewReader(armored)))
	if err != nil {
		return nil, ErrAge // armor's errors quote a line
	}
	o.unwraps.Add(1)
	text, err := openAge(file, o.ids, maxIdentity)
	if err != nil {
		return nil, err
	}
	var id *Identity
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case id != nil:
			return nil, fmt.Errorf("%w: there is more than one line in it", ErrShared)
		case !strings.HasPrefix(line, "AGE-SECRET-KEY-"):
			return nil, fmt.Errorf("%w: what is in it is no identity of age's own", ErrShared)
		}
		if id, err = ParseIdentity(line); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrShared, err)
		}
	}
	switch {
	case id == nil:
		return nil, fmt.Errorf("%w: it is empty", ErrShared)
	case id.Recipient().String() != want.String():
		return nil, fmt.Errorf("%w: it is the one of another recipient", ErrShared)
	}
	return id, nil
}

// shared is an identity that is loaded once something is found that only it opens.
type shared struct {
	recipient *Recipient
	opener    func() (*Opener, error) // loads, once
	loaded    atomic.Bool
}

// Share lets o open what is encrypted to a recipient whose identity is not at hand, but can be had: load is called at most once,
// and only when something is to be opened that none of o's own identities is known to open. ErrNoIdentity from it means that the
// caller has no share in it; any other error of it, *UnavailableError too, is that of opening, if nothing else opens. Call it before o is used.
func (o *Opener) Share(recipient *Recipient, load func() (*Identity, error)) {
	s := &shared{recipient: recipient}
	s.opener = sync.OnceValues(func() (*Opener, error) {
		id, err := load()
		if err != nil {
			return nil, err
		}
		if id.Recipient().String() != recipient.String() {
			return nil, ErrShared
		}
		s.loaded.Store(true)
		return NewOpener(id), nil
	})
	o.shared = append(o.shared, s)
}

// sharedFor gives an opener with an identity that the list names and o only shares. It loads before o's own are tried: they would be asked
// once for each blob, a hardware key with a touch, and the list, which is checked after opening, says that it is in vain.
func (o *Opener) sharedFor(to []string) (*Opener, error) {
	var fault error
	for _, s := range o.shared {
		if !slices.Contains(to, s.recipient.Fingerprint()) {
			continue
		}
		opener, err := s.opener()
		if err == nil {
			return opener, nil
		}
		if fault == nil && !noShare(err) {
			fault = err
		}
	}
	return nil, fault
}

// noShare reports whether an error of load says that the caller has no share. That one of his keys could not be used says nothing of it.
func noShare(err error) bool {
	_, unavailable := errors.AsType[*UnavailableError](err)
	return !unavailable && errors.Is(err, ErrNoIdentity)
}

// openUnlisted opens an age file that does not say for whom it is: with what is at hand, then with what has to be loaded.
func (o *Opener) openUnlisted(file []byte, limit int) ([]byte, error) {
	tried := make([]bool, len(o.shared)) // what another caller loads meanwhile was not
	for i, s := range o.shared {
		if s.loaded.Load() {
			tried[i] = true
			opener, _ := s.opener()
			if payload, err := openAge(file, opener.ids, limit); !errors.Is(err, ErrNoIdentity) {
				return payload, err
			}
		}
	}
	o.unwraps.Add(1)
	payload, err := openAge(file, o.ids, limit)
	if !errors.Is(err, ErrNoIdentity) {
		return payload, err
	}
	var fault error
	for i, s := range o.shared {
		if tried[i] {
			continue
		}
		opener, loadErr := s.opener()
		if loadErr != nil {
			if fault == nil && !noShare(loadErr) {
				fault = loadErr
			}
			continue
		}
		if payload, err := openAge(file, opener.ids, limit); !errors.Is(err, ErrNoIdentity) {
			return payload, err
		}
	}
	if fault != nil {
		return nil, fault
	}
	return nil, err
}
