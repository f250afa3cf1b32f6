package secret_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// Each attack of docs/threat-model.md that needs more than one document or person, run as its people would.

// rewrite replaces the spec of the one sealed document of a text, as an attacker with an editor can.
func rewrite(t *testing.T, text string, change func(s *manifest.Spec)) string {
	t.Helper()
	f := parse(t, text)
	item, s, err := secret.Select(f, "", "")
	if err != nil {
		t.Fatal(err)
	}
	spec := s.Spec
	change(&spec)
	item.SetSpec(&spec)
	return string(f.Bytes())
}

func TestPlantedDataKeyReadsNothingNew(t *testing.T) {
	alice, mallory := testkeys.Alice(), testkeys.PostQuantum("mallory")
	// Mallory seals a Secret of her own to Alice and herself, takes herself off the lists, and keeps the data keys.
	planted := seal(t, native("prod", "db", map[string]string{"user": "app"}), alice, mallory)
	kept := crypt.NewOpener(mallory)
	var keys []*crypt.DataKey
	for id, w := range doc(t, planted).Spec.Wraps {
		k, err := kept.Unwrap(id, crypt.Wrap{To: w.To, Age: w.Age, DK: w.DK})
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	// Alice sets a value in the file that she found.
	after := doc(t, set(t, planted, "password", canary, alice))
	box := after.Spec.Data["password"]
	for _, k := range keys {
		if k.ID() == box.By {
			t.Fatal("new plaintext under a data key that was found in the document")
		}
		if v, err := k.Open(crypt.Binding(after.Spec.Binding), "password", box.Box); err == nil {
			t.Fatalf("the planted key opens the new value: %d bytes", len(v))
		}
	}
}

func TestDepartedMemberReadsNothingNew(t *testing.T) {
	alice, bob := testkeys.Alice(), testkeys.Bob()
	before := seal(t, native("prod", "db", map[string]string{"a": "a", "b": "b"}), alice, bob)
	bobs := map[string]*crypt.DataKey{}
	for id, w := range doc(t, before).Spec.Wraps {
		k, err := crypt.NewOpener(bob).Unwrap(id, crypt.Wrap{To: w.To, Age: w.Age, DK: w.DK})
		if err != nil {
			t.Fatal(err)
		}
		bobs[id] = k
	}
	f := parse(t, before)
	done, err := secret.NewWriter().Rekey(f, secret.RekeyOptions{Target: target(alice), Opener: crypt.NewOpener(alice)})
	if err != nil {
		t.Fatal(err)
	}
	if len(done) != 1 || !slices.Equal(done[0].Rotated, []string{"a", "b"}) || !slices.Equal(done[0].Exposed, done[0].Rotated) || len(done[0].Left) != 1 {
		t.Errorf("rotated %+v", done)
	}
	after := set(t, string(f.Bytes()), "a", canary, alice)
	mustOpen(t, after, map[string]string{"a": canary, "b": "b"}, alice)
	if _, err := open(t, after, bob); !errors.Is(err, crypt.ErrNoIdentity) {
		t.Errorf("the departed member got %v", err)
	}
	for key, box := range doc(t, after).Spec.Data {
		if bobs[box.By] != nil {
			t.Errorf("key %s is under a data key that the departed member kept", key)
		}
	}
}

func TestJoinerOfOneFileLearnsNothingOfAnother(t *testing.T) {
	alice, bob := testkeys.Alice(), testkeys.Bob()
	run := secret.NewWriter() // one run, one session key
	one := sealWith(t, run, native("prod", "one", map[string]string{"k": "one"}), alice)
	two := sealWith(t, run, native("prod", "two", map[string]string{"k": canary}), alice)
	if wrapOf(doc(t, one)).Age != wrapOf(doc(t, two)).Age {
		t.Fatal("one run should share one age file")
	}
	f := parse(t, one)
	if _, err := secret.NewWriter().Rekey(f, secret.RekeyOptions{Target: target(alice, bob), Opener: crypt.NewOpener(alice), Sharing: secret.Sharing{Widen: true}}); err != nil {
		t.Fatal(err)
	}
	joined := string(f.Bytes())
	mustOpen(t, joined, map[string]string{"k": "one"}, bob)
	if doc(t, joined).Spec.Data["k"] != withLine(doc(t, one).Spec.Data["k"], doc(t, joined).Spec.Data["k"].Line) {
		t.Error("a box changed when somebody joined")
	}
	// Bob tries the other file as it is, and with the wrap he was given.
	if _, err := open(t, two, bob); !errors.Is(err, crypt.ErrNoIdentity) {
		t.Errorf("got %v", err)
	}
	grafted := rewrite(t, two, func(s *manifest.Spec) {
		mine := wrapOf(doc(t, joined))
		for id, w := range s.Wraps {
			s.Wraps[id] = manifest.Wrap{To: mine.To, Age: mine.Age, DK: w.DK}
		}
	})
	if _, err := open(t, grafted, bob); !errors.Is(err, crypt.ErrDataKey) {
		t.Errorf("got %v", err)
	}
}

func withLine(b manifest.Box, line int) manifest.Box { b.Line = line; return b }

func wrapOf(s *manifest.EncryptedSecret) manifest.Wrap {
	for _, w := range s.Spec.Wraps {
		return w
	}
	return manifest.Wrap{}
}

func TestCopyUnderAWiderRuleIsNotOpenedUp(t *testing.T) {
	alice, bob := testkeys.Alice(), testkeys.Bob()
	prod := seal(t, native("prod", "db", map[string]string{"k": canary}), alice)
	// The copy lies below a rule that always resolved to Alice and Bob; the file says it is for Alice.
	everybody := crypt.Fingerprints(recipients(alice, bob))
	f := parse(t, prod)
	_, err := secret.NewWriter().Rekey(f, secret.RekeyOptions{
		Target: target(alice, bob), Opener: crypt.NewOpener(alice),
		Sharing: secret.Sharing{Resolved: func(to []string) bool { return slices.Equal(to, everybody) }},
	})
	if !errors.Is(err, secret.ErrWiden) || f.Changed() {
		t.Fatalf("got %v, changed %v", err, f.Changed())
	}
	// Claiming in "to" what the rule resolves to does not help: it is authenticated.
	lied := rewrite(t, prod, func(s *manifest.Spec) {
		for id, w := range s.Wraps {
			w.To = everybody
			s.Wraps[id] = w
		}
	})
	_, err = secret.NewWriter().Rekey(parse(t, lied), secret.RekeyOptions{
		Target: target(alice, bob, testkeys.Carol()), Opener: crypt.NewOpener(alice),
		Sharing: secret.Sharing{Resolved: func(to []string) bool { return slices.Equal(to, everybody) }},
	})
	if !errors.Is(err, crypt.ErrToMismatch) {
		t.Fatalf("got %v", err)
	}
	// A rule whose members changed since, as the user accepted, is followed.
	f = parse(t, prod)
	only := crypt.Fingerprints(recipients(alice))
	if _, err = secret.NewWriter().Rekey(f, secret.RekeyOptions{
		Target: target(alice, bob), Opener: crypt.NewOpener(alice),
		Sharing: secret.Sharing{Resolved: func(to []string) bool { return slices.Equal(to, only) }},
	}); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, string(f.Bytes()), map[string]string{"k": canary}, bob)
}

func TestValuesCannotBeMoved(t *testing.T) {
	alice := testkeys.Alice()
	run := secret.NewWriter()
	one := sealWith(t, run, native("prod", "db", map[string]string{"a": canary + "a", "b": canary + "b"}), alice)
	sameBinding := sealWith(t, run, native("prod", "db", map[string]string{"a": "x"}), alice)
	other := sealWith(t, run, native("pro", "ddb", map[string]string{"a": "y"}), alice)
	box := func(text, key string) manifest.Box { return doc(t, text).Spec.Data[key] }
	for name, moved := range map[string]string{
		"two boxes swapped":               rewrite(t, one, func(s *manifest.Spec) { s.Data["a"], s.Data["b"] = s.Data["b"], s.Data["a"] }),
		"a box under another key":         rewrite(t, one, func(s *manifest.Spec) { s.Data["c"] = s.Data["a"] }),
		"a box of the same binding":       rewrite(t, one, func(s *manifest.Spec) { b := s.Data["a"]; b.Box = box(sameBinding, "a").Box; s.Data["a"] = b }),
		"a box of another Secret":         rewrite(t, one, func(s *manifest.Spec) { b := s.Data["a"]; b.Box = box(other, "a").Box; s.Data["a"] = b }),
		"binding emptied":                 rewrite(t, one, func(s *manifest.Spec) { s.Binding = manifest.Binding{} }),
		"binding's namespace taken away":  rewrite(t, one, func(s *manifest.Spec) { s.Binding.Namespace = "" }),
		"boundary of the binding shifted": strings.NewReplacer("namespace: prod", "namespace: pro", "name: db", "name: ddb").Replace(one),
		"binding and metadata of another": strings.ReplaceAll(one, "name: db", "name: other"),
		"data keys exchanged between boxes": rewrite(t, set(t, one, "b", "z", alice), func(s *manifest.Spec) {
			a, b := s.Data["a"], s.Data["b"]
			a.By, b.By = b.By, a.By
			s.Data["a"], s.Data["b"] = a, b
		}),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := open(t, moved, alice); !errors.Is(err, crypt.ErrAEAD) || !secret.IsAuthentication(err) {
				t.Errorf("got %v", err)
			}
		})
	}
	// A whole document of the same run under another Secret's name.
	renamed := strings.Replace(one, "name: db", "name: other", 1)
	if _, err := open(t, renamed, alice); !errors.Is(err, secret.ErrBinding) {
		t.Errorf("got %v", err)
	}
}
