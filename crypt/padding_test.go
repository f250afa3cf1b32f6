package crypt

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"
)

func TestPaddings(t *testing.T) {
	k := GenerateDataKey()
	b := Binding{Name: "db"}
	padded := func(n int, set ...[2]int) []byte {
		p := make([]byte, n)
		for _, s := range set {
			p[s[0]] = byte(s[1])
		}
		return p
	}
	tests := []struct {
		name   string
		padded []byte
		want   error
		value  int // length
	}{
		{"empty value", padded(64, [2]int{0, 0x80}), nil, 0},
		{"63 bytes", padded(64, [2]int{63, 0x80}), nil, 63},
		{"value of zeros", padded(64, [2]int{10, 0x80}), nil, 10},
		{"64 bytes", padded(128, [2]int{64, 0x80}), nil, 64},
		{"largest value", padded(1<<20+1<<15, [2]int{MaxPlaintext, 0x80}), nil, MaxPlaintext},
		{"a byte over the limit", padded(1<<20+1<<15, [2]int{MaxPlaintext + 1, 0x80}), ErrLimit, 0},
		{"all zero", padded(64), ErrPadding, 0},
		{"no end mark", padded(64, [2]int{5, 'x'}), ErrPadding, 0},
		{"another end mark", padded(64, [2]int{5, 0x81}), ErrPadding, 0},
		{"something after the end mark", padded(64, [2]int{5, 0x80}, [2]int{63, 1}), ErrPadding, 0},
		{"no room for an end mark", bytes.Repeat([]byte{'x'}, 64), ErrPadding, 0},
		{"larger bucket than needed", padded(128, [2]int{63, 0x80}), ErrPadding, 0},
		{"much larger bucket", padded(4096, [2]int{0, 0x80}), ErrPadding, 0},
		{"next bucket", padded(192, [2]int{127, 0x80}), ErrPadding, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			salt := make([]byte, saltSize)
			raw := newAEAD(k.valueKey(salt, b, "k")).Seal(salt, zeroNonce[:], tt.padded, nil)
			got, err := k.Open(b, "k", base64.StdEncoding.EncodeToString(raw))
			if !errors.Is(err, tt.want) || len(got) != tt.value || (err != nil && got != nil) {
				t.Errorf("got %d bytes, %v, want %d, %v", len(got), err, tt.value, tt.want)
			}
		})
	}
}

func TestBuckets(t *testing.T) {
	previous := 0
	for n := 1; n <= MaxPlaintext+1; n++ {
		b := bucket(n)
		switch {
		case b < n, b < previous, b%minBucket != 0, !isBucket(b), bucket(b) != b:
			t.Fatalf("bucket(%d) = %d", n, b)
		case n > 512 && (b-n)*8 > n:
			t.Fatalf("bucket(%d) = %d adds more than an eighth", n, b)
		}
		previous = b
	}
	// Every edge: the largest value of a bucket, and one byte more.
	k := GenerateDataKey()
	edges := 0
	for b := minBucket; b < 1<<16; b = bucket(b + 1) {
		edges++
		for _, n := range []int{b - 2, b - 1, b} {
			value := bytes.Repeat([]byte{0x80}, n)
			got, err := k.Open(Binding{}, "k", k.Seal(Binding{}, "k", value))
			if err != nil || !bytes.Equal(got, value) {
				t.Fatalf("%d bytes: got %d, %v", n, len(got), err)
			}
		}
	}
	if edges < 50 {
		t.Errorf("%d edges tested", edges)
	}
	for _, n := range []int{-1, 0, 1, 63, 65, previous + 1, previous + 1<<15, 1 << 21} {
		if isBucket(n) {
			t.Errorf("%d is taken for a bucket", n)
		}
	}
}

// LeastValue is exact: a value of that length has such a box, a shorter one has a smaller box.
func TestLeastValue(t *testing.T) {
	k := GenerateDataKey()
	for _, n := range []int{0, 1, 62, 63, 64, 127, 128, 500, 4000, 4095, 4096, 65_535, 65_536, 100_000, 1 << 20} {
		box := k.Seal(Binding{}, "k", make([]byte, n))
		least := LeastValue(box)
		if least > n {
			t.Errorf("%d bytes: at least %d", n, least)
		}
		_, most, err := SizeClass(box)
		if err != nil || most < n || bucket(most+1) != bucket(n+1) || most < 1<<20 && bucket(most+2) == bucket(n+1) {
			t.Errorf("%d bytes: at most %d, %v", n, most, err)
		}
		if got := bucket(least + 1); got != bucket(n+1) {
			t.Errorf("%d bytes: %d have another bucket", n, least)
		}
		if least > 0 && bucket(least) == bucket(n+1) {
			t.Errorf("%d bytes: %d is not the least", n, least)
		}
	}
	for _, no := range []string{"", "AAAA", "not base64"} {
		if _, _, err := SizeClass(no); !errors.Is(err, ErrBase64) && !errors.Is(err, ErrBoxLength) {
			t.Errorf("%q has a size class: %v", no, err)
		}
		if LeastValue(no) != 0 {
			t.Errorf("%q is no box", no)
		}
	}
}
