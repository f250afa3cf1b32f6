package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/policy"
)

// groupIdentities is what messages need to know of the search for groups' identities.
type groupIdentities struct {
	outside bool // a path was in no repository, where none is found
	mu      sync.Mutex
	lacking []string // files that are not there
}

// share lets an opener use the identities of the groups of each repository that one of the paths lies in. A file of an identity is read, and
// opened with the user's own, once something is met that needs it; what it holds stays in this process.
func (c *cli) share(o *crypt.Opener, paths []string) {
	seen := map[string]bool{}
	for _, path := range paths {
		if path == "-" || path == "" {
			path = "."
		}
		real, err := realPath(path)
		if err != nil {
			continue // whoever reads it has an error for it
		}
		top, inGit := c.topOf(real)
		file := filepath.Join(top, policy.FileName)
		if c.policyFile != "" {
			file = c.policyFile
			if abs, err := filepath.Abs(file); err == nil && !inGit {
				top = filepath.Dir(abs)
			}
		}
		switch {
		case top == "":
			c.groups.outside = true
		case !seen[top]:
			seen[top] = true
			c.shareAt(o, top, file)
		}
	}
}

// shareAt does it for one repository. A policy that can't be read has no groups: it is an error for who writes, and here something is read.
func (c *cli) shareAt(o *crypt.Opener, top, file string) {
	data, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(data, []byte("groups")) { // most have none, and to parse one takes time
		return
	}
	p, err := policy.Parse(data)
	if err != nil {
		c.warn(relative(file)+": can't be read, so no identity of a group is used", "ageseal verify "+quoted(relative(file)))
		return
	}
	c.known = append(c.known, p)
	for _, g := range p.Shared() {
		o.Share(g.Recipient, func() (*crypt.Identity, error) { return c.groupIdentity(o, top, g) })
	}
}

// groupIdentity opens the file of a group's identity, which whoever can push has written.
func (c *cli) groupIdentity(o *crypt.Opener, top string, g *policy.Group) (*crypt.Identity, error) {
	file := relative(filepath.Join(top, filepath.FromSlash(g.File())))
	data, err := readIdentity(top, g)
	if errors.Is(err, fs.ErrNotExist) {
		c.groups.mu.Lock()
		defer c.groups.mu.Unlock()
		c.groups.lacking = append(c.groups.lacking, file)
		return nil, crypt.ErrNoIdentity
	}
	if err != nil {
		return nil, &fileError{file, fmt.Errorf("%w: %s", crypt.ErrShared, systemText(file, err))}
	}
	id, err := o.OpenIdentity(data, g.Recipient)
	switch {
	case err == nil, errors.Is(err, crypt.ErrNoIdentity):
		return id, err
	case !errors.Is(err, crypt.ErrShared):
		err = fmt.Errorf("%w: %w", crypt.ErrShared, err)
	}
	return nil, &fileError{file, fmt.Errorf("the file of group %s %w", g.Name, err)}
}

// readIdentity reads the file of a group's identity as it lies below top: no link leads out of there, and no device or pipe is opened.
func readIdentity(top string, g *policy.Group) ([]byte, error) {
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name := filepath.FromSlash(g.File())
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, crypt.MaxIdentityFile+1))
}

// identityFiles reads the files of a policy's groups' identities, by name of group, which the pin compares.
func identityFiles(top string, p *policy.Policy) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, g := range p.Shared() {
		data, err := readIdentity(top, g)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, &fileError{relative(filepath.Join(top, filepath.FromSlash(g.File()))), err}
		default:
			files[g.Name] = data
		}
	}
	return files, nil
}

// buildOpener is opener for a build. Its root has the groups, be it a git work tree or, where the platform takes .git away, --root.
func (c *cli) buildOpener(o *buildOptions, target string) (*crypt.Opener, error) {
	from := target
	if o.root != "" {
		from = o.root
	}
	opener, err := c.opener(&o.identities, from)
	if err != nil || !c.groups.outside || o.root == "" {
		return opener, err
	}
	if root, err := realPath(o.root); err == nil {
		c.shareAt(opener, root, filepath.Join(root, policy.FileName))
	}
	return opener, nil
}

// groupHint says how who has none of these keys gets at a group's; "" if none of them is a group's.
func (c *cli) groupHint(to []string) string {
	if c.keys == nil || len(c.keys.Identities) == 0 {
		return ""
	}
	if len(c.groups.lacking) > 0 {
		return "restore " + strings.Join(c.groups.lacking, ", ") + " from git history: the identity of a group is in it"
	}
	for _, fingerprint := range to {
		for _, p := range c.known {
			for _, g := range p.Shared() {
				if g.Recipient.Fingerprint() == fingerprint {
					return fmt.Sprintf("a member of %s lets you in: ageseal recipients group join %s NAME", g.Name, g.Name)
				}
			}
		}
	}
	if c.groups.outside && len(to) > 0 {
		return "someone who can read it adds you to " + policy.FileName + "; what is for a group opens in its git repository only, where the group's identity is"
	}
	return ""
}

// isIdentityFile reports whether a file, absolute and resolved, lies where the identities of groups do.
func (c *cli) isIdentityFile(path string) bool {
	top, ok := c.topOf(filepath.Dir(path))
	if !ok {
		return false
	}
	rel, err := filepath.Rel(top, path)
	if err != nil {
		return false
	}
	_, ok = policy.IdentityOf(filepath.ToSlash(rel))
	return ok
}

// identityFits reports whether a file is encrypted to as many recipients as a group's members have, of the same kind.
func identityFits(data []byte, g *policy.Group) bool {
	facts, err := crypt.InspectIdentity(data)
	return err == nil && facts.Fits(g.To)
}
