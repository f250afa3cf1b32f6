package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// selector is --name and --namespace, which pick a Secret of a file with several.
type selector struct{ name, namespace string }

func (s *selector) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&s.name, "name", "", "the Secret's `name`, in a file with several")
	flags.StringVarP(&s.namespace, "namespace", "n", "", "the Secret's `namespace`, in a file with several")
	_ = cmd.RegisterFlagCompletionFunc("name", completeOf(func(d *secret.Described) string { return d.Spec.Binding.Name }))
	_ = cmd.RegisterFlagCompletionFunc("namespace", completeOf(func(d *secret.Described) string { return d.Spec.Binding.Namespace }))
}

// selection is one sealed Secret of a file.
type selection struct {
	in   *input
	item *manifest.Item
	doc  *manifest.EncryptedSecret
}

// selected reads a file, or standard input for "-", and finds the Secret in it.
func (c *cli) selected(path string, s selector) (*selection, error) {
	read := readInput
	if path == "-" {
		read = func(string) (*input, error) { return c.standardInput() }
	}
	in, err := read(path)
	if err != nil {
		return nil, err
	}
	item, doc, err := secret.Select(in.file, s.namespace, s.name)
	if err != nil {
		return nil, &fileError{in.shown, err}
	}
	return &selection{in, item, doc}, nil
}

// completeFiles completes the names of manifests.
func completeFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml", "json"}, cobra.ShellCompDirectiveFilterFileExt
}

// completeFileAndKeys completes a manifest, then the keys in it; one key unless many are taken.
func completeFileAndKeys(many bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
		switch {
		case len(args) == 0:
			return completeFiles(cmd, args, text)
		case len(args) > 1 && !many:
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var keys []string
		name, _ := cmd.Flags().GetString("name")
		for _, d := range describedIn(args[0]) {
			if name != "" && d.Spec.Binding.Name != name {
				continue
			}
			for _, v := range d.Values {
				if !slices.Contains(args[1:], v.Key) {
					keys = append(keys, v.Key+"\tof "+d.Ref)
				}
			}
		}
		return keys, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeOf completes what the Secrets of the file that is named already have.
func completeOf(what func(*secret.Described) string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var all []string
		for _, path := range args {
			for _, d := range describedIn(path) {
				if text := what(d); text != "" {
					all = append(all, text)
				}
			}
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

// describedIn reads the sealed Secrets of a file as far as they can be read: completion has nobody to tell of a fault.
func describedIn(path string) []*secret.Described {
	in, err := readInput(path)
	if err != nil {
		return nil
	}
	var all []*secret.Described
	for _, item := range in.file.Items() {
		if item.Kind == manifest.Sealed {
			if d, err := secret.Describe(item); err == nil {
				all = append(all, d)
			}
		}
	}
	return all
}
