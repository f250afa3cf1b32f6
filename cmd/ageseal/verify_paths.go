package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/kustomize"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/verify"
)

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
		if err == nil {
			err = v.wholeRepository(root)
		}
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
	files     []seenFile // all that were looked at, without their data
	ageFiles  []seenFile
	sealed    []seenFile                              // files that may hold sealed manifests
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

// wholeRepository looks for what no kustomization uses, if root is the top level: one anywhere may use a file.
func (v *verifier) wholeRepository(root string) error {
	abs, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	if top, ok := v.c.topOf(abs); !ok || top != abs || len(v.sealed)+len(v.ageFiles) == 0 {
		return nil
	}
	paths := make([]string, len(v.files))
	for i, f := range v.files {
		paths[i] = f.path
	}
	if in := kustomize.Inspect(paths); in.Kustomizations > 0 {
		return v.unused(in)
	}
	return nil
}

// ruleUnused is a warning: a sealed manifest or file that no kustomization of the repository reads.
const ruleUnused = "unused"

func (v *verifier) unused(in *kustomize.Inspection) error {
	for _, f := range v.ageFiles {
		if _, err := crypt.InspectFile(f.data); err != nil || in.Uses(f.path) {
			continue // another tool's, or a finding already
		}
		if err := v.add(f.path, verify.Finding{Level: verify.Warning, Rule: ruleUnused, File: f.shown, Line: 1, What: "a sealed file that no kustomization uses"}); err != nil {
			return err
		}
	}
	for _, f := range v.sealed {
		if in.Uses(f.path) {
			continue
		}
		file, err := manifest.Parse(f.data)
		if err != nil {
			continue // a finding already
		}
		items := file.Items()
		if i := slices.IndexFunc(items, func(item *manifest.Item) bool { return item.Kind == manifest.Sealed }); i >= 0 {
			if err := v.add(f.path, verify.Finding{Level: verify.Warning, Rule: ruleUnused, File: f.shown, Line: items[i].Line, What: "a sealed manifest that no kustomization uses"}); err != nil {
				return err
			}
		}
	}
	return nil
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
	v.files = append(v.files, seenFile{path, abs, nil})
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
		if p := v.rules.in(top, abs); p != nil {
			found = append(found, verify.LackingIdentities(path, p, func(file string) bool {
				_, err := os.Lstat(filepath.Join(top, filepath.FromSlash(file)))
				return err == nil
			})...)
		}
	}
	if verify.IsChecklist(data) {
		found = append(found, verify.Checklist(path, data, func(file string) []byte {
			text, _ := readSmall(filepath.Join(top, filepath.FromSlash(file)))
			return text
		})...)
	}
	if crypt.IsArmored(data) && !v.c.isIdentityFile(abs) {
		v.ageFiles = append(v.ageFiles, seenFile{path, abs, data})
	}
	if isManifestName(abs) && bytes.Contains(data, []byte(kustomize.SealedKind)) {
		v.sealed = append(v.sealed, seenFile{path, abs, data})
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
