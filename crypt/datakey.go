package crypt

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

const saltSize = 16 // bytes in front of every box

// zeroNonce is safe because every key that it is used with is derived for one message only.
var zeroNonce [chacha20poly1305.NonceSize]byte

// DataKey encrypts and opens the values of one document. Safe for concurrent use.
type DataKey struct {
	key    hidden[*[keySize]byte]
	id     string
	opened bool
}

// GenerateDataKey returns a fresh data key, the only kind that Seal accepts.
func GenerateDataKey() *DataKey {
	var key [keySize]byte
	rand.Read(key[:]) // never fails: crypto/rand ends the process instead
	return newDataKey(&key)
}

func newDataKey(key *[keySize]byte) *DataKey {
	return &DataKey{key: hide(key), id: b32.EncodeToString(derive(key[:], nil, domain+" data key id", idLen*5/8))}
}

// ID is the name of the data key in its document, 32 characters [a-z2-7], derived from the key.
func (k *DataKey) ID() string { return k.id }

// Format prints the id, whatever the verb.
func (k DataKey) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "data key %s", k.id) }

// Seal encrypts value for one key of the Secret that b names. Two calls never give the same box.
//
// It panics on two mistakes of a caller: a value over MaxPlaintext, and a data key that came from
// Opener.Unwrap, because new plaintext must never go under a data key found in a repository, where
// others may know it.
func (k *DataKey) Seal(b Binding, key string, value []byte) (box string) {
	if k.opened {
		panic("crypt: new plaintext under a data key from a document")
	}
	if len(value) > MaxPlaintext {
		panic("crypt: value over the limit")
	}
	var salt [saltSize]byte
	rand.Read(salt[:])
	return k.seal(&salt, b, key, value)
}

func (k *DataKey) seal(salt *[saltSize]byte, b Binding, key string, value []byte) string {
	n := bucket(len(value) + 1)
	out := make([]byte, saltSize+n, saltSize+n+chacha20poly1305.Overhead)
	padded := out[saltSize:]
	copy(out, salt[:])
	copy(padded, value)
	padded[len(value)] = endMark
	sealed := newAEAD(k.valueKey(salt[:], b, key)).Seal(padded[:0], zeroNonce[:], padded, nil)
	return base64.StdEncoding.EncodeToString(out[:saltSize+len(sealed)])
}

// Open decrypts one box, for the binding and key that it stands under. Errors: ErrBoxLength, ErrBase64,
// ErrAEAD, ErrPadding, ErrLimit.
func (k *DataKey) Open(b Binding, key, box string) ([]byte, error) {
	if len(box) > maxBoxText {
		return nil, ErrBoxLength
	}
	raw, err := decodeBase64(box)
	if err != nil {
		return nil, err
	}
	if !isBucket(len(raw) - saltSize - chacha20poly1305.Overhead) {
		return nil, ErrBoxLength
	}
	sealed := raw[saltSize:]
	padded, err := newAEAD(k.valueKey(raw[:saltSize], b, key)).Open(sealed[:0], zeroNonce[:], sealed, nil)
	if err != nil {
		return nil, ErrAEAD
	}
	return unpad(padded)
}

// maxBoxText is the length of the longest legal box, in characters.
var maxBoxText = base64.StdEncoding.EncodedLen(saltSize + bucket(MaxPlaintext+1) + chacha20poly1305.Overhead)

// valueKey derives the key of one box. Everything that a value is bound to is in here.
func (k *DataKey) valueKey(salt []byte, b Binding, key string) []byte {
	info := make([]byte, 0, 256)
	info = appendCount(info, 5)
	info = appendPart(info, domain+" value")
	info = appendPart(info, k.id)
	info = appendOptional(info, b.Namespace)
	info = appendOptional(info, b.Name)
	info = appendPart(info, key)
	return derive(k.key()[:], salt, string(info), chacha20poly1305.KeySize)
}
