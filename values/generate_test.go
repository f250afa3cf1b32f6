package values

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestGenerated(t *testing.T) {
	tests := []struct {
		spec, alphabet string
		length         int
		weak           bool
	}{
		{"k", upper + lower + digits, 32, false},
		{"k=40", upper + lower + digits, 40, false},
		{"k=10", upper + lower + digits, 10, true}, // 59 bits
		{"k=11", upper + lower + digits, 11, false},
		{"k=16:hex", digits + "abcdef", 16, false}, // 64 bits
		{"k=15:hex", digits + "abcdef", 15, true},
		{"k=100:digits", digits, 100, false},
		{"k=100:alpha", upper + lower, 100, false},
		{"k=65536:base64url", upper + lower + digits + "-_", 65536, false},
		{"k=500:ab:=,a", "ab:=,", 500, false},
		{"k=100:é…", "é…", 100, false},
		{"k=1:ab", "ab", 1, true},
	}
	for _, test := range tests {
		v := &Values{}
		if err := v.AddGenerated(test.spec); err != nil {
			t.Fatalf("%s: %v", test.spec, err)
		}
		value := string(v.Get("k"))
		if n := utf8.RuneCountInString(value); n != test.length {
			t.Errorf("%s: %d characters", test.spec, n)
		}
		if i := strings.IndexFunc(value, func(r rune) bool { return !strings.ContainsRune(test.alphabet, r) }); i >= 0 {
			t.Errorf("%s: %q is not in the alphabet", test.spec, value[i:])
		}
		if weak := len(v.Warnings) > 0; weak != test.weak {
			t.Errorf("%s: weak %v", test.spec, weak)
		}
		if len(v.Warnings) > 0 && strings.Contains(told(v.Warnings[0]), value) && test.length > 1 {
			t.Errorf("%s: the warning has the value", test.spec)
		}
	}
	for _, spec := range []string{"", "a b", "=5", "k=", "k=0", "k=65537", "k=-1", "k=x", "k=5:", "k=5:a", "k=5:aaa",
		"k=5:a\x00", "k=5:ab\xff", "k=5:ab\n"} {
		refused(t, (&Values{}).AddGenerated(spec), nil, "")
	}
	v := &Values{}
	if err := v.AddGenerated("k"); err != nil {
		t.Fatal(err)
	}
	refused(t, v.AddGenerated("k"), ErrTwice, "key k")
}

func TestAlphabets(t *testing.T) {
	for name, want := range map[string]int{"alnum": 62, "alpha": 52, "digits": 10, "hex": 16, "base64url": 64, "ascii": 90} {
		if got, err := characters(name); err != nil || len(got) != want || strings.ContainsAny(string(got), "'\"`\\ ") {
			t.Errorf("%s: %d characters, %v", name, len(got), err)
		}
	}
}

// Each character comes as often as any other: chi-squared over 5 characters, which bytes modulo 5 would skew, and all named
// alphabets. A good generator fails at 8 standard deviations once in a very long time.
func TestUnbiased(t *testing.T) {
	const n = 200_000
	for _, alphabet := range []string{"abcde", "alnum", "ascii"} {
		set, err := characters(alphabet)
		if err != nil {
			t.Fatal(err)
		}
		value, err := random(n, set)
		if err != nil {
			t.Fatal(err)
		}
		counts := map[rune]int{}
		for _, r := range string(value) {
			counts[r]++
		}
		expected, chi := float64(n)/float64(len(set)), 0.0
		for _, r := range set {
			d := float64(counts[r]) - expected
			chi += d * d / expected
		}
		freedom := float64(len(set) - 1)
		if chi > freedom+8*math.Sqrt(2*freedom) {
			t.Errorf("%s: chi-squared %.1f for %.0f degrees of freedom", alphabet, chi, freedom)
		}
	}
}
