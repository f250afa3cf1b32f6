package main

import (
	"fmt"
	"regexp"
	"strings"
)

// step is one "$ " line of a console block, with the output that the text shows below it.
type step struct {
	line    int // in the Markdown file
	block   int // the console block it stands in, counted from 0
	command string
	refused bool     // the text says so behind the command: "# refused"
	shown   []string // what the text shows of the output: each line occurs in it, in this order; … stands for anything
}

// refusal marks a command that must fail, where readers see it too.
var refusal = regexp.MustCompile(`\s# refused\b`)

// parse gives the steps of every ```console block below a heading; of the whole text if section is "".
func parse(text, section string) []step {
	var steps []step
	within, console, fenced := section == "", false, false
	before, block := 0, -1 // steps before this block: what stands above the first command of a block belongs to none
	for i, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
			console = fenced && strings.TrimPrefix(line, "```") == "console"
			before = len(steps)
			if console && within {
				block++
			}
		case !fenced && strings.HasPrefix(line, "#"):
			within = section == "" || strings.TrimSpace(strings.TrimLeft(line, "#")) == section
		case !console || !within:
		case strings.HasPrefix(line, "$ "):
			command := strings.TrimPrefix(line, "$ ")
			steps = append(steps, step{line: i + 1, block: block, command: command, refused: refusal.MatchString(command)})
		case len(steps) > before && strings.TrimSpace(line) != "":
			last := &steps[len(steps)-1]
			last.shown = append(last.shown, line)
		}
	}
	return steps
}

// check compares what a command did with what the text says it does.
func (s step) check(out string, status int) error {
	switch {
	case s.refused && status == 0:
		return fmt.Errorf("line %d: %q succeeded, the text says it is refused", s.line, s.command)
	case !s.refused && status != 0:
		return fmt.Errorf("line %d: %q ended with status %d", s.line, s.command, status)
	}
	lines := strings.Split(out, "\n")
	for _, want := range s.shown {
		if strings.Trim(want, " …") == "" {
			continue // a line that only says that something was left out
		}
		match := pattern(want)
		found := -1
		for i, line := range lines {
			if match.MatchString(line) {
				found = i
				break
			}
		}
		if found < 0 {
			return fmt.Errorf("line %d: the output of %q has no line %q where the text shows one", s.line, s.command, want)
		}
		lines = lines[found+1:]
	}
	return nil
}

func pattern(line string) *regexp.Regexp {
	parts := strings.Split(strings.TrimRight(line, " "), "…")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`^` + strings.Join(parts, `.*`) + `\s*$`)
}

// shorten cuts lines over width characters.
func shorten(out string, width int) string {
	if width <= 0 {
		return out
	}
	var b strings.Builder
	for line := range strings.Lines(out) {
		text := strings.TrimSuffix(line, "\n")
		if r := []rune(text); len(r) > width {
			text = string(r[:width-1]) + "…"
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}
