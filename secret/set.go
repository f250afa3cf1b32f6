package secret

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// Select finds the one sealed Secret of the file that namespace and name mean; "" means any. A file with several needs
// a name. Faults: ErrNotFound, and every fault of Read.
func Select(f *manifest.File, namespace, name string) (*manifest.Item, *manifest.EncryptedSecret, error) {
	var item *manifest.Item
	var found *manifest.EncryptedSecret
	var all []string
	var native *manifest.Item
	var fit []string
	for _, it := range f.Items() {
		if it.Kind == manifest.Native {
			native = it
		}
		if it.Kind != manifest.Sealed && it.Kind != manifest.Broken {
			continue
		}
		s, err := Read(it)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, place(s))
		if isNamed(s, namespace, name) {
			fit = append(fit, place(s))
			item, found = it, s
		}
	}
	switch {
	case len(fit) > 1:
		return nil, nil, &Error{Err: fmt.Errorf("more than one Secret fits: %s", strings.Join(fit, ", ")),
			Hint: "pick one with --name and --namespace"}
	case found != nil:
		return item, found, nil
	}
	return nil, nil, notFound(all, native)
}

// All reads the sealed Secrets of the file that namespace and name mean; "" means any. Faults: ErrNotFound where there is none, and every
// fault of Read.
func All(f *manifest.File, namespace, name string) ([]*manifest.EncryptedSecret, error) {
	_, docs, faults := sealedItems(f)
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(slices.Clone(docs), func(s *manifest.EncryptedSecret) bool { return !isNamed(s, namespace, name) })
	if len(found) == 0 {
		_, _, err := Select(f, namespace, name)
		return nil, err
	}
	return found, nil
}

// isNamed says whether a sealed Secret is one that namespace and name mean; "" means any.
func isNamed(s *manifest.EncryptedSecret, namespace, name string) bool {
	return (name == "" || name == s.Spec.Binding.Name || name == s.Name) &&
		(namespace == "" || namespace == s.Spec.Binding.Namespace || namespace == s.Namespace)
}

// notFound says what a file has instead: other sealed Secrets, or a native one.
func notFound(sealed []string, native *manifest.Item) error {
	switch {
	case len(sealed) > 0:
		return &Error{Err: marked{fmt.Errorf("no such Secret in this file; it has %s", strings.Join(sealed, ", ")), ErrNotFound}}
	case native != nil:
		return &Error{Line: native.Line, Err: marked{errors.New("the Secret is not encrypted yet"), ErrNotFound}, Hint: "ageseal encrypt -w"}
	}
	return &Error{Err: marked{errors.New("no sealed Secret in this file"), ErrNotFound}}
}

// SetOptions say for whom a value is encrypted, and under which checks.
type SetOptions struct {
	Target
	Recreate bool             // the Secret in the cluster will be deleted and made again: it may be immutable
	Now      func() time.Time // for certificates; nil for time.Now
}

// Set encrypts one value into a sealed Secret, new or in place of another, under a fresh data key. No private key is
// needed; other values keep their bytes. What an API server would refuse is refused as far as it shows without one. Of the
// warnings one is ErrManyKeys.
func (w *Writer) Set(item *manifest.Item, s *manifest.EncryptedSecret, key string, value []byte, o SetOptions) ([]Error, error) {
	at := place(s)
	fault := func(err error, hint string) error {
		return &Error{Line: s.Spec.Line, Secret: at, Key: key, Err: err, Hint: hint}
	}
	if !manifest.IsSecretKey(key) {
		return nil, fault(errors.New("not a key of a Secret: 1 to 253 letters, digits, '-', '_' or '.', not '..' at the beginning"), "")
	}
	if err := CheckBinding(s); err != nil {
		return nil, err
	}
	if err := checkSet(item, s, key, value, o.Recreate); err != nil {
		return nil, err
	}
	spec := cloneSpec(s.Spec)
	if _, ok := spec.Data[key]; !ok && len(spec.Data) >= manifest.MaxValues {
		return nil, fault(fmt.Errorf("%w: %d values, %d at most", manifest.ErrLimit, len(spec.Data)+1, manifest.MaxValues), "")
	}
	if len(value) > manifest.MaxTotal {
		return nil, fault(fmt.Errorf("%w: a value of %d bytes, Kubernetes takes %d", manifest.ErrLimit, len(value), manifest.MaxTotal), "")
	}
	total := len(value)
	for other, box := range spec.Data {
		if other != key {
			total += crypt.LeastValue(box.Box)
		}
	}
	if total > manifest.MaxTotal {
		return nil, fault(fmt.Errorf("%w: the values would add up to %d bytes or more, Kubernetes takes %d", manifest.ErrLimit, total, manifest.MaxTotal),
			"split the Secret")
	}
	if err := w.seal(spec, o.Recipients, map[string][]byte{key: value}); err != nil {
		hint := ""
		if errors.Is(err, manifest.ErrLimit) {
			hint = "decrypt the file and encrypt it again: all values come under one data key"
		}
		return nil, fault(err, hint)
	}
	item.SetSpec(spec)

	var warnings []Error
	line := s.Spec.Data[key].Line
	for _, w := range Regrets(s.Spec.Type, map[string]manifest.Value{key: {Bytes: value, Line: line}}, now(o.Now)) {
		w.Secret = at
		warnings = append(warnings, w)
	}
	missing := faults{at: at}
	missing.required(spec.Type, func(k string) bool { _, ok := spec.Data[k]; return ok })
	for _, m := range missing.list {
		warnings = append(warnings, *m)
	}
	return append(warnings, manyKeys(spec, at)...), nil
}

// checkSet is Check and CheckUpdate for one value. Keys that the type needs besides come one by one: they are no fault.
func checkSet(item *manifest.Item, s *manifest.EncryptedSecret, key string, value []byte, recreate bool) error {
	f := faults{line: item.Line, at: place(s)}
	f.name(s.Namespace, s.Name)
	f.metadata(s.Labels, s.Annotations)
	f.account(s.Spec.Type, s.Annotations)
	f.line = s.Spec.Line
	if !recreate {
		f.immutable(s, key)
	}
	f.value(s.Spec.Type, key, value, f.line)
	return f.join()
}

// warnWraps is the number of data keys in one document from which a writer says so.
const warnWraps = 4

func manyKeys(spec *manifest.Spec, at string) []Error {
	if len(spec.Wraps) < warnWraps {
		return nil
	}
	err := fmt.Errorf("%d %w", len(spec.Wraps), ErrManyKeys)
	return []Error{{Secret: at, Err: err, Hint: "ageseal rekey --consolidate brings all values under one"}}
}
