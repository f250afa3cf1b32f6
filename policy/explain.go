package policy

import (
	"maps"
	"slices"

	"github.com/ageseal/ageseal/crypt"
)

// People and GroupNames are the names that the policy gives, sorted; Patterns are those of the rules, in order.
func (p *Policy) People() []string     { return slices.Sorted(maps.Keys(p.recipients)) }
func (p *Policy) GroupNames() []string { return slices.Sorted(maps.Keys(p.groups)) }

func (p *Policy) Patterns() []string {
	all := make([]string, len(p.rules))
	for i, r := range p.rules {
		all[i] = r.Path
	}
	return all
}

// Members are those of a group, nil for any other name.
func (p *Policy) Members(group string) []string {
	if g, ok := p.groups[group]; ok {
		return slices.Clone(g.Members)
	}
	return nil
}

func (p *Policy) groupsOf(name string) []string {
	return slices.DeleteFunc(p.GroupNames(), func(g string) bool { return !slices.Contains(p.groups[g].Members, name) })
}

// Reader is one recipient of a rule, and why it is one.
type Reader struct {
	Name      string // whose it is
	Recipient *crypt.Recipient
	Direct    bool     // the rule has the name itself
	Groups    []string // of the rule, through which the name is in it
}

// Readers are who reads by a rule of p, by name. A recipient that two people share is there for each.
func (p *Policy) Readers(r *Rule) []Reader {
	var all []Reader
	owned := map[*crypt.Recipient]bool{}
	for _, name := range p.People() {
		groups := slices.DeleteFunc(p.groupsOf(name), func(g string) bool { return !slices.Contains(r.Names, g) })
		direct := slices.Contains(r.Names, name)
		if !direct && len(groups) == 0 {
			continue
		}
		has := texts(p.recipients[name])
		for _, x := range r.Recipients {
			if slices.Contains(has, x.String()) {
				owned[x] = true
				all = append(all, Reader{name, x, direct, groups})
			}
		}
	}
	for _, x := range r.Recipients {
		if !owned[x] { // of the group itself, if anybody's
			all = append(all, Reader{Name: p.NameOf(x.Fingerprint()), Recipient: x, Direct: true})
		}
	}
	return all
}

// Reads reports whether somebody reads by a rule of p, be it with the identity that a group shares.
func (p *Policy) Reads(r *Rule, name string) bool {
	return slices.ContainsFunc(p.Readers(r), func(x Reader) bool { return x.Name == name }) ||
		slices.ContainsFunc(p.Shared(), func(g *Group) bool { return slices.Contains(r.Names, g.Name) && slices.Contains(g.Members, name) })
}

// Silenced is a finding that the policy keeps quiet.
type Silenced struct {
	Finding string `json:"finding"`
	Path    string `json:"path"` // the pattern
	Reason  string `json:"reason"`
}

// Explanation is why a rule governs a file.
type Explanation struct {
	Rule     *Rule   // nil if none does
	Before   []*Rule // tried before it, and they do not match
	After    []*Rule // match, too, and come too late
	Silenced []Silenced
}

// Explain says which rule governs a file, a slash-separated path relative to the policy's directory that need not exist, and what is
// silenced there; false for a path that leads out of that directory.
func (p *Policy) Explain(file string) (*Explanation, bool) {
	segments, ok := split(file)
	if !ok {
		return nil, false
	}
	e := &Explanation{}
	for _, r := range p.rules {
		switch matches := r.glob.match(segments); {
		case matches && e.Rule == nil:
			e.Rule = r
		case matches:
			e.After = append(e.After, r)
		case e.Rule == nil:
			e.Before = append(e.Before, r)
		}
	}
	for _, s := range p.silence {
		if s.glob.match(segments) {
			e.Silenced = append(e.Silenced, Silenced{s.finding, s.path, s.reason})
		}
	}
	return e, true
}
