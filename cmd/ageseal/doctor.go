package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/identity"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/verify"
)

func newDoctorCommand(c *cli) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "doctor [PATH ...]",
		Short: "Check that nothing leaks and nothing is silently dropped",
		Long: `Look at this machine and this repository, without any key: plaintext that git does not ignore, what "ageseal verify"
finds, the policy, git's hook and drivers, where identities lie and who may read them, generators that stock
kustomize would leave out without a word or has no plugin for, files that a killed run left behind. With paths,
findings in files are those below them. A finding with a file is silenced for a path in the policy, with a reason.

Warnings don't count for the exit status.` + exitHelp(statusFindings),
		Example: `  ageseal doctor
  ageseal doctor apps/shop
  ageseal doctor -o json | jq '.[] | select(.level == "finding")'`,
		RunE: func(_ *cobra.Command, args []string) error { return c.runDoctor(output, args) },
	}
	addFormat(cmd, &output)
	return cmd
}

// The rules of what only doctor looks at; the rest are verify's.
const (
	ruleHook        = "hook-missing"
	ruleDrivers     = "drivers-missing"
	ruleIdentity    = "identity-readable"
	ruleIdentityIn  = "identity-in-repository"
	ruleLeftover    = "leftover"
	ruleExec        = "exec-function"
	ruleUse         = "unsupported-use"
	ruleDecrypter   = "decrypter"
	rulePlugin      = "plugin-missing"
	rulePluginOther = "plugin-other"
)

// checkup is one run of doctor.
type checkup struct {
	verifier
	repo     *git.Repo
	below    []string // absolute, resolved: what was asked for
	warnings verifier // what does not count
}

func (c *cli) runDoctor(output string, args []string) error {
	if err := checkFormat(output, "doctor"); err != nil {
		return err
	}
	d, err := c.newCheckup(args)
	if err != nil {
		return err
	}
	for _, check := range []func(context.Context) error{d.policy, d.hook, d.drivers, d.identities, d.files, d.leftovers} {
		if err := check(context.Background()); err != nil {
			return err
		}
	}
	for i := range d.warnings.findings {
		d.warnings.findings[i].Level = verify.Warning
	}
	err = c.writeFindings(output, slices.Concat(d.findings, d.warnings.findings))
	if err == nil && output == "text" {
		c.note("nothing found that leaks or is dropped")
	}
	return err
}

func (c *cli) newCheckup(args []string) (*checkup, error) {
	d := &checkup{verifier: *newVerifier(c), warnings: verifier{c: c}}
	first := "."
	if len(args) > 0 {
		first = args[0]
		if info, err := os.Stat(first); err == nil && !info.IsDir() {
			first = filepath.Dir(first)
		}
	}
	var err error
	if d.repo, err = git.Open(context.Background(), first); err != nil {
		return nil, err
	}
	for _, arg := range args {
		path, err := filepath.EvalSymlinks(arg)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return nil, err
		}
		if path != d.repo.Top {
			if _, err := d.repo.Rel(path); err != nil {
				return nil, &fileError{arg, hinted("run it once for each repository", "not in the repository of %s", args[0])}
			}
		}
		d.below = append(d.below, path)
	}
	if len(args) == 0 {
		d.below = []string{d.repo.Top}
	}
	return d, nil
}

// asked reports whether a file, absolute, is below what was asked for.
func (d *checkup) asked(path string) bool {
	return slices.ContainsFunc(d.below, func(dir string) bool { return isBelow(dir, path) })
}

func isBelow(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

func (d *checkup) policy(context.Context) error {
	file := filepath.Join(d.repo.Top, policy.FileName)
	if d.c.policyFile != "" {
		file = d.c.policyFile
	}
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return d.add(file, verify.Finding{Rule: verify.NoPolicy, File: relative(file), What: "there is no policy: nothing says who may read what", Hint: "ageseal init"})
	case err != nil:
		return &fileError{relative(file), err}
	}
	if p, err := policy.Parse(data); err == nil { // else the file itself is a finding
		return d.add(file, verify.Policy(relative(file), p)...)
	}
	return nil
}

// hook looks whether each way of making a commit is checked. pre-commit is the one that no team does without, and that other tools install.
func (d *checkup) hook(ctx context.Context) error {
	for _, h := range hooks() {
		path, has, err := d.repo.HasHook(ctx, h.name, "ageseal")
		if err != nil || has {
			if err != nil {
				return err
			}
			continue
		}
		f := verify.Finding{Rule: ruleHook, File: relative(path), What: "no hook checks commits for plaintext", Hint: "ageseal git install"}
		if h.name == "pre-commit" {
			d.findings = append(d.findings, f)
			return nil
		}
		f.What = "no hook checks the commits that git makes without pre-commit: merges, rebases, cherry-picks, patches from mails"
		d.warnings.findings = append(d.warnings.findings, f)
		return nil
	}
	return nil
}

// identities looks at the files that hold private keys from outside: none is opened.
func (d *checkup) identities(context.Context) error {
	for _, path := range identity.Paths(d.c.environment) {
		exposed, err := identity.Exposed(path)
		if err != nil {
			continue // missing, which is for whoever needs a key to say
		}
		shown := relative(path)
		if exposed {
			d.findings = append(d.findings, verify.Finding{Rule: ruleIdentity, File: shown, What: "private keys that other users of this machine may read",
				Hint: "chmod 600 " + quoted(shown)})
		}
		real, err := filepath.EvalSymlinks(path)
		if err == nil {
			real, err = filepath.Abs(real)
		}
		if err == nil && isBelow(d.repo.Top, real) {
			d.findings = append(d.findings, verify.Finding{Rule: ruleIdentityIn, File: shown, What: "private keys inside the repository",
				Hint: "move the file out of the work tree; if it was ever pushed, treat the keys as lost"})
		}
	}
	return nil
}

// files checks what git has or would take: plaintext, and the kustomizations.
func (d *checkup) files(ctx context.Context) error {
	names, err := d.repo.Files(ctx)
	if err != nil {
		return err
	}
	var files []string // absolute; those of the whole repository: a kustomization anywhere may use a file below the paths
	for _, name := range names {
		path := filepath.Join(d.repo.Top, filepath.FromSlash(name))
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		files = append(files, path)
		if d.asked(path) {
			if err := d.file(relative(path)); err != nil {
				return &fileError{relative(path), err}
			}
		}
	}
	if err := d.checkFiles(); err != nil {
		return err
	}
	return d.kustomizations(files)
}

// leftovers looks everywhere, ignored or not: what a killed run left may be plaintext.
func (d *checkup) leftovers(context.Context) error {
	for _, dir := range d.below {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case e.IsDir() && e.Name() == ".git":
				return filepath.SkipDir
			case e.Type().IsRegular() && atomicfile.IsLeftover(e.Name()):
				shown := relative(path)
				return d.add(path, verify.Finding{Rule: ruleLeftover, File: shown, What: "a temporary file that a killed run left; it may hold plaintext",
					Hint: "look whether a run is in progress, then: rm " + quoted(shown)})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
