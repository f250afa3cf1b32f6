// Package crypt is suite 1, the cryptography of sealed manifests, and this comment is its specification.
// The package knows bytes and age. It knows no YAML, no files, no environment and no terminal.
//
// # Three layers
//
// A value is encrypted to a box under a key derived from a data key. A data key, fresh for each document
// and run, is encrypted under a session key. A session key, fresh for each run and recipient set, is the
// content of one age file (age-encryption.org/v1, c2sp.org/age). So one unwrap opens a repository that was
// encrypted in one run, while no two documents share a data key.
//
// # Notation
//
//	D            the ASCII text "ageseal.dev/suite-1"
//	a ‖ b        concatenation
//	LP(x1…xn)    n, then for each part its length and its bytes; numbers are 32 bits, big-endian
//	OPT(x)       00 if x is absent, else 01 ‖ x
//	B32          base32 (RFC 4648) in lower case without padding
//	B64          base64 (RFC 4648, section 4) with padding, on one line
//	HKDF         HKDF-SHA-256 (RFC 5869): key, salt, info, length in bytes; ∅ is the empty salt
//	AEAD         ChaCha20-Poly1305 (RFC 8439), a nonce of 12 zero bytes, no additional data
//
// Every AEAD key encrypts one message only, which is what makes the constant nonce safe.
//
// # Recipients
//
// A recipient's text is canonical: parsed and written again, lower-case bech32, and for ssh keys "type base64". Its
// fingerprint is a label of 16 characters for people and for comparison with a list, never a proof:
//
//	fingerprint = B32(SHA-256(D ‖ " recipient\n" ‖ text)[0:10])
//
// # Session key
//
//	sk      = 32 random bytes
//	payload = D ‖ " session key\n" ‖ sk ‖ LP(fingerprints of all recipients, ascending)
//	age     = B64(payload, encrypted with age to all recipients; the binary form)
//	to      = the same fingerprints, in the document
//
// Post-quantum and classic recipients never share a session key, and none has a passphrase.
//
// # Data key
//
//	dk       = 32 random bytes
//	id       = B32(HKDF(dk, ∅, D ‖ " data key id", 20))
//	dk-field = B64(AEAD(HKDF(sk, ∅, LP(D ‖ " wrap", id), 32), dk))
//
// A document carries the id and, as dk, the dk-field. The id commits to the data key, which the AEAD does
// not: a reader has to compute it again.
//
// # Value
//
// A value is bound to the namespace and name of its Secret and to its key there. A binding without a
// namespace differs from every binding with one.
//
//	salt = 16 random bytes
//	k    = HKDF(dk, salt, LP(D ‖ " value", id, OPT(namespace), OPT(name), key), 32)
//	box  = B64(salt ‖ AEAD(k, pad(value)))
//
// pad appends one byte 80 and then zeros up to bucket(n), n being the length with the byte 80. The
// buckets are those of Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
// Communication with PURBs", 2019) with a floor of 64:
//
//	bucket(n) = 64 for n ≤ 64, else n rounded up to a multiple of max(64, 2^(E-S)),
//	            E = ⌊log2 n⌋, S = ⌊log2 E⌋ + 1
//
// # Sealed file
//
// A file by itself, one value or a dotenv, is an armored age file. Its plaintext is a header of at most 64 KiB, each line
// ended by \n, and the content:
//
//	D ‖ " file"
//	use: value             or env
//	namespace: prod        absent if no namespace is bound
//	name: app-tls          absent if no name is bound
//	key: keystore.p12      with use value: the Secret's key, [-._a-zA-Z0-9]{1,253} and neither . nor ..…
//	pad: 000…0             bucket(n) - n zeros, n being the length of the plaintext with none
//	                       an empty line
//
// Fields stand in this order. A wrapped session key is an age file, too: the first line tells them apart, and a
// reader that hands out the content of any other age file hands out session keys.
//
// # Shared identity
//
// The identity of a group is an armored age file, to recipients of its own kind, that holds an identity file: comments,
// and one native identity. OpenIdentity hands out that, checked against the recipient it has to have, and never the text.
//
// # Opening
//
// In this order, and the first fault ends it: limits; strict base64 (decoded, encoded again, compared);
// the age file; magic and shape of its payload; to equal to the list inside; the data key; its id; then
// for each value its length, the AEAD, and the padding, of which exactly one form is right. Each step has
// an error of its own, so a caller can tell altered data from data for somebody else.
//
// Limits: 384 KiB of base64 and 64 KiB of payload for a wrapped session key, 128 recipients, 1,048,576
// bytes of plaintext.
//
// # Rules that the types hold
//
// New plaintext is never encrypted under a data key that came out of a document: who planted it there, or
// was removed as a recipient since, may know it. DataKey.Seal panics for such a key. A joining recipient
// is a new Session around the data keys as they are; a leaving one needs new data keys and boxes.
//
// # Example
//
// Keys, salt and identity are made of text here. The identity is the X25519 scalar
// "ageseal.dev: a published example", the session key "the session key of this example!", the data key
// "the data key, for all to see. ok", the salt "a salt of 16 ...". The value is "hunter2" under the key
// password of the Secret prod/db.
//
//	recipient: age19zz5kvlcpjcpktnucqek8wjteup9pf2l9nkjsnxuuelrh9452s5quqnzqw
//	to: uyhnyqzobixpg24w
//	age: YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBFRTkwZGRndFRqazQ5eTRYRHNFdTg1TDlHWEZYMzVhMWllbVl4b2tyU0dnCnNBaHZPS0MvdS9RVnhHSGY2UnJ6Tm8xVXVNQXZzazQ4ajRxNi90RlhySEUKLS0tIGtwRm1yK2NaUVdTZjUzdHpEVmdlMHppM3BiS3VmZUFzRFI0aDF2STYvQWsKGKUFzX1U7+x7Szv3G4bLDzoTamGa9eZ5POdhJSNHc22webaoNPbPUhIB04YpdSkmB0d1j0qjz3vcoaOZGTSQjNXXRBeGDHgRUDJBnFdzAM3FLyJF9gmGx6EJzppF7GWvhzrK0973dZ8MbPNZN9FG6GbyFi9hP+fe
//	id: e2lhxmjdvafdmn6z5ls7ocfesamn254x
//	dk: KGfWyazdLTnhtvjGH6NALuyFlWzSFMajPrJNLvGrrMBV8iqxC5utfiShcO+6fo6C
//	box: YSBzYWx0IG9mIDE2IC4uLkbD5LLBoaaXHazRojJoyOIvxCKfYwKcvi4PfZffrSGJ2Edlk7z9TdqugKYTSgObzkwSkFf74Cce2UEOeusqu96f1JatjdJtDw+Pkgp8mSl9
package crypt
