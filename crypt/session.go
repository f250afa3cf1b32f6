package crypt

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"
)

const payloadMagic = domain + " session key\n"

// Session is a fresh session key, wrapped to one recipient set. Safe for concurrent use.
type Session struct {
	key hidden[*[keySize]byte]
	to  []string
	age string // standard base64
}

// MixedError says that a recipient set has post-quantum and classic members: what is sealed to both is
// only as safe as the classic ones.
type MixedError struct {
	Classic *Recipient // the first of them
}

func (e *MixedError) Error() string {
	return fmt.Sprintf("post-quantum and classic recipients cannot be mixed: %s is classic (%s)", e.Classic.Display(), e.Classic.Kind())
}

// NewSession generates a session key and wraps it to the given recipients, in any order; duplicates are
// dropped. Errors: ErrNoRecipients, ErrLimit over MaxRecipients, *MixedError.
func NewSession(to []*Recipient) (*Session, error) {
	to, err := canonicalSet(to)
	if err != nil {
		return nil, err
	}
	var key [keySize]byte
	rand.Read(key[:])
	s := &Session{key: hide(&key), to: Fingerprints(to)}

	payload := make([]byte, 0, 1024)
	payload = append(payload, payloadMagic...)
	payload = append(payload, key[:]...)
	payload = appendList(payload, s.to)
	file, err := encryptAge(payload, to)
	if err != nil {
		return nil, fmt.Errorf("wrapping a session key: %w", err)
	}
	s.age = base64.StdEncoding.EncodeToString(file)
	return s, nil
}

// canonicalSet returns the recipients sorted by fingerprint, each once.
func canonicalSet(to []*Recipient) ([]*Recipient, error) {
	to = slices.Clone(to)
	slices.SortFunc(to, func(a, b *Recipient) int {
		if c := strings.Compare(a.fingerprint, b.fingerprint); c != 0 {
			return c
		}
		return strings.Compare(a.text, b.text)
	})
	to = slices.CompactFunc(to, func(a, b *Recipient) bool { return a.text == b.text })
	switch {
	case len(to) == 0:
		return nil, ErrNoRecipients
	case len(to) > MaxRecipients:
		return nil, fmt.Errorf("%d recipients are %w of %d", len(to), ErrLimit, MaxRecipients)
	}
	// age compares labels, but would neither name the one that is odd nor notice wrappers that drop labels.
	if classic := slices.IndexFunc(to, func(r *Recipient) bool { return !r.PostQuantum() }); classic >= 0 &&
		slices.ContainsFunc(to, (*Recipient).PostQuantum) {
		return nil, &MixedError{Classic: to[classic]}
	}
	for i := 1; i < len(to); i++ {
		if to[i].fingerprint == to[i-1].fingerprint { // not reached: takes 2^40 keys to find two
			return nil, fmt.Errorf("two different recipients share the fingerprint %s: replace one of them", to[i].fingerprint)
		}
	}
	return to, nil
}

// encryptAge makes one binary age file.
func encryptAge(payload []byte, to []*Recipient) ([]byte, error) {
	named := make([]*namedRecipient, len(to))
	recipients := make([]age.Recipient, len(to))
	for i, r := range to {
		named[i] = &namedRecipient{r: r}
		recipients[i] = named[i]
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipients...)
	if err == nil {
		if _, err = w.Write(payload); err == nil {
			err = w.Close()
		}
	}
	for _, n := range named {
		switch {
		case err == nil:
			return out.Bytes(), nil
		case n.err != nil:
			return nil, n.err
		case len(n.labels) > 0 && n.r.plugin != "": // which age compared
			err = fmt.Errorf("%s: plugin %s does not let it be mixed with other kinds of recipients", n.r.Display(), n.r.plugin)
		}
	}
	return nil, err
}

// namedRecipient gives age's errors (a point of low order, say) the recipient they are about.
type namedRecipient struct {
	r      *Recipient
	labels []string
	err    error
}

func (n *namedRecipient) Wrap(fileKey []byte) ([]*age.Stanza, error) { // not reached: makes it a Recipient, of which age takes the other method
	s, _, err := n.WrapWithLabels(fileKey)
	return s, err
}

func (n *namedRecipient) WrapWithLabels(fileKey []byte) (s []*age.Stanza, labels []string, err error) {
	if l, ok := n.r.age().(age.RecipientWithLabels); ok {
		s, labels, err = l.WrapWithLabels(fileKey)
	} else {
		s, err = n.r.age().Wrap(fileKey)
	}
	if n.r.plugin != "" {
		n.labels, n.err = labels, n.checkPlugin(s, err)
	} else if err != nil {
		n.err = fmt.Errorf("%s is not a usable recipient", n.r.Display())
	}
	return s, labels, n.err
}

// checkPlugin refuses stanzas that no reader of ours takes.
func (n *namedRecipient) checkPlugin(s []*age.Stanza, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", n.r.Display(), err)
	}
	for _, stanza := range s {
		switch {
		case stanza.Type == "scrypt":
			return fmt.Errorf("%s: plugin %s encrypts with a passphrase, not to a recipient", n.r.Display(), n.r.plugin)
		case slices.Contains(postQuantumStanzas, stanza.Type):
			return fmt.Errorf("%s: plugin %s encrypts as a post-quantum recipient, which this is not", n.r.Display(), n.r.plugin)
		}
	}
	return nil
}

// To is the sorted list of the recipients' fingerprints.
func (s *Session) To() []string { return slices.Clone(s.to) }

// Wrap puts a data key under the session key.
func (s *Session) Wrap(k *DataKey) Wrap {
	out := make([]byte, 0, keySize+chacha20poly1305.Overhead)
	out = newAEAD(wrapKey(s.key(), k.id)).Seal(out, zeroNonce[:], k.key()[:], nil)
	return Wrap{To: s.To(), Age: s.age, DK: base64.StdEncoding.EncodeToString(out)}
}

// Format prints the recipients, whatever the verb.
func (s Session) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "session key to %s", strings.Join(s.to, " "))
}

// wrapKey derives the key over one data key, by the data key's id.
func wrapKey(session *[keySize]byte, id string) []byte {
	info := appendCount(make([]byte, 0, 80), 2)
	info = appendPart(info, domain+" wrap")
	info = appendPart(info, id)
	return derive(session[:], nil, string(info), chacha20poly1305.KeySize)
}
