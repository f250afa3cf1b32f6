package policy_test

import (
	"slices"
	"testing"
)

func TestNamed(t *testing.T) {
	p := parse(t, "$HEAD\nrecipients:\n  alice: [$ALICE, $DAVE]\n  bob: $BOB\ngroups:\n  ops:\n    members: [alice, bob]\nrules:\n- path: \"**\"\n  recipients: [ops]\n")
	for name, want := range map[string][]string{"alice": {alicePQ, daveX}, "bob": {bobPQ}, "ops": {alicePQ, daveX, bobPQ}, "mallory": nil} {
		var got []string
		for _, r := range p.Named(name) {
			got = append(got, r.String())
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
