package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/secret"
)

type decryptOptions struct {
	identities identityFlags
	output     string
	inPlace    bool
	yes        bool
	allowTypes []string
}

func newDecryptCommand(c *cli) *cobra.Command {
	o := &decryptOptions{}
	cmd := &cobra.Command{
		Use:     "decrypt FILE|DIR|- ...",
		Aliases: []string{"unseal"},
		Short:   "Decrypt sealed manifests into native Secrets",
		Long: `Write native Secrets to standard output. Other documents of a file or stream pass through byte for byte,
so it works as a filter after any renderer. Name hashes are a build's: a Secret that asks for one gets none here.
From a directory, the files that hold a sealed document are written, as one stream. It is all or nothing: on any
error there is no output. Of a sealed file, by itself, the content is written as it is.

With --write, plaintext takes the place of what is sealed in the files: the way out of the tool, after a question.
Comments stay, and so do the files' modes.` + exitHelp(statusFindings, statusNoIdentity, statusAuthentication),
		Example: `  ageseal decrypt apps/shop/prod/db.yaml
  helm template shop ./chart | ageseal decrypt - | kubectl apply --server-side -f -
  ageseal decrypt -i key.txt apps/shop/prod > /dev/shm/secrets.yaml
  ageseal decrypt apps/shop/prod/tls.key.age        # a sealed file: its content`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
			names, directive := completeFiles(cmd, args, text)
			return append(names, "age"), directive
		},
		Args: argsBetween(1, -1, "files, directories, or - for standard input"),
		RunE: func(_ *cobra.Command, args []string) error { return c.runDecrypt(o, args) },
	}
	o.identities.add(cmd)
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "write to this `file` (mode 0600) instead of standard output")
	cmd.Flags().BoolVarP(&o.inPlace, "write", "w", false, "replace the files by their plaintext")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "with --write: do not ask")
	cmd.Flags().StringArrayVar(&o.allowTypes, "allow-type", nil, "open Secrets of this credential `type`, too (repeatable)")
	return cmd
}

func (c *cli) runDecrypt(o *decryptOptions, args []string) error {
	switch {
	case o.inPlace && o.output != "":
		return usage("ageseal decrypt --help", "--write and --output exclude each other")
	case o.inPlace && slices.Contains(args, "-"):
		return usage("ageseal decrypt --help", "standard input can't be replaced: leave --write away")
	case o.yes && !o.inPlace:
		return usage("ageseal decrypt --help", "--yes goes with --write")
	}
	if sealed := c.sealedFiles(args); len(sealed) > 0 {
		return c.runDecryptFile(o, sealed, args)
	}
	tuneCollector(heapPercentTree)
	inputs, _, err := c.inputs(args)
	if err != nil {
		return err
	}
	opener, err := c.opener(&o.identities, args...)
	if err != nil {
		return err
	}
	decrypt := secret.Decrypt
	if o.inPlace {
		decrypt = secret.DecryptToKeep
	}
	opened := make([]int, len(inputs))
	faults := c.each(len(inputs), "decrypting", func(i int) (err error) {
		if opened[i], err = decrypt(inputs[i].file, opener, o.allowTypes); err != nil {
			return &fileError{inputs[i].shown, err}
		}
		if !o.inPlace {
			inputs[i].file.Freeze()
			inputs[i].data = nil
		}
		return nil
	})
	if err := errors.Join(faults...); err != nil {
		c.knowNames(pathsOf(inputs)...)
		return err
	}
	if o.inPlace {
		return c.decryptInPlace(o, inputs, opened, args)
	}
	var out []*input
	for i, in := range inputs {
		if in.given || opened[i] > 0 {
			out = append(out, in)
		}
	}
	return c.writeOutput(o.output, joinStreams(out), 0o600)
}

// decryptInPlace replaces the files after a question. They are read before it and must not have changed when it is answered.
func (c *cli) decryptInPlace(o *decryptOptions, inputs []*input, opened []int, args []string) error {
	secrets := 0
	var paths []string
	for i, in := range inputs {
		if opened[i] > 0 {
			secrets += opened[i]
			paths = append(paths, in.shown)
		}
	}
	if secrets == 0 {
		c.note("nothing to decrypt")
		return nil
	}
	if !o.yes {
		question := fmt.Sprintf("%s in plaintext into %s?", count(secrets, "Secret"), strings.Join(paths, ", "))
		if err := c.agreed(question, "ageseal decrypt --write --yes "+strings.Join(args, " ")); err != nil {
			return err
		}
	}
	unlock, err := c.lock(args)
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.write(inputs); err != nil {
		return err
	}
	for i, in := range inputs {
		if opened[i] > 0 {
			c.note("%s: %s in plaintext", in.shown, count(opened[i], "Secret"))
		}
	}
	return nil
}
