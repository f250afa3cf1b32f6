package main

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// runEditFile edits what a sealed file holds, as it is. It is encrypted again as a whole, under the conditions of rekey: nobody knows
// what it says of who reads it but by other records.
func (c *cli) runEditFile(o *editOptions, path string) error {
	if o.selector != (selector{}) || len(o.allowClear) > 0 || o.recreate {
		return usage("ageseal edit --help", "--name, --namespace, --allow-clear and --recreate are for manifests: %s is a sealed file", path)
	}
	in := &sealedInput{shown: path, given: true}
	var err error
	if in.path, err = realPath(path); err == nil {
		err = c.readSealed(in)
	}
	if err != nil {
		return &fileError{path, err}
	}
	rekey, err := c.editedFor(o, in)
	if err != nil {
		return within(path, err)
	}
	if rekey.Opener, err = c.opener(&o.identities, path); err != nil {
		return err
	}
	f, err := secret.OpenFile(in.data, rekey.Opener)
	if err == nil {
		_, _, err = f.Rekey(rekey) // what may not be written is said before somebody edits it
	}
	if err == nil && (!utf8.Valid(f.Content) || bytes.IndexByte(f.Content, 0) >= 0) {
		err = &secret.Error{Secret: f.Ref(), Err: errors.New("holds bytes that are no text"),
			Hint: "ageseal decrypt --output FILE " + quoted(path) + ", and ageseal encrypt --write --as " + f.Use + " when it is changed"}
	}
	if err != nil {
		return &fileError{path, err}
	}
	before, old := f.Values, f.Content
	var warnings []secret.Error
	changed := false
	err = c.editUntilSealed(strings.TrimSuffix(in.path, sealedExt), old, func(edited []byte) error {
		// Editors end every file with a line end. Where there was none it would become a part of the value.
		if line, ended := bytes.CutSuffix(edited, []byte("\n")); ended && !bytes.HasSuffix(old, []byte("\n")) {
			if edited = line; !bytes.HasSuffix(old, []byte("\r")) {
				edited = bytes.TrimSuffix(line, []byte("\r"))
			}
		}
		if bytes.Equal(edited, old) {
			return nil
		}
		regrets, err := f.SetContent(edited, nil)
		if err != nil {
			return err
		}
		data, _, err := f.Rekey(rekey)
		if err == nil {
			err = c.replace(in.path, data, in.data)
		}
		warnings, changed = regrets, err == nil
		return err
	})
	switch {
	case err != nil:
		return &fileError{path, err}
	case !changed:
		c.note("%s: unchanged", path)
		return nil
	}
	c.warnAll(path, warnings)
	c.note("%s: %s", path, editedText(editedValues(f.Ref(), before, f.Values), c.names(crypt.Fingerprints(rekey.Recipients))))
	return nil
}

// editedFor says for whom a sealed file may be encrypted again: as rekey does, or as the flags say.
func (c *cli) editedFor(o *editOptions, in *sealedInput) (secret.FileRekeyOptions, error) {
	if o.recipients.given() {
		target, err := c.target(in.path, &o.recipients)
		return secret.FileRekeyOptions{Target: target, Widen: true}, err
	}
	files, err := c.fileRekeys(&rekeyOptions{rotate: true}, []*sealedInput{in})
	if err != nil {
		return secret.FileRekeyOptions{}, err
	}
	return files[0].options, nil
}

// editedValues tells which values are others than before.
func editedValues(ref string, before, now map[string]manifest.Value) secret.Edited {
	e := secret.Edited{Secret: ref, Was: ref}
	for _, key := range keysOf(now) {
		if was, ok := before[key]; !ok || !bytes.Equal(was.Bytes, now[key].Bytes) {
			e.Set = append(e.Set, key)
		}
	}
	for _, key := range keysOf(before) {
		if _, ok := now[key]; !ok {
			e.Removed = append(e.Removed, key)
		}
	}
	return e
}
