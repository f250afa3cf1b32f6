package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/policy"
)

// The rules of the files that hold identities of groups. Whom such a file is encrypted to shows with no key; how many they are, and of
// which kind, does.
const (
	GroupIdentity        = "group-identity"         // the file of a group's identity does not fit the policy, or is not there
	WidenedGroupIdentity = "widened-group-identity" // a change encrypts one to more recipients
	ChangedGroupIdentity = "changed-group-identity" // a change adds, replaces or removes one
)

// identityFile holds the file of a group's identity against the policy, nil for none.
func (c *checker) identityFile(data []byte, group string, p *policy.Policy) {
	add := func(hint, format string, args ...any) {
		c.add(Finding{Rule: GroupIdentity, Line: 1, What: fmt.Sprintf(format, args...), Hint: hint})
	}
	facts, err := crypt.InspectIdentity(data)
	if err != nil {
		add("restore it from git history", "%v", err)
		return
	}
	if p == nil {
		return
	}
	g, ok := p.Group(group)
	switch {
	case !ok || g.Recipient == nil:
		add("take it away, or give the policy back what belongs to it", "the policy has no group %s with an identity of its own", group)
	case !facts.Fits(g.To):
		add(fmt.Sprintf("restore it from git history; if somebody left: ageseal recipients group leave %s", group),
			"encrypted to %s, group %s is %s: %s", recipients(facts), group, strings.Join(g.Members, ", "), counted(len(g.To), g.Recipient.PostQuantum()))
	}
}

// LackingIdentities finds groups whose identity is nowhere. name is the policy's file as the user knows it; has tells of paths
// relative to its directory.
func LackingIdentities(name string, p *policy.Policy, has func(path string) bool) []Finding {
	c := &checker{name: name}
	for _, g := range p.Shared() {
		if !has(g.File()) {
			c.add(Finding{Rule: GroupIdentity, Line: g.Line, What: fmt.Sprintf("group %s has an identity of its own, and %s is not there: nobody opens what is for the group", g.Name, g.File()),
				Hint: "restore the file from git history"})
		}
	}
	return c.found
}

// identity tells what a change does to the file of a group's identity.
func (r *reporter) identity(f filePair) {
	var was, is *crypt.FileFacts
	if f.was != nil {
		was, _ = crypt.InspectIdentity(f.was.Data)
	}
	if f.is != nil {
		is, _ = crypt.InspectIdentity(f.is.Data)
	}
	add := func(level, rule, hint, format string, args ...any) {
		side := f.is
		if side == nil {
			side = f.was
		}
		r.add(Finding{Level: level, Rule: rule, File: side.Name, Line: 1, What: fmt.Sprintf(format, args...), Hint: hint})
	}
	const unseen = "; for whom can't be seen without a key"
	switch {
	case f.is == nil:
		add(Change, ChangedGroupIdentity, "", "the identity of a group removed")
	case is == nil: // a finding of its own
	case was == nil:
		add(Change, ChangedGroupIdentity, "", "the identity of a group, encrypted to %s%s", recipients(is), unseen)
	case slices.Equal(was.Armor, is.Armor):
	case is.Recipients() > was.Recipients():
		add(Fault, WidenedGroupIdentity, widenHint, "the identity of a group, encrypted to %s, before to %s%s", recipients(is), recipients(was), unseen)
	default:
		add(Change, ChangedGroupIdentity, "", "the identity of a group encrypted again, to %s, before to %s%s", recipients(is), recipients(was), unseen)
	}
}

// recipients says how many there are, by kind.
func recipients(f *crypt.FileFacts) string {
	var all []string
	for _, kind := range []struct {
		n    int
		name string
	}{{f.PostQuantum, "post-quantum"}, {f.Classic, "classic"}, {f.Other, "unknown"}} {
		if kind.n > 0 {
			text := fmt.Sprintf("%d %s recipient", kind.n, kind.name)
			if kind.n > 1 {
				text += "s"
			}
			all = append(all, text)
		}
	}
	if len(all) == 0 {
		return "no recipients"
	}
	return strings.Join(all, " and ")
}

func counted(n int, postQuantum bool) string {
	f := &crypt.FileFacts{Classic: n}
	if postQuantum {
		f = &crypt.FileFacts{PostQuantum: n}
	}
	return recipients(f)
}
