package main

import (
	"os"
	"path/filepath"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/policy"
)

// groupChange is a change of one group in the repository that the command runs in.
type groupChange struct {
	repo *repository
	path string // of the policy
	text []byte

	completed bool // a run that was cut short was completed: what is asked for may be done by that

	next  *policy.Policy // as it will be, with the files of identities
	files []atomicfile.File
}

// changeGroup runs a change under the lock of the repository, by a policy that was accepted, and completes one that was cut short first.
func (c *cli) changeGroup(o *groupOptions, run func(*groupChange) error) error {
	c.readOnly = o.dryRun
	if c.policyFile != "" {
		return usage("ageseal recipients group --help", "groups are changed in the policy of the repository: --policy does not fit")
	}
	top, err := c.ownTop()
	if err != nil {
		return err
	}
	if o.dryRun && cutShort(top) {
		return hinted("run it without --dry-run", "a change of a group was cut short, and has to be completed first")
	}
	g := &groupChange{path: filepath.Join(top, policy.FileName)}
	if !o.dryRun {
		unlock, err := c.lock([]string{top})
		if err != nil {
			return err
		}
		defer unlock()
		if g.completed, err = c.completeGroup(top); err != nil {
			return err
		}
	}
	if g.repo, err = c.repository(top); err != nil {
		return err
	}
	if g.text, err = os.ReadFile(g.path); err != nil {
		return err
	}
	return run(g)
}

// ownTop is the top level of the repository that the command runs in.
func (c *cli) ownTop() (string, error) {
	wd, err := realPath(".")
	if err != nil {
		return "", err
	}
	top, ok := topLevel(wd)
	if !ok {
		return "", hinted("run it inside the repository", "not in a git repository")
	}
	return top, nil
}

func (c *cli) completeGroup(top string) (completed bool, err error) {
	begun, err := complete(top)
	if err != nil || !begun {
		return false, err
	}
	repo, err := c.openRepository(top)
	if err == nil {
		err = repo.accept() // the run that was cut short was this user's
	}
	if err == nil {
		err = forgetJournal(top)
	}
	if err == nil {
		c.note("completed a change of a group that was cut short")
	}
	return err == nil, err
}

// setGroup computes policy and identity file for a group with these members and this identity.
func (c *cli) setGroup(g *groupChange, name string, members []string, id *crypt.Identity) error {
	shown := relative(g.path)
	text, err := policy.EditGroup(g.text, name, members, id.Recipient())
	if err != nil {
		return &fileError{shown, err}
	}
	if g.next, err = policy.Parse(text); err != nil {
		return &fileError{shown, err}
	}
	group, _ := g.next.Group(name)
	to, err := c.ready(group.To)
	if err != nil {
		return err
	}
	sealed, err := crypt.SealIdentity(id, to)
	if err != nil {
		return err
	}
	files, err := identityFiles(g.repo.top, g.next)
	if err != nil {
		return err
	}
	path := filepath.Join(g.repo.top, filepath.FromSlash(group.File()))
	g.files = []atomicfile.File{{Path: path, Data: sealed, Old: files[name], Mode: 0o644}} // first: a recipient without its identity would be the end of what is sealed
	files[name] = sealed
	g.next = g.next.WithIdentities(files)
	g.files = append(g.files, atomicfile.File{Path: g.path, Data: text, Old: g.text})
	return nil
}

// write makes the change, and its policy the accepted one.
func (g *groupChange) write() error {
	if err := os.MkdirAll(filepath.Join(g.repo.top, filepath.FromSlash(policy.IdentityDir)), 0o755); err != nil {
		return err
	}
	if err := writeTogether(g.repo.top, g.files); err != nil {
		return err
	}
	g.repo.policy = g.next
	if err := g.repo.accept(); err != nil {
		return err
	}
	return forgetJournal(g.repo.top)
}
