package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/ageseal/ageseal/verify"
)

// maxRows is the number of changes that a comment for a pull request lists: forges cut one at 65,536 characters, and what matters is on top.
const maxRows = 200

// counted are the words for a number of changes by the same rule.
var counted = []struct{ rule, one, many string }{
	{verify.AddedSecret, "Secret added", "Secrets added"},
	{verify.RemovedSecret, "Secret removed", "Secrets removed"},
	{verify.MovedSecret, "Secret moved", "Secrets moved"},
	{verify.AddedValue, "value added", "values added"},
	{verify.ReplacedValue, "value replaced", "values replaced"},
	{verify.RemovedValue, "value removed", "values removed"},
	{verify.RestoredValue, "value put back", "values put back"},
	{verify.ChangedBinding, "binding changed", "bindings changed"},
	{verify.ChangedType, "type changed", "types changed"},
	{verify.NarrowedRecipients, "Secret with fewer readers", "Secrets with fewer readers"},
	{verify.ChangedPolicy, "change of the policy", "changes of the policy"},
	{verify.Rotated, "Secret encrypted again", "Secrets encrypted again"},
	{verify.Rewrapped, "Secret with other readers of unchanged values", "Secrets with other readers of unchanged values"},
	{verify.AddedFile, "sealed file added", "sealed files added"},
	{verify.ReplacedFile, "sealed file replaced", "sealed files replaced"},
	{verify.RemovedFile, "sealed file removed", "sealed files removed"},
	{verify.MovedFile, "sealed file moved", "sealed files moved"},
}

// pullRequest writes what a change does: what widens as a list on top, findings, then the changes of each Secret.
func (f *findings) pullRequest() []byte {
	var b strings.Builder
	faults, changes := 0, 0
	for i, x := range f.list {
		switch {
		case i >= f.wider && x.Level == verify.Fault:
			faults++
		case i >= f.wider && x.Level == verify.Change:
			changes++
		}
	}
	var title []string
	if f.wider > 0 {
		title = append(title, "more is allowed than before")
	}
	if faults > 0 {
		title = append(title, count(faults, "finding"))
	}
	if changes > 0 {
		title = append(title, count(changes, "change"))
	}
	if len(title) == 0 {
		title = []string{"no change"}
	}
	fmt.Fprintf(&b, "## Secrets: %s\n\n", strings.Join(title, ", "))
	if f.wider > 0 {
		b.WriteString("### More is allowed than before\n\n")
		f.widened(&b)
		b.WriteString("\n")
		if hint := f.list[0].Hint; f.list[0].Level == verify.Fault && hint != "" {
			fmt.Fprintf(&b, "%s\n\n", plain(shown(hint)))
		} else {
			b.WriteString("Allowed by who ran this with `--allow-widening`.\n\n")
		}
	}
	f.table(&b, "Findings", verify.Fault)
	f.table(&b, "Warnings", verify.Warning)
	f.changes(&b, changes)
	return []byte(b.String())
}

// widened lists what widened: the same for many Secrets once, or nobody would see the rest.
func (f *findings) widened(b *strings.Builder) {
	const most = 20
	type same struct{ rule, what string }
	var order []same
	places := map[same][]string{}
	for _, x := range f.list[:f.wider] {
		s := same{x.Rule, x.What}
		if places[s] == nil {
			order = append(order, s)
		}
		where := cell(f.at(x))
		if x.Secret != "" {
			where = plain(shown(x.Secret)) + " in " + where
		}
		places[s] = append(places[s], where)
	}
	for _, s := range order {
		where := places[s]
		more := ""
		if n := len(where) - most; n > 0 {
			where, more = where[:most], fmt.Sprintf(", and %d more", n)
		}
		fmt.Fprintf(b, "* **%s**: %s – %s%s\n", cell(s.rule), plain(shown(s.what)), strings.Join(where, ", "), more)
	}
}

// changes are a table by Secret, or file, and key, and how many there are of a kind.
func (f *findings) changes(b *strings.Builder, n int) {
	if n == 0 {
		return
	}
	by := map[string]int{}
	for _, x := range f.list {
		by[x.Rule]++
	}
	var sums []string
	for _, c := range counted {
		switch k := by[c.rule]; {
		case k == 1:
			sums = append(sums, "1 "+c.one)
		case k > 1:
			sums = append(sums, fmt.Sprintf("%d %s", k, c.many))
		}
	}
	b.WriteString("### Changes\n\n")
	if len(sums) > 0 {
		fmt.Fprintf(b, "%s.\n\n", strings.Join(sums, ", "))
	}
	b.WriteString("| Secret or file | key | what | where |\n| --- | --- | --- | --- |\n")
	rows := 0
	for _, x := range f.list[f.wider:] {
		if x.Level != verify.Change {
			continue
		}
		if rows++; rows > maxRows {
			fmt.Fprintf(b, "\n%d more: %s\n", n-maxRows, cell("ageseal verify --base "+quoted(f.base)))
			return
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", cell(cmp.Or(x.Secret, f.file(x))), cell(x.Key), plain(shown(x.What)), cell(f.at(x)))
	}
}
