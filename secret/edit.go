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
	paired bool
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
	natives, err := v.read(f)
	if err != nil {
		return nil, nil, nil, err
	}
	s := sealing{view: v, w: w, o: o, r: r, origin: map[string][]origin{}}
	for _, was := range v.sealed {
		for key, value := range was.values {
			s.origin[string(value)] = append(s.origin[string(value)], origin{was, key})
		}
	}
	var all []Edited
	var faults []error
	v.pair(natives)
	for _, n := range natives {
		e, err := s.seal(n)
		if err != nil {
			faults = append(faults, err)
		} else if e != nil {
			all = append(all, *e)
		}
	}
	if len(faults) == 0 {
		faults = append(faults, s.checkClear(natives))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, nil, nil, err
	}
	for _, was := range v.sealed {
		if !was.paired {
			all = append(all, Edited{Was: place(was.doc)})
		}
	}
	out := f.Bytes()
	return out, all, r, checkResult(out, f)
}

// edited is one native Secret of an edited text.
type edited struct {
	item   *manifest.Item
	native *manifest.NativeSecret
	index  int     // among the items
	was    *viewed // nil for one that the edit added
	sealed bool
}

// read reads the native Secrets of an edited text. Everything else has to be as it was: whoever changes a kind by mistake would have the
// values written out under it.
func (v *View) read(f *manifest.File) ([]*edited, error) {
	var natives []*edited
	var faults []error
	names := map[string]bool{}
	for index, item := range f.Items() {
		switch item.Kind {
		case manifest.Native:
			n, err := item.Native()
			if err != nil {
				faults = append(faults, err)
				continue
			}
			natives = append(natives, &edited{item: item, native: n, index: index})
			if ref := n.Namespace + "/" + n.Name; !n.HasData {
				continue // a patch, perhaps
			} else if names[ref] {
				faults = append(faults, &Error{Line: item.Line, Secret: checkedRef(n.Namespace, n.Name), Err: errors.New("a second Secret of this name: their values could be exchanged"),
					Hint: "give it another name or namespace"})
			} else {
				names[ref] = true
			}
		case manifest.Broken:
			faults = append(faults, item.Err)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	known := v.shown.Outside()
	for _, text := range f.Outside() {
		if !slices.Contains(known, text) {
			return nil, &Error{Err: errors.New("a document that is no Secret, or what stands around one, is not as it was: nothing would encrypt what it holds"),
				Hint: "undo that here, and change it without ageseal"}
		}
	}
	return natives, nil
}

// pair finds what each edited Secret was: the one of its name, best at its place, else the one that stood at its place.
func (v *View) pair(natives []*edited) {
	byName, byIndex := map[string][]*viewed{}, map[int]*viewed{}
	for _, s := range v.sealed {
		s.paired = false
		ref := s.native.Namespace + "/" + s.native.Name
		byName[ref], byIndex[s.index] = append(byName[ref], s), s
	}
	match := func(n *edited, s *viewed) {
		if n.was == nil && !s.paired {
			n.was, s.paired = s, true
		}
	}
	for _, here := range []bool{true, false} {
		for _, n := range natives {
			for _, s := range byName[n.native.Namespace+"/"+n.native.Name] {
				if s.index == n.index || !here {
					match(n, s)
				}
			}
		}
	}
	for _, n := range natives {
		if s := byIndex[n.index]; s != nil {
			match(n, s)
		}
	}
}

// sealing is one run of View.Seal.
type sealing struct {
	view   *View
	w      *Writer
	o      EditOptions
	r      *Report
	origin map[string][]origin // of each value that was sealed
}

// origin is where a value was sealed.
type origin struct {
	in  *viewed
	key string
}

// allow checks that values, most of which may be new, may be given to the recipients (rule 6 for writers): one that was sealed in whichever
// document of the file may only go on to who could read it there. Empty values are nobody's.
func (s *sealing) allow(values map[string][]byte) error {
	keys := map[*viewed][]string{}
	for _, value := range values {
		if len(value) == 0 {
			continue
		}
		for _, from := range s.origin[string(value)] {
			keys[from.in] = append(keys[from.in], from.key)
		}
	}
	var faults []error
	for _, was := range s.view.sealed {
		if len(keys[was]) > 0 {
			faults = append(faults, s.o.allow(was.doc, keys[was], s.o.Recipients))
		}
	}
	return errors.Join(faults...)
}

// seal seals one Secret. nil without an error: it is as it was.
func (s *sealing) seal(n *edited) (*Edited, error) {
	if n.was != nil {
		return s.reseal(n)
	}
	values := make(map[string][]byte, len(n.native.Values))
	for key, v := range n.native.Values {
		values[key] = v.Bytes
	}
	if err := s.allow(values); err != nil {
		return nil, err
	}
	before := len(s.r.Sealed)
	if err := s.w.encrypt(n.item, s.o.EncryptOptions, s.r); err != nil || len(s.r.Sealed) == before {
		return nil, err
	}
	n.sealed = true
	return &Edited{Secret: s.r.Sealed[before], Set: sortedKeys(n.native.Values)}, nil
}

// reseal brings the edits of one Secret into its sealed document.
func (s *sealing) reseal(n *edited) (*Edited, error) {
	was, item, native := n.was, n.item, n.native
	spec := cloneSpec(was.doc.Spec)
	spec.Type, spec.Immutable = native.Type, native.Immutable
	if native.Name != was.native.Name && spec.Binding.Name != "" {
		spec.Binding.Name = native.Name
	}
	// A namespace that metadata loses stays bound: a binding gets wider by a flag, not by a line that is gone.
	if native.Namespace != was.native.Namespace && native.Namespace != "" && spec.Binding.Namespace != "" {
		spec.Binding.Namespace = native.Namespace
	}
	at := checkedRef(spec.Binding.Namespace, native.Name+native.GenerateName)
	e := &Edited{Secret: at, Was: place(was.doc), Bound: spec.Binding != was.doc.Spec.Binding}
	changed := make(map[string][]byte)
	for key := range spec.Data {
		if _, ok := native.Values[key]; !ok {
			delete(spec.Data, key)
			e.Removed = append(e.Removed, key)
		}
	}
	slices.Sort(e.Removed)
	for _, key := range sortedKeys(native.Values) {
		value := native.Values[key].Bytes
		old, ok := was.values[key]
		same := ok && bytes.Equal(old, value)
		if !same || e.Bound {
			changed[key] = value
		}
		if !same {
			e.Set = append(e.Set, key)
		}
	}
	same := sameFrame(was.shown, item)
	e.Other = !same || !equal(spec.Type, was.doc.Spec.Type) || !equal(spec.Immutable, was.doc.Spec.Immutable)
	if !e.Other && !e.Bound && len(e.Set)+len(e.Removed) == 0 {
		if item.Replace(was.item) {
			return nil, nil
		}
		e.Other = true
	}
	if err := errors.Join(s.check(n, at, spec, e), s.allow(changed)); err != nil {
		return nil, err
	}
	if err := s.w.seal(spec, s.o.Recipients, changed); err != nil {
		return nil, &Error{Line: item.Line, Secret: at, Err: err}
	}
	s.warn(n, at, spec, changed)
	n.sealed = true
	if same {
		was.item.SetSpec(spec)
		if item.Replace(was.item) {
			return e, nil
		}
	}
	for _, d := range item.SealKeepingComments(spec, was.shown.Comments()) {
		if !slices.Contains(serverFields, d.What) {
			s.r.Warnings = append(s.r.Warnings, Error{Line: d.Line, Secret: at, Err: fmt.Errorf("left out of the sealed manifest: %s", d.What)})
		}
	}
	return e, nil
}

// check is what an API server refuses of a Secret that was changed. What its type lacked before it may lack still: it may be a patch.
func (s *sealing) check(n *edited, at string, spec *manifest.Spec, e *Edited) error {
	lacked := CheckRequired(n.was.doc.Spec.Type, func(key string) bool { _, ok := n.was.values[key]; return ok })
	faults := []error{check(n.native, n.item.Line, spec.Binding.Namespace, len(lacked) == 0)}
	if !s.o.Recreate && !e.Bound {
		faults = append(faults, CheckUpdate(n.was.doc, n.was.values, n.native, n.item.Line))
	}
	if n.native.GenerateName != "" {
		faults = append(faults, errGenerateName(n.item, at))
	}
	return errors.Join(faults...)
}

func (s *sealing) warn(n *edited, at string, spec *manifest.Spec, changed map[string][]byte) {
	for _, warning := range Regrets(n.native.Type, n.native.Values, now(s.o.Now)) {
		if _, ok := changed[warning.Key]; ok {
			warning.Secret = at
			s.r.Warnings = append(s.r.Warnings, warning)
		}
	}
	s.r.Warnings = append(s.r.Warnings, manyKeys(spec, at)...)
}

// checkClear searches what was sealed anew for values that stay in clear in it: those that the edit left, and those that it took away, which
// the history still holds.
func (s *sealing) checkClear(natives []*edited) error {
	all := map[string]manifest.Value{}
	for _, was := range s.view.sealed {
		for key, value := range was.values {
			all[key+"\x00"+string(value)] = manifest.Value{Bytes: value}
		}
	}
	for _, n := range natives {
		for key, v := range n.native.Values {
			all[key+"\x00"+string(v.Bytes)] = manifest.Value{Bytes: v.Bytes}
		}
	}
	var faults []error
	for _, n := range natives {
		if !n.sealed {
			continue
		}
		at := checkedRef(n.native.Namespace, n.native.Name)
		for _, key := range inClear([]string{n.item.Text()}, all, s.o.AllowClear) {
			key, _, _ = strings.Cut(key, "\x00")
			faults = append(faults, clearFault(n.item.Line, at, key))
		}
	}
	return errors.Join(faults...)
}

// checkResult reads what an edit made: every Secret of it must be one that can be read again.
func checkResult(out []byte, f *manifest.File) error {
	g, err := manifest.Parse(out)
	if err != nil {
		return err
	}
	fault := errors.New("the edit makes a file that can't be read again: change it in smaller steps")
	if len(g.Items()) != len(f.Items()) {
		return fault
	}
	for i, item := range g.Items() {
		if item.Kind == manifest.Sealed {
			if _, err := Read(item); err != nil {
				return fault
			}
		} else if item.Kind == manifest.Broken || item.Kind != f.Items()[i].Kind {
			return fault
		}
	}
	return nil
}

// sameFrame says whether two native Secrets differ in their values, type and immutable at most.
func sameFrame(a, b *manifest.Item) bool {
	frame := func(i *manifest.Item) string { return strings.TrimPrefix(i.Clear()[0], "---\n") }
	return slices.Equal(a.CommentPlaces(), b.CommentPlaces()) && frame(a) == frame(b)
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }
