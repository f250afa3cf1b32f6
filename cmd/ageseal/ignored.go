package main

import (
	"context"
	"path/filepath"

	"github.com/ageseal/ageseal/git"
)

// ignored gives those of the files that git ignores, as they are named here: of a work tree that git can't read, none.
func (c *cli) ignored(paths []string) map[string]bool {
	type file struct{ given, rel string }
	byTop := map[string][]file{}
	repos := map[string]*git.Repo{}
	ignored := map[string]bool{}
	for _, path := range paths {
		abs, err := filepath.Abs(path)
		if err != nil {
			continue
		}
		top, ok := c.topOf(filepath.Dir(abs))
		if !ok {
			continue
		}
		if _, ok := repos[top]; !ok {
			repos[top], _ = git.Open(context.Background(), top)
		}
		if repo := repos[top]; repo != nil {
			if rel, err := repo.Rel(abs); err == nil {
				byTop[top] = append(byTop[top], file{path, rel})
			}
		}
	}
	for top, files := range byTop {
		var rels []string
		for _, f := range files {
			rels = append(rels, f.rel)
		}
		found, _ := repos[top].Ignored(context.Background(), rels...)
		for _, f := range files {
			ignored[f.given] = found[f.rel]
		}
	}
	return ignored
}

// warnExposed warns of a file that was just written, and of what it holds, if the next "git add ." takes it.
func (c *cli) warnExposed(path, what string) {
	real, err := realPath(path)
	if err != nil {
		return
	}
	if _, ok := c.topOf(filepath.Dir(real)); ok && !c.ignored([]string{real})[real] {
		c.warn(path+": "+what+" in the repository, and git does not ignore it", "move it out of the repository, or have git ignore it")
	}
}
