package verify

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/policy"
)

// reporter collects the findings of a comparison.
type reporter struct {
	*Comparison
	found []Finding
}

func (r *reporter) add(f Finding) {
	for _, s := range []*string{&f.File, &f.Secret, &f.Key, &f.What, &f.Hint} {
		*s = printable(*s)
	}
	r.found = append(r.found, f)
}

// of adds a finding about a document, or about a value of it.
func (r *reporter) of(d *document, level, rule, key, hint, format string, args ...any) {
	line := d.Spec.Line
	if b, ok := d.Spec.Data[key]; ok {
		line = b.Line
	}
	r.add(Finding{Level: level, Rule: rule, File: d.file.Name, Line: line, Key: key, What: fmt.Sprintf(format, args...), Hint: hint,
		Secret: ref(cmp.Or(d.Namespace, d.Spec.Binding.Namespace), cmp.Or(d.Name, d.Spec.Binding.Name), "")})
}

func (r *reporter) who(fingerprints []string) string { return names(r.was, r.is, fingerprints) }

func keysOf(d *document) []string { return slices.Sorted(maps.Keys(d.Spec.Data)) }

// readers are the fingerprints of who can read a value, without a key those of who can read any.
func (d *document) readers(keys ...string) (to []string) {
	if len(keys) == 0 {
		keys = keysOf(d)
	}
	for _, key := range keys {
		to = append(to, d.Spec.Wraps[d.Spec.Data[key].By].To...)
	}
	slices.Sort(to)
	return slices.Compact(to)
}

func (r *reporter) added(is *document) {
	text := "new, without a value"
	if len(is.Spec.Data) > 0 {
		text = fmt.Sprintf("new, with %s; readable by %s", joinKeys(keysOf(is)), r.who(is.readers()))
	}
	r.of(is, Change, AddedSecret, "", "", "%s", text)
	for _, key := range keysOf(is) {
		r.restoredValue(is, key)
	}
	r.widened(&document{EncryptedSecret: &manifest.EncryptedSecret{}}, is)
}

func (r *reporter) removed(was *document) {
	text := "removed"
	if len(was.Spec.Data) > 0 {
		text += "; it had " + joinKeys(keysOf(was))
	}
	r.of(was, Change, RemovedSecret, "", "", "%s", text)
}

// restoredValue tells a value that an older commit held.
func (r *reporter) restoredValue(is *document, key string) bool {
	commit := r.restored[is.Spec.Data[key].Box]
	if commit != "" {
		r.of(is, Fault, RestoredValue, key, "if the old value is meant, write it again: ageseal set "+shellQuote(is.file.Name)+" "+shellQuote(key),
			"the value is back that it had in commit %.12s", commit)
	}
	return commit != ""
}

// changed compares what a document was with what it is.
func (r *reporter) changed(was, is *document) {
	if was.file.Path != is.file.Path {
		r.of(is, Change, MovedSecret, "", "", "was in %s", was.file.Name)
	}
	r.binding(was, is)
	if a, b := typeOf(was), typeOf(is); a != b {
		r.of(is, Change, ChangedType, "", "", "%s, was %s", b, a)
	}
	var kept, written []string // of the values that both have
	for _, key := range keysOf(is) {
		old, had := was.Spec.Data[key]
		now := is.Spec.Data[key]
		switch {
		case !had:
			if !r.restoredValue(is, key) {
				r.of(is, Change, AddedValue, key, "", "added")
			}
		case old.Box == now.Box && old.By == now.By:
			kept = append(kept, key)
		default:
			written = append(written, key)
		}
	}
	again := slices.DeleteFunc(slices.Clone(written), func(key string) bool { return r.restoredValue(is, key) })
	if len(kept) == 0 && len(again) > 1 {
		r.of(is, Change, Rotated, "", "", "every value was encrypted again (%s): whether one changed shows with a key only", joinKeys(again))
	} else {
		for _, key := range again {
			r.of(is, Change, ReplacedValue, key, "", "replaced")
		}
	}
	for _, key := range keysOf(was) {
		if _, ok := is.Spec.Data[key]; !ok {
			r.of(is, Change, RemovedValue, key, "", "removed")
		}
	}
	r.widened(was, is)
	r.narrowed(was, is, written)
	r.rewrapped(was, is, kept)
}

func typeOf(d *document) string {
	if d.Spec.Type == nil {
		return "no type"
	}
	return "type " + nameOnly(*d.Spec.Type)
}

func (r *reporter) binding(was, is *document) {
	a, b := was.Spec.Binding, is.Spec.Binding
	var gone []string
	if a.Namespace != "" && b.Namespace == "" {
		gone = append(gone, "namespace "+nameOnly(a.Namespace))
	}
	if a.Name != "" && b.Name == "" {
		gone = append(gone, "name "+nameOnly(a.Name))
	}
	switch {
	case len(gone) > 0:
		r.of(is, Fault, WidenedBinding, "", widenHint, "not bound to %s any more: its values open elsewhere, too", strings.Join(gone, " and "))
	case a != b:
		r.of(is, Change, ChangedBinding, "", "", "bound to %s, was %s", ref(b.Namespace, b.Name, ""), ref(a.Namespace, a.Name, ""))
	}
}

// beyond are the elements of a that b lacks.
func beyond(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(x string) bool { return slices.Contains(b, x) })
}

// widened tells who can read a value now and could not. A new value may be open to whom any value of the document was, one that was in another
// document to whom it was there.
func (r *reporter) widened(was, is *document) {
	keys := map[string][]string{} // by who came
	for _, key := range keysOf(is) {
		before := was.readers()
		if _, ok := was.Spec.Data[key]; ok {
			before = was.readers(key)
		} else if known := r.known[is.Spec.Data[key].Box]; known != nil {
			before = known
		} else if len(was.Spec.Data) == 0 {
			continue
		}
		if more := beyond(is.readers(key), before); len(more) > 0 {
			names := r.who(more)
			keys[names] = append(keys[names], key)
		}
	}
	for _, who := range slices.Sorted(maps.Keys(keys)) {
		text := "readable by " + who + " now"
		if len(keys[who]) < len(is.Spec.Data) {
			text += ": " + joinKeys(keys[who])
		}
		r.of(is, Fault, WidenedRecipients, "", widenHint, "%s", text)
	}
}

// narrowed tells who can't read values that were encrypted again.
func (r *reporter) narrowed(was, is *document, written []string) {
	var left []string
	for _, key := range written {
		left = append(left, beyond(was.readers(key), is.readers(key))...)
	}
	if len(left) > 0 {
		r.of(is, Change, NarrowedRecipients, "", "", "%s can't read what was encrypted again, and keeps what git has", r.who(left))
	}
}

// rewrapped tells that values stayed as they were under a data key that was wrapped again.
func (r *reporter) rewrapped(was, is *document, kept []string) {
	var joined, left, same []string
	for _, key := range kept {
		a, b := was.Spec.Wraps[was.Spec.Data[key].By], is.Spec.Wraps[is.Spec.Data[key].By]
		if a.Age == b.Age && a.DK == b.DK && slices.Equal(a.To, b.To) {
			continue
		}
		same = append(same, key)
		joined, left = append(joined, beyond(b.To, a.To)...), append(left, beyond(a.To, slices.Concat(b.To, r.through(b.To)))...)
	}
	if len(same) == 0 {
		return
	}
	what := "wrapped again for the same people"
	if len(joined) > 0 {
		what = r.who(joined) + " joined"
	}
	if len(same) == len(was.Spec.Data) && len(same) == len(is.Spec.Data) {
		what += ", no value changed"
	} else {
		what += ", unchanged: " + joinKeys(same)
	}
	if len(left) > 0 {
		r.of(is, Warning, Rewrapped, "", "ageseal rekey --rotate "+shellQuote(is.file.Name),
			"%s was left out, but opens what was not encrypted again (%s) with what git has", r.who(left), joinKeys(same))
		if len(joined) == 0 {
			return
		}
	}
	r.of(is, Change, Rewrapped, "", "", "%s", what)
}

// through are those who read by the identities of groups among the recipients.
func (c *Comparison) through(to []string) (members []string) {
	for _, p := range []*policy.Policy{c.was, c.is} {
		if p == nil {
			continue
		}
		for _, g := range p.Shared() {
			if slices.Contains(to, g.Recipient.Fingerprint()) {
				members = append(members, crypt.Fingerprints(g.To)...)
			}
		}
	}
	return members
}

// file compares a sealed file as a whole: nobody without a key sees more of it.
func (r *reporter) file(f filePair) {
	is := f.is
	if is == nil {
		r.add(Finding{Level: Change, Rule: RemovedFile, File: f.was.Name, Line: 1, What: "sealed file removed, or no sealed file any more"})
		return
	}
	text := armored(is)
	commit := r.restored[text]
	add := func(rule, what string) { r.add(Finding{Level: Change, Rule: rule, File: is.Name, Line: 1, What: what}) }
	switch {
	case commit != "":
		r.add(Finding{Level: Fault, Rule: RestoredValue, File: is.Name, Line: 1, What: fmt.Sprintf("the sealed file is back as it was in commit %.12s", commit),
			Hint: "if the old content is meant, encrypt it again"})
	case f.was == nil:
		add(AddedFile, "sealed file added")
	case text != armored(f.was):
		add(ReplacedFile, "sealed file replaced")
	}
	if f.was != nil && f.was.Path != is.Path {
		add(MovedFile, "sealed file, was "+f.was.Name)
	}
}
