package policy_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/policy"
)

func recipients(t testing.TB, texts ...string) (all []*crypt.Recipient) {
	t.Helper()
	for _, text := range texts {
		r, err := crypt.ParseRecipient(string(expand(text)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// shape is a way to write the same policy, with bob as somebody to be removed and added.
type shape struct{ name, without, with string }

// In each, bob has one recipient, is in group ops and in rule **. Without him, not one other byte differs but for the list marks of what he
// was in.
var shapes = []shape{
	{"as init writes it",
		"# who\n$HEAD\nrecipients:\n  alice: $ALICE\ngroups:\n  ops: {members: [alice]}\n# rules\nrules:\n- path: \"**\"\n  recipients: [alice]\n",
		"# who\n$HEAD\nrecipients:\n  alice: $ALICE\n  bob: $BOB\ngroups:\n  ops: {members: [alice, bob]}\n# rules\nrules:\n- path: \"**\"\n  recipients: [alice, bob]\n"},
	{"block, indented, with comments",
		"$HEAD\nrecipients:\n    # the admin\n    alice: # since 2024\n      - $ALICE # laptop\n\n# groups\ngroups:\n    ops:\n        members:\n            - alice # on call\n            # to be continued\n\nrules:\n    - path: '**'\n      recipients:\n          - alice\n      # the end",
		"$HEAD\nrecipients:\n    # the admin\n    alice: # since 2024\n      - $ALICE # laptop\n    bob: $BOB\n\n# groups\ngroups:\n    ops:\n        members:\n            - alice # on call\n            - bob\n            # to be continued\n\nrules:\n    - path: '**'\n      recipients:\n          - alice\n          - bob\n      # the end"},
	{"one on each line, in brackets",
		"$HEAD\nrecipients: {\n  alice: $ALICE, # the boss\n}\ngroups:\n  ops:\n    members: [\n      alice\n    ]\nrules:\n- recipients: [\n    alice, # the boss\n  ]\n  path: '**'\n",
		"$HEAD\nrecipients: {\n  alice: $ALICE, # the boss\n  bob: $BOB,\n}\ngroups:\n  ops:\n    members: [\n      alice,\n      bob\n    ]\nrules:\n- recipients: [\n    alice, # the boss\n    bob,\n  ]\n  path: '**'\n"},
	{"JSON",
		"{\n  \"apiVersion\": \"ageseal.dev/v1alpha1\", \"kind\": \"Policy\",\n  \"recipients\": {\n    \"alice\": \"$ALICE\"\n  },\n  \"groups\": {\"ops\": {\"members\": [\"alice\"]}},\n  \"rules\": [{\"path\": \"**\", \"recipients\": [\"alice\"]}]\n}\n",
		"{\n  \"apiVersion\": \"ageseal.dev/v1alpha1\", \"kind\": \"Policy\",\n  \"recipients\": {\n    \"alice\": \"$ALICE\",\n    \"bob\": \"$BOB\"\n  },\n  \"groups\": {\"ops\": {\"members\": [\"alice\", \"bob\"]}},\n  \"rules\": [{\"path\": \"**\", \"recipients\": [\"alice\", \"bob\"]}]\n}\n"},
	{"one line, a BOM, characters of several bytes",
		"\ufeff{apiVersion: ageseal.dev/v1alpha1, kind: Policy, silence: [{finding: a, path: x, reason: 'ünï’s 💡'}], recipients: {alice: $ALICE}, groups: {ops: {members: [alice]}}, rules: [{path: '**', recipients: [alice]}]}",
		"\ufeff{apiVersion: ageseal.dev/v1alpha1, kind: Policy, silence: [{finding: a, path: x, reason: 'ünï’s 💡'}], recipients: {alice: $ALICE, bob: $BOB}, groups: {ops: {members: [alice, bob]}}, rules: [{path: '**', recipients: [alice, bob]}]}"},
}

func TestAddAndRemove(t *testing.T) {
	bob := policy.Change{Name: "bob", Recipients: recipients(t, "$BOB"), Groups: []string{"ops"}, Rules: []string{"**"}}
	for _, s := range shapes {
		for _, ends := range []string{"\n", "\r\n"} {
			t.Run(s.name+map[bool]string{true: ", CRLF"}[ends == "\r\n"], func(t *testing.T) {
				write := func(text string) []byte { return bytes.ReplaceAll(expand(text), []byte("\n"), []byte(ends)) }
				added, now, err := bob.Add(write(s.without))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(write(s.with)), string(added)); diff != "" {
					t.Errorf("added (-want +got):\n%s", diff)
				}
				if r, ok := now.Match("x"); !ok || owners(r.Recipients) != "alice bob" {
					t.Errorf("rule: %v", r)
				}
				again, _, err := bob.Add(added)
				if err != nil || !bytes.Equal(again, added) {
					t.Errorf("added again: %v\n%s", err, again)
				}
				removed, _, err := policy.Change{Name: "bob"}.Remove(write(s.with))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(write(s.without)), string(removed)); diff != "" {
					t.Errorf("removed (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestEdits: what else there is, each a change of one policy to another.
func TestEdits(t *testing.T) {
	tests := []struct {
		name, old, want string
		remove          bool
		change          policy.Change
	}{
		{"a second recipient", "  bob: $BOB # desk\n", "  bob: [$BOB, $BOB2] # desk\n", false,
			policy.Change{Name: "bob", Recipients: recipients(t, "$BOB2")}},
		{"a third", "  bob: [$BOB, $DAVE]\n", "  bob: [$BOB, $DAVE, $BOB2]\n", false,
			policy.Change{Name: "bob", Recipients: recipients(t, "$BOB2")}},
		{"in quotes", "  bob: '$BOB'\n", "  bob: ['$BOB', $BOB2]\n", false,
			policy.Change{Name: "bob", Recipients: recipients(t, "$BOB2")}},
		{"back to one", "  bob: [$BOB, $BOB2] # desk\n", "  bob: [$BOB2] # desk\n", true,
			policy.Change{Name: "bob", Recipients: recipients(t, "$BOB")}},
		{"the last of a list", "  bob:\n  - $BOB\n  # spare\n  - $BOB2\n", "  bob:\n  - $BOB\n  # spare\n", true,
			policy.Change{Name: "bob", Recipients: recipients(t, "$BOB2")}},
		{"a group joins a rule", "", "", false, policy.Change{Name: "ops", Rules: []string{"legacy/**"}}},
		{"out of a group alone", "", "", true, policy.Change{Name: "bob", Groups: []string{"ops"}}},
		{"out of a rule alone", "", "", true, policy.Change{Name: "bob", Rules: []string{"**"}}},
		{"a name that YAML takes for something else", "", "", false, policy.Change{Name: "no", Recipients: recipients(t, "$BOB2"), Rules: []string{"**"}}},
	}
	// Lists in a shape of their own: what bob leaves behind him.
	for _, shape := range [][2]string{
		{"[bob, alice]", "[alice]"},
		{"[alice, bob, carol]", "[alice, carol]"},
		{"[alice, bob,]", "[alice,]"},
		{"[alice,\n    bob,]", "[alice,\n    ]"},
		{"[alice,\n    bob,\n  ]", "[alice,\n  ]"},
		{"[ alice , bob ]", "[ alice ]"},
		{"['bob', \"alice\"]", "[\"alice\"]"},
		{"[alice, bob, # both\n    carol]", "[alice, # both\n    carol]"},
		{"[alice, bob,\n    carol]", "[alice,\n    carol]"},
		{"[alice, # the boss\n    bob]", "[alice # the boss\n    ]"},
		{"[alice\n    , bob]", "[alice]"},
		{"['alice', \"b\\u006fb\"]", "['alice']"},
		{"\n  - bob # gone\n  - alice # stays", "\n  - alice # stays"},
	} {
		rule := "$HEAD\nrecipients: {alice: $ALICE, bob: $BOB, carol: $CAROL}\nrules:\n- path: x\n  recipients: LIST\n- path: '**'\n  recipients: [carol]\n"
		got, _, err := policy.Change{Name: "bob", Rules: []string{"x"}}.Remove(expand(strings.Replace(rule, "LIST", shape[0], 1)))
		if want := expand(strings.Replace(rule, "LIST", shape[1], 1)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q: %v, want %q\n%s", shape[0], err, shape[1], got)
		}
	}
	const text = "$HEAD\nrecipients:\n  alice: [$ALICE, $DAVE]\n  bob: $BOB\n  carol: $CAROL\ngroups:\n  ops: {members: [bob, carol]} # on call\nrules:\n- path: legacy/**\n  recipients: [alice]\n- path: '**'\n  recipients: [carol, bob, alice, bob]\n"
	wants := map[string][2]string{
		"a group joins a rule":                      {"recipients: [alice]\n", "recipients: [alice, ops]\n"},
		"out of a group alone":                      {"[bob, carol]", "[carol]"},
		"out of a rule alone":                       {"[carol, bob, alice, bob]", "[carol, alice]"},
		"a name that YAML takes for something else": {"$CAROL\ngroups", "$CAROL\n  \"no\": $BOB2\ngroups"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old, want := text, text
			if tt.old != "" {
				old, want = strings.Replace(text, "  bob: $BOB\n", tt.old, 1), strings.Replace(text, "  bob: $BOB\n", tt.want, 1)
			}
			if w, ok := wants[tt.name]; ok {
				want = strings.Replace(want, w[0], w[1], 1)
				want = strings.Replace(want, "alice, bob]\n", map[bool]string{true: "alice, bob, \"no\"]\n", false: "alice, bob]\n"}[tt.change.Name == "no"], 1)
			}
			do := tt.change.Add
			if tt.remove {
				do = tt.change.Remove
			}
			got, _, err := do(expand(old))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(expand(want)), string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEditsRefused(t *testing.T) {
	const text = "$HEAD\nrecipients:\n  alice: [$ALICE, $DAVE]\n  bob: $BOB\n  erin: $ERIN\ngroups:\n  ops: {members: [bob]}\nrules:\n- path: legacy/**\n  recipients: [erin]\n  classical: allow\n- path: prod/**\n  recipients: [alice]\n- path: '**'\n  recipients: [ops, alice]\n"
	tests := []struct {
		name   string
		text   string
		remove bool
		change policy.Change
		want   []string
		hint   string
	}{
		{"an unknown rule", text, false, policy.Change{Name: "bob", Rules: []string{"x/*"}}, []string{"no rule has the path x/*"}, "that path is governed by rule **"},
		{"an unknown group", text, false, policy.Change{Name: "bob", Groups: []string{"dev"}}, []string{`no group "dev"`}, "groups are ops"},
		{"an unknown name", text, false, policy.Change{Name: "zoe", Rules: []string{"**"}}, []string{`rule **: unknown name "zoe"`}, "names are listed"},
		{"a malformed name", text, false, policy.Change{Name: "a b", Recipients: recipients(t, "$BOB2")}, []string{"recipients: malformed name"}, "letters"},
		{"a recipient for a name", text, false, policy.Change{Name: "$DAVE", Recipients: recipients(t, "$BOB2")}, []string{"recipients: found a recipient where a name was expected"}, "a name comes first"},
		{"a group with a recipient", text, false, policy.Change{Name: "ops", Recipients: recipients(t, "$BOB2")}, []string{"ops is a group"}, "--group ops"},
		{"a classic one where post-quantum is asked for", text, false, policy.Change{Name: "frank", Recipients: recipients(t, "$FRANK"), Rules: []string{"**"}}, []string{"rule **: frank has no post-quantum recipient"}, "age1pq1"},
		{"a classic one beside it", text, false, policy.Change{Name: "bob", Recipients: recipients(t, "$FRANK")}, []string{"no rule that has bob takes a classic recipient"}, "age1pq1"},
		{"a post-quantum one where classic is taken", text, false, policy.Change{Name: "erin", Recipients: recipients(t, "$BOB2")}, []string{"no rule that has erin takes a post-quantum recipient"}, "classical: allow"},
		{"the last of a group", text, true, policy.Change{Name: "bob"}, []string{"bob is the last member of group ops"}, "add another member"},
		{"the last of rules", text, true, policy.Change{Name: "alice", Rules: []string{"prod/**", "**"}}, []string{"alice is the last recipient of rule prod/**"}, "nobody could read"},
		{"the last recipient", text, true, policy.Change{Name: "bob", Recipients: recipients(t, "$BOB")}, []string{"nothing would be left of bob"}, "remove bob"},
		{"the last that counts", text, true, policy.Change{Name: "alice", Recipients: recipients(t, "$ALICE")}, []string{"rule prod/**: alice has no post-quantum recipient", "rule **: alice has no post-quantum recipient"}, "age1pq1"},
		{"somebody unknown", text, true, policy.Change{Name: "zoe"}, []string{`the policy has no "zoe"`}, "names are alice, bob, erin"},
		{"a stranger of the group", text, true, policy.Change{Name: "alice", Groups: []string{"ops"}}, []string{"alice is not in group ops"}, ""},
		{"a stranger of the rule", text, true, policy.Change{Name: "alice", Rules: []string{"legacy/**"}}, []string{"alice is not in rule legacy/**"}, ""},
		{"in the rule through a group", text, true, policy.Change{Name: "bob", Rules: []string{"**"}}, []string{"bob is in rule ** through ops"}, "--group"},
		{"somebody else's recipient", text, true, policy.Change{Name: "bob", Recipients: recipients(t, "$ALICE")}, []string{"bob does not have the recipient age1pq1… SHA256:"}, ""},
		{"a group", text, true, policy.Change{Name: "ops"}, []string{"ops is a group"}, "--rule"},
		{"no policy", "x", false, policy.Change{Name: "bob"}, []string{"the policy must be a mapping"}, ""},
		{"text that is folded", strings.Replace(text, "$BOB\n", ">-\n    $BOB\n", 1), false, policy.Change{Name: "bob", Recipients: recipients(t, "$BOB2")}, []string{"only an editor can change"}, "ageseal trust"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.change.Name = string(expand(tt.change.Name))
			do := tt.change.Add
			if tt.remove {
				do = tt.change.Remove
			}
			got, _, err := do(expand(tt.text))
			fs := faults(t, err)
			if len(fs) != len(tt.want) {
				t.Fatalf("%v\n%s", err, got)
			}
			for i, f := range fs {
				if !strings.Contains(f.Error(), tt.want[i]) || !strings.Contains(f.Hint, tt.hint) {
					t.Errorf("%v (%s), want %s (%s)", f, f.Hint, tt.want[i], tt.hint)
				}
			}
		})
	}
}

// FuzzEdit: whatever a policy looks like, an edit means what it says or is refused, and taking back what was added restores the meaning.
func FuzzEdit(f *testing.F) {
	for _, s := range shapes {
		f.Add(s.without)
		f.Add(s.with)
	}
	f.Add(full)
	f.Fuzz(func(t *testing.T, text string) {
		src := expand(text)
		old, err := policy.Parse(src)
		if err != nil {
			return
		}
		newcomer := policy.Change{Name: "new-comer", Recipients: recipients(t, "$BOB2"), Groups: old.GroupNames()}
		if old.Recipients("new-comer") != nil {
			return
		}
		for _, r := range old.Rules() {
			if !r.Classical {
				newcomer.Rules = append(newcomer.Rules, r.Path)
			}
		}
		added, now, err := newcomer.Add(src)
		if err != nil {
			return
		}
		for _, r := range now.Rules() {
			if was, _ := old.RuleByPattern(r.Path); !r.Classical && len(now.Readers(r)) <= len(old.Readers(was)) && len(old.GroupNames()) == 0 {
				t.Fatalf("rule %s has nobody more:\n%s", r.Path, added)
			}
		}
		_, back, err := policy.Change{Name: "new-comer"}.Remove(added)
		if err == nil && !bytes.Equal(back.Canonical(), old.Canonical()) {
			t.Fatalf("not what it was:\n%s\n%s", old.Canonical(), back.Canonical())
		}
	})
}
