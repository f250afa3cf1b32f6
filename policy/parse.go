package policy

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/lazy"
)

// Parse reads a policy of at most MaxSize bytes. All faults come joined (errors.Join), each an *Error with its line; none
// quotes what may be a key.
func Parse(src []byte) (*Policy, error) {
	if len(src) > MaxSize {
		return nil, &Error{Err: errTooLarge, Hint: "a policy names people and paths; is this the right file?"}
	}
	return parse(src, false)
}

// parse is Parse without the limit: the canonical form of a policy may be longer than the policy. A pinned one says what the
// files of groups' identities held.
func parse(src []byte, pinned bool) (*Policy, error) {
	p := &parser{
		pinned: pinned,
		people: map[string]*person{},
		groups: map[string]*group{},
		policy: &Policy{
			recipients: map[string][]*crypt.Recipient{},
			groups:     map[string]*Group{},
			names:      map[string]string{},
		},
	}
	if root := p.root(src); root != nil {
		p.document(root)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	p.finish()
	return p.policy, nil
}

type parser struct {
	reader
	pinned bool
	people map[string]*person
	groups map[string]*group
	policy *Policy
}

// person is an entry of recipients, group one of groups. faulty ones are left out of further complaints.
type person struct {
	recipients []*crypt.Recipient
	faulty     bool
}

type group struct {
	Group
	faulty bool
}

// nameText is what people and groups may be called: e-mail addresses fit. What begins as a recipient does is no name.
var nameText = lazy.Regexp(`^[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}$`)

func looksLikeRecipient(s string) bool {
	return strings.HasPrefix(s, "age1") || strings.HasPrefix(s, "ssh-") || strings.HasPrefix(s, "ecdsa-") || strings.HasPrefix(s, "sk-")
}

func (p *parser) document(n *yaml.Node) {
	f := p.fields(n, "the policy", "*apiVersion", "*kind", "*recipients", "groups", "*rules", "silence")
	for name, want := range map[string]string{"apiVersion": APIVersion, "kind": Kind} {
		if v, ok := f[name]; ok {
			if got, ok := p.string(v.value, name); ok && got != want {
				p.add(v.line, "", "%s must be %s", name, want)
			}
		}
	}
	if v, ok := f["recipients"]; ok {
		entries := p.mapping(v.value, "recipients")
		if v.value.Kind == yaml.MappingNode && len(v.value.Content) == 0 {
			p.add(v.line, "", "recipients is empty")
		}
		for _, e := range entries {
			p.person(e)
		}
	}
	if v, ok := f["groups"]; ok {
		for _, e := range p.mapping(v.value, "groups") {
			p.group(e)
		}
	}
	if v, ok := f["rules"]; ok {
		p.each(v, p.rule)
	}
	if v, ok := f["silence"]; ok {
		p.each(v, p.silence)
	}
}

func (p *parser) each(f field, read func(*yaml.Node)) {
	entries, _ := p.list(f.value, f.name)
	if len(entries) > maxEntries {
		p.add(f.line, "", "%s: more than %d entries", f.name, maxEntries)
		return
	}
	for _, e := range entries {
		read(e)
	}
}

// name checks what a person or a group is called.
func (p *parser) name(f field, what string) bool {
	switch {
	case looksLikeRecipient(f.name):
		p.add(f.line, "a name comes first: alice: age1pq1…", "%s: found a recipient where a name was expected", what)
		return false
	case !nameText().MatchString(f.name):
		p.add(f.line, "letters, digits and . _ @ + -, at most 63 of them", "%s: malformed name", what)
		return false
	}
	return true
}

func (p *parser) person(f field) {
	if !p.name(f, "recipients") {
		return
	}
	who := &person{}
	p.people[f.name] = who
	nodes := []*yaml.Node{f.value}
	if f.value.Kind == yaml.SequenceNode || f.value.ShortTag() == "!!null" {
		var ok bool
		if nodes, ok = p.list(f.value, f.name); !ok {
			who.faulty = true
		}
	}
	for _, n := range nodes {
		text, ok := p.string(n, "a recipient of "+f.name)
		if !ok {
			who.faulty = true
			continue
		}
		r, err := crypt.ParseRecipient(text) // its errors never quote
		if err != nil {
			hint := ""
			if looksLikeRecipient(text) && text != strings.TrimSpace(text) {
				hint = "remove the space around it"
			}
			p.add(n.Line, hint, "%s: %w", f.name, err)
			who.faulty = true
			continue
		}
		who.recipients = append(who.recipients, r)
	}
	who.recipients = distinct(who.recipients)
}

// list1 is list for a field that may be absent, which is reported elsewhere.
func (p *parser) list1(n *yaml.Node, what string) ([]*yaml.Node, bool) {
	if n == nil {
		return nil, false
	}
	return p.list(n, what)
}

// unknown says that a name stands for nobody, and why that may be.
func (p *parser) unknown(line int, where, name string) {
	switch {
	case looksLikeRecipient(name):
		p.add(line, "give it a name under recipients, and write the name here", "%s: found a recipient where a name was expected", where)
	case p.groups[name] != nil:
		p.add(line, "name its members", "%s: %s is a group, and groups don't nest", where, name)
	default:
		p.add(line, "names are listed under recipients and groups", "%s: unknown name %s", where, quote(name))
	}
}

var dnsLabel = lazy.Regexp(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`) // RFC 1123, as Kubernetes wants of a namespace

func (p *parser) rule(n *yaml.Node) {
	f := p.fields(n, "rule", "*path", "*recipients", "namespace", "classical")
	r := &Rule{Line: n.Line}
	where := "rule"
	if v, ok := f["path"]; ok {
		if r.glob, ok = p.pattern(v, &r.Path); ok {
			where = "rule " + quotePattern(r.Path)
			if other, ok := p.policy.RuleByPattern(r.Path); ok {
				p.add(v.line, "the first rule that matches wins: join the two", "%s: never used, line %d has the same path", where, other.Line)
			}
			p.policy.rules = append(p.policy.rules, r)
		}
	}
	if v, ok := f["namespace"]; ok {
		if r.Namespace, ok = p.string(v.value, where+": namespace"); ok && !dnsLabel().MatchString(r.Namespace) {
			p.add(v.line, "lower-case letters, digits and -, at most 63", "%s: namespace is no name that Kubernetes takes", where)
		}
	}
	if v, ok := f["classical"]; ok {
		if v.value.Kind == yaml.ScalarNode && v.value.ShortTag() == "!!str" && v.value.Value == "allow" {
			r.Classical = true
		} else {
			p.add(v.line, `write "classical: allow", or remove the line`, "%s: classical can only be allow", where)
		}
	}
	if v, ok := f["recipients"]; ok {
		if names, ok := p.list(v.value, where+": recipients"); ok {
			p.resolve(r, where, names)
		}
	}
}

// pattern reads a path field into text and compiles it.
func (p *parser) pattern(f field, text *string) (glob, bool) {
	s, ok := p.string(f.value, "path")
	if !ok {
		return glob{}, false
	}
	g, fault, hint := parseGlob(s)
	if fault != "" {
		p.add(f.value.Line, hint, "%s", fault)
		return glob{}, false
	}
	*text = s
	return g, true
}

var findingText = lazy.Regexp(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (p *parser) silence(n *yaml.Node) {
	f := p.fields(n, "silence", "*finding", "*path", "*reason")
	var s silence
	if v, ok := f["finding"]; ok {
		if s.finding, ok = p.string(v.value, "silence: finding"); ok && (!findingText().MatchString(s.finding) || len(s.finding) > longestQuote) {
			p.add(v.line, `an id as "ageseal verify" prints it`, "silence: malformed finding")
		}
	}
	if v, ok := f["path"]; ok {
		s.glob, _ = p.pattern(v, &s.path)
	}
	if v, ok := f["reason"]; ok {
		if text, ok := p.string(v.value, "silence: reason"); ok {
			// Line breaks and their style are formatting.
			if s.reason = strings.Join(strings.Fields(text), " "); s.reason == "" || !printable(s.reason) {
				p.add(v.line, "", "silence: the reason must be readable text")
			}
		}
	}
	p.policy.silence = append(p.policy.silence, s)
}
