package secret

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// ErrConflict: two sides of a merge changed the same thing of a sealed Secret.
var ErrConflict = errors.New("conflict")

// Merged is a three-way merge of one sealed Secret.
type Merged struct {
	// Spec is what does not depend on the conflicts: keys in conflict are left out, data keys in conflict are as ours has them. The data
	// keys of both sides of a conflict are there, so that either side can be taken. nil if Whole.
	Spec      *manifest.Spec
	Keys      []string // of the Secret, in conflict
	DataKeys  []string // ids whose recipients are in conflict
	Whole     bool     // nothing can be merged
	Conflicts []Error  // why; each matches ErrConflict
}

// Merge joins what two sides made of base, which is nil where both made the Secret anew. No private key is needed. A value is that of the
// side that changed it. Conflicts are: both sides changed it, or one removed it; a value that one side sealed for a reader whom the other
// took away; data keys wrapped for different recipients, neither set within the other; a change of binding, type or immutable beside any
// other; and what would be over the format's limits.
func Merge(base, ours, theirs *manifest.Spec) *Merged {
	m := &Merged{}
	if !sameHead(ours, theirs) {
		switch {
		case base != nil && sameSpec(base, theirs):
			m.Spec = cloneSpec(*ours)
		case base != nil && sameSpec(base, ours):
			m.Spec = cloneSpec(*theirs)
		default:
			return m.whole(ours, errors.New("one side changed its binding, type or immutable, and the other side changed something, too"))
		}
		prune(m.Spec)
		return m
	}
	if base == nil {
		base = &manifest.Spec{}
	}
	m.Spec = cloneSpec(*ours)
	m.Spec.Data, m.Spec.Wraps = map[string]manifest.Box{}, map[string]manifest.Wrap{}
	needed := m.values(base, ours, theirs)
	m.dataKeys(needed, base, ours, theirs)
	if err := limits(m.Spec); err != nil && len(m.Keys) == 0 {
		return m.whole(ours, err)
	}
	return m
}

func (m *Merged) conflict(s *manifest.Spec, key string, err error) {
	m.Conflicts = append(m.Conflicts, Error{Secret: Ref(s.Binding.Namespace, s.Binding.Name), Key: key, Err: marked{err, ErrConflict}})
}

func (m *Merged) whole(s *manifest.Spec, err error) *Merged {
	*m = Merged{Whole: true}
	m.conflict(s, "", err)
	return m
}

// values merges data, and returns the ids of the data keys that the result and the conflicts need.
func (m *Merged) values(base, ours, theirs *manifest.Spec) (needed []string) {
	sides := [2]*manifest.Spec{ours, theirs}
	away := [2][]string{takenAway(base, ours), takenAway(base, theirs)}
	keys := map[string]bool{}
	for _, s := range []*manifest.Spec{base, ours, theirs} {
		for key := range s.Data {
			keys[key] = true
		}
	}
	for _, key := range sortedKeys(keys) {
		b, o, t := boxOf(base, key), boxOf(ours, key), boxOf(theirs, key)
		none := manifest.Box{}
		box, changed := o, -1 // by one of sides
		var err error
		switch {
		case o == t:
		case b == t:
			changed = 0
		case b == o:
			box, changed = t, 1
		case o == none || t == none:
			err = errors.New("one side removed it, the other side changed it")
		case b == none:
			err = errors.New("both sides added it")
		default:
			err = errors.New("both sides changed it")
		}
		if changed >= 0 && box != none && intersects(sides[changed].Wraps[box.By].To, away[1-changed]) {
			// Whoever left is told from the list of values to change what to expect; this one is not on it.
			err = errors.New("one side took a reader away, the other side sealed this value for that reader")
		}
		switch {
		case err != nil:
			m.conflict(ours, key, err)
			m.Keys = append(m.Keys, key)
			needed = append(needed, o.By, t.By)
		case box != none:
			m.Spec.Data[key] = box
			needed = append(needed, box.By)
		}
	}
	return needed
}

// dataKeys merges the wraps that are needed. Between two that differ in nothing but their bytes either is right: both were wrapped again.
func (m *Merged) dataKeys(needed []string, base, ours, theirs *manifest.Spec) {
	slices.Sort(needed)
	for _, id := range slices.Compact(needed) {
		b, o, t := base.Wraps[id], ours.Wraps[id], theirs.Wraps[id]
		switch {
		case id == "":
		case len(o.To) == 0 || sameWrap(b, o) && len(t.To) > 0:
			m.Spec.Wraps[id] = t
		case len(t.To) == 0 || sameWrap(b, t) || len(without(t.To, o.To)) == 0:
			m.Spec.Wraps[id] = o
		case len(without(o.To, t.To)) == 0:
			m.Spec.Wraps[id] = t
		default:
			m.Spec.Wraps[id] = o
			m.DataKeys = append(m.DataKeys, id)
			m.conflict(ours, "", fmt.Errorf("each side let others read data key %s", id))
		}
	}
}

// takenAway are the readers of base who read nothing of what side made of it: it encrypted anew, and not for them.
func takenAway(base, side *manifest.Spec) []string {
	fresh := func(id string) bool { _, old := base.Wraps[id]; return !old }
	if !slices.ContainsFunc(referenced(side.Data), fresh) {
		return nil // at most it removed values
	}
	return without(readers(base), readers(side))
}

func readers(s *manifest.Spec) (all []string) {
	for _, id := range referenced(s.Data) {
		all = union(all, s.Wraps[id].To)
	}
	return all
}

func limits(s *manifest.Spec) error {
	total := 0
	for _, box := range s.Data {
		total += crypt.LeastValue(box.Box)
	}
	switch {
	case len(s.Data) > manifest.MaxValues:
		return fmt.Errorf("together %d values, %d at most", len(s.Data), manifest.MaxValues)
	case len(s.Wraps) > manifest.MaxWraps:
		return fmt.Errorf("together %d data keys, %d at most", len(s.Wraps), manifest.MaxWraps)
	case total > manifest.MaxTotal:
		return fmt.Errorf("together at least %d bytes of values, Kubernetes takes %d", total, manifest.MaxTotal)
	}
	return nil
}

// boxOf is a value without its place, or the zero Box.
func boxOf(s *manifest.Spec, key string) manifest.Box {
	box := s.Data[key]
	box.Line = 0
	return box
}

func sameWrap(a, b manifest.Wrap) bool {
	return a.Age == b.Age && a.DK == b.DK && slices.Equal(a.To, b.To)
}

func sameHead(a, b *manifest.Spec) bool {
	return a.Binding == b.Binding && samePointed(a.Type, b.Type) && samePointed(a.Immutable, b.Immutable)
}

func samePointed[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

func sameSpec(a, b *manifest.Spec) bool {
	return sameHead(a, b) && maps.EqualFunc(a.Wraps, b.Wraps, sameWrap) &&
		maps.EqualFunc(a.Data, b.Data, func(x, y manifest.Box) bool { return x.By == y.By && x.Box == y.Box })
}

func intersects(a, b []string) bool { return len(without(a, b)) < len(a) }
