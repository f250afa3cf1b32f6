package secret

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// minClear is the length in bytes from which a value that also stands in clear refuses the document: shorter ones
// ("true", "5432") occur by chance.
const minClear = 8

// serverFields belong to the API server, and "kubectl create -o yaml" prints one of them every time: nothing of the
// user's is lost with them.
var serverFields = []string{
	"metadata.creationTimestamp", "metadata.resourceVersion", "metadata.uid", "metadata.managedFields", "metadata.selfLink",
	"metadata.generation",
}

// EncryptOptions say for whom and under which checks native Secrets become sealed documents.
type EncryptOptions struct {
	Target
	AllowClear []string // keys whose values may stay in clear elsewhere in the document
	// AnyNamespace binds to the name alone, even where metadata names a namespace: overlays may place the Secret anywhere.
	AnyNamespace bool
	// Previous gives the last sealed version of a Secret, nil for none. With an Opener, values that did not change keep
	// their bytes.
	Previous func(namespace, name string) *manifest.EncryptedSecret
	Opener   *crypt.Opener
	// Empty seals a Secret without values, too, instead of leaving it alone: it was asked for, and is filled later.
	Empty bool
}

// Report is what Encrypt did.
type Report struct {
	Sealed   []string  // namespace/name of each Secret that became a sealed document
	Already  int       // sealed documents left alone
	Skipped  []Skipped // Secrets that are another tool's
	Warnings []Error
}

// Skipped is a Secret that is not for ageseal to encrypt, and why.
type Skipped struct {
	Line int
	Why  string
}

// Encrypt turns every native Secret of the file that has values, or with Empty every one, into a sealed document. Faults are joined; the Secrets
// without one are sealed all the same, so whoever wants all or nothing discards the file on an error.
func (w *Writer) Encrypt(f *manifest.File, o EncryptOptions) (*Report, error) {
	r := &Report{}
	var faults []error
	for _, item := range f.Items() {
		switch item.Kind {
		case manifest.Native:
			if err := w.encrypt(item, o, r); err != nil {
				faults = append(faults, err)
			}
		case manifest.Sealed:
			// Not ours to change, but a broken one must not pass as done.
			if _, err := Read(item); err != nil {
				faults = append(faults, err)
				continue
			}
			r.Already++
		case manifest.Broken:
			faults = append(faults, Broken(item))
		case manifest.SOPS:
			r.Skipped = append(r.Skipped, Skipped{item.Line, "encrypted with SOPS"})
		case manifest.SealedSecret:
			r.Skipped = append(r.Skipped, Skipped{item.Line, "a SealedSecret"})
		case manifest.Template:
			r.Skipped = append(r.Skipped, Skipped{item.Line, "a template"})
		}
	}
	return r, errors.Join(faults...)
}

func (w *Writer) encrypt(item *manifest.Item, o EncryptOptions, r *Report) error {
	n, err := item.Native()
	if err != nil {
		return err
	}
	if len(n.Values) == 0 && !o.Empty {
		return nil
	}
	at := Ref(n.Namespace, n.Name+n.GenerateName)
	fault := func(err error, hint string) error { return &Error{Line: item.Line, Secret: at, Err: err, Hint: hint} }
	switch {
	case n.GenerateName != "":
		return fault(fmt.Errorf("%w: generateName gives a name that values can't be bound to", manifest.ErrSchema), "give it a metadata.name")
	case n.Name == "":
		return fault(fmt.Errorf("%w: metadata.name is missing", manifest.ErrSchema), "values are bound to the Secret's name: give it one")
	}
	if err := checkSizes(n, at, item.Line); err != nil {
		return err
	}
	if err := checkClear(item, n, at, o.AllowClear); err != nil {
		return err
	}
	spec := &manifest.Spec{
		Type: n.Type, Immutable: n.Immutable,
		Binding: manifest.Binding{Namespace: n.Namespace, Name: n.Name},
		Wraps:   map[string]manifest.Wrap{}, Data: map[string]manifest.Box{},
	}
	warn := func(line int, hint, format string, args ...any) {
		r.Warnings = append(r.Warnings, Error{Line: line, Secret: at, Err: fmt.Errorf(format, args...), Hint: hint})
	}
	switch {
	case o.AnyNamespace:
		spec.Binding.Namespace = ""
	case spec.Binding.Namespace == "":
		spec.Binding.Namespace = o.Namespace
	}
	if spec.Binding.Namespace == "" && !o.AnyNamespace {
		warn(item.Line, "name a namespace in metadata, in the policy's rule, or with --namespace",
			"no namespace is bound: Secrets named %s can be swapped between overlays", Ref("", n.Name))
	}
	if n.Type != nil && IsCredentialType(*n.Type) {
		warn(item.Line, "a build opens it only with --allow-type "+*n.Type, "type %s makes the cluster mint or accept a credential", *n.Type)
	}
	changed := keepUnchanged(spec, n, o)
	if err := w.seal(spec, o.Recipients, changed); err != nil {
		return fault(err, "")
	}
	for _, d := range item.Seal(spec) {
		if slices.Contains(serverFields, d.What) {
			continue
		}
		warn(d.Line, "", "left out of the sealed manifest: %s", d.What)
	}
	r.Sealed = append(r.Sealed, Ref(cmp.Or(spec.Binding.Namespace, n.Namespace), n.Name))
	return nil
}

// keepUnchanged carries over the boxes of the previous sealed version whose values are the same, if it was sealed for
// the same binding and recipients, and returns the values that have to be encrypted.
func keepUnchanged(spec *manifest.Spec, n *manifest.NativeSecret, o EncryptOptions) map[string][]byte {
	changed := make(map[string][]byte, len(n.Values))
	for key, v := range n.Values {
		changed[key] = v.Bytes
	}
	if o.Previous == nil || o.Opener == nil {
		return changed
	}
	old := o.Previous(n.Namespace, n.Name)
	if old == nil || old.Spec.Binding != spec.Binding {
		return changed
	}
	to := crypt.Fingerprints(o.Recipients)
	for _, id := range referenced(old.Spec.Data) {
		if !slices.Equal(old.Spec.Wraps[id].To, to) {
			return changed
		}
	}
	values, err := Open(old, o.Opener, credentialTypes)
	if err != nil {
		return changed // not readable with what we have: written again, as without an identity
	}
	for key, value := range values {
		if v, ok := changed[key]; ok && bytes.Equal(v, value) {
			box := old.Spec.Data[key]
			spec.Data[key], spec.Wraps[box.By] = box, old.Spec.Wraps[box.By]
			delete(changed, key)
		}
	}
	return changed
}

// checkSizes holds what Kubernetes and the format can carry: 1,024 values, 1 MiB together.
func checkSizes(n *manifest.NativeSecret, at string, line int) error {
	total := 0
	for _, v := range n.Values {
		total += len(v.Bytes)
	}
	switch {
	case len(n.Values) > manifest.MaxValues:
		return &Error{Line: line, Secret: at, Err: fmt.Errorf("%w: %d values, %d at most", manifest.ErrLimit, len(n.Values), manifest.MaxValues),
			Hint: "split it into several Secrets"}
	case total > manifest.MaxTotal:
		return &Error{Line: line, Secret: at, Err: fmt.Errorf("%w: the values add up to %d bytes, Kubernetes takes %d", manifest.ErrLimit, total, manifest.MaxTotal),
			Hint: "split it into several Secrets"}
	}
	return nil
}

// checkClear refuses a value that would also stay readable outside data and stringData: in a label, an annotation, a
// comment.
func checkClear(item *manifest.Item, n *manifest.NativeSecret, at string, allowed []string) error {
	clear := item.Clear()
	longest := 0
	for _, text := range clear {
		longest = max(longest, len(text))
	}
	var faults []error
	for _, key := range sortedKeys(n.Values) {
		v := n.Values[key]
		value := bytes.TrimSpace(v.Bytes)
		if len(value) < minClear || len(value) > longest || slices.Contains(allowed, key) {
			continue
		}
		forms := []string{string(value), base64.StdEncoding.EncodeToString(value), base64.StdEncoding.EncodeToString(v.Bytes)}
		if slices.ContainsFunc(clear, func(text string) bool {
			return slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(text, form) })
		}) {
			faults = append(faults, &Error{Line: v.Line, Secret: at, Key: key, Err: ErrClear,
				Hint: "take it out of the metadata and comments, or insist with --allow-clear " + key})
		}
	}
	return errors.Join(faults...)
}
