package policy

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/ageseal/ageseal/internal/lazy"
)

// reader walks YAML nodes strictly and collects what is wrong with them.
type reader struct {
	faults
	lines  []string
	cursor cursor
}

// field is one entry of a mapping.
type field struct {
	name  string
	line  int
	value *yaml.Node
}

// root returns the one document of src; nil, with faults, if it can't be walked.
func (r *reader) root(src []byte) *yaml.Node {
	if !r.text(src) {
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		r.add(0, `"ageseal init" writes one`, "the policy is empty")
		return nil
	} else if err != nil {
		r.syntax(err)
		return nil
	}
	var next yaml.Node
	if err := dec.Decode(&next); err == nil {
		r.add(next.Line, "a repository has one policy, in one document", "more than one YAML document")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
	}
	before := len(r.found)
	r.plain(&doc, 0)
	if len(r.found) > before {
		return nil
	}
	return doc.Content[0]
}

// text checks what YAML takes and people can't see, and looks for private keys in what YAML ignores.
func (r *reader) text(src []byte) bool {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if !utf8.Valid(src) {
		r.add(0, "save it as UTF-8", "not UTF-8 text")
		return false
	}
	ok := true
	r.lines = strings.Split(strings.ReplaceAll(string(src), "\r\n", "\n"), "\n")
	for i, line := range r.lines {
		if identityText().MatchString(line) {
			r.foundIdentity(i + 1)
		}
		if strings.ContainsFunc(line, invisible) {
			r.add(i+1, "delete it", "invisible or control character")
			ok = false
		}
	}
	return ok
}

// invisible are control characters, line breaks that only YAML takes for such, and marks that turn the direction of
// text, so that a reviewer reads something else than we do.
func invisible(c rune) bool {
	return c < ' ' && c != '\t' || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
		c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069
}

var yamlError = lazy.Regexp(`^yaml: (?:line (\d+): )?(.*)$`)

// syntax turns the YAML library's error into a fault of ours. What may quote the file is not passed on.
func (r *reader) syntax(err error) {
	line, what := 0, "malformed YAML"
	if m := yamlError().FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		if !strings.ContainsAny(m[2], "'`\"") && len(m[2]) < 100 {
			what += ": " + m[2]
		}
		if alias, ok := strings.CutPrefix(m[2], "unknown anchor '"); ok && line == 0 {
			alias, _, _ = strings.Cut(alias, "'")
			line = 1 + slices.IndexFunc(r.lines, func(l string) bool { return strings.Contains(l, "*"+alias) })
		}
		if strings.Contains(m[2], "unknown anchor") || strings.Contains(m[2], "alphabetic or numeric character") {
			r.add(line, `put a pattern that begins with "*" in quotes: path: "**"`, "malformed YAML: an alias")
			return
		}
	}
	r.add(line, "", "%s", what)
}

// plain refuses everything that makes a YAML tree another one than it looks, and private keys wherever they stand.
// The walk never follows an alias, so a bomb of them costs what its text costs.
func (r *reader) plain(n *yaml.Node, depth int) {
	const deepest = 8 // a policy has 5 levels
	switch {
	case depth > deepest:
		r.add(n.Line, "", "nested too deeply")
		return
	case n.Kind == yaml.AliasNode:
		r.add(n.Line, "write the value out", "YAML aliases are not supported")
		return
	case n.Anchor != "":
		r.add(n.Line, "write the value out where it is needed", "YAML anchors are not supported")
	case n.Style&yaml.TaggedStyle != 0 || r.at(n) == '!':
		r.add(n.Line, `put a text that begins with "!" in quotes`, "YAML tags are not supported")
	case n.Kind == yaml.ScalarNode && n.Tag == "!!merge":
		r.add(n.Line, "write the fields out", "YAML merge keys are not supported")
	}
	if n.Kind == yaml.ScalarNode && looksPrivate(n.Value) {
		r.foundIdentity(n.Line)
	}
	for _, child := range n.Content {
		r.plain(child, depth+1)
	}
}

// cursor is a place in a line. Nodes come in the order of the text: going on from the last one keeps a long line from
// being read once for each node in it.
type cursor struct{ line, column, offset int }

// at is the character that a node begins with: the library forgets the tag "!".
func (r *reader) at(n *yaml.Node) rune {
	if n.Kind == yaml.DocumentNode || n.Line < 1 || n.Line > len(r.lines) {
		return 0
	}
	c := &r.cursor
	if n.Line != c.line || n.Column < c.column {
		*c = cursor{n.Line, 1, 0}
	}
	rest := r.lines[n.Line-1][c.offset:]
	for i, char := range rest {
		if c.column == n.Column {
			c.offset += i
			return char
		}
		c.column++
	}
	*c = cursor{}
	return 0
}

// mapping returns the entries of a mapping in order, without those that are faulty. what names it in messages.
func (r *reader) mapping(n *yaml.Node, what string) []field {
	if n.Kind != yaml.MappingNode {
		r.add(n.Line, "", "%s must be a mapping", what)
		return nil
	}
	seen := map[string]int{}
	var fields []field
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode || k.ShortTag() != "!!str" {
			r.add(k.Line, "put it in quotes", "%s: a name that is not text", what)
			continue
		}
		if first, ok := seen[k.Value]; ok {
			r.add(k.Line, "", "%s: duplicate %s, first in line %d", what, quote(k.Value), first)
			continue
		}
		seen[k.Value] = k.Line
		fields = append(fields, field{k.Value, k.Line, v})
	}
	return fields
}

// fields is mapping for a fixed set of names. Required ones are marked by a "*" in front.
func (r *reader) fields(n *yaml.Node, what string, known ...string) map[string]field {
	before := len(r.found)
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = strings.TrimPrefix(k, "*")
	}
	got := map[string]field{}
	for _, f := range r.mapping(n, what) {
		if !slices.Contains(names, f.name) {
			r.add(f.line, "known are "+strings.Join(names, ", "), "%s: unknown field %s", what, quote(f.name))
			continue
		}
		got[f.name] = f
	}
	for i, k := range known {
		if _, ok := got[names[i]]; !ok && k[0] == '*' && n.Kind == yaml.MappingNode && len(r.found) == before {
			r.add(n.Line, "", "%s: %s is missing", what, names[i])
		}
	}
	return got
}

// string returns a text; false, with a fault, for anything else.
func (r *reader) string(n *yaml.Node, what string) (string, bool) {
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		r.add(n.Line, "", "%s is empty", what)
		return "", false
	case n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str":
		hint := ""
		if n.Kind == yaml.ScalarNode {
			hint = "put it in quotes"
		}
		r.add(n.Line, hint, "%s must be text", what)
		return "", false
	}
	return n.Value, true
}

// list returns the elements of a sequence; false, with a fault, for an empty one and for anything else.
func (r *reader) list(n *yaml.Node, what string) ([]*yaml.Node, bool) {
	switch {
	case n.Kind == yaml.SequenceNode && len(n.Content) == 0, n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		r.add(n.Line, "", "%s is empty", what)
		return nil, false
	case n.Kind != yaml.SequenceNode:
		r.add(n.Line, "", "%s must be a list", what)
		return nil, false
	}
	return n.Content, true
}
