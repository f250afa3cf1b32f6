package secret

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// Error is a fault of one Secret in a file: its line, namespace/name and key as far as they are known. Several are
// joined with errors.Join.
type Error = manifest.Error

var (
	// ErrBinding: namespace or name in metadata differ from the ones the values are authenticated with.
	ErrBinding = errors.New("the binding differs from the metadata")
	// ErrType: a type with which the cluster mints or accepts a credential, not allowed by the builder.
	ErrType = errors.New("this type makes the cluster mint or accept a credential")
	// ErrCopied: an annotation has a controller copy a Secret whose values are bound to a namespace.
	ErrCopied = errors.New("has a controller copy it into others")
	// ErrMalformed marks every fault in the shape of a sealed document, as opposed to one in a native Secret.
	ErrMalformed = errors.New("malformed sealed document")
	// ErrWiden: a sealed value would be given to a recipient it was not sealed for (rule 6 for writers).
	ErrWiden = errors.New("would be opened to further recipients")
	// ErrClear: a value stays in clear elsewhere in the document.
	ErrClear = errors.New("the value also stands in clear in this document")
	// ErrRefused: an API server would not take the Secret, or not this change of it.
	ErrRefused = errors.New("refused by Kubernetes")
	// ErrManyKeys: so many data keys have gathered in a document that consolidating pays.
	ErrManyKeys = errors.New("data keys have gathered in this document")
	// ErrNotFound: the file has no such Secret, or the Secret no such key.
	ErrNotFound = errors.New("not found")
)

// NoIdentityError says for whom a document was sealed that no identity opens. It matches crypt.ErrNoIdentity.
type NoIdentityError struct {
	To    []string // fingerprints; none for a sealed file, which has no list
	Cause error    // crypt's: identities that could not be used are in it
}

func (e *NoIdentityError) Error() string { return "no identity opens it" }
func (e *NoIdentityError) Unwrap() error { return e.Cause }

// WidenError says for whom a value was sealed and who would be added. It matches ErrWiden.
type WidenError struct {
	To, Added []string // fingerprints
}

func (e *WidenError) Error() string {
	return fmt.Sprintf("was sealed for %s; this path would add %s", strings.Join(e.To, ", "), strings.Join(e.Added, ", "))
}
func (e *WidenError) Unwrap() error { return ErrWiden }

// authentication lists what makes sealed data untrustworthy: altered, moved or malformed.
var authentication = []error{
	ErrMalformed, ErrBinding,
	crypt.ErrBase64, crypt.ErrAge, crypt.ErrPayloadMagic, crypt.ErrToMismatch, crypt.ErrDataKey, crypt.ErrKeyID,
	crypt.ErrShared, crypt.ErrBoxLength, crypt.ErrAEAD, crypt.ErrPadding,
	crypt.ErrFileMagic, crypt.ErrFileSessionKey, crypt.ErrFileHeader, crypt.ErrFilePadding,
}

// IsAuthentication reports whether sealed data was altered, moved or malformed (exit status 5).
func IsAuthentication(err error) bool {
	for _, target := range authentication {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// Class names the fault of a sealed document in the words of the vectors' "expect:" header; "" for any other error.
func Class(err error) string {
	for _, c := range []struct {
		err  error
		name string
	}{
		{crypt.ErrNoIdentity, "no-identity"},
		{crypt.ErrPayloadMagic, "payload-magic"},
		{crypt.ErrToMismatch, "to-mismatch"},
		{crypt.ErrKeyID, "kid-mismatch"},
		{crypt.ErrDataKey, "dk"},
		{crypt.ErrBoxLength, "box-length"},
		{crypt.ErrAEAD, "aead"},
		{crypt.ErrPadding, "padding"},
		{crypt.ErrBase64, "base64"},
		{manifest.ErrBase64, "base64"},
		{crypt.ErrAge, "age"},
		{crypt.ErrFileSessionKey, "file-session-key"},
		{crypt.ErrFileMagic, "file-magic"},
		{crypt.ErrFileHeader, "file-header"},
		{crypt.ErrFilePadding, "file-padding"},
		{ErrEnv, "file-env"},
		{ErrBinding, "binding"},
		{ErrType, "type"},
		{manifest.ErrUnknownSuite, "unknown-suite"},
		{manifest.ErrUnknownKey, "unknown-key"},
		{crypt.ErrLimit, "limit"},
		{manifest.ErrLimit, "limit"},
		{manifest.ErrParse, "parse"},
		{manifest.ErrSchema, "schema"},
	} {
		if errors.Is(err, c.err) {
			return c.name
		}
	}
	return ""
}

// marked adds a sentinel to an error without changing its text.
type marked struct {
	error
	mark error
}

func (m marked) Unwrap() error        { return m.error }
func (m marked) Is(target error) bool { return target == m.mark }

// markEach marks every one of joined faults, so that each keeps its place.
func markEach(err, mark error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return marked{err, mark}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, markEach(e, mark))
	}
	return errors.Join(all...)
}
