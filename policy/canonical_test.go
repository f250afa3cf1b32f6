package policy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/policy"
)

func TestCanonical(t *testing.T) {
	want := string(expand(`apiVersion: "ageseal.dev/v1alpha1"
kind: "Policy"
recipients:
  "alice":
  - "$DAVE"
  - "$ALICE"
  "bob":
  - "$BOB"
  "ci-prod":
  - "$CAROL"
  "erin@example.org":
  - "$ERIN"
groups:
  "ops":
    members:
    - "alice"
    - "bob"
rules:
- path: "apps/prod/**"
  recipients:
  - "ci-prod"
  - "ops"
  namespace: "prod"
- path: "legacy/*.yaml"
  recipients:
  - "alice"
  - "erin@example.org"
  classical: "allow"
- path: "**"
  recipients:
  - "alice"
silence:
- finding: "risky-label"
  path: "infra/reflector/**"
  reason: "reflector is meant to copy this certificate"
`))
	if daveX > alicePQ {
		t.Fatal("the case takes another order for granted")
	}
	got := parse(t, full).Canonical()
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again := parse(t, string(got)).Canonical(); !bytes.Equal(got, again) {
		t.Errorf("not its own canonical form:\n%s", again)
	}
}

func TestCanonicalIsIndependentOf(t *testing.T) {
	other := `{kind: "Policy", # first
 'apiVersion': ageseal.dev/v1alpha1, silence: [{reason: "reflector  is
   meant to copy this certificate", path: infra/reflector/**, finding: risky-label},
   {finding: risky-label, path: infra/reflector/**, reason: reflector is meant to copy this certificate}],
 groups: {ops: {members: [bob, alice, bob]}},
 rules: [{path: apps/prod/**, namespace: prod, recipients: [ci-prod, ops, ci-prod]},
   {classical: allow, recipients: [alice, "erin@example.org"], path: "legacy/*.yaml"}, {path: "*\x2a", recipients: ["alice"]}],
 recipients: {erin@example.org: [$ERIN, $ERIN], ci-prod: [$CAROL], bob: $BOB, alice: [$DAVE, $ALICE]}}
`
	want, got := parse(t, full).Canonical(), parse(t, other).Canonical()
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := parse(t, strings.ReplaceAll(full, "\n", "\r\n")).Canonical(); !bytes.Equal(want, got) {
		t.Error("CRLF makes a difference")
	}
}

// Every change of meaning changes the canonical form.
func TestCanonicalTellsApart(t *testing.T) {
	seen := map[string]string{string(parse(t, full).Canonical()): "the original"}
	for _, edit := range [][2]string{
		{"$CAROL", "$BOB"}, {"[$ALICE, $DAVE]", "[$ALICE, $DAVE, $ERIN]"}, {"ci-prod", "ci-dev"}, {"members: [alice, bob]", "members: [alice]"},
		{"[ops, ci-prod]", "[ops]"}, {"namespace: prod", "namespace: dev"}, {"  namespace: prod\n", ""}, {"apps/prod/**", "apps/**"},
		{"path: infra", "path: x/infra"}, {"risky-label", "private-key"}, {"is meant", "was meant"},
		{"- path: \"**\"\n  recipients: [alice]\n", ""},
	} {
		text := string(parse(t, strings.ReplaceAll(full, edit[0], edit[1])).Canonical())
		if other, ok := seen[text]; ok {
			t.Errorf("%q → %q is the same as %s", edit[0], edit[1], other)
		}
		seen[text] = edit[0]
	}
}

func FuzzPolicy(f *testing.F) {
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := policy.Parse(src)
		if err != nil {
			if p != nil || err.Error() == "" {
				t.Errorf("policy %v, error %q", p, err)
			}
			return
		}
		c := p.Canonical()
		if len(c) > policy.MaxSize {
			return
		}
		again, err := policy.Parse(c)
		if err != nil {
			t.Fatalf("%v\n%s", err, c)
		}
		if !bytes.Equal(c, again.Canonical()) {
			t.Errorf("canonical form of\n%s\nis\n%s", c, again.Canonical())
		}
		if d := policy.Diff(p, again); len(d) != 0 {
			t.Errorf("differs from its canonical form: %q", d)
		}
		for _, r := range p.Rules() {
			if len(r.Recipients) == 0 || len(r.Names) == 0 || r.Path == "" {
				t.Errorf("rule in line %d is for nobody or nothing", r.Line)
			}
			for _, x := range r.Recipients {
				if x.PostQuantum() == r.Classical {
					t.Errorf("rule in line %d mixes kinds of recipients", r.Line)
				}
			}
			other, ok := again.RuleByPattern(r.Path)
			if !ok || owners(other.Recipients) != owners(r.Recipients) {
				t.Errorf("rule %q is lost or resolves differently", r.Path)
			}
		}
		for _, path := range []string{"a", "apps/prod/db.yaml", string(src)} {
			one, ok1 := p.Match(path)
			two, ok2 := again.Match(path)
			if ok1 != ok2 || ok1 && one.Path != two.Path {
				t.Errorf("%q matches another rule of the canonical form", path)
			}
		}
	})
}

// The fuzz target's committed seeds are there, are read, and are not all refused at the first line.
func TestFuzzSeeds(t *testing.T) {
	files, err := filepath.Glob("testdata/fuzz/FuzzPolicy/*")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d seeds, %v", len(files), err)
	}
	valid := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text, ok := strings.CutPrefix(string(data), "go test fuzz v1\n[]byte(")
		text, err = strconv.Unquote(strings.TrimSuffix(strings.TrimSpace(text), ")"))
		if !ok || err != nil {
			t.Errorf("%s is no seed: %v", file, err)
			continue
		}
		if _, err := policy.Parse([]byte(text)); err == nil {
			valid++
		}
	}
	if valid < 10 {
		t.Errorf("only %d of the seeds are policies", valid)
	}
}
