package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/verify"
)

// beside looks for the plaintext of sealed files among what is staged, or changed, and its counterparts that are there already.
func (s *stage) beside(files []seenFile) ([]verify.Finding, error) {
	sealed := map[string]bool{}
	for _, f := range files {
		if path, err := s.repo.Rel(f.path); err == nil {
			sealed[path] = true
		}
	}
	var counterparts []string
	for _, path := range keysOf(s.seen) {
		other := path + sealedExt
		if sealed[path] {
			other = strings.TrimSuffix(path, sealedExt)
		}
		if !s.seen[other] {
			counterparts = append(counterparts, other)
		}
	}
	there, err := s.read(s.ctx, counterparts...)
	if err != nil {
		return nil, err
	}
	for path, data := range there {
		sealed[path] = crypt.IsArmored(data)
	}
	var found []verify.Finding
	for _, path := range keysOf(sealed) {
		plain, ok := strings.CutSuffix(path, sealedExt)
		_, had := there[plain]
		if ok && sealed[path] && !sealed[plain] && (had || s.seen[plain]) {
			found = append(found, verify.Beside(s.shown(plain), filepath.Base(path))...)
		}
	}
	return found, nil
}

// isBesideSealed reports whether the file, which is no age file itself, lies beside the sealed file of its name.
func isBesideSealed(path string) (bool, error) {
	info, err := os.Lstat(path + sealedExt)
	if err != nil || !info.Mode().IsRegular() {
		return false, nil
	}
	data, err := os.ReadFile(path + sealedExt)
	return crypt.IsArmored(data), err
}

// beside adds the plaintext of sealed files that git would take: what it ignores may stay where it is.
func (v *verifier) beside() error {
	var paths []string
	for _, f := range v.plaintexts {
		paths = append(paths, f.path)
	}
	ignored := v.c.ignored(paths)
	for _, f := range v.plaintexts {
		if ignored[f.path] {
			continue
		}
		if err := v.add(f.path, verify.Beside(f.shown, filepath.Base(f.path)+sealedExt)...); err != nil {
			return err
		}
	}
	return nil
}

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
