// Package policy knows .ageseal.yaml, the one file of a repository that says who may read which of its Secrets, and the
// pin: the copy of that file which a user accepted and keeps outside the repository.
//
// It knows names, recipients, globs and text. It refuses to know where files are found, who asks, and any private key:
// a text that looks like one is an error whose message does not quote it. Whoever can push can change the policy, so
// everything here is parsed strictly, compared as a whole, and "narrower" is only what is proven to be narrower.
package policy

import (
	"path"
	"strings"

	"github.com/ageseal/ageseal/crypt"
)

// FileName is the policy's name, at the top level of a git repository.
const FileName = ".ageseal.yaml"

// What a policy says of itself.
const (
	APIVersion = "ageseal.dev/v1alpha1"
	Kind       = "Policy"
)

// Limits, checked before or while parsing.
const (
	MaxSize    = 1 << 20 // bytes of a policy file
	MaxMembers = 128     // recipients that one rule resolves to: what a wrap may be addressed to
	maxEntries = 4096    // rules, and silenced findings
	maxFaults  = 100     // errors reported for one file
)

// Policy is a parsed, resolved and valid policy. It is immutable and safe for concurrent use.
type Policy struct {
	recipients map[string][]*crypt.Recipient // by name; sorted by text, without duplicates
	groups     map[string]*Group             // by name
	rules      []*Rule
	silence    []silence         // sorted, without duplicates
	names      map[string]string // fingerprint → name
}

// Rule says who reads the Secrets of the files that a pattern matches.
type Rule struct {
	Path       string             // the pattern
	Line       int                // where it begins, 1-based
	Names      []string           // of people and groups, as written; sorted, without duplicates
	Recipients []*crypt.Recipient // resolved, without duplicates; all post-quantum, or all classic if Classical
	Through    []*crypt.Recipient // of those who read with the identity of a group among Recipients, likewise
	Namespace  string             // binding of Secrets that name none; "" if the rule has none
	Classical  bool               // "classical: allow"

	glob glob
}

// silence keeps a finding quiet for the files that a pattern matches.
type silence struct {
	finding, path, reason string
	glob                  glob
}

// Match returns the first rule whose pattern matches file, a slash-separated path relative to the policy's directory;
// false if there is none, as for a path that leads out of that directory.
func (p *Policy) Match(file string) (*Rule, bool) {
	segments, ok := split(file)
	if !ok {
		return nil, false
	}
	for _, r := range p.rules {
		if r.glob.match(segments) {
			return r, true
		}
	}
	return nil, false
}

// Rules returns all rules in the order in which they are tried.
func (p *Policy) Rules() []*Rule { return append([]*Rule(nil), p.rules...) }

// RuleByPattern returns the rule with exactly this pattern. Writers' rule 6 asks older policies with it.
func (p *Policy) RuleByPattern(pattern string) (*Rule, bool) {
	for _, r := range p.rules {
		if r.Path == pattern {
			return r, true
		}
	}
	return nil, false
}

// NameOf returns the name that the policy has for the recipient with this fingerprint, of a person or of a group, "" if it has none. A recipient of
// several names has the first in alphabetical order. For messages only: a fingerprint is a label.
func (p *Policy) NameOf(fingerprint string) string { return p.names[fingerprint] }

// Silenced reports whether a finding is silenced for a file, and the reason that the policy gives.
func (p *Policy) Silenced(finding, file string) (reason string, ok bool) {
	segments, ok := split(file)
	if !ok {
		return "", false
	}
	for _, s := range p.silence {
		if s.finding == finding && s.glob.match(segments) {
			return s.reason, true
		}
	}
	return "", false
}

// split cuts a path into its segments; false for what is no path of a file inside the policy's directory.
func split(file string) ([]string, bool) {
	if file == "" || file[0] == '/' || strings.HasSuffix(file, "/") {
		return nil, false
	}
	file = path.Clean(file)
	if file == "." || file == ".." || strings.HasPrefix(file, "../") {
		return nil, false
	}
	return strings.Split(file, "/"), true
}
