package verify

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/lazy"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/policy"
)

// The rules that hold what is sealed against the policy, against others, and against what clusters do with labels.
const (
	ExtraRecipient   = "extra-recipient"   // readable by somebody whom the rule of its path does not have
	ClassicRecipient = "classic-recipient" // a sealed file with classic recipients where the rule wants post-quantum ones
	WiderCopy        = "wider-copy"        // sealed values that lie under another rule, too, which has further recipients
	ManyDataKeys     = "many-data-keys"    // more than maxDataKeys
	RiskyLabel       = "risky-label"       // an annotation, label or type that has a cluster do more with it than keep it
	NestedPolicy     = "nested-policy"     // a policy below the top level, which nothing reads
	OtherEncoding    = "other-encoding"    // what is checked out is not what is committed
	PendingJoin      = "pending-join"      // a warning: the rule has recipients that can't read it yet
	NoRule           = "no-rule"           // a warning: no rule of the policy is about it
	UnusedDataKey    = "unused-data-key"   // a warning
	NotCanonical     = "not-canonical"     // a warning
	EqualBinding     = "equal-binding"     // a warning: values of one key in two files could be exchanged
)

const maxDataKeys = 4

// Judge looks at the files of one repository: each by itself, held against the policy, and all together.
type Judge struct {
	load     func() *policy.Policy
	policy   *policy.Policy        // once it is loaded
	keys     map[string][]sighting // by the id of a data key
	bindings map[string][]sighting // by namespace, name and key
}

// sighting is a sealed manifest somewhere.
type sighting struct {
	name, secret string
	line         int
	rule         *policy.Rule
	past         bool // it is not there any more, or not so
}

// NewJudge returns a judge by the policy that load gives, nil for none. It is called for the first sealed manifest, or identity of a group.
func NewJudge(load func() *policy.Policy) *Judge {
	return &Judge{load: sync.OnceValue(load), keys: map[string][]sighting{}, bindings: map[string][]sighting{}}
}

// Bytes checks the content of a file as the function of this name does, and its sealed manifests by the policy. file is its path relative to
// the policy's directory, slash-separated.
func (j *Judge) Bytes(name, file string, data []byte) []Finding {
	if group, ok := policy.IdentityOf(file); ok {
		c := &checker{name: name}
		c.identityFile(data, group, j.load())
		c.privateKeys(data)
		return c.found
	}
	found := check(name, data, func(c *checker, s *manifest.EncryptedSecret) { j.sealed(c, file, s) })
	if path.Base(file) == policy.FileName && file != policy.FileName {
		found = append(found, Finding{Level: Fault, Rule: NestedPolicy, File: printable(name), Line: 1,
			What: "a policy below the top level of the repository, which nothing reads", Hint: "move its rules into " + policy.FileName + " at the top level"})
	}
	if path.Base(file) == ".gitattributes" {
		found = append(found, otherEncodings(name, data)...)
	}
	return found
}

// otherEncodings finds the attribute by which git writes files of the work tree in an encoding that has other bytes for the letters of YAML. Text
// that is nothing in a commit, whose content is UTF-8, would be a manifest where it is checked out.
func otherEncodings(name string, attributes []byte) []Finding {
	c := &checker{name: name}
	for n, line := range bytes.Split(attributes, []byte("\n")) {
		for word := range strings.FieldsSeq(string(line)) {
			if encoding, ok := strings.CutPrefix(word, "working-tree-encoding="); ok && !unicodeName().MatchString(encoding) {
				c.add(Finding{Rule: OtherEncoding, Line: n + 1, What: "files that are checked out in another encoding than Unicode are not what is checked here",
					Hint: "commit them as they are, without working-tree-encoding"})
				break
			}
		}
	}
	return c.found
}

var unicodeName = lazy.Regexp(`(?i)^utf-?(?:8|16|32)(?:[bl]e)?(?:-bom)?$`)

// sealed judges one sealed manifest.
func (j *Judge) sealed(c *checker, file string, s *manifest.EncryptedSecret) {
	at := sighting{name: c.name, secret: ref(cmp.Or(s.Namespace, s.Spec.Binding.Namespace), cmp.Or(s.Name, s.Spec.Binding.Name), ""), line: s.Spec.Line}
	add := func(level, rule, hint, format string, args ...any) {
		c.add(Finding{Level: level, Rule: rule, Line: s.Spec.Line, Secret: at.secret, What: fmt.Sprintf(format, args...), Hint: hint})
	}
	by := map[string][]string{} // data key → the Secret's keys under it
	for key, box := range s.Spec.Data {
		by[box.By] = append(by[box.By], key)
	}
	for _, id := range slices.Sorted(maps.Keys(by)) {
		w := s.Spec.Wraps[id]
		facts, err := crypt.InspectWrap(w.Age)
		switch {
		case err != nil:
			add(Fault, MalformedSealed, "restore it from git history, or encrypt the values again", "data key %s: %v", id, err)
		case facts.PostQuantum+facts.Classic > len(w.To):
			add(Fault, ExtraRecipient, "ageseal rekey --rotate "+shellQuote(c.name)+", and find out who wrote it",
				"data key %s is wrapped for %d recipients, and names %d", id, facts.PostQuantum+facts.Classic, len(w.To))
		}
	}
	j.policy = j.load()
	rekey := "ageseal rekey " + shellQuote(c.name)
	if j.policy != nil {
		rule, ok := j.policy.Match(file)
		if !ok && len(s.Spec.Data) > 0 {
			add(Warning, NoRule, "add one to "+policy.FileName, "no rule of the policy is about this file: nobody can write to it")
		} else if ok {
			at.rule = rule
			extra, lacking := j.compare(rule, s, by)
			if extra != "" {
				add(Fault, ExtraRecipient, rekey+", and change the values at their source", "readable by %s, beyond rule %s", extra, rule.Path)
			}
			if lacking != "" {
				add(Warning, PendingJoin, rekey, "%s can't read it yet, rule %s says so", lacking, rule.Path)
			}
		}
	}
	if len(by) > maxDataKeys {
		add(Fault, ManyDataKeys, "ageseal rekey --consolidate "+shellQuote(c.name), "%d data keys have gathered", len(by))
	}
	if len(s.Spec.Wraps) > len(by) {
		add(Warning, UnusedDataKey, "any write removes them", "data keys that no value needs: %d", len(s.Spec.Wraps)-len(by))
	}
	if !s.Canonical {
		add(Warning, NotCanonical, "any write mends it", "not written as ageseal writes it, so that it conflicts with others' changes more often than it has to")
	}
	j.labels(add, s)
	for id := range by {
		j.keys[id] = append(j.keys[id], at)
	}
	for key := range s.Spec.Data {
		k := s.Spec.Binding.Namespace + "/" + s.Spec.Binding.Name + "/" + key
		j.bindings[k] = append(j.bindings[k], at)
	}
}

// DataKeys are the ids of the data keys that values need in the sealed manifests of these files, as they were named to Bytes.
func (j *Judge) DataKeys(names ...string) (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(j.keys)) {
		if slices.ContainsFunc(j.keys[id], func(a sighting) bool { return slices.Contains(names, printable(a.name)) }) {
			ids = append(ids, id)
		}
	}
	return ids
}

// compare says who can read a document and is not in the rule, and who is in the rule and can't read all of it.
func (j *Judge) compare(rule *policy.Rule, s *manifest.EncryptedSecret, by map[string][]string) (extra, lacking string) {
	want := map[string]bool{}
	for _, r := range rule.Recipients {
		want[r.Fingerprint()] = true
	}
	through := crypt.Fingerprints(rule.Through) // they read it one way or the other
	var more, less []string
	for id := range by {
		to := s.Spec.Wraps[id].To
		for _, fp := range to {
			if !want[fp] && !slices.Contains(through, fp) && !slices.Contains(more, fp) {
				more = append(more, fp)
			}
		}
		for fp := range want {
			if !slices.Contains(to, fp) && !slices.Contains(less, fp) {
				less = append(less, fp)
			}
		}
	}
	return j.names(more), j.names(less)
}

// names are those of fingerprints, as the policy has them.
func (j *Judge) names(fingerprints []string) string { return names(j.policy, nil, fingerprints) }

// names are those that a policy has for fingerprints, and a change of it for others. What the change says of them is its own claim: a new
// key may go by the name of somebody known.
func names(p, change *policy.Policy, fingerprints []string) string {
	var names []string
	for _, fp := range fingerprints {
		name := ""
		if p != nil {
			name = p.NameOf(fp)
		}
		if name == "" && change != nil {
			if name = change.NameOf(fp); name != "" {
				name += " (a new key, " + fp + ")"
			}
		}
		if name == "" {
			name = "a recipient that the policy does not have (" + fp + ")"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// labels looks for what has a cluster do more with a Secret than keep it.
func (j *Judge) labels(add func(level, rule, hint, format string, args ...any), s *manifest.EncryptedSecret) {
	for _, name := range slices.Sorted(maps.Keys(s.Annotations)) {
		if manifest.Copies(name) {
			add(Fault, RiskyLabel, "remove it; or silence "+RiskyLabel+" for this path in the policy, with the reason", "annotation %s has a controller copy the values into other namespaces", nameOnly(name))
		}
	}
	const argo = "argocd.argoproj.io/secret-type"
	if _, ok := s.Labels[argo]; ok {
		add(Fault, RiskyLabel, "if Argo CD is meant to use it, silence "+RiskyLabel+" for this path in the policy", "label %s: Argo CD sends the values to the address beside them", argo)
	}
	if t := s.Spec.Type; t != nil && manifest.IsCredentialType(*t) {
		add(Fault, RiskyLabel, "if it is meant, silence "+RiskyLabel+" for this path in the policy", "type %s makes the cluster mint or accept a credential", *t)
	}
}

// Was takes what a file held before a change: what lies elsewhere after it, below a wider rule, is a copy, though nothing is left that it is
// a copy of.
func (j *Judge) Was(name, file string, data []byte) {
	for _, s := range sealedIn(data) {
		if j.policy = j.load(); j.policy == nil {
			return
		}
		rule, ok := j.policy.Match(file)
		if !ok {
			continue
		}
		for _, box := range s.Spec.Data {
			if seen := j.keys[box.By]; len(seen) == 0 || seen[len(seen)-1].name != name {
				j.keys[box.By] = append(seen, sighting{name: name, rule: rule, past: true})
			}
		}
	}
}

// Across gives what only shows over all the files that were checked, in the order of their names: of those that about holds for, by their names
// as they were given to Bytes. Of many copies each is told with one other, not with each.
func (j *Judge) Across(about func(name string) bool) []Finding {
	var found []Finding
	told := map[string]bool{}
	add := func(f Finding, other string) {
		if id := f.Rule + f.File + fmt.Sprint(f.Line) + other; !told[id] {
			told[id] = true
			found = append(found, f)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(j.keys)) {
		var others []sighting // one of each rule
		for _, b := range j.keys[id] {
			if b.rule != nil && !slices.ContainsFunc(others, func(o sighting) bool { return o.rule == b.rule }) {
				others = append(others, b)
			}
		}
		for _, a := range j.keys[id] {
			if a.rule == nil || a.past || !about(a.name) {
				continue
			}
			for _, b := range others {
				if more := j.beyond(a.rule, b.rule); more != "" {
					sealed := "are sealed in " + printable(b.name) + ", too,"
					if b.past {
						sealed = "were sealed in " + printable(b.name) + ","
					}
					add(Finding{Level: Fault, Rule: WiderCopy, File: printable(a.name), Line: a.line, Secret: a.secret,
						What: fmt.Sprintf("holds values that %s under rule %s; here rule %s would open them to %s", sealed, b.rule.Path, a.rule.Path, more),
						Hint: "if the copy is meant: ageseal rekey --widen " + shellQuote(a.name) + "; else remove it"}, b.name)
					break
				}
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(j.bindings)) {
		all := j.bindings[k]
		for _, b := range all[1:] {
			if a := all[0]; about(b.name) && (a.name != b.name || a.line != b.line) {
				add(Finding{Level: Warning, Rule: EqualBinding, File: printable(b.name), Line: b.line, Secret: b.secret,
					What: fmt.Sprintf("bound like the Secret in %s, with a key of the same name: the values can be exchanged unnoticed", printable(a.name)),
					Hint: "bind each to a namespace of its own: ageseal mv --namespace"}, a.name)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	return found
}

// beyond names who is in rule a and not in rule b.
func (j *Judge) beyond(a, b *policy.Rule) string {
	var more []string
	for _, r := range a.Recipients {
		if !slices.ContainsFunc(b.Recipients, func(x *crypt.Recipient) bool { return x.String() == r.String() }) {
			more = append(more, r.Fingerprint())
		}
	}
	return j.names(more)
}
