package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/verify"
)

// formats are the ways in which findings are written to standard output. Files are relative to the current directory for people and
// pipes, and to the top level of the repository for what shows them in its own pages.
var formats = map[string]func(*findings) ([]byte, error){
	"text":     (*findings).text,
	"json":     (*findings).json,
	"sarif":    (*findings).sarif,
	"github":   (*findings).github,
	"junit":    (*findings).junit,
	"markdown": (*findings).markdown,
}

// findings are those of one run.
type findings struct {
	list []verify.Finding
	top  string // of the repository, "" outside

	base  string // what they are held against with --base
	wider int    // that many of them, the first, are about what widened
}

func addFormat(cmd *cobra.Command, to *string) {
	names := keysOf(formats)
	cmd.Flags().StringVarP(to, "output", "o", "text", "`format`: "+strings.Join(names, ", "))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
}

func checkFormat(format, command string) error {
	if formats[format] == nil {
		return usage("ageseal "+command+" --help", "unknown output format %q: one of %s", format, strings.Join(keysOf(formats), ", "))
	}
	return nil
}

// writeFindings writes them, and returns errLeftUndone if one is a fault. In text, hints and warnings go to standard error.
func (c *cli) writeFindings(format string, list []verify.Finding) error {
	return c.writeAll(format, &findings{list: slices.Clone(list)})
}

// writeAll writes findings of which all but the top level is known.
func (c *cli) writeAll(format string, f *findings) error {
	for i := range f.list {
		f.list[i].Level = cmp.Or(f.list[i].Level, verify.Fault)
	}
	if wd, err := filepath.Abs("."); err == nil {
		f.top, _ = topLevel(wd)
	}
	out, err := formats[format](f)
	if err != nil {
		return err
	}
	if _, err := c.out.Write(out); err != nil {
		return err
	}
	if format == "text" {
		hinted := map[string]bool{}
		for _, x := range f.list {
			if x.Level == verify.Fault && x.Hint != "" && !hinted[x.Hint] {
				hinted[x.Hint] = true
				c.say("hint", x.Hint)
			}
		}
		for _, x := range f.list {
			if x.Level == verify.Warning {
				c.warn(findingText(x), x.Hint)
			}
		}
	}
	if slices.ContainsFunc(f.list, isFault) {
		return errLeftUndone
	}
	return nil
}

// isFault reports whether a finding fails a check.
func isFault(f verify.Finding) bool { return f.Level == "" || f.Level == verify.Fault }

// findingText is one line: where, which rule, what.
func findingText(f verify.Finding) string {
	return place(f.File, f.Line) + f.Rule + ": " + subject(f) + f.What
}

// subject is what a finding is about, as messages name it.
func subject(f verify.Finding) string {
	var text string
	if f.Secret != "" {
		text += "Secret " + f.Secret + ": "
	}
	if f.Key != "" {
		text += "key " + f.Key + ": "
	}
	return text
}

func (f *findings) text() ([]byte, error) {
	var b strings.Builder
	for _, x := range f.list {
		if x.Level != verify.Warning {
			fmt.Fprintln(&b, shown(findingText(x)))
		}
	}
	return []byte(b.String()), nil
}

func (f *findings) json() ([]byte, error) {
	list := f.list
	if list == nil {
		list = []verify.Finding{}
	}
	out, err := json.MarshalIndent(list, "", "  ")
	return append(out, '\n'), err
}

// file is that of a finding relative to the top level, slash-separated.
func (f *findings) file(x verify.Finding) string {
	if f.top == "" || x.File == "" {
		return filepath.ToSlash(x.File)
	}
	abs, err := filepath.Abs(x.File)
	if err == nil {
		if rel, err := filepath.Rel(f.top, abs); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.ToSlash(x.File)
}

// withHint is what a finding says, in one paragraph.
func withHint(x verify.Finding) string {
	text := subject(x) + x.What
	if x.Hint != "" {
		text += " (" + x.Hint + ")"
	}
	return shown(text)
}
