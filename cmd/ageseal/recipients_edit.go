package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/policy"
)

type recipientsEditOptions struct {
	files, rules, groups []string
	noRule, dryRun       bool
}

func newRecipientsAddCommand(c *cli) *cobra.Command {
	o := &recipientsEditOptions{}
	cmd := &cobra.Command{
		Use:   "add NAME [RECIPIENT ...]",
		Short: "Let somebody read: edit the policy",
		Long: `Give a person recipients, or let a person or a group into rules, by editing .ageseal.yaml; its comments, its order and
its formatting stay. "ageseal rekey" then lets them into what is sealed already.

Who is new to the policy has to be put somewhere: into rules with --rule, into groups with --group, or nowhere yet
with --no-rule. Only where the policy has a single rule, that one is meant. Who is known stays where they are, and a
further recipient counts in all of their rules.

The changed policy is accepted, as with "ageseal trust", for you have just written it; so the one before has to be
accepted first.` + exitHelp(),
		Example: `  ageseal recipients add ci-prod age1pq1… --rule 'apps/*/prod/**'
  ageseal recipients add bob -R bob.pub --group ops
  ageseal recipients add ops --rule 'infra/**'          # a group, or a person who is known
  curl -s https://keys.example.com/carol | ageseal recipients add carol -R - --rule '**' --dry-run`,
		Args: argsBetween(1, -1, "a name, and what it gets"),
		RunE: func(_ *cobra.Command, args []string) error { return c.runRecipientsAdd(o, args) },
	}
	o.add(cmd)
	cmd.Flags().StringArrayVarP(&o.files, "recipients-file", "R", nil, `give each line of a `+"`file`"+`, "-" for standard input (repeatable)`)
	cmd.Flags().BoolVar(&o.noRule, "no-rule", false, "put somebody new into no rule and no group")
	return cmd
}

func newRecipientsRemoveCommand(c *cli) *cobra.Command {
	o := &recipientsEditOptions{}
	cmd := &cobra.Command{
		Use:     "remove NAME [RECIPIENT ...]",
		Aliases: []string{"rm"},
		Short:   "Take somebody's access away: edit the policy",
		Long: `Take a name out of rules or groups, recipients from a person, or, with none of them given, a person out of all rules,
all groups and the policy. A recipient may be given by its fingerprint, or as the SHA256:… that messages show.
.ageseal.yaml keeps its comments, also one above what is removed. The last recipient of a rule, and the last member of a group, can't be removed.

"ageseal rekey" then encrypts every value again that they could read, and lists what has to be changed at its source:
who could read a value keeps it.` + exitHelp(),
		Example: `  ageseal recipients remove bob --dry-run
  ageseal recipients remove bob --group ops
  ageseal recipients remove bob tsgiqfvvu2ofbhkr        # a key that was lost`,
		Args: argsBetween(1, -1, "a name, and what it loses"),
		RunE: func(_ *cobra.Command, args []string) error { return c.runRecipientsRemove(o, args) },
	}
	o.add(cmd)
	return cmd
}

func (o *recipientsEditOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&o.rules, "rule", nil, "the rule with this `path` (repeatable)")
	flags.StringArrayVar(&o.groups, "group", nil, "the `group` of this name (repeatable)")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print how the policy would change, and change nothing")
	_ = cmd.RegisterFlagCompletionFunc("rule", completeNames((*policy.Policy).Patterns))
	_ = cmd.RegisterFlagCompletionFunc("group", completeNames((*policy.Policy).GroupNames))
}

func (c *cli) runRecipientsAdd(o *recipientsEditOptions, args []string) error {
	given, err := c.parseRecipients(args[1:], o.files)
	if err != nil {
		return err
	}
	return c.editPolicy(o, func(p *policy.Policy, src []byte) ([]byte, *policy.Policy, error) {
		change := policy.Change{Name: args[0], Recipients: given, Groups: o.groups, Rules: o.rules}
		placed := len(o.rules)+len(o.groups) > 0
		known := p.Recipients(change.Name) != nil || p.Members(change.Name) != nil
		switch {
		case o.noRule && placed:
			return nil, nil, usage("ageseal recipients add --help", "--no-rule is for who gets into no rule and no group")
		case len(given) == 0 && (!placed || !known):
			return nil, nil, usage("ageseal recipients add NAME age1pq1… --rule PATTERN; or -R FILE", "no recipient was given")
		case known || placed || o.noRule:
		case len(p.Patterns()) == 1:
			change.Rules = p.Patterns()
		default:
			return nil, nil, usage("add --rule "+quoted(p.Patterns()[0])+", --group, or --no-rule; rules are "+strings.Join(p.Patterns(), ", "),
				"the policy has several rules: say which are for the newcomer")
		}
		return change.Add(src)
	})
}

func (c *cli) runRecipientsRemove(o *recipientsEditOptions, args []string) error {
	return c.editPolicy(o, func(p *policy.Policy, src []byte) ([]byte, *policy.Policy, error) {
		change := policy.Change{Name: args[0], Groups: o.groups, Rules: o.rules}
		for _, text := range args[1:] {
			r, err := ownedBy(p, change.Name, text)
			if err != nil {
				return nil, nil, err
			}
			change.Recipients = append(change.Recipients, r)
		}
		return change.Remove(src)
	})
}

// ownedBy is a recipient, or the one of a person with this fingerprint, of either kind: files have the short one, messages the other.
func ownedBy(p *policy.Policy, name, text string) (*crypt.Recipient, error) {
	shown := strings.HasPrefix(text, "SHA256:")
	if !shown && !fingerprintText().MatchString(text) {
		r, err := crypt.ParseRecipient(text)
		if errors.Is(err, crypt.ErrIsIdentity) {
			err = &hintError{err, identityHint}
		}
		return r, err
	}
	var found []*crypt.Recipient
	for _, r := range p.Recipients(name) {
		if r.Fingerprint() == text || shown && strings.HasSuffix(r.Display(), " "+text) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		return nil, hinted("ageseal recipients --of "+quoted(name), "%s has no recipient with the fingerprint %s", name, text)
	}
	return found[0], nil
}

// editPolicy changes the policy of this repository, if it is the accepted one, and accepts what comes of it.
func (c *cli) editPolicy(o *recipientsEditOptions, edit func(*policy.Policy, []byte) ([]byte, *policy.Policy, error)) error {
	c.readOnly = o.dryRun
	repo, err := c.repositoryHere()
	if err != nil {
		return err
	}
	if !o.dryRun {
		unlock, err := c.lock([]string{repo.top})
		if err != nil {
			return err
		}
		defer unlock()
	}
	file := c.policyAt(repo.top)
	shown := relative(file)
	if file, err = filepath.EvalSymlinks(file); err != nil {
		return err
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	p, err := policy.Parse(src)
	if err == nil {
		p, err = c.withIdentities(repo.top, p)
	}
	if err != nil || !bytes.Equal(p.Canonical(), repo.policy.Canonical()) {
		return &fileError{shown, atomicfile.ErrChanged}
	}
	text, now, err := edit(repo.policy, src)
	if err != nil {
		if _, ok := errors.AsType[*policy.Error](err); ok {
			return &fileError{shown, err}
		}
		return err
	}
	if err := c.mayEdit(repo); err != nil {
		return err
	}
	if now, err = c.withIdentities(repo.top, now); err != nil {
		return err
	}
	diff := policy.Diff(repo.policy, now)
	if len(diff) == 0 {
		c.note("%s: says so already, unchanged", shown)
		return nil
	}
	follow := c.toFollow(repo, now)
	if o.dryRun {
		for _, line := range diff {
			fmt.Fprintln(c.out, line)
		}
		c.note("%s: would change\n  %s", shown, strings.Join(follow, "\n  "))
		return nil
	}
	if err := atomicfile.WriteAll([]atomicfile.File{{Path: file, Data: text, Old: src}}); err != nil {
		return err
	}
	c.note("%s:\n  %s", shown, strings.Join(diff, "\n  "))
	repo.policy = now
	if repo.pins != nil {
		if err := repo.accept(); err != nil {
			return &hintError{err, "the policy is changed and not yet accepted: ageseal trust"}
		}
	}
	for _, step := range follow {
		c.note("%s", step)
	}
	return nil
}

// mayEdit wants the policy to be the accepted one to the letter: what is written now is accepted as a whole, and nobody has looked at what
// else has changed, be it for less.
func (c *cli) mayEdit(repo *repository) error {
	if repo.pins == nil {
		return nil
	}
	if diff, err := repo.sinceAccepted(); err != nil {
		return err
	} else if len(diff) > 0 {
		return c.changedPolicy(repo, diff)
	}
	return c.checkPin(repo)
}

// toFollow says what is to be done after an edit: which identities of groups are encrypted to keys that their members don't have, or lack
// some that they have, and how many files the new policy is ahead of.
func (c *cli) toFollow(repo *repository, now *policy.Policy) []string {
	var next []string
	for _, g := range now.Shared() {
		was, _ := repo.policy.Group(g.Name)
		switch given, taken := strangers(g.To, was.To), strangers(was.To, g.To); {
		case taken:
			next = append(next, "next: ageseal recipients group leave "+g.Name+" (what was taken away opens the identity of the group still)")
		case given:
			next = append(next, "next: ageseal recipients group join "+g.Name+" "+quoted(g.Members[0])+" (encrypts the identity of the group to what was given, too)")
		}
	}
	if files := c.filesToFollow(repo, now); len(next) == 0 || files != nothingToRekey {
		next = append(next, files)
	}
	return next
}

// strangers reports whether there are recipients in a that are not in b.
func strangers(a, b []*crypt.Recipient) bool {
	return slices.ContainsFunc(a, func(r *crypt.Recipient) bool {
		return !slices.ContainsFunc(b, func(x *crypt.Recipient) bool { return x.String() == r.String() })
	})
}

const nothingToRekey = "nothing to rekey: no sealed file is concerned"

func (c *cli) filesToFollow(repo *repository, now *policy.Policy) string {
	const command = "next: ageseal rekey"
	files, err := c.accessTo([]string{repo.top}, &rulesAsTheyAre{c: c, policies: map[string]*policy.Policy{repo.top: now}})
	if err != nil {
		return command + "; some of what is sealed can't be read"
	}
	behind := map[string]bool{}
	for _, f := range files {
		if !f.Follows && f.Rule != "" {
			behind[f.File] = true
		}
	}
	if len(behind) == 0 {
		return nothingToRekey
	}
	return fmt.Sprintf("%s (%s)", command, count(len(behind), "file"))
}
