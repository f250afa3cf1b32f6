package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ageseal/ageseal/internal/atomicfile"
)

// TestComplete: what a killed run left is completed if it had begun, forgotten if it had not, and never done over somebody else's change.
func TestComplete(t *testing.T) {
	for _, tt := range []struct {
		name         string
		first, other string // what the files hold when the next run comes
		begun, fails bool
		want         string // of the other
		kept         bool   // the record
	}{
		{"nothing was written", "old", "old", false, false, "old", false},
		{"half was written", "new", "old", true, false, "new", true},
		{"all was written", "new", "new", true, false, "new", true},
		{"half was written, and a file changed since", "new", "mine", false, true, "mine", true},
		{"nothing was written, and a file changed since", "old", "mine", false, false, "mine", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			top := t.TempDir()
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			first, other := filepath.Join(top, "first"), filepath.Join(top, "other")
			put := func(a, b string) {
				t.Helper()
				for path, text := range map[string]string{first: a, other: b} {
					if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			put("old", "old")
			err := writeTogether(top, []atomicfile.File{
				{Path: first, Data: []byte("new"), Old: []byte("old")}, {Path: other, Data: []byte("new"), Old: []byte("old")},
			})
			if err != nil || !cutShort(top) {
				t.Fatalf("%v, a record: %v", err, cutShort(top))
			}
			put(tt.first, tt.other)
			begun, err := complete(top)
			if begun != tt.begun || (err != nil) != tt.fails {
				t.Errorf("begun %v, error %v", begun, err)
			}
			if now, err := os.ReadFile(other); err != nil || string(now) != tt.want {
				t.Errorf("the other file holds %q, %v, want %q", now, err, tt.want)
			}
			if cutShort(top) != tt.kept {
				t.Errorf("the record is there: %v", cutShort(top))
			}
		})
	}
}
