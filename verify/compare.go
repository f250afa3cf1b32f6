package verify

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/policy"
)

// The rules that a change is told by. Those on top are faults, the others changes.
const (
	WidenedRecipients = "widened-recipients" // somebody can read what he could not
	WidenedBinding    = "widened-binding"    // a namespace or name was taken out of a binding
	WidenedPolicy     = "widened-policy"     // the policy allows what it did not
	RestoredValue     = "restored-value"     // a value, or a sealed file, that an older commit held

	AddedSecret        = "added-secret"
	RemovedSecret      = "removed-secret"
	MovedSecret        = "moved-secret" // to another file
	AddedValue         = "added-value"
	ReplacedValue      = "replaced-value"
	RemovedValue       = "removed-value"
	Rotated            = "rotated"             // every value was encrypted again
	Rewrapped          = "rewrapped"           // the data key was wrapped again and values stayed; a warning where somebody is left out
	NarrowedRecipients = "narrowed-recipients" // somebody can't read values that were encrypted again
	ChangedBinding     = "changed-binding"
	ChangedType        = "changed-type"
	ChangedPolicy      = "changed-policy"
	AddedFile          = "added-file" // a sealed file, as the next three
	ReplacedFile       = "replaced-file"
	RemovedFile        = "removed-file"
	MovedFile          = "moved-file"
)

// Side is a file before or after a change.
type Side struct {
	Path string // relative to the top level, slash-separated; "" if it is not there
	Name string // as the user knows it
	Data []byte
}

// Comparison says what a change does to sealed manifests and sealed files: File for each file of it, Beside for files that it leaves alone, Older
// for what Written asks for, then Findings.
type Comparison struct {
	was, is    *policy.Policy
	docs       [2][]*document // before, after
	files      []filePair     // of sealed files
	identities []filePair     // of groups
	pairs      int
	matched    bool
	before     map[manifest.Binding][]string // the paths where the change found a Secret
	known      map[string][]string           // what was sealed before the change, boxes and contents of files → fingerprints of who can read it
	restored   map[string]string             // what was written by it, or is to be looked for → the commit that held it
}

// document is a sealed manifest on one side.
type document struct {
	*manifest.EncryptedSecret
	file  *Side
	pair  int       // of files
	other *document // what it was, or became
}

type filePair struct{ was, is *Side }

// NewComparison starts one. The policies give people their names, that of the change only those that the other does not know; nil for none.
func NewComparison(was, is *policy.Policy) *Comparison {
	return &Comparison{was: was, is: is, before: map[manifest.Binding][]string{}, known: map[string][]string{}, restored: map[string]string{}}
}

// File takes a file that differs.
func (c *Comparison) File(was, is Side) {
	c.pairs++
	sealed, identity := filePair{}, filePair{}
	for i, side := range []*Side{&was, &is} {
		if side.Path == "" {
			continue
		}
		if _, ok := policy.IdentityOf(side.Path); ok {
			if i == 0 {
				identity.was = side
			} else {
				identity.is = side
			}
			continue
		}
		if crypt.IsArmored(side.Data) {
			if i == 0 {
				sealed.was = side
				c.known[armored(side)] = []string{}
			} else {
				sealed.is = side
			}
			continue
		}
		for _, s := range sealedIn(side.Data) {
			c.docs[i] = append(c.docs[i], &document{EncryptedSecret: s, file: side, pair: c.pairs})
			if i == 0 {
				c.earlier(side.Path, s)
			}
		}
		side.Data = nil // a change may be larger than memory
	}
	if sealed.was != nil || sealed.is != nil {
		c.files = append(c.files, sealed)
	}
	if identity.was != nil || identity.is != nil {
		c.identities = append(c.identities, identity)
	}
}

func (c *Comparison) earlier(path string, s *manifest.EncryptedSecret) {
	c.before[s.Spec.Binding] = append(c.before[s.Spec.Binding], path)
	for _, b := range s.Spec.Data {
		c.known[b.Box] = s.Spec.Wraps[b.By].To
	}
}

// LooksBeside reports whether Beside has something to add: there is a sealed manifest that was not there before. It comes after File.
func (c *Comparison) LooksBeside() bool {
	c.match()
	return slices.ContainsFunc(c.docs[1], func(d *document) bool { return !d.continues() })
}

// Beside takes a file that is there before the change and after it, ahead of Written. Its values are no news in a new document; what it held
// earlier may be back there.
func (c *Comparison) Beside(path string, data []byte) {
	if crypt.IsArmored(data) {
		c.known[armored(&Side{Data: data})] = []string{}
		return
	}
	for _, s := range sealedIn(data) {
		c.earlier(path, s)
	}
}

// continues reports whether a document was there before, bound as it is now.
func (d *document) continues() bool { return d.other != nil && d.other.Spec.Binding == d.Spec.Binding }

// armored is what a sealed file says, however its lines are broken.
func armored(s *Side) string { return strings.Join(strings.Fields(string(s.Data)), "") }

// sealedIn are the sealed manifests of a file that can be read. What can't, nobody can open.
func sealedIn(data []byte) (list []*manifest.EncryptedSecret) {
	data = toUTF8(data)
	if isBinary(data) || !mayHoldManifest(data) {
		return nil
	}
	f, err := manifest.Parse(data)
	if err != nil {
		return nil
	}
	for _, item := range f.Items() {
		if item.Kind != manifest.Sealed {
			continue
		}
		if s, err := item.Sealed(); err == nil {
			list = append(list, s)
		}
	}
	return list
}

// Written pairs what was with what is, and lists the paths, of the one or the other, whose older contents are to be shown to Older: none if
// the change sealed nothing.
func (c *Comparison) Written() []string {
	c.match()
	paths := map[string]bool{}
	for _, d := range c.docs[1] {
		for key, b := range d.Spec.Data {
			if !c.stayed(d, key, b) {
				c.restored[b.Box] = ""
				paths[d.file.Path] = true
				if d.other != nil {
					paths[d.other.file.Path] = true
				}
				if !d.continues() {
					for _, path := range c.before[d.Spec.Binding] {
						paths[path] = true
					}
				}
			}
		}
	}
	for _, f := range c.files {
		if f.is == nil || c.known[armored(f.is)] != nil {
			continue
		}
		c.restored[armored(f.is)] = ""
		paths[f.is.Path] = true
		if f.was != nil {
			paths[f.was.Path] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// stayed reports whether a document had a value already. What another one had counts only for a new document, which may have been part of it: an
// old copy that lies about must not hide that its values are back.
func (c *Comparison) stayed(d *document, key string, b manifest.Box) bool {
	if !d.continues() && c.known[b.Box] != nil {
		return true
	}
	if d.other == nil {
		return false
	}
	return d.other.Spec.Data[key].Box == b.Box
}

// Older takes a content that a file had before the change, and the commit that brought it; the newest first.
func (c *Comparison) Older(commit string, data []byte) {
	held := func(what string) {
		if by, ok := c.restored[what]; ok && by == "" {
			c.restored[what] = commit
		}
	}
	if crypt.IsArmored(data) {
		held(armored(&Side{Data: data}))
		return
	}
	for _, s := range sealedIn(data) {
		for _, b := range s.Spec.Data {
			held(b.Box)
		}
	}
}

// Findings are those of the change, what widens first. Written comes before it.
func (c *Comparison) Findings() []Finding {
	r := &reporter{Comparison: c}
	for _, is := range c.docs[1] {
		if is.other == nil {
			r.added(is)
		} else {
			r.changed(is.other, is)
		}
	}
	for _, was := range c.docs[0] {
		if was.other == nil {
			r.removed(was)
		}
	}
	for _, f := range c.files {
		r.file(f)
	}
	for _, f := range c.identities {
		r.identity(f)
	}
	slices.SortStableFunc(r.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return r.found
}

// ComparePolicies says how the policy in the file of this name changed; nil is none.
func ComparePolicies(name string, was, is *policy.Policy) []Finding {
	r := &reporter{}
	switch {
	case is == nil && was != nil:
		r.add(Finding{Level: Fault, Rule: WidenedPolicy, File: name, Line: 1, What: "gone, or nothing that can be read: nothing says any more who reads what", Hint: widenHint})
	case is != nil:
		told := map[string]bool{}
		for _, w := range policy.Widened(was, is) {
			told[w.What] = true
			r.add(Finding{Level: Fault, Rule: WidenedPolicy, File: name, Line: max(w.Line, 1), What: w.What, Hint: widenHint})
		}
		if was != nil {
			for _, line := range policy.Diff(was, is) {
				if !told[line] {
					r.add(Finding{Level: Change, Rule: ChangedPolicy, File: name, Line: 1, What: line})
				}
			}
		}
	}
	return r.found
}

// Widens reports whether findings of a rule are about more being allowed than before.
func Widens(rule string) bool {
	return rule == WidenedRecipients || rule == WidenedBinding || rule == WidenedPolicy || rule == WidenedGroupIdentity
}

const widenHint = "if it is meant, whoever answers for these Secrets says so: by --allow-widening, or by approving the merge as a code owner"
