package identity

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

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

// parse reads one identity a line, as age does: empty lines and lines that start with # are skipped. A
// byte order mark, line ends of Windows and spaces around a line are accepted.
func parse(where, text string) ([]*crypt.Identity, error) {
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		return nil, &SourceError{Source: where, Err: errors.New("is UTF-16: save it as UTF-8")}
	}
	var ids []*crypt.Identity
	n := 0
	for line := range strings.SplitSeq(strings.TrimPrefix(text, "\ufeff"), "\n") {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		id, err := crypt.ParseIdentity(line)
		if err != nil {
			return nil, &SourceError{Source: where, Line: n, Err: err}
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, &SourceError{Source: where, Err: ErrEmpty}
	}
	return ids, nil
}
