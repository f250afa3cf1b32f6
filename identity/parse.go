package identity

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"filippo.io/age/armor"

	"github.com/ageseal/ageseal/crypt"
)

// MaxSource is the most that is read from one source, in bytes: room for thousands of identities.
const MaxSource = 1 << 20

var (
	ErrTooLarge = errors.New("over 1 MiB, too large for an identity file")
	ErrEmpty    = errors.New("holds no identity")
)

// SourceError says which file or variable could not be used, never what stands in it.
type SourceError struct {
	Source string // a path, or "$AGESEAL_IDENTITY"
	Line   int    // from 1; 0 if it is about the whole
	Err    error
}

func (e *SourceError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.Source, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.Source, e.Line, e.Err)
}

func (e *SourceError) Unwrap() error { return e.Err }

// Hint says which variable is for what: they are easily taken for each other.
func (e *SourceError) Hint() string {
	switch e.Source {
	case "$" + envIdentity:
		return "it holds the identity itself; a path goes into $" + envFiles
	case "$" + envFiles:
		return "it holds paths; the identity itself goes into $" + envIdentity
	}
	return ""
}

func readAll(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxSource+1))
	if err != nil {
		return "", reason(err)
	}
	if len(b) > MaxSource {
		return "", ErrTooLarge
	}
	return string(b), nil
}

// reason drops the operation and path of an error of the file system, which the source has already.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// ageMagic begins a binary age file.
const ageMagic = "age-encryption.org/"

// parse reads an identity file: one identity a line, as age does, and private keys of ssh and age files with a passphrase, which have many
// lines. Empty lines and lines that start with # are skipped. A byte order mark, line ends of Windows and spaces around a line are
// accepted. Inside a file with a passphrase there is no other one.
func (l *loader) parse(where, text string, inside bool) ([]*crypt.Identity, error) {
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		return nil, &SourceError{Source: where, Err: errors.New("is UTF-16: save it as UTF-8")}
	}
	if strings.HasPrefix(text, ageMagic) && !inside {
		id, err := l.locked(where, []byte(text))
		if err != nil {
			return nil, &SourceError{Source: where, Err: err}
		}
		return []*crypt.Identity{id}, nil
	}
	var ids []*crypt.Identity
	var said *crypt.Recipient // in a comment above a plugin's identity
	lines := strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n")
	for n := 0; n < len(lines); n++ {
		line := strings.TrimSpace(lines[n])
		if line == "" {
			continue
		}
		if line[0] == '#' {
			if r := recipientIn(line); r != nil {
				said = r
			}
			continue
		}
		first := n
		if strings.HasPrefix(line, "-----BEGIN ") {
			for n < len(lines)-1 && !strings.HasPrefix(strings.TrimSpace(lines[n]), "-----END ") {
				n++
			}
		}
		id, err := l.one(where, lines[first:n+1], said, inside)
		if err != nil {
			return nil, &SourceError{Source: where, Line: first + 1, Err: err}
		}
		ids = append(ids, id)
		said = nil
	}
	if len(ids) == 0 {
		return nil, &SourceError{Source: where, Err: ErrEmpty}
	}
	return ids, nil
}

// one makes an identity of its lines.
func (l *loader) one(where string, lines []string, said *crypt.Recipient, inside bool) (*crypt.Identity, error) {
	line := strings.TrimSpace(lines[0])
	var block strings.Builder
	for _, line := range lines {
		block.WriteString(strings.TrimSpace(line) + "\n")
	}
	switch {
	case strings.HasPrefix(line, "AGE-PLUGIN-"):
		return l.o.Plugins.identity(line, said)
	case strings.HasPrefix(line, armor.Header) && inside:
		return nil, errors.New("encrypted with a passphrase twice")
	case strings.HasPrefix(line, armor.Header):
		return l.locked(where, []byte(block.String()))
	case strings.HasPrefix(line, "-----BEGIN "):
		return l.sshKey(where, []byte(block.String()))
	}
	return crypt.ParseIdentity(line)
}

// recipientIn finds the recipient that a plugin, or age-keygen, wrote into a comment.
func recipientIn(comment string) *crypt.Recipient {
	for _, word := range strings.Fields(comment) {
		if strings.HasPrefix(word, "age1") {
			if r, err := crypt.ParseRecipient(word); err == nil {
				return r
			}
		}
	}
	return nil
}
