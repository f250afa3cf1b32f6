// Package testkeys holds the identities of ageseal's tests. They are published: whatever is sealed to
// them is public. Only tests may import it.
//
// The keys are derived from the names, for two reasons: they are the same in every run, and no secret
// scanner finds a private key in this repository.
package testkeys

import (
	"crypto/sha256"
	"strings"

	"github.com/ageseal/ageseal/crypt"
)

// Alice, Bob and Carol are hybrid post-quantum.
func Alice() *crypt.Identity { return parse(AliceText()) }
func Bob() *crypt.Identity   { return parse(BobText()) }
func Carol() *crypt.Identity { return parse(CarolText()) }

// Dave and Erin are classic (X25519).
func Dave() *crypt.Identity { return parse(DaveText()) }
func Erin() *crypt.Identity { return parse(ErinText()) }

// The private keys as they stand in an identity file.
func AliceText() string { return PostQuantumText("alice") }
func BobText() string   { return PostQuantumText("bob") }
func CarolText() string { return PostQuantumText("carol") }
func DaveText() string  { return ClassicText("dave") }
func ErinText() string  { return ClassicText("erin") }

// PostQuantum returns the hybrid identity of any other name.
func PostQuantum(name string) *crypt.Identity { return parse(PostQuantumText(name)) }

// Classic returns the X25519 identity of any other name.
func Classic(name string) *crypt.Identity { return parse(ClassicText(name)) }

// PostQuantumText is the private key of PostQuantum(name).
func PostQuantumText(name string) string { return encode("AGE-SECRET-KEY-PQ-", seed(name)) }

// ClassicText is the private key of Classic(name).
func ClassicText(name string) string { return encode("AGE-SECRET-KEY-", seed(name)) }

func seed(name string) []byte {
	h := sha256.Sum256([]byte("ageseal published test key, never use it: " + name))
	return h[:]
}

func parse(text string) *crypt.Identity {
	id, err := crypt.ParseIdentity(text)
	if err != nil {
		panic("testkeys: " + err.Error())
	}
	return id
}

// encode is bech32 (BIP 173) in upper case, as age writes private keys.
func encode(prefix string, data []byte) string {
	const charset = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
	values := groups(data)
	var out strings.Builder
	out.WriteString(prefix + "1")
	for _, v := range append(values, checksum(strings.ToLower(prefix), values)...) {
		out.WriteByte(charset[v])
	}
	return out.String()
}

// groups cuts data into 5-bit values.
func groups(data []byte) []byte {
	var out []byte
	acc, bits := uint(0), 0
	for _, b := range data {
		acc, bits = acc<<8|uint(b), bits+8
		for ; bits >= 5; bits -= 5 {
			out = append(out, byte(acc>>(bits-5))&31)
		}
	}
	if bits > 0 {
		out = append(out, byte(acc<<(5-bits))&31)
	}
	return out
}

func checksum(prefix string, values []byte) []byte {
	sum := uint32(1)
	add := func(v byte) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for i := range len(prefix) {
		add(prefix[i] >> 5)
	}
	add(0)
	for i := range len(prefix) {
		add(prefix[i] & 31)
	}
	for _, v := range values {
		add(v)
	}
	for range 6 {
		add(0)
	}
	sum ^= 1
	var out []byte
	for i := range 6 {
		out = append(out, byte(sum>>(5*(5-i)))&31)
	}
	return out
}
