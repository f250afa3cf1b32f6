package main

import (
	"errors"
	"path/filepath"
	"slices"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/secret"
)

// accessFile is who can read a sealed manifest, or a sealed file, and who should.
type accessFile struct {
	Kind    string       `json:"kind"`
	File    string       `json:"file"`
	Line    int          `json:"line,omitempty"`
	Secret  string       `json:"secret,omitempty"`
	Rule    string       `json:"rule,omitempty"`
	Readers []fileReader `json:"readers,omitempty"` // now; not known of a sealed file
	Says    []reader     `json:"says"`              // who reads by the rule
	Pending []reader     `json:"pending"`           // who reads by the rule and can't read all of it yet
	Extra   []reader     `json:"extra"`             // who can read some of it and does not by the rule
	Follows bool         `json:"follows"`           // of a sealed file: as far as it shows

	values int
}

type fileReader struct {
	reader
	Keys []string `json:"keys,omitempty"` // absent: all of them
}

// accessTo finds out who can read what is sealed at the paths and below them. Names come from the policies above them, then from those
// accepted before: who left has a name there.
func (c *cli) accessTo(paths []string, rules *rulesAsTheyAre) ([]accessFile, error) {
	sealed, rest, fileErr := c.sealedInputs(paths)
	inputs, _, err := c.inputs(rest)
	if err := errors.Join(err, fileErr); err != nil {
		return nil, err
	}
	files := pathsOf(inputs)
	for _, in := range sealed {
		files = append(files, in.path)
	}
	c.knowNames(files...)
	c.knowFormerNames(files...)
	var all []accessFile
	var faults []error
	for _, in := range inputs {
		for _, item := range in.file.Items() {
			if item.Kind != manifest.Sealed && item.Kind != manifest.Broken {
				continue
			}
			d, err := secret.Describe(item)
			if err != nil {
				faults = append(faults, &fileError{in.shown, err})
				continue
			}
			all = append(all, c.accessToSecret(in.shown, d, rules.of(in.path)))
		}
		if in.given && !holdsSealed(in.file) && !holdsBroken(in.file) {
			_, _, err := secret.Select(in.file, "", "")
			faults = append(faults, &fileError{in.shown, err})
		}
	}
	for _, in := range sealed {
		all = append(all, c.accessToFile(in, rules.of(in.path)))
	}
	return all, errors.Join(faults...)
}

// knowFormerNames is knowNames for the policies accepted before.
func (c *cli) knowFormerNames(paths ...string) {
	seen := map[string]bool{"": true}
	for _, path := range paths {
		top, _ := c.topOf(filepath.Dir(path))
		if path == "" || seen[top] {
			continue
		}
		seen[top] = true
		repo, err := c.openRepository(top)
		if err != nil || repo.pins == nil {
			continue
		}
		history, _ := repo.pins.History(repo.key)
		c.known = append(c.known, history...)
	}
}

func (c *cli) accessToSecret(shown string, d *secret.Described, rule *policy.Rule) accessFile {
	f := accessFile{Kind: "EncryptedSecret", File: shown, Line: d.Item.Line, Secret: d.Ref, values: len(d.Values)}
	keys := map[string][]string{}
	for _, v := range d.Values {
		for _, to := range v.To {
			keys[to] = append(keys[to], v.Key)
		}
	}
	for _, r := range c.readers(keysOf(keys)) {
		reader := fileReader{reader: r}
		if has := keys[r.Fingerprint]; len(has) < len(d.Values) {
			reader.Keys = has
		}
		f.Readers = append(f.Readers, reader)
	}
	var says []string
	if rule != nil {
		f.Rule, says = rule.Path, crypt.Fingerprints(rule.Recipients)
	}
	f.Says = c.readers(says)
	f.Pending = c.readers(slices.DeleteFunc(slices.Clone(says), func(s string) bool { return len(keys[s]) == len(d.Values) }))
	f.Extra = c.readers(slices.DeleteFunc(keysOf(keys), func(s string) bool { return slices.Contains(says, s) }))
	f.Follows = len(f.Pending)+len(f.Extra) == 0
	return f
}

func (c *cli) accessToFile(in *sealedInput, rule *policy.Rule) accessFile {
	f := accessFile{Kind: "SealedFile", File: in.shown, Says: []reader{}, Pending: []reader{}, Extra: []reader{}}
	if rule != nil {
		f.Rule, f.Says, f.Follows = rule.Path, c.readers(crypt.Fingerprints(rule.Recipients)), in.facts.Fits(rule.Recipients)
	}
	return f
}
