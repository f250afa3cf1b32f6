package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/secret"
)

func newUnsetCommand(c *cli) *cobra.Command {
	s := &selector{}
	recreate := false
	cmd := &cobra.Command{
		Use:   "unset FILE KEY ...",
		Short: "Remove values of a sealed Secret",
		Long: `Remove values from a sealed manifest, and the data keys that nothing needs any more. No private key is needed,
and no other value changes. The git history keeps what was removed.` + exitHelp(statusAuthentication),
		Example: `  ageseal unset apps/shop/prod/db.yaml old-password
  ageseal unset --name db apps/shop/prod/secrets.yaml user password`,
		Args:              argsBetween(2, -1, "a sealed manifest and keys"),
		ValidArgsFunction: completeFileAndKeys(true),
		RunE:              func(_ *cobra.Command, args []string) error { return c.runUnset(*s, recreate, args[0], args[1:]) },
	}
	s.add(cmd)
	cmd.Flags().BoolVar(&recreate, "recreate", false, recreateUsage)
	return cmd
}

func (c *cli) runUnset(s selector, recreate bool, path string, keys []string) error {
	if path == "-" {
		return usage("ageseal unset --help", "unset works on a file")
	}
	unlock, err := c.lock([]string{path})
	if err != nil {
		return err
	}
	defer unlock()
	sel, err := c.selected(path, s)
	if err != nil {
		return err
	}
	if err := secret.Unset(sel.item, sel.doc, recreate, keys...); err != nil {
		return &fileError{path, err}
	}
	if err := c.write([]*input{sel.in}); err != nil {
		return err
	}
	c.note("%s: Secret %s: removed %s", path, secret.Ref(sel.doc.Spec.Binding.Namespace, sel.doc.Spec.Binding.Name), strings.Join(keys, ", "))
	return nil
}
