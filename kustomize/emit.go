package kustomize

import (
	"bytes"
	"sort"
	"strings"
	"unicode"

	"sigs.k8s.io/kustomize/kyaml/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// emitter writes a resource as kustomize's Resource.AsYAML does, byte for byte, without its four conversions (YAML,
// objects, JSON, objects, YAML), which are a third of a build. It knows the common shapes: mappings with plain string
// keys, lists, strings of printable ASCII on one line, decimal integers, booleans and null. On anything else it gives
// up, and AsYAML has to do it. FuzzEmit holds the two against each other.
type emitter struct {
	out    *bytes.Buffer
	values map[*yaml.Node]site // placeholders: what to write in their place
	err    error
}

// maxKey is the length from which go-yaml writes a key in another way; maxWidth the column after which it breaks lines
// at spaces.
const (
	maxKey   = 120
	maxWidth = 80
)

// resource writes a resource; false means that nothing was written.
func (e *emitter) resource(root *yaml.Node) bool {
	if root == nil || root.Kind != yaml.MappingNode || len(root.Content) == 0 {
		return false
	}
	start := e.out.Len()
	if e.mapping(root, 0, false) && e.err == nil {
		return true
	}
	e.out.Truncate(start)
	return false
}

type entry struct {
	key   string
	value *yaml.Node
}

// mapping writes the pairs of a mapping in the order of go-yaml. inline: the first one goes where the cursor is.
func (e *emitter) mapping(n *yaml.Node, indent int, inline bool) bool {
	entries := make([]entry, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode || k.ShortTag() != yaml.NodeTagString || k.Anchor != "" || len(k.Value) > maxKey || k.Value == "<<" {
			return false
		}
		entries = append(entries, entry{k.Value, n.Content[i+1]})
	}
	sort.Sort(byKey(entries))
	for i, p := range entries {
		if i > 0 && entries[i-1].key == p.key {
			return false // a fault that AsYAML reports
		}
		if i > 0 || !inline {
			e.indent(indent)
		}
		before := e.out.Len()
		if !e.text(p.key, 0) {
			return false
		}
		e.out.WriteByte(':')
		if !e.value(p.value, indent, indent+e.out.Len()-before+1, true) {
			return false
		}
	}
	return true
}

// value writes what comes after "key:" or "-" in a line that began at indent; column is where a scalar would begin.
// The items of a list under a key stand as far left as the key.
func (e *emitter) value(n *yaml.Node, indent, column int, afterKey bool) bool {
	if n.Anchor != "" {
		return false
	}
	switch n.Kind {
	case yaml.ScalarNode:
		e.out.WriteByte(' ')
		if !e.scalar(n, column) {
			return false
		}
		e.out.WriteByte('\n')
		return true
	case yaml.MappingNode:
		if len(n.Content) == 0 {
			e.out.WriteString(" {}\n")
			return true
		}
		if afterKey {
			e.out.WriteByte('\n')
			return e.mapping(n, indent+2, false)
		}
		e.out.WriteByte(' ')
		return e.mapping(n, indent+2, true)
	case yaml.SequenceNode:
		if len(n.Content) == 0 {
			e.out.WriteString(" []\n")
			return true
		}
		if afterKey {
			e.out.WriteByte('\n')
			return e.sequence(n, indent, false)
		}
		e.out.WriteByte(' ')
		return e.sequence(n, indent+2, true)
	}
	return false
}

func (e *emitter) sequence(n *yaml.Node, indent int, inline bool) bool {
	for i, item := range n.Content {
		if i > 0 || !inline {
			e.indent(indent)
		}
		e.out.WriteByte('-')
		if !e.value(item, indent, indent+2, false) {
			return false
		}
	}
	return true
}

func (e *emitter) indent(n int) {
	for range n {
		e.out.WriteByte(' ')
	}
}

func (e *emitter) scalar(n *yaml.Node, column int) bool {
	if s, ok := e.values[n]; ok {
		text, err := s.text()
		if err == nil {
			err = scalar(e.out, text)
		}
		e.err = err
		return err == nil
	}
	switch n.ShortTag() {
	case yaml.NodeTagString:
		return e.text(n.Value, column)
	case yaml.NodeTagInt:
		if !isDecimal(n.Value) {
			return false
		}
	case yaml.NodeTagBool:
		if n.Value != "true" && n.Value != "false" {
			return false
		}
	case yaml.NodeTagNull:
		if n.Value == "" {
			return false // in flow style AsYAML makes it an empty string
		}
		e.out.WriteString("null")
		return true
	default:
		return false
	}
	e.out.WriteString(n.Value)
	return true
}

// isDecimal reports whether s is an integer as it is written back after parsing.
func isDecimal(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if s == "0" {
		return true
	}
	if digits == "" || len(digits) > 18 || digits[0] == '0' {
		return false
	}
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// text writes a string that begins at a column.
func (e *emitter) text(s string, column int) bool {
	spaces := false
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ':
			spaces = true
		case c < ' ' || c > '~':
			return false
		}
	}
	if isPlain(s) {
		if spaces && column+len(s) >= maxWidth {
			return false
		}
		e.out.WriteString(s)
		return true
	}
	text, err := sigsyaml.Marshal(s) // on one line its style does not depend on where it stands
	if err != nil || spaces && column+len(text) >= maxWidth {
		return false
	}
	e.out.Write(bytes.TrimSuffix(text, []byte("\n")))
	return true
}

// isPlain reports whether go-yaml surely writes s without quotes: it begins with a letter, '/' or '_', has none of the
// characters that may mean something, and is none of YAML 1.1's words.
func isPlain(s string) bool {
	if s == "" {
		return false
	}
	if c := s[0]; !isLetter(c) && c != '/' && c != '_' {
		return false
	}
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case isLetter(c) || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '/' || c == '-' || c == '=' || c == '@' || c == '+' || c == ',':
		case (c == ' ' || c == ':') && i+1 < len(s) && s[i+1] != ' ' && s[i+1] != '#':
		default:
			return false
		}
	}
	if len(s) > len("false") {
		return true
	}
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	return true
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// byKey is go-yaml's order of keys (v2, sorter.go): letters after everything else, runs of digits as numbers.
type byKey []entry

func (l byKey) Len() int           { return len(l) }
func (l byKey) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l byKey) Less(i, j int) bool { return keyLess(l[i].key, l[j].key) }

func keyLess(a, b string) bool {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	if i == n {
		return len(a) < len(b)
	}
	if la, lb := isLetter(a[i]), isLetter(b[i]); la && lb {
		return a[i] < b[i]
	} else if la || lb {
		return lb
	}
	// A run of zeros continues a number that began before, so that 10 comes after 2 and 01 after 1.
	var na, nb int64
	if a[i] == '0' || b[i] == '0' {
		for j := i - 1; j >= 0 && isDigit(a[j]); j-- {
			if a[j] != '0' {
				na, nb = 1, 1
				break
			}
		}
	}
	ia, ib := i, i
	for ; ia < len(a) && isDigit(a[ia]); ia++ {
		na = na*10 + int64(a[ia]-'0')
	}
	for ; ib < len(b) && isDigit(b[ib]); ib++ {
		nb = nb*10 + int64(b[ib]-'0')
	}
	if na != nb {
		return na < nb
	}
	if ia != ib {
		return ia < ib
	}
	return a[i] < b[i]
}

func isDigit(c byte) bool { return unicode.IsDigit(rune(c)) }
