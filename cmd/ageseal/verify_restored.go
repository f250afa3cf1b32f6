package main

import (
	"slices"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/git"
)

// older shows the comparison what its files held before, and reports whether the clone lacks a part of that. An old value may be back in
// another file than it was in: files are the sealed ones of the change.
func (ch *change) older(files []seenFile) (lacking bool, err error) {
	elsewhere, err := ch.everAt(files)
	if err != nil {
		return false, err
	}
	if err := ch.unchanged(elsewhere); err != nil {
		return false, err
	}
	paths := ch.comparison.Written()
	if len(paths) == 0 {
		return false, nil
	}
	return ch.repo.Shallow(), ch.repo.Older(ch.ctx, ch.span.Base, func(commit string, b git.Blob) error {
		ch.comparison.Older(commit, b.Data)
		return nil
	}, append(paths, elsewhere...)...)
}

// everAt finds where the same sealed files are or were. A file that nobody has opened says nothing of what it is for, so it is looked for whole.
func (ch *change) everAt(files []seenFile) ([]string, error) {
	var contents [][]byte
	for _, f := range files {
		if facts, err := crypt.InspectFile(f.data); err == nil {
			contents = append(contents, forms(facts, f.data)...)
		}
	}
	if len(contents) == 0 {
		return nil, nil
	}
	at, err := ch.repo.EverAt(ch.ctx, contents...)
	return slices.Concat(at...), err
}

// unchanged shows the comparison the files that the change leaves alone: those, and sealed manifests if it brought one that was not there.
func (ch *change) unchanged(paths []string) error {
	if ch.comparison.LooksBeside() {
		sealed, err := ch.repo.Grep(ch.ctx, ch.span.Base, "EncryptedSecret")
		if err != nil {
			return err
		}
		paths = append(sealed, paths...)
	}
	texts, err := ch.repo.At(ch.ctx, ch.span.Base, slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return ch.seen[path] })...)
	if err != nil {
		return err
	}
	for _, path := range keysOf(texts) {
		ch.comparison.Beside(path, texts[path])
	}
	return nil
}
