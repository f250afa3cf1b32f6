package secret

import (
	"bytes"
	"slices"

	"github.com/ageseal/ageseal/manifest"
)

const recreateHint = "if the Secret in the cluster will be deleted and made again: --recreate; else give it another name"

// CheckUpdate is what an API server refuses of a change: another type, and under "immutable: true" any change of that and of the
// values (Kubernetes: ValidateSecretUpdate, pkg/apis/core/validation). was are the values of old, nil where nobody can open
// them: which of them changed goes unnoticed then. line is where the Secret begins.
func CheckUpdate(old *manifest.EncryptedSecret, was map[string][]byte, n *manifest.NativeSecret, line int) error {
	f := faults{line: line, at: checkedRef(n.Namespace, n.Name)}
	if from, to := typeOf(old.Spec.Type), typeOf(n.Type); from != to {
		f.add(recreateHint, "its type changes from %s to %s", shownType(from), shownType(to))
	}
	if !isTrue(old.Spec.Immutable) {
		return f.join()
	}
	if !isTrue(n.Immutable) {
		f.add(recreateHint, `"immutable: true" can't be taken back`)
	}
	for _, key := range sortedKeys(old.Spec.Data) {
		if _, ok := n.Values[key]; !ok {
			f.addKey(key, line, recreateHint, "the key is gone, and the Secret is immutable")
		}
	}
	for _, key := range sortedKeys(n.Values) {
		v := n.Values[key]
		if _, ok := old.Spec.Data[key]; !ok {
			f.addKey(key, v.Line, recreateHint, "the key is new, and the Secret is immutable")
		} else if was != nil && !bytes.Equal(was[key], v.Bytes) {
			f.addKey(key, v.Line, recreateHint, "the value changes, and the Secret is immutable")
		}
	}
	return f.join()
}

// shownType leaves out what can't be the name of a type: it may be a value that went astray.
func shownType(t string) string {
	if isQualified(t) {
		return t
	}
	return "another"
}

// CheckUnset is what an API server refuses of a sealed Secret that loses a key: its type needs the key, or it is immutable.
// recreate lets the latter pass: the Secret in the cluster will be deleted and made again. No private key is needed.
func CheckUnset(s *manifest.EncryptedSecret, key string, recreate bool) error {
	f := faults{line: s.Spec.Line, at: place(s)}
	if !recreate {
		f.immutable(s, key)
	}
	has := func(k string) bool { _, ok := s.Spec.Data[k]; return ok && k != key }
	if slices.Contains(CheckRequired(s.Spec.Type, has), key) {
		f.addKey(key, s.Spec.Data[key].Line, "set it to another value, or remove the Secret", "type %s needs this key", *s.Spec.Type)
	}
	return f.join()
}

// CheckImmutable is an error if the value of a key can't change, whatever it is: to be asked before anybody types one.
func CheckImmutable(s *manifest.EncryptedSecret, key string) error {
	f := faults{line: s.Spec.Line, at: place(s)}
	f.immutable(s, key)
	return f.join()
}

func (f *faults) immutable(s *manifest.EncryptedSecret, key string) {
	if isTrue(s.Spec.Immutable) {
		f.addKey(key, f.line, recreateHint, "the Secret is immutable")
	}
}

func isTrue(b *bool) bool { return b != nil && *b }
