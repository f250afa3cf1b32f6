package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/verify"
)

type verifyOptions struct {
	staged        bool
	fix           bool
	references    bool
	base          string
	allowWidening bool
	output        string
}

func newVerifyCommand(c *cli) *cobra.Command {
	o := &verifyOptions{}
	cmd := &cobra.Command{
		Use:   "verify [PATH ...]",
		Short: "Find plaintext Secrets and private keys, without any key",
		Long: `Look for native Secrets with values, private keys, sealed manifests and files that can't be opened by anybody, or by
more people than the policy says; copies below a wider rule; labels that have a cluster give values away; the plaintext
of a sealed file, FILE beside FILE.age, unless git ignores it. With --staged, what the next commit holds
is checked; this is what the git hook runs. A finding can be silenced for a path in the policy, with a reason;
for --staged, in the policy that is committed already.

With --fix, native Secrets that are staged are sealed and staged again, all of them, if that clears every
finding; else nothing is changed. A file in the work tree is replaced if it is as it was staged. What is not
staged stays as it is. "git config ageseal.fix true" has the hook do so.

With --base, the files that HEAD changed since it left REF are checked, and what the change does is told: values
added, replaced, removed, or put back as they were in an older commit; who can read more than before, which
bindings and which rules of the policy are wider. The policy at REF judges and silences. What was restored or
widened is a finding; --allow-widening makes the latter a change like any other.

A checklist of values to change, as "ageseal rotation" writes it, is looked after: a box ticked for a value that nobody
wrote again is a finding.

Warnings don't count for the exit status.
` + referencesHelp + exitHelp(statusFindings),
		Example: `  ageseal verify --staged
  ageseal verify --staged --fix
  ageseal verify apps
  ageseal verify --references
  ageseal verify -o sarif > findings.sarif    # for code scanning
  ageseal verify --base origin/main -o markdown    # what a pull request does`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.checkBase(cmd, args); err != nil {
				return err
			}
			return c.runVerify(o, args)
		},
	}
	cmd.Flags().BoolVar(&o.staged, "staged", false, "check what is staged for the next commit")
	cmd.Flags().BoolVar(&o.fix, "fix", false, "with --staged: seal what is staged in plaintext, and stage that")
	cmd.Flags().BoolVar(&o.references, "references", false, "check what the kustomizations found or named say of Secrets")
	cmd.Flags().StringVar(&o.base, "base", "", "tell what HEAD changed since it left this `ref`, by the policy there")
	cmd.Flags().BoolVar(&o.allowWidening, "allow-widening", false, "with --base: that more is allowed than before is meant")
	addFormat(cmd, &o.output)
	return cmd
}

func (c *cli) runVerify(o *verifyOptions, args []string) error {
	if err := checkFormat(o.output, "verify"); err != nil {
		return err
	}
	if o.staged && len(args) > 0 {
		return usage("ageseal verify --staged", "--staged checks the index as a whole")
	}
	if o.fix && !o.staged {
		return usage("ageseal encrypt -w FILE", "--fix is for what is staged: it needs --staged")
	}
	if o.references && (o.staged || o.base != "") {
		return usage("ageseal verify --references", "--references builds from files, not from the index or a commit")
	}
	if o.base != "" {
		return c.runVerifyBase(o, args)
	}
	var findings []verify.Finding
	var fixable bool
	var err error
	switch {
	case o.references:
		findings, err = c.verifyReferences(args)
	case o.staged:
		findings, fixable, err = c.verifyStaged(o.fix)
	case len(args) == 0:
		findings, err = c.verifyPaths([]string{"."})
	default:
		findings, err = c.verifyPaths(args)
	}
	if err != nil {
		return err
	}
	err = c.writeFindings(o.output, findings)
	if fixable {
		c.say("hint", "or all of them at once, and stage them: ageseal verify --staged --fix")
	}
	if o.staged && slices.ContainsFunc(findings, func(f verify.Finding) bool { return isFault(f) && verify.Leaks(f.Rule) }) {
		c.say("hint", "what was staged lies in .git/objects until it is collected: after unstaging, "+collect)
	}
	return err
}

// collect is how plaintext that was staged once leaves the repository.
const collect = `"git gc --prune=now" removes it`

// maxVerified is the largest file, in bytes, that is looked into. A manifest is far smaller; a dump with a key in it may
// not be.
const maxVerified = 64 << 20

// tooLarge is a finding for a manifest, since nobody has looked into it, and a warning for anything else.
func (c *cli) tooLarge(path string) []verify.Finding {
	what := fmt.Sprintf("larger than %d MiB, not looked into", maxVerified>>20)
	if isManifestName(path) {
		return []verify.Finding{{Rule: "too-large", File: path, What: what, Hint: "split it, or silence too-large for it in the policy"}}
	}
	c.warn(path+": "+what, "")
	return nil
}

// brokenPolicy are the faults of a policy: once committed it would stop everybody who writes.
func brokenPolicy(path string, data []byte) []verify.Finding {
	_, err := policy.Parse(data)
	var findings []verify.Finding
	for _, e := range joined(err) {
		f := verify.Finding{Rule: "policy", File: path, What: e.Error()}
		var fault *policy.Error
		if errors.As(e, &fault) {
			f.Line, f.Hint = fault.Line, fault.Hint
		}
		f.Hint = cmp.Or(f.Hint, "nobody can encrypt with a policy that can't be read: mend it first")
		findings = append(findings, f)
	}
	return findings
}

// joined takes errors.Join's result apart.
func joined(err error) []error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return several.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
