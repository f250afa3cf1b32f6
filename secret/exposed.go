package secret

import (
	"cmp"
	"crypto/sha256"
	"slices"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// What became of a value that somebody could read.
const (
	StillReadable  = "readable"  // what is in place now is what they could read
	EncryptedAgain = "encrypted" // with all else in the document, as a rekey does: most likely the same value
	WrittenAgain   = "written"   // by itself, or without a change of readers: most likely another value
	Removed        = "removed"   // it is in no file any more, and may still be in use
	Unchanged      = "unchanged" // opened and compared: the same as one that they could read
	Changed        = "changed"   // opened and compared: none that they could read
)

// Exposed is a value that somebody could read: of a Secret by its key, or a sealed file with what it holds.
type Exposed struct {
	File    string   `json:"file"`             // where it is, or was; relative to the top level
	Secret  string   `json:"secret,omitempty"` // "" for a sealed file, which does not say it without a key
	Key     string   `json:"key,omitempty"`
	State   string   `json:"state"`
	Readers []string `json:"readers"` // fingerprints, sorted
	// Changed is the commit that brought the newest of what they could read, Since the one that brought what is there now; "" for one not
	// committed yet, and for nothing there.
	Changed string `json:"changed,omitempty"`
	Since   string `json:"since,omitempty"`
	Mark    string `json:"mark,omitempty"` // of what is in place now

	could []box // all that they could read
}

// List gives every value that one of those could ever read for whom departed holds, at the path of its file; in the order of paths.
func (l *Ledger) List(departed func(fingerprint, path string) bool) []*Exposed {
	var list []*Exposed
	done := map[string]bool{}      // slots that are in the list
	there := map[string]*Exposed{} // slots of what is in place without a way back to what they could read
	readers := func(b box, path string) (who []string) {
		for _, fp := range l.readers[l.origins[b].by] {
			if departed(fp, path) {
				who = append(who, fp)
			}
		}
		return who
	}
	for _, p := range l.now {
		for _, e := range l.contents[p.content] {
			for _, v := range e.values {
				x := &Exposed{File: p.path, Secret: e.secret, Key: v.key, State: StillReadable, Mark: v.box, Since: l.origins[v.box].commit}
				var slots []string
				for b := v.box; b != ""; b = l.origins[b].before {
					o := l.origins[b]
					slots = append(slots, o.place())
					if who := readers(b, p.path); len(who) > 0 {
						if x.could == nil {
							x.Changed = o.commit
						}
						x.could, x.Readers = append(x.could, b), union(x.Readers, who)
					}
					switch {
					case x.could != nil:
					case !o.whole:
						x.State = WrittenAgain
					case x.State == StillReadable:
						x.State = EncryptedAgain
					}
				}
				if x.could == nil {
					there[slots[0]] = x
					continue
				}
				for _, s := range slots {
					done[s] = true
				}
				list = append(list, x)
			}
		}
	}
	lost := map[string]*Exposed{}
	for _, b := range slices.Backward(l.order) { // the newest first
		o := l.origins[b]
		who := readers(b, o.path)
		if len(who) == 0 || done[o.place()] {
			continue
		}
		x := lost[o.place()]
		if x == nil {
			x = &Exposed{File: o.path, Secret: o.secret, Key: o.key, State: Removed, Changed: o.commit}
			if again := there[o.place()]; again != nil { // taken out, and put back: nothing says that it is another value
				x.File, x.Secret, x.State, x.Since, x.Mark = again.File, again.Secret, EncryptedAgain, again.Since, again.Mark
			}
			lost[o.place()] = x
		}
		x.could, x.Readers = append(x.could, b), union(x.Readers, who)
	}
	for _, x := range lost {
		list = append(list, x)
	}
	for _, x := range list {
		slices.Sort(x.Readers)
	}
	slices.SortFunc(list, func(a, b *Exposed) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Secret, b.Secret), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Changed, b.Changed))
	})
	return list
}

// Remarked adds to marks what the boxes of a file became that was encrypted again, by their marks (crypt.Mark).
func Remarked(old, again []byte, marks map[string]string) {
	l := NewLedger()
	l.Content("old", old)
	l.Content("again", again)
	for _, e := range l.contents["old"] {
		now := bySlot(l.contents["again"], e.slot)
		if now == nil {
			continue
		}
		for _, v := range e.values {
			for _, w := range now.values {
				if v.key == w.key && v.box != w.box {
					marks[v.box] = w.box
				}
			}
		}
	}
}

// Knows reports whether a fingerprint is among those who could ever read something.
func (l *Ledger) Knows(fingerprint string) bool {
	for _, readers := range l.readers {
		if slices.Contains(readers, fingerprint) {
			return true
		}
	}
	return false
}

// place is what a value is called through all its versions: where it is bound to, or of a sealed file the path.
func (o *boxOrigin) place() string {
	if o.secret == "" {
		return "file " + o.path
	}
	return o.slot + "\n" + o.key
}

// Compare opens what it can, by way of contents that read gives, and says of each value in the list whether it changed: Changed if it is none of
// those that they could read, all of which were opened, Unchanged if it is one of them. What can't be opened keeps its state, and so does
// what is StillReadable or Removed. Errors: those of read.
func (l *Ledger) Compare(list []*Exposed, o *crypt.Opener, read func(contents []string, fn func(name string, data []byte) error) error) error {
	values := map[box][sha256.Size]byte{} // of what is wanted; zero if not opened
	for _, x := range list {
		if x.State == EncryptedAgain || x.State == WrittenAgain {
			values[x.Mark] = [sha256.Size]byte{}
			for _, b := range x.could {
				values[b] = [sha256.Size]byte{}
			}
		}
	}
	var names []string
	for name, entries := range l.contents {
		if slices.ContainsFunc(entries, func(e entry) bool {
			return slices.ContainsFunc(e.values, func(v sealedValue) bool { _, ok := values[v.box]; return ok })
		}) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	err := read(names, func(_ string, data []byte) error {
		openWanted(data, o, values)
		return nil
	})
	var none [sha256.Size]byte
	for _, x := range list {
		now := values[x.Mark]
		if now == none {
			continue
		}
		same := func(b box) bool { return values[b] == now }
		switch {
		case slices.ContainsFunc(x.could, same):
			x.State = Unchanged
		case !slices.ContainsFunc(x.could, func(b box) bool { return values[b] == none }):
			x.State = Changed
		}
	}
	return err
}

// openWanted fills in the hashes of those values of a content that are wanted and not opened yet. What does not open is left out.
func openWanted(data []byte, o *crypt.Opener, values map[box][sha256.Size]byte) {
	var none [sha256.Size]byte
	wanted := func(b box) bool { sum, ok := values[b]; return ok && sum == none }
	if crypt.IsArmored(data) {
		facts, err := crypt.InspectFile(data)
		if err != nil || !wanted(crypt.Mark(string(facts.Armor))) {
			return
		}
		if f, err := o.OpenFile(data); err == nil {
			values[crypt.Mark(string(facts.Armor))] = sha256.Sum256(f.Content)
		}
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
		s, err := item.Sealed()
		if err != nil {
			continue
		}
		for key, b := range s.Spec.Data {
			if w := s.Spec.Wraps[b.By]; wanted(crypt.Mark(b.Box)) && slices.ContainsFunc(w.To, o.Holds) {
				if k, err := o.Unwrap(b.By, wrapOf(w)); err == nil {
					if value, err := k.Open(crypt.Binding(s.Spec.Binding), key, b.Box); err == nil {
						values[crypt.Mark(b.Box)] = sha256.Sum256(value)
					}
				}
			}
		}
	}
}
