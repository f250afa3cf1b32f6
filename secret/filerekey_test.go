package secret_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/secret"
)

// sealFileFor makes a sealed file of one value.
func sealFileFor(t *testing.T, names ...string) []byte {
	t.Helper()
	o := fileOptions(crypt.UseValue, "tls.key")
	o.Recipients = target(people(names...)...).Recipients
	sealed, _, err := secret.SealFile([]byte(canary), o)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestRekeyFile(t *testing.T) {
	fps := func(names ...string) []string { return crypt.Fingerprints(recipients(people(names...)...)) }
	for _, c := range []struct {
		name                 string
		sealed               string
		before               [][]string
		target               string
		elsewhere            string
		widen, rotate        bool
		follows, refused, no bool
		joined, left         []string
		unsure               bool
		exposed              []string
		reads, doesNot       string
	}{
		{name: "it follows", sealed: "alice", before: [][]string{fps("alice")}, target: "alice", follows: true},
		{name: "somebody joins", sealed: "alice", before: [][]string{fps("alice")}, target: "alice bob", joined: fps("bob"), reads: "alice bob"},
		{name: "somebody leaves", sealed: "alice bob", before: [][]string{fps("alice", "bob")}, target: "alice",
			left: fps("bob"), exposed: []string{"tls.key"}, reads: "alice", doesNot: "bob"},
		{name: "one for another, which counting does not show", sealed: "alice bob", before: [][]string{fps("alice", "carol"), fps("alice", "bob")}, target: "alice carol",
			joined: fps("carol"), left: fps("bob"), unsure: true, exposed: []string{"tls.key"}, reads: "alice carol", doesNot: "bob"},
		{name: "a leak", sealed: "alice", before: [][]string{fps("alice")}, target: "alice", rotate: true, reads: "alice"},
		{name: "nobody knows for whom it was", sealed: "alice bob", target: "alice carol", refused: true},
		{name: "nobody knows, and that is meant", sealed: "alice bob", target: "alice carol", widen: true, unsure: true, exposed: []string{"tls.key"}, reads: "alice carol", doesNot: "bob"},
		{name: "a set without whoever opens it", sealed: "alice", before: [][]string{fps("bob")}, target: "bob carol", refused: true},
		{name: "a copy", sealed: "alice", before: [][]string{fps("alice")}, target: "alice bob", elsewhere: "prod/x.age", refused: true},
		{name: "a copy, after a leak", sealed: "alice", before: [][]string{fps("alice")}, target: "alice", elsewhere: "prod/x.age", rotate: true, refused: true},
		{name: "no identity", sealed: "bob", before: [][]string{fps("bob")}, target: "alice", no: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			sealed := sealFileFor(t, strings.Fields(c.sealed)...)
			o := secret.FileRekeyOptions{
				Target: target(people(strings.Fields(c.target)...)...), Opener: crypt.NewOpener(people("alice")...),
				Before: c.before, Elsewhere: c.elsewhere, Widen: c.widen, Rotate: c.rotate,
			}
			if o.Follows() != c.follows {
				t.Fatalf("follows: %v", o.Follows())
			}
			if c.follows {
				return
			}
			again, r, err := secret.RekeyFile(sealed, o)
			if c.refused || c.no {
				if errors.Is(err, secret.ErrWiden) != c.refused || errors.Is(err, crypt.ErrNoIdentity) != c.no || again != nil {
					t.Fatal(err)
				}
				checkQuiet(t, canary, err)
				return
			}
			if err != nil {
				t.Fatal(report(err))
			}
			want := &secret.Rekeyed{Secret: "prod/app", Joined: c.joined, Left: c.left, Rotated: []string{"tls.key"}, Exposed: c.exposed, Whole: true, Unsure: c.unsure}
			if diff := cmp.Diff(want, r); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, name := range strings.Fields(c.reads) {
				f, err := secret.OpenFile(again, crypt.NewOpener(people(name)...))
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if string(f.Content) != canary || f.Binding != (crypt.Binding{Namespace: "prod", Name: "app"}) || f.Use != crypt.UseValue || f.Key != "tls.key" {
					t.Errorf("%s reads something else: %+v", name, f.Binding)
				}
			}
			if c.doesNot != "" {
				if _, err := secret.OpenFile(again, crypt.NewOpener(people(c.doesNot)...)); !errors.Is(err, crypt.ErrNoIdentity) {
					t.Errorf("%s still reads it: %v", c.doesNot, err)
				}
			}
		})
	}
}

func TestFileReaders(t *testing.T) {
	facts, err := crypt.InspectFile(sealFileFor(t, "alice", "bob"))
	if err != nil {
		t.Fatal(err)
	}
	set := func(names ...string) []*crypt.Recipient { return recipients(people(names...)...) }
	got := secret.FileReaders(facts, set("bob", "alice"), set("alice"), set("dave", "erin"), set("alice", "carol"), set("alice", "bob"))
	want := [][]string{crypt.Fingerprints(set("alice", "bob")), crypt.Fingerprints(set("alice", "carol"))}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%v, want %v", got, want)
	}
}
