package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ageseal/ageseal/crypt"
)

// Member is a person, or a machine, of a policy that is to be written.
type Member struct {
	Name       string
	Recipients []string
	Comment    string // one line above it; "" for none
}

// Recovery returns the member whose private key is kept offline, for the day on which all others are lost.
func Recovery(recipient string) Member {
	return Member{Name: "recovery", Recipients: []string{recipient},
		Comment: "kept offline, for the day on which every other identity is lost"}
}

// Schema is where editors find what a policy can say.
const Schema = "https://raw.githubusercontent.com/ageseal/ageseal/main/docs/schemas/policy_v1alpha1.json"

// Fresh returns the text of a new policy: one rule, for all files, that all members may read. It asks for post-quantum
// recipients unless none of the members has one. What Parse says of the text is the error.
func Fresh(members ...Member) ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# yaml-language-server: $schema="+Schema+"\n# Who may read which Secret of this repository. Only public keys belong in here.\napiVersion: %s\nkind: %s\n", APIVersion, Kind)
	b.WriteString("# name → recipient, or a list of them\nrecipients:\n")
	postQuantum := false
	var names []string
	for _, m := range members {
		if m.Comment != "" {
			fmt.Fprintf(&b, "  # %s\n", strings.Join(strings.Fields(m.Comment), " "))
		}
		name := scalar(m.Name)
		names = append(names, name)
		for _, text := range m.Recipients {
			r, err := crypt.ParseRecipient(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", quote(m.Name), err)
			}
			postQuantum = postQuantum || r.PostQuantum()
		}
		if len(m.Recipients) == 1 {
			fmt.Fprintf(&b, "  %s: %s\n", name, m.Recipients[0])
		} else {
			fmt.Fprintf(&b, "  %s: [%s]\n", name, strings.Join(m.Recipients, ", "))
		}
	}
	b.WriteString("# The first rule that matches a file decides. Paths are relative to this file; a file without a rule is not encrypted.\n")
	fmt.Fprintf(&b, "rules:\n- path: \"**\"\n  recipients: [%s]\n", strings.Join(names, ", "))
	if !postQuantum {
		b.WriteString("  # Without this line, post-quantum recipients (age1pq1…) are asked for: git history is kept for ever.\n  classical: allow\n")
	}
	text := []byte(b.String())
	if _, err := Parse(text); err != nil {
		return nil, err
	}
	return text, nil
}

// scalar writes a name plainly where YAML 1.1 and 1.2 both take it for text.
func scalar(name string) string {
	words := []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
	letter := name != "" && (name[0]|0x20 >= 'a' && name[0]|0x20 <= 'z')
	if letter && nameText().MatchString(name) && !slices.Contains(words, strings.ToLower(name)) {
		return name
	}
	return strconv.Quote(name)
}
