package manifest

import (
	"errors"
	"slices"
	"strconv"
)

// Sentinels for control flow. Each error of this package wraps one of them.
var (
	ErrParse        = errors.New("malformed YAML")
	ErrSchema       = errors.New("malformed manifest")
	ErrLimit        = errors.New("over a limit")
	ErrBase64       = errors.New("malformed base64")
	ErrUnknownSuite = errors.New("unknown suite")
	ErrUnknownKey   = errors.New("unknown data key")
)

// Error is a fault at a place. Line is 1-based in the file, 0 when the whole file is meant. Secret is namespace/name as far as
// known, Key the Secret key if one is concerned, Hint what to do next. Error() is the text without the place: the caller
// prints place, text and hint.
type Error struct {
	Line   int
	Secret string
	Key    string
	Err    error
	Hint   string
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// fault gives a sentinel a text of its own, so that the text needn't repeat the sentinel's.
type fault struct {
	text string
	kind error
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.kind }

// maxFaults bounds what a hostile document can make us say.
const maxFaults = 100

// faults collects the problems of one object.
type faults struct {
	secret string
	list   []*Error
}

func (f *faults) add(line int, key string, kind error, text, hint string) {
	if len(f.list) < maxFaults {
		f.list = append(f.list, &Error{Line: line, Secret: f.secret, Key: key, Err: &fault{text, kind}, Hint: hint})
	}
}

// join returns the problems in the order of their lines.
func (f *faults) join() error {
	slices.SortStableFunc(f.list, func(a, b *Error) int { return a.Line - b.Line })
	joined := make([]error, len(f.list))
	for i, e := range f.list {
		joined[i] = e
	}
	return errors.Join(joined...)
}

// quoteName quotes a name that occurs twice. One that doesn't look like a name is left out: a value whose quotes or indentation went
// wrong is read as one, and messages hold no values.
func quoteName(s string) string {
	if len(s) == 0 || len(s) > 63 {
		return ""
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isAlnum(c) && c != '.' && c != '-' && c != '_' && c != '/' && c != '$' {
			return ""
		}
	}
	return " " + strconv.Quote(s)
}

// quoteField quotes the name of an unknown field, for a message, if it is a field of some manifest. Anything else may be a value, or a
// piece of a ciphertext whose line was broken in two: the line number has to do.
func quoteField(s string) string {
	if !slices.Contains(fieldNames, s) {
		return ""
	}
	return " " + strconv.Quote(s)
}

// fieldNames are the fields of Secrets, of sealed manifests and of what is mistaken for them.
var fieldNames = []string{
	"apiVersion", "kind", "metadata", "name", "namespace", "labels", "annotations", "spec", "status", "type", "immutable",
	"data", "stringData", "stringdata", "binaryData", "encryptedData", "template", "items", "options", "behavior", "literals", "files", "envs",
	"suite", "binding", "wraps", "to", "age", "dk", "by", "box", "sops", "mac", "enc", "key", "value", "username", "password", "token",
}
