// Command covercheck reads a coverage profile of "go test" and holds every package in it to two rules: at least -least percent of its
// statements are run by tests, and each statement that isn't has a reason beside it, a comment that begins with "not reached:". It
// stands in the block it is about, or at the end of its line, and goes for the blocks within, too. A reason beside code that is run is as wrong.
//
//	go test -coverpkg=./crypt -coverprofile=coverage.out ./crypt
//	covercheck -least 95 coverage.out
//
// It is a tool for people who work on ageseal, and no part of the binary.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
)

func main() {
	least := flag.Float64("least", 95, "percent of statements")
	flag.Parse()
	if err := run(os.Stdout, flag.Args(), *least); err != nil {
		fmt.Fprintln(os.Stderr, "covercheck:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, args []string, least float64) error {
	if len(args) != 1 {
		return errors.New("usage: covercheck [-least PERCENT] PROFILE, from the root of the module")
	}
	profile, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer profile.Close()
	files, err := readProfile(profile)
	if err != nil {
		return err
	}

	bad := 0
	total, missed := map[string]int{}, map[string]int{}
	for _, f := range files {
		reasons, err := readReasons(f.path)
		if err != nil {
			return err
		}
		for _, r := range reasons {
			r.narrow(f.blocks)
		}
		for _, b := range f.blocks {
			total[f.pkg] += b.statements
			if b.runs > 0 || b.statements == 0 {
				continue
			}
			missed[f.pkg] += b.statements
			if !explain(reasons, b) {
				bad++
				fmt.Fprintf(out, "%s:%d: no test runs this, and no comment says why\n", f.path, b.from.line)
			}
		}
		for _, r := range reasons {
			if !r.used {
				bad++
				fmt.Fprintf(out, "%s:%d: tests run what the comment says is not reached\n", f.path, r.line)
			}
		}
	}
	packages := make([]string, 0, len(total))
	for p := range total {
		packages = append(packages, p)
	}
	slices.Sort(packages)
	for _, p := range packages {
		percent := 100 * float64(total[p]-missed[p]) / float64(total[p])
		fmt.Fprintf(out, "%s: %.1f %% of %d statements, the others explained\n", p, percent, total[p])
		if percent < least {
			bad++
			fmt.Fprintf(out, "%s: less than %g %%\n", p, least)
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d faults", bad)
	}
	return nil
}
