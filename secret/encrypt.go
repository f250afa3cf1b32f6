package secret

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

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
	// KeepComments keeps those inside data and stringData, too, but for what looks like a value.
	KeepComments bool
	// Previous gives the last sealed version of a Secret, nil for none: what an API server would not take as a change of it is
	// refused. With an Opener, values that did not change keep their bytes.
	Previous func(namespace, name string) *manifest.EncryptedSecret
	Opener   *crypt.Opener
	Recreate bool             // the Secret in the cluster will be deleted and made again: any change will do
	Now      func() time.Time // for certificates; nil for time.Now
	// Empty seals a Secret without values, too, instead of leaving it alone: it was asked for, and is filled later.
	Empty bool
}

// RedactedAnnotation marks a Secret that a redacted build put placeholders into: sealed, they would pass for the values.
const RedactedAnnotation = "ageseal.dev/redacted"

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
	seen := map[string]bool{}
	for _, item := range f.Items() {
		switch item.Kind {
		case manifest.Native:
			before := len(r.Sealed)
			if err := w.encrypt(item, o, r); err != nil {
				faults = append(faults, err)
			} else if len(r.Sealed) > before {
				if ref := r.Sealed[before]; seen[ref] {
					r.Warnings = append(r.Warnings, Error{Line: item.Line, Secret: ref, Err: errors.New("a second Secret of this name in this file"),
						Hint: "a build takes one of them at most, and their values can be exchanged: rename one"})
				} else {
					seen[ref] = true
				}
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
	if len(n.Values) == 0 && !n.HasData && !o.Empty {
		return nil
	}
	spec := &manifest.Spec{
		Type: n.Type, Immutable: n.Immutable,
		Binding: manifest.Binding{Namespace: n.Namespace, Name: n.Name},
		Wraps:   map[string]manifest.Wrap{}, Data: map[string]manifest.Box{},
	}
	switch {
	case o.AnyNamespace:
		spec.Binding.Namespace = ""
	case spec.Binding.Namespace == "":
		spec.Binding.Namespace = o.Namespace
	}
	at := checkedRef(n.Namespace, n.Name+n.GenerateName)
	warn := func(line int, hint, format string, args ...any) {
		r.Warnings = append(r.Warnings, Error{Line: line, Secret: at, Err: fmt.Errorf(format, args...), Hint: hint})
	}
	old := o.previous(n)
	faults := []error{Check(n, item.Line, spec.Binding.Namespace), checkClear(item, n, at, o.AllowClear)}
	if n.GenerateName != "" {
		faults = append(faults, errGenerateName(item, at))
	}
	if n.Annotations[RedactedAnnotation] == "true" {
		faults = append(faults, &Error{Line: item.Line, Secret: at, Hint: "throw it away: the sealed manifest that it was built from has the values",
			Err: errors.New("it comes from a redacted build, and has placeholders for values")})
	}
	if old.doc != nil && !o.Recreate {
		var values map[string][]byte
		if isTrue(old.doc.Spec.Immutable) {
			if values = old.values(); values == nil {
				warn(item.Line, "name an identity with --identity FILE", "it is immutable, and without an identity a value that changed goes unnoticed")
			}
		}
		faults = append(faults, CheckUpdate(old.doc, values, n, item.Line))
	}
	if err := errors.Join(faults...); err != nil || len(n.Values) == 0 && !o.Empty {
		return err
	}
	if spec.Binding.Namespace == "" && !o.AnyNamespace {
		warn(item.Line, "name a namespace in metadata, in the policy's rule, or with --namespace",
			"no namespace is bound: Secrets named %s can be swapped between overlays", Ref("", n.Name))
	}
	if n.Type != nil && manifest.IsCredentialType(*n.Type) {
		warn(item.Line, "a build opens it only with --allow-type "+*n.Type, "type %s makes the cluster mint or accept a credential", *n.Type)
	}
	if copied, ok := errors.AsType[*Error](CheckCopies(spec.Binding.Namespace, n.Annotations, item.Line, at)); ok {
		r.Warnings = append(r.Warnings, *copied)
	}
	for _, w := range Regrets(n.Type, n.Values, now(o.Now)) {
		w.Secret = at
		r.Warnings = append(r.Warnings, w)
	}
	changed := keepUnchanged(spec, n, old, o.Recipients)
	if err := w.seal(spec, o.Recipients, changed); err != nil {
		return &Error{Line: item.Line, Secret: at, Err: err}
	}
	seal := item.Seal
	if o.KeepComments {
		seal = func(s *manifest.Spec) []manifest.Dropped { return item.SealKeepingComments(s, nil) }
	}
	dropped := seal(spec)
	if o.KeepComments {
		// More stays than checkClear has seen.
		var faults []error
		for _, key := range inClear([]string{item.Text()}, n.Values, o.AllowClear) {
			faults = append(faults, clearFault(n.Values[key].Line, at, key))
		}
		if err := errors.Join(faults...); err != nil {
			return err
		}
	}
	for _, d := range dropped {
		if slices.Contains(serverFields, d.What) {
			continue
		}
		hint := ""
		if d.What == manifest.CommentInside {
			hint = "encrypt --keep-comments keeps comments beside values, in clear"
		}
		warn(d.Line, hint, "left out of the sealed manifest: %s", d.What)
	}
	r.Sealed = append(r.Sealed, Ref(cmp.Or(spec.Binding.Namespace, n.Namespace), n.Name))
	return nil
}

func errGenerateName(item *manifest.Item, at string) error {
	return &Error{Line: item.Line, Secret: at, Hint: "give it a metadata.name",
		Err: fmt.Errorf("%w: generateName gives a name that values can't be bound to", manifest.ErrSchema)}
}

// previous is the last sealed version of a Secret, nil for none, and its values, nil where nobody can open them.
type previous struct {
	doc    *manifest.EncryptedSecret
	values func() map[string][]byte
}

func (o *EncryptOptions) previous(n *manifest.NativeSecret) (p previous) {
	if o.Previous != nil {
		p.doc = o.Previous(n.Namespace, n.Name)
	}
	p.values = sync.OnceValue(func() map[string][]byte {
		if p.doc == nil || o.Opener == nil {
			return nil
		}
		values, err := Open(p.doc, o.Opener, manifest.CredentialTypes)
		if err != nil {
			return nil // not readable with what we have: as without an identity
		}
		return values
	})
	return p
}

// keepUnchanged carries over the boxes of the previous sealed version whose values are the same, if it was sealed for
// the same binding and recipients, and returns the values that have to be encrypted.
func keepUnchanged(spec *manifest.Spec, n *manifest.NativeSecret, old previous, to []*crypt.Recipient) map[string][]byte {
	changed := make(map[string][]byte, len(n.Values))
	for key, v := range n.Values {
		changed[key] = v.Bytes
	}
	if old.doc == nil || old.doc.Spec.Binding != spec.Binding {
		return changed
	}
	fingerprints := crypt.Fingerprints(to)
	for _, id := range referenced(old.doc.Spec.Data) {
		if !slices.Equal(old.doc.Spec.Wraps[id].To, fingerprints) {
			return changed
		}
	}
	for key, value := range old.values() {
		if v, ok := changed[key]; ok && bytes.Equal(v, value) {
			box := old.doc.Spec.Data[key]
			spec.Data[key], spec.Wraps[box.By] = box, old.doc.Spec.Wraps[box.By]
			delete(changed, key)
		}
	}
	return changed
}

// checkClear refuses a value that would also stay readable outside data and stringData: in a label, an annotation, a
// comment.
func checkClear(item *manifest.Item, n *manifest.NativeSecret, at string, allowed []string) error {
	var faults []error
	for _, key := range inClear(item.Clear(), n.Values, allowed) {
		faults = append(faults, clearFault(n.Values[key].Line, at, key))
	}
	return errors.Join(faults...)
}

func clearFault(line int, at, key string) error {
	return &Error{Line: line, Secret: at, Key: key, Err: ErrClear,
		Hint: "take it out of the metadata and comments, or insist with --allow-clear " + key}
}

// inClear lists the keys, less the allowed ones, of values that stand in texts, as they are or in base64, and of those of which a comment
// of the first text has a whole line.
func inClear(texts []string, values map[string]manifest.Value, allowed []string) []string {
	longest := 0
	for _, text := range texts {
		longest = max(longest, len(text))
	}
	lines := map[string]bool{}
	for line := range strings.SplitSeq(texts[0], "\n") {
		if _, comment, ok := strings.Cut(line, "#"); ok {
			if comment = strings.Trim(comment, "# \t"); len(comment) >= minClear {
				lines[comment] = true
			}
		}
	}
	var keys []string
	for _, key := range sortedKeys(values) {
		value := bytes.TrimSpace(values[key].Bytes)
		bare, _, _ := strings.Cut(key, "\x00")
		if len(value) < minClear || slices.Contains(allowed, bare) {
			continue
		}
		found := false
		if len(value) <= longest {
			forms := []string{string(value), base64.StdEncoding.EncodeToString(value)}
			if len(value) < len(values[key].Bytes) {
				forms = append(forms, base64.StdEncoding.EncodeToString(values[key].Bytes))
			}
			found = slices.ContainsFunc(texts, func(text string) bool {
				return slices.ContainsFunc(forms, func(form string) bool { return strings.Contains(text, form) })
			})
		}
		if !found && len(lines) > 0 && bytes.IndexByte(value, '\n') >= 0 {
			for line := range bytes.SplitSeq(value, []byte("\n")) {
				if line = bytes.TrimSpace(line); len(line) >= minClear && lines[string(line)] {
					found = true
					break
				}
			}
		}
		if found {
			keys = append(keys, key)
		}
	}
	return keys
}
