package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// directory is what a run knows of a directory: many files are in one, and to follow its path costs more than to encrypt a value.
type directory struct {
	real string // absolute, free of links
	repo *repository
}

func (c *cli) directory(dir string) (directory, error) {
	if d, ok := c.dirs[dir]; ok {
		return d, nil
	}
	real, err := realPath(dir)
	if err != nil {
		return directory{}, err
	}
	repo, err := c.repository(real)
	if err != nil {
		return directory{}, err
	}
	if c.dirs == nil {
		c.dirs = map[string]directory{}
	}
	c.dirs[dir] = directory{real, repo}
	return c.dirs[dir], nil
}

// realPath makes a path absolute and free of links, as far as it exists: a new file may be in a directory that does not exist yet, for
// which --stdin-name only picks a rule.
func realPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rest := ""
	for dir := abs; ; dir = filepath.Dir(dir) {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			return filepath.Join(real, rest), nil
		}
		if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return "", err
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}

// topLevel finds the git work tree that dir lies in: the nearest directory with a .git. It does not ask git, which
// would cost more than everything else in a small run.
func topLevel(dir string) (string, bool) {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

// topOf is topLevel, which looks for each directory once a run.
func (c *cli) topOf(dir string) (string, bool) {
	top, ok := c.tops[dir]
	if !ok {
		top, _ = topLevel(dir)
		if c.tops == nil {
			c.tops = map[string]string{}
		}
		c.tops[dir] = top
	}
	return top, top != ""
}
