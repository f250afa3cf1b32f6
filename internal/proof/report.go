package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// performed is a step that passed, with what is shown of it.
type performed struct {
	step
	output    string
	took, cpu time.Duration
}

type report struct {
	place *place
	date  time.Time
	facts []string
	done  []performed
}

func (r *report) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Proof\n\nWritten by `make proof` on %s, never by hand: a clean checkout of one commit, in %s. Every command below ended with status 0.\n\n",
		r.date.UTC().Format(time.DateOnly), r.place.name())
	for _, f := range r.facts {
		fmt.Fprintf(&b, "* %s\n", f)
	}
	b.WriteString("\n| command | time | CPU time |\n| --- | --- | --- |\n")
	for _, d := range r.done {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", d.command, strings.ReplaceAll(d.command, " ", "-"), d.took.Round(time.Second), d.cpu.Round(time.Second))
	}
	b.WriteString("\nThe times include fetching and building what each needs. Of long outputs the middle is left out.\n")
	for i, d := range r.done {
		if i == len(bare) && r.place.bare {
			fmt.Fprintf(&b, "\n---\n\nThen `apt-get install %s`, for the parts that would be skipped without.\n", strings.Join(packages, " "))
		}
		fmt.Fprintf(&b, "\n## `%s`\n\n%s\n\n```text\n%s```\n", d.command, d.what, d.output)
	}
	return b.Bytes()
}

// lastLines is how much of the end of an output is shown: the closing lines are what a person would read.
const lastLines = 70

var (
	// What says only that something is being fetched or built.
	noise   = regexp.MustCompile(`^(go: (downloading|finding|added) |make(\[\d+\])?: |([A-Z_]+=("[^"]*"|\S*) )*go (build|install|run|test|vet) |\s*$)`)
	colours = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")
)

// excerpt is the beginning and the end of an output, without paths of the machine it was made on.
func excerpt(out string, head int, checkout string) string {
	out = colours.ReplaceAllString(out, "")
	if checkout != "" {
		out = strings.ReplaceAll(out, checkout, "~/ageseal")
	}
	out = strings.ReplaceAll(out, inside, "~/ageseal")
	var lines []string
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line[strings.LastIndexByte(strings.TrimRight(line, "\r\n"), '\r')+1:], " \r\n") // a progress line shows its last state
		if !noise.MatchString(line) {
			lines = append(lines, strings.ReplaceAll(line, "```", "` ` `"))
		}
	}
	if left := len(lines) - head - lastLines; left > 1 {
		lines = append(append(lines[:head:head], fmt.Sprintf("… (%d lines)", left)), lines[head+left:]...)
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}
