package main

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/secret"
)

// fileRekey is a sealed file that is to follow the policy.
type fileRekey struct {
	in      *sealedInput
	repo    *repository
	rule    *policy.Rule
	options secret.FileRekeyOptions
	again   []byte // nil if it follows
}

// fileRekeys finds out, without a key, what can be known of who reads each file, and whether that may change.
func (c *cli) fileRekeys(o *rekeyOptions, sealed []*sealedInput) ([]*fileRekey, error) {
	files := make([]*fileRekey, len(sealed))
	var errs []error
	for i, in := range sealed {
		f := &fileRekey{in: in}
		if err := f.find(c, o); err != nil {
			errs = append(errs, within(in.shown, err))
		}
		files[i] = f
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return files, findCopies(files)
}

func (f *fileRekey) find(c *cli, o *rekeyOptions) (err error) {
	if f.repo, f.rule, err = c.rule(f.in.path); err != nil {
		return err
	}
	accepted, err := f.repo.resolved(c, f.rule.Path)
	if err != nil {
		return err
	}
	f.options = secret.FileRekeyOptions{
		Target: secret.Target{Recipients: f.rule.Recipients, Through: f.rule.Through},
		Before: secret.FileReaders(f.in.facts, append([][]*crypt.Recipient{f.rule.Recipients}, accepted...)...),
		Widen:  o.widens(f.in.path), Rotate: o.rotate,
	}
	if len(f.options.Before) < 2 {
		return nil
	}
	// As many joined as left. What the policy said when the file was written decides between sets that were accepted, nothing else:
	// anybody who pushes can write it.
	written, err := f.writtenFor()
	if err == nil && slices.ContainsFunc(f.options.Before, func(set []string) bool { return slices.Equal(set, written) }) {
		f.options.Before = [][]string{written}
	}
	return err
}

// writtenFor gives the fingerprints of the rule for the file in the policy that was committed along with it; nil for a file that is not as
// it was committed.
func (f *fileRekey) writtenFor() ([]string, error) {
	ctx := context.Background()
	work, name, err := f.work(ctx)
	if work == nil || err != nil {
		return nil, err
	}
	if work.Shallow() {
		return nil, nil
	}
	head, err := work.Head(ctx, name)
	if err != nil || !bytes.Equal(head[name], f.in.data) {
		return nil, err
	}
	text, err := work.WrittenWith(ctx, name, policy.FileName)
	if err != nil {
		return nil, err
	}
	p, err := policy.Parse(text)
	if err != nil {
		return nil, nil // none, or one that can't be read: it says nothing
	}
	rule, ok := p.Match(name)
	if !ok {
		return nil, nil
	}
	return crypt.Fingerprints(rule.Recipients), nil
}

// work is the git work tree that the file is in, nil if in none, and the file's name there.
func (f *fileRekey) work(ctx context.Context) (*git.Repo, string, error) {
	if _, ok := topLevel(f.repo.top); !ok {
		return nil, "", nil
	}
	work, err := git.Open(ctx, f.repo.top)
	if err != nil {
		return nil, "", err
	}
	name, err := work.Rel(f.in.path)
	return work, name, err
}

// findCopies finds, for the files that are going to be encrypted again, whether git has or had the same file under another rule. A value
// in a manifest says for whom it was sealed; of a sealed file that is not known, so where it comes from has to do.
func findCopies(files []*fileRekey) error {
	ctx := context.Background()
	byTop := map[string][]*fileRekey{}
	for _, f := range files {
		if !f.options.Follows() && !f.options.Widen {
			byTop[f.repo.top] = append(byTop[f.repo.top], f)
		}
	}
	for _, top := range keysOf(byTop) {
		files := byTop[top]
		work, _, err := files[0].work(ctx)
		if err != nil || work == nil {
			return err
		}
		if work.Shallow() {
			return &fileError{files[0].in.shown, hinted("git fetch --unshallow; or name it with --widen",
				"the history of this clone is cut off: it can't be seen whether the file is a copy of one under another rule")}
		}
		var contents [][]byte
		for _, f := range files {
			contents = append(contents, forms(f.in.facts, f.in.data)...)
		}
		at, err := work.EverAt(ctx, contents...)
		if err != nil {
			return err
		}
		for i, f := range files {
			for _, path := range slices.Concat(at[i*formsOfFile : (i+1)*formsOfFile]...) {
				if rule, ok := f.repo.policy.Match(path); !ok || rule.Path != f.rule.Path {
					f.options.Elsewhere = path
				}
			}
		}
	}
	return nil
}

// formsOfFile is how many forms there are.
const formsOfFile = 3

// forms are those in which git may have a sealed file: as it was written, with the other line ends, as it lies here.
func forms(facts *crypt.FileFacts, data []byte) [][]byte {
	return [][]byte{facts.Armor, bytes.ReplaceAll(facts.Armor, []byte("\n"), []byte("\r\n")), data}
}

// rekey encrypts the file again if that is due.
func (f *fileRekey) rekey() ([]secret.Rekeyed, error) {
	if f.options.Follows() {
		return nil, nil
	}
	again, done, err := secret.RekeyFile(f.in.data, f.options)
	if err != nil {
		return nil, err
	}
	f.again = again
	return []secret.Rekeyed{*done}, nil
}

func filesToWrite(files []*fileRekey) (writes []atomicfile.File) {
	for _, f := range files {
		if f.again != nil {
			writes = append(writes, atomicfile.File{Path: f.in.path, Data: f.again, Old: f.in.data})
		}
	}
	return writes
}
