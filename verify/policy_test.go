package verify_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/verify"
)

func TestPolicy(t *testing.T) {
	a, b := testkeys.Alice().Recipient().String(), testkeys.Bob().Recipient().String()
	p, err := policy.Parse([]byte("apiVersion: ageseal.dev/v1alpha1\nkind: Policy\nrecipients:\n  alice: " + a + "\n  both: [" + a + ", " + b + "]\ngroups:\n" +
		"  twice: {members: [alice]}\nrules:\n- {path: a/**, recipients: [both]}\n- {path: b/**, recipients: [alice, twice]}\n- {path: \"**\", recipients: [alice]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, f := range verify.Policy(".ageseal.yaml", p) {
		if f.Rule != verify.SingleRecipient || f.File != ".ageseal.yaml" || f.Hint == "" {
			t.Errorf("%+v", f)
		}
		got = append(got, f.Line)
	}
	if diff := cmp.Diff([]int{10, 11}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}
