package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
	"github.com/ageseal/ageseal/values"
)

func newCreateCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create sealed manifests",
		Long:  "Create sealed manifests from values, without a plaintext manifest in between." + exitHelp(),
		Example: `  ageseal create secret generic db -n prod --prompt password --file db.yaml
  ageseal create secret tls shop-tls -n prod --cert tls.crt --key tls.key --file tls.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	if c.speaksOf("create") {
		cmd.AddCommand(newCreateSecretCommand(c))
	}
	return cmd
}

func newCreateSecretCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secret",
		Short: "Create a sealed Secret, as kubectl creates a native one",
		Long: `What "kubectl create secret" takes, straight to a sealed manifest: values are encrypted in memory, no
plaintext touches the disk, and nothing is sent to a cluster. Only recipients are needed, no private key.` + exitHelp(),
		Example: `  ageseal create secret generic db -n prod --from-file tls.key --file apps/shop/prod/db.yaml
  ageseal create secret docker-registry pull -n prod --docker-username ci --file pull.yaml   # asks for the password
  ageseal create secret basic-auth admin -n prod --username admin --generate password --file admin.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCreateGenericCommand(c), newCreateTLSCommand(c), newCreateDockerCommand(c),
		newCreateBasicAuthCommand(c), newCreateSSHAuthCommand(c))
	return cmd
}

// createOptions are the flags that all kinds of Secrets share.
type createOptions struct {
	recipients          recipientFlags
	namespace           string
	file, output        string
	force, recreate     bool
	labels, annotations []string
	immutable           bool
	appendHash          bool
	generate, prompts   []string
	fromStdin           string
	allowClear          []string
	dryRun              string

	kind          string // the type of the Secret, "" for none
	setsImmutable bool   // --immutable was given, whatever it says
	help          string // the command that shows it
	insteadOfArgv string // the hint of the warning that a value came on the command line, "" if none did
}

func (o *createOptions) add(cmd *cobra.Command) {
	o.recipients.add(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&o.namespace, "namespace", "n", "", "the Secret's `namespace`")
	flags.StringVar(&o.file, "file", "", "write to this new `file`, whose rule of the policy is used, instead of standard output")
	flags.BoolVar(&o.force, "force", false, "replace the file if it exists")
	flags.BoolVar(&o.recreate, "recreate", false, recreateUsage)
	flags.StringVarP(&o.output, "output", "o", "", "write `yaml or json` (default yaml, or what the name of --file ends with)")
	flags.StringArrayVar(&o.labels, "label", nil, "add a label, `key=value` (repeatable)")
	flags.StringArrayVar(&o.annotations, "annotation", nil, "add an annotation, `key=value` (repeatable)")
	flags.BoolVar(&o.immutable, "immutable", false, "make the Secret immutable")
	flags.BoolVar(&o.appendHash, "append-hash", false, "append a hash of the plaintext to the name: anybody can test guesses with it")
	flags.StringArrayVar(&o.generate, "generate", nil, "generate a random value, `KEY[=LENGTH[:ALPHABET]]`: 32 of alnum; "+
		"or alpha, digits, hex, base64url, ascii, or the characters themselves (repeatable)")
	flags.StringArrayVar(&o.prompts, "prompt", nil, "ask for the value of this `key`, hidden (repeatable)")
	flags.StringVar(&o.fromStdin, "from-stdin", "", "take the value of this `key` from standard input, without the end of a single line")
	flags.StringArrayVar(&o.allowClear, "allow-clear", nil,
		"let the value of this `key` stay in clear elsewhere in the document (repeatable)")

	// Taken so that a command line for kubectl works as it is; there is no cluster to which they would matter.
	flags.StringVar(&o.dryRun, "dry-run", "none",
		"taken with a `strategy` as kubectl does, without effect: nothing is sent to a cluster")
	flags.Lookup("dry-run").NoOptDefVal = "client"
	flags.Bool("save-config", false, "")
	flags.String("validate", "strict", "")
	flags.Lookup("validate").NoOptDefVal = "strict"
	flags.String("field-manager", "", "")
	for _, name := range []string{"save-config", "validate", "field-manager"} {
		_ = flags.MarkHidden(name)
	}

	_ = cmd.MarkFlagFilename("file", "yaml", "yml", "json")
	complete := func(flag string, choices ...string) {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
	}
	complete("output", "yaml", "json")
	complete("dry-run", "client", "server", "none")
	complete("validate", "strict", "warn", "ignore")
	for _, name := range []string{"namespace", "label", "annotation", "generate", "prompt", "from-stdin", "allow-clear"} {
		complete(name)
	}
	cmd.ValidArgsFunction = cobra.NoFileCompletions
}

// source is where a kind of Secret takes its values from; it may ask.
type source func(v *values.Values) error

// createCommand completes the command of one kind of Secret.
func createCommand(c *cli, o *createOptions, cmd *cobra.Command, add source) *cobra.Command {
	o.add(cmd)
	cmd.Long += exitHelp()
	cmd.Args = argsBetween(1, 1, "one name of a Secret")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.help = cmd.CommandPath() + " --help"
		o.setsImmutable = cmd.Flags().Changed("immutable")
		return c.runCreate(o, args[0], add)
	}
	return cmd
}

func (c *cli) runCreate(o *createOptions, name string, add source) error {
	n, err := o.native(name)
	if err != nil {
		return err
	}
	asJSON, err := o.json()
	if err != nil {
		return err
	}
	path, err := o.destination()
	if err != nil {
		return err
	}
	target, err := c.target(pathFor(&input{path: path}, ""), &o.recipients)
	if err != nil {
		return within(o.shown(), err)
	}
	v, err := c.collect(o, add)
	if err != nil {
		return err
	}
	if o.appendHash {
		hash, err := v.Hash(n.Name, o.kind, n.Immutable)
		if err != nil {
			return err
		}
		n.Name += "-" + hash
		c.warn("the name holds a short hash of the plaintext: whoever reads it can test guesses of a weak value", "")
	}
	for _, key := range v.Keys() {
		n.Values[key] = manifest.Value{Bytes: v.Get(key)}
	}

	file, err := manifest.Parse(n.Text(asJSON))
	if err != nil {
		return err
	}
	encrypt := secret.EncryptOptions{Target: target, AllowClear: o.allowClear, Empty: true, Recreate: o.recreate}
	if path != "" {
		was, err := replaceable(path, n.Namespace, n.Name)
		if err != nil {
			return &fileError{o.file, err}
		}
		// What --force replaces is what the cluster has.
		encrypt.Previous = func(string, string) *manifest.EncryptedSecret { return was }
	}
	report, err := secret.NewWriter().Encrypt(file, encrypt)
	if err != nil {
		return within(o.shown(), withoutLines(err))
	}
	if len(report.Sealed) != 1 {
		// Something made it another kind of document: it must not be written as it is.
		return hinted("braces in the type, a label or an annotation make a template of it",
			"the Secret would not be sealed, nothing was written")
	}
	in := &input{shown: o.shown(), path: path, file: file}
	if err := c.writeCreated(o, in); err != nil {
		return err
	}
	for i := range report.Warnings {
		report.Warnings[i].Line = 0
	}
	c.warnAll(in.shown, report.Warnings)
	for _, ref := range report.Sealed {
		c.note("%ssealed Secret %s for %s", place(in.shown, 0), ref, c.names(crypt.Fingerprints(target.Recipients)))
	}
	c.warnCommitted([]*input{in}, []*secret.Report{report})
	return nil
}

// native is the Secret without its values.
func (o *createOptions) native(name string) (*manifest.NativeSecret, error) {
	switch o.dryRun {
	case "none", "client", "server":
	default:
		return nil, usage(o.help, "--dry-run is none, client or server")
	}
	checked := name
	if o.appendHash {
		checked += "-" + strings.Repeat("x", values.HashLength)
	}
	if err := secret.CheckName(o.namespace, checked); err != nil {
		return nil, err
	}
	n := &manifest.NativeSecret{Name: name, Namespace: o.namespace, Values: map[string]manifest.Value{}}
	if o.kind != "" {
		n.Type = &o.kind
	}
	if o.setsImmutable {
		n.Immutable = &o.immutable
	}
	var err error
	if n.Labels, err = o.pairs("--label", o.labels); err != nil {
		return nil, err
	}
	n.Annotations, err = o.pairs("--annotation", o.annotations)
	return n, err
}

// pairs reads key=value texts; what is wrong with labels beyond that is for who checks the Secret.
func (o *createOptions) pairs(flag string, texts []string) (map[string]string, error) {
	m := map[string]string{}
	for i, text := range texts {
		key, value, found := strings.Cut(text, "=")
		_, twice := m[key]
		switch {
		case !found || key == "" || !utf8.ValidString(text):
			return nil, usage(o.help, "%s: expected key=value", numbered(flag, i, len(texts)))
		case twice:
			return nil, usage(o.help, "%s: the key is there twice", numbered(flag, i, len(texts)))
		}
		m[key] = value
	}
	return m, nil
}

// numbered names one of several flags without what was given to it.
func numbered(flag string, i, n int) string {
	if n > 1 {
		return fmt.Sprintf("%s %d", flag, i+1)
	}
	return flag
}

func (o *createOptions) json() (bool, error) {
	switch o.output {
	case "":
		return strings.EqualFold(filepath.Ext(o.file), ".json"), nil
	case "yaml", "json":
		return o.output == "json", nil
	}
	return false, usage(o.help, "--output is yaml or json: a sealed manifest is all there is to write")
}

// shown is the file as messages name it.
func (o *createOptions) shown() string {
	if o.file == "-" {
		return ""
	}
	return o.file
}

// destination is the file to write, absolute and with links resolved, "" for standard output. One that exists is only
// replaced with --force, and directories are not made: a typing error would choose another rule of the policy.
func (o *createOptions) destination() (string, error) {
	if o.shown() == "" {
		if o.force {
			return "", usage(o.help, "--force is for --file")
		}
		return "", nil
	}
	dir := filepath.Dir(o.file)
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &fileError{o.file, hinted("mkdir -p "+quoted(dir), "its directory does not exist")}
	}
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return "", &fileError{o.file, err}
	}
	path := filepath.Join(real, filepath.Base(o.file))
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil
	case err != nil:
		return "", &fileError{o.file, err}
	case info.IsDir():
		return "", &fileError{o.file, errors.New("is a directory")}
	case !o.force:
		return "", &fileError{o.file, hinted("--force replaces it; one value is changed with: ageseal set "+quoted(o.file)+" KEY",
			"the file exists already")}
	}
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return "", &fileError{o.file, err}
	}
	return path, nil
}

// replaceable gives the sealed Secret that a file holds, nil for a file that is not there or empty. Anything else in it would be lost.
func replaceable(path, namespace, name string) (*manifest.EncryptedSecret, error) {
	old, err := readExisting(path)
	if err != nil || len(bytes.TrimSpace(old)) == 0 {
		return nil, err
	}
	const hint = "write to another file, or remove this one first"
	lost := hinted(hint, "it holds something else than this Secret, which would be lost")
	f, err := manifest.Parse(old)
	if err != nil || len(f.Items()) != 1 {
		return nil, lost
	}
	if f.Items()[0].Kind == manifest.Native {
		n, err := f.Items()[0].Native()
		if err != nil || n.Namespace != namespace || n.Name != name || len(f.Outside()) > 0 {
			return nil, lost
		}
		return nil, nil
	}
	s, err := secret.Read(f.Items()[0])
	if err != nil || s.Namespace != namespace || s.Name != name || len(f.Outside()) > 1 {
		return nil, lost
	}
	return s, nil
}

// writeCreated writes where destination says. Without --force, a file that came about meanwhile stays.
func (c *cli) writeCreated(o *createOptions, in *input) error {
	if err := fits(in.shown, in.file.Bytes()); err != nil {
		return err
	}
	if in.path == "" {
		return c.writeOutput("", in.file.Bytes(), 0)
	}
	unlock, err := c.lock([]string{filepath.Dir(in.path)})
	if err != nil {
		return err
	}
	defer unlock()
	if o.force {
		return c.writeOutput(in.path, in.file.Bytes(), 0o644)
	}
	return atomicfile.WriteAll([]atomicfile.File{{Path: in.path, Data: in.file.Bytes(), Mode: 0o644}})
}

// withoutLines leaves out the lines of a text that is in no file.
func withoutLines(err error) error {
	return eachFault(err, func(e *secret.Error) { e.Line = 0 })
}
