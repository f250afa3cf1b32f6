package policy_test

import (
	"strings"
	"testing"

	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/policy"
)

func TestFresh(t *testing.T) {
	member := func(name string, recipients ...string) policy.Member {
		return policy.Member{Name: name, Recipients: recipients}
	}
	tests := []struct {
		name    string
		members []policy.Member
		readers string
		classic bool
	}{
		{"one", []policy.Member{member("alice", alicePQ)}, "alice", false},
		{"with recovery", []policy.Member{member("alice", alicePQ), policy.Recovery(bobPQ)}, "alice bob", false},
		{"two recipients", []policy.Member{member("alice", alicePQ, carolPQ)}, "alice carol", false},
		{"classic", []policy.Member{member("dave", daveX), policy.Recovery(erinX)}, "dave erin", true},
		{"both kinds", []policy.Member{member("alice", alicePQ, daveX)}, "alice", false},
		{"names that YAML reads otherwise", []policy.Member{member("no", alicePQ), member("12", bobPQ), member("1e3", carolPQ)}, "alice bob carol", false},
		{"an address", []policy.Member{member("alice+git@example.org", alicePQ)}, "alice", false},
		{"a comment of lines", []policy.Member{{Name: "alice", Recipients: []string{alicePQ}, Comment: "a\nrules: []\u2028x"}}, "alice", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, err := policy.Fresh(tt.members...)
			if err != nil {
				t.Fatal(err)
			}
			p := parse(t, string(text))
			r, ok := p.Match("any/where.yaml")
			if !ok || owners(r.Recipients) != tt.readers || r.Classical != tt.classic {
				t.Errorf("%v, %v, want %s:\n%s", r, ok, tt.readers, text)
			}
			for line := range strings.Lines(string(text)) {
				if len(line) > 130 && !strings.Contains(line, "age1") {
					t.Errorf("long line: %s", line)
				}
			}
		})
	}
}

func TestFreshRefuses(t *testing.T) {
	for name, m := range map[string]policy.Member{
		"an identity":        {Name: "alice", Recipients: []string{testkeys.AliceText()}},
		"identity as a name": {Name: testkeys.AliceText(), Recipients: []string{alicePQ}},
		"no recipient":       {Name: "alice"},
		"nonsense":           {Name: "alice", Recipients: []string{"CANARY\nrules: []"}},
		"no name":            {Recipients: []string{alicePQ}},
		"a name in lines":    {Name: "a\nb", Recipients: []string{alicePQ}},
	} {
		text, err := policy.Fresh(m)
		if err == nil {
			t.Errorf("%s: accepted:\n%s", name, text)
		} else if strings.Contains(err.Error(), "CANARY") || strings.Contains(err.Error(), testkeys.AliceText()[:40]) {
			t.Errorf("%s: quotes it: %v", name, err)
		}
	}
	if _, err := policy.Fresh(); err == nil {
		t.Error("a policy for nobody")
	}
	if _, err := policy.Fresh(policy.Member{Name: "alice", Recipients: []string{alicePQ}}, policy.Recovery(daveX)); err == nil {
		t.Error("a classic recovery recipient beside a post-quantum one: whoever reads the policy would think it counts")
	}
}
