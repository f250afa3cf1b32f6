package manifest

import "strings"

// entry is one key and value of a block mapping, with the lines that are its own. A comment belongs to the entry below it; one that is
// indented further than the keys, behind a value, belongs to that value.
type entry struct {
	k, v *node
	head int // where the comment and blank lines above it begin
	from int // where its line begins; its key, if something else stands before it on the line
	to   int // behind the line that its value ends on
	tail int // behind the comment lines further in that follow; the next entry's head
}

// entries lays out a block mapping line by line. nil: it isn't in block style, or not with each key at the beginning of a line. The
// comments above the first key are its own; the object's stay where they are, above the object.
func (i *Item) entries(n *node) []entry {
	if n.kind != mapping || n.style != block || len(n.kids) == 0 {
		return nil
	}
	text := i.doc.text
	col := n.off - lineStart(text, n.off)
	list := make([]entry, 0, len(n.kids)/2)
	for j := 0; j < len(n.kids); j += 2 {
		k, v := n.kids[j], n.kids[j+1]
		e := entry{k: k, v: v, from: lineStart(text, k.off), to: lineEnd(text, v.end)}
		if k.off-e.from != col || strings.Contains(text[k.off:k.end], "\n") {
			return nil
		}
		if strings.TrimLeft(text[e.from:k.off], " ") != "" {
			if j > 0 { // not reached: only the first key of a list's item has something before it
				return nil
			}
			e.from = k.off
		}
		e.head = e.from
		switch {
		case j == 0 && n != i.n:
			for e.head > 0 && isCommentLine(text, lineStart(text, e.head-1)) {
				e.head = lineStart(text, e.head-1)
			}
		case j > 0:
			if e.head = list[len(list)-1].tail; e.from < e.head { // not reached: two keys of a block mapping share no line
				return nil
			}
		}
		e.tail = i.inside(e.to, col+1)
		list = append(list, e)
	}
	return list
}

// isCommentLine says whether the line at off holds nothing but blanks or a comment.
func isCommentLine(text string, off int) bool {
	c := text[off+countSpaces(text[off:])]
	return c == '\n' || c == '#'
}

// inside passes the comment lines from off on that are indented by at least min, and blank lines before such.
func (i *Item) inside(off, min int) int {
	text := i.doc.text
	for p := off; p < len(text); p = lineEnd(text, p) {
		n := countSpaces(text[p:])
		switch c := text[p+n]; {
		case c == '\n':
		case c == '#' && n >= min:
			off = lineEnd(text, p)
		default:
			return off
		}
	}
	return off
}

// writesJSON says whether the object is written as JSON: block style can't stand inside flow style.
func (i *Item) writesJSON() bool { return i.doc.json || i.inFlow }

// region is the text that belongs to the item: the document, or a List's item with the comments above and inside it.
func (i *Item) region() (from, to int) {
	text := i.doc.text
	if i.top {
		return 0, len(text)
	}
	if i.inFlow || i.doc.json {
		return i.n.off, i.n.end
	}
	// A comment further in than the dash belongs to the item above it, any other to the one below.
	from = lineStart(text, i.n.off)
	for from > 0 && text[from+countSpaces(text[from:])] != '-' {
		from = lineStart(text, from-1) // a dash on a line of its own
	}
	for from > 0 {
		up := lineStart(text, from-1)
		n := countSpaces(text[up:])
		if c := text[up+n]; c != '\n' && (c != '#' || n > i.indent) {
			break
		}
		from = up
	}
	to = i.inside(lineEnd(text, i.n.end), i.indent+1)
	if end := i.inside(to, 0); strings.TrimLeft(text[end:], ".\n ") == "" {
		to = end // nothing below that comments could belong to
	}
	return from, to
}

// comment is one comment of the text.
type comment struct {
	off, end int  // from # to before the line break
	full     bool // alone on its line
	line     int  // in the file
	value    bool // looks like a commented-out value
	done     bool // cut, moved or reported
}

// cut takes out the comment's line, or the comment with the blanks before it.
func (c comment) cut(text string) edit {
	if c.full {
		return edit{from: lineStart(text, c.off), to: min(c.end+1, len(text))}
	}
	from := c.off
	for from > 0 && (text[from-1] == ' ' || text[from-1] == '\t') {
		from--
	}
	return edit{from: from, to: c.end}
}

// comments finds the comments of text[from:to], which holds the measured tree n: between scalars, every # begins one.
func (i *Item) comments(n *node, from, to int) []comment {
	text := i.doc.text
	if strings.IndexByte(text[from:to], '#') < 0 {
		return nil
	}
	s := commentScan{text: text, at: from, to: to, lineAt: from, line: i.n.line - strings.Count(text[from:i.n.off], "\n")}
	s.walk(n)
	s.gap(to)
	return s.list
}

type commentScan struct {
	text         string
	at, to       int
	lineAt, line int
	list         []comment
}

func (s *commentScan) walk(n *node) {
	for _, k := range n.kids {
		s.walk(k)
	}
	if n.kind != scalar || n.end <= s.at {
		return
	}
	if n.style == literal || n.style == folded {
		s.gap(lineEnd(s.text, n.off))
	} else {
		s.gap(n.off)
	}
	s.at = max(s.at, n.end)
}

// gap looks for comments up to an offset.
func (s *commentScan) gap(to int) {
	for to = min(to, s.to); s.at < to; {
		i := strings.IndexByte(s.text[s.at:to], '#')
		if i < 0 {
			s.at = to
			return
		}
		off := s.at + i
		end := lineEnd(s.text, off)
		s.at = end
		s.line += strings.Count(s.text[s.lineAt:off], "\n")
		s.lineAt = off
		full := strings.TrimLeft(s.text[lineStart(s.text, off):off], " \t") == ""
		s.list = append(s.list, comment{off: off, end: strings.LastIndexByte(s.text[:end], '\n'), full: full, line: s.line})
	}
}
