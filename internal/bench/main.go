// Command bench measures ageseal beside kustomize and the age library: the same workload, the same run, turn by turn, CPU time of the
// whole process as the kernel counts it. "make bench" runs it and has it rewrite the tables of docs/benchmarks.md.
//
// The workload is made here and holds nothing real. Nothing is measured before its output was compared with what it should be.
//
// It is a tool for people who work on ageseal, and no part of the binary.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
)

type options struct {
	ageseal, kustomize string
	sops, ksops        string // "" or missing: without the cases beside them
	sizes              []int
	runs               int
	dir                string // where the workload is made; "" for memory-backed storage where there is some
	write              string // Markdown file whose tables are replaced; "" for stdout
	args               []string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == baselineMode {
		exit(baseline(os.Args[2:]))
	}
	o := options{args: os.Args[1:]}
	flag.StringVar(&o.ageseal, "ageseal", "bin/ageseal", "the ageseal to measure")
	flag.StringVar(&o.kustomize, "kustomize", ".tools/kustomize", "the kustomize to measure it beside")
	flag.StringVar(&o.sops, "sops", ".tools/sops", "the sops to measure it beside; may be missing")
	flag.StringVar(&o.ksops, "ksops", ".tools/ksops", "the KSOPS to measure it beside; may be missing")
	flag.IntVar(&o.runs, "runs", 11, "turns of each case, at least 7; fewer with 1000 Secrets and more")
	flag.StringVar(&o.dir, "dir", "", "where to make the workload (default: /dev/shm, else the temporary directory)")
	flag.StringVar(&o.write, "write", "", "Markdown file whose tables between the markers are replaced (default: print them)")
	sizes := flag.String("n", "1,10,100,1000", "how many Secrets, separated by commas")
	flag.Parse()

	for s := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			exit(fmt.Errorf("-n %s: expected numbers of Secrets, such as 1,10,100,1000", *sizes))
		}
		o.sizes = append(o.sizes, n)
	}
	slices.Sort(o.sizes)
	if o.runs < 7 {
		exit(errors.New("-runs: at least 7, or the medians say nothing"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, &o)
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: error: %v\n", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, o *options) (err error) {
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	report, err := b.report(ctx)
	if err != nil {
		return err
	}
	if o.write == "" {
		_, err = fmt.Print(report)
		return err
	}
	return replaceTables(o.write, report)
}
