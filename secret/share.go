package secret

import (
	"slices"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// Sharing says what may be given to recipients that it was not sealed for (rule 6 for writers): else a copy of prod/db.yaml below a wider
// rule would be opened up by the next honest run.
type Sharing struct {
	// Resolved reports whether the very rule that governs this path resolved to these fingerprints in a policy that the user accepted.
	Resolved func(to []string) bool
	Widen    bool // the user insists, for this file
}

// allow checks that the values of these keys may be sealed for the recipients. The document must have been opened: only then is each "to"
// known to be the one that was sealed.
func (s Sharing) allow(doc *manifest.EncryptedSecret, keys []string, recipients []*crypt.Recipient) error {
	target := crypt.Fingerprints(recipients)
	for _, id := range referenced(doc.Spec.Data) {
		if slices.ContainsFunc(keys, func(key string) bool { return doc.Spec.Data[key].By == id }) {
			if err := s.allowWrap(doc, id, target); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s Sharing) allowWrap(doc *manifest.EncryptedSecret, id string, target []string) error {
	wrap := doc.Spec.Wraps[id]
	if added := without(target, wrap.To); len(added) > 0 && !s.Widen && (s.Resolved == nil || !s.Resolved(wrap.To)) {
		return &Error{Line: wrap.Line, Secret: place(doc), Err: &WidenError{To: wrap.To, Added: added}}
	}
	return nil
}
