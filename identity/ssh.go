package identity

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"

	"github.com/ageseal/ageseal/crypt"
)

// sshKey makes an identity of a private key of ssh in PEM. One with a passphrase is unlocked when something is encrypted to it.
func (l *loader) sshKey(where string, pem []byte) (*crypt.Identity, error) {
	id, err := agessh.ParseIdentity(pem)
	if missing, ok := errors.AsType[*ssh.PassphraseMissingError](err); ok {
		return l.lockedSSHKey(where, pem, missing.PublicKey)
	}
	if err != nil {
		return nil, fmt.Errorf("this private key is %w: age takes whole ones of ssh-ed25519 and ssh-rsa", crypt.ErrUnsupported)
	}
	signer, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		return nil, errors.New("malformed private key of ssh")
	}
	r, err := sshRecipient(signer.PublicKey())
	if err != nil {
		return nil, err
	}
	return crypt.NewIdentity(crypt.SSH, id, r), nil
}

func sshRecipient(key ssh.PublicKey) (*crypt.Recipient, error) {
	return crypt.ParseRecipient(strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))))
}

func (l *loader) lockedSSHKey(where string, pem []byte, public ssh.PublicKey) (*crypt.Identity, error) {
	if public == nil { // PEM of old
		return nil, errors.New("a private key with a passphrase in an old format, which age can't use: \"ssh-keygen -p -o -f FILE\" brings it into the new one")
	}
	r, err := sshRecipient(public)
	if err != nil {
		return nil, err
	}
	k := &lockedSSH{where: where}
	k.inner, err = agessh.NewEncryptedSSHIdentity(public, pem, func() ([]byte, error) {
		if k.failed != nil {
			return nil, k.failed
		}
		k.asked = true
		passphrase, err := l.ask("passphrase of " + where + ": ")
		if err != nil {
			k.failed = l.notTyped(where, err)
		}
		return passphrase, k.failed
	})
	if err != nil {
		return nil, fmt.Errorf("this private key is %w: age takes whole ones of ssh-ed25519 and ssh-rsa", crypt.ErrUnsupported)
	}
	return crypt.NewIdentity(crypt.SSH, k, r), nil
}

// lockedSSH asks for its passphrase once, when something is encrypted to it.
type lockedSSH struct {
	where string

	mu     sync.Mutex
	inner  *agessh.EncryptedSSHIdentity
	asked  bool
	failed error
}

func (k *lockedSSH) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = false
	fileKey, err := k.inner.Unwrap(stanzas)
	switch {
	case k.failed != nil && err != nil && !errors.Is(err, age.ErrIncorrectIdentity):
		return nil, k.failed
	case k.asked && err != nil && !errors.Is(err, age.ErrIncorrectIdentity):
		k.failed = &KeyError{k.where + ": the passphrase is wrong, or the key is damaged", "run the command again"}
		return nil, k.failed
	}
	return fileKey, err
}

// defaultSSHKey adds ~/.ssh/id_ed25519 unread.
func (l *loader) defaultSSHKey() {
	home, err := os.UserHomeDir()
	if err != nil || home == "" {
		return
	}
	path := filepath.Join(home, ".ssh", "id_ed25519")
	read := sync.OnceValues(func() ([]*crypt.Identity, error) {
		own := &loader{o: l.o, seen: l.seen}
		if err := own.file(path, abbreviate(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, &KeyError{err.Error(), ""}
		}
		return own.set.Identities, nil
	})
	l.set.Further = append(l.set.Further, crypt.NewIdentity(crypt.SSH, &lazyKey{read: read}, nil))
}

// lazyKey reads identities when something is encrypted to a key of their kind.
type lazyKey struct {
	read func() ([]*crypt.Identity, error)
	mu   sync.Mutex
	ids  []*crypt.Identity // once read
}

// Recipients are those of what was read.
func (k *lazyKey) Recipients() []*crypt.Recipient {
	k.mu.Lock()
	defer k.mu.Unlock()
	return recipients(k.ids)
}

func (k *lazyKey) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if !slices.ContainsFunc(stanzas, func(s *age.Stanza) bool { return s.Type == "ssh-ed25519" }) {
		return nil, age.ErrIncorrectIdentity
	}
	ids, err := k.read()
	k.mu.Lock()
	k.ids = ids
	k.mu.Unlock()
	for _, id := range ids {
		return id.Unwrap(stanzas)
	}
	return nil, cmp.Or(err, age.ErrIncorrectIdentity)
}
