package kustomize

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ageseal/ageseal/manifest"
)

var (
	// ErrPlacement: a sealed value would end where it is not bound to.
	ErrPlacement = errors.New("a sealed value would end where it does not belong")
	// ErrUse: a sealed manifest or file is used where it can't be served.
	ErrUse = errors.New("a sealed manifest can't be used here")
	// ErrInvalid: a Secret with sealed values would be one that Kubernetes does not take.
	ErrInvalid = errors.New("the build makes an invalid Secret")
	// ErrLeftover: ciphertext is left in the result.
	ErrLeftover = errors.New("ciphertext is left in the result")
	// ErrOutside: a path leads out of the root of the build.
	ErrOutside = errors.New("leads outside the root of this build")
	// ErrRemote: a remote base, which this build may not use.
	ErrRemote = errors.New("remote bases are off")
	// ErrNamespace: a binding that this build may not open.
	ErrNamespace = errors.New("outside the namespaces of this build")
	// ErrDecrypter: a Decrypter that says something else than which files to decrypt.
	ErrDecrypter = errors.New("malformed Decrypter")
	// ErrNotSealed: something else than sealed manifests in a file that a Decrypter lists.
	ErrNotSealed = errors.New("not a sealed manifest")
)

// Error is a fault of a build with its place, as far as it is known. Error() is the text without the place and the hint.
type Error struct {
	File   string // relative to the current directory if below it
	Line   int    // 1-based, 0 for the whole file
	Secret string // namespace/name
	Key    string
	Err    error
	Hint   string // what to do next
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// fact is an error with a text of its own that matches a sentinel.
type fact struct {
	text string
	kind error
}

func (f *fact) Error() string { return f.text }
func (f *fact) Unwrap() error { return f.kind }

func factf(kind error, format string, args ...any) error {
	return &fact{text: fmt.Sprintf(format, args...), kind: kind}
}

// InFile gives every fault in err its file.
func InFile(file string, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, InFile(file, e))
		}
		return errors.Join(all...)
	}
	e := &Error{File: file, Err: err}
	var m *manifest.Error
	if errors.As(err, &m) {
		e.Line, e.Secret, e.Key, e.Hint = m.Line, m.Secret, m.Key, m.Hint
	}
	return e
}

// scrubbed is an error of kustomize's whose text held placeholders.
type scrubbed struct {
	text string
	err  error
}

func (s *scrubbed) Error() string { return s.text }

// Is matches what the error matches; it is not unwrapped, since whoever shows what is inside would show placeholders.
func (s *scrubbed) Is(target error) bool { return errors.Is(s.err, target) }

// shortPath shows an absolute path relative to the current directory if it is below it.
func shortPath(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(wd); err == nil {
		wd = real
	}
	if rel, err := filepath.Rel(wd, path); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return rel
	}
	return path
}

// secretRef is how messages name a Secret.
func secretRef(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}
