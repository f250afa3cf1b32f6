package crypt_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// textChanges calls f with every change to a base64 text that leaves its meaning unclear or another one,
// and with the errors it may have.
func textChanges(text string, damaged error, f func(what, changed string, want ...error)) {
	for i := range len(text) {
		for _, c := range alphabet + "-_=*\x00\n\r \t" {
			if byte(c) != text[i] {
				f(fmt.Sprintf("character %d is %q", i, c), text[:i]+string(c)+text[i+1:], damaged, crypt.ErrBase64, crypt.ErrBoxLength)
			}
		}
	}
	for i := range len(text) + 1 {
		for _, s := range []string{"\n", "\r", "\r\n", " ", "\t", "\x00", "=", "A\n", "====", "\n\n\n\n", "AAA\n"} {
			f(fmt.Sprintf("%q inserted at %d", s, i), text[:i]+s+text[i:], crypt.ErrBase64)
		}
	}
	for i := range len(text) {
		f(fmt.Sprintf("cut to %d characters", i), text[:i], damaged, crypt.ErrBase64, crypt.ErrBoxLength)
	}
	for i := 1; i <= 8; i++ {
		more := strings.Repeat("A", i)
		f(more+" appended", text+more, damaged, crypt.ErrBase64, crypt.ErrBoxLength)
		f(more+" in front", more+text, damaged, crypt.ErrBase64, crypt.ErrBoxLength)
	}
}

// byteChanges calls f with every bit flipped, every truncation and some additions, encoded again.
func byteChanges(t *testing.T, text string, f func(what, changed string, sameLength bool)) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.StdEncoding.EncodeToString
	for i := range raw {
		for bit := range 8 {
			changed := bytes.Clone(raw)
			changed[i] ^= 1 << bit
			f(fmt.Sprintf("bit %d of byte %d", bit, i), encode(changed), true)
		}
	}
	for i := range raw {
		f(fmt.Sprintf("cut to %d bytes", i), encode(raw[:i]), false)
		f(fmt.Sprintf("without the first %d bytes", i+1), encode(raw[i+1:]), false)
	}
	for _, b := range []byte{0, 0x80, 0xff} {
		f("a byte appended", encode(append(bytes.Clone(raw), b)), false)
		f("a byte in front", encode(append([]byte{b}, raw...)), false)
		f("64 bytes appended", encode(append(bytes.Clone(raw), bytes.Repeat([]byte{b}, 64)...)), false)
	}
}

// wantOneOf fails unless err is one of want.
func wantOneOf(t *testing.T, what string, err error, want ...error) {
	t.Helper()
	for _, w := range want {
		if errors.Is(err, w) {
			wantError(t, err, w)
			return
		}
	}
	t.Fatalf("%s: got error %v, want one of %v", what, err, want)
}

func TestEveryChangeOfABoxIsFound(t *testing.T) {
	k := crypt.GenerateDataKey()
	for _, value := range []string{"", canary, strings.Repeat(canary, 8)} {
		box := k.Seal(db, "password", []byte(value))
		open := func(what, changed string, want ...error) {
			t.Helper()
			got, err := k.Open(db, "password", changed)
			wantOneOf(t, what, err, want...)
			if got != nil {
				t.Fatalf("%s: a value beside the error", what)
			}
		}
		byteChanges(t, box, func(what, changed string, sameLength bool) {
			t.Helper()
			if sameLength {
				open(what, changed, crypt.ErrAEAD)
				return
			}
			open(what, changed, crypt.ErrBoxLength, crypt.ErrAEAD) // some cuts leave a shorter legal length
		})
		textChanges(box, crypt.ErrAEAD, open)
	}
}

func TestAMovedBoxDoesNotOpen(t *testing.T) {
	k := crypt.GenerateDataKey()
	box := k.Seal(db, "password", []byte(canary))
	other := crypt.GenerateDataKey()
	tests := []struct {
		name    string
		k       *crypt.DataKey
		binding crypt.Binding
		key     string
	}{
		{"another key", k, db, "user"},
		{"key cut short", k, db, "passwor"},
		{"key in another case", k, db, "Password"},
		{"no key", k, db, ""},
		{"another data key", other, db, "password"},
		{"another namespace", k, crypt.Binding{Namespace: "dev", Name: "db"}, "password"},
		{"another name", k, crypt.Binding{Namespace: "prod", Name: "db2"}, "password"},
		{"namespace removed", k, crypt.Binding{Name: "db"}, "password"},
		{"name removed", k, crypt.Binding{Namespace: "prod"}, "password"},
		{"binding removed", k, crypt.Binding{}, "password"},
		{"namespace and name swapped", k, crypt.Binding{Namespace: "db", Name: "prod"}, "password"},
		{"boundary moved", k, crypt.Binding{Namespace: "pro", Name: "ddb"}, "password"},
		{"boundary moved to the right", k, crypt.Binding{Namespace: "prodd", Name: "b"}, "password"},
		{"all in the namespace", k, crypt.Binding{Namespace: "proddb"}, "password"},
		{"name flows into the key", k, crypt.Binding{Namespace: "prod"}, "dbpassword"},
		{"name as the key, key as the name", k, crypt.Binding{Namespace: "prod", Name: "password"}, "db"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.k.Open(tt.binding, tt.key, box)
			wantError(t, err, crypt.ErrAEAD)
		})
	}
	t.Run("an absent namespace is not one called 01", func(t *testing.T) {
		box := k.Seal(crypt.Binding{Name: "db"}, "password", []byte(canary))
		for _, b := range []crypt.Binding{{Namespace: "\x00", Name: "db"}, {Namespace: "\x01", Name: "db"}, {Namespace: "db"}} {
			_, err := k.Open(b, "password", box)
			wantError(t, err, crypt.ErrAEAD)
		}
	})
	t.Run("two boxes swapped", func(t *testing.T) {
		user := k.Seal(db, "user", []byte(canary))
		_, err := k.Open(db, "password", user)
		wantError(t, err, crypt.ErrAEAD)
		_, err = k.Open(db, "user", box)
		wantError(t, err, crypt.ErrAEAD)
	})
}

func TestImpossibleLengths(t *testing.T) {
	k := crypt.GenerateDataKey()
	of := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for _, n := range []int{0, 1, 16, 31, 32, 33, 95, 97, 98, 99, 1<<20 + 32, 1<<20 + 1<<15 + 31, 1<<20 + 1<<15 + 33, 1<<20 + 1<<16 + 32, 8 << 20} {
		want := crypt.ErrBoxLength
		if n == 1<<20+32 { // the bucket of a value of exactly 1 MiB - 1
			want = crypt.ErrAEAD
		}
		if _, err := k.Open(db, "k", of(n)); !errors.Is(err, want) {
			t.Errorf("%d bytes: got %v, want %v", n, err, want)
		}
	}
	for _, n := range []int{96, 160, 1<<20 + 1<<15 + 32} {
		if _, err := k.Open(db, "k", of(n)); !errors.Is(err, crypt.ErrAEAD) {
			t.Errorf("%d bytes: got %v, want it decrypted", n, err)
		}
	}
	if _, err := k.Open(db, "k", strings.Repeat("*", 8<<20)); !errors.Is(err, crypt.ErrBoxLength) {
		t.Errorf("got %v for 8 MiB of garbage", err)
	}
}

func TestTwoSealsDiffer(t *testing.T) {
	k := crypt.GenerateDataKey()
	seen := make(map[string]bool)
	for range 100 {
		seen[k.Seal(db, "password", []byte(canary))] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d different boxes of 100", len(seen))
	}
}

func TestSealRefusesADataKeyOfADocument(t *testing.T) {
	s := mustSession(t, testkeys.Alice())
	fresh := crypt.GenerateDataKey()
	opened := mustUnwrap(t, crypt.NewOpener(testkeys.Alice()), fresh.ID(), s.Wrap(fresh))
	defer func() {
		text := fmt.Sprint(recover())
		if !strings.Contains(text, "new plaintext under a data key from a document") || strings.Contains(text, canary) {
			t.Errorf("got panic %q", text)
		}
	}()
	opened.Seal(db, "password", []byte(canary))
	t.Error("sealed")
}

func TestSealRefusesAValueOverTheLimit(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("sealed")
		}
	}()
	crypt.GenerateDataKey().Seal(db, "k", make([]byte, crypt.MaxPlaintext+1))
}
