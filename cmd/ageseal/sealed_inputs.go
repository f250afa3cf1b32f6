package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/secret"
)

// sealedInput is a sealed file to work on, as far as it can be read without a key.
type sealedInput struct {
	shown string // as messages name it
	path  string // the file itself, absolute and with links resolved; "" for standard input
	data  []byte
	facts *crypt.FileFacts
	given bool // named by the user, not found in a directory
}

// sealedInputs finds the sealed files among the arguments and below those that are directories, whatever their names; rest are the
// arguments to look for manifests in. Like inputs, it reports every file that can't be read. An age file of another tool is skipped, with
// a warning, where a walk found it.
func (c *cli) sealedInputs(args []string) (found []*sealedInput, rest []string, err error) {
	var errs []error
	seen := map[string]bool{}
	add := func(in *sealedInput) {
		err := c.readSealed(in)
		switch {
		case err != nil && !in.given && errors.Is(err, crypt.ErrFileMagic):
			c.warn(in.shown+": left out: "+systemText("", errors.Unwrap(err)), "")
		case err != nil:
			errs = append(errs, &fileError{in.shown, err})
		case in.path == "" || !seen[in.path]:
			seen[in.path] = true
			found = append(found, in)
		}
	}
	sealed := c.sealedFiles(args)
	for _, arg := range args {
		if slices.Contains(sealed, arg) {
			in := &sealedInput{shown: arg, given: true}
			if arg == "-" {
				in.shown = "standard input"
			} else if in.path, err = realPath(arg); err != nil {
				errs = append(errs, &fileError{arg, err})
				continue
			}
			add(in)
			continue
		}
		rest = append(rest, arg)
		if info, err := os.Stat(arg); err != nil || !info.IsDir() {
			continue // inputs has an error for it, or reads it
		}
		dir, err := realPath(arg)
		if err == nil {
			err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				switch {
				case err != nil:
					return err
				case d.IsDir() && d.Name() == ".git" && path != dir:
					return filepath.SkipDir
				case d.Type().IsRegular() && !atomicfile.IsLeftover(d.Name()) && !c.isIdentityFile(path) && crypt.IsArmored(beginningOf(path)):
					rel, err := filepath.Rel(dir, path)
					if err != nil {
						return err
					}
					add(&sealedInput{shown: filepath.Join(arg, rel), path: path})
				}
				return nil
			})
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return found, rest, errors.Join(errs...)
}

func (c *cli) readSealed(in *sealedInput) error {
	var err error
	if in.data, err = c.sealedText(in.path); err != nil {
		return err
	}
	in.facts, err = secret.InspectFile(in.data)
	return err
}

// sealedText reads a sealed file, as it is; standard input for "".
func (c *cli) sealedText(path string) ([]byte, error) {
	from := c.in
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	return io.ReadAll(io.LimitReader(from, crypt.MaxFile+1))
}

// rulesAsTheyAre are those of policies as they lie in the work tree, accepted or not: to look and to judge by, never to encrypt by.
type rulesAsTheyAre struct {
	c        *cli
	policies map[string]*policy.Policy // by top level; nil for one that can't be read
}

// in gives the policy in a file of the repository at top, or the one named with --policy; nil for none, or one that can't be read: that is a
// finding of its own.
func (r *rulesAsTheyAre) in(top, file string) *policy.Policy {
	if r.c.policyFile != "" {
		file = r.c.policyFile
	}
	p, ok := r.policies[top]
	if !ok {
		if data, err := os.ReadFile(file); err == nil {
			p, _ = policy.Parse(data)
		}
		if r.policies == nil {
			r.policies = map[string]*policy.Policy{}
		}
		r.policies[top] = p
	}
	return p
}

// of gives the rule that governs a file, absolute and resolved; nil if there is none, or none that can be read.
func (r *rulesAsTheyAre) of(path string) *policy.Rule {
	top, inGit := topLevel(filepath.Dir(path))
	file := filepath.Join(top, policy.FileName)
	switch {
	case r.c.policyFile != "":
		file = r.c.policyFile
		if abs, err := filepath.Abs(file); err == nil && !inGit {
			top = filepath.Dir(abs)
		}
	case !inGit:
		return nil
	}
	p := r.in(top, file)
	rel, err := filepath.Rel(top, path)
	if p == nil || err != nil {
		return nil
	}
	rule, _ := p.Match(filepath.ToSlash(rel))
	return rule
}
