package policy_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/policy"
)

const opsTeam = people + "groups:\n  ops: {members: [alice, bob], recipient: $OPS}\nrules:\n- {path: prod/**, recipients: [ops]}\n- {path: '**', recipients: [ops, carol]}\n"

var opsPQ, nextPQ = testkeys.PostQuantum("ops").Recipient().String(), testkeys.PostQuantum("ops again").Recipient().String()

func ops(text string) string {
	return strings.NewReplacer("$OPS2", nextPQ, "$OPS", opsPQ).Replace(text)
}

// TestShared: a rule that names the group is for one recipient; the members are known, and read with it.
func TestShared(t *testing.T) {
	p := parse(t, ops(opsTeam))
	rule, _ := p.Match("prod/db.yaml")
	if len(rule.Recipients) != 1 || rule.Recipients[0].String() != opsPQ || owners(rule.Through) != "alice bob" {
		t.Errorf("rule prod/**: %v, through it %s", rule.Recipients, owners(rule.Through))
	}
	if rule, _ := p.Match("x.yaml"); len(rule.Recipients) != 2 {
		t.Errorf("rule **: %v", rule.Recipients)
	}
	if name := p.NameOf(rule.Recipients[0].Fingerprint()); name != "ops" {
		t.Errorf("the recipient's name is %q", name)
	}
	g := p.Shared()
	if len(g) != 1 || g[0].File() != ".ageseal/identities/ops.age" || owners(g[0].To) != "alice bob" {
		t.Errorf("groups: %+v", g)
	}
	again := parse(t, string(p.Canonical()))
	if diff := cmp.Diff(string(p.Canonical()), string(again.Canonical())); diff != "" {
		t.Errorf("canonical form (-once +twice):\n%s", diff)
	}
	classic := parse(t, people+"groups:\n  old: {members: [dave], recipient: $ERIN}\nrules:\n- {path: x, recipients: [old], classical: allow}\n")
	if rule, _ := classic.Match("x"); owners(rule.Recipients) != "erin" || owners(rule.Through) != "dave" {
		t.Errorf("a classic group: %s through %s", owners(rule.Recipients), owners(rule.Through))
	}
}

func TestIdentityOf(t *testing.T) {
	for path, want := range map[string]string{
		".ageseal/identities/ops.age": "ops", "./.ageseal/identities/ops.age": "ops", ".ageseal/identities/.age": "",
		".ageseal/identities/ops.txt": "-", ".ageseal/ops.age": "-", "apps/.ageseal/identities/ops.age": "-", ".ageseal/identities/x/ops.age": "-",
	} {
		got, ok := policy.IdentityOf(path)
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestPinnedIdentities: the pin is of the policy and the files of groups' identities.
func TestPinnedIdentities(t *testing.T) {
	team, file := ops(opsTeam), []byte("-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n")
	tests := []struct {
		name   string
		text   string
		file   string // "" for none
		status policy.Status
		diff   []string
	}{
		{"the same", team, string(file), policy.Same, nil},
		{"the same with other line ends", team, strings.ReplaceAll(string(file), "\n", "\r\n"), policy.Same, nil},
		{"another file", team, "canary", policy.Differs, []string{"group ops: the file of its identity is another: whom it is encrypted to can't be seen"}},
		{"no file", team, "", policy.Differs, []string{"group ops: the file of its identity is gone"}},
		{"a member joins", strings.Replace(team, "[alice, bob]", "[alice, bob, carol]", 1), "canary", policy.Differs,
			[]string{"group ops: + carol (rule prod/**, **)", "group ops: the file of its identity is another: whom it is encrypted to can't be seen"}},
		{"a member is taken out of the list alone", strings.Replace(team, "[alice, bob]", "[alice]", 1), string(file), policy.Differs,
			[]string{"group ops: - bob (rule prod/**, **), who keeps the group's identity until it has another (ageseal recipients group leave)"}},
		{"a member leaves", strings.Replace(strings.Replace(team, "[alice, bob]", "[alice]", 1), opsPQ, nextPQ, 1), "canary", policy.Differs,
			[]string{"group ops: - bob (rule prod/**, **)", "group ops: - an identity of its own, …", "group ops: + an identity of its own, …"}},
		{"the identity goes", strings.Replace(team, ", recipient: "+opsPQ, "", 1), string(file), policy.Differs, []string{"group ops: - an identity of its own, …"}},
		{"the group goes", strings.ReplaceAll(strings.Replace(team, "  ops: {members: [alice, bob], recipient: "+opsPQ+"}\n", "  dev: {members: [bob]}\n", 1), "ops", "alice"),
			"", policy.Differs, []string{"+ group dev: bob", "- group ops: alice, bob, with an identity of its own, …",
				"rule prod/**: - ops", "rule prod/**: + alice", "rule **: - ops", "rule **: + alice"}},
		{"a rule loses the group's neighbour", strings.Replace(team, "[ops, carol]", "[ops]", 1), string(file), policy.Narrowed, []string{"rule **: - carol"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &policy.Pins{Dir: t.TempDir()}
			if err := s.Accept("r", parse(t, team).WithIdentities(map[string][]byte{"ops": file})); err != nil {
				t.Fatal(err)
			}
			files := map[string][]byte{}
			if tt.file != "" {
				files["ops"] = []byte(tt.file)
			}
			status, diff, err := s.Check("r", parse(t, tt.text).WithIdentities(files))
			for i := range diff {
				if at := strings.Index(diff[i], "age1pq1… SHA256:"); at >= 0 {
					diff[i] = diff[i][:at] + "…"
				}
			}
			if err != nil || status != tt.status {
				t.Errorf("status %v, %v, want %v", status, err, tt.status)
			}
			if d := cmp.Diff(tt.diff, diff); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if h, err := s.History("r"); err != nil || len(h) != 1 {
				t.Errorf("history: %v, %v", h, err)
			}
		})
	}
}

// TestWidenedGroup: who joins a group reads everything that its identity opens.
func TestWidenedGroup(t *testing.T) {
	team := ops(opsTeam)
	swap := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(team) }
	for _, tt := range []struct {
		name, now string
		want      []string
	}{
		{"the same", team, nil},
		{"somebody joins who reads one rule already", swap("[alice, bob]", "[alice, bob, carol]"), []string{"rule prod/**: + carol, with the identity of a group"}},
		{"a new key joins", swap("[alice, bob]", "[alice, bob, zoe]", "  dave:", "  zoe: $BOB2\n  dave:"),
			[]string{"rule prod/**: + zoe, with the identity of a group (a new key, age1pq1… SHA256:…)", "rule **: + zoe, with the identity of a group (a new key, age1pq1… SHA256:…)"}},
		{"somebody leaves the list", swap("[alice, bob]", "[alice]"), nil},
		{"another identity", swap(opsPQ, nextPQ), []string{"rule prod/**: + ops (a new key, age1pq1… SHA256:…)", "rule **: + ops (a new key, age1pq1… SHA256:…)"}},
		{"each member reads for himself", swap(", recipient: "+opsPQ, ""), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, w := range policy.Widened(parse(t, team), parse(t, tt.now)) {
				got = append(got, digest.ReplaceAllString(w.What, "SHA256:…"))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestEditGroup: the edited text is what a person would have written, and nothing else of it changes.
func TestEditGroup(t *testing.T) {
	const rules = "# who reads what\nrules:\n- {path: x, recipients: [alice, carol]}\n"
	tests := []struct {
		name      string
		groups    string
		group     string
		members   string
		recipient string
		want      string // "" for a refusal
	}{
		{"no groups yet", "", "ops", "bob alice", "$OPS", "groups:\n  ops:\n    members: [alice, bob]\n    recipient: $OPS\n"},
		{"another group", "groups:\n    # those on call\n    dev: # all\n        members: [carol]\n", "ops", "alice", "$OPS",
			"groups:\n    # those on call\n    dev: # all\n        members: [carol]\n    ops:\n      members: [alice]\n      recipient: $OPS\n"},
		{"groups in one line", "groups: {dev: {members: [carol]}} # all\n", "ops", "alice bob", "$OPS",
			"groups: {dev: {members: [carol]}, ops: {members: [alice, bob], recipient: $OPS}} # all\n"},
		{"an identity for a group", "groups:\n  ops:\n    # on call\n    members: [bob, alice]   # b before a\n", "ops", "alice bob", "$OPS",
			"groups:\n  ops:\n    # on call\n    members: [bob, alice]   # b before a\n    recipient: $OPS\n"},
		{"an identity for a group in one line", "groups:\n  ops: {members: [bob, alice]}\n", "ops", "alice bob", "$OPS", "groups:\n  ops: {members: [bob, alice], recipient: $OPS}\n"},
		{"somebody joins", "groups:\n  ops:\n    members: [ bob, 'alice' ]  # now\n    recipient: $OPS\n", "ops", "alice bob carol", "$OPS",
			"groups:\n  ops:\n    members: [ bob, 'alice', carol ]  # now\n    recipient: $OPS\n"},
		{"somebody joins a list", "groups:\n  ops:\n    members:\n    - bob  # since May\n    # the founder\n    - \"alice\"\n    recipient: $OPS # shared\n", "ops", "alice bob carol", "$OPS",
			"groups:\n  ops:\n    members:\n    - bob  # since May\n    # the founder\n    - \"alice\"\n    - carol\n    recipient: $OPS # shared\n"},
		{"somebody leaves", "groups:\n  ops:\n    members: [alice, bob, carol]\n    recipient: $OPS # shared\n", "ops", "alice carol", "$OPS2",
			"groups:\n  ops:\n    members: [alice, carol]\n    recipient: $OPS2 # shared\n"},
		{"the first leaves", "groups:\n  ops: {members: [alice, bob, carol], recipient: \"$OPS\"}\n", "ops", "bob carol", "$OPS2", "groups:\n  ops: {members: [bob, carol], recipient: \"$OPS2\"}\n"},
		{"two leave, one joins", "groups:\n  ops: {members: [alice, bob, carol], recipient: $OPS}\n", "ops", "carol dora", "$OPS2", "groups:\n  ops: {members: [carol, dora], recipient: $OPS2}\n"},
		{"somebody leaves a list", "groups:\n  ops:\n    members:\n      - alice\n      - bob # in Rome\n      - carol\n    recipient: $OPS\n", "ops", "alice carol", "$OPS2",
			"groups:\n  ops:\n    members:\n      - alice\n      - carol\n    recipient: $OPS2\n"},
		{"a comment in the way", "groups:\n  ops:\n    members: [alice, # the founder\n      bob]\n    recipient: $OPS\n", "ops", "bob", "$OPS2",
			"groups:\n  ops:\n    members: [# the founder\n      bob]\n    recipient: $OPS2\n"},
		{"all others", "groups:\n  ops: {members: [alice], recipient: $OPS}\n", "ops", "bob", "$OPS2", "groups:\n  ops: {members: [bob], recipient: $OPS2}\n"},
		{"a folded recipient", "groups:\n  ops:\n    members: [alice]\n    recipient: >-\n      $OPS\n", "ops", "alice", "$OPS2", ""},
	}
	for _, tt := range tests {
		for _, eol := range []string{"\n", "\r\n"} {
			t.Run(tt.name, func(t *testing.T) {
				text := func(groups string) string {
					return strings.ReplaceAll(string(expand(ops("# ümlaut\n$HEAD\nrecipients:\n  alice: $ALICE\n  bob: $BOB\n  carol: $CAROL\n  dora: $BOB2\n"+groups+rules))), "\n", eol)
				}
				recipient := testkeys.PostQuantum("ops").Recipient()
				if tt.recipient == "$OPS2" {
					recipient = testkeys.PostQuantum("ops again").Recipient()
				}
				got, err := policy.EditGroup([]byte(text(tt.groups)), tt.group, strings.Fields(tt.members), recipient)
				if tt.want == "" {
					if err == nil || got != nil {
						t.Fatalf("no error, and a text:\n%s", got)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				short := func(s string) string {
					return regexp.MustCompile(`age1pq1[0-9a-z]{1000,}([0-9a-z]{6})`).ReplaceAllString(s, "…$1")
				}
				if diff := cmp.Diff(short(text(tt.want)), short(string(got))); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
	if _, err := policy.EditGroup(expand("$HEAD\nrecipients:\n  alice: $ALICE\n"+rules), "ops", []string{"mallory"}, testkeys.Bob().Recipient()); err == nil {
		t.Error("a group of strangers")
	}
}

// TestSharedWith: who reads through a group's identity, by person and by key; a key of another kind opens nothing of it.
func TestSharedWith(t *testing.T) {
	p := parse(t, "$HEAD\nrecipients: {alice: [$ALICE, $DAVE], bob: $BOB, erin: $ERIN}\ngroups: {ops: {members: [alice], recipient: $CAROL}, dev: {members: [bob]}}\n"+
		"rules:\n- {path: a, recipients: [ops]}\n- {path: b, recipients: [dev]}\n")
	for key, want := range map[*crypt.Identity]int{testkeys.Alice(): 1, testkeys.Dave(): 0, testkeys.Bob(): 0, testkeys.Carol(): 0} {
		if got := p.SharedWith(key.Recipient().Fingerprint()); len(got) != want || want == 1 && got[0].Name != "ops" {
			t.Errorf("%v opens the identities of %v", key, got)
		}
	}
	for i, want := range []string{"alice", "bob"} {
		for _, name := range []string{"alice", "bob", "erin"} {
			if got := p.Reads(p.Rules()[i], name); got != (name == want) {
				t.Errorf("rule %s, %s reads: %v", p.Rules()[i].Path, name, got)
			}
		}
	}
}
