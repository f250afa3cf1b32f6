package crypt_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
)

func TestEveryChangeOfADataKeyIsFound(t *testing.T) {
	s := mustSession(t, testkeys.Dave())
	k := crypt.GenerateDataKey()
	w := s.Wrap(k)
	o := crypt.NewOpener(testkeys.Dave())
	unwrap := func(what, changed string, want ...error) {
		t.Helper()
		w := w
		w.DK = changed
		got, err := o.Unwrap(k.ID(), w)
		wantOneOf(t, what, err, want...)
		if got != nil {
			t.Fatalf("%s: a data key beside the error", what)
		}
	}
	byteChanges(t, w.DK, func(what, changed string, _ bool) { t.Helper(); unwrap(what, changed, crypt.ErrDataKey) })
	textChanges(w.DK, crypt.ErrDataKey, unwrap)
	unwrap("8 MiB", strings.Repeat("A", 8<<20), crypt.ErrDataKey)
	if o.Unwraps() != 1 {
		t.Errorf("%d unwraps of one blob", o.Unwraps())
	}
}

func TestEveryChangeOfAnAgeBlobIsFound(t *testing.T) {
	for name, ids := range map[string][]*crypt.Identity{
		"classic": {testkeys.Dave(), testkeys.Erin()},
		"hybrid":  {testkeys.Alice()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustSession(t, ids...)
			k := crypt.GenerateDataKey()
			w := s.Wrap(k)
			raw, err := base64.StdEncoding.DecodeString(w.Age)
			if err != nil {
				t.Fatal(err)
			}
			o := crypt.NewOpener(ids[0])
			check := func(what string, changed []byte) {
				t.Helper()
				w := w
				w.Age = base64.StdEncoding.EncodeToString(changed)
				_, err := o.Unwrap(k.ID(), w)
				wantOneOf(t, what, err, crypt.ErrAge)
			}
			for i := range raw {
				for bit := range 8 {
					if name == "hybrid" && bit != i%8 {
						continue // slow, and the long base64 in it is all alike
					}
					changed := bytes.Clone(raw)
					changed[i] ^= 1 << bit
					check(fmt.Sprintf("bit %d of byte %d", bit, i), changed)
				}
				check(fmt.Sprintf("cut to %d", i), raw[:i])
				if name == "classic" {
					check(fmt.Sprintf("LF at %d", i), slices.Insert(bytes.Clone(raw), i, '\n'))
				}
			}
			check("a byte appended", append(bytes.Clone(raw), 0))
			check("a file appended", append(bytes.Clone(raw), raw...))
			check("armored", []byte("-----BEGIN AGE ENCRYPTED FILE-----\n"))
		})
	}
}

func TestTheTextOfAnAgeBlobIsStrict(t *testing.T) {
	s := mustSession(t, testkeys.Dave())
	k := crypt.GenerateDataKey()
	w := s.Wrap(k)
	o := crypt.NewOpener(testkeys.Dave())
	for i := range len(w.Age) + 1 {
		for _, c := range []string{"\n", "\r\n", " ", "=", "\n\n\n\n"} {
			w := w
			w.Age = w.Age[:i] + c + w.Age[i:]
			_, err := o.Unwrap(k.ID(), w)
			wantError(t, err, crypt.ErrBase64)
		}
	}
	for _, text := range []string{"", "*", strings.Replace(w.Age, "Y", "-", 1)} {
		w := w
		w.Age = text
		_, err := o.Unwrap(k.ID(), w)
		wantOneOf(t, text, err, crypt.ErrBase64, crypt.ErrAge)
	}
	w.Age = strings.Repeat("A", crypt.MaxAge)
	if _, err := o.Unwrap(k.ID(), w); !errors.Is(err, crypt.ErrAge) {
		t.Errorf("at the limit: got %v", err)
	}
	before := o.Unwraps()
	w.Age += "AAAA"
	if _, err := o.Unwrap(k.ID(), w); !errors.Is(err, crypt.ErrLimit) || o.Unwraps() != before {
		t.Errorf("over the limit: got %v, %d unwraps", err, o.Unwraps()-before)
	}
}

func TestAChangedRecipientListIsFound(t *testing.T) {
	s := mustSession(t, testkeys.Alice(), testkeys.Bob(), testkeys.Carol())
	k := crypt.GenerateDataKey()
	w := s.Wrap(k)
	to := w.To
	dave := testkeys.Dave().Recipient().Fingerprint()
	many := make([]string, crypt.MaxRecipients+1)
	for i := range many {
		many[i] = fmt.Sprintf("aaaaaaaaaaaaa%c%c%c", 'a'+i/625, 'a'+i/25%25, 'a'+i%25)
	}
	extended := append([]string{dave}, to...)
	slices.Sort(extended)
	tests := []struct {
		name string
		to   []string
		want error
	}{
		{"reordered", []string{to[1], to[0], to[2]}, crypt.ErrToMismatch},
		{"reversed", []string{to[2], to[1], to[0]}, crypt.ErrToMismatch},
		{"shortened", to[:2], crypt.ErrToMismatch},
		{"without the first", to[1:], crypt.ErrToMismatch},
		{"extended", extended, crypt.ErrToMismatch},
		{"one replaced", []string{to[0], to[1], "zzzzzzzzzzzzzzzz"}, crypt.ErrToMismatch},
		{"duplicated", []string{to[0], to[1], to[2], to[2]}, crypt.ErrToMismatch},
		{"empty", nil, crypt.ErrToMismatch},
		{"upper case", []string{strings.ToUpper(to[0]), to[1], to[2]}, crypt.ErrToMismatch},
		{"with a space", []string{to[0], to[1], to[2] + " "}, crypt.ErrToMismatch},
		{"joined", []string{to[0] + to[1], to[2]}, crypt.ErrToMismatch},
		{"128", many[:crypt.MaxRecipients], crypt.ErrToMismatch},
		{"129", many, crypt.ErrLimit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := w
			w.To = tt.to
			_, err := crypt.NewOpener(testkeys.Bob()).Unwrap(k.ID(), w)
			wantError(t, err, tt.want)
		})
	}
}

func TestWrapsOfOtherIDsAndSessions(t *testing.T) {
	alice, bob := testkeys.Alice(), testkeys.Bob()
	s1, s2 := mustSession(t, alice), mustSession(t, alice)
	k1, k2 := crypt.GenerateDataKey(), crypt.GenerateDataKey()
	w1, w2 := s1.Wrap(k1), s1.Wrap(k2)
	o := crypt.NewOpener(alice)
	unwrap := func(name, id string, w crypt.Wrap, want error) {
		t.Run(name, func(t *testing.T) {
			_, err := o.Unwrap(id, w)
			wantError(t, err, want)
		})
	}
	unwrap("swapped between ids", k1.ID(), w2, crypt.ErrDataKey)
	unwrap("dk of another id", k1.ID(), crypt.Wrap{To: w1.To, Age: w1.Age, DK: w2.DK}, crypt.ErrDataKey)
	unwrap("blob of another session", k1.ID(), crypt.Wrap{To: w1.To, Age: s2.Wrap(k1).Age, DK: w1.DK}, crypt.ErrDataKey)
	unwrap("id unknown", strings.Repeat("a", 32), w1, crypt.ErrDataKey)
	unwrap("id in upper case", strings.ToUpper(k1.ID()), w1, crypt.ErrKeyID)
	unwrap("id cut short", k1.ID()[:31], w1, crypt.ErrKeyID)
	unwrap("id empty", "", w1, crypt.ErrKeyID)
	unwrap("id too long", k1.ID()+"a", w1, crypt.ErrKeyID)
	unwrap("blob for somebody else", k1.ID(), mustSession(t, bob).Wrap(k1), crypt.ErrNoIdentity)
	unwrap("blob for somebody else, list says us", k1.ID(),
		crypt.Wrap{To: w1.To, Age: mustSession(t, bob).Wrap(k1).Age, DK: w1.DK}, crypt.ErrAge)
	mustUnwrap(t, o, k1.ID(), w1)
	mustUnwrap(t, o, k2.ID(), w2)
}

func TestWhoCanUnwrap(t *testing.T) {
	alice, bob, dave := testkeys.Alice(), testkeys.Bob(), testkeys.Dave()
	k := crypt.GenerateDataKey()
	toAlice, toDave := mustSession(t, alice).Wrap(k), mustSession(t, dave).Wrap(k)
	tests := []struct {
		name string
		ids  []*crypt.Identity
		w    crypt.Wrap
		want error
	}{
		{"the recipient", []*crypt.Identity{alice}, toAlice, nil},
		{"the recipient, last", []*crypt.Identity{bob, dave, alice}, toAlice, nil},
		{"classic beside hybrid", []*crypt.Identity{alice, bob, dave}, toDave, nil},
		{"somebody else", []*crypt.Identity{bob}, toAlice, crypt.ErrNoIdentity},
		{"somebody else of the other kind", []*crypt.Identity{dave}, toAlice, crypt.ErrNoIdentity},
		{"nobody", nil, toAlice, crypt.ErrNoIdentity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := crypt.NewOpener(tt.ids...)
			got, err := o.Unwrap(k.ID(), tt.w)
			if tt.want != nil {
				wantError(t, err, tt.want)
				return
			}
			if err != nil || got.ID() != k.ID() {
				t.Fatalf("got %v, %v", got, err)
			}
		})
	}
	t.Run("right identity for one of two", func(t *testing.T) {
		o := crypt.NewOpener(alice)
		mustUnwrap(t, o, k.ID(), toAlice)
		_, err := o.Unwrap(k.ID(), toDave)
		wantError(t, err, crypt.ErrNoIdentity)
	})
	t.Run("identities are counted once", func(t *testing.T) {
		if n := crypt.NewOpener(alice, bob, testkeys.Alice()).Identities(); n != 2 {
			t.Errorf("got %d", n)
		}
	})
}

func TestEachBlobIsOpenedOnce(t *testing.T) {
	alice := testkeys.Alice()
	s1, s2 := mustSession(t, alice), mustSession(t, alice)
	stranger := mustSession(t, testkeys.Bob())
	o := crypt.NewOpener(alice)
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for _, s := range []*crypt.Session{s1, s2} {
				k := crypt.GenerateDataKey()
				got, err := o.Unwrap(k.ID(), s.Wrap(k))
				if err != nil || got.ID() != k.ID() {
					t.Errorf("got %v, %v", got, err)
				}
			}
			k := crypt.GenerateDataKey()
			if _, err := o.Unwrap(k.ID(), stranger.Wrap(k)); !errors.Is(err, crypt.ErrNoIdentity) {
				t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
	if o.Unwraps() != 3 {
		t.Errorf("%d unwraps of three blobs", o.Unwraps())
	}
	// The cache remembers the blob, not whom the document says it is for.
	k := crypt.GenerateDataKey()
	w := stranger.Wrap(k)
	w.To = s1.To()
	_, err := o.Unwrap(k.ID(), w)
	wantError(t, err, crypt.ErrAge)
	_, err = o.Unwrap(k.ID(), stranger.Wrap(k))
	wantError(t, err, crypt.ErrNoIdentity)
	if o.Unwraps() != 3 {
		t.Errorf("%d unwraps of three blobs", o.Unwraps())
	}
}
