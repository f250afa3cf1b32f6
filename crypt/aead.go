package crypt

import (
	"crypto/cipher"

	"golang.org/x/crypto/chacha20poly1305"
)

// newAEAD is ChaCha20-Poly1305 (RFC 8439) under a key from derive.
func newAEAD(key []byte) cipher.AEAD {
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		panic("crypt: " + err.Error()) // not reached: only for a key that is not 32 bytes
	}
	return aead
}
