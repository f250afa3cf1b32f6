package policy_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/policy"
)

var digest = regexp.MustCompile(`SHA256:[A-Za-z0-9+/]+`)

const people = "$HEAD\nrecipients:\n  alice: $ALICE\n  bob: $BOB\n  carol: $CAROL\n  dave: $DAVE\n"

func TestWidened(t *testing.T) {
	rules := func(lines ...string) string { return people + "rules:\n- " + strings.Join(lines, "\n- ") + "\n" }
	prod, all := "{path: prod/**, recipients: [alice, bob]}", `{path: "**", recipients: [alice, bob, carol]}`
	tests := []struct {
		name, old, now string
		want           []string
	}{
		{"the same", rules(prod, all), rules(prod, all), nil},
		{"fewer", rules(prod, all), rules("{path: prod/**, recipients: [alice]}", `{path: "**", recipients: [alice, bob, carol]}`), nil},
		{"somebody joins a rule", rules(prod, all), rules("{path: prod/**, recipients: [alice, bob, carol]}", all), []string{"9: rule prod/**: + carol"}},
		{"over a group", people + "groups:\n  g: {members: [alice]}\nrules:\n- {path: a, recipients: [g]}\n", people + "groups:\n  g: {members: [alice, bob]}\nrules:\n- {path: a, recipients: [g]}\n",
			[]string{"11: rule a: + bob"}},
		{"a key under a known name", rules(prod, all), strings.Replace(rules(prod, all), "bob: $BOB", "bob: [$BOB, $BOB2]", 1),
			[]string{"9: rule prod/**: + bob (a new key, age1pq1… SHA256:…)", "10: rule **: + bob (a new key, age1pq1… SHA256:…)"}},
		{"a name that no rule has", rules(prod, all), strings.Replace(rules(prod, all), "  dave", "  frank: $BOB2\n  dave", 1), nil},
		{"classic keys", rules("{path: prod/**, recipients: [dave], classical: allow}"), rules("{path: prod/**, recipients: [dave], classical: allow}"), nil},
		{"classic keys allowed", rules("{path: prod/**, recipients: [alice]}"), rules("{path: prod/**, recipients: [dave], classical: allow}"),
			[]string{"9: rule prod/**: + dave, classical: allow"}},
		{"a namespace goes", rules("{path: prod/**, recipients: [alice], namespace: prod}"), rules("{path: prod/**, recipients: [alice]}"),
			[]string{"9: rule prod/**: + Secrets without a namespace"}},
		{"another namespace", rules("{path: prod/**, recipients: [alice], namespace: prod}"), rules("{path: prod/**, recipients: [alice], namespace: other}"), nil},
		{"a wider rule before another", rules(prod, all), rules("{path: prod/db/**, recipients: [alice, carol]}", prod, all),
			[]string{"9: rule prod/db/**, which is new and comes before rule prod/**: + carol"}},
		{"a narrower rule before others", rules(prod, all), rules("{path: prod/db/**, recipients: [alice]}", prod, all), nil},
		{"a rule for what others can't match", rules(prod, `{path: dev/**, recipients: [carol]}`, all), rules("{path: stage/**, recipients: [bob]}", prod, `{path: dev/**, recipients: [carol]}`, all), nil},
		{"a rule for files without one", rules(prod), rules(prod, "{path: dev/**, recipients: [alice]}"), []string{"10: rule dev/**, which is new: + alice"}},
		{"the last rule goes", rules(prod, all), rules(prod), nil},
		{"the first rule goes", rules(prod, all), rules(all), []string{"9: rule **, which gets files of rule prod/** as that one is gone: + carol"}},
		{"a rule goes that others can't match", rules(prod, "{path: dev/**, recipients: [carol]}"), rules("{path: dev/**, recipients: [carol]}"), nil},
		{"order", rules(prod, all), rules(all, prod), []string{"9: rule **, which comes before rule prod/** now: + carol"}},
		{"order of what can't meet", rules(prod, "{path: dev/**, recipients: [carol]}"), rules("{path: dev/**, recipients: [carol]}", prod), nil},
		{"silence", rules(all), rules(all) + "silence:\n- {finding: risky-label, path: a/**, reason: meant}\n", []string{"0: + silence risky-label for a/**: meant"}},
		{"another reason", rules(all) + "silence:\n- {finding: risky-label, path: a/**, reason: meant}\n", rules(all) + "silence:\n- {finding: risky-label, path: a/**, reason: still meant}\n", nil},
		{"silence goes", rules(all) + "silence:\n- {finding: risky-label, path: a/**, reason: meant}\n", rules(all), nil},
		{"the first policy", "", rules("{path: a, recipients: [alice]}"), []string{"9: rule a, which is new: + alice (a new key, age1pq1… SHA256:…)"}},
		{"none any more", rules(all), "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			side := func(text string) *policy.Policy {
				if text == "" {
					return nil
				}
				return parse(t, text)
			}
			var got []string
			for _, w := range policy.Widened(side(tt.old), side(tt.now)) {
				got = append(got, fmt.Sprintf("%d: %s", w.Line, digest.ReplaceAllString(w.What, "SHA256:…")))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWidenedIsSound looks for a path that somebody newly may read, or whose findings are newly silenced, where nothing is said to have widened.
func TestWidenedIsSound(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	patterns := []string{"**", "*", "a/**", "b/**", "a/b/**", "a/*", "**/b", "b", "/a/b", "?/**", "[ab]/b", "a/**/c"}
	one := func() *policy.Policy {
		var b strings.Builder
		b.WriteString("$HEAD\nrecipients:\n  dave: $DAVE\n  erin: $ERIN\n  frank: $FRANK\nrules:\n") // classic keys: parsing is fast

		for _, i := range rnd.Perm(len(patterns))[:1+rnd.IntN(3)] {
			var names []string
			for _, n := range []string{"erin", "frank"} {
				if rnd.IntN(2) == 0 {
					names = append(names, n)
				}
			}
			extra := []string{"", ", namespace: prod"}[rnd.IntN(2)]
			fmt.Fprintf(&b, "- {path: %q, recipients: [%s], classical: allow%s}\n", patterns[i], strings.Join(append(names, "dave"), ", "), extra)
		}
		if rnd.IntN(2) == 0 {
			fmt.Fprintf(&b, "silence:\n- {finding: x, path: %q, reason: r}\n", patterns[rnd.IntN(len(patterns))])
		}
		return parse(t, b.String())
	}
	var paths []string
	for _, a := range []string{"a", "b", "c"} {
		paths = append(paths, a)
		for _, b := range []string{"a", "b", "c"} {
			paths = append(paths, a+"/"+b, a+"/"+b+"/c", a+"/"+b+"/b")
		}
	}
	quiet := 0
	for range 4000 {
		old, now := one(), one()
		if len(policy.Widened(old, now)) > 0 {
			continue
		}
		quiet++
		for _, path := range paths {
			was, wasOK := old.Match(path)
			is, isOK := now.Match(path)
			_, s1 := old.Silenced("x", path)
			_, s2 := now.Silenced("x", path)
			wider := isOK && (!wasOK || was.Namespace != "" && is.Namespace == "")
			for i := 0; isOK && wasOK && i < len(is.Recipients); i++ {
				wider = wider || !strings.Contains(owners(was.Recipients), owners(is.Recipients[i:i+1]))
			}
			if wider || s2 && !s1 {
				t.Fatalf("%s is open to more:\n%s\n%s", path, old.Canonical(), now.Canonical())
			}
		}
	}
	if quiet < 50 {
		t.Errorf("only %d pairs of policies that say nothing", quiet)
	}
}
