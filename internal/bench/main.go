// Command bench measures ageseal beside kustomize, the age library and its rivals: the same workload, the same run, turn by turn, CPU time
// of the whole process as the kernel counts it. "make bench" runs it and has it rewrite the tables of docs/benchmarks.md and the plot.
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
	ageseal, kustomize    string
	age, library          string // the program of age, and ours around its library
	sops, ksops, kubeseal string // "" or missing: without the cases beside them
	sizes                 []int
	runs                  int
	dir                   string // where the workload is made; "" for memory-backed storage where there is some
	write                 string // Markdown file whose tables are replaced; "" for stdout
	plot                  string // SVG file; "" for none
	args                  []string
}

func main() {
	o := options{args: os.Args[1:]}
	flag.StringVar(&o.ageseal, "ageseal", "bin/ageseal", "the ageseal to measure")
	flag.StringVar(&o.kustomize, "kustomize", ".tools/kustomize", "the kustomize to measure it beside")
	flag.StringVar(&o.age, "age", ".tools/age", "the age to measure it beside")
	flag.StringVar(&o.library, "library", ".tools/agelibrary", "the age library by itself")
	flag.StringVar(&o.sops, "sops", ".tools/sops", "the sops to measure it beside; may be missing")
	flag.StringVar(&o.ksops, "ksops", ".tools/ksops", "the KSOPS to measure it beside; may be missing")
	flag.StringVar(&o.kubeseal, "kubeseal", ".tools/kubeseal", "the kubeseal to measure it beside; may be missing")
	flag.IntVar(&o.runs, "runs", 11, "turns of each case, at least 7; fewer with 1000 Secrets and more")
	flag.StringVar(&o.dir, "dir", "", "where to make the workload (default: /dev/shm, else the temporary directory)")
	flag.StringVar(&o.write, "write", "", "Markdown file whose tables between the markers are replaced (default: print them)")
	flag.StringVar(&o.plot, "plot", "", "SVG file for the plot of the builds (default: none)")
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
	report, plot, err := b.report(ctx)
	if err != nil {
		return err
	}
	if o.plot != "" {
		if err := os.WriteFile(o.plot, []byte(plot), 0o644); err != nil {
			return err
		}
	}
	if o.write == "" {
		_, err = fmt.Print(report)
		return err
	}
	return replaceTables(o.write, report)
}
