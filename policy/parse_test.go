package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/policy"
)

func TestParse(t *testing.T) {
	p := parse(t, full)
	type rule struct {
		Path, Names, Recipients, Namespace string
		Line                               int
		Classical                          bool
	}
	var got []rule
	for _, r := range p.Rules() {
		got = append(got, rule{r.Path, strings.Join(r.Names, " "), owners(r.Recipients), r.Namespace, r.Line, r.Classical})
	}
	want := []rule{
		{"apps/prod/**", "ci-prod ops", "alice bob carol", "prod", 14, false},
		{"legacy/*.yaml", "alice erin@example.org", "dave erin", "", 17, true},
		{"**", "alice", "alice", "", 20, false},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r, ok := p.Match("apps/prod/db.yaml"); !ok || r.Path != "apps/prod/**" {
		t.Errorf("Match: %v, %v", r, ok)
	}
	if r, ok := p.RuleByPattern("legacy/*.yaml"); !ok || r.Line != 17 {
		t.Errorf("RuleByPattern: %v, %v", r, ok)
	}
	if _, ok := p.RuleByPattern("legacy/x.yaml"); ok {
		t.Error("RuleByPattern took a path")
	}
	for name, r := range map[string]string{
		"ci-prod": testkeys.Carol().Recipient().Fingerprint(), "alice": testkeys.Dave().Recipient().Fingerprint(), "": "abcdefghijklmnop",
	} {
		if got := p.NameOf(r); got != name {
			t.Errorf("NameOf(%s) = %q, want %q", r, got, name)
		}
	}
	if reason, ok := p.Silenced("risky-label", "infra/reflector/a/b.yaml"); !ok || !strings.HasPrefix(reason, "reflector is") {
		t.Errorf("Silenced: %q, %v", reason, ok)
	}
	for _, not := range [][2]string{{"risky-label", "infra/x"}, {"plaintext-secret", "infra/reflector/a"}, {"risky-label", "../infra/reflector/a"}} {
		if _, ok := p.Silenced(not[0], not[1]); ok {
			t.Errorf("silenced %v", not)
		}
	}
}

// The smallest policy, with room for one more thing that is wrong.
const (
	head  = "$HEAD\nrecipients:\n  alice: $ALICE\n" // lines 1 to 4
	rules = "rules:\n- path: \"**\"\n  recipients: [alice]\n"
)

func TestParseFaults(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // "line: text" in order
	}{
		{"empty", "", []string{"0: the policy is empty"}},
		{"comments", "# nothing\n", []string{"0: the policy is empty"}},
		{"null", "null\n", []string{"1: the policy must be a mapping"}},
		{"a list", "- x\n", []string{"1: the policy must be a mapping"}},
		{"not UTF-8", "a: \xff\n", []string{"0: not UTF-8 text"}},
		{"NUL", head + rules + "\x00", []string{"8: invisible or control character"}},
		{"escape sequence", head + rules + "# \x1b[2J\n", []string{"8: invisible or control character"}},
		{"turned text", head + rules + "# \u202ereversed\n", []string{"8: invisible or control character"}},
		{"strange line break", head + rules + "# a\u2028- b\n", []string{"8: invisible or control character"}},
		{"syntax", head + "rules: [\n", []string{"5: malformed YAML: did not find expected node content"}},
		{"tab", head + "rules:\n\t- x\n", []string{"6: malformed YAML: found character that cannot start any token"}},
		{"second document", head + rules + "---\na: b\n", []string{"8: more than one YAML document"}},
		{"other version", strings.Replace(head+rules, "$HEAD", "apiVersion: ageseal.dev/v2\nkind: Policy", 1), []string{"1: apiVersion must be ageseal.dev/v1alpha1"}},
		{"other kind", strings.Replace(head+rules, "$HEAD", "apiVersion: ageseal.dev/v1alpha1\nkind: Secret", 1), []string{"2: kind must be Policy"}},
		{"no kind", strings.Replace(head+rules, "$HEAD", "apiVersion: ageseal.dev/v1alpha1", 1), []string{"1: the policy: kind is missing"}},
		{"broken second document", head + rules + "---\n[\n", []string{"9: malformed YAML: did not find expected node content"}},
		{"null version", strings.Replace(head+rules, "$HEAD", "apiVersion:\nkind: Policy", 1), []string{"1: apiVersion is empty"}},
		{"a number for a kind", strings.Replace(head+rules, "$HEAD", "apiVersion: ageseal.dev/v1alpha1\nkind: 1", 1), []string{"2: kind must be text"}},
		{"too many rules", head + "rules:\n" + strings.Repeat("- path: x\n  recipients: [alice]\n", 4097), []string{"5: rules: more than 4096 entries"}},
		{"no rules", head, []string{"1: the policy: rules is missing"}},
		{"empty rules", head + "rules: []\n", []string{"5: rules is empty"}},
		{"null rules", head + "rules:\n", []string{"5: rules is empty"}},
		{"rules a mapping", head + "rules: {a: b}\n", []string{"5: rules must be a list"}},
		{"unknown field", head + rules + "rulez: []\n", []string{`8: the policy: unknown field "rulez"`}},
		{"unknown field of a rule", head + rules + "  paths: x\n", []string{`8: rule: unknown field "paths"`}},
		{"duplicate field", head + rules + "kind: Policy\n", []string{`8: the policy: duplicate "kind", first in line 2`}},
		{"duplicate name", "$HEAD\nrecipients:\n  alice: $ALICE\n  'alice': $BOB\n" + rules, []string{`5: recipients: duplicate "alice", first in line 4`}},
		{"duplicate path", head + rules + "- path: '**'\n  recipients: [alice]\n", []string{"8: rule **: never used, line 6 has the same path"}},
		{"anchor", head + "rules:\n- path: &x \"**\"\n  recipients: [alice]\n", []string{"6: YAML anchors are not supported"}},
		{"alias", "$HEAD\nrecipients:\n  alice: &x $ALICE\n  bob: *x\n" + rules, []string{"4: YAML anchors are not supported", "5: YAML aliases are not supported"}},
		{"merge key", head + rules + "  <<: {namespace: x}\n", []string{"8: YAML merge keys are not supported"}},
		{"tag", head + "rules:\n- path: !!str x\n  recipients: [alice]\n", []string{"6: YAML tags are not supported"}},
		{"own tag", head + "rules:\n- path: !x x\n  recipients: [alice]\n", []string{"6: YAML tags are not supported"}},
		{"bare tag", head + "rules:\n- path: ! x\n  recipients: [alice]\n", []string{"6: YAML tags are not supported"}},
		{"tagged map", head + "rules: !!seq\n- path: x\n  recipients: [alice]\n", []string{"5: YAML tags are not supported"}},
		{"bare star", head + "rules:\n- path: **\n  recipients: [alice]\n", []string{"6: malformed YAML: an alias"}},
		{"bare star and name", head + "rules:\n- path: *prod\n  recipients: [alice]\n", []string{"6: malformed YAML: an alias"}},
		{"too deep", head + "rules: [[[[[[[[[[x]]]]]]]]]]\n", []string{"5: nested too deeply"}},

		{"recipients a list", "$HEAD\nrecipients: [$ALICE]\n" + rules, []string{"3: recipients must be a mapping", "6: rule **: unknown name \"alice\""}},
		{"no recipients", "$HEAD\nrecipients: {}\n" + rules, []string{"3: recipients is empty", "6: rule **: unknown name \"alice\""}},
		{"a name without recipients", head + "  bob: []\n" + rules, []string{"5: bob is empty"}},
		{"a name with null", head + "  bob:\n" + rules, []string{"5: bob is empty"}},
		{"a number for a recipient", head + "  bob: 12\n" + rules, []string{"5: a recipient of bob must be text"}},
		{"a mapping for a recipient", head + "  bob: {key: x}\n" + rules, []string{"5: a recipient of bob must be text"}},
		{"a list in a list", head + "  bob: [[x]]\n" + rules, []string{"5: a recipient of bob must be text"}},
		{"a malformed recipient", head + "  bob: age1qqq\n" + rules, []string{"5: bob: malformed recipient: copy the whole age1… line again"}},
		{"a password", head + "  bob: CANARY-hunter2\n" + rules, []string{"5: bob: malformed recipient: expected age1pq1…, age1… or ssh-…"}},
		{"an ssh recipient", head + "  bob: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5\n" + rules, []string{"5: bob: malformed ssh recipient: copy the whole line of the .pub file again"}},
		{"space around a recipient", head + "  bob: '$BOB '\n" + rules, []string{"5: bob: malformed post-quantum recipient: copy the whole age1pq1… line again"}},
		{"a number for a name", head + "  12: $BOB\n" + rules, []string{"5: recipients: a name that is not text"}},
		{"a malformed name", head + "  'a b': $BOB\n" + rules, []string{"5: recipients: malformed name"}},
		{"a recipient for a name", head + "  $DAVE: $BOB\n" + rules, []string{"5: recipients: found a recipient where a name was expected"}},

		{"a group's identity is somebody's own", head + "  bob: $BOB\ngroups:\n  ops:\n    members: [alice]\n    recipient: $BOB\n" + rules, []string{"9: group ops: its recipient is that of bob, too"}},
		{"a group's identity is another's", head + "groups:\n  a: {members: [alice], recipient: $BOB}\n  b: {members: [alice], recipient: $BOB}\n" + rules,
			[]string{"7: group b: its recipient is that of group a, too"}},
		{"groups' files of one name", head + "groups:\n  ops: {members: [alice], recipient: $BOB}\n  Ops: {members: [alice], recipient: $CAROL}\n" + rules,
			[]string{"7: group Ops: its file has the name of that of group ops where names have no case"}},
		{"a group's identity as a list", head + "groups:\n  ops: {members: [alice], recipient: [$BOB]}\n" + rules, []string{"6: group ops: recipient must be text"}},
		{"a group's identity of ssh", head + "groups:\n  ops: {members: [alice], recipient: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5}\n" + rules,
			[]string{"6: group ops: recipient: malformed ssh recipient: copy the whole line of the .pub file again"}},
		{"a group's identity of a plugin", head + "groups:\n  ops: {members: [alice], recipient: age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t}\n" + rules,
			[]string{"6: group ops: recipient: expected a recipient of age's own: age1pq1… or age1…"}},
		{"a group's identity that a member can't open", head + "  dave: $DAVE\ngroups:\n  ops: {members: [alice, dave], recipient: $BOB}\n" + rules,
			[]string{"7: group ops: dave has no post-quantum recipient to encrypt its identity to"}},
		{"a classic one that a member can't open", head + "groups:\n  ops: {members: [alice], recipient: $DAVE}\n" + rules,
			[]string{"6: group ops: alice has no classic recipient to encrypt its identity to"}},
		{"a post-quantum group in a classical rule", head + "  dave: $DAVE\ngroups:\n  ops: {members: [alice], recipient: $BOB}\nrules:\n- {path: x, recipients: [ops, dave], classical: allow}\n",
			[]string{`9: rule x: the identity of group ops is post-quantum, and "classical: allow" takes classic ones`}},
		{"a classic group in a rule", head + "  dave: $DAVE\ngroups:\n  ops: {members: [dave], recipient: $ERIN}\nrules:\n- {path: x, recipients: [ops, alice]}\n",
			[]string{"9: rule x: the identity of group ops is not post-quantum"}},
		{"what only a pin says of a group", head + "groups:\n  ops: {members: [alice], recipient: $BOB, identity: none}\n" + rules, []string{`6: group ops: unknown field "identity"`}},
		{"a malformed name of a group", head + "groups:\n  'a b': {members: [alice]}\n" + rules, []string{"6: groups: malformed name"}},
		{"a recipient for a group", head + "groups:\n  $DAVE: {members: [alice]}\n" + rules, []string{"6: groups: found a recipient where a name was expected"}},
		{"a number for a member", head + "groups:\n  ops: {members: [alice, 12]}\n" + rules, []string{"6: a member of ops must be text"}},
		{"one member", head + "groups:\n  ops: {members: alice}\n" + rules, []string{"6: group ops: members must be a list"}},
		{"an unknown field of a group", head + "groups:\n  ops: {members: [alice], member: x}\n" + rules, []string{`6: group ops: unknown field "member"`}},
		{"groups a list", head + "groups: [ops]\n" + rules, []string{"5: groups must be a mapping"}},
		{"a group without members", head + "groups:\n  ops: {}\n" + rules, []string{"6: group ops: members is missing"}},
		{"an empty group", head + "groups:\n  ops: {members: []}\n" + rules, []string{"6: group ops: members is empty"}},
		{"a group of strangers", head + "groups:\n  ops: {members: [alice, bob]}\n" + rules, []string{`6: group ops: unknown name "bob"`}},
		{"a group of groups", head + "groups:\n  a: {members: [alice]}\n  b: {members: [a]}\n" + rules, []string{"7: group b: a is a group, and groups don't nest"}},
		{"a group like a person", head + "groups:\n  alice: {members: [alice]}\n" + rules, []string{"6: alice is a name among recipients already"}},
		{"a group as a list", head + "groups:\n  ops: [alice]\n" + rules, []string{"6: group ops must be a mapping"}},

		{"a number for a name in a rule", head + "rules:\n- path: x\n  recipients: [alice, 12]\n", []string{"7: rule x: a recipient must be text"}},
		{"a null namespace", head + rules + "  namespace:\n", []string{"8: rule **: namespace is empty"}},
		{"a list for a namespace", head + rules + "  namespace: [a]\n", []string{"8: rule **: namespace must be text"}},
		{"a null path", head + "rules:\n- path:\n  recipients: [alice]\n", []string{"6: path is empty"}},
		{"an empty path", head + "rules:\n- path: ''\n  recipients: [alice]\n", []string{"6: empty pattern"}},
		{"a rule of strangers", head + "rules:\n- path: x\n  recipients: [mallory]\n", []string{`7: rule x: unknown name "mallory"`}},
		{"a rule with a recipient", head + "rules:\n- path: x\n  recipients: [$BOB]\n", []string{"7: rule x: found a recipient where a name was expected"}},
		{"a rule for nobody", head + "rules:\n- path: x\n  recipients: []\n", []string{"7: rule x: recipients is empty"}},
		{"a rule with one name", head + "rules:\n- path: x\n  recipients: alice\n", []string{"7: rule x: recipients must be a list"}},
		{"a rule without recipients", head + "rules:\n- path: x\n", []string{"6: rule: recipients is missing"}},
		{"a rule without a path", head + "rules:\n- recipients: [alice]\n", []string{"6: rule: path is missing"}},
		{"a text as a rule", head + "rules: [x]\n", []string{"5: rule must be a mapping"}},
		{"a path that is no text", head + "rules:\n- path: 1.5\n  recipients: [alice]\n", []string{"6: path must be text"}},
		{"negation", head + "rules:\n- path: \"!x\"\n  recipients: [alice]\n", []string{`6: "!" is not supported in patterns`}},
		{"namespace", head + rules + "  namespace: Prod\n", []string{"8: rule **: namespace is no name that Kubernetes takes"}},
		{"no namespace", head + rules + "  namespace: ''\n", []string{"8: rule **: namespace is no name that Kubernetes takes"}},
		{"namespace of 64", head + rules + "  namespace: " + strings.Repeat("a", 64) + "\n", []string{"8: rule **: namespace is no name that Kubernetes takes"}},
		{"classical", head + rules + "  classical: true\n", []string{"8: rule **: classical can only be allow"}},

		{"classic where post-quantum is asked for", head + "  dave: $DAVE\nrules:\n- path: x\n  recipients: [alice, dave]\n", []string{"8: rule x: dave has no post-quantum recipient"}},
		{"the same in a group", head + "  dave: $DAVE\ngroups:\n  g: {members: [dave, alice]}\nrules:\n- path: x\n  recipients: [g]\n", []string{"10: rule x: dave (of group g) has no post-quantum recipient"}},
		{"post-quantum where classic is taken", head + "  dave: $DAVE\nrules:\n- path: x\n  recipients: [alice, dave]\n  classical: allow\n", []string{`8: rule x: alice has no classic recipient, and "classical: allow" takes these`}},

		{"null silence", head + rules + "silence:\n", []string{"8: silence is empty"}},
		{"a mapping for silence", head + rules + "silence: {finding: a}\n", []string{"8: silence must be a list"}},
		{"an unknown field of silence", head + rules + "silence:\n- {finding: a, path: x, reason: r, until: 2030}\n", []string{`9: silence: unknown field "until"`}},
		{"a number for a finding", head + rules + "silence:\n- {finding: 1, path: x, reason: r}\n", []string{"9: silence: finding must be text"}},
		{"silence without reason", head + rules + "silence:\n- finding: a\n  path: x\n", []string{"9: silence: reason is missing"}},
		{"silence without path", head + rules + "silence:\n- finding: a\n  reason: x\n", []string{"9: silence: path is missing"}},
		{"silence without finding", head + rules + "silence:\n- path: a\n  reason: x\n", []string{"9: silence: finding is missing"}},
		{"empty reason", head + rules + "silence:\n- finding: a\n  path: x\n  reason: ' '\n", []string{"11: silence: the reason must be readable text"}},
		{"reason with control characters", head + rules + "silence:\n- finding: a\n  path: x\n  reason: \"a\\eb\"\n", []string{"11: silence: the reason must be readable text"}},
		{"malformed finding", head + rules + "silence:\n- finding: A b\n  path: x\n  reason: r\n", []string{"9: silence: malformed finding"}},
		{"negation in silence", head + rules + "silence:\n- finding: a\n  path: 'a/!b'\n  reason: r\n", []string{`10: "!" is not supported in patterns`}},

		{"everything at once", "$HEAD\nrecipients:\n  alice: nonsense\n  bob: $BOB\nrules:\n- path: a\n  recipients: [mallory]\n  namespace: B\n- path: \"{b}\"\n  recipients: [bob]\nextra: 1\n", []string{
			"4: alice: malformed recipient: expected age1pq1…, age1… or ssh-…", `8: rule a: unknown name "mallory"`,
			"9: rule a: namespace is no name that Kubernetes takes", "10: braces are not supported in patterns", `12: the policy: unknown field "extra"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := policy.Parse(expand(tt.text))
			if p != nil {
				t.Error("a policy beside the error")
			}
			var got []string
			for _, f := range faults(t, err) {
				got = append(got, fmt.Sprintf("%d: %v", f.Line, f))
				if strings.Contains(f.Error()+f.Hint, "CANARY") {
					t.Errorf("quotes what may be a secret: %v", f)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A private key is one fault wherever it stands, with a line and a hint, and is never quoted.
func TestParseIdentities(t *testing.T) {
	pem := "|\n    -----BEGIN OPENSSH PRIVATE KEY-----\n    b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAE\n    -----END OPENSSH PRIVATE KEY-----"
	keys := map[string]string{
		"hybrid": testkeys.AliceText(), "classic": testkeys.DaveText(), "lower case": strings.ToLower(testkeys.DaveText()),
		"plugin": "AGE-PLUGIN-YUBIKEY-1QQQQQQQQQQQQQQQQQQQQQQ", "cut short": testkeys.DaveText()[:60], "prefix": "AGE-SECRET-KEY-1CANARY",
		"with space": "' " + testkeys.DaveText() + "'",
	}
	places := map[string]struct {
		text string
		line int
	}{
		"recipient":         {head + "  bob: $KEY\n" + rules, 5},
		"list":              {head + "  bob: [$BOB, $KEY]\n" + rules, 5},
		"name":              {head + "  $KEY: $BOB\n" + rules, 5},
		"member":            {head + "groups:\n  g: {members: [alice, $KEY]}\n" + rules, 6},
		"rule":              {head + "rules:\n- path: x\n  recipients: [$KEY]\n", 7},
		"path":              {head + "rules:\n- path: $KEY\n  recipients: [alice]\n", 6},
		"namespace":         {head + rules + "  namespace: $KEY\n", 8},
		"unknown field":     {head + rules + "$KEY: x\n", 8},
		"unknown value":     {head + rules + "x: $KEY\n", 8},
		"reason":            {head + rules + "silence:\n- finding: a\n  path: x\n  reason: $KEY\n", 11},
		"group's recipient": {head + "groups:\n  g: {members: [alice], recipient: $KEY}\n" + rules, 6},
		"apiVersion":        {"apiVersion: $KEY\nkind: Policy\n", 1},
		"beside bad syntax": {head + "  bob: $KEY\nrules: [", 5},
		"anchor and alias":  {head + "  bob: &x $KEY\n  carol: *x\n", 5},
	}
	check := func(t *testing.T, text, key string, line int) {
		t.Helper()
		_, err := policy.Parse(expand(text))
		found := false
		for _, f := range faults(t, err) {
			if f.Line == line && f.Error() == "found an identity where a recipient was expected" && strings.Contains(f.Hint, "treat that key as lost") {
				found = true
			}
			for i := 0; i+12 <= len(key); i += 6 {
				if part := key[i : i+12]; strings.Contains(f.Error()+f.Hint, part) {
					t.Errorf("quotes the key: %v", f)
				}
			}
		}
		if !found {
			t.Errorf("not found in line %d: %v", line, err)
		}
	}
	for kind, key := range keys {
		for place, in := range places {
			if kind == "prefix" && place == "beside bad syntax" {
				continue // no tree, and in running text the bare prefix is no key
			}
			t.Run(kind+" as "+place, func(t *testing.T) { check(t, strings.ReplaceAll(in.text, "$KEY", key), key, in.line) })
		}
	}
	check(t, head+"  bob: "+pem+"\n"+rules, "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAE", 6)
	for kind, key := range map[string]string{"hybrid": testkeys.AliceText(), "classic": testkeys.DaveText()} {
		t.Run(kind+" in a comment", func(t *testing.T) { check(t, "# mine: "+key+"\n"+head+rules, key, 1) })
	}
	parse(t, "# an identity begins with AGE-SECRET-KEY-1, or AGE-SECRET-KEY-PQ-1, and never belongs here\n"+head+rules)
}

// What is not well-formed must not be quoted either if it has the length of a key.
func TestParseQuotesNothingLong(t *testing.T) {
	key := strings.Repeat("CANARY7f3a9", 6)
	for _, text := range []string{
		head + rules + key + ": x\n",
		head + "rules:\n- path: x\n  recipients: [" + key + "]\n",
		head + "rules:\n- path: dir/" + key + "\n  recipients: [mallory]\n",
		head + "  " + key + ": $BOB\n" + rules,
		head + "  x: *" + key + "\n",
		head + "groups:\n  g: {members: [" + key + "]}\n" + rules,
	} {
		_, err := policy.Parse(expand(text))
		if err == nil {
			t.Errorf("accepted:\n%s", text)
		} else if strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%v", err)
		}
	}
}

func TestParseTakes(t *testing.T) {
	for name, text := range map[string]string{
		"CRLF":               strings.ReplaceAll(head+rules, "\n", "\r\n"),
		"BOM":                "\ufeff" + head + rules,
		"a document marker":  "---\n" + head + rules,
		"flow style":         "{apiVersion: ageseal.dev/v1alpha1, kind: Policy, recipients: {alice: [$ALICE]}, rules: [{path: '**', recipients: [alice]}]}",
		"JSON":               `{"apiVersion": "ageseal.dev/v1alpha1", "kind": "Policy", "recipients": {"alice": ["$ALICE"]}, "rules": [{"path": "**", "recipients": ["alice"]}]}`,
		"emoji in a comment": "# 👩‍💻\n" + head + rules,
		"classic rules":      "$HEAD\nrecipients:\n  dave: $DAVE\nrules:\n- path: '**'\n  recipients: [dave]\n  classical: allow\n",
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, text)
			if r, ok := p.Match("x"); !ok || len(r.Recipients) != 1 {
				t.Errorf("Match: %v, %v", r, ok)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	policyOf := func(comment int) []byte {
		b := expand(head + rules)
		return append(b, []byte("#"+strings.Repeat("x", comment-len(b)-2)+"\n")...)
	}
	if _, err := policy.Parse(policyOf(policy.MaxSize)); err != nil {
		t.Errorf("at the limit of size: %v", err)
	}
	if _, err := policy.Parse(policyOf(policy.MaxSize + 1)); err == nil {
		t.Error("over the limit of size: accepted")
	}
	members := func(n int) string {
		var b, names strings.Builder
		b.WriteString("$HEAD\nrecipients:\n")
		for i := range n {
			fmt.Fprintf(&b, "  p%d: %s\n", i, testkeys.Classic(fmt.Sprint("p", i)).Recipient())
			fmt.Fprintf(&names, "p%d, ", i)
		}
		return b.String() + "rules:\n- path: '**'\n  recipients: [" + strings.TrimSuffix(names.String(), ", ") + "]\n  classical: allow\n"
	}
	if _, err := policy.Parse(expand(members(policy.MaxMembers))); err != nil {
		t.Errorf("at the limit of members: %v", err)
	}
	if _, err := policy.Parse(expand(members(policy.MaxMembers + 1))); err == nil || !strings.Contains(err.Error(), "more than 128 recipients") {
		t.Errorf("over the limit of members: %v", err)
	}
}

// None of these may take long, or much memory: whoever can push can write them.
func TestBombs(t *testing.T) {
	aliases := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'z'; c++ {
		aliases += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	many := func(n int, s string) string { return strings.Repeat(s, n) }
	numbered := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"aliases":          aliases,
		"open brackets":    "a: " + many(500_000, "["),
		"open braces":      many(100_000, "{a: "),
		"dashes":           many(300_000, "- "),
		"unknown fields":   head + rules + numbered(50_000, "x%d: y\n"),
		"duplicates":       head + rules + many(100_000, "x: y\n"),
		"rules":            head + "rules:\n" + numbered(20_000, "- {path: p%d, recipients: [alice]}\n"),
		"names in a rule":  head + "rules:\n- path: x\n  recipients: [" + numbered(100_000, "n%d,") + "]\n",
		"groups":           head + "groups:\n" + numbered(20_000, "  g%d: {members: [alice]}\n") + "rules:\n- path: x\n  recipients: [" + numbered(20_000, "g%d,") + "]\n",
		"identities":       many(10_000, "# "+testkeys.DaveText()+"\n"),
		"comments":         head + rules + many(300_000, "#\n"),
		"quoted long line": head + "rules: \"" + many(500_000, "x ") + "\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			src := expand(text)
			if len(src) > policy.MaxSize {
				t.Fatalf("%d bytes: the case tests nothing but the limit", len(src))
			}
			start := time.Now()
			_, err := policy.Parse(src)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if n := len(faults(t, err)); n > 101 {
				t.Errorf("%d faults", n)
			}
		})
	}
}
