package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/policy"
)

func newTrustCommand(c *cli) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Show how the policy changed, and accept it",
		Long: `The policy says who can read what, and anyone who can push can change it. So every command that encrypts
compares it with the one you accepted before, and stops at a difference. This shows the difference and, after
a question, accepts it.` + exitHelp(statusFindings),
		Example: `  ageseal trust
  ageseal trust --yes                               # where nobody can be asked`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return c.runTrust(yes) },
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "accept without asking")
	return cmd
}

func (c *cli) runTrust(yes bool) error {
	repo, err := c.repositoryHere()
	if err != nil {
		return err
	}
	if repo.pins == nil {
		return usage("ageseal trust", "a policy given with --policy is not compared, so there is nothing to accept")
	}
	status, diff, err := repo.pins.Check(repo.key, repo.policy)
	if err != nil {
		return err
	}
	if status == policy.Same {
		if diff, err = repo.sinceAccepted(); err != nil {
			return err
		}
		if len(diff) > 0 {
			status = policy.Narrowed
		}
	}
	switch status {
	case policy.Same:
		c.note("%s is the policy you accepted", policy.FileName)
		return nil
	case policy.FirstUse:
		if !repo.nested {
			if err := repo.accept(); err != nil {
				return err
			}
			c.note("%s: first use, accepted", policy.FileName)
			return nil
		}
		for _, rule := range repo.policy.Rules() {
			diff = append(diff, fmt.Sprintf("rule %s: %s", rule.Path, strings.Join(rule.Names, ", ")))
			for _, r := range rule.Recipients {
				diff = append(diff, "  "+r.Display())
			}
		}
	}
	for _, line := range diff {
		fmt.Fprintln(c.out, line)
	}
	if status == policy.Narrowed {
		c.note("this only takes away, so it is followed already; to accept it is to have looked at it")
	}
	if !yes {
		if err := c.agreed("accept this policy?", "look at it, then: ageseal trust --yes"); err != nil {
			return err
		}
	}
	if err := repo.accept(); err != nil {
		return err
	}
	c.note("accepted")
	return nil
}
