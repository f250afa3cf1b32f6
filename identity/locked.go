package identity

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/ageseal/ageseal/crypt"
)

// locked is an identity file with a passphrase, as "age -p" makes them. It is unlocked when no cheaper identity opens what has to be
// opened, once: a wrong passphrase is the end of it for this run.
type locked struct {
	unlock func() ([]*crypt.Identity, error)

	mu  sync.Mutex
	ids []*crypt.Identity // once unlocked
}

// locked makes an identity of an age file, armored or binary. That it has a passphrase is looked at before anybody types one.
func (l *loader) locked(where string, file []byte) (*crypt.Identity, error) {
	if !bytes.HasPrefix(file, []byte(ageMagic)) {
		var err error
		if file, err = io.ReadAll(armor.NewReader(bytes.NewReader(file))); err != nil {
			return nil, errors.New("an age file that was altered or cut short")
		}
	}
	header, err := age.ExtractHeader(bytes.NewReader(file))
	if err != nil {
		return nil, errors.New("an age file that was altered or cut short")
	}
	var types stanzaTypes
	_, _ = age.DecryptHeader(header, &types) // it opens nothing
	if !slices.Equal(types, []string{"scrypt"}) {
		return nil, fmt.Errorf("an age file without a passphrase is %w as an identity", crypt.ErrUnsupported)
	}
	k := &locked{}
	k.unlock = sync.OnceValues(func() ([]*crypt.Identity, error) {
		ids, err := l.unlock(where, file)
		if err != nil {
			return nil, err
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.ids = ids
		return ids, nil
	})
	return crypt.NewIdentity(crypt.Locked, k, nil), nil
}

// stanzaTypes is an identity that opens nothing and takes down what it was asked.
type stanzaTypes []string

func (t *stanzaTypes) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, s := range stanzas {
		*t = append(*t, s.Type)
	}
	return nil, age.ErrIncorrectIdentity
}

func (l *loader) unlock(where string, file []byte) ([]*crypt.Identity, error) {
	fault := func(next, what string) ([]*crypt.Identity, error) {
		return nil, &KeyError{where + ": " + what, next}
	}
	passphrase, err := l.ask("passphrase of " + where + ": ")
	if err != nil {
		return nil, l.notTyped(where, err)
	}
	if len(passphrase) == 0 {
		return nil, l.notTyped(where, ErrNothing)
	}
	scrypt, err := age.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, l.notTyped(where, err)
	}
	// age's own errors quote the file.
	opened, err := age.Decrypt(bytes.NewReader(file), scrypt)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return fault("run the command again", "the passphrase is wrong")
	}
	var text string
	if err == nil {
		text, err = readAll(opened)
	}
	if err != nil {
		return fault("restore the file from a copy", "the file was altered or cut short")
	}
	ids, err := l.parse(where, text, true)
	if err != nil {
		return nil, &KeyError{err.Error(), ""}
	}
	slices.SortStableFunc(ids, func(a, b *crypt.Identity) int { return int(a.Kind()) - int(b.Kind()) })
	return ids, nil
}

// notTyped is the error for a passphrase that nobody gave.
func (l *loader) notTyped(where string, err error) error {
	next := ""
	if errors.Is(err, ErrNoTerminal) {
		next = "run it where there is a terminal; for a program, an identity without a passphrase in $" + envIdentity + " or from $" + envCommand
	}
	return &KeyError{fmt.Sprintf("%s needs a passphrase: %v", where, err), next}
}

func (l *loader) ask(question string) ([]byte, error) {
	if l.o.Ask != nil {
		return l.o.Ask(question)
	}
	return AskHidden(question)
}

func (k *locked) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	ids, err := k.unlock()
	if err != nil {
		return nil, err
	}
	var unavailable error
	for _, id := range ids {
		fileKey, err := id.Unwrap(stanzas)
		switch {
		case errors.Is(err, crypt.ErrUnavailable):
			unavailable = err
		case !errors.Is(err, age.ErrIncorrectIdentity):
			return fileKey, err
		}
	}
	if unavailable != nil {
		return nil, unavailable
	}
	return nil, age.ErrIncorrectIdentity
}

// Unlock asks for the passphrase, unless somebody was asked before.
func (k *locked) Unlock() error {
	_, err := k.unlock()
	return err
}

// Recipients are none before somebody unlocked the file.
func (k *locked) Recipients() []*crypt.Recipient {
	k.mu.Lock()
	defer k.mu.Unlock()
	return recipients(k.ids)
}

func recipients(ids []*crypt.Identity) []*crypt.Recipient {
	var rs []*crypt.Recipient
	for _, id := range ids {
		if r := id.Recipient(); r != nil {
			rs = append(rs, r)
		}
	}
	return rs
}

// Lock encrypts the text of an identity file with a passphrase, as "age -p -a" does. Somebody types the passphrase, twice.
func Lock(text, passphrase string) (string, error) {
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, r)
	if err != nil {
		return "", err
	}
	if _, err := io.WriteString(w, text); err != nil {
		return "", err
	}
	err = errors.Join(w.Close(), a.Close())
	return out.String(), err
}
