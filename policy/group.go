package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ageseal/ageseal/crypt"
)

// IdentityDir is where the identities of groups lie, encrypted to their members, at the top level of a git repository.
const IdentityDir = ".ageseal/identities"

const identityExt = ".age"

// Group is some people under one name. With a recipient of its own it shares an identity: its members read with that.
type Group struct {
	Name      string
	Line      int
	Members   []string         // names, sorted, without duplicates
	Recipient *crypt.Recipient // nil for a group without an identity of its own: each member's recipients count

	// To are the members' recipients of the kind of Recipient: whom the file of the identity is encrypted to. nil without one.
	To []*crypt.Recipient

	file string // what the file holds, see WithIdentities; "" if nobody looked
}

// File is the path of the group's identity relative to the policy's directory, slash-separated.
func (g *Group) File() string { return IdentityFile(g.Name) }

// IdentityFile is the path of the identity of the group of this name.
func IdentityFile(name string) string { return IdentityDir + "/" + name + identityExt }

// IdentityOf gives the group whose identity a file would hold by its path, relative to the policy's directory and slash-separated;
// false for a path that is not for identities.
func IdentityOf(file string) (name string, ok bool) {
	dir, base := path.Split(path.Clean(file))
	name, ok = strings.CutSuffix(base, identityExt)
	return name, ok && dir == IdentityDir+"/"
}

// Group returns the group of this name; false if there is none.
func (p *Policy) Group(name string) (*Group, bool) {
	g, ok := p.groups[name]
	return g, ok
}

// Groups returns all groups, by name.
func (p *Policy) Groups() []*Group {
	var all []*Group
	for _, name := range slices.Sorted(maps.Keys(p.groups)) {
		all = append(all, p.groups[name])
	}
	return all
}

// Shared returns the groups that have an identity of their own, by name.
func (p *Policy) Shared() []*Group {
	return slices.DeleteFunc(p.Groups(), func(g *Group) bool { return g.Recipient == nil })
}

// SharedWith returns the groups whose identity is encrypted to a recipient with this fingerprint: who has that one reads what is for them.
func (p *Policy) SharedWith(fingerprint string) []*Group {
	return slices.DeleteFunc(p.Shared(), func(g *Group) bool {
		return !slices.ContainsFunc(g.To, func(r *crypt.Recipient) bool { return r.Fingerprint() == fingerprint })
	})
}

// Recipients returns those of a person; none for a name that is nobody's.
func (p *Policy) Recipients(name string) []*crypt.Recipient { return slices.Clone(p.recipients[name]) }

// noFile stands for the file of an identity that is not there.
const noFile = "none"

// WithIdentities returns the policy together with what the files of its groups' identities hold, by name of group, none for one that
// is not there: the pin is of both. How lines are broken does not count, which is git's on a checkout.
func (p *Policy) WithIdentities(files map[string][]byte) *Policy {
	out := *p
	out.groups = maps.Clone(p.groups)
	for name, g := range p.groups {
		if g.Recipient == nil {
			continue
		}
		with := *g
		with.file = noFile
		if data, ok := files[name]; ok {
			sum := sha256.Sum256([]byte(strings.Join(strings.Fields(string(data)), "")))
			with.file = "sha256:" + hex.EncodeToString(sum[:])
		}
		out.groups[name] = &with
	}
	return &out
}

// group reads an entry of groups.
func (p *parser) group(f field) {
	if !p.name(f, "groups") {
		return
	}
	g := &group{Group: Group{Name: f.name, Line: f.line}}
	where := "group " + f.name
	if _, ok := p.people[f.name]; ok {
		p.add(f.line, "give the group another name", "%s is a name among recipients already", f.name)
	}
	p.groups[f.name] = g
	if p.pinned {
		g.file = takeField(f.value, "identity")
	}
	fields := p.fields(f.value, "group "+f.name, "*members", "recipient")
	members, ok := p.list1(fields["members"].value, where+": members")
	g.faulty = !ok
	for _, n := range members {
		name, ok := p.string(n, "a member of "+f.name)
		if !ok {
			g.faulty = true
			continue
		}
		if _, ok := p.people[name]; !ok {
			p.unknown(n.Line, where, name)
			g.faulty = true
			continue
		}
		g.Members = append(g.Members, name)
	}
	slices.Sort(g.Members)
	g.Members = slices.Compact(g.Members)
	if v, ok := fields["recipient"]; ok {
		p.shared(g, where, v.value)
	}
}

// takeField takes a field out of a mapping that this package wrote, and gives its text.
func takeField(n *yaml.Node, name string) string {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			text := n.Content[i+1].Value
			n.Content = slices.Delete(n.Content, i, i+2)
			return text
		}
	}
	return ""
}

// shared reads the recipient of a group's own identity, and finds out whom that is to be encrypted to.
func (p *parser) shared(g *group, where string, n *yaml.Node) {
	text, ok := p.string(n, where+": recipient")
	if !ok {
		g.faulty = true
		return
	}
	r, err := crypt.ParseNativeRecipient(text) // its errors never quote
	if err != nil {
		p.add(n.Line, `"ageseal recipients group create" makes one`, "%s: recipient: %w", where, err)
		g.faulty = true
		return
	}
	for name, who := range p.people {
		if slices.ContainsFunc(who.recipients, func(x *crypt.Recipient) bool { return x.String() == r.String() }) {
			p.add(n.Line, "a group's identity is nobody's own", "%s: its recipient is that of %s, too", where, name)
			g.faulty = true
		}
	}
	for _, other := range p.groups {
		if other == g || other.Recipient == nil {
			continue
		}
		if other.Recipient.String() == r.String() {
			p.add(n.Line, "each group has an identity of its own", "%s: its recipient is that of group %s, too", where, other.Name)
			g.faulty = true
		}
		if strings.EqualFold(other.Name, g.Name) {
			p.add(n.Line, "give one of them another name", "%s: its file has the name of that of group %s where names have no case", where, other.Name)
			g.faulty = true
		}
	}
	g.Recipient = r
	for _, name := range g.Members {
		who := p.people[name]
		to := slices.DeleteFunc(slices.Clone(who.recipients), func(x *crypt.Recipient) bool { return x.PostQuantum() != r.PostQuantum() })
		g.To = append(g.To, to...)
		if len(to) == 0 && !who.faulty {
			kind, hint := "post-quantum", `add an age1pq1… recipient ("ageseal keygen" makes one), or make the group again with --classic`
			if !r.PostQuantum() {
				kind, hint = "classic", "add an age1… recipient, or make the group's identity a post-quantum one"
			}
			p.add(n.Line, hint, "%s: %s has no %s recipient to encrypt its identity to", where, name, kind)
			g.faulty = true
		}
	}
	g.To = distinct(g.To)
	if len(g.To) > MaxMembers {
		p.add(n.Line, "", "%s: its members have more than %d recipients", where, MaxMembers)
	}
}
