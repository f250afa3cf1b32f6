package policy

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/ageseal/ageseal/crypt"
)

// Canonical returns the text that the pin holds: a policy that means the same has the same one, whatever its comments,
// formatting, YAML style and order of maps and sets. It is itself a policy, and its own canonical form; but for what
// WithIdentities adds, which only a pin says. Recipients stand in it as full strings, never as fingerprints; only the order of
// rules is the author's.
func (p *Policy) Canonical() []byte {
	var b bytes.Buffer
	// Every string in a policy is printable, so that Go's quotes are JSON's and YAML's.
	q := strconv.Quote
	list := func(indent string, names []string) {
		for _, n := range names {
			fmt.Fprintf(&b, "%s- %s\n", indent, q(n))
		}
	}
	fmt.Fprintf(&b, "apiVersion: %s\nkind: %s\nrecipients:\n", q(APIVersion), q(Kind))
	for _, name := range slices.Sorted(maps.Keys(p.recipients)) {
		fmt.Fprintf(&b, "  %s:\n", q(name))
		list("  ", texts(p.recipients[name]))
	}
	if len(p.groups) > 0 {
		b.WriteString("groups:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(p.groups)) {
		fmt.Fprintf(&b, "  %s:\n    members:\n", q(name))
		g := p.groups[name]
		list("    ", g.Members)
		if g.Recipient != nil {
			fmt.Fprintf(&b, "    recipient: %s\n", q(g.Recipient.String()))
		}
		if g.file != "" {
			fmt.Fprintf(&b, "    identity: %s\n", q(g.file))
		}
	}
	b.WriteString("rules:\n")
	for _, r := range p.rules {
		fmt.Fprintf(&b, "- path: %s\n  recipients:\n", q(r.Path))
		list("  ", r.Names)
		if r.Namespace != "" {
			fmt.Fprintf(&b, "  namespace: %s\n", q(r.Namespace))
		}
		if r.Classical {
			b.WriteString("  classical: \"allow\"\n")
		}
	}
	if len(p.silence) > 0 {
		b.WriteString("silence:\n")
	}
	for _, s := range p.silence {
		fmt.Fprintf(&b, "- finding: %s\n  path: %s\n  reason: %s\n", q(s.finding), q(s.path), q(s.reason))
	}
	return b.Bytes()
}

// texts are the full strings of recipients, in their order.
func texts(rs []*crypt.Recipient) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.String()
	}
	return out
}
