package main

import "github.com/spf13/cobra"

func newRecipientsCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "recipients",
		Short:   "Who can read what, and groups that share an identity",
		Long:    "What the policy says of who can read what." + exitHelp(),
		Example: "  ageseal recipients group list",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newGroupCommand(c))
	return cmd
}
