package secret

import (
	"bytes"
	"strings"

	"github.com/ageseal/ageseal/manifest"
)

// edited are the texts as the joined maps make them, a document in conflict replaced by a line of its own. Where that can't be, its line is
// in none of them, which expand notices.
func (m *fileMerge) edited() (texts [3][]byte) {
	for n, s := range m.sides {
		texts[n] = s.file.Bytes()
		whole := map[*manifest.Item]*opened{}
		for _, c := range m.whole {
			if c.doc[n] != nil {
				whole[c.doc[n].item] = c
			}
		}
		if len(whole) == 0 {
			continue
		}
		var out bytes.Buffer
		rest := texts[n]
		for _, item := range s.file.Items() { // in their order, so that each is looked for behind the one before
			c := whole[item]
			if c == nil {
				continue
			}
			text := c.text[n]
			at := bytes.Index(rest, []byte(text))
			if at < 0 {
				text = strings.TrimSuffix(text, "\n") // the last line of a file without a line end
				at = bytes.Index(rest, []byte(text))
			}
			if text == "" || at < 0 {
				continue
			}
			out.Write(rest[:at])
			if out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
				out.WriteByte('\n') // inside a flow collection
			}
			out.WriteString(c.first + "\n")
			rest = rest[at+len(text):]
		}
		out.Write(rest)
		texts[n] = out.Bytes()
	}
	return texts
}

// Where a line of the merged text stands: outside of conflicts, or on one side of one.
const (
	inBase = iota
	inOurs
	inTheirs
	outside
	onMarker
)

// expand puts markers in the place of each stand-in; within a conflict that the texts had, what belongs to its side. false: one is not
// there. A clean text has no markers, whatever its lines look like.
func (m *fileMerge) expand(merged string, clean bool) (string, bool) {
	lines := strings.SplitAfter(merged, "\n")
	where := make([]int, len(lines))
	at := outside
	for n, line := range lines {
		where[n] = onMarker
		switch {
		case clean:
			where[n] = outside
		case m.isMarker(line, '<'):
			at = inOurs
		case at != outside && m.isMarker(line, '|'):
			at = inBase
		case at != outside && m.isMarker(line, '='):
			at = inTheirs
		case m.isMarker(line, '>'):
			at = outside
		default:
			where[n] = at
		}
	}
	places := m.standIns(lines)
	for _, c := range append(m.whole, m.open...) {
		found := false
		for _, n := range places[c.first] {
			if !strings.Contains(lines[n], c.first) {
				continue
			}
			found = true
			from, to := n, n+1
			if c.last != "" {
				if from, to = entryLines(lines, n, c.last); to == 0 {
					return "", false
				}
				if where[from] != where[n] {
					from = n // what stands behind the key is in a conflict of its own
				}
			}
			own := strings.Join(lines[from:to], "")
			text := m.conflictText(func(side int) string { return c.on(side, own) })
			if where[n] != outside {
				text = c.on(where[n], own)
			}
			for l := from; l < to; l++ {
				lines[l] = ""
			}
			lines[from] = text
		}
		if !found {
			return "", false
		}
	}
	return strings.Join(lines, ""), true
}

// standIns are the lines that have one, by what it is.
func (m *fileMerge) standIns(lines []string) map[string][]int {
	places := map[string][]int{}
	for _, c := range append(m.whole, m.open...) {
		places[c.first] = nil
	}
	other := func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '2' || r > '7') } // rand.Text is in base32
	for n, line := range lines {
		for _, word := range strings.FieldsFunc(line, other) {
			if at, ok := places[word]; ok {
				places[word] = append(at, n)
			}
		}
	}
	return places
}

func (m *fileMerge) isMarker(line string, sign byte) bool {
	rest, ok := strings.CutPrefix(line, strings.Repeat(string(sign), m.markers.Size))
	return ok && (rest == "" || rest[0] == ' ' || rest[0] == '\n')
}

// entryLines finds the lines of an entry, from that with its key to the last one, from a line in it on. to is 0 if it is not whole.
func entryLines(lines []string, n int, last string) (from, to int) {
	for from = n - 1; from > 0; from-- {
		if t := strings.TrimLeft(lines[from], " "); t != "\n" && !strings.HasPrefix(t, "#") {
			break
		}
	}
	for to = n; to < len(lines); to++ {
		if !strings.Contains(lines[to], last) {
			continue
		}
		if strings.HasPrefix(strings.TrimLeft(lines[n], " "), `"`) {
			to++ // the brace of JSON
		}
		if from < 0 || to >= len(lines) {
			break
		}
		return from, to + 1
	}
	return 0, 0
}

// on is what a side has in the place of own, the lines with the stand-ins.
func (c *opened) on(side int, own string) string {
	switch is := c.is[side]; {
	case c.last == "":
		return c.text[side]
	case is == nil:
		return ""
	case c.other != "":
		to := is[0]
		if strings.Contains(own, `"`+c.first) { // JSON
			to = strings.ReplaceAll(to, ", ", `", "`)
		}
		return strings.NewReplacer(c.first, to, c.last, is[1], c.other, is[2]).Replace(own)
	default:
		return strings.NewReplacer(c.first, is[0], c.last, is[1]).Replace(own)
	}
}

// conflictText is both sides of something between markers.
func (m *fileMerge) conflictText(on func(side int) string) string {
	var b strings.Builder
	marker := func(sign, name string) {
		b.WriteString(strings.Repeat(sign, m.markers.Size))
		if name != "" {
			b.WriteString(" " + name)
		}
		b.WriteString("\n")
	}
	text := func(side int) {
		s := on(side)
		b.WriteString(s)
		if s != "" && !strings.HasSuffix(s, "\n") {
			b.WriteString("\n")
		}
	}
	marker("<", m.markers.Ours)
	text(inOurs)
	if m.markers.ShowBase() {
		marker("|", m.markers.Base)
		text(inBase)
	}
	marker("=", "")
	text(inTheirs)
	marker(">", m.markers.Theirs)
	return b.String()
}

// asWhole puts the whole file between markers: the safe way out where lines can't tell what to choose between.
func (m *fileMerge) asWhole() *MergedFile {
	text := m.conflictText(func(side int) string { return string(m.texts[side]) })
	return &MergedFile{Text: []byte(text), Conflicts: m.conflicts}
}

// check reads a clean result: each sealed document has to be there, once, as the maps say.
func (m *fileMerge) check(result string) bool {
	var s side
	if !s.read([]byte(result)) || len(s.docs) != len(m.want) {
		return false
	}
	for id, want := range m.want {
		if s.docs[id] == nil || !sameSpec(s.docs[id].spec, want) {
			return false
		}
	}
	return true
}
