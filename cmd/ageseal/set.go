package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
	"github.com/ageseal/ageseal/values"
)

type setOptions struct {
	recipients recipientFlags
	selector   selector
	fromFile   string
	generate   string
	recreate   bool
}

func newSetCommand(c *cli) *cobra.Command {
	o := &setOptions{}
	cmd := &cobra.Command{
		Use:   "set FILE KEY[=VALUE]",
		Short: "Set one value of a sealed Secret",
		Long: `Encrypt one value into a sealed manifest, new or in place of another. No private key is needed, and no
other value changes.

The value comes from standard input, from --from-file, from chance with --generate, or, on a terminal, from
a hidden prompt. A single line from standard input is taken without its line end, everything else as it is.
A value on the command line works but is visible to other processes and in the shell's history.

What Kubernetes would refuse is refused, as far as it shows without a private key: in an immutable Secret
no value changes, unless the Secret in the cluster is deleted and made again, which --recreate says.` + exitHelp(statusAuthentication),
		Example: `  head -c 24 /dev/urandom | base64 | ageseal set apps/shop/prod/db.yaml password
  ageseal set --from-file tls.key apps/shop/prod/tls.yaml tls.key
  ageseal set apps/shop/prod/db.yaml password       # asks, hidden
  ageseal set --generate=48:base64url apps/shop/prod/api.yaml token`,
		Args:              argsBetween(2, 2, "a sealed manifest and a key"),
		ValidArgsFunction: completeFileAndKeys(false),
		RunE:              func(_ *cobra.Command, args []string) error { return c.runSet(o, args[0], args[1]) },
	}
	o.recipients.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.fromFile, "from-file", "", "take the value from this `file`, as it is")
	o.selector.add(cmd)
	flags.BoolVar(&o.recreate, "recreate", false, recreateUsage)
	flags.StringVar(&o.generate, "generate", "", "generate a random value that nobody sees, `LENGTH[:ALPHABET]`: 32 of alnum; "+
		"or alpha, digits, hex, base64url, ascii, or the characters themselves")
	flags.Lookup("generate").NoOptDefVal = "32"
	_ = cmd.MarkFlagFilename("from-file")
	return cmd
}

func (c *cli) runSet(o *setOptions, path, key string) error {
	if path == "-" {
		return usage("ageseal set --help", "set works on a file: standard input is for the value")
	}
	key, inline, hasInline := strings.Cut(key, "=")
	if hasInline && o.fromFile != "" || hasInline && o.generate != "" || o.fromFile != "" && o.generate != "" {
		return usage("ageseal set --help", "a value, --from-file and --generate exclude each other")
	}
	// What can be refused is refused before anybody types a value.
	selected, err := c.selected(path, o.selector)
	if err != nil {
		return err
	}
	target, err := c.target(selected.in.path, &o.recipients)
	if err != nil {
		return within(path, err)
	}
	if !manifest.IsSecretKey(key) {
		return usage("ageseal set --help", "not a key of a Secret: 1 to 253 letters, digits, '-', '_' or '.', not '..' at the beginning")
	}
	if err := secret.CheckImmutable(selected.doc, key); err != nil && !o.recreate {
		return &fileError{path, err}
	}
	value := []byte(inline)
	if hasInline && inline == "" {
		// Nothing that anybody could read; it is how an empty value is asked for.
	} else if hasInline {
		c.warn("a value on the command line is visible to other processes and in the shell's history", "pipe it in, or leave it away to be asked")
	} else if o.generate != "" {
		if value, err = c.generated(key, o.generate); err != nil {
			return err
		}
	} else if value, err = c.readValue(o.fromFile, key); errors.Is(err, manifest.ErrLimit) {
		return &fileError{path, fmt.Errorf("key %s: %w", key, err)}
	} else if err != nil {
		return err
	} else if len(value) == 0 && o.fromFile == "" {
		// The command before the pipe has failed, most likely.
		return hinted(fmt.Sprintf("to set an empty value on purpose: ageseal set %s %s=", quoted(path), key), "no value came from standard input")
	}

	unlock, err := c.lock([]string{path})
	if err != nil {
		return err
	}
	defer unlock()
	sel, err := c.selected(path, o.selector)
	if err != nil {
		return err
	}
	warnings, err := secret.NewWriter().Set(sel.item, sel.doc, key, value, secret.SetOptions{Target: target, Recreate: o.recreate})
	if err != nil {
		return &fileError{path, err}
	}
	if err := c.write([]*input{sel.in}); err != nil {
		return err
	}
	c.warnAll(path, warnings)
	c.note("%s: Secret %s: set %s for %s", path, secret.Ref(sel.doc.Spec.Binding.Namespace, sel.doc.Spec.Binding.Name), key,
		c.names(crypt.Fingerprints(target.Recipients)))
	return nil
}

// generated makes a random value.
func (c *cli) generated(key, spec string) ([]byte, error) {
	v := &values.Values{}
	if err := v.AddGenerated(key + "=" + spec); err != nil {
		return nil, onCommandLine("--generate", err)
	}
	for _, w := range v.Warnings {
		m := valuesMessage("", w)
		c.warn(m.text, m.hint)
	}
	return v.Get(key), nil
}

// readValue takes the value from a file as it is, from a hidden prompt, or from standard input.
func (c *cli) readValue(file, key string) ([]byte, error) {
	if file != "" && file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return readValue(f)
	}
	if _, ok := terminal(c.in); ok && file == "" {
		return c.prompt("value of "+key, "pipe it in")
	}
	value, err := readValue(c.in)
	if err != nil || file == "-" {
		return value, err
	}
	return oneLine(value), nil
}

func readValue(r io.Reader) ([]byte, error) {
	value, err := io.ReadAll(io.LimitReader(r, manifest.MaxTotal+1))
	if err == nil && len(value) > manifest.MaxTotal {
		err = fmt.Errorf("%w: the value is larger than the %d bytes that Kubernetes takes", manifest.ErrLimit, manifest.MaxTotal)
	}
	return value, err
}

// oneLine drops the line end of a single line: a generator of passwords prints a password and a line end, and the line
// end is not part of the password.
func oneLine(value []byte) []byte {
	line, ok := bytes.CutSuffix(value, []byte("\n"))
	if !ok || bytes.ContainsRune(line, '\n') {
		return value
	}
	return bytes.TrimSuffix(line, []byte("\r"))
}
