package crypt

import "errors"

// Suite is the number that selects every algorithm and encoding of this package.
const Suite = 1

// domain starts every hash, key-derivation and payload input. It stays as it is for ever, whatever the
// API group of the documents is called later.
const domain = "ageseal.dev/suite-1"

// Limits of suite 1. Whatever is larger is refused before work is spent on it.
const (
	MaxPlaintext  = 1 << 20   // bytes of all values of one Secret, hence of one value: Kubernetes' own limit
	MaxRecipients = 128       // recipients of one session key
	MaxAge        = 384 << 10 // base64 characters of one wrapped session key
	MaxFile       = 2 << 20   // bytes of one sealed file: MaxPlaintext, the longest header and MaxRecipients in armor are less
	maxPayload    = 64 << 10  // bytes read from one opened age file
	maxHeader     = 64 << 10  // bytes of a sealed file's header, with its blank line
)

const keySize = 32 // bytes of a session key and of a data key

// Binding names the Secret that a value is authenticated with. An empty field is an absent one.
type Binding struct{ Namespace, Name string }

// Wrap is what a document carries for one data key: the data key under a session key, and that session
// key under its recipients. All of it is text as it stands in the document.
type Wrap struct {
	To  []string // sorted fingerprints of the recipients
	Age string   // standard base64 of one binary age file: the session key
	DK  string   // standard base64: the data key under the session key
}

// One sentinel for each way in which opening fails; match with errors.Is. No error of this package
// quotes plaintext, ciphertext or a private key.
var (
	ErrBase64       = errors.New("malformed base64")
	ErrNoIdentity   = errors.New("no identity matches")
	ErrAge          = errors.New("the age file was altered or is malformed")
	ErrPayloadMagic = errors.New("the age file does not hold a session key")
	ErrToMismatch   = errors.New("the list of recipients was altered")
	ErrDataKey      = errors.New("the data key was altered, or copied from another entry")
	ErrKeyID        = errors.New("the data key does not belong to its id")
	ErrBoxLength    = errors.New("the value has an impossible length")
	ErrAEAD         = errors.New("the value was altered, or copied from another Secret or key")
	ErrPadding      = errors.New("the value has malformed padding")
	ErrLimit        = errors.New("over a limit")

	ErrUnavailable = errors.New("the key could not be used") // no plugin, no passphrase

	ErrFileMagic      = errors.New("an age file, but no sealed file")
	ErrFileSessionKey = errors.New("no sealed file, but a session key copied out of a sealed manifest")
	ErrFileHeader     = errors.New("the header of the sealed file is malformed")
	ErrFilePadding    = errors.New("the sealed file has malformed padding")
)

// What is wrong with the text of a key; match with errors.Is.
var (
	ErrIsIdentity   = errors.New("found an identity where a recipient was expected")
	ErrIsRecipient  = errors.New("found a recipient where an identity was expected")
	ErrUnsupported  = errors.New("not supported")
	ErrNoRecipients = errors.New("no recipient")
)
