package crypt

import (
	"bytes"
	"fmt"
	"math/bits"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	minBucket = 64
	endMark   = 0x80 // follows the value; zeros follow it
)

// bucket is the padded length for n bytes (value and end mark): Padmé (PURBs, Nikitin et al. 2019) with
// a floor of 64. Above a few hundred bytes it adds at most about an eighth.
func bucket(n int) int {
	if n <= minBucket {
		return minBucket
	}
	step := step(n)
	return (n + step - 1) / step * step
}

// step is how far apart buckets are around n bytes.
func step(n int) int {
	e := bits.Len(uint(n)) - 1
	s := bits.Len(uint(e))
	return max(minBucket, 1<<(e-s))
}

// SizeClass gives the least and the most bytes that the value of a box can have: padding hides the rest. It needs no key.
// Errors: ErrBase64, ErrBoxLength.
func SizeClass(box string) (least, most int, err error) {
	b, err := decodeBase64(box)
	if err != nil {
		return 0, 0, err
	}
	n := len(b) - saltSize - chacha20poly1305.Overhead
	switch {
	case n < minBucket || !isBucket(n):
		return 0, 0, ErrBoxLength
	case n == minBucket:
		return 0, minBucket - 1, nil
	}
	// A value as long as the bucket before is the first that does not fit there, with its end mark.
	return n - step(n-1), min(n-1, MaxPlaintext), nil
}

// LeastValue is the lower end of a box's SizeClass. For what is no box it is 0.
func LeastValue(box string) int {
	least, _, _ := SizeClass(box)
	return least
}

// isBucket reports whether some value of at most MaxPlaintext bytes is padded to n bytes.
func isBucket(n int) bool {
	return n <= bucket(MaxPlaintext+1) && bucket(n) == n
}

// unpad takes the padding off p without copying. Only the one padding that Seal writes is accepted.
// Errors: ErrPadding, ErrLimit.
func unpad(p []byte) ([]byte, error) {
	marked := bytes.TrimRight(p, "\x00")
	n := len(marked) - 1
	if n < 0 || marked[n] != endMark || bucket(n+1) != len(p) {
		return nil, ErrPadding
	}
	if n > MaxPlaintext { // the last bucket has room for more
		return nil, fmt.Errorf("the value is %w of %d bytes", ErrLimit, MaxPlaintext)
	}
	return p[:n:n], nil
}
