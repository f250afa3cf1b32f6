package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ageseal/ageseal/policy"
)

// matches asks a policy whose first rule has the pattern.
func matches(t testing.TB, pattern, path string) bool {
	t.Helper()
	p := parse(t, head+"rules:\n- path: '"+pattern+"'\n  recipients: [alice]\n")
	_, ok := p.Match(path)
	return ok
}

func TestGlob(t *testing.T) {
	// Below each pattern: what it matches, and what it doesn't.
	tests := []struct {
		pattern  string
		yes, not []string
	}{
		{"**",
			[]string{"x", "a/x", "a/b/c/x.yaml", ".hidden", "a/.b/c", "a b", "ünï/cødé"},
			[]string{"", ".", "/", "/x", "..", "../x", "a/../../x", "a/"}},
		{"*",
			[]string{"x", "a/x", "a/b/.x"}, []string{"a/"}},
		{"secrets.yaml",
			[]string{"secrets.yaml", "a/secrets.yaml", "a/b/c/secrets.yaml", "./secrets.yaml", "a/./secrets.yaml", "a//secrets.yaml", "b/../secrets.yaml"},
			[]string{"Secrets.yaml", "secrets.yaml.bak", "xsecrets.yaml", "secrets.yaml/x", "secretsXyaml"}},
		{"*.yaml",
			[]string{"a.yaml", ".yaml", "d/a.yaml", "d/e/a.b.yaml"},
			[]string{"a.yml", "a.YAML", "a.yaml/b", "yaml"}},
		{"/secrets.yaml",
			[]string{"secrets.yaml"}, []string{"a/secrets.yaml"}},
		{"/*.yaml",
			[]string{"a.yaml"}, []string{"d/a.yaml"}},
		{"/**",
			[]string{"a", "a/b"}, nil},
		{"apps/prod/**",
			[]string{"apps/prod/a", "apps/prod/a/b/c", "apps/prod/.a"},
			[]string{"apps/prod", "apps/production/a", "apps/prod2", "x/apps/prod/a", "apps/Prod/a", "apps/prod/../dev/a", "prod/a", "apps"}},
		{"apps/prod",
			[]string{"apps/prod"}, []string{"apps/prod/a", "x/apps/prod"}},
		{"apps/*",
			[]string{"apps/a", "apps/.a"}, []string{"apps", "apps/a/b", "x/apps/a"}},
		{"apps/*/db.yaml",
			[]string{"apps/a/db.yaml"}, []string{"apps/db.yaml", "apps/a/b/db.yaml"}},
		{"apps/**/db.yaml",
			[]string{"apps/db.yaml", "apps/a/db.yaml", "apps/a/b/c/db.yaml", "apps/db.yaml/db.yaml"},
			[]string{"apps/a/db.yaml/x", "db.yaml", "apps/adb.yaml", "apps/a/b"}},
		{"**/prod/**",
			[]string{"prod/a", "x/prod/a", "x/y/prod/a/b", "prod/prod"},
			[]string{"prod", "x/prod", "x/aprod/a", "prods/a"}},
		{"**/x",
			[]string{"x", "a/x", "a/b/x"}, []string{"x/a", "ax"}},
		{"**/a/**/b/**/c",
			[]string{"a/b/c", "x/a/x/b/x/c", "a/a/b/b/c/c", "a/b/a/b/c"},
			[]string{"a/c", "b/a/c", "a/b/c/d", "c/b/a"}},
		{"a/**/**/b",
			[]string{"a/b", "a/x/b", "a/x/y/b"}, []string{"a", "b", "a/bb"}},
		{"a/**/*",
			[]string{"a/b", "a/b/c"}, []string{"a"}},
		{"a/**/?",
			[]string{"a/b", "a/bb/c", "a/b/ü"}, []string{"a/bb", "a/b/"}},
		{"a?c",
			[]string{"abc", "aüc", "x/abc"}, []string{"ac", "abbc", "a/c"}},
		{"db-[0-9].yaml",
			[]string{"db-1.yaml"}, []string{"db-a.yaml", "db-10.yaml", "db-.yaml"}},
		{"[^a-c]x",
			[]string{"dx", "1/dx"}, []string{"ax", "x", "d/x"}},
		{"[*]",
			[]string{"*"}, []string{"a"}},
		{"a/[b]/c",
			[]string{"a/b/c"}, []string{"a/[b]/c"}},
		{"*a*b*c*",
			[]string{"abc", "xaxbxcx"}, []string{"acb", "ab/c"}},
		{"a]b",
			[]string{"a]b"}, []string{"a[b"}},
		{"a b/*",
			[]string{"a b/c"}, []string{"a  b/c"}},
		{"...",
			[]string{"...", "a/..."}, []string{".."}},
	}
	for _, tt := range tests {
		for _, path := range tt.yes {
			if !matches(t, tt.pattern, path) {
				t.Errorf("%s does not match %q", tt.pattern, path)
			}
		}
		for _, path := range tt.not {
			if matches(t, tt.pattern, path) {
				t.Errorf("%s matches %q", tt.pattern, path)
			}
		}
	}
}

func TestGlobRefused(t *testing.T) {
	for pattern, want := range map[string]string{
		"":   "empty pattern",
		"!a": "not supported", "a/!b": "not supported", "[!a]": "not supported",
		`a\b`: "not supported", `\*`: "not supported",
		"{a,b}": "braces", "a}": "braces",
		"apps/": "not directories", "**/": "not directories", "/": "not directories",
		"a//b": "empty", "//a": "empty", "./a": "empty", "a/./b": "empty", "../a": "empty", "a/..": "empty", "/.": "empty",
		"a**": "stands alone", "**.yaml": "stands alone", "a/b**/c": "stands alone", "***": "stands alone",
		"[a": "character set", "a/[b": "character set", "[]": "character set", "[a/b]": "character set", "[b-": "character set", "[]a]": "character set",
		strings.Repeat("a", 1025): "1024 printable", "a\u200bb": "1024 printable",
	} {
		_, err := policy.Parse(expand(head + "rules:\n- path: '" + pattern + "'\n  recipients: [alice]\n"))
		fs := faults(t, err)
		if len(fs) != 1 || !strings.Contains(fs[0].Error(), want) || fs[0].Line != 6 {
			t.Errorf("%q: %v, want one fault with %q", pattern, err, want)
		}
	}
	if !matches(t, strings.Repeat("a", 1024), strings.Repeat("a", 1024)) {
		t.Error("a pattern of 1024 bytes is refused")
	}
}

func TestFirstMatchWins(t *testing.T) {
	p := parse(t, "$HEAD\nrecipients: {alice: $ALICE, bob: $BOB, carol: $CAROL}\nrules:\n"+
		"- {path: apps/prod/public.yaml, recipients: [carol]}\n- {path: apps/prod/**, recipients: [bob]}\n- {path: '*.yaml', recipients: [alice]}\n")
	for path, want := range map[string]string{
		"apps/prod/public.yaml": "carol", "apps/prod/x.yaml": "bob", "apps/prod/x": "bob", "apps/dev/x.yaml": "alice", "x": "",
	} {
		r, ok := p.Match(path)
		got := ""
		if ok {
			got = owners(r.Recipients)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestGlobTime(t *testing.T) {
	p := parse(t, head+"rules:\n- path: '"+strings.Repeat("**/a/", 200)+"b'\n  recipients: [alice]\n"+
		"- path: '"+strings.Repeat("*a", 500)+"b'\n  recipients: [alice]\n")
	start := time.Now()
	p.Match(strings.Repeat("a/", 50_000) + "c")
	p.Match(strings.Repeat("a", 4096) + "c")
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
