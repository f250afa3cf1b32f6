package verify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/verify"
)

func sealedFor(t *testing.T, size int, ids ...*crypt.Identity) []byte {
	t.Helper()
	var to []*crypt.Recipient
	for _, id := range ids {
		to = append(to, id.Recipient())
	}
	sealed, err := crypt.SealFile(&crypt.File{Use: crypt.UseValue, Key: "k", Content: make([]byte, size)}, to)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func rulesOf(t *testing.T, rules string) *policy.Policy {
	t.Helper()
	text := "apiVersion: ageseal.dev/v1alpha1\nkind: Policy\nrecipients:\n"
	for name, id := range map[string]*crypt.Identity{"alice": testkeys.Alice(), "bob": testkeys.Bob(), "carol": testkeys.Carol(), "dave": testkeys.Dave(), "erin": testkeys.Erin()} {
		text += "  " + name + ": " + id.Recipient().String() + "\n"
	}
	p, err := policy.Parse([]byte(text + "rules:\n" + rules))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSealedFile(t *testing.T) {
	p := rulesOf(t, "- {path: one, recipients: [alice]}\n- {path: two, recipients: [alice, bob]}\n- {path: classic, recipients: [dave, erin], classical: allow}\n")
	alice, bob, carol, dave, erin := testkeys.Alice(), testkeys.Bob(), testkeys.Carol(), testkeys.Dave(), testkeys.Erin()
	for _, c := range []struct {
		sealed []*crypt.Identity
		rule   string
		want   string
	}{
		{[]*crypt.Identity{alice}, "one", ""},
		{[]*crypt.Identity{carol}, "one", ""}, // nobody can tell
		{[]*crypt.Identity{alice, bob}, "one", verify.ExtraRecipient},
		{[]*crypt.Identity{alice, bob}, "two", ""},
		{[]*crypt.Identity{alice}, "two", verify.PendingJoin},
		{[]*crypt.Identity{dave}, "one", verify.ClassicRecipient},
		{[]*crypt.Identity{dave, erin}, "two", verify.ClassicRecipient},
		{[]*crypt.Identity{dave, erin}, "classic", ""},
		{[]*crypt.Identity{dave}, "classic", verify.PendingJoin},
		{[]*crypt.Identity{alice, bob}, "classic", verify.ExtraRecipient},
	} {
		sealed := sealedFor(t, 1, c.sealed...)
		if f := verify.Bytes("x.age", sealed); len(f) != 0 {
			t.Errorf("a sealed file is a finding: %+v", f)
		}
		rule, _ := p.Match(c.rule)
		got := ""
		for _, f := range verify.SealedFile("x y.age", sealed, rule) {
			got += f.Rule
			if f.File != "x y.age" || f.Line != 1 || f.Hint != "ageseal rekey 'x y.age'" || (f.Rule == verify.PendingJoin) != (f.Level == verify.Warning) {
				t.Errorf("%+v", f)
			}
		}
		if got != c.want {
			t.Errorf("%d recipients below rule %s: %q, want %q", len(c.sealed), c.rule, got, c.want)
		}
	}
}

func TestCopyOfSealedFile(t *testing.T) {
	p := rulesOf(t, "- {path: one, recipients: [alice]}\n- {path: two, recipients: [alice, bob]}\n- {path: other, recipients: [alice, carol]}\n")
	for _, c := range []struct {
		own, others string
		found       bool
	}{{"one", "two", false}, {"two", "one", true}, {"two", "other", true}, {"other", "two", true}, {"two", "two", false}} {
		own, _ := p.Match(c.own)
		others, _ := p.Match(c.others)
		got := verify.Copy("copy.age", own, "prod/x.age", others)
		if (len(got) == 1 && got[0].Rule == verify.WiderCopy && strings.Contains(got[0].What, "prod/x.age")) != c.found || len(got) > 1 {
			t.Errorf("a copy of %s below %s: %+v", c.others, c.own, got)
		}
	}
}

// TestSealedFilesAreFast: a large one is looked into at the speed of its armor, and text that is none at that of its first bytes.
func TestSealedFilesAreFast(t *testing.T) {
	large := sealedFor(t, crypt.MaxPlaintext, testkeys.Dave())
	start := time.Now()
	const n = 20
	for range n {
		if f := verify.Bytes("x.age", large); len(f) != 0 {
			t.Fatal(f)
		}
	}
	if took := time.Since(start); took > n*200*time.Millisecond {
		t.Errorf("%v for %d files of %d bytes", took, n, len(large))
	} else {
		t.Logf("%s for a file of %d bytes", fmt.Sprint(took/n), len(large))
	}
}
