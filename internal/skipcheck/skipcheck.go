package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// allowance is one line of the list: "PACKAGE TEST: reason", or "PACKAGE TEST without PATH: reason" for a test that may be skipped
// only where PATH does not exist. PACKAGE ends the import path; TEST is a pattern of path.Match over the whole name, subtests
// included.
type allowance struct{ pkg, test, without, reason string }

func (a allowance) covers(t test) bool {
	if a.without != "" {
		if _, err := os.Stat(a.without); err == nil {
			return false
		}
	}
	ok, err := path.Match(a.test, t.name)
	return err == nil && ok && (t.pkg == a.pkg || strings.HasSuffix(t.pkg, "/"+a.pkg))
}

func parseAllowed(text string) ([]allowance, error) {
	var out []allowance
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		what, reason, _ := strings.Cut(line, ":")
		fields := strings.Fields(what)
		without := ""
		if len(fields) == 4 && fields[2] == "without" {
			fields, without = fields[:2], fields[3]
		}
		if len(fields) != 2 || strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%d: expected \"PACKAGE TEST: reason\" or \"PACKAGE TEST without PATH: reason\"", i+1)
		}
		if _, err := path.Match(fields[1], ""); err != nil {
			return nil, fmt.Errorf("%d: %w", i+1, err)
		}
		out = append(out, allowance{fields[0], fields[1], without, strings.TrimSpace(reason)})
	}
	return out, nil
}

type test struct{ pkg, name string }

func (t test) String() string { return t.pkg + " " + t.name }

// results is what one run of go test gave.
type results struct {
	passed          int
	failed, skipped []test
	said            map[test]string // why a test says it was skipped
	closing         []string        // the line that go test ends each package with
	broken          bool            // a package did not build, or failed outside its tests
}

// event is a line of "go test -json"; see "go doc test2json".
type event struct {
	Action, Package, Test, Output string
}

// read shows what failed in full, of the rest each package's closing line; lines that are not events (make, go vet) pass.
func read(in io.Reader, out io.Writer) (*results, error) {
	r := &results{said: map[test]string{}}
	outputs := map[test]*strings.Builder{}
	packages := 0
	for sc := bufio.NewReader(in); ; {
		line, err := sc.ReadString('\n')
		if line != "" {
			var e event
			if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil {
				fmt.Fprint(out, line)
			} else {
				packages += r.take(e, outputs, out)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if packages == 0 {
		return nil, errors.New("no package was tested: is stdin the output of \"go test -json\"?")
	}
	return r, nil
}

// take handles an event; it returns 1 for the end of a package.
func (r *results) take(e event, outputs map[test]*strings.Builder, out io.Writer) int {
	t := test{e.Package, e.Test}
	if outputs[t] == nil {
		outputs[t] = &strings.Builder{}
	}
	switch e.Action {
	case "output":
		if e.Test == "" && isClosing(e.Output) {
			r.closing = append(r.closing, e.Output)
			fmt.Fprint(out, e.Output)
			break
		}
		outputs[t].WriteString(e.Output)
	case "build-output":
		fmt.Fprint(out, e.Output)
	case "build-fail":
		r.broken = true
	case "pass", "fail", "skip":
		if e.Test == "" {
			if e.Action == "fail" {
				r.broken = true
				fmt.Fprint(out, outputs[t])
			}
			return 1
		}
		r.count(t, e.Action, outputs[t].String(), out)
		delete(outputs, t)
	}
	return 0
}

func (r *results) count(t test, action, output string, out io.Writer) {
	switch action {
	case "pass":
		r.passed++
	case "fail":
		r.failed = append(r.failed, t)
		fmt.Fprintf(out, "%s:\n%s", t, output)
	case "skip":
		r.skipped = append(r.skipped, t)
		for line := range strings.Lines(output) {
			if s := strings.TrimSpace(line); !strings.HasPrefix(s, "===") && !strings.HasPrefix(s, "---") {
				r.said[t] = s
			}
		}
	}
}

func isClosing(line string) bool {
	for _, prefix := range []string{"ok  \t", "FAIL\t", "?   \t", "---\t"} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}

// judge lists every skip, and is an error where one is not allowed or something failed.
func (r *results) judge(allowed []allowance, out io.Writer) error {
	var problems []error
	for _, t := range r.skipped {
		reason := ""
		for _, a := range allowed {
			if a.covers(t) {
				reason = a.reason
			}
		}
		if reason == "" {
			problems = append(problems, fmt.Errorf("%s was skipped and is not listed (it says %q)", t, r.said[t]))
			continue
		}
		fmt.Fprintf(out, "skipped, as listed: %s: %s\n", t, reason)
	}
	if len(r.failed) > 0 || r.broken {
		problems = append(problems, fmt.Errorf("%d tests failed", len(r.failed)))
	}
	return errors.Join(problems...)
}
