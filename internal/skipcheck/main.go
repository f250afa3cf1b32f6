// Command skipcheck reads "go test -json" on stdin, shows what a person wants to see of it, and fails where a test failed or was skipped
// without being listed, with a reason, in one file: a test that quietly stopped running is a test that is gone.
//
// It is a tool for people who work on ageseal, and no part of the binary.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	list := flag.String("skips", ".ci/skips", "file of the skips that are allowed")
	closing := flag.String("closing", "", "file to write go test's closing lines to, for whoever prints them last")
	flag.Parse()
	if err := run(*list, *closing); err != nil {
		fmt.Fprintf(os.Stderr, "skipcheck: error: %v\n", err)
		os.Exit(1)
	}
}

func run(list, closing string) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	allowed, err := parseAllowed(string(text))
	if err != nil {
		return fmt.Errorf("%s:%w", list, err)
	}
	r, err := read(os.Stdin, os.Stdout)
	if err != nil {
		return err
	}
	end := strings.Join(r.closing, "") + fmt.Sprintf("%d passed, %d failed, %d skipped\n", r.passed, len(r.failed), len(r.skipped))
	if closing != "" {
		if err := os.WriteFile(closing, []byte(end), 0o644); err != nil {
			return err
		}
	}
	return r.judge(allowed, os.Stdout)
}
