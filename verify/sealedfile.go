package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/policy"
)

// sealedFile is about an armored age file. That one passes does not make it a sealed file: its first line is encrypted.
func (c *checker) sealedFile(data []byte) {
	_, err := crypt.InspectFile(data)
	hint := "restore it from git history, or encrypt it again"
	if errors.Is(err, crypt.ErrFileMagic) {
		hint = "restore it from git history; if another tool made it, silence " + MalformedSealed + " for it in the policy"
	}
	if err != nil {
		c.add(Finding{Rule: MalformedSealed, Line: 1, What: err.Error(), Hint: hint})
	}
}

// SealedFile holds a sealed file against the rule of its path. Recipients have no names in it: they are counted, by kind. What is no sealed
// file is for Bytes to say.
func SealedFile(name string, data []byte, rule *policy.Rule) []Finding {
	facts, err := crypt.InspectFile(data)
	if err != nil {
		return nil
	}
	c := &checker{name: name}
	has, wants := facts.Recipients(), len(crypt.Fingerprints(rule.Recipients))
	who := fmt.Sprintf("the %d of rule %s (%s)", wants, rule.Path, strings.Join(rule.Names, ", "))
	hint := "ageseal rekey " + shellQuote(name)
	switch {
	case facts.Classic > 0 && !rule.Classical:
		c.add(Finding{Rule: ClassicRecipient, Line: 1, What: "encrypted to classic recipients, not to " + who + ": history is kept for ever", Hint: hint})
	case has > wants && has <= wants+len(rule.Through) && facts.Other == 0 && (facts.PostQuantum == 0) == rule.Classical:
		// As it is until a rekey after the group got an identity of its own. More can't be told from a number.
		c.add(Finding{Level: Warning, Rule: PendingJoin, Line: 1, What: fmt.Sprintf("encrypted to %d recipients, more than %s, but no more than read with its identity", has, who), Hint: hint})
	case has > wants || facts.Other > crypt.Plugins(rule.Recipients) || facts.PostQuantum > 0 && rule.Classical:
		c.add(Finding{Rule: ExtraRecipient, Line: 1, What: fmt.Sprintf("encrypted to %d recipients that can't all be among %s", has, who), Hint: hint})
	case has < wants:
		c.add(Finding{Level: Warning, Rule: PendingJoin, Line: 1, What: fmt.Sprintf("encrypted to fewer recipients (%d) than %s", has, who), Hint: hint})
	}
	return c.found
}

// Beside is about a file that lies beside the sealed file of its name, sealed. What is in that only a key can tell: the names decide.
func Beside(name, sealed string) []Finding {
	c := &checker{name: name}
	c.add(Finding{Rule: PlaintextBeside, Line: 1, What: "by its name the plaintext of the sealed file " + sealed,
		Hint: "take it out of git and have git ignore it: git rm --cached " + shellQuote(name) + "; if it is no secret, silence " + PlaintextBeside + " in the policy"})
	return c.found
}

// Copy is about a sealed file that is the same as another: whoever encrypts it again for the rule of its path would open the other to
// everybody of that rule.
func Copy(name string, rule *policy.Rule, of string, others *policy.Rule) []Finding {
	may := crypt.Fingerprints(others.Recipients)
	if !slices.ContainsFunc(crypt.Fingerprints(rule.Recipients), func(f string) bool { return !slices.Contains(may, f) }) {
		return nil
	}
	c := &checker{name: name}
	c.add(Finding{Rule: WiderCopy, Line: 1, What: fmt.Sprintf("the same as %s, which is for %s; rule %s is for %s",
		of, strings.Join(others.Names, ", "), rule.Path, strings.Join(rule.Names, ", ")),
		Hint: "take it away; if they may read it: ageseal rekey --widen " + shellQuote(name)})
	return c.found
}
