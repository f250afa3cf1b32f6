package main

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/verify"
)

// seenFile is an armored age file that verify came by.
type seenFile struct {
	shown string
	path  string // absolute
	data  []byte
}

// fileFinding is what the policy has against one.
type fileFinding struct {
	path string // absolute
	verify.Finding
}

// checkFiles holds sealed files against the rules of their paths, and against the files that are the same: among those seen, in git's
// index, and at HEAD. A work tree that git can't read has none of the latter.
func checkFiles(seen []seenFile, rule func(path string) *policy.Rule) (found []fileFinding) {
	add := func(f seenFile, all []verify.Finding) {
		for _, x := range all {
			found = append(found, fileFinding{f.path, x})
		}
	}
	facts := make([]*crypt.FileFacts, len(seen))
	same := map[string][]string{} // paths, by the file as it was written
	for i, f := range seen {
		if facts[i], _ = crypt.InspectFile(f.data); facts[i] != nil {
			same[string(facts[i].Armor)] = append(same[string(facts[i].Armor)], f.path)
		}
	}
	inGit := copiesInGit(seen, facts)
	for i, f := range seen {
		own := rule(f.path)
		if facts[i] == nil || own == nil {
			continue
		}
		add(f, verify.SealedFile(f.shown, f.data, own))
		for _, other := range append(inGit[i], same[string(facts[i].Armor)]...) {
			// Where it fits here and not there, the other one is the stray.
			if theirs := rule(other); theirs != nil && (facts[i].Fits(theirs.Recipients) || !facts[i].Fits(own.Recipients)) {
				if c := verify.Copy(f.shown, own, relative(other), theirs); len(c) > 0 {
					add(f, c)
					break
				}
			}
		}
	}
	return found
}

// copiesInGit finds, for each file, where the index and HEAD have the same.
func copiesInGit(seen []seenFile, facts []*crypt.FileFacts) [][]string {
	ctx := context.Background()
	byTop := map[string][]int{}
	for i, f := range seen {
		if top, ok := topLevel(filepath.Dir(f.path)); ok && facts[i] != nil {
			byTop[top] = append(byTop[top], i)
		}
	}
	copies := make([][]string, len(seen))
	for _, top := range keysOf(byTop) {
		work, err := git.Open(ctx, top)
		if err != nil {
			continue
		}
		var contents [][]byte
		for _, i := range byTop[top] {
			contents = append(contents, forms(facts[i], seen[i].data)...)
		}
		at, err := work.NowAt(ctx, contents...)
		if err != nil {
			continue
		}
		for n, i := range byTop[top] {
			for _, path := range slices.Concat(at[n*formsOfFile : (n+1)*formsOfFile]...) {
				copies[i] = append(copies[i], filepath.Join(top, filepath.FromSlash(path)))
			}
		}
	}
	return copies
}

// checkFiles adds what the policy, as it lies in the work tree, has against the sealed files that were seen.
func (v *verifier) checkFiles() error {
	for _, f := range checkFiles(v.ageFiles, v.rules.of) {
		if err := v.add(f.path, f.Finding); err != nil {
			return err
		}
	}
	return v.beside()
}

// files does the same by a policy, nil for none.
func (s *stage) files(files []seenFile, load func() *policy.Policy) (found []verify.Finding) {
	if len(files) == 0 {
		return nil
	}
	p := load()
	if p == nil {
		return nil
	}
	for _, f := range checkFiles(files, func(path string) *policy.Rule {
		rel, err := s.repo.Rel(path)
		if err != nil {
			return nil
		}
		rule, _ := p.Match(rel)
		return rule
	}) {
		found = append(found, f.Finding)
	}
	return found
}
