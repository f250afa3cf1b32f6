package crypt

import (
	"crypto/sha256"
	"encoding/hex"
)

// Mark is a short name, 16 hexadecimal digits, for a box or for the armor of a sealed file: enough to see later whether the same is still in
// place. It says nothing of the value, and nothing but what is in clear anyway rests on it.
func Mark(sealed string) string {
	sum := sha256.Sum256([]byte(sealed))
	return hex.EncodeToString(sum[:8])
}
