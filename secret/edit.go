package secret

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// View is a file as a person edits it: its sealed documents as native Secrets, with text under stringData and what is no text under data.
type View struct {
	src, text []byte
	sealed    []*viewed
	shown     *manifest.File
}

// viewed is one sealed document, and what is shown of it.
type viewed struct {
	item   *manifest.Item // as it stands in the file
	doc    *manifest.EncryptedSecret
	values map[string][]byte
	shown  *manifest.Item
	native *manifest.NativeSecret
	index  int // among the items
}

// EditOptions say for whom and under which checks an edited view is sealed again.
type EditOptions struct {
	EncryptOptions
	Sharing
}

// Edited is what became of one Secret in an edit.
type Edited struct {
	Secret, Was  string // namespace/name now and before; "" where there is or was none
	Set, Removed []string
	Other        bool // metadata, type, immutable or a comment
	Bound        bool // to another namespace or name: every value is encrypted again
}

// NewView opens the sealed documents of a manifest that namespace and name mean, "" for any: all of them, or an error. A Secret that is
// not encrypted yet is one, too: what is written in an editor is never left in plaintext.
func NewView(src []byte, namespace, name string, o *crypt.Opener) (*View, error) {
	was, err := manifest.Parse(src)
	if err != nil {
		return nil, err
	}
	now, err := manifest.Parse(src)
	if err != nil {
		return nil, err
	}
	v := &View{src: src}
	var faults []error
	var all []string
	for n, item := range was.Items() {
		switch item.Kind {
		case manifest.Native:
			if s, err := item.Native(); err != nil || len(s.Values) > 0 {
				faults = append(faults, errors.Join(err, &Error{Line: item.Line, Err: errors.New("a Secret that is not encrypted yet"), Hint: "ageseal encrypt -w"}))
			}
		case manifest.Sealed, manifest.Broken:
			s, err := Read(item)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			all = append(all, place(s))
			if !isNamed(s, namespace, name) {
				continue
			}
			values, err := OpenForReading(s, o)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			twin := now.Items()[n]
			if _, err := Read(twin); err != nil {
				return nil, err
			}
			twin.Unseal(forPeople(s, values))
			v.sealed = append(v.sealed, &viewed{item: item, doc: s, values: values, index: n})
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if len(v.sealed) == 0 {
		return nil, notFound(all, nil)
	}
	v.text = now.Bytes()
	return v, v.check()
}

// check reads what is shown: it must be what was sealed.
func (v *View) check() error {
	var err error
	if v.shown, err = manifest.Parse(v.text); err != nil {
		return err
	}
	for _, s := range v.sealed {
		at := place(s.doc)
		fault := &Error{Line: s.doc.Spec.Line, Secret: at, Err: errors.New("can't be shown as text"), Hint: "change its values with: ageseal set"}
		if s.index >= len(v.shown.Items()) {
			return fault
		}
		s.shown = v.shown.Items()[s.index]
		if s.shown.Kind != manifest.Native {
			return fault
		}
		if s.native, err = s.shown.Native(); err != nil || len(s.native.Values) != len(s.values) {
			return fault
		}
		for key, value := range s.values {
			if got, ok := s.native.Values[key]; !ok || !bytes.Equal(got.Bytes, value) {
				return fault
			}
		}
	}
	return nil
}

// Text is what to show.
func (v *View) Text() []byte { return v.text }

func forPeople(s *manifest.EncryptedSecret, values map[string][]byte) *manifest.Plain {
	p := &manifest.Plain{Type: s.Spec.Type, Immutable: s.Spec.Immutable, Data: map[string]string{}, Text: map[string]string{}}
	for key, value := range values {
		if utf8.Valid(value) {
			p.Text[key] = string(value)
		} else {
			p.Data[key] = base64.StdEncoding.EncodeToString(value)
		}
	}
	return p
}

// Seal makes the file anew of an edited view. Documents and values that were not touched keep their bytes; a Secret under another name or
// namespace is bound to it, and encrypted again as a whole. The lines of faults are those of the edited text. Without any change the
// result is what was read; documents that only changed places are no change of a Secret.
func (v *View) Seal(w *Writer, edited []byte, o EditOptions) ([]byte, []Edited, *Report, error) {
	r := &Report{}
	if bytes.Equal(edited, v.text) {
		return v.src, nil, r, nil
	}
	f, err := manifest.Parse(edited)
	if err != nil {
		return nil, nil, nil, err
	}
	var natives []*manifest.Item
	var faults []error
	for _, item := range f.Items() {
		switch item.Kind {
		case manifest.Native:
			natives = append(natives, item)
		case manifest.Broken:
			faults = append(faults, item.Err)
		case manifest.Template:
			faults = append(faults, &Error{Line: item.Line, Err: errors.New("a template can't be sealed")})
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, nil, nil, err
	}
	read := make([]*manifest.NativeSecret, len(natives))
	for n, item := range natives {
		if read[n], err = item.Native(); err != nil {
			faults = append(faults, err)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, nil, nil, err
	}
	if err := v.outside(f); err != nil {
		return nil, nil, nil, err
	}
	var all []Edited
	pairs := v.pair(f, natives, read)
	for n, item := range natives {
		var e *Edited
		if pairs[n] == nil {
			e, err = w.sealNew(item, read[n], o, r)
		} else {
			e, err = w.reseal(pairs[n], item, read[n], o, r)
		}
		if err != nil {
			faults = append(faults, err)
		} else if e != nil {
			all = append(all, *e)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, nil, nil, err
	}
	for _, s := range v.sealed {
		if !slices.Contains(pairs, s) {
			all = append(all, Edited{Was: place(s.doc)})
		}
	}
	return f.Bytes(), all, r, nil
}

// outside refuses a change of anything that is no Secret. Whoever changes a kind by mistake would have the values written out under it.
func (v *View) outside(f *manifest.File) error {
	known := v.shown.Outside()
	for _, text := range f.Outside() {
		if !slices.Contains(known, text) {
			return &Error{Err: errors.New("a document that is no Secret, or what stands around one, is not as it was: nothing would encrypt what it holds"),
				Hint: "undo that here, and change it without ageseal"}
		}
	}
	return nil
}

// pair finds what each edited Secret was: the one of its name, else the one that stood at its place.
func (v *View) pair(f *manifest.File, natives []*manifest.Item, read []*manifest.NativeSecret) []*viewed {
	pairs := make([]*viewed, len(natives))
	match := func(same func(n int, s *viewed) bool) {
		for n := range natives {
			for _, s := range v.sealed {
				if pairs[n] == nil && !slices.Contains(pairs, s) && same(n, s) {
					pairs[n] = s
				}
			}
		}
	}
	match(func(n int, s *viewed) bool {
		return read[n].Namespace == s.native.Namespace && read[n].Name == s.native.Name
	})
	match(func(n int, s *viewed) bool {
		return slices.Index(f.Items(), natives[n]) == s.index
	})
	return pairs
}

// sealNew seals a Secret that the edit added.
func (w *Writer) sealNew(item *manifest.Item, n *manifest.NativeSecret, o EditOptions, r *Report) (*Edited, error) {
	before := len(r.Sealed)
	if err := w.encrypt(item, o.EncryptOptions, r); err != nil || len(r.Sealed) == before {
		return nil, err
	}
	return &Edited{Secret: r.Sealed[before], Set: sortedKeys(n.Values)}, nil
}

// reseal brings the edits of one Secret into its sealed document.
func (w *Writer) reseal(was *viewed, item *manifest.Item, n *manifest.NativeSecret, o EditOptions, r *Report) (*Edited, error) {
	spec := cloneSpec(was.doc.Spec)
	spec.Type, spec.Immutable = n.Type, n.Immutable
	if n.Name != was.native.Name && spec.Binding.Name != "" {
		spec.Binding.Name = n.Name
	}
	if n.Namespace != was.native.Namespace && spec.Binding.Namespace != "" {
		spec.Binding.Namespace = n.Namespace
		if n.Namespace == "" {
			spec.Binding.Namespace = o.Namespace
		}
	}
	at := checkedRef(spec.Binding.Namespace, n.Name+n.GenerateName)
	e := &Edited{Secret: at, Was: place(was.doc), Bound: spec.Binding != was.doc.Spec.Binding}
	faults := []error{Check(n, item.Line, spec.Binding.Namespace), checkClear(item, n, at, o.AllowClear)}
	if !o.Recreate && !e.Bound {
		faults = append(faults, CheckUpdate(was.doc, was.values, n, item.Line))
	}
	if n.GenerateName != "" {
		faults = append(faults, errGenerateName(item, at))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	changed := make(map[string][]byte)
	for key := range spec.Data {
		if _, ok := n.Values[key]; !ok {
			delete(spec.Data, key)
			e.Removed = append(e.Removed, key)
		}
	}
	slices.Sort(e.Removed)
	var carried []string // keys of old values that are encrypted again
	for _, key := range sortedKeys(n.Values) {
		value := n.Values[key].Bytes
		old, ok := was.values[key]
		if ok && bytes.Equal(old, value) && !e.Bound {
			continue
		}
		changed[key] = value
		if !ok || !bytes.Equal(old, value) {
			e.Set = append(e.Set, key)
		}
		for k, old := range was.values {
			if bytes.Equal(old, value) {
				carried = append(carried, k)
			}
		}
	}
	if err := o.allow(was.doc, carried, o.Recipients); err != nil {
		return nil, err
	}
	same := sameFrame(was.shown, item)
	e.Other = !same || !equal(spec.Type, was.doc.Spec.Type) || !equal(spec.Immutable, was.doc.Spec.Immutable)
	if !e.Other && !e.Bound && len(e.Set)+len(e.Removed) == 0 {
		if item.Replace(was.item) {
			return nil, nil
		}
		e.Other = true
	}
	if err := w.seal(spec, o.Recipients, changed); err != nil {
		return nil, &Error{Line: item.Line, Secret: at, Err: err}
	}
	prune(spec)
	for _, warning := range Regrets(n.Type, n.Values, now(o.Now)) {
		if _, ok := changed[warning.Key]; ok {
			warning.Secret = at
			r.Warnings = append(r.Warnings, warning)
		}
	}
	r.Warnings = append(r.Warnings, manyKeys(spec, at)...)
	if same {
		was.item.SetSpec(spec)
		if item.Replace(was.item) {
			return e, nil
		}
	}
	for _, d := range item.SealKeepingComments(spec, was.shown.Comments()) {
		if !slices.Contains(serverFields, d.What) {
			r.Warnings = append(r.Warnings, Error{Line: d.Line, Secret: at, Err: fmt.Errorf("left out of the sealed manifest: %s", d.What)})
		}
	}
	return e, nil
}

// sameFrame says whether two native Secrets differ in their values, type and immutable at most.
func sameFrame(a, b *manifest.Item) bool {
	frame := func(i *manifest.Item) string { return strings.TrimPrefix(i.Clear()[0], "---\n") }
	return slices.Equal(a.Comments(), b.Comments()) && frame(a) == frame(b)
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }
