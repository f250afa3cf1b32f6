package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const source = `package p

func f(n int) int {
	if n < 0 {
		return 0
	}
	if n > 9 { // not reached: no caller has as many
		for n > 9 {
			n--
		}
		return n
	}
	switch n {
	case 1: // not reached: one is refused before
		return 2
	}
	return n
}
`

func TestRun(t *testing.T) {
	const counted = "mode: set\n" + module + "p/p.go:3.18,4.11 1 1\n"
	const inner = module + "p/p.go:7.11,8.13 1 0\n" + module + "p/p.go:8.13,10.4 1 0\n" + module + "p/p.go:11.3,11.11 1 0\n"
	for _, c := range []struct {
		name, profile, out string
		least              float64
		fails              bool
	}{
		{"a whole block has one reason", counted + inner + module + "p/p.go:14.9,15.11 1 0\n", "p: 20.0 % of 5 statements, the others explained\n", 20, false},
		{"too little", counted + inner + module + "p/p.go:14.9,15.11 1 0\n", "p: 20.0 % of 5 statements, the others explained\np: less than 95 %\n", 95, true},
		{"no reason", counted + module + "p/p.go:4.11,6.3 1 0\n" + inner + module + "p/p.go:14.9,15.11 1 0\n",
			"p/p.go:4: no test runs this, and no comment says why\np: 16.7 % of 6 statements, the others explained\n", 0, true},
		{"another package's tests run it", counted + module + "p/p.go:4.11,6.3 1 0\n" + module + "p/p.go:4.11,6.3 1 1\n" + inner + module + "p/p.go:14.9,15.11 1 0\n",
			"p: 33.3 % of 6 statements, the others explained\n", 0, false},
		{"a reason that is none any more", counted + inner + module + "p/p.go:14.9,15.11 1 1\n",
			"p/p.go:14: tests run what the comment says is not reached\np: 40.0 % of 5 statements, the others explained\n", 0, true},
		{"a reason goes for its line where the block is run", counted + strings.Replace(inner, "11 1 0", "11 1 1", 1) + module + "p/p.go:14.9,15.11 1 0\n",
			"p/p.go:8: no test runs this, and no comment says why\np: 40.0 % of 5 statements, the others explained\n", 0, true},
		{"no profile", "mode: set\n", "", 0, true},
		{"no profile's line", "mode: set\np/p.go:x\n", "", 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write(t, filepath.Join("p", "p.go"), source)
			write(t, "coverage.out", c.profile)
			var out strings.Builder
			err := run(&out, []string{"coverage.out"}, c.least)
			if (err != nil) != c.fails {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(c.out, out.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
