package policy

import (
	"slices"

	"github.com/ageseal/ageseal/crypt"
)

// Named gives the recipients that the policy has under the name of a person or a group, the members' for the latter; none for a name it has not.
func (p *Policy) Named(name string) []*crypt.Recipient {
	all := slices.Clone(p.recipients[name])
	for _, member := range p.groups[name] {
		all = append(all, p.recipients[member]...)
	}
	return all
}
