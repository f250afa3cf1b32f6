package verify

import (
	"cmp"
	"strings"
)

// match finds what each document was. The path that git says a file had is a hint only: documents of one run resemble one another more than
// their own later versions.
func (c *Comparison) match() {
	if c.matched {
		return
	}
	c.matched = true
	bound := func(d *document, _ int) string {
		return strings.Join([]string{d.Spec.Binding.Namespace, d.Spec.Binding.Name}, "\n")
	}
	for _, by := range []struct {
		anywhere bool // in any file, if there is one on each side
		key      func(d *document, side int) string
	}{
		{false, func(d *document, i int) string { return bound(d, i) + "\n" + d.Namespace + "\n" + d.Name }},
		{false, bound},
		{true, func(d *document, i int) string {
			if d.Spec.Binding.Name == "" {
				return ""
			}
			return bound(d, i)
		}},
		{false, func(d *document, _ int) string { return cmp.Or(d.Name, d.Spec.Binding.Name) }},
		{true, func(d *document, side int) string { // moved out of its namespace
			if (side == 1) == (d.Spec.Binding.Namespace != "") {
				return ""
			}
			return cmp.Or(d.Name, d.Spec.Binding.Name)
		}},
		{false, func(*document, int) string { return "the only one" }},
	} {
		type place struct {
			pair int
			key  string
		}
		found := [2]map[place][]*document{{}, {}}
		for side, docs := range c.docs {
			for _, d := range docs {
				if key := by.key(d, side); d.other == nil && key != "" {
					at := place{key: key}
					if !by.anywhere {
						at.pair = d.pair
					}
					found[side][at] = append(found[side][at], d)
				}
			}
		}
		for at, was := range found[0] {
			is := found[1][at]
			if (by.anywhere || at.key == "the only one") && (len(was) != 1 || len(is) != 1) {
				continue
			}
			for i := range min(len(was), len(is)) {
				was[i].other, is[i].other = is[i], was[i]
			}
		}
	}
}
