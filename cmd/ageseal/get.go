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
  ageseal get -o env apps/shop/prod/db.yaml > /dev/shm/db.env
  ageseal get apps/shop/prod/app.env.age URL        # of a sealed dotenv`,
		Args:              argsBetween(1, 2, "a sealed manifest or sealed file, and at most one key"),
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
	values, err := c.valuesOf(o, path, key)
	if err != nil {
		return err
	}
	text := values[key]
	if key == "" {
		if text, err = renderValues(values, o); err != nil {
			return &fileError{shownName(path), err}
		}
	}
	_, err = c.out.Write(text)
	return err
}

// valuesOf opens the sealed Secret, or the sealed file, that has a key; any for "".
func (c *cli) valuesOf(o *getOptions, path, key string) (map[string][]byte, error) {
	if len(c.sealedFiles([]string{path})) > 0 && o.selector == (selector{}) {
		opener, err := c.opener(&o.identities, path)
		if err != nil {
			return nil, err
		}
		f, err := c.openSealed(path, opener)
		if err != nil {
			return nil, err
		}
		return bytesOf(f), hasKey(f.Values, key, path, f.Ref())
	}
	sel, err := c.selected(path, o.selector)
	if err != nil {
		return nil, err
	}
	binding := sel.doc.Spec.Binding
	if err := hasKey(sel.doc.Spec.Data, key, path, secret.Ref(binding.Namespace, binding.Name)); err != nil {
		return nil, err
	}
	opener, err := c.opener(&o.identities, path)
	if err != nil {
		return nil, err
	}
	values, err := secret.OpenForReading(sel.doc, opener)
	if err != nil {
		c.knowNames(sel.in.path)
		return nil, &fileError{sel.in.shown, err}
	}
	return values, nil
}

func hasKey[V any](values map[string]V, key, path, ref string) error {
	if _, ok := values[key]; key == "" || ok {
		return nil
	}
	return &fileError{shownName(path), hinted("it has: "+strings.Join(keysOf(values), ", "), "Secret %s: no key %q", ref, key)}
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
