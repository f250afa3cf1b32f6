package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

type rekeyOptions struct {
	identities  identityFlags
	widen       []string
	rotate      bool
	consolidate bool
	dryRun      bool
	checklist   string
}

func newRekeyCommand(c *cli) *cobra.Command {
	o := &rekeyOptions{}
	cmd := &cobra.Command{
		Use:   "rekey [PATH ...]",
		Short: "Make sealed manifests and sealed files follow the policy",
		Long: `Give every sealed manifest and sealed file below the paths, or of the whole repository, the recipients that the
policy says. Where somebody joined, no value of a manifest changes; where somebody left, every value of the
Secret is encrypted again, and the keys whose values have to be changed at their source are listed: history
can't be recalled; so are those that only git's history shows (see "ageseal rotation"). --checklist keeps the list
in a file, with a box for each value. A sealed file is encrypted again as a whole either way.

All or nothing: on any error no file is changed. A file whose values were sealed for others than its rule
ever resolved to in a policy you accepted is refused unless named with --widen: it may be a copy that
somebody put below a wider rule.

A sealed file does not say who can read it, only how many. It follows the policy if that is what its rule says,
and says no less than the git history: the policy committed along with it, and where else the file ever was.` + exitHelp(statusNoIdentity, statusAuthentication),
		Example: `  ageseal rekey --dry-run
  ageseal rekey apps/shop/prod
  ageseal rekey --checklist bob-left.md             # somebody left: what has to be changed
  ageseal rekey --widen apps/shop/prod/db.yaml      # yes, they may read it`,
		RunE: func(_ *cobra.Command, args []string) error { return c.runRekey(o, args) },
	}
	o.identities.add(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&o.widen, "widen", nil, "open this `file` to recipients that it was not sealed for (repeatable)")
	flags.BoolVar(&o.rotate, "rotate", false, "encrypt every value again, as after a leak")
	flags.BoolVar(&o.consolidate, "consolidate", false, "encrypt those Secrets again whose values have gathered several data keys")
	flags.BoolVar(&o.dryRun, "dry-run", false, "say what would be done, and why, as a table")
	flags.StringVar(&o.checklist, "checklist", "", "where somebody left, write the values to change as a checklist to this new `file`")
	_ = cmd.MarkFlagFilename("checklist", "md")
	_ = cmd.MarkFlagFilename("widen", "yaml", "yml", "json", "age")
	return cmd
}

func (c *cli) runRekey(o *rekeyOptions, args []string) error {
	c.readOnly = o.dryRun
	if len(args) == 0 {
		args = slices.Clone(o.widen)
	}
	if len(args) == 0 {
		wd, err := filepath.Abs(".")
		if err != nil {
			return err
		}
		top, ok := topLevel(wd)
		if !ok {
			return usage("ageseal rekey --policy FILE DIR", "not in a git repository: name a policy, and files or directories")
		}
		args = []string{relative(top)}
	}
	if slices.Contains(args, "-") {
		return usage("ageseal rekey --help", "rekey works on files")
	}
	if !o.dryRun {
		unlock, err := c.lock(args)
		if err != nil {
			return err
		}
		defer unlock()
	}
	work, err := c.rekeyWork(o, args, nil, func(string, *manifest.File) bool { return true })
	if err != nil {
		return err
	}
	if o.dryRun {
		return c.plan(work.done)
	}
	lists, err := c.remarked(work.done, work.inputs, work.files)
	if err != nil {
		return err
	}
	if err := c.write(work.inputs, append(filesToWrite(work.files), lists...)...); err != nil {
		return err
	}
	c.reportRekeyed(work.done)
	return errors.Join(c.reportLeft(o, work.done), c.confirmNarrowed(work.done))
}

// rekeying is what a run over many files computed; nothing of it is written.
type rekeying struct {
	inputs []*input
	files  []*fileRekey
	done   []rekeyed // of inputs, then of files
}

// rekeyWork computes what becomes of the files below the arguments that are covered; a sealed file comes without a manifest. Without an
// opener, the identities are loaded once everything else is known to be right.
func (c *cli) rekeyWork(o *rekeyOptions, args []string, opener *crypt.Opener, covered func(path string, f *manifest.File) bool) (*rekeying, error) {
	sealed, rest, fileErr := c.sealedInputs(args)
	found, _, err := c.inputs(rest)
	if err := errors.Join(err, fileErr); err != nil {
		return nil, c.noneChanged(err, "rekeyed")
	}
	sealed = slices.DeleteFunc(sealed, func(in *sealedInput) bool { return !covered(in.path, nil) })
	inputs := slices.DeleteFunc(found, func(in *input) bool {
		return !holdsSealed(in.file) && !holdsBroken(in.file) || !covered(in.path, in.file)
	})

	options := make([]secret.RekeyOptions, len(inputs))
	var errs []error
	for i, in := range inputs {
		if options[i], err = c.rekeyOptions(o, in); err != nil {
			errs = append(errs, within(in.shown, err))
		}
	}
	files, err := c.fileRekeys(o, sealed)
	if err != nil {
		errs = append(errs, joined(err)...)
	}
	if len(errs) > 0 {
		return nil, c.noneChanged(distinct(errs), "rekeyed")
	}
	if opener == nil {
		if opener, err = c.opener(&o.identities, args...); err != nil {
			return nil, err
		}
	}
	writer := secret.NewWriter()
	work := &rekeying{inputs: inputs, files: files, done: make([]rekeyed, len(inputs)+len(files))}
	faults := c.each(len(work.done), "rekeying", func(i int) (err error) {
		r := &work.done[i]
		if i < len(inputs) {
			r.shown, r.path, options[i].Opener = inputs[i].shown, inputs[i].path, opener
			r.docs, err = writer.Rekey(inputs[i].file, options[i])
		} else {
			f := files[i-len(inputs)]
			r.shown, r.path, f.options.Opener = f.in.shown, f.in.path, opener
			r.docs, err = f.rekey()
		}
		if err != nil {
			return &fileError{r.shown, err}
		}
		return nil
	})
	if failed := slices.DeleteFunc(slices.Clone(faults), func(err error) bool { return err == nil }); len(failed) > 0 {
		return nil, errors.Join(errors.Join(failed...), fmt.Errorf("%d of %s could not be rekeyed, no file was changed", len(failed), count(len(work.done), "file")))
	}
	return work, nil
}

// confirmNarrowed makes a policy that was followed because it only took somebody away an accepted one: the files follow
// it now.
func (c *cli) confirmNarrowed(done []rekeyed) error {
	if len(left(done)) == 0 {
		return nil
	}
	for _, repo := range c.repos {
		if repo.pins != nil {
			if err := repo.accept(); err != nil {
				return err
			}
		}
	}
	return nil
}

// rekeyOptions finds the target of one file, and what its very rule resolved to in the policies accepted before.
func (c *cli) rekeyOptions(o *rekeyOptions, in *input) (secret.RekeyOptions, error) {
	target, sharing, err := c.sharing(in, &recipientFlags{})
	sharing.Widen = o.widens(in.path)
	return secret.RekeyOptions{Target: target, Sharing: sharing, Rotate: o.rotate, Consolidate: o.consolidate}, err
}

// widens reports whether a file, absolute and resolved, is named with --widen.
func (o *rekeyOptions) widens(file string) bool {
	return slices.ContainsFunc(o.widen, func(path string) bool {
		real, err := filepath.EvalSymlinks(path)
		return err == nil && sameFile(real, file)
	})
}

// sharing says for whom the values of a sealed file may be encrypted again: the rule of its path, and what that very rule resolved to in
// the policies accepted before; or the flags, with which whoever runs this has decided.
func (c *cli) sharing(in *input, r *recipientFlags) (secret.Target, secret.Sharing, error) {
	if r.given() {
		target, err := c.target(in.path, r)
		return target, secret.Sharing{Widen: true}, err
	}
	repo, rule, err := c.rule(in.path)
	if err != nil {
		return secret.Target{}, secret.Sharing{}, err
	}
	resolved, err := repo.resolved(c, rule.Path)
	if err != nil {
		return secret.Target{}, secret.Sharing{}, err
	}
	return secret.Target{Recipients: rule.Recipients, Through: rule.Through, Namespace: rule.Namespace}, secret.Sharing{
		Resolved: func(to []string) bool {
			return slices.ContainsFunc(resolved, func(r []*crypt.Recipient) bool { return slices.Equal(crypt.Fingerprints(r), to) })
		},
	}, nil
}

// resolved gives the recipients that the rule of this pattern stood for in each policy accepted before.
func (r *repository) resolved(c *cli, pattern string) ([][]*crypt.Recipient, error) {
	if r.pins == nil {
		return nil, nil
	}
	if r.history == nil {
		history, err := r.pins.History(r.key)
		if err != nil {
			return nil, err
		}
		r.history, r.rules = history, map[string][][]*crypt.Recipient{}
		c.known = append(c.known, history...)
	}
	sets, ok := r.rules[pattern]
	if !ok {
		for _, p := range r.history {
			if rule, ok := p.RuleByPattern(pattern); ok {
				sets = append(sets, rule.Recipients)
			}
		}
		r.rules[pattern] = sets
	}
	return sets, nil
}

func sameFile(a, b string) bool {
	a, errA := filepath.Abs(a)
	b, errB := filepath.Abs(b)
	return errA == nil && errB == nil && a == b
}
