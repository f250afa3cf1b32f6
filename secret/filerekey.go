package secret

import (
	"fmt"
	"slices"

	"github.com/ageseal/ageseal/crypt"
)

// FileRekeyOptions say whom a sealed file is to be readable by, and what is believed of who reads it. A sealed file has no list of
// recipients: rule 6 for writers rests on what others remember of it.
type FileRekeyOptions struct {
	Target
	Opener    *crypt.Opener
	Before    [][]string // sets of fingerprints, one of which it was sealed for (FileReaders); none: nobody knows
	Elsewhere string     // where the same file is or was, under another rule; "" for nowhere
	Widen     bool       // the user insists, for this file
	Rotate    bool       // it is encrypted again even if it follows
}

// FileReaders gives those of the sets that a sealed file can have been sealed for, as sorted fingerprints, without duplicates.
func FileReaders(facts *crypt.FileFacts, sets ...[]*crypt.Recipient) (fitting [][]string) {
	for _, set := range sets {
		to := crypt.Fingerprints(set)
		if facts.Fits(set) && !slices.ContainsFunc(fitting, func(other []string) bool { return slices.Equal(other, to) }) {
			fitting = append(fitting, to)
		}
	}
	return fitting
}

// Follows reports whether there is nothing to do, which needs no key.
func (o FileRekeyOptions) Follows() bool {
	return !o.Rotate && len(o.Before) == 1 && slices.Equal(o.Before[0], crypt.Fingerprints(o.Recipients))
}

// RekeyFile encrypts a sealed file again, to the target and nobody else, with what it holds and is bound to as it was. Errors: those of
// OpenFile, and *Error that match ErrWiden.
func RekeyFile(sealed []byte, o FileRekeyOptions) ([]byte, *Rekeyed, error) {
	f, err := OpenFile(sealed, o.Opener)
	if err != nil {
		return nil, nil, err
	}
	return f.Rekey(o)
}

// Rekey is RekeyFile for a file that o.Opener opened, with what it holds now.
func (f *File) Rekey(o FileRekeyOptions) ([]byte, *Rekeyed, error) {
	target := crypt.Fingerprints(o.Recipients)
	stay := union(target, crypt.Fingerprints(o.Through))
	// It opened, so it was sealed for one of us.
	before := slices.DeleteFunc(slices.Clone(o.Before), func(set []string) bool {
		return !o.Opener.Anonymous() && !slices.ContainsFunc(set, o.Opener.Holds)
	})
	r := &Rekeyed{Secret: f.Ref(), Rotated: sortedKeys(f.Values), Whole: true, Unsure: len(before) != 1}
	for _, set := range before {
		r.Joined = union(r.Joined, without(target, set))
		r.Left = union(r.Left, without(set, stay))
		r.Moved = union(r.Moved, without(without(set, target), r.Left))
	}
	if !o.Widen && (len(before) == 0 || o.Elsewhere != "") {
		return nil, nil, &Error{Secret: r.Secret, Err: &WidenFileError{Target: target, Elsewhere: o.Elsewhere}}
	}
	if len(r.Left) > 0 || len(before) == 0 {
		r.Exposed = r.Rotated
	}
	again, err := crypt.SealFile(&f.File, o.Recipients)
	if err != nil {
		return nil, nil, &Error{Secret: r.Secret, Err: err}
	}
	return again, r, nil
}

// WidenFileError says why a sealed file is not encrypted again unasked: it may have been sealed for others. It matches ErrWiden.
type WidenFileError struct {
	Target    []string // fingerprints of those who would read it
	Elsewhere string   // the path that it may be a copy of
}

func (e *WidenFileError) Error() string {
	if e.Elsewhere != "" {
		return fmt.Sprintf("is a copy of %s, which another rule governs", e.Elsewhere)
	}
	return "was sealed for recipients that the rule of this path never stood for"
}
func (e *WidenFileError) Unwrap() error { return ErrWiden }
