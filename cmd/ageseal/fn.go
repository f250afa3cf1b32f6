package main

import (
	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/plugin"
)

func newFnCommand(c *cli) *cobra.Command {
	o := &identityFlags{}
	var allowTypes []string
	cmd := &cobra.Command{
		Use:   "fn",
		Short: "Be a KRM function: a generator that stock kustomize runs",
		Long: `Read a ResourceList from standard input, decrypt the sealed manifest that is its functionConfig, and write the
ResourceList with the native Secret.

Beware: "kustomize build --enable-alpha-plugins" without --enable-exec leaves the Secret out of its output
without a word, and so does "kubectl kustomize". "ageseal build" needs no flag.` + exitHelp(statusNoIdentity, statusAuthentication),
		Example: `  # in the sealed manifest, under metadata.annotations:
  #   config.kubernetes.io/function: |
  #     exec: {path: ./ageseal-fn}      # an executable that runs: ageseal fn
  # in kustomization.yaml: generators: [db.yaml]
  kustomize build --enable-alpha-plugins --enable-exec apps/shop/prod`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			out, err := plugin.Generate(c.in, func() (*crypt.Opener, error) { return c.opener(o) }, allowTypes)
			if err != nil {
				return err
			}
			_, err = c.out.Write(out)
			return err
		},
	}
	o.add(cmd)
	cmd.Flags().StringArrayVar(&allowTypes, "allow-type", nil, "open Secrets of this credential `type`, too (repeatable)")
	return cmd
}
