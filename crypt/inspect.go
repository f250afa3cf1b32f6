package crypt

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
	"golang.org/x/crypto/chacha20poly1305"
)

// FileFacts is what a sealed file says without a key. What it is for is encrypted, and age names no recipient.
type FileFacts struct {
	PostQuantum, Classic int    // recipients
	Other                int    // stanzas of other types: a plugin's, or nobody's, which some writers add to keep readers tolerant
	Least, Most          int    // bytes of content: the header and padding hide the rest
	Armor                []byte // the file as SealFile writes it: copies are alike in it, whatever became of line ends
}

// Recipients is their number.
func (f *FileFacts) Recipients() int { return f.PostQuantum + f.Classic + f.Other }

// Fits reports whether the file may be sealed for these recipients: there are as many, of the same kind. Whether it is nobody can tell,
// not even who opens it.
func (f *FileFacts) Fits(to []*Recipient) bool {
	postQuantum, classic := 0, len(Fingerprints(to))
	if slices.ContainsFunc(to, (*Recipient).PostQuantum) {
		postQuantum, classic = classic, 0
	}
	return f.PostQuantum == postQuantum && f.Classic+f.Other == classic && f.Other <= Plugins(to)
}

// Plugins is how many of rs a plugin encrypts to: it may write a stanza of a type of its own, one for each.
func Plugins(rs []*Recipient) int {
	n := 0
	for _, r := range rs {
		if r.plugin != "" {
			n++
		}
	}
	return n
}

// InspectFile reads what a sealed file says without a key.
//
// The order of checks: limits, armor, the header of age, the length of the content. Errors: ErrLimit, ErrAge (armor, too), ErrFileMagic
// for a passphrase and for a length that no sealed file has. That a file passes does not make it one: its first line is encrypted.
func InspectFile(armored []byte) (*FileFacts, error) {
	if len(armored) > MaxFile {
		return nil, fmt.Errorf("the sealed file is %w of %d bytes", ErrLimit, MaxFile)
	}
	facts, file, header, err := inspect(armored)
	if err != nil {
		return nil, err
	}
	n := contentLength(file - header)
	if n < minBucket || bucket(n) != n || n > bucket(longestHeader()+MaxPlaintext) {
		return nil, fmt.Errorf("%w: its content has a length that none has, or it was cut", ErrFileMagic)
	}
	facts.Least, _ = fileSizes(n, longestHeader())
	_, facts.Most = fileSizes(n, shortestHeader())
	return facts, nil
}

// InspectIdentity reads what the file of a shared identity says without a key: its recipients, and Armor. Errors: as of InspectFile.
func InspectIdentity(armored []byte) (*FileFacts, error) {
	if len(armored) > MaxIdentityFile {
		return nil, fmt.Errorf("the file is %w of %d bytes", ErrLimit, MaxIdentityFile)
	}
	facts, file, header, err := inspect(armored)
	if err == nil && contentLength(file-header) <= 0 {
		return nil, fmt.Errorf("%w: it was cut", ErrAge)
	}
	return facts, err
}

// inspect reads an armored age file; file and header are their lengths.
func inspect(armored []byte) (facts *FileFacts, fileLength, headerLength int, err error) {
	fail := func(err error) (*FileFacts, int, int, error) { return nil, 0, 0, err }
	file, err := io.ReadAll(armor.NewReader(bytes.NewReader(armored)))
	if err != nil {
		return fail(armorFault(armored))
	}
	facts, header, err := inspectHeader(file)
	if err != nil {
		return fail(err)
	}
	facts.Armor, err = armorOf(file)
	return facts, len(file), header, err
}

// InspectWrap reads what a wrapped session key, in base64, says without a key: its recipients. Errors: ErrLimit, ErrBase64, ErrAge, ErrFileMagic
// for a passphrase.
func InspectWrap(text string) (*FileFacts, error) {
	if len(text) > MaxAge {
		return nil, fmt.Errorf("the wrapped session key is %w of %d characters", ErrLimit, MaxAge)
	}
	file, err := decodeBase64(text)
	if err != nil {
		return nil, err
	}
	facts, _, err := inspectHeader(file)
	return facts, err
}

// inspectHeader counts the recipients of an age file, and gives the length of its header.
func inspectHeader(file []byte) (*FileFacts, int, error) {
	fail := func(err error) (*FileFacts, int, error) { return nil, 0, err }
	header, err := age.ExtractHeader(bytes.NewReader(file))
	if err != nil {
		return fail(ErrAge)
	}
	var seen stanzas
	_, _ = age.DecryptHeader(header, &seen) // it opens nothing
	if slices.ContainsFunc(seen, func(s *age.Stanza) bool { return s.Type == "scrypt" }) {
		return fail(fmt.Errorf("%w: it is encrypted with a passphrase", ErrFileMagic))
	}
	if err := checkStanzas(seen); err != nil {
		return fail(err)
	}
	facts := &FileFacts{}
	for _, s := range seen {
		if n := shareLength(s.Type); n > 0 && (len(s.Args) != 1 || len(s.Args[0]) != base64.RawStdEncoding.EncodedLen(n) || len(s.Body) != wrappedKeySize) {
			return fail(fmt.Errorf("%w: a recipient in it has an impossible length", ErrAge))
		}
		switch {
		case slices.Contains(postQuantumStanzas, s.Type):
			facts.PostQuantum++
		case slices.Contains(classicStanzas, s.Type):
			facts.Classic++
		default:
			facts.Other++
		}
	}
	return facts, len(header), nil
}

// stanzas is an identity that opens nothing and takes down what age itself parsed.
type stanzas []*age.Stanza

func (s *stanzas) Unwrap(all []*age.Stanza) ([]byte, error) {
	*s = all
	return nil, age.ErrIncorrectIdentity
}

// wrappedKeySize is that of age's file key with its tag, in bytes.
const wrappedKeySize = 16 + chacha20poly1305.Overhead

// shareLength is how many bytes a stanza of one of age's own types has for its recipient to agree with, 0 for other types: an X25519 point, and
// for the hybrid kind an ML-KEM-768 ciphertext, too.
func shareLength(stanza string) int {
	switch stanza {
	case "X25519":
		return 32
	case "mlkem768x25519":
		return 1088 + 32
	}
	return 0
}

// contentLength is how long the plaintext of an age payload of n bytes is: a nonce, then chunks of 64 KiB with a tag each. The last one is
// only empty where it is the only one (age v1, "Payload"). Negative for what is no payload.
func contentLength(n int) int {
	const nonce, chunk, tag = 16, 64 << 10, chacha20poly1305.Overhead
	n -= nonce
	chunks := (n + chunk + tag - 1) / (chunk + tag)
	if n < tag || chunks > 1 && n-(chunks-1)*(chunk+tag) <= tag {
		return -1
	}
	return n - chunks*tag
}

// SizeClass gives the least and the most bytes that content of a file with this header and of this padded length can have.
func (f *File) SizeClass() (least, most int) {
	header := f.headerLength()
	return fileSizes(bucket(header+len(f.Content)), header)
}

func fileSizes(padded, header int) (least, most int) {
	if padded > minBucket {
		least = max(0, padded-step(padded-1)+1-header)
	}
	return least, min(padded-header, MaxPlaintext)
}

// headerLength is the length of everything before the content, without padding.
func (f *File) headerLength() int { return len(f.fields()) + len(padField) + len("\n\n") }

func shortestHeader() int { return (&File{Use: UseEnv}).headerLength() }

func longestHeader() int {
	long := strings.Repeat("x", maxName)
	return (&File{Use: UseValue, Binding: Binding{Namespace: long, Name: long}, Key: long}).headerLength()
}

// armorFault says what is wrong with armor, as far as it can be said without quoting it.
func armorFault(text []byte) error {
	at := bytes.Index(text, []byte(armor.Footer))
	switch {
	case at < 0:
		return fmt.Errorf("%w: its last line is missing", ErrAge)
	case len(bytes.TrimSpace(text[at+len(armor.Footer):])) > 0:
		return fmt.Errorf("%w: something follows its last line", ErrAge)
	}
	return ErrAge
}
