package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/lazy"
	"github.com/ageseal/ageseal/policy"
)

type recipientsOptions struct {
	of, output string
}

func newRecipientsCommand(c *cli) *cobra.Command {
	o := &recipientsOptions{}
	cmd := &cobra.Command{
		Use:   "recipients [PATH ...]",
		Short: "Show who can read what, and change it",
		Long: `Print who can read what: by rule of the policy; of the sealed manifests and sealed files at the paths and below
them, who can read each now, and whether its rule says the same; with --of, the rules and files that one person
can read. A person is a name of the policy; what the policy has no name for is asked for by its fingerprint,
as sealed manifests have it, or by the recipient itself.

"pending" can't read a file yet though its rule says so, "extra" still can though it does not: "ageseal rekey" makes
the file follow. A sealed file says how many can read it, not who. The policy is the one that lies here, accepted or
not. No private key is needed, and nothing here is proven before somebody opens the values.

What -o json prints is in docs/recipients.md.` + exitHelp(),
		Example: `  ageseal recipients                                # by rule
  ageseal recipients apps/shop                      # by file
  ageseal recipients --of ci-prod
  ageseal recipients -o json . | jq -r '.files[] | select(.extra != []) | .file'`,
		RunE: func(_ *cobra.Command, args []string) error { return c.runRecipients(o, args) },
	}
	cmd.Flags().StringVar(&o.of, "of", "", "what this `person` can read: a name, a fingerprint, or a recipient")
	addTextOrJSON(cmd, &o.output)
	_ = cmd.RegisterFlagCompletionFunc("of", completeNames((*policy.Policy).People))
	cmd.AddCommand(newRecipientsAddCommand(c), newRecipientsRemoveCommand(c), newGroupCommand(c))
	return cmd
}

func addTextOrJSON(cmd *cobra.Command, to *string) {
	formats := []string{"text", "json"}
	cmd.Flags().StringVarP(to, "output", "o", "text", "`text or json`")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	check := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !slices.Contains(formats, *to) {
			return usage(cmd.CommandPath()+" --help", "unknown output format %q", *to)
		}
		return check(cmd, args)
	}
}

// completeNames completes what a policy has, as far as it can be read: completion has nobody to tell of a fault.
func completeNames(what func(*policy.Policy) []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		repo, err := (&cli{}).repositoryHere()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return what(repo.policy), cobra.ShellCompDirectiveNoFileComp
	}
}

// access is what recipients prints; as JSON, docs/recipients.md has it. Fields are only ever added.
type access struct {
	Of    *ofJSON      `json:"of,omitempty"`
	Rules []accessRule `json:"rules"`
	Files []accessFile `json:"files"`
	idle  []string     // names that no rule has
}

type ofJSON struct {
	Name       string        `json:"name,omitempty"`
	Groups     []string      `json:"groups,omitempty"`
	Recipients []ofRecipient `json:"recipients"`
	shared     []string      // fingerprints of identities of groups that are encrypted to them
}

type ofRecipient struct {
	Fingerprint string `json:"fingerprint"`
	recipientJSON
}

// recipientJSON is a recipient of the policy; empty for one that it does not have.
type recipientJSON struct {
	Kind      string `json:"kind,omitempty"`
	Recipient string `json:"recipient,omitempty"`
	shown     string
}

type accessRule struct {
	Path      string       `json:"path"`
	Line      int          `json:"line"`
	Namespace string       `json:"namespace,omitempty"`
	Classical bool         `json:"classical"`
	Names     []ruleName   `json:"names"`
	Readers   []ruleReader `json:"readers"`
}

type ruleName struct {
	Name    string   `json:"name"`
	Members []string `json:"members,omitempty"` // of a group
}

// ruleReader is one who reads by a rule, and why.
type ruleReader struct {
	reader
	recipientJSON
	Direct  bool     `json:"direct"`
	Through []string `json:"through,omitempty"` // groups
}

func recipientOf(r *crypt.Recipient) recipientJSON {
	kind := "classic"
	if r.PostQuantum() {
		kind = "post-quantum"
	}
	return recipientJSON{kind, r.String(), r.Display()}
}

func ruleOf(p *policy.Policy, r *policy.Rule) accessRule {
	out := accessRule{Path: r.Path, Line: r.Line, Namespace: r.Namespace, Classical: r.Classical}
	for _, name := range r.Names {
		out.Names = append(out.Names, ruleName{name, p.Members(name)})
	}
	for _, r := range p.Readers(r) {
		out.Readers = append(out.Readers, ruleReader{reader{r.Name, r.Recipient.Fingerprint()}, recipientOf(r.Recipient), r.Direct, r.Groups})
	}
	return out
}

func (c *cli) runRecipients(o *recipientsOptions, args []string) error {
	a := access{Rules: []accessRule{}, Files: []accessFile{}}
	var err error
	if len(args) == 0 || o.of != "" {
		var repo *repository
		if repo, err = c.repositoryHere(); err != nil {
			return err
		}
		c.warnUnaccepted(repo)
		if args, err = a.ofPolicy(o, repo, args); err != nil {
			return err
		}
	}
	if len(args) > 0 {
		files, err := c.accessTo(args, &rulesAsTheyAre{c: c})
		if err != nil {
			return err
		}
		a.Files = append(a.Files, files...)
	}
	if a.Of != nil {
		a.only()
	}
	if o.output == "json" {
		return c.writeJSON(a)
	}
	_, err = fmt.Fprint(c.out, a.text())
	return err
}

// warnUnaccepted says that what is shown is not what anything is encrypted by.
func (c *cli) warnUnaccepted(repo *repository) {
	if repo.pins == nil {
		return
	}
	if status, _, err := repo.pins.Check(repo.key, repo.policy); err == nil && status == policy.Differs {
		c.warn("this is the policy as it lies here, not the one you accepted", "ageseal trust")
	}
}

// ofPolicy fills in rules and the person, and gives the paths whose files are asked for.
func (a *access) ofPolicy(o *recipientsOptions, repo *repository, paths []string) ([]string, error) {
	for _, r := range repo.policy.Rules() {
		a.Rules = append(a.Rules, ruleOf(repo.policy, r))
	}
	for _, name := range repo.policy.People() {
		if !slices.ContainsFunc(repo.policy.Rules(), func(r *policy.Rule) bool { return repo.policy.Reads(r, name) }) {
			a.idle = append(a.idle, name)
		}
	}
	if o.of == "" {
		return paths, nil
	}
	if len(paths) == 0 {
		paths = []string{relative(repo.top)}
	}
	var err error
	known := []*policy.Policy{repo.policy}
	if repo.pins != nil {
		history, _ := repo.pins.History(repo.key) // who left has a name there
		known = append(known, history...)
	}
	if a.Of, err = person(o.of, known); err != nil {
		return nil, err
	}
	for _, p := range known {
		for _, r := range a.Of.Recipients {
			for _, g := range p.SharedWith(r.Fingerprint) {
				a.Of.shared = append(a.Of.shared, g.Recipient.Fingerprint())
			}
		}
	}
	return paths, nil
}

func (r accessRule) reads(who func(ruleReader) bool) bool { return slices.ContainsFunc(r.Readers, who) }

var fingerprintText = lazy.Regexp(`^[a-z2-7]{16}$`)

// person finds out who is asked for, by the newest of the policies that knows the name.
func person(text string, policies []*policy.Policy) (*ofJSON, error) {
	p := policies[0]
	if members := p.Members(text); members != nil {
		return nil, hinted("ask for one of them: "+strings.Join(members, ", "), "%s is a group", text)
	}
	of := &ofJSON{Name: text}
	for _, g := range p.GroupNames() {
		if slices.Contains(p.Members(g), text) {
			of.Groups = append(of.Groups, g)
		}
	}
	for _, known := range policies {
		for _, r := range known.Recipients(text) {
			of.Recipients = append(of.Recipients, ofRecipient{r.Fingerprint(), recipientOf(r)})
		}
		if len(of.Recipients) > 0 {
			return of, nil
		}
	}
	fingerprint := text
	if !fingerprintText().MatchString(text) {
		r, err := crypt.ParseRecipient(text)
		switch {
		case errors.Is(err, crypt.ErrIsIdentity):
			return nil, hinted(identityHint, "--of: %w", err)
		case err != nil:
			return nil, hinted("names are "+strings.Join(p.People(), ", ")+"; or give a fingerprint, or a recipient", "--of: nobody of that name")
		}
		fingerprint = r.Fingerprint()
	}
	of.Name = p.NameOf(fingerprint)
	of.Recipients = []ofRecipient{{Fingerprint: fingerprint}}
	for _, r := range p.Recipients(of.Name) {
		if r.Fingerprint() == fingerprint {
			of.Recipients[0].recipientJSON = recipientOf(r)
		}
	}
	return of, nil
}

// only leaves what the person can read, or is about to.
func (a *access) only() {
	theirs := func(fingerprint string) bool {
		return slices.Contains(a.Of.shared, fingerprint) ||
			slices.ContainsFunc(a.Of.Recipients, func(r ofRecipient) bool { return r.Fingerprint == fingerprint })
	}
	a.idle = nil
	a.Rules = slices.DeleteFunc(a.Rules, func(r accessRule) bool {
		return !r.reads(func(x ruleReader) bool { return theirs(x.Fingerprint) })
	})
	a.Files = slices.DeleteFunc(a.Files, func(f accessFile) bool {
		return !slices.ContainsFunc(slices.Concat(f.Says, f.Extra), func(r reader) bool { return theirs(r.Fingerprint) })
	})
	for i := range a.Rules {
		a.Rules[i].Readers = slices.DeleteFunc(a.Rules[i].Readers, func(x ruleReader) bool { return !theirs(x.Fingerprint) })
		for j, x := range a.Rules[i].Readers {
			if slices.Contains(a.Of.shared, x.Fingerprint) {
				a.Rules[i].Readers[j].Direct, a.Rules[i].Readers[j].Through = false, []string{x.Name}
			}
		}
	}
}
