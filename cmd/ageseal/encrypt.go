package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

type encryptOptions struct {
	recipients recipientFlags
	identities identityFlags
	inPlace    bool
	output     string
	stdinName  string
	allowClear []string
	keepGoing  bool
	anywhere   bool
	comments   bool
	recreate   bool
	file       fileOptions
}

// recreateUsage is that of a flag for what can't be changed otherwise: a type, an immutable Secret.
const recreateUsage = "the Secret in the cluster will be deleted and made again: it may be immutable, or of another type"

func newEncryptCommand(c *cli) *cobra.Command {
	o := &encryptOptions{}
	cmd := &cobra.Command{
		Use:     "encrypt FILE|DIR|- ...",
		Aliases: []string{"seal"},
		Short:   "Encrypt the values of native Secrets",
		Long: `Turn native Secrets into sealed manifests. Everything else in a file stays as it is, byte for byte,
and what is sealed already is not touched. No private key is needed; with one, values that did not
change since the last commit keep their ciphertext.

Files of Helm templates, SOPS and Sealed Secrets are left alone. A Secret that can't be sealed fails the
run: every problem is listed and no file is changed. So does one that Kubernetes would refuse: by itself, or
as a change of what the last commit has. What was under stringData is under data in every build: a JSON patch
of /stringData/KEY has to say /data/KEY.

With --as, any file becomes a sealed file beside it, FILE.age, for the secretGenerator of a kustomization: one
value, "files: [tls.key=tls.key.age]", or a dotenv, "envs: [app.env.age]". A build puts it only into the Secret
that --name and --namespace name, and a value only under its key. The plaintext stays unless --remove is given.
When recipients change, "ageseal rekey" encrypts sealed files again, too.` + exitHelp(statusFindings, statusAuthentication),
		Example: `  ageseal encrypt -w apps/shop/prod                 # every Secret below a directory, in place
  kubectl create secret generic db -n prod --from-literal=user=app \
    --dry-run=client -o yaml | ageseal encrypt --stdin-name apps/shop/prod/db.yaml -
  ageseal encrypt -r age1pq1... db.yaml             # to standard output, without a policy
  ageseal encrypt --as value --name app-tls -n shop tls.key   # tls.key.age, one value
  ageseal encrypt --as env --name app -n shop app.env         # app.env.age, a dotenv`,
		Args: argsBetween(1, -1, "files, directories, or - for standard input"),
		RunE: func(_ *cobra.Command, args []string) error { return c.runEncrypt(o, args) },
	}
	o.recipients.add(cmd)
	o.identities.add(cmd)
	flags := cmd.Flags()
	flags.BoolVarP(&o.inPlace, "write", "w", false, "replace the files; with --as, the sealed files")
	flags.StringVarP(&o.output, "output", "o", "", "write to this `file` (default: standard output; with --as, FILE.age)")
	flags.StringVarP(&o.recipients.namespace, "namespace", "n", "", "bind Secrets that name no namespace to this `namespace`")
	flags.StringVar(&o.stdinName, "stdin-name", "", "use the policy's rule for this `path` for standard input")
	flags.StringArrayVar(&o.allowClear, "allow-clear", nil, "let the value of this `key` stay in clear elsewhere in the document (repeatable)")
	flags.BoolVar(&o.anywhere, "any-namespace", false, "bind to the name alone: overlays may place these Secrets in any namespace")
	flags.BoolVar(&o.recreate, "recreate", false, recreateUsage)
	flags.BoolVar(&o.comments, "keep-comments", false, "keep comments beside values, in clear, unless they look like a value")
	flags.BoolVar(&o.keepGoing, "keep-going", false, "seal what can be sealed; status 3 if something was not")
	flags.StringVar(&o.file.use, "as", "", "make sealed files, each one `value` or env")
	flags.StringVar(&o.file.key, "key", "", "with --as value: the `key` of the Secret (default: the file's name)")
	flags.StringVar(&o.file.name, "name", "", "with --as: bind to the Secret of this `name`")
	_ = cmd.RegisterFlagCompletionFunc("as", cobra.FixedCompletions([]string{crypt.UseValue, crypt.UseEnv}, cobra.ShellCompDirectiveNoFileComp))
	flags.BoolVar(&o.file.remove, "remove", false, "with --as: delete the plaintext once it is sealed")
	return cmd
}

func (c *cli) runEncrypt(o *encryptOptions, args []string) error {
	if err := o.checkFileFlags(args); err != nil {
		return err
	}
	if o.inPlace && o.output != "" && o.file.use == "" {
		return usage("ageseal encrypt --help", "--write and --output exclude each other")
	}
	if o.anywhere && o.recipients.namespace != "" {
		return usage("ageseal encrypt --help", "--any-namespace and --namespace exclude each other")
	}
	if o.file.use != "" {
		return c.runEncryptFiles(o, args)
	}
	if o.inPlace {
		unlock, err := c.lock(args)
		if err != nil {
			return err
		}
		defer unlock()
	}
	inputs, directory, err := c.inputs(args)
	if err != nil && !o.keepGoing {
		return c.noneChanged(err, "encrypted")
	}
	undone := err
	switch {
	case directory && !o.inPlace:
		return usage("ageseal encrypt -w "+strings.Join(args, " "), "a directory is encrypted in place: say so with --write")
	case o.inPlace && hasStandardInput(inputs):
		return usage("ageseal encrypt --help", "standard input can't be replaced: leave --write away")
	}

	sealed, faults, err := c.seal(o, inputs)
	if err != nil {
		return err
	}
	if faults != nil {
		if !o.keepGoing {
			return c.noneChanged(faults, "encrypted")
		}
		undone = errors.Join(undone, faults)
	}

	if o.inPlace {
		if err := c.write(inputs); err != nil {
			return err
		}
	} else {
		data := joinStreams(inputs)
		if err := fits(cmp.Or(o.output, "the output"), data); err != nil {
			return err
		}
		if err := c.writeOutput(o.output, data, 0o644); err != nil {
			return err
		}
	}
	c.reportSealed(inputs, sealed)
	if undone != nil {
		c.report(undone)
		return errLeftUndone
	}
	return nil
}

// sealing is what became of inputs, by their place among them.
type sealing struct {
	work    []int // those that there was something to say of
	targets []secret.Target
	reports []*secret.Report // nil where there was nothing to do
}

// seal encrypts the native Secrets of the inputs, in memory. faults are those of single Secrets: the rest is sealed all the same.
func (c *cli) seal(o *encryptOptions, inputs []*input) (s *sealing, faults, err error) {
	s = &sealing{targets: make([]secret.Target, len(inputs)), reports: make([]*secret.Report, len(inputs))}
	var errs []error
	for i, in := range inputs {
		if !in.given && !holds(in.file, manifest.Native, manifest.Broken, manifest.SOPS, manifest.SealedSecret, manifest.Template) {
			continue
		}
		s.work = append(s.work, i)
		if !holdsNative(in.file) {
			continue
		}
		if s.targets[i], err = c.target(pathFor(in, o.stdinName), &o.recipients); err != nil {
			errs = append(errs, within(in.shown, err))
		}
	}
	if len(errs) > 0 {
		return nil, nil, c.noneChanged(distinct(errs), "encrypted")
	}
	previous, opener, err := c.previous(o, inputs, s.work)
	if err != nil {
		return nil, nil, err
	}
	writer := secret.NewWriter()
	return s, errors.Join(c.each(len(s.work), "encrypting", func(n int) error {
		i := s.work[n]
		options := secret.EncryptOptions{
			Target: s.targets[i], AllowClear: o.allowClear, AnyNamespace: o.anywhere, KeepComments: o.comments, Opener: opener, Recreate: o.recreate,
		}
		options.Previous = func(namespace, name string) *manifest.EncryptedSecret {
			return findSealed(previous[inputs[i].path], namespace, name)
		}
		var err error
		if s.reports[i], err = writer.Encrypt(inputs[i].file, options); err != nil {
			return &fileError{inputs[i].shown, err}
		}
		return nil
	})...), nil
}

// reportSealed says what became of every file, and which values any commit had before.
func (c *cli) reportSealed(inputs []*input, s *sealing) {
	for _, i := range s.work {
		c.reportEncrypted(inputs[i], s.reports[i], s.targets[i])
	}
	c.warnCommitted(inputs, s.reports)
}

// reportEncrypted says what became of one file.
func (c *cli) reportEncrypted(in *input, r *secret.Report, t secret.Target) {
	if r == nil {
		return
	}
	c.warnAll(in.shown, r.Warnings)
	for _, s := range r.Skipped {
		c.note("%s:%d: left alone: %s", in.shown, s.Line, s.Why)
	}
	for _, name := range r.Sealed {
		c.note("%s: sealed Secret %s for %s", in.shown, name, c.names(crypt.Fingerprints(t.Recipients)))
	}
}

// previous reads what git's HEAD has at the paths of the inputs, and loads identities if something sealed is there to
// compare with. A plaintext file that overwrote a sealed one then changes only where values changed.
func (c *cli) previous(o *encryptOptions, inputs []*input, work []int) (map[string]*manifest.File, *crypt.Opener, error) {
	byTop := map[string][]*input{}
	for _, i := range work {
		if in := inputs[i]; in.path != "" && holdsNative(in.file) {
			if top, ok := c.topOf(filepath.Dir(in.path)); ok {
				byTop[top] = append(byTop[top], in)
			}
		}
	}
	found := map[string]*manifest.File{}
	sealed := false
	for top, ins := range byTop {
		repo, err := git.Open(context.Background(), top)
		if err != nil {
			return nil, nil, err
		}
		paths := map[string]*input{}
		var names []string
		for _, in := range ins {
			if name, ok := slashed(top, in); ok {
				paths[name] = in
				names = append(names, name)
			}
		}
		head, err := repo.Head(context.Background(), names...)
		if err != nil {
			return nil, nil, err
		}
		for name, data := range head {
			if f, err := manifest.Parse(data); err == nil {
				found[paths[name].path] = f
				sealed = sealed || holdsSealed(f)
			}
		}
	}
	if !sealed {
		return found, nil, nil
	}
	opener, err := c.opener(&o.identities, keysOf(byTop)...)
	if err != nil && len(o.identities.files) == 0 {
		// Not needed to encrypt: without it every value is simply written again.
		return found, nil, nil
	}
	return found, opener, err
}

// warnCommitted names the values that any commit holds in plaintext: encrypting now does not take them back. It is said
// after the work is done, so a history that can't be read is a warning, too.
func (c *cli) warnCommitted(inputs []*input, reports []*secret.Report) {
	byTop := map[string]map[string]*input{}
	for i, in := range inputs {
		if reports[i] == nil || len(reports[i].Sealed) == 0 || in.path == "" {
			continue
		}
		if top, ok := c.topOf(filepath.Dir(in.path)); ok {
			if name, ok := slashed(top, in); ok {
				if byTop[top] == nil {
					byTop[top] = map[string]*input{}
				}
				byTop[top][name] = in
			}
		}
	}
	for top, paths := range byTop {
		readable, err := committedPlaintext(top, keysOf(paths))
		if err != nil {
			c.warn(fmt.Sprintf("the git history can't be searched for plaintext: %v", err), "")
		}
		for _, name := range keysOf(readable) {
			for _, ref := range keysOf(readable[name]) {
				c.warn(fmt.Sprintf("%s: Secret %s was committed in plaintext: git history keeps it", paths[name].shown, ref),
					"change these values at their source: "+strings.Join(keysOf(readable[name][ref]), ", "))
			}
		}
	}
}

// committedPlaintext finds path → Secret → keys whose values are in the repository's history for all to read.
func committedPlaintext(top string, paths []string) (map[string]map[string]map[string]bool, error) {
	repo, err := git.Open(context.Background(), top)
	if err != nil {
		return nil, err
	}
	found := map[string]map[string]map[string]bool{}
	err = repo.Versions(context.Background(), func(b git.Blob) error {
		f, err := manifest.Parse(b.Data)
		if err != nil {
			return nil // over the limit for a manifest
		}
		for _, item := range f.Items() {
			if item.Kind != manifest.Native {
				continue
			}
			n, err := item.Native()
			if err != nil || len(n.Values) == 0 {
				continue
			}
			ref := secret.Ref(n.Namespace, n.Name)
			if found[b.Path] == nil {
				found[b.Path] = map[string]map[string]bool{}
			}
			if found[b.Path][ref] == nil {
				found[b.Path][ref] = map[string]bool{}
			}
			for key := range n.Values {
				found[b.Path][ref][key] = true
			}
		}
		return nil
	}, paths...)
	return found, err
}

// noneChanged ends a run over files that changed none of them, with the summary that says so.
func (c *cli) noneChanged(err error, done string) error {
	return errors.Join(err, fmt.Errorf("nothing was %s, no file was changed", done))
}
