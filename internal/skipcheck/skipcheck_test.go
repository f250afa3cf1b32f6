package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const stream = `go vet ./...
{"Action":"start","Package":"m/a"}
{"Action":"output","Package":"m/a","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"pass","Package":"m/a","Test":"TestGood"}
{"Action":"output","Package":"m/a","Test":"TestLink/windows","Output":"    a_test.go:3: no links here\n"}
{"Action":"output","Package":"m/a","Test":"TestLink/windows","Output":"    --- SKIP: TestLink/windows (0.00s)\n"}
{"Action":"skip","Package":"m/a","Test":"TestLink/windows"}
{"Action":"output","Package":"m/a","Output":"ok  \tm/a\t0.1s\n"}
{"Action":"pass","Package":"m/a"}
{"Action":"output","Package":"m/none","Output":"?   \tm/none\t[no test files]\n"}
{"Action":"skip","Package":"m/none"}
`

const failing = `{"Action":"output","Package":"m/b","Test":"TestBad","Output":"    b_test.go:9: it broke\n"}
{"Action":"fail","Package":"m/b","Test":"TestBad"}
{"Action":"output","Package":"m/b","Output":"FAIL\tm/b\t0.1s\n"}
{"Action":"fail","Package":"m/b"}
`

func TestJudge(t *testing.T) {
	tests := []struct {
		name, stream, allowed string
		want                  string // a piece of the error
		shown                 []string
	}{
		{"listed skip", stream, "a TestLink/*: links need rights on Windows", "", []string{
			"go vet ./...\n", "ok  \tm/a\t0.1s\n", "skipped, as listed: m/a TestLink/windows: links need rights on Windows"}},
		{"unlisted skip", stream, "# nothing", `m/a TestLink/windows was skipped and is not listed (it says "a_test.go:3: no links here")`, nil},
		{"listed for another package", stream, "b TestLink/*: reason", "is not listed", nil},
		{"the pattern is of the whole name", stream, "a TestLink: reason", "is not listed", nil},
		{"failure", failing, "", "1 tests failed", []string{"it broke", "FAIL\tm/b\t0.1s\n"}},
		{"does not build", `{"Action":"build-output","Output":"x.go:1: syntax error\n"}` + "\n" + `{"Action":"build-fail"}` + "\n" + stream, "a *: r\na */*: r", "0 tests failed", []string{"syntax error"}},
		{"fails outside its tests", `{"Action":"output","Package":"m/c","Output":"panic: gone\n"}` + "\n" + `{"Action":"fail","Package":"m/c"}`, "", "0 tests failed", []string{"panic: gone"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			allowed, err := parseAllowed(test.allowed)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			r, err := read(strings.NewReader(test.stream), &out)
			if err != nil {
				t.Fatal(err)
			}
			err = r.judge(allowed, &out)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("judge = %v, want %q", err, test.want)
			}
			for _, s := range test.shown {
				if !strings.Contains(out.String(), s) {
					t.Errorf("the output lacks %q:\n%s", s, out.String())
				}
			}
		})
	}
}

func TestReadNothing(t *testing.T) {
	if _, err := read(strings.NewReader("make: nothing to do\n"), &strings.Builder{}); err == nil {
		t.Error("a run without any test passed")
	}
}

func TestAllowedOnlyWithout(t *testing.T) {
	there, absent := t.TempDir(), filepath.Join(t.TempDir(), "absent")
	skipped := test{"example.com/m/c", "TestY"}
	if (allowance{"c", "TestY", there, "y"}).covers(skipped) {
		t.Errorf("a skip was allowed although %s is there", there)
	}
	if !(allowance{"c", "TestY", absent, "y"}).covers(skipped) {
		t.Errorf("a skip was not allowed although %s is absent", absent)
	}
}

func TestParseAllowed(t *testing.T) {
	got, err := parseAllowed("# why\n\na/b TestX/*: no python3: PyYAML\nc TestY without ../x: y\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]allowance{{"a/b", "TestX/*", "", "no python3: PyYAML"}, {"c", "TestY", "../x", "y"}}, got, cmp.AllowUnexported(allowance{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{"a TestX", "a TestX:", "TestX: reason", "a TestX with x: y", "a TestX without: y", "a [: reason"} {
		if _, err := parseAllowed("\n" + bad); err == nil || !strings.HasPrefix(err.Error(), "2: ") {
			t.Errorf("parseAllowed(%q) = %v, want an error with the line", bad, err)
		}
	}
}
