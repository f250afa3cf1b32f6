package manifest

import (
	"strings"

	"github.com/ageseal/ageseal/internal/lazy"
)

// What a commented-out value looks like, also as a list's entry: key: value and key=value, for a key of one word or in quotes; a flow
// map. A colon wants a blank or the end of the line behind it, an equals sign no other.
const separator = `[ \t]*(?::(?:[ \t]|$)|=(?:[^=]|$))`

var (
	keyValue  = lazy.Regexp(`^(?:- +)?(?:(?:export|set|setx|env) +)?(?:["']?` + keyWord + `["']?|"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')` + separator)
	flowValue = lazy.Regexp(`^(?:- +)?\[?[ \t]*\{(?:[^{]|$)`)
)

const keyWord = `[-._/$\p{L}\p{N}]+`

// phraseValue is a key of two to nine words. Prose has colons too: it is a value if it is one word or in quotes, if the sign is that of an
// assignment, or if the key speaks of something secret.
var (
	phraseValue = lazy.Regexp(`^(?:- +)?(` + keyWord + `(?: +` + keyWord + `){1,8})[ \t]*(:(?:[ \t]+|$)|=(?:[^=]|$))(.*)$`)
	secretWord  = lazy.Regexp(`(?i)pass|pwd|secret|token|key|cred|auth|private|cert|\bpin\b`)
	oneValue    = lazy.Regexp(`^(?:[^ \t]+|"[^"]*"|'[^']*')(?:[ \t]+#.*)?$`)
)

func isKeyValue(body string) bool {
	if keyValue().MatchString(body) || flowValue().MatchString(body) {
		return true
	}
	m := phraseValue().FindStringSubmatch(body)
	return m != nil && (m[2][0] == '=' || secretWord().MatchString(m[1]) || oneValue().MatchString(m[3]))
}

// directives are comments to other programs that have the form of a value and can't hold one.
var directives = lazy.Regexp(`^(?:yaml-language-server: \$schema=\S+|Source: [-._a-zA-Z0-9/]+\.(?:ya?ml|tpl|json)|SPDX-License-Identifier: [-.+()a-zA-Z0-9 ]+)$`)

// valueFilter tells comments that look like values. It sees the comments of an object in order, because the lines of a commented-out
// block scalar only follow from the one above.
type valueFilter struct {
	line, col int // of the last one that did; col is that of its text
}

func (f *valueFilter) looksLikeValue(text string, c comment) bool {
	body := strings.TrimLeft(text[c.off:c.end], "#")
	body = strings.TrimLeft(body, " \t")
	col := c.end - len(body) - lineStart(text, c.off)
	body = strings.TrimRight(body, " \t")
	switch {
	case c.full && f.line > 0 && c.line == f.line+1 && (body == "" || col > f.col):
		f.line++
		return true
	case !isKeyValue(body) || directives().MatchString(body):
		return false
	}
	if c.full {
		f.line, f.col = c.line, col
	}
	return true
}

// attach gives comments inside a tree that is written anew to the keys they stand by: those at a line's end to the key on that line,
// the others to the next key below. dest maps a key of the old tree to the one written for it; a comment whose key isn't written any more
// goes to the next that is. It returns what is left when there is none.
func attach(text string, keys []*node, comments []comment, dest func(*node) *node, raw bool) (foot []string) {
	next := 0
	var pending []string
	flush := func(k *node) {
		if d := dest(k); d != nil && len(pending) > 0 {
			d.head = append(d.head, pending...)
			d.raw = raw
			pending = nil
		}
	}
	for _, c := range comments {
		for next < len(keys) && keys[next].off < c.off {
			flush(keys[next])
			next++
		}
		line := text[c.off:c.end]
		if !c.full && next > 0 {
			k := keys[next-1]
			if d := dest(k); d != nil && d.eol == "" && lineStart(text, k.off) == lineStart(text, c.off) {
				cut := c.cut(text)
				d.eol = text[cut.from:c.end]
				if cut.from == c.off {
					d.eol = " " + d.eol
				}
				continue
			}
		}
		if raw && c.full {
			line = text[lineStart(text, c.off):c.end]
		} else if raw {
			line = strings.Repeat(" ", lineIndent(text, c.off)) + line
		}
		pending = append(pending, line)
	}
	for ; next < len(keys); next++ {
		flush(keys[next])
	}
	return pending
}

// allKeys lists the keys of a tree in the order of the text.
func allKeys(n *node, into []*node) []*node {
	for i, k := range n.kids {
		if n.kind == mapping && i%2 == 0 {
			into = append(into, k)
		} else {
			into = allKeys(k, into)
		}
	}
	return into
}
