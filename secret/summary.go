package secret

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/ageseal/ageseal/manifest"
)

// Summary is a manifest for people who compare two versions of it: a sealed document has one line for each value, with its size class, the
// beginning of its ciphertext's SHA-256, and who can read it, as readers says. Everything else, and what can't be read, is as it was.
func Summary(src []byte, readers func(to []string) string) []byte {
	f, err := manifest.Parse(src)
	if err != nil {
		return src
	}
	for _, item := range f.Items() {
		if item.Kind != manifest.Sealed {
			continue
		}
		d, err := Describe(item)
		if err != nil {
			continue
		}
		values := make(map[string]string, len(d.Values))
		for _, v := range d.Values {
			sum := sha256.Sum256([]byte(d.Spec.Data[v.Key].Box))
			values[v.Key] = fmt.Sprintf("%d to %d bytes, %s, readable by %s", v.Least, v.Most, hex.EncodeToString(sum[:4]), readers(v.To))
		}
		item.Summarize(&d.Spec, values)
	}
	return f.Bytes()
}
