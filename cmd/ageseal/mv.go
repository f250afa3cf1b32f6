package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

type mvOptions struct {
	identities          identityFlags
	recipients          recipientFlags
	name, namespace     string
	anywhere            bool
	secret, inNamespace string
}

func newMvCommand(c *cli) *cobra.Command {
	o := &mvOptions{}
	cmd := &cobra.Command{
		Use:   "mv FILE [--name NEW] [--namespace NEW|--any-namespace]",
		Short: "Give a sealed Secret another name or namespace",
		Long: `Values are bound to the namespace and name of their Secret. This opens them, binds them to others, and renames
the Secret in the metadata, too. What refers to the Secret in other manifests is not touched.` + exitHelp(statusNoIdentity, statusAuthentication),
		Example: `  ageseal mv apps/shop/prod/db.yaml --name postgres
  ageseal mv apps/secrets.yaml --secret db --namespace staging    # of several in the file`,
		Args:              argsBetween(1, 1, "a sealed manifest"),
		ValidArgsFunction: completeFiles,
		RunE:              func(_ *cobra.Command, args []string) error { return c.runMv(o, args[0]) },
	}
	o.identities.add(cmd)
	o.recipients.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.name, "name", "", "the new `name`")
	flags.StringVarP(&o.namespace, "namespace", "n", "", "the new `namespace`")
	flags.BoolVar(&o.anywhere, "any-namespace", false, "bind to the name alone: overlays may place this Secret in any namespace")
	flags.StringVar(&o.secret, "secret", "", "the `name` it has now, in a file with several")
	flags.StringVar(&o.inNamespace, "in-namespace", "", "the `namespace` it has now, in a file with several")
	_ = cmd.RegisterFlagCompletionFunc("secret", completeOf(func(d *secret.Described) string { return d.Spec.Binding.Name }))
	_ = cmd.RegisterFlagCompletionFunc("in-namespace", completeOf(func(d *secret.Described) string { return d.Spec.Binding.Namespace }))
	return cmd
}

func (c *cli) runMv(o *mvOptions, path string) error {
	switch {
	case path == "-":
		return usage("ageseal mv --help", "mv works on a file")
	case o.name == "" && o.namespace == "" && !o.anywhere:
		return usage("ageseal mv --help", "say where to: --name, --namespace, or both")
	case o.namespace != "" && o.anywhere:
		return usage("ageseal mv --help", "--any-namespace and --namespace exclude each other")
	}
	unlock, err := c.lock([]string{path})
	if err != nil {
		return err
	}
	defer unlock()
	sel, err := c.selected(path, selector{o.secret, o.inNamespace})
	if err != nil {
		return err
	}
	options := secret.EditOptions{}
	if options.Target, options.Sharing, err = c.sharing(sel.in, &o.recipients); err != nil {
		return within(path, err)
	}
	if options.Opener, err = c.opener(&o.identities, path); err != nil {
		return err
	}
	from := sel.doc.Spec.Binding
	to := manifest.Binding{Namespace: cmp.Or(o.namespace, from.Namespace), Name: cmp.Or(o.name, from.Name)}
	if o.anywhere {
		to.Namespace = ""
	}
	others, err := secret.All(sel.in.file, "", "")
	if err != nil {
		return &fileError{path, err}
	}
	now, err := secret.NewWriter().Move(sel.item, sel.doc, to, others, options)
	if err != nil {
		c.knowNames(sel.in.path)
		return &fileError{path, err}
	}
	if err := c.write([]*input{sel.in}); err != nil {
		return err
	}
	c.note("%s: Secret %s is %s now, for %s", path, secret.Ref(from.Namespace, from.Name), now, c.names(crypt.Fingerprints(options.Recipients)))
	return nil
}
