package policy

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ageseal/ageseal/crypt"
)

var errTooLarge = errors.New("a policy of more than 1 MiB")

// resolve finds the recipients of a rule. Post-quantum and classic ones never mix: the rule says which kind counts, and
// every member must have one of that kind, or a member would silently be left out.
func (p *parser) resolve(r *Rule, where string, names []*yaml.Node) {
	complained := map[string]bool{}
	named := map[string]bool{}
	seen := map[string]bool{}
	member := func(line int, name, via string) {
		who := p.people[name]
		if who == nil || who.faulty || complained[name] {
			return
		}
		found := false
		for _, x := range who.recipients {
			if x.PostQuantum() == r.Classical {
				continue
			}
			found = true
			if !seen[x.String()] && len(r.Recipients) <= MaxMembers {
				seen[x.String()] = true
				r.Recipients = append(r.Recipients, x)
			}
		}
		if found {
			return
		}
		complained[name] = true
		if via != "" {
			name += " (of group " + via + ")"
		}
		if r.Classical {
			p.add(line, `add an age1… recipient, or remove "classical: allow" if everybody has a post-quantum one`,
				`%s: %s has no classic recipient, and "classical: allow" takes these`, where, name)
		} else {
			p.add(line, `add an age1pq1… recipient ("ageseal keygen" makes one), or write "classical: allow" in this rule`,
				"%s: %s has no post-quantum recipient", where, name)
		}
	}
	for _, n := range names {
		name, ok := p.string(n, where+": a recipient")
		if !ok {
			continue
		}
		if named[name] {
			continue
		}
		named[name] = true
		switch g := p.groups[name]; {
		case g != nil && g.Recipient != nil:
			p.resolveShared(r, g, where, n.Line)
		case g != nil:
			for _, m := range g.Members {
				if len(r.Recipients) > MaxMembers {
					break
				}
				member(n.Line, m, name)
			}
		case p.people[name] != nil:
			member(n.Line, name, "")
		default:
			p.unknown(n.Line, where, name)
			continue
		}
		r.Names = append(r.Names, name)
	}
	if len(r.Recipients) > MaxMembers {
		p.add(r.Line, "", "%s: more than %d recipients", where, MaxMembers)
	}
	slices.Sort(r.Names)
	r.Recipients, r.Through = distinct(r.Recipients), distinct(r.Through)
}

// resolveShared adds the one recipient of a group that has an identity of its own.
func (p *parser) resolveShared(r *Rule, g *group, where string, line int) {
	switch {
	case g.faulty:
	case g.Recipient.PostQuantum() && r.Classical:
		p.add(line, `remove "classical: allow" if everybody has a post-quantum recipient`, `%s: the identity of group %s is post-quantum, and "classical: allow" takes classic ones`, where, g.Name)
	case !g.Recipient.PostQuantum() && !r.Classical:
		p.add(line, `give the group a post-quantum identity, or write "classical: allow" in this rule`, "%s: the identity of group %s is not post-quantum", where, g.Name)
	default:
		r.Recipients = append(r.Recipients, g.Recipient)
		r.Through = append(r.Through, g.To...)
	}
}

// finish puts a policy without faults into its final form.
func (p *parser) finish() {
	for name, who := range p.people {
		p.policy.recipients[name] = who.recipients
		for _, r := range who.recipients {
			if old, ok := p.policy.names[r.Fingerprint()]; !ok || name < old {
				p.policy.names[r.Fingerprint()] = name
			}
		}
	}
	for name, g := range p.groups {
		p.policy.groups[name] = &g.Group
		if g.Recipient != nil {
			p.policy.names[g.Recipient.Fingerprint()] = name
		}
	}
	slices.SortFunc(p.policy.silence, func(a, b silence) int {
		return cmp.Or(strings.Compare(a.finding, b.finding), strings.Compare(a.path, b.path), strings.Compare(a.reason, b.reason))
	})
	p.policy.silence = slices.CompactFunc(p.policy.silence, func(a, b silence) bool {
		return a.finding == b.finding && a.path == b.path && a.reason == b.reason
	})
}

// distinct sorts by text and drops duplicates.
func distinct(rs []*crypt.Recipient) []*crypt.Recipient {
	slices.SortFunc(rs, func(a, b *crypt.Recipient) int { return strings.Compare(a.String(), b.String()) })
	return slices.CompactFunc(rs, func(a, b *crypt.Recipient) bool { return a.String() == b.String() })
}
