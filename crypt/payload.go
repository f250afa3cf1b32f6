package crypt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"
)

// Stanza types that have an opinion on the quantum computer. Types of neither list, such as the grease
// that age implementations may add, are skipped by age and ignored here.
var (
	postQuantumStanzas = []string{"mlkem768x25519", "mlkem768p256tag"}
	classicStanzas     = []string{"X25519", "ssh-ed25519", "ssh-rsa", "p256tag", "piv-p256"}
)

// openAge opens one binary age file of at most limit bytes of content with the first identity that fits.
// Errors: ErrAge, ErrNoIdentity (an *UnavailableError, if so), ErrLimit. age's own errors quote lines of the file and stay inside.
func openAge(file []byte, ids []*Identity, limit int) ([]byte, error) {
	g := &gate{ids: ids}
	r, err := age.Decrypt(bytes.NewReader(file), g)
	switch {
	case g.err != nil:
		return nil, g.err
	case err != nil:
		return nil, ErrAge
	}
	payload, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, ErrAge
	}
	if len(payload) > limit {
		return nil, fmt.Errorf("the content of the age file is %w of %d bytes", ErrLimit, limit)
	}
	return payload, nil
}

// gate is the one identity that age.Decrypt sees. It judges the header as age itself parsed it (bounded
// there to 1,024 stanzas), before any private key is used, and remembers why it said no.
type gate struct {
	ids []*Identity
	err error
}

func (g *gate) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	fileKey, err := g.unwrap(stanzas)
	g.err = err
	return fileKey, err
}

func (g *gate) unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if err := checkStanzas(stanzas); err != nil {
		return nil, err
	}
	var unavailable UnavailableError
	for _, id := range g.ids {
		fileKey, err := id.Unwrap(stanzas)
		switch {
		case err == nil:
			return fileKey, nil
		case errors.Is(err, ErrUnavailable): // another one may fit
			unavailable.Reasons = append(unavailable.Reasons, err)
		case !errors.Is(err, age.ErrIncorrectIdentity):
			return nil, ErrAge
		}
	}
	if len(unavailable.Reasons) > 0 {
		return nil, &unavailable
	}
	return nil, ErrNoIdentity
}

// UnavailableError says that no identity opens an age file, and that some could not be used to try. It matches ErrNoIdentity.
type UnavailableError struct {
	Reasons []error // as the identities gave them
}

func (e *UnavailableError) Error() string {
	text := ErrNoIdentity.Error()
	for i, reason := range e.Reasons {
		if i == 0 {
			text += ": "
		} else {
			text += "; "
		}
		text += reason.Error()
	}
	return text
}

func (e *UnavailableError) Is(target error) bool { return target == ErrNoIdentity }

func (e *UnavailableError) Unwrap() []error { return e.Reasons }

// checkStanzas refuses headers that no writer of suite 1 makes: a passphrase, post-quantum beside
// classic, more than MaxRecipients.
func checkStanzas(stanzas []*age.Stanza) error {
	var postQuantum, classic int
	for _, s := range stanzas {
		switch {
		case s.Type == "scrypt":
			return fmt.Errorf("%w: it is sealed with a passphrase", ErrAge)
		case slices.Contains(postQuantumStanzas, s.Type):
			postQuantum++
		case slices.Contains(classicStanzas, s.Type):
			classic++
		}
	}
	if postQuantum > 0 && classic > 0 {
		return fmt.Errorf("%w: it mixes post-quantum and classic recipients", ErrAge)
	}
	if postQuantum+classic > MaxRecipients {
		return fmt.Errorf("the recipients of the age file are %w of %d", ErrLimit, MaxRecipients)
	}
	return nil
}

// parsePayload reads magic, session key and list of fingerprints, and nothing after it.
func parsePayload(p []byte) (*sessionKey, error) {
	rest, ok := strings.CutPrefix(string(p), payloadMagic)
	if !ok || len(rest) < keySize {
		return nil, ErrPayloadMagic
	}
	s := &sessionKey{key: (*[keySize]byte)([]byte(rest[:keySize]))}
	if s.to, ok = parseFingerprints(rest[keySize:]); !ok {
		return nil, ErrPayloadMagic
	}
	return s, nil
}

func parseFingerprints(b string) ([]string, bool) {
	const each = 4 + fingerprintLen
	if len(b) < 4 {
		return nil, false
	}
	n := uint64(binary.BigEndian.Uint32([]byte(b[:4])))
	b = b[4:]
	if n > MaxRecipients || uint64(len(b)) != n*each {
		return nil, false
	}
	to := make([]string, 0, n)
	for ; len(b) > 0; b = b[each:] {
		if binary.BigEndian.Uint32([]byte(b[:4])) != fingerprintLen || !isBase32(b[4:each], fingerprintLen) {
			return nil, false
		}
		to = append(to, b[4:each])
	}
	return to, true
}
