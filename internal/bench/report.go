package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// The tables of a Markdown file stand between these lines.
const (
	tablesBegin = "<!-- bench:begin -->\n"
	tablesEnd   = "<!-- bench:end -->\n"
)

// report measures everything and writes it as Markdown.
func (b *bench) report(ctx context.Context) (string, error) {
	var out strings.Builder
	fmt.Fprintf(&out, "Made by `%s` on %s. CPU is user and system time of the whole process, median of %d paired runs; ratios are of the pairs.\n", b.how(), b.machine(ctx), b.runs)
	for _, n := range b.sizes {
		fmt.Fprintf(os.Stderr, "bench: %d Secrets: making them\n", n)
		t, err := b.makeTrees(ctx, n)
		if err != nil {
			return "", err
		}
		duels, err := b.duels(ctx, n, t)
		if err != nil {
			return "", err
		}
		if n == b.sizes[len(b.sizes)-1] {
			duels = append(duels, b.startUp())
		}
		fmt.Fprintf(&out, "\n### %d Secrets, hybrid keys\n\n| case | ageseal | beside it | ratio: median (min–max) | target | peak memory: ageseal, ratio |\n| --- | --- | --- | --- | --- | --- |\n", n)
		for _, d := range duels {
			fmt.Fprintf(os.Stderr, "bench: %d Secrets: %s\n", n, strings.ReplaceAll(d.name, "`", ""))
			r, err := b.fight(ctx, d)
			if err != nil {
				return "", err
			}
			out.WriteString(r.row())
		}
	}
	figures, err := b.figures(ctx)
	if err != nil {
		return "", err
	}
	out.WriteString("\n### Sizes\n\n| what | figure | target |\n| --- | --- | --- |\n")
	for _, f := range figures {
		fmt.Fprintf(&out, "| %s | %s | %s |\n", f.name, f.value, target(f.target, f.met))
	}
	return out.String(), nil
}

func (r result) row() string {
	limit := ""
	if r.limit > 0 {
		limit = target(fmt.Sprintf("≤ %.2f", r.limit), r.cpu.median <= r.limit)
	}
	memory := fmt.Sprintf("%.1f MiB, %.2f", float64(r.ours.peak)/(1<<20), r.peak.median)
	if r.memory > 0 {
		memory += " (" + target(fmt.Sprintf("≤ %.2f", r.memory), r.peak.median <= r.memory) + ")"
	}
	return fmt.Sprintf("| %s | %s | %s | **%.2f** (%.2f–%.2f) | %s | %s |\n",
		r.name, millis(r.ours.cpu), millis(r.theirs.cpu), r.cpu.median, r.cpu.least, r.cpu.most, limit, memory)
}

// target says what was wanted, and says so where it was missed: a table that hides its failures is worth nothing.
func target(wanted string, met bool) string {
	if met {
		return wanted
	}
	return wanted + ", **missed**"
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// how is the command that makes this report.
func (b *bench) how() string {
	var flags []string
	for i := 0; i < len(b.args); i++ {
		switch b.args[i] {
		case "-ageseal", "-kustomize", "-write", "-dir":
			i++ // "make bench" gives these
		default:
			flags = append(flags, b.args[i])
		}
	}
	if len(flags) == 0 {
		return "make bench"
	}
	return fmt.Sprintf("make bench BENCHFLAGS=%q", strings.Join(flags, " "))
}

// machine says what the figures were taken on.
func (b *bench) machine(ctx context.Context) string {
	cpu := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range bytes.Lines(info) {
			if name, value, ok := strings.Cut(string(line), ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	version := func(program string) string {
		out, err := b.output(ctx, command{args: []string{program, "version"}})
		if err != nil {
			return "unknown"
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(out)), "ageseal "), " ")
		return first
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s, ageseal %s, kustomize %s, age library %s",
		cpu, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), version(b.ageseal), version(b.kustomize), ageVersion())
}

// replaceTables puts a report between the markers of a Markdown file.
func replaceTables(name, report string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), tablesBegin)
	_, after, ok2 := strings.Cut(rest, tablesEnd)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no lines %q and %q for the tables", name, strings.TrimSpace(tablesBegin), strings.TrimSpace(tablesEnd))
	}
	return os.WriteFile(name, []byte(before+tablesBegin+"\n"+report+"\n"+tablesEnd+after), 0o644)
}
