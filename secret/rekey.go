package secret

import (
	"errors"
	"slices"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// RekeyOptions say whom a file's documents are to be readable by, and what may be widened.
type RekeyOptions struct {
	Target
	Sharing
	Opener *crypt.Opener
	Rotate bool // everything is encrypted again, whether or not somebody left
	// Consolidate encrypts the documents again whose values are under several data keys: then they are under one.
	Consolidate bool
}

// Rekeyed is what happened to one document.
type Rekeyed struct {
	Secret  string
	Joined  []string // fingerprints that can read it now
	Left    []string // fingerprints that can't any more
	Moved   []string // fingerprints that read it with an identity that they share from now on
	Rotated []string // keys encrypted again
	Exposed []string // keys that somebody who left could read: the values are to be changed at their source
	Pruned  int      // data keys that no value needed, where nothing else was to be done
	Whole   bool     // it is a sealed file, which is encrypted again as a whole whatever the reason
	Unsure  bool     // a sealed file for which several may have been the recipients, or nobody knows: Joined and Left may say too much
}

// Rekey makes the sealed documents of a file readable by the target and nobody else. Where somebody joined, the data
// keys are wrapped again and no box changes, nor where somebody reads with a shared identity from now on; where somebody left, every
// value is encrypted again under fresh keys. A document is opened and checked as a whole before it is touched; only data keys that no
// value needs are taken out unopened. On a fault the file is to be discarded.
func (w *Writer) Rekey(f *manifest.File, o RekeyOptions) ([]Rekeyed, error) {
	var all []Rekeyed
	items, docs, faults := sealedItems(f)
	for i, s := range docs {
		r, err := w.rekey(items[i], s, o)
		if err != nil {
			faults = append(faults, err)
		} else if r != nil {
			all = append(all, *r)
		}
	}
	return all, errors.Join(faults...)
}

func (w *Writer) rekey(item *manifest.Item, s *manifest.EncryptedSecret, o RekeyOptions) (*Rekeyed, error) {
	target := crypt.Fingerprints(o.Recipients)
	stay := union(target, crypt.Fingerprints(o.Through))
	r := &Rekeyed{Secret: place(s)}
	var stale []string
	ids := referenced(s.Spec.Data)
	rotate := o.Rotate || o.Consolidate && len(ids) > 1
	for _, id := range ids {
		to := s.Spec.Wraps[id].To
		if slices.Equal(to, target) {
			continue
		}
		stale = append(stale, id)
		r.Joined = union(r.Joined, without(target, to))
		r.Left = union(r.Left, without(to, stay))
		r.Moved = union(r.Moved, without(without(to, target), r.Left))
	}
	if len(stale) == 0 && !rotate {
		if r.Pruned = len(s.Spec.Wraps) - len(ids); r.Pruned == 0 {
			return nil, nil
		}
		spec := cloneSpec(s.Spec)
		prune(spec)
		item.SetSpec(spec)
		return r, nil
	}
	values, keys, err := open(s, o.Opener, manifest.CredentialTypes)
	if err != nil {
		return nil, err
	}
	// Only now is each "to" known to be the one that was sealed.
	for _, id := range stale {
		if err := o.allowWrap(s, id, target); err != nil {
			return nil, err
		}
	}
	spec := cloneSpec(s.Spec)
	if len(r.Left) > 0 || rotate {
		r.Rotated = sortedKeys(values)
		for _, key := range r.Rotated {
			if len(without(s.Spec.Wraps[s.Spec.Data[key].By].To, stay)) > 0 {
				r.Exposed = append(r.Exposed, key)
			}
		}
		if err := w.seal(spec, o.Recipients, values); err != nil {
			return nil, &Error{Line: s.Spec.Line, Secret: r.Secret, Err: err}
		}
	} else {
		session, err := w.session(o.Recipients)
		if err != nil {
			return nil, &Error{Line: s.Spec.Line, Secret: r.Secret, Err: err}
		}
		for _, id := range stale {
			wrap := session.Wrap(keys[id])
			spec.Wraps[id] = manifest.Wrap{To: wrap.To, Age: wrap.Age, DK: wrap.DK}
		}
		prune(spec)
	}
	item.SetSpec(spec)
	return r, nil
}

// without lists what a has and b has not.
func without(a, b []string) []string {
	var rest []string
	for _, x := range a {
		if !slices.Contains(b, x) {
			rest = append(rest, x)
		}
	}
	return rest
}

func union(a, b []string) []string { return append(a, without(b, a)...) }
