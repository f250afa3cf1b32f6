package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

type describeOptions struct {
	identities identityFlags
	open       bool
	output     string
}

func newDescribeCommand(c *cli) *cobra.Command {
	o := &describeOptions{}
	cmd := &cobra.Command{
		Use:   "describe FILE|DIR|- ...",
		Short: "Show what a sealed Secret says in clear",
		Long: `Print keys, size classes, binding, and who can read what of sealed Secrets, much as "kubectl describe secret"
does. No private key is needed, and none is used: nothing here is proven before somebody opens the values.

Of a sealed file only its size class and the number and kind of its recipients are in clear, and the names are
those of the policy's rule for its path. What it is for is encrypted: --open, or --identity, opens sealed files
to say that, too; their content is not shown.

What -o json prints is in docs/describe.md.` + exitHelp(statusNoIdentity, statusAuthentication),
		Example: `  ageseal describe apps/shop/prod/db.yaml
  ageseal describe apps/shop                        # every sealed Secret and sealed file below
  ageseal describe --open apps/shop/prod/tls.key.age
  ageseal describe -o json . | jq -r '.[] | select(.rule.fits == false) | .file'`,
		Args: argsBetween(1, -1, "sealed manifests, sealed files, directories, or - for standard input"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
			names, directive := completeFiles(cmd, args, text)
			return append(names, "age"), directive
		},
		RunE: func(_ *cobra.Command, args []string) error { return c.runDescribe(o, args) },
	}
	o.identities.add(cmd)
	cmd.Flags().BoolVar(&o.open, "open", false, "open sealed files, with the usual identities, to say what they are for")
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "`text or json`")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (c *cli) runDescribe(o *describeOptions, args []string) error {
	if o.output != "text" && o.output != "json" {
		return usage("ageseal describe --help", "unknown output format %q: text or json", o.output)
	}
	files, rest, fileErr := c.sealedInputs(args)
	inputs, _, err := c.inputs(rest)
	if err := errors.Join(err, fileErr); err != nil {
		return err
	}
	c.knowNames(pathsOf(inputs)...)
	var faults []error
	var texts []string
	all := []any{}
	for _, in := range inputs {
		found := 0
		for _, item := range in.file.Items() {
			if item.Kind != manifest.Sealed && item.Kind != manifest.Broken {
				continue
			}
			found++
			d, err := secret.Describe(item)
			if err != nil {
				faults = append(faults, &fileError{in.shown, err})
				continue
			}
			texts = append(texts, c.description(in.shown, d))
			all = append(all, c.manifestJSON(in.shown, d))
		}
		if found == 0 && in.given {
			_, _, err := secret.Select(in.file, "", "")
			faults = append(faults, &fileError{in.shown, err})
		}
	}
	described, err := c.describeFiles(o, files)
	if err := errors.Join(append(faults, err)...); err != nil {
		return err
	}
	if o.output == "json" {
		for _, d := range described {
			all = append(all, d)
		}
		return c.writeJSON(all)
	}
	for _, d := range described {
		texts = append(texts, d.text())
	}
	_, err = fmt.Fprint(c.out, strings.Join(texts, "\n\n"))
	return err
}

// fields prints those of a description. What a document says is on one line each: it must not look like a field of ours.
type fields struct{ *tabwriter.Writer }

func newFields(b *strings.Builder) fields { return fields{tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)} }

func (w fields) add(name, value string) {
	fmt.Fprintf(w, "%s:\t%s\n", name, onOneLine(value))
}

func onOneLine(value string) string {
	return shown(strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(value))
}

// description is one Secret as kubectl describes them.
func (c *cli) description(path string, d *secret.Described) string {
	var b strings.Builder
	w := newFields(&b)
	field := w.add
	list := func(name string, values map[string]string) {
		for i, key := range keysOf(values) {
			if i > 0 {
				name = ""
				fmt.Fprintf(w, "\t%s\n", onOneLine(key+"="+values[key]))
				continue
			}
			field(name, key+"="+values[key])
		}
		if len(values) == 0 {
			field(name, "<none>")
		}
	}
	orNone := func(s string) string { return cmp.Or(s, "<none>") }
	field("Name", orNone(d.Name))
	field("Namespace", orNone(d.Namespace))
	list("Labels", d.Labels)
	list("Annotations", d.Annotations)
	if d.Spec.Type != nil {
		field("Type", *d.Spec.Type)
	}
	if d.Spec.Immutable != nil {
		field("Immutable", fmt.Sprint(*d.Spec.Immutable))
	}
	field("File", fmt.Sprintf("%s:%d", path, d.Item.Line))
	bound := orNone(secret.Ref(d.Spec.Binding.Namespace, d.Spec.Binding.Name))
	switch {
	case d.Misfit != nil:
		bound += ", not what the metadata say: it does not open"
	case d.Spec.Binding.Namespace == "":
		bound += ", in any namespace"
	}
	field("Bound to", bound)
	keys := fmt.Sprint(d.Keys)
	if n := len(d.Unused); n > 0 {
		keys += fmt.Sprintf(", and %d that no value needs", n)
	}
	field("Data keys", keys)
	alike := !slices.ContainsFunc(d.Values, func(v secret.DescribedValue) bool { return !slices.Equal(v.To, d.Values[0].To) })
	if alike && len(d.Values) > 0 {
		field("Readable by", c.names(d.Values[0].To))
	}
	w.Flush()
	b.WriteString("\nData\n====\n")
	for _, v := range d.Values {
		fmt.Fprintf(w, "%s:\t%d to %d bytes", v.Key, v.Least, v.Most)
		if !alike {
			fmt.Fprintf(w, "\treadable by %s", c.names(v.To))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	return b.String()
}
