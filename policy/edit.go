package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
)

// Change is what somebody, or a group, is given or loses.
type Change struct {
	Name       string
	Recipients []*crypt.Recipient
	Groups     []string // that Name is a member of
	Rules      []string // patterns of rules that have Name
}

// Add returns the text of the valid policy src in which c.Name has what is in c beside what it had, and what that text means. Comments,
// order and formatting of all else stay. Any *Error means that nothing can be changed: what would come of it is no valid policy, gives
// a recipient that no rule takes, or the text is written so unusually that the result would not mean the same.
func (c Change) Add(src []byte) ([]byte, *Policy, error) {
	old, err := Parse(src)
	if err != nil {
		return nil, nil, err
	}
	if err := c.known(old); err != nil {
		return nil, nil, err
	}
	if _, ok := old.groups[c.Name]; ok && len(c.Recipients)+len(c.Groups) > 0 {
		return nil, nil, &Error{Err: fmt.Errorf("%s is a group: recipients belong to people, and groups don't nest", c.Name), Hint: "add a member to it: ageseal recipients add NAME --group " + c.Name}
	}
	meant := old.clone()
	if len(c.Recipients) > 0 {
		meant.recipients[c.Name] = distinct(append(slices.Clone(old.recipients[c.Name]), c.Recipients...))
	}
	if err := c.shared(old, "join"); err != nil {
		return nil, nil, err
	}
	for _, g := range c.Groups {
		meant.groups[g] = old.groups[g].having(with(old.groups[g].Members, c.Name))
	}
	meant.eachRule(c.Rules, func(r *Rule) { r.Names = with(r.Names, c.Name) })
	e := &editor{src: src}
	for _, r := range c.Recipients {
		e.give(c.Name, r)
	}
	for _, g := range c.Groups {
		e.join(c.Name, membersOf(g))
	}
	for _, pattern := range c.Rules {
		e.join(c.Name, namesIn(pattern))
	}
	text, now, err := e.as(meant)
	if err != nil {
		return nil, nil, err
	}
	return text, now, c.taken(now)
}

// Remove returns the text without what is in c, else without c.Name wherever it stands, and what it means; errors as in Add. Nothing
// else may go for it: who is the last one in a group or a rule, and the last recipient of a person, can't be removed.
func (c Change) Remove(src []byte) ([]byte, *Policy, error) {
	old, err := Parse(src)
	if err != nil {
		return nil, nil, err
	}
	if err := c.known(old); err != nil {
		return nil, nil, err
	}
	if err := c.there(old); err != nil {
		return nil, nil, err
	}
	whole := len(c.Recipients)+len(c.Groups)+len(c.Rules) == 0
	if _, ok := old.groups[c.Name]; ok && len(c.Rules) == 0 {
		return nil, nil, &Error{Err: fmt.Errorf("%s is a group", c.Name), Hint: fmt.Sprintf("take it out of a rule: ageseal recipients remove %s --rule PATTERN", c.Name)}
	}
	meant := old.clone()
	e := &editor{src: src}
	if whole {
		delete(meant.recipients, c.Name)
		c.Groups = old.groupsOf(c.Name)
		for _, r := range old.rules {
			if slices.Contains(r.Names, c.Name) {
				c.Rules = append(c.Rules, r.Path)
			}
		}
	}
	if err := c.shared(old, "leave"); err != nil {
		return nil, nil, err
	}
	for _, g := range c.Groups {
		meant.groups[g] = old.groups[g].having(without(old.groups[g].Members, c.Name))
		e.leave(c.Name, membersOf(g))
	}
	meant.eachRule(c.Rules, func(r *Rule) { r.Names = without(r.Names, c.Name) })
	for _, pattern := range c.Rules {
		e.leave(c.Name, namesIn(pattern))
	}
	for _, r := range c.Recipients {
		meant.recipients[c.Name] = slices.DeleteFunc(slices.Clone(meant.recipients[c.Name]), func(x *crypt.Recipient) bool { return x.String() == r.String() })
		e.take(c.Name, r)
	}
	if err := c.last(meant); err != nil {
		return nil, nil, err
	}
	if whole {
		e.drop(c.Name)
	}
	return e.as(meant)
}

// known says which of the names in c the policy does not have.
func (c Change) known(p *Policy) error {
	for _, g := range c.Groups {
		if _, ok := p.groups[g]; !ok {
			return &Error{Err: fmt.Errorf("no group %s", quote(g)), Hint: "groups are " + orNone(slices.Sorted(maps.Keys(p.groups)))}
		}
	}
	for _, pattern := range c.Rules {
		if _, ok := p.RuleByPattern(pattern); ok {
			continue
		}
		hint := "rules are " + orNone(p.Patterns())
		if r, ok := p.Match(pattern); ok {
			hint = "that path is governed by rule " + r.Path
		}
		return &Error{Err: fmt.Errorf("no rule has the path %s", quotePattern(pattern)), Hint: hint}
	}
	return nil
}

// there says what in c can't be taken from c.Name, because it does not have it.
func (c Change) there(p *Policy) error {
	if p.recipients[c.Name] == nil && p.groups[c.Name] == nil {
		return &Error{Err: fmt.Errorf("the policy has no %s", quote(c.Name)), Hint: "names are " + orNone(p.People())}
	}
	var errs []error
	add := func(hint, format string, args ...any) {
		errs = append(errs, &Error{Err: fmt.Errorf(c.Name+" "+format, args...), Hint: hint})
	}
	for _, g := range c.Groups {
		if !slices.Contains(p.groups[g].Members, c.Name) {
			add("", "is not in group %s", g)
		}
	}
	for _, pattern := range c.Rules {
		r, _ := p.RuleByPattern(pattern)
		through := slices.DeleteFunc(p.groupsOf(c.Name), func(g string) bool { return !slices.Contains(r.Names, g) })
		switch {
		case slices.Contains(r.Names, c.Name):
		case len(through) > 0:
			add("leave the group with --group "+through[0]+", or take the group out of the rule", "is in rule %s through %s", pattern, strings.Join(through, ", "))
		default:
			add("", "is not in rule %s", pattern)
		}
	}
	for _, r := range c.Recipients {
		if !slices.ContainsFunc(p.recipients[c.Name], func(x *crypt.Recipient) bool { return x.String() == r.String() }) {
			add("", "does not have the recipient %s", r.Display())
		}
	}
	return errors.Join(errs...)
}

// shared says which of the groups own an identity: the file with it has to be encrypted to the members, too.
func (c Change) shared(p *Policy, how string) error {
	var errs []error
	for _, g := range c.Groups {
		if p.groups[g].Recipient != nil {
			errs = append(errs, &Error{Err: fmt.Errorf("group %s has an identity of its own, which is encrypted to its members", g),
				Hint: fmt.Sprintf("ageseal recipients group %s %s %s", how, g, c.Name)})
		}
	}
	return errors.Join(errs...)
}

// having is the group with other members.
func (g *Group) having(members []string) *Group {
	c := *g
	c.Members = members
	return &c
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// last says of which group, rule or person nothing is left.
func (c Change) last(meant *Policy) error {
	var errs []error
	for _, g := range c.Groups {
		if len(meant.groups[g].Members) == 0 {
			errs = append(errs, &Error{Err: fmt.Errorf("%s is the last member of group %s", c.Name, g), Hint: "add another member first; or take the group out of the file"})
		}
	}
	for _, r := range meant.rules {
		if len(r.Names) == 0 {
			errs = append(errs, &Error{Line: r.Line, Err: fmt.Errorf("%s is the last recipient of rule %s", c.Name, r.Path), Hint: "add another one first: nobody could read these files"})
		}
	}
	if rs, ok := meant.recipients[c.Name]; ok && len(rs) == 0 {
		errs = append(errs, &Error{Err: fmt.Errorf("nothing would be left of %s", c.Name), Hint: "ageseal recipients remove " + c.Name})
	}
	return errors.Join(errs...)
}

// taken says which of the new recipients would be of no use: no rule that has Name takes that kind.
func (c Change) taken(now *Policy) error {
	var errs []error
	for _, r := range c.Recipients {
		named, used := false, false
		for _, rule := range now.rules {
			for _, reader := range now.Readers(rule) {
				named = named || reader.Name == c.Name
				used = used || reader.Recipient.String() == r.String()
			}
		}
		if !named || used {
			continue
		}
		kind, hint := "classic", `give a post-quantum one, age1pq1… ("ageseal keygen" makes one); or have a rule take classic ones: "classical: allow"`
		if r.PostQuantum() {
			kind, hint = "post-quantum", `give a classic one, age1…; or remove "classical: allow" where everybody has a post-quantum one`
		}
		errs = append(errs, &Error{Err: fmt.Errorf("no rule that has %s takes a %s recipient", c.Name, kind), Hint: hint})
	}
	return errors.Join(errs...)
}

func with(list []string, name string) []string {
	list = append(slices.Clone(list), name)
	slices.Sort(list)
	return slices.Compact(list)
}

func without(list []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == name })
}

// clone is a copy of p to be changed and written; only Parse makes a policy of it.
func (p *Policy) clone() *Policy {
	c := *p
	c.recipients, c.groups, c.rules = maps.Clone(p.recipients), maps.Clone(p.groups), nil
	for _, r := range p.rules {
		rule := *r
		c.rules = append(c.rules, &rule)
	}
	return &c
}

func (p *Policy) eachRule(patterns []string, change func(*Rule)) {
	for _, r := range p.rules {
		if slices.Contains(patterns, r.Path) {
			change(r)
		}
	}
}
