package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/verify"
)

type verifyOptions struct {
	staged        bool
	fix           bool
	references    bool
	base          string
	allowWidening bool
	output        string
}

func newVerifyCommand(c *cli) *cobra.Command {
	o := &verifyOptions{}
	cmd := &cobra.Command{
		Use:   "verify [PATH ...]",
		Short: "Find plaintext Secrets and private keys, without any key",
		Long: `Look for native Secrets with values, private keys, sealed manifests and files that can't be opened by anybody, or by
more people than the policy says; copies below a wider rule; labels that have a cluster give values away. With
--staged, what the next commit holds is checked; this is what the git hook runs. A finding can be silenced
for a path in the policy, with a reason; for --staged, in the policy that is committed already.

With --fix, native Secrets that are staged are sealed and staged again, all of them, if that clears every
finding; else nothing is changed. A file in the work tree is replaced if it is as it was staged. What is not
staged stays as it is. "git config ageseal.fix true" has the hook do so.

With --base, the files that HEAD changed since it left REF are checked, and what the change does is told: values
added, replaced, removed, or put back as they were in an older commit; who can read more than before, which
bindings and which rules of the policy are wider. The policy at REF judges and silences. What was restored or
widened is a finding; --allow-widening makes the latter a change like any other.

Warnings don't count for the exit status.
` + referencesHelp + exitHelp(statusFindings),
		Example: `  ageseal verify --staged
  ageseal verify --staged --fix
  ageseal verify apps
  ageseal verify --references
  ageseal verify -o sarif > findings.sarif    # for code scanning
  ageseal verify --base origin/main -o markdown    # what a pull request does`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.checkBase(cmd, args); err != nil {
				return err
			}
			return c.runVerify(o, args)
		},
	}
	cmd.Flags().BoolVar(&o.staged, "staged", false, "check what is staged for the next commit")
	cmd.Flags().BoolVar(&o.fix, "fix", false, "with --staged: seal what is staged in plaintext, and stage that")
	cmd.Flags().BoolVar(&o.references, "references", false, "check what the kustomizations found or named say of Secrets")
	cmd.Flags().StringVar(&o.base, "base", "", "tell what HEAD changed since it left this `ref`, by the policy there")
	cmd.Flags().BoolVar(&o.allowWidening, "allow-widening", false, "with --base: that more is allowed than before is meant")
	addFormat(cmd, &o.output)
	return cmd
}

func (c *cli) runVerify(o *verifyOptions, args []string) error {
	if err := checkFormat(o.output, "verify"); err != nil {
		return err
	}
	if o.staged && len(args) > 0 {
		return usage("ageseal verify --staged", "--staged checks the index as a whole")
	}
	if o.fix && !o.staged {
		return usage("ageseal encrypt -w FILE", "--fix is for what is staged: it needs --staged")
	}
	if o.references && (o.staged || o.base != "") {
		return usage("ageseal verify --references", "--references builds from files, not from the index or a commit")
	}
	if o.base != "" {
		return c.runVerifyBase(o, args)
	}
	var findings []verify.Finding
	var fixable bool
	var err error
	switch {
	case o.references:
		findings, err = c.verifyReferences(args)
	case o.staged:
		findings, fixable, err = c.verifyStaged(o.fix)
	case len(args) == 0:
		findings, err = c.verifyPaths([]string{"."})
	default:
		findings, err = c.verifyPaths(args)
	}
	if err != nil {
		return err
	}
	err = c.writeFindings(o.output, findings)
	if fixable {
		c.say("hint", "or all of them at once, and stage them: ageseal verify --staged --fix")
	}
	if o.staged && errors.Is(err, errLeftUndone) {
		c.say("hint", "what was staged lies in .git/objects until it is collected: after unstaging, "+collect)
	}
	return err
}

// collect is how plaintext that was staged once leaves the repository.
const collect = `"git gc --prune=now" removes it`

// maxVerified is the largest file, in bytes, that is looked into. A manifest is far smaller; a dump with a key in it may
// not be.
const maxVerified = 64 << 20

// tooLarge is a finding for a manifest, since nobody has looked into it, and a warning for anything else.
func (c *cli) tooLarge(path string) []verify.Finding {
	what := fmt.Sprintf("larger than %d MiB, not looked into", maxVerified>>20)
	if isManifestName(path) {
		return []verify.Finding{{Rule: "too-large", File: path, What: what, Hint: "split it, or silence too-large for it in the policy"}}
	}
	c.warn(path+": "+what, "")
	return nil
}

// brokenPolicy are the faults of a policy: once committed it would stop everybody who writes.
func brokenPolicy(path string, data []byte) []verify.Finding {
	_, err := policy.Parse(data)
	var findings []verify.Finding
	for _, e := range joined(err) {
		f := verify.Finding{Rule: "policy", File: path, What: e.Error(), Hint: "nobody can encrypt with a policy that can't be read: mend it first"}
		var fault *policy.Error
		if errors.As(e, &fault) {
			f.Line = fault.Line
		}
		findings = append(findings, f)
	}
	return findings
}

// joined takes errors.Join's result apart.
func joined(err error) []error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return several.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

func (c *cli) verifyPaths(args []string) ([]verify.Finding, error) {
	v := newVerifier(c)
	for _, arg := range args {
		// A link that is named is followed, those that the walk meets are not.
		root, err := filepath.EvalSymlinks(arg)
		if err != nil {
			return nil, err
		}
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == ".git":
				return filepath.SkipDir
			case d.Type().IsRegular():
				return v.file(path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if err := v.checkFiles(); err != nil {
		return nil, err
	}
	err := v.across()
	return v.findings, err
}

// verifier looks into files of the work tree.
type verifier struct {
	c         *cli
	findings  []verify.Finding
	ageFiles  []seenFile
	silencers map[string]func(rule, path string) bool // by top level
	judges    map[string]*verify.Judge                // likewise
	rules     *rulesAsTheyAre
}

func newVerifier(c *cli) *verifier { return &verifier{c: c, rules: &rulesAsTheyAre{c: c}} }

// judge is that of the repository at top, by its policy as it lies in the work tree.
func (v *verifier) judge(top string) *verify.Judge {
	if v.judges[top] == nil {
		if v.judges == nil {
			v.judges = map[string]*verify.Judge{}
		}
		v.judges[top] = verify.NewJudge(func() *policy.Policy { return v.rules.in(top, filepath.Join(top, policy.FileName)) })
	}
	return v.judges[top]
}

// across adds what shows over all files only.
func (v *verifier) across() error {
	for _, top := range keysOf(v.judges) {
		for _, f := range v.judges[top].Across(func(string) bool { return true }) {
			abs, err := filepath.Abs(f.File)
			if err == nil {
				err = v.add(abs, f)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *verifier) file(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() > maxVerified {
		v.findings = append(v.findings, v.c.tooLarge(path)...)
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	top, ok := v.c.topOf(filepath.Dir(abs))
	if !ok {
		return v.add(abs, verify.Bytes(path, data)...)
	}
	rel, err := filepath.Rel(top, abs)
	if err != nil {
		return err
	}
	found := v.judge(top).Bytes(path, filepath.ToSlash(rel), data)
	if rel == policy.FileName {
		found = append(found, brokenPolicy(path, data)...)
	}
	if crypt.IsArmored(data) {
		v.ageFiles = append(v.ageFiles, seenFile{path, abs, data})
	}
	return v.add(abs, found...)
}

// add takes the findings of a file that the policy of its repository does not silence.
func (v *verifier) add(abs string, found ...verify.Finding) error {
	silenced := func(string) bool { return false }
	if top, ok := v.c.topOf(filepath.Dir(abs)); ok && len(found) > 0 {
		if v.silencers == nil {
			v.silencers = map[string]func(rule, path string) bool{}
		}
		if v.silencers[top] == nil {
			v.silencers[top] = v.c.silencer(top)
		}
		rel, err := filepath.Rel(top, abs)
		if err != nil {
			return err
		}
		silenced = func(rule string) bool { return v.silencers[top](rule, filepath.ToSlash(rel)) }
	}
	v.findings = append(v.findings, slices.DeleteFunc(found, func(f verify.Finding) bool { return silenced(f.Rule) })...)
	return nil
}

// silencer reads which findings the policy at top silences. A policy that can't be read silences nothing.
func (c *cli) silencer(top string) func(rule, path string) bool {
	file := filepath.Join(top, policy.FileName)
	if c.policyFile != "" {
		file = c.policyFile
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return func(string, string) bool { return false }
	}
	p, err := policy.Parse(data)
	if err != nil {
		c.warn(fmt.Sprintf("%s can't be read, so it silences nothing", relative(file)), "ageseal trust")
		return func(string, string) bool { return false }
	}
	return func(rule, path string) bool {
		_, ok := p.Silenced(rule, strings.TrimPrefix(path, "./"))
		return ok
	}
}
