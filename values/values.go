// Package values knows where the values of a new Secret come from: literals, files and directories, env files, registry
// credentials and chance, each read as "kubectl create secret" reads it, and how kubectl hashes them into a name.
//
// It refuses what has no valid key, a key that is there twice, and more than Kubernetes takes. It refuses to know what a
// Secret looks like as text, who may read it, and how values are encrypted. It reads the files it is told to, takes standard
// input and the environment as arguments, asks nobody, and prints nothing. No error quotes a value, nor a text that may be
// one: what is no key is not named.
//
// Where it differs from kubectl: a line of an env file may have any length (kubectl drops one over 64 KiB and all that
// follow, with status 0), and what kubectl leaves out or leaves empty without a word is a warning.
package values

import (
	"errors"
	"fmt"
	"io"

	"github.com/ageseal/ageseal/manifest"
)

// Values are the keys and values of one Secret, in the order they were added. The zero Values has no standard input and an empty
// environment.
type Values struct {
	Stdin    io.Reader                   // what the path "-" means, once; nil: nothing
	Getenv   func(string) (string, bool) // what a bare KEY in an env file means; nil: nothing is set
	Warnings []*Error                    // what was left out or is empty, or can be guessed

	keys  []string
	bytes map[string][]byte
	total int // bytes
}

// Error is a fault in a source of values, or a warning. Path is the file, "" if none is concerned; Line is 1-based, 0 for all
// of it; Key is a valid key of a Secret, or "". Error() is the text without the place.
type Error struct {
	Path string
	Line int
	Key  string
	Err  error
	Hint string
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Sentinels, each in an Error.
var (
	ErrKey   = errors.New("no valid key of a Secret")
	ErrTwice = errors.New("there is a value for this key already")
	ErrLimit = errors.New("over a limit")
	ErrStdin = errors.New("standard input can be read only once")
)

const keyRule = "a key is 1 to 253 letters, digits, '-', '_' or '.', not '..' at the beginning"

// Check says whether a value can be added under a key: ErrKey, ErrTwice, ErrLimit. Whoever has to ask for a value asks this
// first.
func (v *Values) Check(key string) error {
	switch {
	case !manifest.IsSecretKey(key):
		return &Error{Err: ErrKey, Hint: keyRule}
	case v.Has(key):
		return &Error{Key: key, Err: ErrTwice, Hint: "name each key once"}
	case len(v.keys) >= manifest.MaxValues:
		return &Error{Key: key, Err: fmt.Errorf("%w: more than %d values", ErrLimit, manifest.MaxValues),
			Hint: "split it into several Secrets"}
	}
	return nil
}

// Add adds one value: the faults of Check, and ErrLimit for more than manifest.MaxTotal bytes together.
func (v *Values) Add(key string, value []byte) error {
	if err := v.Check(key); err != nil {
		return err
	}
	if len(value) > manifest.MaxTotal-v.total {
		return v.tooMuch("", key)
	}
	if v.bytes == nil {
		v.bytes = map[string][]byte{}
	}
	v.keys = append(v.keys, key)
	v.bytes[key] = value
	v.total += len(value)
	return nil
}

func (v *Values) tooMuch(path, key string) error {
	err := fmt.Errorf("%w: the values add up to more than the %d bytes that Kubernetes takes", ErrLimit, manifest.MaxTotal)
	return &Error{Path: path, Key: key, Err: err, Hint: "split it into several Secrets"}
}

// Has says whether there is a value for a key.
func (v *Values) Has(key string) bool {
	_, ok := v.bytes[key]
	return ok
}

// Keys are the keys in the order they were added.
func (v *Values) Keys() []string { return v.keys }

// Get is the value of a key, nil if there is none.
func (v *Values) Get(key string) []byte { return v.bytes[key] }

// warn keeps a warning.
func (v *Values) warn(path string, line int, key, hint, format string, args ...any) {
	v.Warnings = append(v.Warnings, &Error{Path: path, Line: line, Key: key, Err: fmt.Errorf(format, args...), Hint: hint})
}
