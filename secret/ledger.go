package secret

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// Ledger is what all versions of a repository's sealed manifests and sealed files say, without a key: which values there ever were, and who
// could read them. Content takes each version, Commit what became what, in the order of history, Now what is there; then List.
//
// Who can read a value is what its data key was ever wrapped to, in any version: whoever joins later opens with the same data key what older
// commits hold. Whether a value changed no ledger knows: a new box may hold the old value. Compare does, with a key.
type Ledger struct {
	contents map[string][]entry          // by the name of a content
	files    map[string]*crypt.FileFacts // of those that are sealed files
	readers  map[string][]string         // by data key: fingerprints
	origins  map[box]*boxOrigin
	order    []box // as they came
	now      []present
	names    map[string]string // texts, each kept once
}

// box names a sealed value by the beginning of its hash. A sealed file is one, too, and a data key of its own.
type box = string

// entry is a sealed document of a content, or the one of a sealed file.
type entry struct {
	secret string // as messages name it; "" for a sealed file, which does not say
	slot   string // what it is bound to
	values []sealedValue
}

type sealedValue struct {
	key     string
	by      string // data key
	to      string // of the wrap here
	box     box
	content string
}

// boxOrigin is how a box came into being: where, and in the place of which.
type boxOrigin struct {
	sealedValue
	secret, slot string
	commit, path string
	before       box  // "" for none
	whole        bool // with everything else in the document, in one run, as a rekey does
}

type present struct{ path, content string }

// LedgerChange is that a path got another content; "" and nil for none.
type LedgerChange struct {
	Path, Is string
	Was      []string
}

// NewLedger returns an empty one.
func NewLedger() *Ledger {
	return &Ledger{contents: map[string][]entry{}, files: map[string]*crypt.FileFacts{}, readers: map[string][]string{}, origins: map[box]*boxOrigin{}, names: map[string]string{}}
}

// Content takes a version of a file, under a name for it. What can't be read as sealed nobody can open, and is passed over.
func (l *Ledger) Content(name string, data []byte) {
	if crypt.IsArmored(data) {
		if facts, err := crypt.InspectFile(data); err == nil {
			b := crypt.Mark(string(facts.Armor))
			facts.Armor = nil
			l.files[name] = facts
			l.contents[name] = []entry{{values: []sealedValue{{by: b, box: b, content: name}}}}
		}
		return
	}
	if len(data) > manifest.MaxFileSize || !bytes.Contains(data, []byte("EncryptedSecret")) {
		return
	}
	f, err := manifest.Parse(data)
	if err != nil {
		return
	}
	for _, item := range f.Items() {
		if item.Kind != manifest.Sealed {
			continue
		}
		if s, err := item.Sealed(); err == nil {
			l.contents[name] = append(l.contents[name], l.entry(name, s))
		}
	}
}

func (l *Ledger) entry(content string, s *manifest.EncryptedSecret) entry {
	for id, w := range s.Spec.Wraps { // one that no value here needs may open those of another version
		id = l.once(id)
		for _, fp := range w.To {
			if !slices.Contains(l.readers[id], fp) {
				l.readers[id] = append(l.readers[id], l.once(fp))
			}
		}
	}
	e := entry{
		secret: l.once(Ref(cmp.Or(s.Namespace, s.Spec.Binding.Namespace), cmp.Or(s.Name, s.Spec.Binding.Name))),
		slot:   l.once(s.Spec.Binding.Namespace + "\n" + s.Spec.Binding.Name),
	}
	for _, key := range sortedKeys(s.Spec.Data) {
		b := s.Spec.Data[key]
		e.values = append(e.values, sealedValue{key: l.once(key), by: l.once(b.By), to: l.once(strings.Join(s.Spec.Wraps[b.By].To, " ")),
			box: l.once(crypt.Mark(b.Box)), content: content})
	}
	return e
}

// once gives a text that the whole ledger shares: the same names are in every version, and a content must not be kept for one of them.
func (l *Ledger) once(s string) string {
	if known, ok := l.names[s]; ok {
		return known
	}
	s = strings.Clone(s)
	l.names[s] = s
	return s
}

// SealedFiles lists the sealed files among the contents of changes, for FileReaders.
func (l *Ledger) SealedFiles(changes []LedgerChange) []LedgerChange {
	return slices.DeleteFunc(slices.Clone(changes), func(c LedgerChange) bool { return l.files[c.Is] == nil })
}

// FileReaders takes sets of recipients for one of which a sealed file was made, and counts with all that fit. It reports whether any does.
func (l *Ledger) FileReaders(content string, sets ...[]*crypt.Recipient) bool {
	fitting := FileReaders(l.files[content], sets...)
	by := l.contents[content][0].values[0].by
	for _, set := range fitting {
		l.readers[by] = union(l.readers[by], set)
	}
	return len(fitting) > 0
}

// Commit takes what a commit changed, its parents' changes before; "" for what is not committed yet.
func (l *Ledger) Commit(commit string, changes []LedgerChange) {
	gone := map[string]entry{} // from one path, perhaps to another: by slot
	for _, c := range changes {
		for _, name := range c.Was {
			for _, e := range l.contents[name] {
				if e.secret != "" && bySlot(l.contents[c.Is], e.slot) == nil {
					gone[e.slot] = e
				}
			}
		}
	}
	for _, c := range changes {
		var was []entry
		for _, name := range c.Was {
			was = append(was, l.contents[name]...)
		}
		is := l.contents[c.Is]
		for _, e := range is {
			before := bySlot(was, e.slot)
			if moved, ok := gone[e.slot]; before == nil && ok {
				before = &moved
			}
			if before == nil && len(was) == 1 && len(is) == 1 { // bound to another name
				before = &was[0]
			}
			l.came(commit, c.Path, before, e)
		}
	}
}

func bySlot(entries []entry, slot string) *entry {
	i := slices.IndexFunc(entries, func(e entry) bool { return e.slot == slot })
	if i < 0 {
		return nil
	}
	return &entries[i]
}

// came notes the boxes that were not there before.
func (l *Ledger) came(commit, path string, before *entry, e entry) {
	old := map[string]sealedValue{}
	if before != nil {
		for _, v := range before.values {
			old[v.key] = v
		}
	}
	both, kept, oneKey := 0, 0, true
	for _, v := range e.values {
		oneKey = oneKey && v.by == e.values[0].by // one run writes all under one
		if o, ok := old[v.key]; ok {
			both++
			if o.box == v.box {
				kept++
			}
		}
	}
	for _, v := range e.values {
		if l.origins[v.box] != nil {
			continue
		}
		o := &boxOrigin{sealedValue: v, secret: e.secret, slot: e.slot, commit: commit, path: path}
		// What no commit brought is a part of history that is not here; and only what is known already can't lead back to this.
		if was, ok := old[v.key]; ok && l.origins[was.box] != nil {
			o.before = was.box
			o.whole = kept == 0 && oneKey && (both > 1 || was.to != v.to || e.secret == "" || before.slot != e.slot)
		}
		l.origins[v.box] = o
		l.order = append(l.order, v.box)
	}
}

// Now takes a file as it is.
func (l *Ledger) Now(path, content string) {
	for _, e := range l.contents[content] {
		l.came("", path, nil, e) // if no commit did
	}
	if l.contents[content] != nil {
		l.now = append(l.now, present{path, content})
	}
}
