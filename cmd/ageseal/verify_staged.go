package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/verify"
)

// verifyStaged checks the index, and with fix seals what is staged in plaintext. fixable: --fix may help where it was not given.
func (c *cli) verifyStaged(fix bool) (findings []verify.Finding, fixable bool, err error) {
	ctx := context.Background()
	repo, err := git.Open(ctx, ".")
	if err != nil {
		return nil, false, err
	}
	s := &stage{c: c, ctx: ctx, repo: repo, read: repo.Index}
	s.policy = sync.OnceValue(s.readPolicy)
	findings, err = s.look(nil)
	if err != nil || !slices.ContainsFunc(findings, isFault) {
		return findings, false, err
	}
	if fix {
		findings, err = s.fix(findings)
		return findings, false, err
	}
	_, inputs := s.sealable(findings)
	return findings, !repo.Temporary() && !slices.ContainsFunc(findings, func(f verify.Finding) bool {
		return isFault(f) && (f.Rule != verify.PlaintextSecret || !slices.ContainsFunc(inputs, func(in *input) bool { return in.shown == f.File }))
	}), nil
}

// stage is what is staged, or what a commit changed.
type stage struct {
	c      *cli
	ctx    context.Context
	repo   *git.Repo
	commit string // "" is the index
	read   func(ctx context.Context, paths ...string) (map[string][]byte, error)
	policy func() *policy.Policy
	judge  *verify.Judge
	seen   map[string]bool     // what is staged, or changed
	plain  map[string]git.Blob // where a Secret is in plaintext
}

// look checks what is staged, with other content for the paths of instead. What silences a finding is the policy of HEAD: a change can't
// excuse itself.
func (s *stage) look(instead map[string][]byte) ([]verify.Finding, error) {
	s.judge, s.seen, s.plain = verify.NewJudge(s.policy), map[string]bool{}, map[string]git.Blob{}
	var findings []verify.Finding
	var files []seenFile
	err := s.repo.Staged(s.ctx, maxVerified, func(b git.Blob) error {
		if data, ok := instead[b.Path]; ok {
			b.Data = data
		}
		shown := s.shown(b.Path)
		s.seen[b.Path] = true
		if b.Data == nil {
			findings = append(findings, s.c.tooLarge(shown)...)
		}
		found := s.judge.Bytes(shown, b.Path, b.Data)
		if slices.ContainsFunc(found, func(f verify.Finding) bool { return f.Rule == verify.PlaintextSecret }) {
			s.plain[b.Path] = b
		}
		findings = append(findings, found...)
		if b.Path == policy.FileName {
			findings = append(findings, brokenPolicy(shown, b.Data)...)
		}
		findings = append(findings, s.checklist(shown, b.Data)...)
		if _, identity := policy.IdentityOf(b.Path); crypt.IsArmored(b.Data) && !identity {
			files = append(files, seenFile{shown, filepath.Join(s.repo.Top, filepath.FromSlash(b.Path)), b.Data})
		}
		return nil
	})
	if err == nil {
		err = s.excuse(findings)
	}
	if err != nil {
		return nil, err
	}
	copies, err := s.copies(findings)
	if err != nil {
		return nil, err
	}
	beside, err := s.beside(files)
	if err != nil {
		return nil, err
	}
	identities, err := s.identities()
	findings = slices.Concat(findings, s.files(files, s.policy), beside, copies, identities)
	if err != nil || len(findings) == 0 {
		return nil, err
	}
	silenced, err := s.c.silencedAtHead(s.ctx, s.repo)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(findings, func(f verify.Finding) bool {
		path, err := s.repo.Rel(f.File)
		return err == nil && silenced(f.Rule, path)
	}), nil
}

// identities holds the files of groups' identities, as they stay, against a policy that is staged, or changed.
func (s *stage) identities() ([]verify.Finding, error) {
	if !s.seen[policy.FileName] {
		return nil, nil
	}
	at, err := s.read(s.ctx, policy.FileName)
	if err != nil {
		return nil, err
	}
	p, err := policy.Parse(at[policy.FileName])
	if err != nil {
		return nil, nil // a finding of its own
	}
	var files []string
	for _, g := range p.Shared() {
		files = append(files, g.File())
	}
	has, err := s.read(s.ctx, files...)
	found := verify.LackingIdentities(s.shown(policy.FileName), p, func(file string) bool { return has[file] != nil })
	judge := verify.NewJudge(func() *policy.Policy { return p })
	for _, file := range keysOf(has) {
		if !s.seen[file] { // else it was looked at
			found = append(found, judge.Bytes(s.shown(file), file, has[file])...)
		}
	}
	return found, err
}

// checklist looks after one of values to change, if the file is one.
func (s *stage) checklist(shown string, data []byte) []verify.Finding {
	if !verify.IsChecklist(data) {
		return nil
	}
	return verify.Checklist(shown, data, func(path string) []byte {
		found, err := s.read(s.ctx, path)
		if err != nil {
			return nil
		}
		return found[path]
	})
}

// shown is how messages name a file of the index.
func (s *stage) shown(path string) string {
	return relative(filepath.Join(s.repo.Top, filepath.FromSlash(path)))
}

// readPolicy reads the one that the commit will have: whoever joins and the files that are encrypted for them may be one commit.
func (s *stage) readPolicy() *policy.Policy {
	if s.c.policyFile != "" {
		data, err := os.ReadFile(s.c.policyFile)
		if err != nil {
			return nil
		}
		p, _ := policy.Parse(data)
		return p
	}
	staged, err := s.repo.Index(s.ctx, policy.FileName)
	if err != nil {
		return nil
	}
	p, _ := policy.Parse(staged[policy.FileName]) // one that can't be read is a finding when it is staged
	return p
}

// excuse makes warnings of recipients that a file is to lose and had before: who sets a value can't take them away, that needs a key.
func (s *stage) excuse(findings []verify.Finding) error {
	var paths []string
	for _, f := range findings {
		if f.Rule == verify.ExtraRecipient {
			if path, err := s.repo.Rel(f.File); err == nil {
				paths = append(paths, path)
			}
		}
	}
	before, err := s.repo.Head(s.ctx, paths...)
	if err != nil {
		return err
	}
	had := verify.NewJudge(s.policy)
	known := map[string]bool{}
	for _, path := range keysOf(before) {
		for _, f := range had.Bytes(s.shown(path), path, before[path]) {
			known[f.Rule+"\n"+f.File+"\n"+f.Secret+"\n"+f.What] = true
		}
	}
	for i, f := range findings {
		if f.Rule == verify.ExtraRecipient && known[f.Rule+"\n"+f.File+"\n"+f.Secret+"\n"+f.What] {
			findings[i].Level = verify.Warning
		}
	}
	return nil
}

// copies looks for other files that hold the data keys of those whose rule has further recipients: one of the two is a copy. To others
// the rest of the repository does not matter, and is not read.
func (s *stage) copies(findings []verify.Finding) ([]verify.Finding, error) {
	var pending []string
	for _, f := range findings {
		if f.Rule == verify.PendingJoin {
			pending = append(pending, f.File)
		}
	}
	if len(pending) > 0 {
		others, err := s.repo.Grep(s.ctx, s.commit, s.judge.DataKeys(pending...)...)
		if err != nil {
			return nil, err
		}
		others = slices.DeleteFunc(others, func(path string) bool { return s.seen[path] })
		texts, err := s.read(s.ctx, others...)
		if err != nil {
			return nil, err
		}
		for _, path := range keysOf(texts) {
			s.judge.Bytes(s.shown(path), path, texts[path])
		}
	}
	changed := map[string]bool{} // by name, which findings have with escapes
	for path := range s.seen {
		changed[s.shown(path)] = true
	}
	return s.judge.Across(func(name string) bool { return changed[name] }), nil
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
