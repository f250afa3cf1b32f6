// Command report reads "go test -json" and prints what a person wants to know of it: each test with its time, all that a failed one printed, and
// in the end why one was skipped, and the versions and figures that tests tell by testing.T.Attr. It fails if a test failed, if none ran, or if
// one of the packages that its arguments name did not come to its end: a go test that is killed, or does not start, says nothing of it. With
// -need it fails, too, if one of the tests named there did not run: what a person may skip, a release may not.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

// event is a line of "go test -json"; see "go doc test2json".
type event struct {
	Action, Package, Test, Output, Key, Value string
	ImportPath                                string // of what does not build
	Elapsed                                   float64
}

func main() {
	signal.Ignore(os.Interrupt) // Ctrl-C is for the tests, which tidy up; their end is ours
	need := flag.String("need", "", "tests that have to pass, separated by blanks")
	flag.Parse()
	if err := report(os.Stdin, os.Stdout, flag.Args(), strings.Fields(*need)); err != nil {
		fmt.Fprintf(os.Stderr, "e2e: error: %v\n", err)
		os.Exit(1)
	}
}

// depth is that of a test, itself 1, below which it is counted and not shown if it passes.
const depth = 3

type count struct {
	passed, failed, skipped int
	reasons                 []string // of what was skipped
}

func report(in io.Reader, out io.Writer, packages, need []string) error {
	var c count
	said := map[string]*strings.Builder{} // by test: what it printed
	facts := []string{}
	broken := false
	ended, passed := map[string]bool{}, map[string]bool{}
	for r := bufio.NewReader(in); ; {
		line, err := r.ReadString('\n')
		var e event
		switch {
		case line == "":
		case !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &e) != nil:
			fmt.Fprint(out, line)
		default:
			id := e.Package + "\x00" + e.Test
			if said[id] == nil {
				said[id] = &strings.Builder{}
			}
			switch e.Action {
			case "attr":
				facts = append(facts, e.Key+" "+e.Value)
			case "build-output":
				fmt.Fprint(out, e.Output)
			case "output":
				said[id].WriteString(e.Output)
			case "pass", "fail", "skip":
				c.add(e, said[id].String(), out)
				ended[e.Package] = ended[e.Package] || e.Test == ""
				passed[e.Test] = passed[e.Test] || e.Action == "pass"
				broken = broken || e.Action == "fail"
			}
		}
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
	}
	fmt.Fprintln(out)
	for _, line := range append(c.reasons, facts...) {
		fmt.Fprintln(out, line)
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", c.passed, c.failed, c.skipped)
	for _, p := range packages {
		if !ended[p] {
			fmt.Fprintf(out, "FAIL  %s did not come to its end\n", p)
			broken = true
		}
	}
	for _, test := range need {
		if !passed[test] {
			fmt.Fprintf(out, "FAIL  %s has to pass, and did not\n", test)
			broken = true
		}
	}
	switch {
	case broken:
		return fmt.Errorf("not everything passed")
	case c.passed == 0:
		return fmt.Errorf("no test ran")
	}
	return nil
}

// add prints the end of one test. Subtests end before theirs.
func (c *count) add(e event, said string, out io.Writer) {
	if e.Test == "" {
		if e.Action == "fail" {
			fmt.Fprintf(out, "FAIL  %s\n%s", e.Package, said)
		}
		return
	}
	what := fmt.Sprintf("%s %s", e.Package[strings.LastIndex(e.Package, "/")+1:], strings.ReplaceAll(e.Test, "_", " "))
	switch e.Action {
	case "pass":
		c.passed++
		if strings.Count(e.Test, "/") >= depth {
			return
		}
		fmt.Fprintf(out, "ok    %s (%.1fs)\n", what, e.Elapsed)
	case "skip":
		c.skipped++
		c.reasons = append(c.reasons, fmt.Sprintf("SKIP  %s: %s", what, reason(said)))
	case "fail":
		c.failed++
		fmt.Fprintf(out, "FAIL  %s (%.1fs)\n%s", what, e.Elapsed, said)
	}
}

// reason is what a test gave to Skip, on one line.
func reason(said string) string {
	said, _, _ = strings.Cut(said, "--- SKIP")
	if _, text, ok := strings.Cut(said, "_test.go:"); ok {
		if _, text, ok = strings.Cut(text, ": "); ok {
			return fmt.Sprintf("%.400s", strings.Join(strings.Fields(text), " "))
		}
	}
	return "it does not say why"
}
