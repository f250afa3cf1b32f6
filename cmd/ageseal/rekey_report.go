package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/secret"
	"github.com/ageseal/ageseal/verify"
)

// rekeyed is what a run did to a file, or would do.
type rekeyed struct {
	shown, path string
	docs        []secret.Rekeyed
}

// plan prints what would be done, and why.
func (c *cli) plan(done []rekeyed) error {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	changed := 0
	for _, f := range done {
		for i, r := range f.docs {
			if i == 0 {
				changed++
			}
			if changed == 1 && i == 0 {
				fmt.Fprintln(w, "FILE\tSECRET\tWHAT\tWHY")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", shown(f.shown), shown(r.Secret), whatRekeyed(&r), shown(c.whoRekeyed(&r)))
		}
	}
	w.Flush()
	if _, err := c.out.Write([]byte(b.String())); err != nil {
		return err
	}
	c.note("%s, %d to be changed", count(len(done), "file"), changed)
	return nil
}

const byGroup = " by the identity of a group from now on"

func whatRekeyed(r *secret.Rekeyed) string {
	switch {
	case r.Whole:
		return "encrypt again as a whole"
	case len(r.Rotated) > 0:
		return "encrypt every value again"
	case r.Pruned > 0:
		return "take out " + count(r.Pruned, "data key")
	}
	return "wrap data keys again"
}

// whoRekeyed is the reason.
func (c *cli) whoRekeyed(r *secret.Rekeyed) string {
	joined, left := " joined", " left"
	if r.Unsure {
		joined, left = " may have joined", " may have left"
	}
	var why []string
	if len(r.Joined) > 0 {
		why = append(why, c.names(r.Joined)+joined)
	}
	if len(r.Left) > 0 {
		why = append(why, c.names(r.Left)+left)
	}
	if len(r.Moved) > 0 {
		why = append(why, c.names(r.Moved)+byGroup)
	}
	switch {
	case len(why) > 0:
		return strings.Join(why, "; ")
	case r.Unsure:
		return "who could read it before is not known"
	case r.Pruned > 0:
		return "no value needs them"
	}
	return "asked for"
}

func (c *cli) reportRekeyed(done []rekeyed) {
	changed := 0
	var change []string
	for _, f := range done {
		if len(f.docs) > 0 {
			changed++
		}
		for _, r := range f.docs {
			if len(r.Exposed) > 0 {
				change = append(change, fmt.Sprintf("%s: Secret %s: %s", f.shown, r.Secret, strings.Join(r.Exposed, ", ")))
			}
			c.note("%s: rekeyed Secret %s: %s", f.shown, r.Secret, c.whyRekeyed(&r))
		}
	}
	c.note("%s, %d changed", count(len(done), "file"), changed)
	if len(change) > 0 {
		c.warn("who left could read these values: history keeps them\n  "+strings.Join(change, "\n  "), "change them at their source")
	}
}

// left are the fingerprints of who can't read any more what was rekeyed.
func left(done []rekeyed) (all []string) {
	for _, f := range done {
		for _, r := range f.docs {
			all = append(all, r.Left...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// reportLeft adds what only git's history shows: values that who left could read in files that are gone, are elsewhere, or were not in this run.
// Nothing of it can undo a run that is done: what can't be read is a warning.
func (c *cli) reportLeft(o *rekeyOptions, done []rekeyed) error {
	who := left(done)
	if len(who) == 0 {
		if o.checklist != "" {
			c.note("%s: not written, nobody left", o.checklist)
		}
		return nil
	}
	told := map[string]bool{}
	for _, f := range done {
		for _, r := range f.docs {
			for _, key := range r.Exposed {
				told[f.path+"\n"+r.Secret+"\n"+key] = true
			}
			if r.Whole && len(r.Exposed) > 0 {
				told[f.path+"\n\n"] = true
			}
		}
	}
	for _, top := range keysOf(c.repos) {
		if _, ok := topLevel(top); !ok {
			continue
		}
		h, err := c.readHistory(context.Background(), top)
		if err != nil {
			c.warn("what git's history has that they could read was not looked for: "+systemText("", err), "ageseal rotation")
			continue
		}
		c.known = append(c.known, h.policies...)
		list := h.ledger.List(h.left(func(fp string) bool { return slices.Contains(who, fp) }))
		r := &rotation{c: c, list: list, who: who, shallow: h.repo.Shallow()}
		if o.checklist != "" {
			if err := r.write(o.checklist); err != nil {
				return err
			}
		}
		var more []string
		for _, x := range list {
			path := filepath.Join(top, filepath.FromSlash(x.File))
			if due(x) && !told[path+"\n"+x.Secret+"\n"+x.Key] {
				more = append(more, place(relative(path), 0)+named(x)+": "+what(x))
			}
		}
		if len(more) > 0 {
			c.warn("git has more that they could read:\n  "+strings.Join(more, "\n  "), "change these, too; ageseal rotation lists all")
		}
		r.warnShallow()
	}
	return nil
}

// remarked follows the boxes of checklists: a value that is encrypted again is the same value, and the list goes on to be about it.
func (c *cli) remarked(done []rekeyed, inputs []*input, files []*fileRekey) (lists []atomicfile.File, err error) {
	if !slices.ContainsFunc(done, func(f rekeyed) bool {
		return slices.ContainsFunc(f.docs, func(r secret.Rekeyed) bool { return len(r.Rotated) > 0 })
	}) {
		return nil, nil
	}
	for _, top := range keysOf(c.repos) {
		found, err := c.checklists(top)
		if err != nil {
			return nil, err
		}
		lists = append(lists, found...)
	}
	if len(lists) == 0 {
		return nil, nil
	}
	marks := map[string]string{}
	for _, in := range inputs {
		if in.file.Changed() {
			secret.Remarked(in.data, in.file.Bytes(), marks)
		}
	}
	for _, f := range files {
		if f.again != nil {
			secret.Remarked(f.in.data, f.again, marks)
		}
	}
	for i, list := range lists {
		var n int
		if lists[i].Data, n = verify.Remark(list.Old, marks); n > 0 {
			c.note("%s: %s encrypted again are the same still", relative(list.Path), count(n, "value"))
		}
	}
	return slices.DeleteFunc(lists, func(f atomicfile.File) bool { return bytes.Equal(f.Old, f.Data) }), nil
}

func (c *cli) whyRekeyed(r *secret.Rekeyed) string {
	var why []string
	joined, left := " joined", " left"
	if r.Unsure {
		joined, left = " may have joined", " may have left"
	}
	again := "every value encrypted again"
	if r.Whole {
		again = "the file encrypted again as a whole"
	}
	if len(r.Joined) > 0 {
		why = append(why, c.names(r.Joined)+joined)
	}
	if len(r.Left) > 0 {
		left += ", " + again
		why = append(why, c.names(r.Left)+left)
	} else if len(r.Rotated) > 0 {
		why = append(why, again)
	}
	if len(r.Moved) > 0 {
		why = append(why, c.names(r.Moved)+byGroup)
	}
	if r.Pruned > 0 {
		why = append(why, count(r.Pruned, "data key")+" that no value needs taken out")
	}
	if r.Unsure && len(r.Joined)+len(r.Left) == 0 {
		why = append(why, "who could read it before is not known")
	}
	return strings.Join(why, "; ")
}
