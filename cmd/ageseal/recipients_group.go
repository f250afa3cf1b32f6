package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/policy"
)

type groupOptions struct {
	identities identityFlags
	classic    bool
	dryRun     bool
}

func newGroupCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "group",
		Short: "Groups that share an identity",
		Long: `A group may own an identity, which lies in the repository encrypted to its members: .ageseal/identities/NAME.age.
What is for the group is encrypted to that one recipient. Who joins needs one file changed and no document; who
builds opens the file once, with one touch of a hardware key, however many documents there are.

A member can do more unseen than somebody who is listed in each document: keep the identity, which opens all that
the group covers until it is replaced, and hand it on.` + exitHelp(),
		Example: `  ageseal recipients group create ops alice bob
  ageseal recipients group join ops carol
  ageseal recipients group leave ops bob
  ageseal recipients group list`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newGroupCreateCommand(c), newGroupJoinCommand(c), newGroupLeaveCommand(c), &cobra.Command{
		Use:     "list",
		Short:   "List the groups, their members and identities",
		Long:    "List the groups of the policy as it is: members, the identity of its own, the rules that name it. No private key is used." + exitHelp(),
		Example: "  ageseal recipients group list",
		Args:    noArgs,
		RunE:    func(*cobra.Command, []string) error { return c.runGroupList() },
	})
	return cmd
}

func newGroupCreateCommand(c *cli) *cobra.Command {
	o := &groupOptions{}
	cmd := &cobra.Command{
		Use:   "create NAME [MEMBER ...]",
		Short: "Give a group an identity of its own",
		Long: `Generate an identity, write it encrypted to the members, and put the group with its recipient into the policy,
which keeps its comments and is accepted as your own change. Without members, those of the group that is there.
No document changes: "ageseal rekey" moves them over, where a rule names the group.` + exitHelp(),
		Example: `  ageseal recipients group create ops alice bob
  ageseal recipients group create --classic legacy dave`,
		Args: argsBetween(1, -1, "a name for the group, and its members"),
		RunE: func(_ *cobra.Command, args []string) error {
			return c.changeGroup(o, func(g *groupChange) error { return c.runGroupCreate(o, g, args[0], args[1:]) })
		},
	}
	cmd.Flags().BoolVar(&o.classic, "classic", false, "an X25519 identity, encrypted to the members' classic recipients")
	o.addDryRun(cmd)
	return cmd
}

func newGroupJoinCommand(c *cli) *cobra.Command {
	o := &groupOptions{}
	cmd := &cobra.Command{
		Use:   "join NAME MEMBER",
		Short: "Let somebody into a group",
		Long: `Encrypt the identity of the group to the new member, too, and add him to the group in the policy, which is accepted
as your own change. He reads all that is for the group then; no document changes. Only who can open the identity
can do this. The policy has to have a recipient of the new member.` + exitHelp(statusNoIdentity, statusAuthentication),
		Example: "  ageseal recipients group join ops carol",
		Args:    argsBetween(2, 2, "a group and who joins it"),
		RunE: func(_ *cobra.Command, args []string) error {
			return c.changeGroup(o, func(g *groupChange) error { return c.runGroupJoin(o, g, args[0], args[1]) })
		},
	}
	o.identities.add(cmd)
	o.addDryRun(cmd)
	return cmd
}

func newGroupLeaveCommand(c *cli) *cobra.Command {
	o := &groupOptions{}
	cmd := &cobra.Command{
		Use:   "leave NAME [MEMBER ...]",
		Short: "Take somebody out of a group: a new identity, and all it covers encrypted again",
		Long: `Generate another identity for the group, for those who remain, and encrypt again everything that is for the group, in one
run, all or nothing. Who left keeps the old identity, and with the git history all that it ever opened: the keys
whose values have to be changed at their source are listed. Without a member only the identity is replaced, as
after a leak.` + exitHelp(statusNoIdentity, statusAuthentication),
		Example: `  ageseal recipients group leave ops bob
  ageseal recipients group leave ops                # the identity leaked, nobody leaves`,
		Args: argsBetween(1, -1, "a group and who leaves it"),
		RunE: func(_ *cobra.Command, args []string) error {
			return c.changeGroup(o, func(g *groupChange) error { return c.runGroupLeave(o, g, args[0], args[1:]) })
		},
	}
	o.identities.add(cmd)
	o.addDryRun(cmd)
	return cmd
}

func (o *groupOptions) addDryRun(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would be done, and change nothing")
}

// shared finds a group with an identity of its own.
func (g *groupChange) shared(name string) (*policy.Group, error) {
	group, ok := g.repo.policy.Group(name)
	switch {
	case !ok:
		return nil, &fileError{relative(g.path), hinted("ageseal recipients group list", "no group %q", name)}
	case group.Recipient == nil:
		return nil, &fileError{relative(g.path), hinted("ageseal recipients group create "+name, "group %s has no identity of its own", name)}
	}
	return group, nil
}

func (c *cli) runGroupCreate(o *groupOptions, g *groupChange, name string, members []string) error {
	group, known := g.repo.policy.Group(name)
	if known {
		given := slices.Compact(slices.Sorted(slices.Values(members)))
		if len(given) > 0 && !slices.Equal(given, group.Members) {
			return &fileError{relative(g.path), hinted("leave the members away, or: ageseal recipients group join, leave", "group %s has other members: %s", name, strings.Join(group.Members, ", "))}
		}
		if group.Recipient != nil {
			c.note("group %s: has an identity of its own, unchanged", name)
			return nil
		}
		members = group.Members
	}
	if len(members) == 0 {
		return usage("ageseal recipients group create --help", "name the members of the group")
	}
	id, err := crypt.GenerateIdentity(!o.classic)
	if err != nil {
		return err
	}
	if err := c.setGroup(g, name, members, id); err != nil {
		return err
	}
	group, _ = g.next.Group(name)
	if o.dryRun {
		c.note("would give group %s an identity of its own, in %s, for %s", name, group.File(), strings.Join(group.Members, ", "))
		return nil
	}
	if err := g.write(); err != nil {
		return err
	}
	c.note("%s: the identity of group %s, for %s, recipient %s", group.File(), name, strings.Join(group.Members, ", "), id.Recipient().Display())
	if rules := rulesOf(g.next, name); len(rules) > 0 {
		c.note("  what is there follows with: ageseal rekey (rules: %s)", strings.Join(rules, ", "))
	} else {
		c.note("  name it in a rule of %s, then: ageseal trust && ageseal rekey", relative(g.path))
	}
	return nil
}

func (c *cli) runGroupJoin(o *groupOptions, g *groupChange, name, member string) error {
	group, err := g.shared(name)
	if err != nil {
		return err
	}
	if len(g.repo.policy.Recipients(member)) == 0 {
		return &fileError{relative(g.path), hinted("add him under recipients: NAME: age1pq1…; then: ageseal trust", "nobody is called %q there", member)}
	}
	if data, err := readIdentity(g.repo.top, group); err == nil {
		// To encrypt it again would hide that somebody has it who is gone from the policy.
		if facts, err := crypt.InspectIdentity(data); err == nil && facts.Recipients() > len(group.To) {
			return &fileError{group.File(), hinted("make another identity first: ageseal recipients group leave "+name,
				"encrypted to %d recipients, and the members have %d: somebody who is not in the policy any more opens it", facts.Recipients(), len(group.To))}
		}
	}
	opener, err := c.opener(&o.identities)
	if err != nil {
		return err
	}
	id, err := c.groupIdentity(opener, g.repo.top, group)
	if err != nil {
		return c.notOpened(group, err)
	}
	if err := c.setGroup(g, name, append(slices.Clone(group.Members), member), id); err != nil {
		return err
	}
	rules := strings.Join(rulesOf(g.next, name), ", ")
	switch fits := identityFits(g.files[0].Old, group); {
	case slices.Contains(group.Members, member) && fits:
		c.note("group %s: %s is a member, unchanged", name, member)
		return nil
	case o.dryRun:
		c.note("would let %s into group %s: all that these rules cover: %s", member, name, rules)
		return nil
	}
	if err := g.write(); err != nil {
		return err
	}
	if slices.Contains(group.Members, member) {
		c.note("%s: encrypted again to all that the members of group %s have in the policy, no document changed", group.File(), name)
		return nil
	}
	c.note("%s: %s joined group %s and reads all that it covers, no document changed: rules %s", group.File(), member, name, rules)
	return nil
}

// notOpened is the error for a group whose identity the user can't open.
func (c *cli) notOpened(g *policy.Group, err error) error {
	if exitStatus(err) != statusNoIdentity {
		return err
	}
	m := unusable(message{fmt.Sprintf("it is for %s (%s)", strings.Join(g.Members, ", "), c.tried()), "a member has to do it"}, err)
	return &fileError{g.File(), &hintError{fmt.Errorf("%w: %s", crypt.ErrNoIdentity, m.text), m.hint}}
}

// rulesOf are the patterns of the rules that name a group.
func rulesOf(p *policy.Policy, group string) (patterns []string) {
	for _, r := range p.Rules() {
		if slices.Contains(r.Names, group) {
			patterns = append(patterns, r.Path)
		}
	}
	return patterns
}

func (c *cli) runGroupList() error {
	top, err := c.ownTop()
	if err != nil {
		return err
	}
	repo, err := c.openRepository(top)
	if err != nil {
		return err
	}
	for _, g := range repo.policy.Groups() {
		fmt.Fprintf(c.out, "%s: %s\n", g.Name, strings.Join(g.Members, ", "))
		if g.Recipient != nil {
			fmt.Fprintf(c.out, "  identity: %s, %s\n", g.Recipient.Display(), c.identityState(top, g))
		}
		if rules := rulesOf(repo.policy, g.Name); len(rules) > 0 {
			fmt.Fprintf(c.out, "  rules:    %s\n", strings.Join(rules, ", "))
		}
	}
	return nil
}

// identityState says what shows of a group's identity file without a key.
func (c *cli) identityState(top string, g *policy.Group) string {
	data, err := readIdentity(top, g)
	if err != nil {
		return g.File() + ": " + systemText(g.File(), err)
	}
	facts, err := crypt.InspectIdentity(data)
	switch {
	case err != nil:
		return g.File() + ": " + err.Error()
	case !facts.Fits(g.To):
		return fmt.Sprintf("%s: encrypted to %d recipients, not to the members' %d", g.File(), facts.Recipients(), len(g.To))
	}
	return fmt.Sprintf("%s: encrypted to %d recipients, as many as the members have", g.File(), facts.Recipients())
}
