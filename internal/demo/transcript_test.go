package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const text = "# A\n\n```sh\n$ not console\n```\n\n## B\n\n```console\n$ one\nshown …\n\n$ two   # refused: because\n```\n\n## C\n\n```console\n# comment\n$ three\n```\n"
	all := []step{
		{line: 10, command: "one", shown: []string{"shown …"}},
		{line: 13, command: "two   # refused: because", refused: true},
		{line: 20, block: 1, command: "three"},
	}
	for section, want := range map[string][]step{"": all, "B": all[:2], "C": {{line: 20, command: "three"}}, "D": nil} {
		if diff := cmp.Diff(want, parse(text, section), cmp.AllowUnexported(step{})); diff != "" {
			t.Errorf("section %q (-want +got):\n%s", section, diff)
		}
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name   string
		step   step
		out    string
		status int
		want   string // a piece of the error, "" for none
	}{
		{"as shown", step{shown: []string{"a … c", "…", "d"}}, "x\na b c\nd\n", 0, ""},
		{"fails", step{command: "c"}, "", 3, `"c" ended with status 3`},
		{"refused", step{refused: true}, "", 3, ""},
		{"not refused", step{refused: true}, "", 0, "the text says it is refused"},
		{"line missing", step{shown: []string{"a"}}, "ab\n", 0, `has no line "a"`},
		{"other order", step{shown: []string{"b", "a"}}, "a\nb\n", 0, `has no line "a"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.step.check(test.out, test.status)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("check = %v, want %q", err, test.want)
			}
		})
	}
}

func TestShorten(t *testing.T) {
	if diff := cmp.Diff("äbc…\nabcd\n", shorten("äbcde\nabcd", 4)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestScratch(t *testing.T) {
	t.Setenv("AGESEAL_IDENTITY", "of the person who runs the tests")
	examples := t.TempDir()
	if err := os.WriteFile(filepath.Join(examples, "file"), []byte("content\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := newScratch(t.Context(), t.TempDir(), examples)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		command, out string
		status       int
	}{
		{"cat file; git status --short", "content\n?? file\n", 0},
		{"mkdir below && cd below", "", 0},
		{"ls ../file", "../file\n", 0},
		{"false | true", "", 1},
		{"exit 7", "", 7},
		{`echo "${AGESEAL_IDENTITY-none}"`, "none\n", 0},
	} {
		out, status := s.run(t.Context(), test.command)
		if out != test.out || status != test.status {
			t.Errorf("%s: %q, status %d; want %q, status %d", test.command, out, status, test.out, test.status)
		}
	}
	if err := s.remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.root); !os.IsNotExist(err) {
		t.Errorf("the scratch directory is still there: %v", err)
	}
}
