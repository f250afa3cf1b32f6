package policy_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/policy"
)

const team = "$HEAD\nrecipients:\n  alice: [$ALICE, $DAVE]\n  bob: $BOB\n  ci: [$CAROL]\n  erin: $ERIN\n" +
	"groups:\n  ops: {members: [alice, bob]}\n" +
	"rules:\n- {path: apps/prod/**, recipients: [ops, ci], namespace: prod}\n- {path: legacy/**, recipients: [alice, erin], classical: allow}\n" +
	"- {path: '**', recipients: [alice, bob]}\n" +
	"silence:\n- {finding: risky-label, path: infra/**, reason: wanted}\n"

func TestChanges(t *testing.T) {
	short := func(s string) string {
		r, err := crypt.ParseRecipient(string(expand(s)))
		if err != nil {
			t.Fatal(err)
		}
		return r.Display()
	}
	tests := []struct {
		name     string
		old, new string // of what is replaced in team
		status   policy.Status
		diff     []string
	}{
		{"nothing", "", "", policy.Same, nil},
		{"a comment", "rules:", "# c\nrules:", policy.Same, nil},

		{"a member leaves a rule", "[ops, ci]", "[ops]", policy.Narrowed, []string{"rule apps/prod/**: - ci"}},
		{"a member leaves a group", "members: [alice, bob]", "members: [alice]", policy.Narrowed, []string{"group ops: - bob (rule apps/prod/**)"}},
		{"a recipient goes", "alice: [$ALICE, $DAVE]", "alice: [$ALICE]", policy.Differs, []string{"- recipient alice " + short("$DAVE") + " (rule legacy/**)", "rule legacy/**: - alice"}},
		{"the last rule goes", "- {path: '**', recipients: [alice, bob]}\n", "", policy.Narrowed, []string{"- rule **: alice, bob"}},
		{"a silence goes", "silence:\n- {finding: risky-label, path: infra/**, reason: wanted}\n", "", policy.Narrowed, []string{"- silence risky-label for infra/**: wanted"}},

		{"a member joins a rule", "recipients: [alice, bob]}", "recipients: [alice, bob, ci]}", policy.Differs, []string{"rule **: + ci"}},
		{"a member is replaced", "[ops, ci]", "[alice, ci]", policy.Differs, []string{"rule apps/prod/**: - ops", "rule apps/prod/**: + alice"}},
		{"a member joins a group", "members: [alice, bob]", "members: [alice, bob, ci]", policy.Differs, []string{"group ops: + ci (rule apps/prod/**)"}},
		{"a recipient is replaced", "bob: $BOB", "bob: $BOB2", policy.Differs, []string{
			"- recipient bob " + short("$BOB") + " (rule apps/prod/**, **)", "+ recipient bob " + short("$BOB2") + " (rule apps/prod/**, **)"}},
		{"a recipient is added", "ci: [$CAROL]", "ci: [$CAROL, $DAVE]", policy.Differs, []string{"+ recipient ci " + short("$DAVE") + " (in no rule)"}},
		{"somebody is added", "  erin:", "  zoe: $BOB2\n  erin:", policy.Differs, []string{"+ recipient zoe " + short("$BOB2")}},
		{"somebody is renamed", "  ci: [$CAROL]", "  cd: [$CAROL]", policy.Differs, nil},
		{"a group is added", "groups:\n", "groups:\n  dev: {members: [ci]}\n", policy.Differs, []string{"+ group dev: ci"}},
		{"a group goes", "groups:\n", "groups:\n", policy.Differs, nil},
		{"a namespace goes", ", namespace: prod", "", policy.Differs, []string{"rule apps/prod/**: - namespace prod"}},
		{"a namespace changes", "namespace: prod", "namespace: dev", policy.Differs, []string{"rule apps/prod/**: - namespace prod", "rule apps/prod/**: + namespace dev"}},
		{"a rule before the last", "- {path: '**'", "- {path: x/**, recipients: [ci]}\n- {path: '**'", policy.Differs, []string{"+ rule x/**: ci (before rule **)"}},
		{"a rule at the end", "silence:", "- {path: x/**, recipients: [ci], namespace: x}\nsilence:", policy.Differs, []string{"+ rule x/**: ci, namespace x"}},
		{"a rule from the middle goes", "- {path: legacy/**, recipients: [alice, erin], classical: allow}\n", "", policy.Differs, []string{"- rule legacy/**: alice, erin, classical: allow"}},
		{"a pattern is narrowed", "path: '**'", "path: '*.yaml'", policy.Differs, []string{"- rule **: alice, bob", "+ rule *.yaml: alice, bob"}},
		{"a silence is added", "silence:\n", "silence:\n- {finding: private-key, path: '**', reason: hush}\n", policy.Differs, []string{"+ silence private-key for **: hush"}},
		{"a silence is widened", "path: infra/**", "path: '**'", policy.Differs, []string{"- silence risky-label for infra/**: wanted", "+ silence risky-label for **: wanted"}},
		{"classical goes", "recipients: [alice, erin], classical: allow", "recipients: [alice]", policy.Differs, []string{"rule legacy/**: - erin", "rule legacy/**: - classical: allow"}},
		{"order", "- {path: legacy/**, recipients: [alice, erin], classical: allow}\n- {path: '**', recipients: [alice, bob]}\n",
			"- {path: '**', recipients: [alice, bob]}\n- {path: legacy/**, recipients: [alice, erin], classical: allow}\n", policy.Differs,
			[]string{"rule order: apps/prod/**, **, legacy/** (was apps/prod/**, legacy/**, **)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.old != "" && !strings.Contains(team, tt.old) {
				t.Fatalf("nothing to replace")
			}
			edited := strings.Replace(team, tt.old, tt.new, 1)
			if tt.name == "a recipient goes" { // who has no classic recipient can't stay in a classical rule
				edited = strings.Replace(edited, "[alice, erin], classical", "[erin], classical", 1)
				tt.status = policy.Narrowed
			}
			if tt.name == "somebody is renamed" {
				edited = strings.Replace(edited, "[ops, ci]", "[ops, cd]", 1)
				tt.diff = []string{"+ recipient cd " + short("$CAROL"), "- recipient ci " + short("$CAROL"), "rule apps/prod/**: - ci", "rule apps/prod/**: + cd"}
			}
			if tt.name == "a group goes" {
				edited = strings.Replace(strings.Replace(team, "groups:\n  ops: {members: [alice, bob]}\n", "", 1), "[ops, ci]", "[alice, ci]", 1)
				tt.diff = []string{"- group ops: alice, bob", "rule apps/prod/**: - ops", "rule apps/prod/**: + alice"}
			}
			s := &policy.Pins{Dir: t.TempDir()}
			if err := s.Accept("r", parse(t, team)); err != nil {
				t.Fatal(err)
			}
			status, diff, err := s.Check("r", parse(t, edited))
			if err != nil || status != tt.status {
				t.Errorf("status %v, %v, want %v", status, err, tt.status)
			}
			if d := cmp.Diff(tt.diff, diff); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// Whatever is called narrower must give nobody anything, for any path. Random small policies find what a proof overlooks.
func TestNarrowedIsSound(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	people := []string{"dave", "erin", "frank", "g", "h"}
	patterns := []string{"**", "a/**", "*.yaml", "a/b", "b/*"}
	paths := []string{"a/b", "a/b.yaml", "b/c", "x", "x.yaml", "a/c/d", "b/x.yaml"}
	some := func(from []string) []string {
		s := slices.Clone(from)
		rnd.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
		s = s[:1+rnd.IntN(len(s))]
		return s
	}
	type draft struct {
		groups [2][]string
		rules  [][]string // pattern, then names
	}
	render := func(d draft) *policy.Policy {
		var b strings.Builder
		b.WriteString("$HEAD\nrecipients: {dave: $DAVE, erin: $ERIN, frank: $FRANK}\n")
		fmt.Fprintf(&b, "groups: {g: {members: [%s]}, h: {members: [%s]}}\nrules:\n", strings.Join(d.groups[0], ", "), strings.Join(d.groups[1], ", "))
		for _, r := range d.rules {
			fmt.Fprintf(&b, "- {path: '%s', recipients: [%s], classical: allow}\n", r[0], strings.Join(r[1:], ", "))
		}
		return parse(t, b.String())
	}
	thin := func(s []string) []string {
		if len(s) > 1 && rnd.IntN(3) == 0 {
			i := rnd.IntN(len(s))
			return slices.Delete(slices.Clone(s), i, i+1)
		}
		return s
	}
	narrowed := 0
	for range 2000 {
		var d draft
		d.groups = [2][]string{some(people[:3]), some(people[:3])}
		for _, p := range some(patterns) {
			d.rules = append(d.rules, append([]string{p}, some(people)...))
		}
		old := render(d)
		n := draft{groups: [2][]string{thin(d.groups[0]), thin(d.groups[1])}}
		for _, r := range d.rules {
			n.rules = append(n.rules, append([]string{r[0]}, thin(r[1:])...))
		}
		switch i := rnd.IntN(len(n.rules)); rnd.IntN(6) {
		case 0:
			if len(n.rules) > 1 {
				n.rules = slices.Delete(n.rules, i, i+1)
			}
		case 1:
			n.rules[i] = append(n.rules[i], people[rnd.IntN(5)])
		case 2:
			n.rules[0], n.rules[i] = n.rules[i], n.rules[0]
		case 3:
			n.groups[0] = some(people[:3])
		}
		now := render(n)
		if !policy.TestOnlyNarrowed(old, now) {
			continue
		}
		narrowed++
		for _, path := range paths {
			is, ok := now.Match(path)
			if !ok {
				continue
			}
			was, ok := old.Match(path)
			if !ok || !within(strings.Fields(owners(is.Recipients)), strings.Fields(owners(was.Recipients))) {
				t.Fatalf("%s: wider\n%s\n%s", path, old.Canonical(), now.Canonical())
			}
		}
	}
	if narrowed < 150 {
		t.Errorf("only %d of the cases were narrower: this tests little", narrowed)
	}
}

func within(a, b []string) bool {
	return !slices.ContainsFunc(a, func(x string) bool { return !slices.Contains(b, x) })
}
