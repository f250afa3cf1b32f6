package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/ageseal/ageseal/crypt"
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

// beside adds the plaintext of sealed files that git would take: what it ignores may stay where it is. Of a few files, as hooks name them, the
// sealed one may not be among them.
func (v *verifier) beside() error {
	sealed := make(map[string]bool, len(v.ageFiles))
	for _, f := range v.ageFiles {
		sealed[f.path] = true
	}
	const few = 100
	var found []seenFile
	var paths []string
	for _, f := range v.files {
		is := sealed[f.path+sealedExt]
		if !is && !sealed[f.path] && len(v.files) <= few {
			var err error
			if is, err = isBesideSealed(f.path); err != nil {
				return err
			}
		}
		if is && !sealed[f.path] {
			found, paths = append(found, f), append(paths, f.path)
		}
	}
	ignored := v.c.ignored(paths)
	for _, f := range found {
		if ignored[f.path] {
			continue
		}
		if err := v.add(f.path, verify.Beside(f.shown, filepath.Base(f.path)+sealedExt)...); err != nil {
			return err
		}
	}
	return nil
}
