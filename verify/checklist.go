package verify

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/lazy"
)

// The rules about lists of values that are to be changed because somebody left.
const (
	NotRotated    = "not-rotated"    // a box is ticked, and the value in place is the one that was there when the list was made
	OpenChecklist = "open-checklist" // a warning: boxes that are not ticked
)

// ChecklistMarker begins the first line of a checklist, which the file may say more in.
const ChecklistMarker = "<!-- ageseal checklist"

// ChecklistMark ends a line of a checklist: which file has the value, and the mark (crypt.Mark) of what must not stay in place.
func ChecklistMark(path, mark string) string {
	quoted := strings.ReplaceAll(strconv.QuoteToASCII(path), ">", `\x3e`) // "-->" would end the comment
	return fmt.Sprintf("<!-- %s %s -->", quoted, mark)
}

var checklistLine = lazy.Regexp(`^\s*[-*+] \[([ xX])\] (.*?)\s*(?:<!-- ("(?:[^"\\]|\\.)*") ([0-9a-f]{16}) -->)?\s*$`)

// IsChecklist tells a file that is looked after.
func IsChecklist(data []byte) bool { return bytes.HasPrefix(data, []byte(ChecklistMarker)) }

// Checklist holds the ticked boxes of a checklist against what is in place, which read gives for a path relative to the top level; nil for no
// such file. Whether another ciphertext is another value, nobody sees without a key: only that nothing was written is a fault.
func Checklist(name string, data []byte, read func(path string) []byte) []Finding {
	c := &checker{name: name}
	marks := map[string]map[string]bool{} // by path
	open, written, first := 0, 0, 0
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		m := checklistLine().FindSubmatch(line)
		if m == nil {
			continue
		}
		path, err := strconv.Unquote(string(m[3]))
		inPlace := false
		if err == nil && path != "" {
			if marks[path] == nil {
				marks[path] = marksIn(read(path))
			}
			inPlace = marks[path][string(m[4])]
		}
		switch ticked := string(m[1]) != " "; {
		case ticked && inPlace:
			c.add(Finding{Rule: NotRotated, Line: n, What: "ticked, and the value in place is the one that was there when the list was made: " + string(m[2]),
				Hint: `change it where it is made, then: ageseal set FILE KEY; or take the tick away`})
		case !ticked:
			if open++; first == 0 {
				first = n
			}
			if path != "" && !inPlace {
				written++
			}
		}
	}
	if open > 0 {
		what := fmt.Sprintf("values still to be changed: %d", open)
		if written > 0 {
			what += fmt.Sprintf("; of these written again since the list was made: %d", written)
		}
		c.add(Finding{Level: Warning, Rule: OpenChecklist, Line: first, What: what, Hint: "tick what was changed at its source; remove the file when all is done"})
	}
	return c.found
}

// Remark gives a checklist in which n values go by new marks; anything else as it is.
func Remark(data []byte, marks map[string]string) (again []byte, n int) {
	lines := bytes.SplitAfter(data, []byte("\n"))
	for i, line := range lines {
		m := checklistLine().FindSubmatch(bytes.TrimRight(line, "\n"))
		if m == nil || marks[string(m[4])] == "" {
			continue
		}
		n++
		lines[i] = bytes.Replace(line, []byte(string(m[4])+" -->"), []byte(marks[string(m[4])]+" -->"), 1)
	}
	return bytes.Join(lines, nil), n
}

// marksIn are the marks of what is sealed in a file.
func marksIn(data []byte) map[string]bool {
	marks := map[string]bool{}
	if crypt.IsArmored(data) {
		if facts, err := crypt.InspectFile(data); err == nil {
			marks[crypt.Mark(string(facts.Armor))] = true
		}
		return marks
	}
	for _, s := range sealedIn(data) {
		for _, b := range s.Spec.Data {
			marks[crypt.Mark(b.Box)] = true
		}
	}
	return marks
}
