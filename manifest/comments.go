package manifest

import (
	"strings"

	"github.com/ageseal/ageseal/internal/lazy"
)

// What a commented-out value looks like, also as a list's entry: key: value and key=value, for a key of one word or in quotes; a flow
// map. A colon wants a blank or the end of the line behind it, an equals sign no other.
const separator = `[ \t]*(?::(?:[ \t]|$)|=(?:[^=]|$))`

var (
	keyValue  = lazy.Regexp(`^(?:[-*>] +)?(?:(?:export|set|setx|env) +)?(?:["']?` + keyWord + `["']?|"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')` + separator)
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

// secretValue is what is hardly anything else: PEM, credentials in a URL, a secret's key with its value right behind the colon.
var secretValue = lazy.Regexp(`-----BEGIN |://[^/\s:@]*:[^/\s@]+@|(?i)^[-*>\s]*[\w.-]*(?:pass|pwd|secret|token|cred)[\w.-]*:\S`)

// isBase64Line tells a line of PEM or the like, alone on its line: 40 characters or more, of all sorts. (A git commit has no capitals.)
func isBase64Line(body string) bool {
	var upper, lower, digit bool
	for _, r := range strings.TrimRight(body, "=") {
		switch {
		case r >= 'A' && r <= 'Z':
			upper = true
		case r >= 'a' && r <= 'z':
			lower = true
		case r >= '0' && r <= '9':
			digit = true
		case r != '+' && r != '/' && r != '-' && r != '_':
			return false
		}
	}
	return len(body) >= 40 && upper && lower && digit
}

func isKeyValue(body string) bool {
	if keyValue().MatchString(body) || flowValue().MatchString(body) || secretValue().MatchString(body) || isBase64Line(body) {
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
	end, col int // of the last one that did: where it ends, and the column of its text
}

func (f *valueFilter) looksLikeValue(text string, c comment) bool {
	body := strings.TrimLeft(text[c.off:c.end], "#")
	body = strings.TrimLeft(body, " \t")
	col := c.end - len(body) - lineStart(text, c.off)
	body = strings.TrimRight(body, " \t")
	switch {
	case c.full && f.end > 0 && strings.TrimSpace(text[f.end:c.off]) == "" && (body == "" || col > f.col):
		f.end = c.end
		return true
	case !isKeyValue(body) || directives().MatchString(body):
		return false
	}
	if c.full {
		f.end, f.col = c.end, col
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
			d.commented().head = append(d.comments().head, pending...)
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
			if d := dest(k); d != nil && d.comments().eol == "" && lineStart(text, k.off) == lineStart(text, c.off) {
				cut := c.cut(text)
				d.commented().eol = text[cut.from:c.end]
				if cut.from == c.off {
					d.notes.eol = " " + d.notes.eol
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
