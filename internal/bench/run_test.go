//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRefuses(t *testing.T) {
	const afterTheFirst = `[ -e "$0.built" ] || { : > "$0.built"; exit 0; }` + "\n"
	for name, c := range map[string]struct {
		script string
		fit    bool
	}{
		"refuses what it must":          {afterTheFirst + "exit 1", true},
		"takes everything":              {"exit 0", false},
		"takes nothing":                 {"exit 1", false},
		"refuses, but writes before it": {afterTheFirst + "echo partial; exit 1", false},
	} {
		dir := t.TempDir()
		program := filepath.Join(dir, "ageseal")
		if err := os.WriteFile(program, []byte("#!/bin/sh\n[ \"$1\" = encrypt ] && exit 0\n"+c.script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		b := bench{options: options{ageseal: program}, root: dir}
		if err := b.checkRefuses(t.Context()); (err == nil) != c.fit {
			t.Errorf("a program that %s: fit to be measured %t, want %t: %v", name, err == nil, c.fit, err)
		}
	}
}

func TestTurns(t *testing.T) {
	dir := t.TempDir()
	b := bench{options: options{runs: 7}, root: dir}
	for _, c := range []struct{ slow, n, runs, kept int }{{0, 100, 8, 7}, {2, 10, 16, 7}, {2, 100, 6, 5}, {0, 1000, 5, 5}, {2, 1000, 2, 2}} {
		runs := 0
		p := program{"x", command{args: []string{"true"}, prepare: func() error { runs++; return nil }}, c.slow}
		m, err := b.run(t.Context(), round{programs: []program{p}}, c.n)
		if err != nil {
			t.Fatal(err)
		}
		if runs != c.runs || len(m["x"]) != c.kept {
			t.Errorf("with %d Secrets, slow %d: %d turns, %d counted; want %d and %d", c.n, c.slow, runs, len(m["x"]), c.runs, c.kept)
		}
	}
}
