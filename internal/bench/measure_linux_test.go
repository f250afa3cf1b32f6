// The race detector has memory of its own, which forget does not give back.

//go:build !race

package main

import "testing"

func TestForget(t *testing.T) {
	b := bench{root: t.TempDir()}
	peakOfNothing := func() int64 {
		u, err := b.measure(t.Context(), command{args: []string{"true"}})
		if err != nil {
			t.Fatal(err)
		}
		return u.peak
	}
	const size = 200 << 20
	large := make([]byte, size)
	for i := range large {
		large[i] = 1
	}
	if p := peakOfNothing(); p < size {
		t.Fatalf("a peak of %d bytes: this test, or forget, has no reason any more", p)
	}
	large = nil
	_ = large
	forget()
	if p := peakOfNothing(); p > size/2 {
		t.Errorf("a program that does nothing has a peak of %d bytes: that of this process", p)
	}
}
