package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/secret"
)

type decryptOptions struct {
	identities identityFlags
	output     string
	allowTypes []string
}

func newDecryptCommand(c *cli) *cobra.Command {
	o := &decryptOptions{}
	cmd := &cobra.Command{
		Use:     "decrypt FILE|DIR|- ...",
		Aliases: []string{"unseal"},
		Short:   "Decrypt sealed manifests into native Secrets",
		Long: `Write native Secrets to standard output. Other documents of a file or stream pass through byte for byte,
so it works as a filter after any renderer. From a directory, the files that hold a sealed document are
written, as one stream. It is all or nothing: on any error there is no output.` + exitHelp(statusNoIdentity, statusAuthentication),
		Example: `  ageseal decrypt apps/shop/prod/db.yaml
  helm template shop ./chart | ageseal decrypt - | kubectl apply --server-side -f -
  ageseal decrypt -i key.txt apps/shop/prod > /dev/shm/secrets.yaml`,
		Args: argsBetween(1, -1, "files, directories, or - for standard input"),
		RunE: func(_ *cobra.Command, args []string) error { return c.runDecrypt(o, args) },
	}
	o.identities.add(cmd)
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "write to this `file` (mode 0600) instead of standard output")
	cmd.Flags().StringArrayVar(&o.allowTypes, "allow-type", nil, "open Secrets of this credential `type`, too (repeatable)")
	return cmd
}

func (c *cli) runDecrypt(o *decryptOptions, args []string) error {
	inputs, _, err := c.inputs(args)
	if err != nil {
		return err
	}
	opener, err := c.opener(&o.identities)
	if err != nil {
		return err
	}
	opened := make([]int, len(inputs))
	faults := c.each(len(inputs), "decrypting", func(i int) (err error) {
		if opened[i], err = secret.Decrypt(inputs[i].file, opener, o.allowTypes); err != nil {
			return &fileError{inputs[i].shown, err}
		}
		return nil
	})
	if err := errors.Join(faults...); err != nil {
		c.knowNames(pathsOf(inputs)...)
		return err
	}
	var out []*input
	for i, in := range inputs {
		if in.given || opened[i] > 0 {
			out = append(out, in)
		}
	}
	return c.writeOutput(o.output, joinStreams(out), 0o600)
}
