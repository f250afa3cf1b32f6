package secret

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/ageseal/ageseal/manifest"
)

// TextMerge merges texts as git does, and says whether that went without a conflict.
type TextMerge func(base, ours, theirs []byte) (merged []byte, clean bool, err error)

// Markers are how conflicts are written.
type Markers struct {
	Size               int
	Base, Ours, Theirs string      // what the sides are called
	ShowBase           func() bool // git's diff3 and zdiff3; asked at the first conflict
}

// MergedFile is a three-way merge of one manifest.
type MergedFile struct {
	Text      []byte  // with markers, unless Clean
	Clean     bool    // there is no conflict, in sealed Secrets or in the rest
	Conflicts []Error // of sealed Secrets; each matches ErrConflict
}

// MergeFile merges the sealed documents of a manifest by their maps, and leaves the rest to text. base is empty where both sides made the
// file. The texts that text gets have the same spec on all sides; where sides are in conflict, both stand between markers in the result.
// A clean result has been read again: its sealed documents are what Merge says. Where a side has a sealed document that can't be read, or
// bytes that an edit would not keep (CRLF, BOM, no UTF-8), all is left to text. The error is that of text.
func MergeFile(base, ours, theirs []byte, markers Markers, text TextMerge) (*MergedFile, error) {
	text = trivially(text)
	m := &fileMerge{texts: [3][]byte{base, ours, theirs}, markers: markers}
	for n, src := range m.texts {
		if !m.sides[n].read(src) {
			merged, clean, err := text(base, ours, theirs)
			return &MergedFile{Text: merged, Clean: clean}, err
		}
	}
	m.join()
	if m.apart {
		return m.asWhole(), nil
	}
	edited := m.edited()
	merged, clean, err := text(edited[0], edited[1], edited[2])
	if err != nil {
		return nil, err
	}
	result, ok := m.expand(string(merged), clean)
	switch {
	case !ok:
		return m.asWhole(), nil
	case len(m.conflicts) == 0 && clean && !m.check(result):
		m.conflicts = []Error{{Err: marked{errors.New("joined line by line, the sealed Secrets are not what both sides made of them"), ErrConflict}}}
		return m.asWhole(), nil
	}
	return &MergedFile{Text: []byte(result), Clean: clean && len(m.conflicts) == 0, Conflicts: m.conflicts}, nil
}

// trivially saves a run of git where a side has not changed.
func trivially(text TextMerge) TextMerge {
	return func(base, ours, theirs []byte) ([]byte, bool, error) {
		switch {
		case bytes.Equal(ours, theirs), bytes.Equal(base, theirs):
			return ours, true, nil
		case bytes.Equal(base, ours):
			return theirs, true, nil
		}
		return text(base, ours, theirs)
	}
}

// fileMerge is a merge at work. Sides are base, ours, theirs.
type fileMerge struct {
	texts     [3][]byte
	sides     [3]side
	markers   Markers
	apart     bool // a document is there on one side only, and changed
	want      map[identity]*manifest.Spec
	open      []*opened
	whole     []*opened // whose documents are replaced by their stand-ins
	conflicts []Error
}

// side is one of the three versions.
type side struct {
	file *manifest.File
	docs map[identity]*sealedDoc
}

// identity is what one document is known by on all sides.
type identity struct {
	namespace, name string
	binding         manifest.Binding
}

type sealedDoc struct {
	item *manifest.Item
	spec *manifest.Spec
}

// opened is a conflict: a stand-in takes its place in all texts, and becomes the markers afterwards.
type opened struct {
	first, last, other string      // the stand-ins, on the first and the last line below the key, and between them; or first alone, for a document
	is                 [3][]string // what they stand for on each side; nil: the entry is not there
	doc                [3]*sealedDoc
	text               [3]string // what the document is on each side
}

func (s *side) read(src []byte) bool {
	s.docs = map[identity]*sealedDoc{}
	if !utf8.Valid(src) || bytes.ContainsAny(src, "\r\x00") || bytes.HasPrefix(src, []byte("\ufeff")) {
		return false
	}
	var err error
	if s.file, err = manifest.Parse(src); err != nil {
		return false
	}
	for _, item := range s.file.Items() {
		if item.Kind == manifest.Broken && item.Ours {
			return false
		}
		if item.Kind != manifest.Sealed {
			continue
		}
		doc, err := Read(item)
		if err != nil {
			return false
		}
		id := identity{doc.Namespace, doc.Name, doc.Spec.Binding}
		if s.docs[id] != nil {
			return false
		}
		s.docs[id] = &sealedDoc{item, &doc.Spec}
	}
	return true
}

// join merges the maps, and edits the three files accordingly.
func (m *fileMerge) join() {
	m.want = map[identity]*manifest.Spec{}
	base, ours, theirs := m.sides[0].docs, m.sides[1].docs, m.sides[2].docs
	for id, o := range ours {
		b, t := base[id], theirs[id]
		switch {
		case t != nil:
			m.document(id, b, o, t)
		case b == nil:
			m.want[id] = o.spec
		case !sameSpec(b.spec, o.spec):
			m.gone(o.spec)
		}
	}
	for id, t := range theirs {
		b := base[id]
		switch {
		case ours[id] != nil:
		case b == nil:
			m.want[id] = t.spec
		case !sameSpec(b.spec, t.spec):
			m.gone(t.spec)
		}
	}
}

func (m *fileMerge) gone(s *manifest.Spec) {
	m.apart = true
	m.conflicts = append(m.conflicts, Error{Secret: Ref(s.Binding.Namespace, s.Binding.Name),
		Err: marked{errors.New("one side removed, moved or renamed it, the other side changed it"), ErrConflict}})
}

func (m *fileMerge) document(id identity, b, o, t *sealedDoc) {
	var base *manifest.Spec
	docs := []*sealedDoc{b, o, t}
	if b != nil {
		base = b.spec
	}
	merged := Merge(base, o.spec, t.spec)
	m.conflicts = append(m.conflicts, merged.Conflicts...)
	if merged.Whole {
		c := &opened{first: rand.Text()}
		for n, d := range docs {
			if d != nil {
				c.doc[n], c.text[n] = d, d.item.Text()
			}
		}
		m.whole = append(m.whole, c)
		return
	}
	if len(merged.Conflicts) == 0 && (b == nil || sameSpec(b.spec, o.spec)) && sameSpec(o.spec, t.spec) {
		m.want[id] = o.spec
		return // all is text
	}
	m.want[id] = merged.Spec
	spec := cloneSpec(*merged.Spec)
	for _, key := range merged.Keys {
		c := &opened{first: rand.Text(), last: rand.Text()}
		for n, d := range docs {
			if d == nil {
				continue
			}
			if box, ok := d.spec.Data[key]; ok {
				c.is[n] = []string{box.By, box.Box}
			}
		}
		spec.Data[key] = manifest.Box{By: c.first, Box: c.last}
		m.open = append(m.open, c)
	}
	for _, id := range merged.DataKeys {
		c := &opened{first: rand.Text(), last: rand.Text(), other: rand.Text()}
		for n, d := range docs {
			if d == nil {
				continue
			}
			if w, ok := d.spec.Wraps[id]; ok {
				c.is[n] = []string{strings.Join(w.To, ", "), w.DK, w.Age}
			}
		}
		spec.Wraps[id] = manifest.Wrap{To: []string{c.first}, Age: c.other, DK: c.last}
		m.open = append(m.open, c)
	}
	for _, d := range docs {
		if d != nil {
			d.item.SetSpec(spec)
		}
	}
}
