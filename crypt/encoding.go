package crypt

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
)

// Lengths of base32 texts, in characters.
const (
	idLen          = 32 // 20 bytes
	fingerprintLen = 16 // 10 bytes
)

var b32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// isBase32 reports whether s is n characters of the alphabet of ids and fingerprints.
func isBase32(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// decodeBase64 is strict: what it accepts is exactly what base64.StdEncoding writes. The encoding's own
// Strict still skips CR and LF, so the result is encoded again and compared, in pieces that stay on the stack.
func decodeBase64(s string) ([]byte, error) {
	out, err := base64.StdEncoding.DecodeString(s)
	if err != nil || base64.StdEncoding.EncodedLen(len(out)) != len(s) {
		return nil, ErrBase64
	}
	const piece = 3 * 256
	var buf [piece / 3 * 4]byte
	rest := s
	for from := 0; from < len(out); from += piece {
		b := out[from:min(from+piece, len(out))]
		n := base64.StdEncoding.EncodedLen(len(b))
		base64.StdEncoding.Encode(buf[:n], b)
		if string(buf[:n]) != rest[:n] {
			return nil, ErrBase64
		}
		rest = rest[n:]
	}
	return out, nil
}

// appendCount starts a list of n parts, LP in the specification; appendPart adds one.
func appendCount(b []byte, n int) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }

func appendPart(b []byte, part string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
	return append(b, part...)
}

// appendOptional adds a part that may be absent, OPT in the specification: absent and empty differ.
func appendOptional(b []byte, part string) []byte {
	if part == "" {
		return append(binary.BigEndian.AppendUint32(b, 1), 0)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(1+len(part)))
	return append(append(b, 1), part...)
}

func appendList(b []byte, parts []string) []byte {
	b = appendCount(b, len(parts))
	for _, p := range parts {
		b = appendPart(b, p)
	}
	return b
}

// derive is HKDF-SHA-256 (RFC 5869). A nil salt is the RFC's string of zeros.
func derive(key, salt []byte, info string, n int) []byte {
	out, err := hkdf.Key(sha256.New, key, salt, info, n)
	if err != nil {
		panic("crypt: " + err.Error()) // not reached: only for lengths that no caller here asks for
	}
	return out
}
