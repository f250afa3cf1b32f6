package secret

import (
	"fmt"
	"strings"
	"sync"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// Writer encrypts during one run: one fresh session key for each recipient set, a fresh data key for each document.
// Nothing new is ever encrypted under a data key that was found in a document: whoever planted it, or was removed and
// kept it, could read along. Safe for concurrent use.
type Writer struct {
	mu       sync.Mutex
	sessions map[string]*crypt.Session
}

// NewWriter begins a run.
func NewWriter() *Writer { return &Writer{sessions: map[string]*crypt.Session{}} }

// Target is what the rule of a path says.
type Target struct {
	Recipients []*crypt.Recipient
	Through    []*crypt.Recipient // of those who read with an identity that one of Recipients stands for: they don't leave
	Namespace  string             // bound where a Secret's metadata names none; "" for none
}

func (w *Writer) session(to []*crypt.Recipient) (*crypt.Session, error) {
	texts := make([]string, len(to))
	for i, r := range to {
		texts[i] = r.String()
	}
	set := strings.Join(texts, "\n")
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.sessions[set]; s != nil {
		return s, nil
	}
	s, err := crypt.NewSession(to)
	if err != nil {
		return nil, err
	}
	w.sessions[set] = s
	return s, nil
}

// seal encrypts values under one fresh data key and enters them, with its wrap, into spec.
func (w *Writer) seal(spec *manifest.Spec, to []*crypt.Recipient, values map[string][]byte) error {
	if len(values) == 0 {
		prune(spec)
		return nil
	}
	session, err := w.session(to)
	if err != nil {
		return err
	}
	k := crypt.GenerateDataKey()
	wrap := session.Wrap(k)
	spec.Wraps[k.ID()] = manifest.Wrap{To: wrap.To, Age: wrap.Age, DK: wrap.DK}
	for key, value := range values {
		spec.Data[key] = manifest.Box{By: k.ID(), Box: k.Seal(crypt.Binding(spec.Binding), key, value)}
	}
	prune(spec)
	if n := len(spec.Wraps); n > manifest.MaxWraps {
		return fmt.Errorf("%w: %d data keys in one document, %d at most", manifest.ErrLimit, n, manifest.MaxWraps)
	}
	return nil
}

// prune drops the wraps that no value refers to (rule 2 for writers; needs no key).
func prune(spec *manifest.Spec) {
	used := make(map[string]bool, len(spec.Wraps))
	for _, box := range spec.Data {
		used[box.By] = true
	}
	for id := range spec.Wraps {
		if !used[id] {
			delete(spec.Wraps, id)
		}
	}
}
