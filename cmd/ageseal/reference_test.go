package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var updateReference = flag.Bool("update", false, "write docs/commands and docs/man")

// page is what both forms of the reference say of a command. It is made from what --help prints, so that there is one text.
type page struct {
	path            []string // ageseal, recipients, add
	synopsis, short string
	long            []block
	examples        string
	statuses        string // "0 done, 1 error"
	note            string // below them
	options, global []option
	parent          *page
	children        []*page
}

// block is a paragraph, or lines that stand as they are.
type block struct {
	text    string
	literal bool
}

type option struct{ flag, usage string }

func (p *page) name() string { return strings.Join(p.path, " ") }
func (p *page) file() string { return strings.Join(p.path, "-") }

// pages are those of a command and all below it, in the order of help. Those that cobra adds itself, help and completion, have none.
func pages(cmd *cobra.Command, parent *page) []*page {
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	p := &page{path: strings.Fields(cmd.CommandPath()), synopsis: cmd.UseLine(), short: cmd.Short, examples: unindent(cmd.Example), parent: parent}
	long, statuses, _ := strings.Cut(cmd.Long, "\n\nExit status: ")
	statuses, p.note, _ = strings.Cut(statuses, ".\n")
	p.long, p.statuses = blocks(long), strings.TrimSuffix(statuses, ".")
	p.options, p.global = options(cmd.LocalFlags()), options(cmd.InheritedFlags())
	all := []*page{p}
	for _, sub := range cmd.Commands() {
		if !sub.IsAvailableCommand() {
			continue
		}
		below := pages(sub, p)
		p.children = append(p.children, below[0])
		all = append(all, below...)
	}
	return all
}

func blocks(long string) []block {
	var out []block
	for text := range strings.SplitSeq(long, "\n\n") {
		literal := strings.HasPrefix(text, "  ")
		if last := len(out) - 1; literal && last >= 0 && out[last].literal {
			out[last].text += "\n\n" + unindent(text)
		} else if literal {
			out = append(out, block{unindent(text), true})
		} else {
			out = append(out, block{strings.TrimSpace(text), false})
		}
	}
	return out
}

func unindent(text string) string {
	return strings.Trim(regexp.MustCompile(`(?m)^  `).ReplaceAllString(text, ""), "\n")
}

// options are flags in pflag's own words, with its defaults.
func options(flags *pflag.FlagSet) []option {
	var out []option
	flags.VisitAll(func(f *pflag.Flag) {
		one := pflag.NewFlagSet("", pflag.ContinueOnError)
		one.AddFlag(f)
		if name, usage, ok := strings.Cut(strings.TrimSpace(one.FlagUsages()), "   "); ok {
			out = append(out, option{name, strings.TrimSpace(usage)})
		}
	})
	return out
}

// reference is every file of docs/commands and docs/man.
func reference() map[string][]byte {
	all := pages(newRootCommand(&cli{in: strings.NewReader(""), out: io.Discard, err: io.Discard}), nil)
	files := map[string][]byte{"docs/commands/README.md": index(all)}
	for _, p := range all {
		files["docs/commands/"+p.file()+".md"] = p.markdown()
		files["docs/man/"+p.file()+".1"] = p.man()
	}
	return files
}

// TestReference: the reference says what --help says. "go test ./cmd/ageseal -run TestReference -update" writes it.
func TestReference(t *testing.T) {
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	want := reference()
	if len(want) < 2*len(subcommands) {
		t.Fatalf("%d files: too few to be the reference", len(want))
	}
	present := map[string]bool{}
	for _, pattern := range []string{"docs/commands/*", "docs/man/*"} {
		names, err := filepath.Glob(filepath.Join(top, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			rel, _ := filepath.Rel(top, name)
			present[filepath.ToSlash(rel)] = true
		}
	}
	if *updateReference {
		for name := range present {
			if err := os.Remove(filepath.Join(top, name)); err != nil {
				t.Fatal(err)
			}
		}
		for name, text := range want {
			path := filepath.Join(top, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		delete(present, name)
		got, err := os.ReadFile(filepath.Join(top, name))
		if err != nil {
			t.Errorf("%v: run this test with -update", err)
		} else if got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want[name]) {
			t.Errorf("%s is not what the command says: run this test with -update\n%s", name, cmp.Diff(string(got), string(want[name])))
		}
	}
	for name := range present {
		t.Errorf("%s is of no command: run this test with -update", name)
	}
}

// TestReferenceEnvironment: ageseal(1) names every variable that the program reads for its user.
func TestReferenceEnvironment(t *testing.T) {
	sources, err := filepath.Glob("../../*/*.go")
	if err != nil || len(sources) < 9 {
		t.Fatalf("%d sources, %v", len(sources), err)
	}
	commands, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`"(AGESEAL_[A-Z_]*[A-Z]|XDG_STATE_HOME)"`)
	found := map[string]bool{}
	for _, name := range append(sources, commands...) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range variable.FindAllSubmatch(text, -1) {
			found[string(match[1])] = true
		}
	}
	if len(found) < 4 {
		t.Fatalf("found only %v", found)
	}
	for name := range found {
		if !slices.ContainsFunc(variables, func(v option) bool { return v.flag == name }) {
			t.Errorf("ageseal(1) has no word about %s", name)
		}
	}
}

// TestRoff: what roff would take for a request or an escape is text.
func TestRoff(t *testing.T) {
	if got, want := roffText(".dot\n'quote\na\\b -x …\n"), "\\&.dot\n\\&'quote\na\\eb \\-x \\[u2026]\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for name, text := range reference() {
		if !strings.HasPrefix(name, "docs/man/") {
			continue
		}
		for i, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !roffRequest.MatchString(line) {
				t.Errorf("%s:%d: %q", name, i+1, line)
			}
		}
	}
}

var roffRequest = regexp.MustCompile(`^\.(TH|SH|PP|TP|nf|fi|RS|RE|B|BR|nh|ad)\b`)

// statusWords are the statuses of a page, one for each line.
func (p *page) statusWords() []option {
	var out []option
	for s := range strings.SplitSeq(p.statuses, ", ") {
		status, meaning, ok := strings.Cut(s, " ")
		if !ok || strings.Trim(status, "0123456789") != "" { // the comma of "altered, moved"
			out[len(out)-1].usage += ", " + s
			continue
		}
		out = append(out, option{status, meaning})
	}
	return out
}

// TestReferenceStatuses: no page goes without exit statuses, and each of a page is a number of status.go.
func TestReferenceStatuses(t *testing.T) {
	for _, p := range pages(newRootCommand(&cli{in: strings.NewReader(""), out: io.Discard, err: io.Discard}), nil) {
		if p.statuses == "" {
			if ours := len(p.path) < 2 || p.path[1] != "kustomize"; ours && p.parent != nil {
				t.Errorf("%s: the help names no exit status", p.name())
			}
			continue
		}
		for _, s := range p.statusWords() {
			if !slices.Contains([]string{"0", "1", "2", "3", "4", "5", "130"}, s.flag) || s.usage == "" {
				t.Errorf("%s: %s", p.name(), fmt.Sprintf("status %q: %q", s.flag, s.usage))
			}
		}
	}
}
