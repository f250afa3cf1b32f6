package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/secret"
)

func (c *cli) runGroupLeave(o *groupOptions, g *groupChange, name string, leaving []string) error {
	group, err := g.shared(name)
	if err != nil {
		return err
	}
	if g.completed && !slices.ContainsFunc(leaving, func(m string) bool { return slices.Contains(group.Members, m) }) {
		return nil
	}
	for _, member := range leaving {
		if !slices.Contains(group.Members, member) {
			return &fileError{relative(g.path), hinted("to replace the identity all the same: ageseal recipients group leave "+name,
				"group %s has no member %q: %s", name, member, strings.Join(group.Members, ", "))}
		}
	}
	remaining := slices.DeleteFunc(slices.Clone(group.Members), func(m string) bool { return slices.Contains(leaving, m) })
	if len(remaining) == 0 {
		return &fileError{relative(g.path), hinted("take the group out of the rules and the policy instead, then: ageseal trust && ageseal rekey", "nobody would be left in group %s", name)}
	}
	// By the policy as it is: what is there was encrypted to the identity that goes.
	opener, err := c.opener(&o.identities, g.repo.top)
	if err != nil {
		return err
	}
	id, err := crypt.GenerateIdentity(group.Recipient.PostQuantum())
	if err != nil {
		return err
	}
	if err := c.setGroup(g, name, remaining, id); err != nil {
		return err
	}
	work, err := c.rekeyForGroup(o, g, group, opener)
	if err != nil {
		return err
	}
	if !o.dryRun {
		lists, err := c.remarked(work.done, work.inputs, work.files)
		if err != nil {
			return err
		}
		if g.files, err = replacements(work.inputs, slices.Concat(g.files, filesToWrite(work.files), lists)...); err != nil {
			return err
		}
		if err := g.write(); err != nil {
			return err
		}
	}
	c.reportLeaving(o, group, leaving, id.Recipient(), work)
	return nil
}

// rekeyForGroup computes everything that is for a group, or was encrypted to its identity, by the policy as it will be.
func (c *cli) rekeyForGroup(o *groupOptions, g *groupChange, group *policy.Group, opener *crypt.Opener) (*rekeying, error) {
	old := g.repo.policy
	history := []*policy.Policy{old} // accepted, if only by this run
	if g.repo.pins != nil {
		accepted, err := g.repo.pins.History(g.repo.key)
		if err != nil {
			return nil, err
		}
		history = append(history, accepted...)
	}
	g.repo.policy, g.repo.history, g.repo.rules = g.next, history, map[string][][]*crypt.Recipient{}
	defer func() { g.repo.policy = old }()
	c.known = append(c.known, history...)
	return c.rekeyWork(&rekeyOptions{dryRun: o.dryRun}, []string{relative(g.repo.top)}, opener, func(path string, f *manifest.File) bool {
		if top, ok := c.topOf(filepath.Dir(path)); !ok || top != g.repo.top {
			return false // another repository inside this one
		}
		rel, err := filepath.Rel(g.repo.top, path)
		if err != nil {
			return false
		}
		rule, ok := g.next.Match(filepath.ToSlash(rel))
		return ok && slices.Contains(rule.Names, group.Name) || f != nil && isFor(f, group.Recipient.Fingerprint())
	})
}

// isFor reports whether a file has a sealed manifest for the recipient with this fingerprint.
func isFor(f *manifest.File, fingerprint string) bool {
	return slices.ContainsFunc(f.Items(), func(item *manifest.Item) bool {
		if item.Kind != manifest.Sealed {
			return false
		}
		s, err := secret.Read(item)
		if err != nil {
			return false
		}
		for _, w := range s.Spec.Wraps {
			if slices.Contains(w.To, fingerprint) {
				return true
			}
		}
		return false
	})
}

func (c *cli) reportLeaving(o *groupOptions, group *policy.Group, leaving []string, recipient *crypt.Recipient, work *rekeying) {
	would := ""
	if o.dryRun {
		would = "would be "
	}
	var change []string
	for _, f := range work.done {
		for _, r := range f.docs {
			c.note("%s: Secret %s: %sencrypted again for the new identity of group %s", f.shown, r.Secret, would, group.Name)
			if len(r.Exposed) > 0 {
				change = append(change, fmt.Sprintf("%s: Secret %s: %s", f.shown, r.Secret, strings.Join(r.Exposed, ", ")))
			}
		}
	}
	who := "who has the old identity"
	if len(leaving) > 0 {
		who = strings.Join(leaving, ", ")
		c.note("%s: %s %sout of group %s", group.File(), who, would, group.Name)
	}
	if o.dryRun {
		c.note("%s: another identity would be made for group %s", group.File(), group.Name)
	} else {
		c.note("%s: another identity of group %s, recipient %s", group.File(), group.Name, recipient.Display())
	}
	if len(change) > 0 {
		c.warn(who+" could read these values, and keeps the old identity and the history\n  "+strings.Join(change, "\n  "), "change them at their source")
	}
}
