package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/verify"
)

type verifyOptions struct {
	staged     bool
	references bool
	output     string
}

func newVerifyCommand(c *cli) *cobra.Command {
	o := &verifyOptions{}
	cmd := &cobra.Command{
		Use:   "verify [PATH ...]",
		Short: "Find plaintext Secrets and private keys, without any key",
		Long: `Look for native Secrets with values, private keys, and sealed manifests that can't be opened by anybody. With
--staged, what the next commit holds is checked; this is what the git hook runs. A finding can be silenced
for a path in the policy, with a reason; for --staged, in the policy that is committed already.
` + referencesHelp + exitHelp(statusFindings),
		Example: `  ageseal verify --staged
  ageseal verify apps
  ageseal verify --references
  ageseal verify -o json > findings.json`,
		RunE: func(_ *cobra.Command, args []string) error { return c.runVerify(o, args) },
	}
	cmd.Flags().BoolVar(&o.staged, "staged", false, "check what is staged for the next commit")
	cmd.Flags().BoolVar(&o.references, "references", false, "check what the kustomizations found or named say of Secrets")
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "`text or json`")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (c *cli) runVerify(o *verifyOptions, args []string) error {
	if o.output != "text" && o.output != "json" {
		return usage("ageseal verify --help", "unknown output format %q", o.output)
	}
	if o.staged && len(args) > 0 {
		return usage("ageseal verify --staged", "--staged checks the index as a whole")
	}
	if o.staged && o.references {
		return usage("ageseal verify --references", "--references builds from files, not from the index")
	}
	var findings []verify.Finding
	var err error
	switch {
	case o.references:
		findings, err = c.verifyReferences(args)
	case o.staged:
		findings, err = c.verifyStaged()
	case len(args) == 0:
		findings, err = c.verifyPaths([]string{"."})
	default:
		findings, err = c.verifyPaths(args)
	}
	if err != nil {
		return err
	}
	if o.output == "json" {
		if findings == nil {
			findings = []verify.Finding{}
		}
		text, err := json.MarshalIndent(findings, "", "  ")
		if err != nil {
			return err
		}
		if _, err := c.out.Write(append(text, '\n')); err != nil {
			return err
		}
	} else {
		for _, f := range findings {
			fmt.Fprintln(c.out, shown(findingText(f)))
		}
		c.hints(o, findings)
	}
	if len(findings) > 0 {
		return errLeftUndone
	}
	return nil
}

// findingText is one line: where, which rule, what.
func findingText(f verify.Finding) string {
	text := fmt.Sprintf("%s%s: ", place(f.File, f.Line), f.Rule)
	if f.Secret != "" {
		text += "Secret " + f.Secret + ": "
	}
	if f.Key != "" {
		text += "key " + f.Key + ": "
	}
	return text + f.What
}

func (c *cli) hints(o *verifyOptions, findings []verify.Finding) {
	seen := map[string]bool{}
	for _, f := range findings {
		if f.Hint != "" && !seen[f.Hint] {
			seen[f.Hint] = true
			c.say("hint", f.Hint)
		}
	}
	if o.staged && len(findings) > 0 {
		c.say("hint", `what was staged lies in .git/objects until it is collected: after unstaging, "git gc --prune=now" removes it`)
	}
}

// maxVerified is the largest file, in bytes, that is looked into. A manifest is far smaller; a dump with a key in it may
// not be.
const maxVerified = 64 << 20

// verifyStaged checks the index. What silences a finding is the policy of HEAD: a change can't excuse itself.
func (c *cli) verifyStaged() ([]verify.Finding, error) {
	ctx := context.Background()
	repo, err := git.Open(ctx, ".")
	if err != nil {
		return nil, err
	}
	var findings []verify.Finding
	err = repo.Staged(ctx, maxVerified, func(b git.Blob) error {
		shown := relative(filepath.Join(repo.Top, filepath.FromSlash(b.Path)))
		if b.Data == nil {
			findings = append(findings, c.tooLarge(shown)...)
		}
		findings = append(findings, verify.Bytes(shown, b.Data)...)
		if b.Path == policy.FileName {
			findings = append(findings, brokenPolicy(shown, b.Data)...)
		}
		return nil
	})
	if err != nil || len(findings) == 0 {
		return nil, err
	}
	silenced, err := c.silencedAtHead(ctx, repo)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(findings, func(f verify.Finding) bool {
		path, err := filepath.Abs(f.File)
		if err == nil {
			path, err = filepath.Rel(repo.Top, path)
		}
		return err == nil && silenced(f.Rule, filepath.ToSlash(path))
	}), nil
}

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

// silencedAtHead reads which findings the committed policy silences, or the one named with --policy.
func (c *cli) silencedAtHead(ctx context.Context, repo *git.Repo) (func(rule, path string) bool, error) {
	if c.policyFile != "" {
		return c.silencer(repo.Top), nil
	}
	head, err := repo.Head(ctx, policy.FileName)
	if err != nil {
		return nil, err
	}
	p, err := policy.Parse(head[policy.FileName])
	if err != nil {
		return func(string, string) bool { return false }, nil // none, or one that silences nothing
	}
	return func(rule, path string) bool {
		_, ok := p.Silenced(rule, path)
		return ok
	}, nil
}

func (c *cli) verifyPaths(args []string) ([]verify.Finding, error) {
	v := &verifier{c: c}
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
	return v.findings, nil
}

// verifier looks into files of the work tree.
type verifier struct {
	c         *cli
	findings  []verify.Finding
	silencers map[string]func(rule, path string) bool // by top level
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
	found := verify.Bytes(path, data)
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if top, ok := topLevel(filepath.Dir(abs)); ok && abs == filepath.Join(top, policy.FileName) {
		found = append(found, brokenPolicy(path, data)...)
	}
	return v.add(abs, found...)
}

// add takes the findings of a file that the policy of its repository does not silence.
func (v *verifier) add(abs string, found ...verify.Finding) error {
	silenced := func(string) bool { return false }
	if top, ok := topLevel(filepath.Dir(abs)); ok && len(found) > 0 {
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
