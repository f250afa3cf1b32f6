package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ageseal/ageseal/internal/atomicfile"
)

// Pins remembers which policies a user accepted: a directory with one file for each repository. It trusts the user's own
// directory and nothing in the repository.
type Pins struct{ Dir string }

// MaxHistory is how many accepted policies of a repository are kept.
const MaxHistory = 64

// maxPin is the size of a pin file in bytes that is still read.
const maxPin = 64 << 20

// Status is how a policy compares with the one accepted last.
type Status int

const (
	FirstUse Status = iota // nothing was accepted before: Accept it silently
	Same
	Narrowed // for every path the readers are the same or fewer: no trust needed
	Differs  // needs "ageseal trust"
)

// pinFile is a pin as it lies on disk. Sum finds a damaged file; it is no defence against who can write it.
type pinFile struct {
	Version    int      `json:"version"`
	Repository string   `json:"repository"`
	Sum        string   `json:"sum"`      // of policies and narrowed
	Policies   []string `json:"policies"` // canonical, newest first
	// Narrowed is a policy that only took away from the newest and was followed without a question.
	Narrowed string `json:"narrowed,omitempty"`
}

// current is the policy that the next one is compared with.
func (f *pinFile) current() string {
	if f.Narrowed != "" {
		return f.Narrowed
	}
	return f.Policies[0]
}

const pinVersion = 1

// Check compares p with the policy accepted last for a repository, and writes nothing. diff is what Diff says, for
// Narrowed and Differs. A pin that can't be read is an *Error, never a first use.
func (s *Pins) Check(repository string, p *Policy) (st Status, diff []string, err error) {
	pin, _, err := s.read(repository)
	if err != nil || pin == nil {
		return FirstUse, nil, err
	}
	if pin.current() == string(p.Canonical()) {
		return Same, nil, nil
	}
	old, err := s.parse(repository, pin.current())
	if err != nil {
		return Differs, nil, err
	}
	diff = Diff(old, p)
	if narrowed(old, p) {
		return Narrowed, diff, nil
	}
	return Differs, diff, nil
}

// Accept makes p the newest accepted policy of a repository. Earlier ones are kept, MaxHistory in all, because writers'
// rule 6 asks what a rule once resolved to. The file is replaced as a whole; accepting what is newest already writes
// nothing.
func (s *Pins) Accept(repository string, p *Policy) (err error) {
	return s.update(repository, func(pin *pinFile) {
		text := string(p.Canonical())
		rest := slices.DeleteFunc(pin.Policies, func(t string) bool { return t == text })
		pin.Policies = append([]string{text}, rest...)
		pin.Policies = pin.Policies[:min(len(pin.Policies), MaxHistory)]
		pin.Narrowed = ""
	})
}

// Narrow makes p, which Check called Narrowed, what the next policy is compared with: who was taken out does not come
// back unasked. It does not enter History, because nobody looked at it: a rule that was narrow for the time of one
// branch must not vouch for what was sealed elsewhere.
func (s *Pins) Narrow(repository string, p *Policy) error {
	return s.update(repository, func(pin *pinFile) { pin.Narrowed = string(p.Canonical()) })
}

// update changes a pin under a lock. Nothing is written if nothing changed.
func (s *Pins) update(repository string, change func(*pinFile)) error {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	unlock, err := atomicfile.Lock(s.Dir, func() {})
	if err != nil {
		return err
	}
	defer unlock()
	pin, old, err := s.read(repository)
	if err != nil {
		return err
	}
	if pin == nil {
		pin = &pinFile{Version: pinVersion, Repository: repository}
	}
	change(pin)
	for ; ; pin.Policies = pin.Policies[:len(pin.Policies)-1] { // huge policies: fewer of them
		size := 0
		for _, t := range pin.Policies {
			size += len(t)
		}
		if size <= maxPin/2 || len(pin.Policies) == 1 { // JSON's escapes take at most twice the room
			break
		}
	}
	pin.Sum = pin.sum()
	data, err := json.MarshalIndent(pin, "", "  ")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if bytes.Equal(data, old) {
		return nil
	}
	return atomicfile.WriteAll([]atomicfile.File{{Path: s.path(repository), Data: data, Old: old, Mode: 0o600}})
}

// History returns the accepted policies of a repository, newest first; none if nothing was accepted yet.
func (s *Pins) History(repository string) ([]*Policy, error) {
	pin, _, err := s.read(repository)
	if err != nil || pin == nil {
		return nil, err
	}
	out := make([]*Policy, len(pin.Policies))
	for i, text := range pin.Policies {
		if out[i], err = s.parse(repository, text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// path of a repository's pin: its key may hold slashes and anything else, so the name is a hash of it.
func (s *Pins) path(repository string) string {
	h := sha256.Sum256([]byte(repository))
	return filepath.Join(s.Dir, hex.EncodeToString(h[:])+".json")
}

// read returns a repository's pin and the bytes of its file; nil if there is none.
func (s *Pins) read(repository string) (*pinFile, []byte, error) {
	file, err := os.Open(s.path(repository))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxPin+1))
	if err != nil {
		return nil, nil, err
	}
	if len(data) > maxPin {
		return nil, nil, s.damaged(repository, "it is too large")
	}
	var pin pinFile
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&pin); err != nil || dec.More() {
		return nil, nil, s.damaged(repository, "it is not what ageseal wrote")
	}
	switch {
	case pin.Version != pinVersion:
		return nil, nil, &Error{Err: fmt.Errorf("%s: version %d of the accepted policies is not known to this version of ageseal", s.path(repository), pin.Version),
			Hint: "use the newer ageseal that wrote it"}
	case pin.Repository != repository:
		return nil, nil, s.damaged(repository, "it is for another repository")
	case len(pin.Policies) == 0 || pin.Sum != pin.sum():
		return nil, nil, s.damaged(repository, "it was altered")
	}
	return &pin, data, nil
}

func (s *Pins) parse(repository, text string) (*Policy, error) {
	p, err := parse([]byte(text), true)
	if err != nil || string(p.Canonical()) != text {
		return nil, s.damaged(repository, "a policy in it can't be read")
	}
	return p, nil
}

func (s *Pins) damaged(repository, why string) error {
	return &Error{Err: fmt.Errorf("%s: the record of the policies you accepted is damaged: %s", s.path(repository), why),
		Hint: "read .ageseal.yaml and its history, remove that file, and the policy as it stands is accepted anew"}
}

func (f *pinFile) sum() string {
	h := sha256.New()
	all := f.Policies
	if f.Narrowed != "" {
		all = append(slices.Clone(all), f.Narrowed)
	}
	for _, p := range all {
		fmt.Fprintf(h, "%d\n%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}
