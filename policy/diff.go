package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
)

// Diff says in the words of the policy how it changed from old: one line a change, names of people first. It is empty
// only if the two mean the same.
//
//   - recipient ci-prod age1pq1…     group ops: + bob (rule apps/prod/**)     rule apps/prod/**: + ci-prod     rule order: a, b
func Diff(old, now *Policy) []string {
	d := &differ{}
	d.recipients(old, now)
	d.groups(old, now)
	d.rules(old, now)
	d.lines = append(d.lines, changes("silence ", "", silences(old), silences(now))...)
	return d.lines
}

type differ struct{ lines []string }

func (d *differ) add(parts ...string) { d.lines = append(d.lines, strings.Join(parts, "")) }

// changes are what went and what came, removals first.
func changes(what, where string, old, now []string) []string {
	var out []string
	for _, x := range old {
		if !slices.Contains(now, x) {
			out = append(out, where+"- "+what+x)
		}
	}
	for _, x := range now {
		if !slices.Contains(old, x) {
			out = append(out, where+"+ "+what+x)
		}
	}
	return out
}

// people lists the recipients of each name.
func people(p *Policy) map[string][]string {
	out := make(map[string][]string, len(p.recipients))
	for name, rs := range p.recipients {
		for _, r := range rs {
			out[name] = append(out[name], r.Display())
		}
	}
	return out
}

func silences(p *Policy) []string {
	out := make([]string, len(p.silence))
	for i, s := range p.silence {
		out[i] = s.finding + " for " + s.path + ": " + s.reason
	}
	return out
}

// recipients compares those of each name. What somebody known gains or loses counts in rules that do not change themselves.
func (d *differ) recipients(old, now *Policy) {
	was, is := people(old), people(now)
	for _, name := range union(was, is) {
		for _, line := range changes("", "", was[name], is[name]) {
			sign, recipient := line[:2], line[2:]
			where := ""
			if len(was[name]) > 0 && len(is[name]) > 0 {
				where = inRules(sign, old, now, func(p *Policy, r *Rule) bool {
					return slices.ContainsFunc(p.Readers(r), func(x Reader) bool { return x.Name == name && x.Recipient.Display() == recipient }) ||
						p.sharedIn(r, recipient)
				})
			}
			d.add(sign, "recipient ", name, " ", recipient, where)
		}
	}
}

// sharedIn reports whether a rule has a group whose identity is encrypted to a recipient that is shown so.
func (p *Policy) sharedIn(r *Rule, recipient string) bool {
	return slices.ContainsFunc(p.Shared(), func(g *Group) bool {
		return slices.Contains(r.Names, g.Name) && slices.ContainsFunc(g.To, func(x *crypt.Recipient) bool { return x.Display() == recipient })
	})
}

// inRules says in which rules a change has an effect: of the new policy what comes, of the old one what goes.
func inRules(sign string, old, now *Policy, has func(*Policy, *Rule) bool) string {
	p := now
	if sign == "- " {
		p = old
	}
	var patterns []string
	for _, r := range p.rules {
		if has(p, r) {
			patterns = append(patterns, r.Path)
		}
	}
	if len(patterns) == 0 {
		return " (in no rule)"
	}
	return " (rule " + strings.Join(patterns, ", ") + ")"
}

func (d *differ) groups(old, now *Policy) {
	describe := func(g *Group) string {
		s := strings.Join(g.Members, ", ")
		if g.Recipient != nil {
			s += ", with an identity of its own, " + g.Recipient.Display()
		}
		return s
	}
	for _, name := range union(old.groups, now.groups) {
		before, after := old.groups[name], now.groups[name]
		switch {
		case before == nil:
			d.add("+ group ", name, ": ", describe(after))
		case after == nil:
			d.add("- group ", name, ": ", describe(before))
		default:
			d.group(before, after, func(sign string) string {
				return inRules(sign, old, now, func(_ *Policy, r *Rule) bool { return slices.Contains(r.Names, name) })
			})
		}
	}
}

func (d *differ) group(before, after *Group, inRules func(sign string) string) {
	where := "group " + after.Name + ": "
	kept := before.sameIdentity(after)
	for _, line := range changes("", where, before.Members, after.Members) {
		line += inRules(line[len(where):][:2])
		if kept && strings.HasPrefix(line[len(where):], "- ") {
			line += ", who keeps the group's identity until it has another (ageseal recipients group leave)"
		}
		d.lines = append(d.lines, line)
	}
	own := func(g *Group) string {
		if g.Recipient == nil {
			return ""
		}
		return g.Recipient.Display()
	}
	d.lines = append(d.lines, changes("an identity of its own, ", where, some(own(before)), some(own(after)))...)
	if !kept || before.file == after.file {
		return
	}
	if after.file == noFile {
		d.add(where, "the file of its identity is gone")
	} else {
		d.add(where, "the file of its identity is another: whom it is encrypted to can't be seen")
	}
}

// sameIdentity reports whether two groups share the same identity.
func (g *Group) sameIdentity(other *Group) bool {
	return g.Recipient != nil && other.Recipient != nil && g.Recipient.String() == other.Recipient.String()
}

func (d *differ) rules(old, now *Policy) {
	for _, r := range old.rules {
		if _, ok := now.RuleByPattern(r.Path); !ok {
			d.add("- rule ", r.Path, ": ", describe(r))
		}
	}
	for i, r := range now.rules {
		before, ok := old.RuleByPattern(r.Path)
		if !ok {
			place := ""
			if i+1 < len(now.rules) {
				place = " (before rule " + now.rules[i+1].Path + ")"
			}
			d.add("+ rule ", r.Path, ": ", describe(r), place)
			continue
		}
		where := "rule " + r.Path + ": "
		d.lines = append(d.lines, changes("", where, before.Names, r.Names)...)
		d.lines = append(d.lines, changes("namespace ", where, some(before.Namespace), some(r.Namespace))...)
		if r.Classical != before.Classical {
			d.add(where, map[bool]string{true: "+ ", false: "- "}[r.Classical], "classical: allow")
		}
	}
	if was, is := common(old, now), common(now, old); !slices.Equal(was, is) {
		d.add("rule order: ", strings.Join(is, ", "), " (was ", strings.Join(was, ", "), ")")
	}
}

func describe(r *Rule) string {
	s := strings.Join(r.Names, ", ")
	if r.Namespace != "" {
		s += ", namespace " + r.Namespace
	}
	if r.Classical {
		s += ", classical: allow"
	}
	return s
}

// common are the patterns of p that q has too, in p's order.
func common(p, q *Policy) []string {
	var out []string
	for _, r := range p.rules {
		if _, ok := q.RuleByPattern(r.Path); ok {
			out = append(out, r.Path)
		}
	}
	return out
}

func some(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func union[V any](a, b map[string]V) []string {
	names := append(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b))...)
	slices.Sort(names)
	return slices.Compact(names)
}

// narrowed reports whether now lets nobody read anything that old did not, for every path there may be. It says so only
// where the proof is simple: the rules are a beginning of the old ones – same patterns, same order, nothing but the
// names in them fewer – and no name, group or silenced finding came or grew, and no group that shares an identity changed. A rule taken from the middle is not
// narrower: its files fall to a later, perhaps wider one.
func narrowed(old, now *Policy) bool {
	if len(now.rules) > len(old.rules) || len(now.rules) == 0 {
		return false
	}
	for i, r := range now.rules {
		before := old.rules[i]
		if r.Path != before.Path || r.Namespace != before.Namespace || r.Classical != before.Classical ||
			!within(r.Names, before.Names) || !within(texts(r.Recipients), texts(before.Recipients)) {
			return false
		}
	}
	was := people(old)
	for name, is := range people(now) {
		if !within(is, was[name]) {
			return false
		}
	}
	for name, g := range now.groups {
		before, ok := old.groups[name]
		if !ok || !within(g.Members, before.Members) || g.file != before.file || (g.Recipient == nil) != (before.Recipient == nil) {
			return false
		}
		// Who is taken out of the list alone still has the identity: it looks narrower than it is.
		if g.Recipient != nil && (!before.sameIdentity(g) || len(g.Members) < len(before.Members)) {
			return false
		}
	}
	return within(silences(now), silences(old))
}

func within(a, b []string) bool {
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return true
}
