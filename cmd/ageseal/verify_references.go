package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/kustomize"
	"github.com/ageseal/ageseal/verify"
)

const referencesHelp = `
With --references, look instead at what kustomizations build to, values redacted: whatever refers to a Secret and a key has to
find both there, in the same namespace of another one, or as what an ExternalSecret, a SealedSecret or a Certificate will make.
The kustomizations are those in the directories named, each of which has to build; those below a directory that has none itself;
without any, those of the repository that no other one uses. One that can't be built without helm, functions and the network is
a warning then. So are Secrets and keys that nothing refers to, if everything was built.`

// verifyReferences builds without a key, and judges all that was built together.
func (c *cli) verifyReferences(dirs []string) ([]verify.Finding, error) {
	s := &renderer{c: c}
	if len(dirs) == 0 {
		if err := s.repository(); err != nil {
			return nil, err
		}
	}
	for _, dir := range dirs {
		file, err := kustomizationIn(dir)
		if err == nil && file != "" {
			err = s.render(file, "")
		} else if err == nil {
			err = s.below(dir)
		}
		if err != nil {
			return nil, within(dir, err)
		}
	}
	if len(s.renders) == 0 && s.skipped == 0 {
		return nil, hinted("name the directory of one: ageseal verify --references DIR", "no kustomization found")
	}
	refs, err := verify.CheckReferences(s.renders, kustomize.RedactedDotenv)
	if err != nil {
		return nil, err
	}
	v := newVerifier(c)
	for _, f := range slices.Concat(refs.Findings, refs.Warnings) {
		// What was not rendered may be all that uses a Secret.
		if s.skipped > 0 && f.Level == verify.Warning && f.Rule != verify.MissingSecret {
			continue
		}
		abs, err := filepath.Abs(f.File)
		if err == nil {
			err = v.add(abs, f)
		}
		if err != nil {
			return nil, err
		}
	}
	c.note("%s; references to Secrets: %d resolve, %d can't be judged", count(len(s.renders), "kustomization"), refs.Resolved, refs.Unjudged)
	return v.findings, nil
}

// renderer collects what kustomizations build to.
type renderer struct {
	c       *cli
	renders []verify.Render
	skipped int
}

// repository renders what the repository around the working directory has, or the directory itself outside of one.
func (s *renderer) repository() error {
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	if _, ok := topLevel(wd); !ok {
		return s.below(".")
	}
	ctx := context.Background()
	repo, err := git.Open(ctx, ".")
	if err != nil {
		return err
	}
	names, err := repo.Files(ctx)
	if err != nil {
		return err
	}
	for i, name := range names {
		names[i] = filepath.Join(repo.Top, filepath.FromSlash(name))
	}
	return s.roots(names, repo.Top)
}

// below renders what lies below a directory that is no kustomization.
func (s *renderer) below(dir string) error {
	top, err := filepath.EvalSymlinks(dir)
	if err == nil {
		top, err = filepath.Abs(top)
	}
	if err != nil {
		return err
	}
	var files []string
	err = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return filepath.SkipDir
		case d.Type().IsRegular():
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, ok := topLevel(top); ok {
		top = "" // the build's own choice is the work tree
	}
	return s.roots(files, top)
}

// roots renders the kustomizations among files that no other one of them uses. One that does not build is a warning.
func (s *renderer) roots(files []string, top string) error {
	for _, file := range kustomize.Inspect(files).Roots() {
		err := s.render(relative(file), top)
		if err == nil {
			continue
		}
		s.skipped++
		for _, m := range s.c.messages("", err) {
			s.c.warn(relative(file)+": not rendered, so not judged: "+m.text, "")
		}
	}
	return nil
}

// render builds one kustomization without a key, and without anything but what lies here.
func (s *renderer) render(file, top string) error {
	result, err := kustomize.Build(context.Background(), filepath.Dir(file), kustomize.Options{Redact: true, Offline: true, Root: top})
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "must specify --enable-helm"): // kustomize's words, around which it quotes the chart's values
		return errors.New("needs --enable-helm")
	case types.IsErrOnlyBuiltinPluginsAllowed(err):
		return errors.New("needs --enable-alpha-plugins")
	default:
		return err
	}
	path, err := pathOf(filepath.Dir(file), top)
	s.renders = append(s.renders, verify.Render{File: file, Path: path, YAML: result.YAML})
	return err
}

// pathOf is that of a directory in its repository, or below top where there is none, as what applies it writes it.
func pathOf(dir, top string) (string, error) {
	abs, err := filepath.EvalSymlinks(dir)
	if err == nil {
		abs, err = filepath.Abs(abs)
	}
	if err != nil {
		return "", err
	}
	if found, ok := topLevel(abs); ok || top == "" {
		top = found
	}
	rel, err := filepath.Rel(top, abs)
	if err != nil {
		return "", nil // outside of any: nothing says where it is applied
	}
	return filepath.ToSlash(rel), nil
}

// kustomizationIn is the kustomization of a directory, "" if it has none.
func kustomizationIn(dir string) (string, error) {
	if _, err := os.Stat(dir); err != nil {
		return "", err
	}
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file, nil
		}
	}
	return "", nil
}
