package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// The tables of a Markdown file stand between these lines.
const (
	tablesBegin = "<!-- bench:begin -->\n"
	tablesEnd   = "<!-- bench:end -->\n"
)

// report measures everything, and writes it as Markdown and the builds as a plot.
func (b *bench) report(ctx context.Context) (text, plot string, err error) {
	var (
		all   [][]measured // of each size, of each round
		cases []round
	)
	if err := b.checkRefuses(ctx); err != nil {
		return "", "", err
	}
	for _, n := range b.sizes {
		progress("%d Secrets: making and checking them", n)
		t, err := b.makeTrees(ctx, n)
		if err != nil {
			return "", "", err
		}
		if cases, err = b.rounds(ctx, n, t); err != nil {
			return "", "", err
		}
		ms := make([]measured, len(cases))
		for i, r := range cases {
			progress("%d Secrets: %s", n, r.names())
			if ms[i], err = b.run(ctx, r, n); err != nil {
				return "", "", err
			}
		}
		all = append(all, ms)
	}
	progress("a repository of %d files", repositoryFiles)
	large, err := b.repository(ctx)
	if err != nil {
		return "", "", err
	}
	looks, err := b.run(ctx, large, 0)
	if err != nil {
		return "", "", err
	}
	progress("start-up and sizes")
	start, err := b.run(ctx, b.startUp(), 0)
	if err != nil {
		return "", "", err
	}
	startTable, err := b.startTable(ctx, start)
	if err != nil {
		return "", "", err
	}
	progress("diffs and merges")
	changes, err := b.changes(ctx)
	if err != nil {
		return "", "", err
	}
	figures, err := b.figures(changes)
	if err != nil {
		return "", "", err
	}
	text = b.intro(ctx) + ratioTable(b.sizes, cases, all) + figureTable(slices.Concat(b.startFigures(start), figures, repositoryFigures(looks))) +
		costTable(b.sizes, cases, all) + startTable + changeTable(changes)
	builds := make([]measured, len(all))
	for i, ms := range all {
		builds[i] = ms[0]
	}
	return text, buildsPlot(b.sizes, builds), nil
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }

func (r round) names() string {
	var names []string
	for _, p := range r.programs {
		names = append(names, strings.ReplaceAll(p.name, "`", ""))
	}
	return strings.Join(names, "; ")
}

func (b *bench) intro(ctx context.Context) string {
	text := fmt.Sprintf("Made by `%s` on %s. %d turns", b.how(), b.machine(ctx), b.runs)
	if most := b.sizes[len(b.sizes)-1]; most >= manySecrets {
		text += fmt.Sprintf(", %d with %d Secrets and more, but 2 of sops for each file and one of KSOPS for each", b.turns(program{}, most), manySecrets)
	}
	return text + ".\n"
}

func header(first string, sizes []int, rest ...string) string {
	columns := []string{first}
	for _, n := range sizes {
		columns = append(columns, fmt.Sprintf("N=%d", n))
	}
	columns = append(columns, rest...)
	return row(columns) + row(slices.Repeat([]string{"---"}, len(columns)))
}

func row(columns []string) string { return "| " + strings.Join(columns, " | ") + " |\n" }

// ratioTable compares, with a column for each size. The peak memory is that of the last.
func ratioTable(sizes []int, cases []round, all [][]measured) string {
	last := len(sizes) - 1
	text := "\n### Targets and ratios\n\n" + header("ratio: median (min–max)", sizes, "target", fmt.Sprintf("peak memory, N=%d", sizes[last]))
	for at, c := range cases {
		for _, r := range c.ratios {
			columns := []string{r.of + " / " + r.to}
			met := true
			for i, n := range sizes {
				spread := all[i][at].ratio(r, cpu)
				missed := r.missed(n, spread)
				met = met && !missed
				columns = append(columns, spread.text(missed))
			}
			memory := all[last][at].ratio(r, peak).median
			columns = append(columns, r.target(sizes, met), fmt.Sprintf("%.2f", memory))
			if r.memory > 0 && sizes[last] >= manySecrets {
				columns[len(columns)-1] += ", " + target(fmt.Sprintf("≤ %.2f", r.memory), memory <= r.memory)
			}
			text += row(columns)
		}
	}
	return text
}

// missed says whether the target for so many Secrets was.
func (r ratio) missed(n int, s spread) bool {
	for _, l := range slices.Backward(r.limits) {
		if n >= l.from {
			return math.Round(s.median*100) > math.Round(l.most*100) // as it is printed
		}
	}
	return false
}

func (s spread) String() string { return s.text(false) }

// text shows what missed its target: a table that hides its failures is worth nothing.
func (s spread) text(missed bool) string {
	median := fmt.Sprintf("%.2f", s.median)
	if missed {
		median = "**" + median + ", missed**"
	}
	return fmt.Sprintf("%s (%.2f–%.2f)", median, s.least, s.most)
}

// target is what is wanted of a ratio, and whether that was reached with the sizes that were measured.
func (r ratio) target(sizes []int, met bool) string {
	if len(r.limits) == 0 {
		return ""
	}
	var texts []string
	for _, l := range r.limits {
		text := fmt.Sprintf("≤ %.2f", l.most)
		if l.from > 1 {
			text += fmt.Sprintf(" from N=%d", l.from)
		}
		texts = append(texts, text)
	}
	text := strings.Join(texts, ", ")
	if sizes[len(sizes)-1] < r.limits[0].from {
		return text + ": not measured"
	}
	return target(text, met)
}

// costTable is what each program of the ratios costs by itself.
func costTable(sizes []int, cases []round, all [][]measured) string {
	last := len(sizes) - 1
	text := "\n### Side by side\n\n" + header("CPU time: median", sizes, fmt.Sprintf("peak memory, N=%d", sizes[last]))
	seen := map[string]bool{}
	for at, c := range cases {
		for _, p := range c.programs {
			if seen[p.name] {
				continue
			}
			seen[p.name] = true
			columns := []string{p.name}
			for _, ms := range all {
				columns = append(columns, millis(ms[at].median(p.name, cpu)))
			}
			text += row(append(columns, fmt.Sprintf("%.1f MiB", mib(all[last][at].median(p.name, peak)))))
		}
	}
	return text
}

// startFigures are those of the case that no number of Secrets changes.
func (b *bench) startFigures(m measured) []figure {
	var out []figure
	for _, r := range b.startUp().ratios {
		s := m.ratio(r, cpu)
		out = append(out, figure{
			"start-up, CPU time: `ageseal version` / `kustomize version`",
			fmt.Sprintf("%s: %s / %s", s, millis(m.median(r.of, cpu)), millis(m.median(r.to, cpu))),
			fmt.Sprintf("≤ %.2f", r.limits[0].most), !r.missed(1, s),
		})
	}
	return out
}

func figureTable(figures []figure) string {
	text := "\n### Other targets\n\n| what | figure | target |\n| --- | --- | --- |\n"
	for _, f := range figures {
		text += row([]string{f.name, f.value, target(f.target, f.met)})
	}
	return text
}

func target(wanted string, met bool) string {
	switch {
	case wanted == "":
		return ""
	case met:
		return wanted + ": reached"
	}
	return wanted + ": **not reached**"
}

func millis(nanoseconds float64) string {
	return fmt.Sprintf("%.1f ms", nanoseconds/float64(time.Millisecond))
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
