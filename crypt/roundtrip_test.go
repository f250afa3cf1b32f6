package crypt_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
)

// canary is the plaintext that no error may quote.
const canary = "hunter2-canary"

var db = crypt.Binding{Namespace: "prod", Name: "db"}

func recipients(ids ...*crypt.Identity) []*crypt.Recipient {
	var rs []*crypt.Recipient
	for _, id := range ids {
		rs = append(rs, id.Recipient())
	}
	return rs
}

func mustSession(t testing.TB, ids ...*crypt.Identity) *crypt.Session {
	t.Helper()
	s, err := crypt.NewSession(recipients(ids...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustUnwrap(t testing.TB, o *crypt.Opener, id string, w crypt.Wrap) *crypt.DataKey {
	t.Helper()
	k, err := o.Unwrap(id, w)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// wantError fails unless err is want, and checks that its text gives nothing away.
func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
	for _, secret := range []string{canary, testkeys.AliceText(), testkeys.DaveText(), "AGE-SECRET", "AGE-PLUGIN"} {
		if bytes.Contains([]byte(err.Error()), []byte(secret)) {
			t.Fatal("the error quotes a secret")
		}
	}
}

func TestSealAndOpenThroughASession(t *testing.T) {
	sets := map[string][]*crypt.Identity{
		"post-quantum": {testkeys.Alice(), testkeys.Bob(), testkeys.Carol()},
		"classic":      {testkeys.Dave(), testkeys.Erin()},
		"one":          {testkeys.Alice()},
	}
	for name, ids := range sets {
		t.Run(name, func(t *testing.T) {
			s := mustSession(t, ids...)
			k := crypt.GenerateDataKey()
			w, box := s.Wrap(k), k.Seal(db, "password", []byte(canary))
			for _, id := range ids {
				got, err := mustUnwrap(t, crypt.NewOpener(id), k.ID(), w).Open(db, "password", box)
				if err != nil || string(got) != canary {
					t.Errorf("%v: got %q, %v", id, got, err)
				}
			}
		})
	}
}

func TestOpenReturnsWhatSealTook(t *testing.T) {
	k := crypt.GenerateDataKey()
	for _, n := range []int{0, 1, 62, 63, 64, 65, 126, 127, 128, 129, 1 << 10, 1<<16 - 1, 1 << 16, crypt.MaxPlaintext - 1, crypt.MaxPlaintext} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			// Ends in what padding looks like.
			value := append(bytes.Repeat([]byte{'x'}, max(0, n-2)), []byte{0x80, 0}[:min(2, n)]...)
			got, err := k.Open(db, "k", k.Seal(db, "k", value))
			if err != nil || !bytes.Equal(got, value) {
				t.Fatalf("%d bytes came back, %v", len(got), err)
			}
			if cap(got) != len(got) {
				t.Error("the result has room in which the padding shows")
			}
		})
	}
}
