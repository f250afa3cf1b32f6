package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ageseal/ageseal/internal/atomicfile"
)

// journal is a run over files that are of use together only: a group's identity, and what is encrypted to it. It lies where the user's pins
// do, outside of the repository, whose authors must not be able to write one. What is in it is public: a policy, and ciphertext.
type journal struct {
	Top   string         `json:"top"`
	Files []journalEntry `json:"files"`
}

type journalEntry struct {
	Path string `json:"path"` // relative to Top
	Old  string `json:"old"`  // SHA-256 of what it held, "" for a file that was not there
	New  []byte `json:"new"`
}

func journalFile(top string) (string, error) {
	state, err := stateDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(state, "runs", sum([]byte(top))+".json"), nil
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// cutShort reports whether a run in the repository at top did not come to its end.
func cutShort(top string) bool {
	file, err := journalFile(top)
	if err == nil {
		_, err = os.Lstat(file)
	}
	return err == nil
}

// writeTogether replaces files, all or none, also where the process is killed: complete finds what is missing.
func writeTogether(top string, files []atomicfile.File) error {
	j := journal{Top: top}
	for _, f := range files {
		rel, err := filepath.Rel(top, f.Path)
		if err != nil {
			return err
		}
		e := journalEntry{Path: filepath.ToSlash(rel), New: f.Data}
		if f.Old != nil {
			e.Old = sum(f.Old)
		}
		j.Files = append(j.Files, e)
	}
	data, err := json.Marshal(j)
	if err != nil {
		return err
	}
	path, err := journalFile(top)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = atomicfile.WriteAll([]atomicfile.File{{Path: path, Data: data, Mode: 0o600}})
	}
	if err != nil {
		return err
	}
	if err := atomicfile.WriteAll(files); err != nil {
		if _, news, _ := j.compare(); news > 0 {
			return err // some could not be put back
		}
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// forget ends a run of writeTogether, once what else belongs to it is done.
func forgetJournal(top string) error {
	path, err := journalFile(top)
	if err != nil {
		return err
	}
	return os.Remove(path)
}

// complete writes what a killed run of writeTogether did not come to, and reports whether there was such a run that had begun to write. One that
// had not is forgotten.
func complete(top string) (begun bool, err error) {
	path, err := journalFile(top)
	if err != nil {
		return false, err
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var j journal
	if err := json.Unmarshal(data, &j); err != nil || j.Top != top {
		return false, &fileError{path, hinted("look at git status, then remove the file", "the record of a run that was cut short is damaged")}
	}
	due, news, err := j.compare()
	switch {
	case err != nil && news > 0:
		return false, &hintError{err, "git restore what belongs to it, or remove " + path + " if the files are as they should be"}
	case news == 0:
		return false, os.Remove(path)
	}
	return true, atomicfile.WriteAll(due)
}

// compare gives the files that are still to be written, and how many are written already. A file that is neither is an error.
func (j *journal) compare() (due []atomicfile.File, news int, err error) {
	for _, e := range j.Files {
		path := filepath.Join(j.Top, filepath.FromSlash(e.Path))
		now, readErr := os.ReadFile(path)
		if errors.Is(readErr, fs.ErrNotExist) {
			now, readErr = nil, nil
		} else if now == nil {
			now = []byte{}
		}
		switch {
		case readErr != nil:
			err = errors.Join(err, readErr)
		case now != nil && bytes.Equal(now, e.New):
			news++
		case now == nil && e.Old == "", now != nil && sum(now) == e.Old:
			due = append(due, atomicfile.File{Path: path, Data: e.New, Old: now, Mode: 0o644})
		default:
			err = errors.Join(err, &fileError{relative(path), fmt.Errorf("changed after a run over it was cut short")})
		}
	}
	return due, news, err
}
