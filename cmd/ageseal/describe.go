package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

func newDescribeCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "describe FILE|DIR|- ...",
		Short: "Show what a sealed Secret says in clear",
		Long: `Print keys, size classes, binding, and who can read what of sealed Secrets, much as "kubectl describe secret"
does. No private key is needed, and none is used: nothing here is proven before somebody opens the values.` + exitHelp(statusAuthentication),
		Example: `  ageseal describe apps/shop/prod/db.yaml
  ageseal describe apps/shop                        # every sealed Secret below`,
		Args:              argsBetween(1, -1, "sealed manifests, directories, or - for standard input"),
		ValidArgsFunction: completeFiles,
		RunE:              func(_ *cobra.Command, args []string) error { return c.runDescribe(args) },
	}
	return cmd
}

func (c *cli) runDescribe(args []string) error {
	inputs, _, err := c.inputs(args)
	if err != nil {
		return err
	}
	c.knowNames(pathsOf(inputs)...)
	var faults []error
	var texts []string
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
		}
		if found == 0 && in.given {
			_, _, err := secret.Select(in.file, "", "")
			faults = append(faults, &fileError{in.shown, err})
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	_, err = fmt.Fprint(c.out, strings.Join(texts, "\n\n"))
	return err
}

// description is one Secret as kubectl describes them.
func (c *cli) description(path string, d *secret.Described) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	// On one line each: what a document says must not look like a field of ours.
	oneLine := func(value string) string { return shown(strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(value)) }
	field := func(name, value string) { fmt.Fprintf(w, "%s:\t%s\n", name, oneLine(value)) }
	list := func(name string, values map[string]string) {
		for i, key := range keysOf(values) {
			if i > 0 {
				name = ""
				fmt.Fprintf(w, "\t%s\n", oneLine(key+"="+values[key]))
				continue
			}
			field(name, key+"="+values[key])
		}
		if len(values) == 0 {
			field(name, "<none>")
		}
	}
	orNone := func(s string) string {
		if s == "" {
			return "<none>"
		}
		return s
	}
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
