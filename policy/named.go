package policy

import (
	"slices"

	"github.com/ageseal/ageseal/crypt"
)

// Named gives the recipients that the policy has under the name of a person or a group, the members' for the latter; none for a name it
// has not. The identity that a group shares counts as its members'.
func (p *Policy) Named(name string) []*crypt.Recipient {
	all := slices.Clone(p.recipients[name])
	for _, member := range p.Members(name) {
		all = append(all, p.recipients[member]...)
	}
	for _, g := range p.Shared() {
		if g.Name == name || slices.Contains(g.Members, name) {
			all = append(all, g.Recipient)
		}
	}
	return all
}
