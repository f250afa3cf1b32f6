package secret

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// Read reads a sealed item strictly. Its errors match ErrMalformed as well as manifest's sentinels.
func Read(item *manifest.Item) (*manifest.EncryptedSecret, error) {
	if item.Kind == manifest.Broken {
		return nil, Broken(item)
	}
	s, err := item.Sealed()
	if err != nil {
		return nil, markEach(err, ErrMalformed)
	}
	return s, nil
}

// sealedItems reads every sealed item of the file. A document that can't be parsed is a fault: it could be a sealed one.
func sealedItems(f *manifest.File) (items []*manifest.Item, docs []*manifest.EncryptedSecret, faults []error) {
	for _, item := range f.Items() {
		if item.Kind != manifest.Sealed && item.Kind != manifest.Broken {
			continue
		}
		s, err := Read(item)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		items, docs = append(items, item), append(docs, s)
	}
	return items, docs, faults
}

// Broken is the fault of an item that can't be parsed. It matches ErrMalformed unless its text names no sealed document.
func Broken(item *manifest.Item) error {
	if !item.Ours {
		return item.Err
	}
	return markEach(item.Err, ErrMalformed)
}

// Open decrypts all values of a sealed document, or none. allowTypes are the credential types that whoever builds
// allows; the repository has no say in it. Faults are *Error, joined where there are several; they match the sentinels
// of crypt, and ErrBinding, ErrType, manifest.ErrLimit.
func Open(s *manifest.EncryptedSecret, o *crypt.Opener, allowTypes []string) (map[string][]byte, error) {
	values, _, err := open(s, o, allowTypes)
	return values, err
}

func open(s *manifest.EncryptedSecret, o *crypt.Opener, allowTypes []string) (map[string][]byte, map[string]*crypt.DataKey, error) {
	at := place(s)
	keys, err := unwrap(s, o)
	if err != nil {
		return nil, nil, err
	}
	binding := crypt.Binding(s.Spec.Binding)
	values := make(map[string][]byte, len(s.Spec.Data))
	var faults []error
	total := 0
	for _, key := range sortedKeys(s.Spec.Data) {
		box := s.Spec.Data[key]
		value, err := keys[box.By].Open(binding, key, box.Box)
		if err != nil {
			faults = append(faults, &Error{Line: box.Line, Secret: at, Key: key, Err: err, Hint: hintFor(err)})
			continue
		}
		values[key] = value
		total += len(value)
	}
	if len(faults) > 0 {
		return nil, nil, errors.Join(faults...)
	}
	if total > manifest.MaxTotal {
		return nil, nil, &Error{Line: s.Spec.Line, Secret: at, Err: fmt.Errorf("%w: the values add up to %d bytes, Kubernetes takes %d",
			manifest.ErrLimit, total, manifest.MaxTotal)}
	}
	if err := CheckBinding(s); err != nil {
		return nil, nil, err
	}
	if t := s.Spec.Type; t != nil && manifest.IsCredentialType(*t) && !slices.Contains(allowTypes, *t) {
		return nil, nil, &Error{Line: s.Spec.Line, Secret: at, Err: fmt.Errorf("%s: %w", *t, ErrType),
			Hint: "if you want it, say so on the command line: --allow-type " + *t}
	}
	return values, keys, nil
}

// unwrap gives the data keys that the document's values refer to. A wrap without a reference is never touched.
func unwrap(s *manifest.EncryptedSecret, o *crypt.Opener) (map[string]*crypt.DataKey, error) {
	keys := make(map[string]*crypt.DataKey, 1)
	var faults []error
	var none *NoIdentityError // one for the document, however many data keys it has
	for _, id := range referenced(s.Spec.Data) {
		w := s.Spec.Wraps[id]
		k, err := o.Unwrap(id, wrapOf(w))
		switch {
		case err == nil:
			keys[id] = k
			continue
		case errors.Is(err, crypt.ErrNoIdentity) && none != nil:
			none.To = union(none.To, w.To)
			continue
		case errors.Is(err, crypt.ErrNoIdentity):
			none = &NoIdentityError{To: w.To, Cause: err}
			err = none
		}
		faults = append(faults, &Error{Line: w.Line, Secret: place(s), Err: err, Hint: hintFor(err)})
	}
	return keys, errors.Join(faults...)
}

// sharedHint is for the file of a shared identity: what is sealed is as it was.
const sharedHint = "whoever can push writes that file and the policy: git log -p -- .ageseal .ageseal.yaml; restore both from a commit that was looked at"

// CheckBinding compares metadata with the authenticated binding: what metadata names must be what is bound. It needs
// no key.
func CheckBinding(s *manifest.EncryptedSecret) error {
	b := s.Spec.Binding
	fault := func(field, got, bound string) error {
		return &Error{Line: s.Spec.Line, Secret: place(s), Err: fmt.Errorf("%w: metadata.%s is %s, sealed for %s", ErrBinding, field, shownName(got), shownName(bound)),
			Hint: "restore the metadata from git history; to rename or move a Secret: ageseal mv; where a kustomization does: ageseal build"}
	}
	if b.Name != "" && s.Name == "" {
		return &Error{Line: s.Spec.Line, Secret: place(s), Err: fmt.Errorf("%w: metadata.name is missing", ErrBinding), Hint: "restore it from git history"}
	}
	if b.Name != "" && s.Name != b.Name {
		return fault("name", s.Name, b.Name)
	}
	if b.Namespace != "" && s.Namespace != "" && s.Namespace != b.Namespace {
		return fault("namespace", s.Namespace, b.Namespace)
	}
	return nil
}

// shownName quotes a name, unless it can be none: then it may be a piece of something else.
func shownName(s string) string {
	if !IsName(s) && !isVariable(s) {
		return "another"
	}
	return strconv.Quote(s)
}

func hintFor(err error) string {
	switch {
	case errors.Is(err, crypt.ErrNoIdentity):
		return "" // the command knows names and sources, and says more
	case errors.Is(err, crypt.ErrShared):
		return sharedHint
	}
	return "restore it from git history, or set the value again"
}

// place is how messages name a Secret: namespace/name, the metadata's, else the binding's.
func place(s *manifest.EncryptedSecret) string {
	namespace, name := s.Namespace, s.Name
	if namespace == "" {
		namespace = s.Spec.Binding.Namespace
	}
	if name == "" {
		name = s.Spec.Binding.Name
	}
	return Ref(namespace, name)
}

// Ref joins namespace and name as messages do. What is not printable ASCII is quoted: a document must not steer a terminal.
func Ref(namespace, name string) string {
	ref := name
	if namespace != "" {
		ref = namespace + "/" + name
	}
	if strings.ContainsFunc(ref, func(r rune) bool { return r < ' ' || r > '~' }) {
		return strconv.QuoteToASCII(ref)
	}
	return ref
}

func wrapOf(w manifest.Wrap) crypt.Wrap { return crypt.Wrap{To: w.To, Age: w.Age, DK: w.DK} }

// referenced lists the ids that values refer to, sorted.
func referenced(data map[string]manifest.Box) []string {
	var ids []string
	for _, box := range data {
		if !slices.Contains(ids, box.By) {
			ids = append(ids, box.By)
		}
	}
	sort.Strings(ids)
	return ids
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
