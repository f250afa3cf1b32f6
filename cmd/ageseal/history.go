package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/secret"
	"github.com/ageseal/ageseal/verify"
)

// history is what all commits of a repository, and its work tree, say of sealed values and of people.
type history struct {
	repo     *git.Repo
	ledger   *secret.Ledger
	policies []*policy.Policy  // that there ever were, the newest first
	contents map[string][]byte // of the work tree, that git has no name for yet
}

// readHistory looks at every version of every file. Errors are those of git: a version that can't be read as sealed is passed over.
func (c *cli) readHistory(ctx context.Context, top string) (*history, error) {
	repo, err := git.Open(ctx, top)
	if err != nil {
		return nil, err
	}
	h := &history{repo: repo, ledger: secret.NewLedger(), contents: map[string][]byte{}}
	log, err := repo.Log(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	policies := map[string]*policy.Policy{} // by content
	seen := map[string]bool{"": true}
	for _, change := range log {
		if change.Path == policy.FileName {
			policies[change.Is] = nil
		}
		for _, id := range append(change.Was, change.Is) { // of a shallow clone's first commit nothing was
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	err = repo.Contents(ctx, ids, manifest.MaxFileSize, func(id string, data []byte) error {
		h.ledger.Content(id, data)
		if _, ok := policies[id]; ok {
			policies[id], _ = policy.Parse(data)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, change := range slices.Backward(log) {
		if p := policies[change.Is]; p != nil && change.Path == policy.FileName {
			h.policies = append(h.policies, p)
		}
	}
	var files []git.Change // that are sealed files
	for len(log) > 0 {
		n := slices.IndexFunc(log, func(change git.Change) bool { return change.Commit != log[0].Commit })
		if n < 0 {
			n = len(log)
		}
		changes := make([]secret.LedgerChange, n)
		for i, change := range log[:n] {
			changes[i] = secret.LedgerChange{Path: change.Path, Is: change.Is, Was: change.Was}
		}
		h.ledger.Commit(log[0].Commit, changes)
		for _, f := range h.ledger.SealedFiles(changes) {
			files = append(files, git.Change{Commit: log[0].Commit, Path: f.Path, Is: f.Is})
		}
		log = log[n:]
	}
	if err := h.sealedFiles(ctx, files, policies); err != nil {
		return nil, err
	}
	return h, h.workTree(ctx, c)
}

// sealedFiles asks the policy that was committed along with each for whom it is, and where it can't be that, every policy there ever was.
func (h *history) sealedFiles(ctx context.Context, files []git.Change, policies map[string]*policy.Policy) error {
	var commits []string
	for _, f := range files {
		commits = append(commits, f.Commit)
	}
	names, err := h.repo.Names(ctx, policy.FileName, slices.Compact(commits))
	for _, f := range files {
		h.fileReaders(f.Path, f.Is, policies[names[f.Commit]])
	}
	return err
}

func (h *history) fileReaders(path, content string, with *policy.Policy) {
	for _, asked := range [][]*policy.Policy{{with}, h.policies} {
		var sets [][]*crypt.Recipient
		for _, p := range asked {
			if p == nil {
				continue
			}
			if rule, ok := p.Match(path); ok {
				sets = append(sets, rule.Recipients)
			}
		}
		if h.ledger.FileReaders(content, sets...) {
			return
		}
	}
}

// workTree takes the files as they lie here; what differs from HEAD's is a change that is not committed yet.
func (h *history) workTree(ctx context.Context, c *cli) error {
	paths, err := h.repo.Files(ctx)
	if err != nil {
		return err
	}
	tree, err := h.repo.Tree(ctx)
	if err != nil {
		return err
	}
	now := (&rulesAsTheyAre{c: c}).in(h.repo.Top, filepath.Join(h.repo.Top, policy.FileName))
	if now != nil {
		h.policies = append([]*policy.Policy{now}, h.policies...)
	}
	var changes []secret.LedgerChange
	here := map[string]string{}
	for _, path := range paths {
		data, err := readSmall(filepath.Join(h.repo.Top, filepath.FromSlash(path)))
		if err != nil {
			return err
		}
		if data == nil || !crypt.IsArmored(data) && !bytes.Contains(data, []byte("EncryptedSecret")) {
			continue
		}
		here[path] = h.repo.Name(data)
		if here[path] == tree[path] {
			continue
		}
		h.ledger.Content(here[path], data)
		h.contents[here[path]] = data
		change := secret.LedgerChange{Path: path, Is: here[path]}
		if was := tree[path]; was != "" {
			change.Was = []string{was}
		}
		changes = append(changes, change)
	}
	for _, path := range keysOf(tree) {
		if here[path] == "" {
			changes = append(changes, secret.LedgerChange{Path: path, Was: []string{tree[path]}})
		}
	}
	h.ledger.Commit("", changes)
	for _, f := range h.ledger.SealedFiles(changes) {
		h.fileReaders(f.Path, f.Is, now)
	}
	for _, path := range keysOf(here) {
		h.ledger.Now(path, here[path])
	}
	return nil
}

// readSmall reads a file that may be a sealed one; nil for what is none, or not there.
func readSmall(path string) ([]byte, error) {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Size() > manifest.MaxFileSize {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// read gives contents for a comparison, of the work tree or of git.
func (h *history) read(names []string, fn func(name string, data []byte) error) error {
	var committed []string
	for _, name := range names {
		if data, ok := h.contents[name]; !ok {
			committed = append(committed, name)
		} else if err := fn(name, data); err != nil {
			return err
		}
	}
	return h.repo.Contents(context.Background(), committed, manifest.MaxFileSize, fn)
}

// checklists are those files of a repository that say they are one, as they are; none where git has no say.
func (c *cli) checklists(top string) (lists []atomicfile.File, err error) {
	if _, ok := topLevel(top); !ok {
		return nil, nil
	}
	repo, err := git.Open(context.Background(), top)
	if err != nil {
		return nil, err
	}
	paths, err := repo.Files(context.Background())
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		path = filepath.Join(top, filepath.FromSlash(path))
		if !strings.EqualFold(filepath.Ext(path), ".md") || !verify.IsChecklist(beginning(path)) {
			continue
		}
		data, err := readSmall(path)
		if err != nil {
			return nil, err
		}
		lists = append(lists, atomicfile.File{Path: path, Old: data})
	}
	return lists, nil
}
