package secret

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// Unset removes values from a sealed Secret, and the data keys that no value needs any more. No private key is needed, and no other value
// changes. A key that is not there matches ErrNotFound; what an API server would refuse is refused, unless the Secret in the cluster will
// be deleted and made again, with recreate.
func Unset(item *manifest.Item, s *manifest.EncryptedSecret, recreate bool, keys ...string) error {
	if err := CheckBinding(s); err != nil {
		return err
	}
	spec := cloneSpec(s.Spec)
	var faults []error
	for _, key := range keys {
		if _, ok := spec.Data[key]; !ok {
			faults = append(faults, &Error{Line: s.Spec.Line, Secret: place(s), Key: key, Err: marked{errors.New("no such key"), ErrNotFound}, Hint: hasKeys(s)})
			continue
		}
		faults = append(faults, CheckUnset(s, key, recreate))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	for _, key := range keys {
		delete(spec.Data, key)
	}
	prune(spec)
	item.SetSpec(spec)
	return nil
}

// Move binds a sealed Secret to another namespace or name, or to no namespace, and renames it in metadata where that names it. Every
// value is opened, and encrypted again under a fresh data key. others are the Secrets of the file, none of which may be bound to the same. It
// returns what the Secret is called now.
func (w *Writer) Move(item *manifest.Item, s *manifest.EncryptedSecret, to manifest.Binding, others []*manifest.EncryptedSecret, o EditOptions) (now string, err error) {
	values, err := OpenForReading(s, o.Opener)
	if err != nil {
		return "", err
	}
	fault := func(err error) error { return &Error{Line: s.Spec.Line, Secret: place(s), Err: err} }
	spec := cloneSpec(s.Spec)
	spec.Binding = to
	if to == s.Spec.Binding {
		return "", fault(fmt.Errorf("is bound to %s already", Ref(to.Namespace, to.Name)))
	}
	if err := CheckName(changedTo(s.Spec.Binding.Namespace, to.Namespace), changedTo(s.Spec.Binding.Name, to.Name)); err != nil {
		return "", err
	}
	for _, other := range others {
		if other.Spec.Binding == to && other.Spec.Line != s.Spec.Line {
			return "", fault(fmt.Errorf("another Secret of the file is bound to %s already: their values could be exchanged", Ref(to.Namespace, to.Name)))
		}
	}
	if err := o.allow(s, sortedKeys(values), o.Recipients); err != nil {
		return "", err
	}
	if err := w.seal(spec, o.Recipients, values); err != nil {
		return "", fault(err)
	}
	item.Rebind(spec, changedTo(s.Spec.Binding.Namespace, to.Namespace), changedTo(s.Spec.Binding.Name, to.Name))
	return Ref(to.Namespace, to.Name), nil
}

// changedTo is to if it is another, else "".
func changedTo(from, to string) string {
	if from == to {
		return ""
	}
	return to
}

// Described is what a sealed Secret tells without a private key.
type Described struct {
	*manifest.EncryptedSecret
	Ref    string           // namespace/name
	Values []DescribedValue // sorted by key
	Unused []string         // ids of data keys that no value needs
	Keys   int              // data keys that values need
	Misfit error            // the metadata differ from the binding
	Item   *manifest.Item   // where it stands
}

// DescribedValue is one value: padding hides its length within a class.
type DescribedValue struct {
	Key         string
	Least, Most int      // bytes
	To          []string // fingerprints of who can read it
}

// Describe reads a sealed item. What it says is what the document claims: only opening it proves it.
func Describe(item *manifest.Item) (*Described, error) {
	s, err := Read(item)
	if err != nil {
		return nil, err
	}
	d := &Described{EncryptedSecret: s, Ref: place(s), Item: item, Misfit: CheckBinding(s)}
	ids := referenced(s.Spec.Data)
	d.Keys = len(ids)
	d.Unused = without(sortedKeys(s.Spec.Wraps), ids)
	for _, key := range sortedKeys(s.Spec.Data) {
		box := s.Spec.Data[key]
		least, most, err := crypt.SizeClass(box.Box)
		if err != nil {
			return nil, &Error{Line: box.Line, Secret: d.Ref, Key: key, Err: err, Hint: hintFor(err)}
		}
		d.Values = append(d.Values, DescribedValue{Key: key, Least: least, Most: most, To: s.Spec.Wraps[box.By].To})
	}
	return d, nil
}

func hasKeys(s *manifest.EncryptedSecret) string {
	if len(s.Spec.Data) == 0 {
		return "it has none"
	}
	return "it has: " + strings.Join(sortedKeys(s.Spec.Data), ", ")
}
