package main

import (
	"bytes"
	"fmt"
	"strings"
)

// variables and paths are what ageseal(1) says beside the help.
var variables = []option{
	{"AGESEAL_IDENTITY", "the identity itself, for CI"},
	{"AGESEAL_IDENTITY_FILE", "identity files, separated as in PATH"},
	{"AGESEAL_IDENTITY_COMMAND", "a command that prints an identity, such as that of a password manager"},
	{"VISUAL, EDITOR", "the editor of \"ageseal edit\""},
	{"XDG_CONFIG_HOME", "the directory above ageseal/identities (default: ~/.config)"},
	{"XDG_STATE_HOME", "the directory in which accepted policies are remembered (default: ~/.local/state)"},
}

var paths = []option{
	{".ageseal.yaml", "the policy, at the top of a repository: who can read what"},
	{"~/.config/ageseal/identities", "your identities (macOS and Windows: in the platform's place for configuration)"},
}

// markdownEscapes keep what is text in --help text.
var markdownEscapes = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`)

func (p *page) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n%s\n\n```text\n%s\n```\n", p.name(), markdownEscapes.Replace(p.short), p.synopsis)
	for _, l := range p.long {
		if l.literal {
			fmt.Fprintf(&b, "\n```text\n%s\n```\n", l.text)
		} else {
			fmt.Fprintf(&b, "\n%s\n", markdownEscapes.Replace(l.text))
		}
	}
	if len(p.children) > 0 {
		b.WriteString("\n## Commands\n\n| | |\n| --- | --- |\n")
		for _, c := range p.children {
			fmt.Fprintf(&b, "| [%s](%s.md) | %s |\n", c.name(), c.file(), markdownEscapes.Replace(c.short))
		}
	}
	if p.examples != "" {
		fmt.Fprintf(&b, "\n## Examples\n\n```sh\n%s\n```\n", p.examples)
	}
	for _, s := range p.lists() {
		fmt.Fprintf(&b, "\n## %s\n\n| | |\n| --- | --- |\n", s.title)
		for _, o := range s.items {
			fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(o.flag, "|", `\|`), strings.ReplaceAll(markdownEscapes.Replace(o.usage), "|", `\|`))
		}
		if s.note != "" {
			fmt.Fprintf(&b, "\n%s\n", markdownEscapes.Replace(s.note))
		}
	}
	up := "[all commands](README.md)"
	if p.parent != nil && p.parent.parent != nil {
		up = fmt.Sprintf("[%s](%s.md) · ", p.parent.name(), p.parent.file()) + up
	}
	fmt.Fprintf(&b, "\n%s\n", up)
	return b.Bytes()
}

func index(all []*page) []byte {
	var b bytes.Buffer
	b.WriteString("# Commands\n\nWhat `ageseal COMMAND --help` says, written from the program by a test. The same as man pages is in [man](../man), and in every\n" +
		"release. For `ageseal completion` see [installing](../install.md#completion).\n\n| | |\n| --- | --- |\n")
	for _, p := range all {
		fmt.Fprintf(&b, "| [%s](%s.md) | %s |\n", p.name(), p.file(), markdownEscapes.Replace(p.short))
	}
	return b.Bytes()
}

// list is a section of flags or the like.
type list struct {
	title string
	items []option
	note  string
}

func (p *page) lists() []list {
	all := []list{{"Options", p.options, ""}, {"Global options", p.global, ""}}
	if p.statuses != "" {
		all = append(all, list{"Exit status", p.statusWords(), p.note})
	}
	if p.parent == nil {
		all = append(all, list{"Environment", variables, ""}, list{"Files", paths, ""})
	}
	var out []list
	for _, l := range all {
		if len(l.items) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// roffText makes text of what roff would take for an escape or a request. A "-" that is to be copied to a shell has to be a minus.
func roffText(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	var b strings.Builder
	for _, r := range strings.Join(lines, "\n") {
		if r > '~' {
			fmt.Fprintf(&b, `\[u%04X]`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// man is a page in the macros of man(7), without a date: the same program gives the same page.
func (p *page) man() []byte {
	var b bytes.Buffer
	section := func(title string) { fmt.Fprintf(&b, ".SH %s\n", strings.ToUpper(title)) }
	literal := func(text string) { fmt.Fprintf(&b, ".RS\n.nf\n%s\n.fi\n.RE\n", roffText(text)) }
	fmt.Fprintf(&b, ".TH \"%s\" 1 \"\" ageseal \"Commands of ageseal\"\n.nh\n.ad l\n", roffText(strings.ToUpper(p.file())))
	section("Name")
	fmt.Fprintf(&b, "%s \\- %s\n", roffText(p.file()), roffText(p.short))
	section("Synopsis")
	fmt.Fprintf(&b, "%s\n", roffText(p.synopsis))
	section("Description")
	for i, l := range p.long {
		switch {
		case l.literal:
			literal(l.text)
		case i > 0:
			b.WriteString(".PP\n")
			fallthrough
		default:
			fmt.Fprintf(&b, "%s\n", roffText(l.text))
		}
	}
	var commands []option
	for _, c := range p.children {
		commands = append(commands, option{c.name(), c.short})
	}
	for _, s := range append([]list{{"Commands", commands, ""}}, p.lists()...) {
		if len(s.items) == 0 {
			continue
		}
		section(s.title)
		for _, o := range s.items {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roffText(o.flag), roffText(o.usage))
		}
		if s.note != "" {
			fmt.Fprintf(&b, ".PP\n%s\n", roffText(s.note))
		}
	}
	if p.examples != "" {
		section("Examples")
		literal(p.examples)
	}
	var also []string
	if p.parent != nil {
		also = append(also, p.parent.file())
	}
	for _, c := range p.children {
		also = append(also, c.file())
	}
	section("See also")
	for i, name := range also {
		comma := ","
		if i == len(also)-1 {
			comma = ""
		}
		fmt.Fprintf(&b, ".BR %s (1)%s\n", roffText(name), comma)
	}
	return b.Bytes()
}
