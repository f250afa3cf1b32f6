package policy

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is the text of a valid policy with its nodes. It changes one entry of a list or a mapping at a time and nothing else of the
// text; a text that it can't be sure of is errByHand.
type document struct {
	src   []byte // without a BOM
	lines []int  // where each line begins
	root  *yaml.Node
}

// errByHand says that a policy is right and its text is not what an edit can be sure of.
var errByHand = errors.New("written in a way that only an editor can change")

func newDocument(src []byte) (*document, error) {
	d := &document{src: src, lines: []int{0}}
	for i, c := range src {
		if c == '\n' {
			d.lines = append(d.lines, i+1)
		}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil || len(doc.Content) != 1 {
		return nil, errByHand
	}
	d.root = doc.Content[0]
	return d, nil
}

// at finds a value by the names of the fields that lead to it, nil if there is none.
func (d *document) at(fields ...string) *yaml.Node {
	n := d.root
	for _, f := range fields {
		i := 0
		for i < len(n.Content) && n.Content[i].Value != f {
			i += 2
		}
		if n.Kind != yaml.MappingNode || i >= len(n.Content) {
			return nil
		}
		n = n.Content[i+1]
	}
	return n
}

// ruleAt finds the list of recipients of the rule with a pattern.
func (d *document) ruleAt(pattern string) *yaml.Node {
	for _, n := range d.at("rules").Content {
		rule := &document{root: n}
		if path := rule.at("path"); path != nil && path.Value == pattern {
			return rule.at("recipients")
		}
	}
	return nil
}

// span is a piece of the text; splice puts another into its place.
type span struct{ start, end int }

type splice struct {
	span
	text string
}

// with puts splices, in the order of the text, into it.
func (d *document) with(splices ...splice) []byte {
	var b bytes.Buffer
	at := 0
	for _, s := range splices {
		b.Write(d.src[at:s.start])
		b.WriteString(s.text)
		at = s.end
	}
	b.Write(d.src[at:])
	return b.Bytes()
}

// start is where a node begins. The library counts columns in characters.
func (d *document) start(n *yaml.Node) int {
	at := d.lines[n.Line-1]
	column := 1
	for i := range string(d.src[at:]) {
		if column == n.Column {
			return at + i
		}
		column++
	}
	return len(d.src)
}

// end is where a node ends; false where that is not certain.
func (d *document) end(n *yaml.Node) (int, bool) {
	at := d.start(n)
	switch {
	case n.Kind == yaml.ScalarNode && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		// No name and no recipient has a quote in it, so none is escaped.
		i := bytes.IndexByte(d.src[at+1:], d.src[at])
		return at + 1 + i + 1, i >= 0
	case n.Kind == yaml.ScalarNode:
		end := at + len(n.Value)
		return end, n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 && n.Value != "" && bytes.HasPrefix(d.src[at:], []byte(n.Value))
	case len(n.Content) > 0:
		end, ok := d.end(n.Content[len(n.Content)-1])
		if n.Style&yaml.FlowStyle == 0 || !ok {
			return end, ok
		}
		end = d.beyond(end, ",")
		return end + 1, end < len(d.src) && (d.src[end] == ']' || d.src[end] == '}')
	}
	return 0, false
}

// beyond goes on from a place between tokens over white space, comments, and any of these characters.
func (d *document) beyond(at int, chars string) int {
	for at < len(d.src) {
		switch c := d.src[at]; {
		case c == '#':
			at = d.lineEnd(at)
		case strings.IndexByte(" \t\r\n"+chars, c) >= 0:
			at++
		default:
			return at
		}
	}
	return at
}

// lineStart and lineEnd are where the line of a place begins, and where it ends, before its line break.
func (d *document) lineStart(at int) int {
	return bytes.LastIndexByte(d.src[:at], '\n') + 1
}

func (d *document) lineEnd(at int) int {
	end := len(d.src)
	if i := bytes.IndexByte(d.src[at:], '\n'); i >= 0 {
		end = at + i
	}
	if end > at && d.src[end-1] == '\r' {
		end--
	}
	return end
}

// lineBreak is the one that the text has.
func (d *document) lineBreak() string {
	if bytes.Contains(d.src, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// entries are those of a list or a mapping, each with its name.
func (d *document) entries(n *yaml.Node) ([]span, error) {
	width := 1
	if n.Kind == yaml.MappingNode {
		width = 2
	}
	var all []span
	for i := 0; i+width <= len(n.Content); i += width {
		end, ok := d.end(n.Content[i+width-1])
		if !ok {
			return nil, errByHand
		}
		all = append(all, span{d.start(n.Content[i]), end})
	}
	if len(all) == 0 {
		return nil, errByHand
	}
	return all, nil
}

// before is what stands in front of a place in its line; clear reports whether nothing but a comma and a comment follows it there.
func (d *document) before(at int) string { return string(d.src[d.lineStart(at):at]) }

func (d *document) clear(at int) (comma, ok bool) {
	rest := strings.TrimLeft(string(d.src[at:d.lineEnd(at)]), " \t")
	rest, comma = strings.CutPrefix(rest, ",")
	rest = strings.TrimLeft(rest, " \t")
	return comma, rest == "" || rest[0] == '#'
}

// add puts an entry at the end of a list or a mapping.
func (d *document) add(n *yaml.Node, text string) ([]byte, error) {
	all, err := d.entries(n)
	if err != nil {
		return nil, err
	}
	last := all[len(all)-1]
	prefix := d.before(last.start)
	behind := d.lineEnd(last.end)
	if n.Style&yaml.FlowStyle == 0 {
		if strings.Trim(prefix, " -") != "" || (n.Kind == yaml.SequenceNode) != (strings.Count(prefix, "-") == 1) {
			return nil, errByHand
		}
		return d.with(splice{span{behind, behind}, d.lineBreak() + prefix + text}), nil
	}
	comma, clear := d.clear(last.end)
	if strings.TrimLeft(prefix, " \t") != "" || !clear {
		return d.with(splice{span{last.end, last.end}, ", " + text}), nil
	}
	text = d.lineBreak() + prefix + text // one on each line
	if comma {
		return d.with(splice{span{behind, behind}, text + ","}), nil
	}
	return d.with(splice{span{last.end, last.end}, ","}, splice{span{behind, behind}, text}), nil
}

// remove takes an entry out of a list or a mapping that has others: its lines with the comment beside it, where they are its own.
func (d *document) remove(n *yaml.Node, i int) ([]byte, error) {
	all, err := d.entries(n)
	if err != nil || len(all) < 2 {
		return nil, errByHand
	}
	e := all[i]
	comma, clear := d.clear(e.end)
	lines := span{d.lineStart(e.start), d.lineEnd(e.end)}
	lines.end += len(d.src[lines.end:]) - len(bytes.TrimPrefix(bytes.TrimPrefix(d.src[lines.end:], []byte("\r")), []byte("\n")))
	prefix := strings.TrimLeft(d.before(e.start), " \t")
	if n.Style&yaml.FlowStyle == 0 {
		if strings.Trim(prefix, " -") != "" || strings.Count(prefix, "-") > 1 || !clear || comma {
			return nil, errByHand
		}
		return d.with(splice{lines, ""}), nil
	}
	var done []splice
	if i < len(all)-1 {
		if at := d.beyond(e.end, ""); at < len(d.src) && d.src[at] == ',' {
			e.end = at + 1
		}
		for e.end < len(d.src) && d.src[e.end] == ' ' {
			e.end++
		}
		if e.end == d.lineEnd(e.end) {
			e.start -= len(d.before(e.start)) - len(strings.TrimRight(d.before(e.start), " "))
		}
	} else {
		before := d.beyond(all[i-1].end, "") // the comma before the last one
		switch {
		case before >= e.start || d.src[before] != ',':
			return nil, errByHand
		case d.lineStart(before) == d.lineStart(e.start):
			return d.with(splice{span{all[i-1].end, e.end}, ""}), nil
		case comma:
			e.end = d.beyond(e.end, "") + 1
		default:
			done = append(done, splice{span{before, before + 1}, ""})
		}
	}
	if prefix == "" && clear {
		return d.with(append(done, splice{lines, ""})...), nil
	}
	return d.with(append(done, splice{e, ""})...), nil
}

// named and keyed write a name and a recipient in the style of a neighbour.
func named(neighbour *yaml.Node, name string) string {
	if neighbour.Style&yaml.DoubleQuotedStyle != 0 {
		return strconv.Quote(name)
	}
	return scalar(name)
}

func keyed(neighbour *yaml.Node, recipient string) string {
	for neighbour.Kind != yaml.ScalarNode {
		neighbour = neighbour.Content[0]
	}
	if neighbour.Style&yaml.DoubleQuotedStyle != 0 {
		return strconv.Quote(recipient)
	}
	return recipient
}
