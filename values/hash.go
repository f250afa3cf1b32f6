package values

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// HashLength is the number of characters that Hash gives.
const HashLength = 10

// Hash is what "kubectl create secret --append-hash" puts behind name and "-": a short hash of type, name and plaintext
// (k8s.io/kubectl/pkg/util/hash). typ is "" and immutable nil where the Secret has none. Whoever reads it can test guesses of
// weak values.
func (v *Values) Hash(name, typ string, immutable *bool) (string, error) {
	data := v.bytes
	if data == nil {
		data = map[string][]byte{} // null would be another text
	}
	m := map[string]any{"kind": "Secret", "type": typ, "name": name, "data": data}
	if immutable != nil {
		m["immutable"] = *immutable
	}
	text, err := json.Marshal(m)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	// No vowels, no digits that look like them: no words come about.
	safe := strings.NewReplacer("0", "g", "1", "h", "3", "k", "a", "m", "e", "t")
	return safe.Replace(hex.EncodeToString(sum[:])[:HashLength]), nil
}
