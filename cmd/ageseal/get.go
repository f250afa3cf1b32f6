package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/ageseal/ageseal/secret"
)

type getOptions struct {
	identities identityFlags
	selector   selector
	show       bool
	output     string
}

func newGetCommand(c *cli) *cobra.Command {
	o := &getOptions{}
	cmd := &cobra.Command{
		Use:   "get FILE|- [KEY]",
		Short: "Print a value of a sealed Secret",
		Long: `Print one value, raw and without a line end, or a table of all keys. The table shows sizes, and values only
with --show.` + exitHelp(statusNoIdentity, statusAuthentication),
		Example: `  ageseal get apps/shop/prod/db.yaml password
  ageseal get apps/shop/prod/db.yaml                # keys and sizes
  ageseal get -o env apps/shop/prod/db.yaml > /dev/shm/db.env`,
		Args:              argsBetween(1, 2, "a sealed manifest, and at most one key"),
		ValidArgsFunction: completeFileAndKeys(false),
		RunE:              func(_ *cobra.Command, args []string) error { return c.runGet(o, args[0], strings.Join(args[1:], "")) },
	}
	o.identities.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&o.show, "show", false, "print the values in the table")
	flags.StringVarP(&o.output, "output", "o", "", "print all values as `json, yaml or env`")
	o.selector.add(cmd)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"json", "yaml", "env"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (c *cli) runGet(o *getOptions, path, key string) error {
	switch o.output {
	case "", "json", "yaml", "env":
	default:
		return usage("ageseal get --help", "unknown output format %q: json, yaml or env", o.output)
	}
	if key != "" && (o.output != "" || o.show) {
		return usage("ageseal get --help", "one key is printed as it is: --output and --show are for all of them")
	}
	sel, err := c.selected(path, o.selector)
	if err != nil {
		return err
	}
	in, doc := sel.in, sel.doc
	if _, ok := doc.Spec.Data[key]; key != "" && !ok {
		return &fileError{in.shown, hinted("it has: "+strings.Join(keysOf(doc.Spec.Data), ", "), "Secret %s: no key %q",
			secret.Ref(doc.Spec.Binding.Namespace, doc.Spec.Binding.Name), key)}
	}
	opener, err := c.opener(&o.identities, path)
	if err != nil {
		return err
	}
	values, err := secret.OpenForReading(doc, opener)
	if err != nil {
		c.knowNames(in.path)
		return &fileError{in.shown, err}
	}
	if key != "" {
		_, err := c.out.Write(values[key])
		return err
	}
	text, err := renderValues(values, o)
	if err != nil {
		return &fileError{in.shown, err}
	}
	_, err = c.out.Write(text)
	return err
}

// renderValues gives all values in the chosen format. JSON and YAML have text as it is; a value that is not UTF-8 has
// to be fetched by itself.
func renderValues(values map[string][]byte, o *getOptions) ([]byte, error) {
	var b strings.Builder
	switch o.output {
	case "":
		w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
		fmt.Fprint(w, "KEY\tBYTES")
		if o.show {
			fmt.Fprint(w, "\tVALUE")
		}
		fmt.Fprintln(w)
		for _, key := range keysOf(values) {
			fmt.Fprintf(w, "%s\t%d", key, len(values[key]))
			if o.show {
				fmt.Fprintf(w, "\t%s", printable(values[key]))
			}
			fmt.Fprintln(w)
		}
		w.Flush()
		return []byte(b.String()), nil
	case "env":
		for _, key := range keysOf(values) {
			line, err := envLine(key, values[key])
			if err != nil {
				return nil, err
			}
			b.WriteString(line)
		}
		return []byte(b.String()), nil
	}
	texts := make(map[string]string, len(values))
	for key, value := range values {
		if !utf8.Valid(value) {
			return nil, hinted("fetch it by itself: name the key "+key, "key %s: the value is not text", key)
		}
		texts[key] = string(value)
	}
	if o.output == "json" {
		text, err := json.MarshalIndent(texts, "", "  ")
		return append(text, '\n'), err
	}
	return yaml.Marshal(texts)
}

// printable keeps control characters of a value away from the terminal.
func printable(value []byte) string {
	if !utf8.Valid(value) {
		return "base64:" + base64.StdEncoding.EncodeToString(value)
	}
	quoted := fmt.Sprintf("%q", value)
	if plain := quoted[1 : len(quoted)-1]; plain == string(value) {
		return plain
	}
	return quoted
}

// envLine is one line that a shell can source, the value in single quotes.
func envLine(key string, value []byte) (string, error) {
	if !isVariable(key) {
		return "", hinted("fetch it by itself: name the key "+key, "key %s: not a name of an environment variable", key)
	}
	if strings.IndexByte(string(value), 0) >= 0 {
		return "", hinted("fetch it by itself: name the key "+key, "key %s: the value holds a NUL byte", key)
	}
	return key + "='" + strings.ReplaceAll(string(value), "'", `'\''`) + "'\n", nil
}
