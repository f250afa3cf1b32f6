package policy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/policy"
)

var (
	alicePQ, bobPQ, carolPQ = testkeys.Alice().Recipient().String(), testkeys.Bob().Recipient().String(), testkeys.Carol().Recipient().String()
	frankPQ                 = testkeys.PostQuantum("frank").Recipient().String()
	frankX                  = testkeys.Classic("frank").Recipient().String()
	daveX, erinX            = testkeys.Dave().Recipient().String(), testkeys.Erin().Recipient().String()
)

// expand writes recipients for $ALICE, $BOB, $CAROL (hybrid), $BOB2 (hybrid), $DAVE, $ERIN and $FRANK (X25519), and
// the two first lines for $HEAD.
func expand(text string) []byte {
	return []byte(strings.NewReplacer("$ALICE", alicePQ, "$BOB2", frankPQ, "$BOB", bobPQ, "$CAROL", carolPQ, "$FRANK", frankX, "$DAVE", daveX, "$ERIN", erinX,
		"$HEAD", "apiVersion: ageseal.dev/v1alpha1\nkind: Policy").Replace(text))
}

func parse(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse(expand(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

// faults flattens joined errors; each must be an *Error.
func faults(t testing.TB, err error) []*policy.Error {
	t.Helper()
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*policy.Error
		for _, e := range joined.Unwrap() {
			all = append(all, faults(t, e)...)
		}
		return all
	}
	var e *policy.Error
	if !errors.As(err, &e) {
		t.Fatalf("not a *policy.Error: %v", err)
	}
	return []*policy.Error{e}
}

// texts of recipients, shortened to their owners' names.
func owners(rs []*crypt.Recipient) string {
	names := map[string]string{alicePQ: "alice", bobPQ: "bob", carolPQ: "carol", daveX: "dave", erinX: "erin", frankX: "frank"}
	var out []string
	for _, name := range []string{"alice", "bob", "carol", "dave", "erin", "frank"} {
		for _, r := range rs {
			if names[r.String()] == name {
				out = append(out, name)
			}
		}
	}
	if len(out) != len(rs) {
		return "strangers"
	}
	return strings.Join(out, " ")
}

const full = `# who reads what
$HEAD
recipients:
  alice: [$ALICE, $DAVE]
  bob:
  - $BOB
  ci-prod: $CAROL
  erin@example.org: $ERIN
groups:
  ops:
    members: [alice, bob]
rules:
- path: apps/prod/**
  recipients: [ops, ci-prod]
  namespace: prod
- path: legacy/*.yaml
  recipients: [erin@example.org, alice]
  classical: allow
- path: "**"
  recipients: [alice]
silence:
- finding: risky-label
  path: infra/reflector/**
  reason: reflector is meant to copy this certificate
`
