package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/verify"
)

// fix seals what is staged in plaintext and stages that, if then nothing is left to find; else it changes nothing and returns the
// findings as they are. Half a fix would leave a commit refused whose index is no more what its owner has looked at.
func (s *stage) fix(findings []verify.Finding) ([]verify.Finding, error) {
	unlock, err := s.c.lock([]string{s.repo.Top})
	if err != nil {
		return nil, err
	}
	defer unlock()
	switch conflicts, err := s.repo.Conflicts(s.ctx); {
	case err != nil:
		return nil, err
	case conflicts:
		s.unfixed("there are merge conflicts", "solve them first: git status")
		return findings, nil
	case s.repo.Temporary():
		s.unfixed("the commit names files, so it has an index of its own, which is thrown away", "seal them first, or stage them and commit without naming files")
		return findings, nil
	}
	blobs, inputs := s.sealable(findings)
	sealed, faults, err := s.c.seal(&encryptOptions{}, inputs)
	if err != nil {
		return nil, err
	}
	instead := map[string][]byte{}
	for i, in := range inputs {
		blobs[i].Data = in.file.Bytes()
		instead[blobs[i].Path] = blobs[i].Data
		faults = errors.Join(faults, fits(in.shown, blobs[i].Data))
	}
	if faults != nil {
		return nil, s.c.noneChanged(faults, "encrypted")
	}
	left, err := s.look(instead)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(left, isFault) {
		s.unfixed("not everything that was found can be sealed", "")
		return findings, nil
	}
	if err := s.replace(blobs, inputs); err != nil {
		return nil, err
	}
	s.c.reportSealed(inputs, sealed)
	s.c.say("hint", "the plaintext that was staged lies in .git/objects until it is collected: "+collect)
	return left, nil
}

func (s *stage) unfixed(why, hint string) { s.c.warn("--fix: nothing was changed: "+why, hint) }

// sealable gives the staged files that can be sealed, each as a blob and as an input.
func (s *stage) sealable(findings []verify.Finding) (blobs []git.Blob, inputs []*input) {
	for _, path := range keysOf(s.plain) {
		b, shown := s.plain[path], s.shown(path)
		if !slices.ContainsFunc(findings, func(f verify.Finding) bool { return f.File == shown && isFault(f) }) {
			continue // silenced
		}
		in, err := parseInput(&input{shown: shown, path: filepath.Join(s.repo.Top, filepath.FromSlash(path)), data: b.Data, given: true})
		if err == nil && holdsNative(in.file) {
			blobs, inputs = append(blobs, b), append(inputs, in)
		}
	}
	return blobs, inputs
}

// replace stages the blobs, and writes those files of the work tree that are as they were staged: everything or nothing.
func (s *stage) replace(blobs []git.Blob, inputs []*input) error {
	var files []atomicfile.File
	var differ []*input
	for i, in := range inputs {
		f, same, err := replacement(in, blobs[i].Data)
		switch {
		case err != nil:
			return s.c.noneChanged(err, "encrypted")
		case f != nil:
			files = append(files, *f)
		case !same:
			differ = append(differ, in)
		}
	}
	undo, err := s.repo.Restage(s.ctx, blobs)
	if err != nil {
		return s.c.noneChanged(err, "encrypted")
	}
	if err := atomicfile.WriteAll(files); err != nil {
		if undone := undo(); undone != nil {
			return errors.Join(err, hinted("git diff --cached", "the sealed files are staged, and could not be taken back: %w", undone))
		}
		return s.c.noneChanged(err, "encrypted")
	}
	for _, in := range inputs {
		s.c.note("%s: staged, sealed", in.shown)
	}
	for _, in := range differ {
		s.c.warn(in.shown+": the work tree has other content than was staged; it was left as it is", "if it has plaintext: ageseal encrypt -w "+quoted(in.shown))
	}
	return nil
}

// replacement is what becomes of the work tree's file of an input: nil where there is none (same), or another than was staged.
func replacement(in *input, sealed []byte) (f *atomicfile.File, same bool, err error) {
	info, err := os.Lstat(in.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, true, nil
	}
	if err != nil || !info.Mode().IsRegular() {
		return nil, false, err
	}
	data, err := os.ReadFile(in.path)
	crlf := func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")) }
	switch {
	case err != nil:
		return nil, false, err
	case bytes.Equal(data, in.data):
		return &atomicfile.File{Path: in.path, Data: sealed, Old: data}, true, nil
	case bytes.Equal(data, crlf(in.data)): // core.autocrlf
		return &atomicfile.File{Path: in.path, Data: crlf(sealed), Old: data}, true, nil
	}
	return nil, false, nil
}
