package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/policy"
)

func TestExplain(t *testing.T) {
	p := parse(t, full)
	paths := func(rules []*policy.Rule) (all []string) {
		for _, r := range rules {
			all = append(all, r.Path)
		}
		return all
	}
	for file, want := range map[string]string{
		"apps/prod/new/db.yaml":     "apps/prod/** before [] after [**]",
		"x":                         "** before [apps/prod/** legacy/*.yaml] after []",
		"./legacy/../legacy/a.yaml": "legacy/*.yaml before [apps/prod/**] after [**]",
		"infra/reflector/x":         "** before [apps/prod/** legacy/*.yaml] after [], risky-label for infra/reflector/**: reflector is meant to copy this certificate",
	} {
		e, ok := p.Explain(file)
		if !ok {
			t.Fatal(file)
		}
		got := fmt.Sprintf("%s before %v after %v", e.Rule.Path, paths(e.Before), paths(e.After))
		for _, s := range e.Silenced {
			got += ", " + s.Finding + " for " + s.Path + ": " + s.Reason
		}
		if got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
	for _, file := range []string{"", ".", "../x", "/x", "x/"} {
		if _, ok := p.Explain(file); ok {
			t.Errorf("%q is explained", file)
		}
	}
	e, ok := parse(t, strings.Replace(head+rules, "**", "a/**", 1)).Explain("b")
	if !ok || e.Rule != nil || len(e.Before) != 1 {
		t.Errorf("%v, %v", e, ok)
	}
}

// TestReaders: for each rule, who, with which key, and through what.
func TestReaders(t *testing.T) {
	p := parse(t, "$HEAD\nrecipients: {alice: [$ALICE, $DAVE, $CAROL], bob: $BOB, twin: $BOB, erin: $ERIN}\ngroups: {ops: {members: [alice, bob]}, dev: {members: [bob]}}\n"+
		"rules:\n- {path: a, recipients: [ops, dev, alice]}\n- {path: b, recipients: [twin]}\n- {path: c, recipients: [alice, erin], classical: allow}\n")
	var got []string
	for _, rule := range p.Rules() {
		for _, r := range p.Readers(rule) {
			got = append(got, fmt.Sprintf("%s: %s %s direct %v through %v", rule.Path, r.Name, owners([]*crypt.Recipient{r.Recipient}), r.Direct, r.Groups))
		}
	}
	want := []string{
		"a: alice alice direct true through [ops]", "a: alice carol direct true through [ops]", "a: bob bob direct false through [dev ops]",
		"b: twin bob direct true through []",
		"c: alice dave direct true through []", "c: erin erin direct true through []",
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := strings.Join(p.People(), " ") + ", " + strings.Join(p.GroupNames(), " ") + ", " + strings.Join(p.Patterns(), " "); got != "alice bob erin twin, dev ops, a b c" {
		t.Error(got)
	}
	if got := owners(p.Recipients("alice")); got != "alice carol dave" || p.Recipients("ops") != nil {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{"alice", "bob"}, p.Members("ops")); diff != "" || p.Members("alice") != nil {
		t.Error(diff)
	}
}
