package kustomize

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// redactedAnnotation is on every Secret of a redacted build that holds a placeholder for a sealed value, as "true": whoever
// looks at one in a cluster sees what it is, and an admission policy can refuse it. A real build never writes it.
const redactedAnnotation = secret.RedactedAnnotation

// redactedDomain keeps the hashes in redacted values apart from any other hash of the same ciphertext.
const redactedDomain = "ageseal.dev/redacted\n"

// redactor is the source of a build without a key.
type redactor struct{}

// RedactedDotenv begins the key that stands for those of a sealed dotenv, which are inside.
const RedactedDotenv = "REDACTED_DOTENV_"

// file stands for a sealed file, whose header is encrypted, too: it may be placed in any Secret, and under any key.
func (redactor) file(s *sealedSource) (*secret.File, error) {
	if !crypt.IsArmored(s.text) {
		return nil, &manifest.Error{Err: crypt.ErrFileMagic, Hint: "make it with: ageseal encrypt --as value"}
	}
	f := &secret.File{File: crypt.File{Use: crypt.UseValue}}
	token, key := redactedToken(s.text), ""
	if s.env {
		// A key of its own for each: a generator may list several.
		f.Use, key = crypt.UseEnv, RedactedDotenv+strings.ToUpper(token[len(token)-8:])
	}
	f.Values = map[string]manifest.Value{key: {Bytes: []byte(token)}}
	return f, nil
}

// values says of the boxes what can be said without a key: those that can be none are refused. The errors are *manifest.Error.
func (redactor) values(s *manifest.EncryptedSecret) (map[string][]byte, error) {
	values := make(map[string][]byte, len(s.Spec.Data))
	var faults []error
	for _, key := range slices.Sorted(maps.Keys(s.Spec.Data)) {
		box := s.Spec.Data[key]
		if _, _, err := crypt.SizeClass(box.Box); err != nil {
			faults = append(faults, &manifest.Error{Line: box.Line, Secret: secretRef(s.Namespace, s.Name), Key: key, Err: err,
				Hint: "restore the line from git history, or set the value again"})
			continue
		}
		values[key] = redactedValue(key, []byte(box.Box))
	}
	return values, errors.Join(faults...)
}

// redactedValue stands for the value of a key. It depends on the ciphertext alone, so that it changes when the value is
// written again and never otherwise, and on no plaintext: not even two equal values look alike. It is as long for each value,
// and short enough to stay on one line (wrapAt). Two keys hold JSON wherever they occur (secret.Check has the rules of types).
func redactedValue(key string, ciphertext []byte) []byte {
	return redactedForm(key, redactedToken(ciphertext))
}

func redactedToken(ciphertext []byte) string {
	h := sha256.New()
	h.Write([]byte(redactedDomain))
	h.Write(ciphertext)
	return "redacted-" + hex.EncodeToString(h.Sum(nil)[:8])
}

func redactedForm(key, token string) []byte {
	switch key {
	case ".dockerconfigjson":
		token = fmt.Sprintf(`{"auths":{%q:{}}}`, token+".invalid")
	case ".dockercfg":
		token = fmt.Sprintf(`{%q:{}}`, token+".invalid")
	}
	return []byte(token)
}

// markRedacted puts the annotation on a Secret, whatever the tree says of it.
func (p *placed) markRedacted() error {
	all := p.res.GetAnnotations()
	if all == nil {
		all = make(map[string]string)
	}
	all[redactedAnnotation] = "true"
	return p.res.SetAnnotations(all)
}
