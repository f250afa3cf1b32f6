package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// text is what people read: a table of rules, one of files, or both of what one person can read.
func (a *access) text() string {
	var parts []string
	if a.Of != nil {
		parts = append(parts, a.Of.text())
	}
	if len(a.Rules) > 0 {
		parts = append(parts, table(a.ruleRows()))
	}
	if a.Of != nil && len(a.Rules)+len(a.Files) == 0 {
		parts = append(parts, "In no rule, and in no file\n")
	}
	if len(a.idle) > 0 {
		parts = append(parts, "In no rule: "+strings.Join(a.idle, ", ")+"\n")
	}
	if len(a.Files) > 0 {
		parts = append(parts, table(a.fileRows()))
	}
	return strings.Join(parts, "\n")
}

// table aligns rows, the first of which is the head. What comes from a repository is on one line.
func table(rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = onOneLine(cmp.Or(cell, "-"))
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	w.Flush()
	return b.String()
}

func (of *ofJSON) text() string {
	var b strings.Builder
	fmt.Fprint(&b, cmp.Or(of.Name, "without a name in the policy"))
	if len(of.Groups) > 0 {
		fmt.Fprint(&b, ", member of "+strings.Join(of.Groups, ", "))
	}
	fmt.Fprintln(&b)
	for _, r := range of.Recipients {
		fmt.Fprintf(&b, "  %s %s\n", r.Fingerprint, r.shown)
	}
	return strings.ReplaceAll(b.String(), " \n", "\n")
}

func (a *access) ruleRows() [][]string {
	rows := [][]string{{"RULE", "NAMESPACE", "NAMES", "RECIPIENTS"}}
	if a.Of != nil {
		rows[0][3] = "THROUGH"
	}
	for _, r := range a.Rules {
		var names []string
		for _, n := range r.Names {
			if n.Members != nil {
				n.Name += " (" + strings.Join(n.Members, ", ") + ")"
			}
			names = append(names, n.Name)
		}
		last := fmt.Sprintf("%d %s", len(r.Readers), r.Readers[0].Kind)
		if a.Of != nil {
			last = r.Readers[0].through()
		}
		rows = append(rows, []string{r.Path, r.Namespace, strings.Join(names, ", "), last})
	}
	return rows
}

// through says why somebody is in a rule.
func (r *ruleReader) through() string {
	var ways []string
	if r.Direct {
		ways = append(ways, "the rule itself")
	}
	for _, g := range r.Through {
		ways = append(ways, "group "+g)
	}
	return strings.Join(ways, ", ")
}

func (a *access) fileRows() [][]string {
	rows := [][]string{{"FILE", "SECRET", "RULE", "READABLE BY", "STATE"}}
	for _, f := range a.Files {
		state := []string{}
		if f.Rule == "" {
			state = append(state, "no rule")
		}
		if len(f.Pending) > 0 {
			state = append(state, "pending: "+readerNames(f.Pending))
		}
		if len(f.Extra) > 0 {
			state = append(state, "extra: "+readerNames(f.Extra))
		}
		var readers []string
		for _, r := range f.Readers {
			who := cmp.Or(r.Name, r.Fingerprint)
			if r.Keys != nil {
				who += fmt.Sprintf(" (%d of %d values)", len(r.Keys), f.values)
			}
			readers = append(readers, who)
		}
		slices.Sort(readers)
		by := strings.Join(slices.Compact(readers), ", ")
		if f.Kind == "SealedFile" {
			by = "does not say"
			if f.Rule != "" && !f.Follows {
				state = append(state, "not as many as the rule says: "+readerNames(f.Says))
			} else if f.Rule != "" {
				state = append(state, "as many as the rule says: "+readerNames(f.Says))
			}
		}
		rows = append(rows, []string{f.File, f.Secret, f.Rule, by, cmp.Or(strings.Join(state, "; "), "as the rule says")})
	}
	return rows
}

func readerNames(rs []reader) string {
	names := make([]string, len(rs))
	for i, r := range rs {
		names[i] = cmp.Or(r.Name, r.Fingerprint)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}
