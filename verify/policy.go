package verify

import (
	"fmt"
	"strings"

	"github.com/ageseal/ageseal/policy"
)

// The rules of a repository's set-up, beside those of its files.
const (
	NoPolicy        = "no-policy"        // nothing says who reads what
	SingleRecipient = "single-recipient" // one lost key is the end of all values
)

// Policy finds what is unwise in a policy that can be read. name is its file, as the user knows it.
func Policy(name string, p *policy.Policy) []Finding {
	c := &checker{name: name}
	for _, r := range p.Rules() {
		if len(r.Recipients) < 2 && len(r.Through) < 2 {
			c.add(Finding{Rule: SingleRecipient, Line: r.Line,
				What: fmt.Sprintf("rule %s: one recipient (%s): if that key is lost, nobody opens what it encrypts", r.Path, strings.Join(r.Names, ", ")),
				Hint: `"ageseal init --recovery FILE" makes a key to keep offline; name it in every rule`})
		}
	}
	return c.found
}
