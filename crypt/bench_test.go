package crypt_test

import (
	"bytes"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
)

var benchValues = []struct {
	name  string
	value []byte
}{
	{"40B", bytes.Repeat([]byte{'v'}, 40)},
	{"2KB", bytes.Repeat([]byte{'v'}, 2048)},
}

func BenchmarkSeal(b *testing.B) {
	k := crypt.GenerateDataKey()
	for _, bb := range benchValues {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				k.Seal(db, "password", bb.value)
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	k := crypt.GenerateDataKey()
	for _, bb := range benchValues {
		box := k.Seal(db, "password", bb.value)
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Open(db, "password", box); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkUnwrapCached is the cost for each document of a repository encrypted in one run.
func BenchmarkUnwrapCached(b *testing.B) {
	s := mustSession(b, testkeys.Alice(), testkeys.Bob(), testkeys.Carol())
	k := crypt.GenerateDataKey()
	w := s.Wrap(k)
	o := crypt.NewOpener(testkeys.Alice())
	b.ReportAllocs()
	for b.Loop() {
		mustUnwrap(b, o, k.ID(), w)
	}
}

func BenchmarkUnwrapFirst(b *testing.B) {
	s := mustSession(b, testkeys.Alice())
	k := crypt.GenerateDataKey()
	w := s.Wrap(k)
	alice := testkeys.Alice()
	b.ReportAllocs()
	for b.Loop() {
		mustUnwrap(b, crypt.NewOpener(alice), k.ID(), w)
	}
}

func BenchmarkNewSession(b *testing.B) {
	rs := recipients(testkeys.Alice())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := crypt.NewSession(rs); err != nil {
			b.Fatal(err)
		}
	}
}
