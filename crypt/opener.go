package crypt

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/chacha20poly1305"
)

// Opener unwraps data keys with a set of identities. Each distinct wrapped session key is opened once,
// whatever the outcome and however many callers want it at the same time. Safe for concurrent use.
type Opener struct {
	ids     []*Identity
	shared  []*shared // see Share
	unwraps atomic.Int64

	mu       sync.Mutex
	sessions map[[sha256.Size]byte]func() (*sessionKey, error) // by the text of the blob
}

// sessionKey is what an age blob held.
type sessionKey struct {
	key *[keySize]byte
	to  []string
}

// NewOpener returns an Opener that tries the given identities: by Kind, those of one kind in order. Without any, every Unwrap of a
// well-formed blob is ErrNoIdentity.
func NewOpener(ids ...*Identity) *Opener {
	o := &Opener{sessions: make(map[[sha256.Size]byte]func() (*sessionKey, error))}
	seen := make(map[string]bool)
	for _, id := range ids {
		if r := id.recipient; r != nil && id.kind == Native {
			if seen[r.text] {
				continue
			}
			seen[r.text] = true
		}
		o.ids = append(o.ids, id)
	}
	slices.SortStableFunc(o.ids, func(a, b *Identity) int { return int(a.kind) - int(b.kind) })
	return o
}

// Identities is the number of different identities it tries.
func (o *Opener) Identities() int { return len(o.ids) }

// Holds reports whether one of the identities is known to belong to the recipient with this fingerprint, or one that is shared and was loaded.
func (o *Opener) Holds(fingerprint string) bool {
	return o.owns(fingerprint) || slices.ContainsFunc(o.shared, func(s *shared) bool {
		return s.loaded.Load() && s.recipient.Fingerprint() == fingerprint
	})
}

// Anonymous reports whether one of the identities is a plugin's whose recipient nobody said: what opens may be sealed for anybody.
func (o *Opener) Anonymous() bool {
	return slices.ContainsFunc(o.ids, func(id *Identity) bool { return id.kind == Plugin && id.recipient == nil })
}

func (o *Opener) owns(fingerprint string) bool {
	return slices.ContainsFunc(o.ids, func(id *Identity) bool {
		return slices.ContainsFunc(id.recipients(), func(r *Recipient) bool { return r.fingerprint == fingerprint })
	})
}

// Unwraps is the number of age files that its own identities were tried on so far, each distinct one counted once.
func (o *Opener) Unwraps() int { return int(o.unwraps.Load()) }

// Unwrap opens the data key that a document calls id. The result opens values but seals none.
//
// The order of checks is the specification's: limits, base64, age, payload, recipient list, data key,
// id. Errors: ErrLimit, ErrBase64, ErrAge, ErrPayloadMagic, ErrToMismatch, ErrDataKey, ErrKeyID, and
// ErrNoIdentity for a blob that no identity opens. age cannot tell an altered blob from one for somebody
// else, so a blob that does not open though the list names an identity held here is ErrAge,
// unless some identity could not be used (*UnavailableError).
func (o *Opener) Unwrap(id string, w Wrap) (*DataKey, error) {
	if len(w.To) > MaxRecipients {
		return nil, fmt.Errorf("%d recipients are %w of %d", len(w.To), ErrLimit, MaxRecipients)
	}
	if len(w.Age) > MaxAge {
		return nil, fmt.Errorf("the wrapped session key is %w of %d characters", ErrLimit, MaxAge)
	}
	if !isBase32(id, idLen) {
		return nil, ErrKeyID
	}
	own := slices.ContainsFunc(w.To, o.owns)
	var fault error
	if !own {
		var opener *Opener
		if opener, fault = o.sharedFor(w.To); opener != nil {
			return opener.Unwrap(id, w)
		}
	}
	session, err := o.session(w.Age)
	if errors.Is(err, ErrNoIdentity) {
		_, unavailable := errors.AsType[*UnavailableError](err)
		switch {
		case !unavailable && slices.ContainsFunc(w.To, o.owns): // known by now, of identities that had to be opened
			return nil, ErrAge
		case fault != nil:
			return nil, fault
		}
	}
	if err != nil {
		return nil, err
	}
	if !isSet(w.To) || !slices.Equal(w.To, session.to) {
		return nil, ErrToMismatch
	}
	return session.open(id, w.DK)
}

func (s *sessionKey) open(id, text string) (*DataKey, error) {
	const size = keySize + chacha20poly1305.Overhead
	if len(text) > 2*size { // no need to decode it
		return nil, ErrDataKey
	}
	sealed, err := decodeBase64(text)
	if err != nil {
		return nil, err
	}
	if len(sealed) != size {
		return nil, ErrDataKey
	}
	var key [keySize]byte
	if _, err := newAEAD(wrapKey(s.key, id)).Open(key[:0], zeroNonce[:], sealed, nil); err != nil {
		return nil, ErrDataKey
	}
	// The AEAD does not commit to its key; the id does, so this is not optional.
	k := newDataKey(&key)
	if k.id != id {
		return nil, ErrKeyID
	}
	k.opened = true
	return k, nil
}

// session opens a blob, or waits for whoever is opening it, or returns what came of it before.
func (o *Opener) session(blob string) (*sessionKey, error) {
	sum := sha256.Sum256([]byte(blob))
	o.mu.Lock()
	open, ok := o.sessions[sum]
	if !ok {
		open = sync.OnceValues(func() (*sessionKey, error) { return o.openSession(blob) })
		o.sessions[sum] = open
	}
	o.mu.Unlock()
	return open()
}

func (o *Opener) openSession(blob string) (*sessionKey, error) {
	raw, err := decodeBase64(blob)
	if err != nil {
		return nil, err
	}
	o.unwraps.Add(1)
	payload, err := openAge(raw, o.ids, maxPayload)
	if err != nil {
		return nil, err
	}
	return parsePayload(payload)
}

// isSet reports whether fps is a non-empty list of fingerprints, strictly ascending.
func isSet(fps []string) bool {
	for i, fp := range fps {
		if !isBase32(fp, fingerprintLen) || i > 0 && fps[i-1] >= fp {
			return false
		}
	}
	return len(fps) > 0
}
