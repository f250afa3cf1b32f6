package manifest

import (
	"errors"
	"io"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/ageseal/ageseal/internal/lazy"
)

// parseYAML reads one document with the YAML library. nil without an error: the document is empty.
//
// The library stops after the first document without a word, so a second one is asked for: text that it splits otherwise than we do is
// an error, not a hiding place.
func parseYAML(s source) (n *node, err error) {
	defer func() {
		// The library panics on some inputs that it doesn't expect; whatever they say could quote them.
		if recover() != nil { // not reached: no input is known today that it panics on
			n, err = nil, &Error{Line: s.line0 + 1, Err: &fault{"malformed YAML", ErrParse}}
		}
	}()
	dec := yaml.NewDecoder(strings.NewReader(maskVersion(s.text)))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, parseError(s, err)
	}
	if err := dec.Decode(&more); err == nil {
		return nil, &Error{Line: s.line0 + more.Line, Err: &fault{"a second document without a line of --- before it", ErrParse}}
	} else if !errors.Is(err, io.EOF) {
		return nil, parseError(s, err)
	}
	if len(doc.Content) != 1 { // not reached: a document has one node
		return nil, nil
	}
	c := converter{s: s, cursor: newCursor(s.text), seen: map[*yaml.Node]*node{}}
	n = c.node(doc.Content[0])
	return n, nil
}

// maskVersion makes a comment of a %YAML directive: the library refuses version 1.2, and we read what both versions read alike.
func maskVersion(text string) string {
	for p := 0; p < len(text); p = lineEnd(text, p) {
		switch text[p] {
		case '%':
			if strings.HasPrefix(text[p:], "%YAML") {
				return text[:p] + "#" + text[p+1:]
			}
		case '#', '\n':
		default:
			return text
		}
	}
	return text
}

var yamlLine = lazy.Regexp(`^yaml: line ([0-9]+): `)

// parseError keeps of the library's message the line and, of those known not to quote the document, the text.
func parseError(s source, err error) *Error {
	text := err.Error()
	line := 1
	if m := yamlLine().FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	} else {
		text = strings.TrimPrefix(text, "yaml: ")
	}
	what := "malformed YAML"
	if t, ok := scannerTexts[text]; ok {
		what += ": " + t
	} else if t, ok := parserTexts[text]; ok {
		what += ": " + t
		line = problemLine(s.text, text, line)
	} else if strings.HasPrefix(text, "unknown anchor") {
		what += ": an alias of an anchor that isn't there"
	} else if strings.HasPrefix(text, "exceeded max depth") {
		return &Error{Line: s.line0 + line, Err: &fault{"nested too deep", ErrLimit}}
	}
	if last := strings.Count(s.text, "\n"); line > last { // not reached: the text ends with a line break
		line = max(last, 1)
	}
	return &Error{Line: s.line0 + line, Err: &fault{what, ErrParse}}
}

const maxSearch = 256 << 10 // bytes of a document that is parsed a few times over for the sake of a message

// problemLine finds the line that a parser's error is about: of those the library only tells where the collection around begins. It is the
// last of the shortest text that gives the same error.
func problemLine(text, message string, line int) int {
	if len(text) > maxSearch {
		return line
	}
	starts := newCursor(text).starts
	n := sort.Search(len(starts)-1, func(n int) bool {
		var doc yaml.Node
		err := yaml.NewDecoder(strings.NewReader(text[:starts[n+1]])).Decode(&doc)
		return err != nil && strings.HasSuffix(err.Error(), message)
	})
	if n == len(starts)-1 {
		return line
	}
	return n + 1
}

// scannerTexts and parserTexts are messages of the YAML library that quote nothing, in plainer words. The line of a scanner's is right.
var scannerTexts = map[string]string{
	"could not find expected ':'":                                  "a key without a colon",
	"mapping values are not allowed in this context":               "a colon where none can be",
	"did not find expected comment or line break":                  "text behind | or >",
	"did not find expected whitespace or line break":               "a blank is missing",
	"found character that cannot start any token":                  "a character that can't begin a value (a tab?)",
	"found a tab character that violates indentation":              "a tab in the indentation",
	"found a tab character where an indentation space is expected": "a tab in the indentation",
	"found unexpected end of stream":                               "a quote is not closed",
	"found unexpected document indicator":                          "a quote is not closed",
	"found unknown escape character":                               "an unknown escape in double quotes",
	"found invalid Unicode character escape code":                  "an escape that stands for no character",
	"block sequence entries are not allowed in this context":       "a list where none can be",
	"control characters are not allowed":                           "a control character",
	"invalid leading UTF-8 octet":                                  "not UTF-8",
	"invalid trailing UTF-8 octet":                                 "not UTF-8",
	"incomplete UTF-8 octet sequence":                              "not UTF-8",
	"invalid length of a UTF-8 sequence":                           "not UTF-8",
}

var parserTexts = map[string]string{
	"did not find expected key":              "a key was expected (indentation?)",
	"did not find expected '-' indicator":    "a dash was expected (indentation?)",
	"did not find expected <document start>": "text after the end of the object",
	"did not find expected ',' or ']'":       "a comma or ] was expected",
	"did not find expected ',' or '}'":       "a comma or } was expected",
	"did not find expected node content":     "a value was expected",
}

// cursor turns lines and columns (in characters, as the library counts them) into byte offsets. Asked in the order of the text it is
// linear, also for a document of one line.
type cursor struct {
	text           string
	starts         []int
	line, col, off int
}

func newCursor(text string) *cursor {
	c := &cursor{text: text, starts: []int{0}, line: 1, col: 1}
	for i := 0; i < len(text); {
		if n := breakLen(text, i); n > 0 {
			i += n
			c.starts = append(c.starts, i)
		} else {
			i++
		}
	}
	return c
}

// breakLen is the length of the line break at i, if there is one, in the library's eyes: also those that YAML 1.2 dropped.
func breakLen(s string, i int) int {
	switch s[i] {
	case '\n':
		return 1
	case '\r':
		if i+1 < len(s) && s[i+1] == '\n' {
			return 2
		}
		return 1
	case 0xc2:
		if strings.HasPrefix(s[i:], "\u0085") {
			return 2
		}
	case 0xe2:
		if strings.HasPrefix(s[i:], "\u2028") || strings.HasPrefix(s[i:], "\u2029") {
			return 3
		}
	}
	return 0
}

// hasOddBreak says whether the text has line breaks that YAML 1.1 and 1.2 see differently.
func hasOddBreak(s string) bool {
	return strings.Contains(s, "\r") || strings.Contains(s, "\u0085") || strings.Contains(s, "\u2028") || strings.Contains(s, "\u2029")
}

func (c *cursor) offset(line, col int) int {
	if line < 1 || line > len(c.starts) { // not reached: the library's lines are those of the text
		return len(c.text)
	}
	if line != c.line || col < c.col {
		c.line, c.col, c.off = line, 1, c.starts[line-1]
	}
	for c.col < col && c.off < len(c.text) {
		_, n := utf8.DecodeRuneInString(c.text[c.off:])
		c.off += n
		c.col++
	}
	return c.off
}

type converter struct {
	s      source
	cursor *cursor
	seen   map[*yaml.Node]*node // anchored nodes, for their aliases
}

func (c *converter) node(y *yaml.Node) *node {
	n := &node{line: c.s.line0 + y.Line, off: c.cursor.offset(y.Line, y.Column), value: y.Value}
	n.marked = y.Anchor != "" || y.Style&yaml.TaggedStyle != 0
	if y.Anchor != "" {
		c.seen[y] = n
	}
	if n.off < len(c.s.text) && (c.s.text[n.off] == '!' || c.s.text[n.off] == '&') {
		n.marked = true // the tag "!", which the library leaves out of the style
	}
	switch y.Kind {
	case yaml.ScalarNode:
		n.kind = scalar
		n.binary = y.Style&yaml.TaggedStyle != 0 && y.ShortTag() == "!!binary"
		switch {
		case y.Style&yaml.DoubleQuotedStyle != 0:
			n.style, n.str = double, true
		case y.Style&yaml.SingleQuotedStyle != 0:
			n.style, n.str = single, true
		case y.Style&yaml.LiteralStyle != 0:
			n.style, n.str = literal, true
		case y.Style&yaml.FoldedStyle != 0:
			n.style, n.str = folded, true
		default:
			n.str = isString(y.Value)
		}
	case yaml.AliasNode:
		n.kind, n.value = alias, ""
		n.target = c.seen[y.Alias] // nil for an alias inside its own anchor
	default:
		n.kind, n.style = mapping, block
		if y.Kind == yaml.SequenceNode {
			n.kind = sequence
		}
		if y.Style&yaml.FlowStyle != 0 {
			n.style = flow
		}
		n.kids = make([]*node, len(y.Content))
		for i, k := range y.Content {
			n.kids[i] = c.node(k)
		}
	}
	return n
}
