package verify

import (
	"bytes"
	"strings"

	"github.com/ageseal/ageseal/internal/lazy"
	"github.com/ageseal/ageseal/manifest"
)

const (
	templateWhat = "plaintext values of a Secret, in a template"
	templateHint = "make the template take them from elsewhere, or put the Secret into a manifest of its own and encrypt that"
)

// template is about a Secret in a template: what no action makes is in clear as it stands.
func (c *checker) template(item *manifest.Item, data []byte, lenient func() *objects) {
	if o := lenient().at(item.Line); o != nil {
		keys := o.literalKeys()
		if len(keys) == 0 && o.strayFields() {
			keys = []string{""}
		}
		if len(keys) > 0 {
			c.add(Finding{Rule: PlaintextSecret, Line: item.Line, Secret: ref(o.names()), Key: joinKeys(keys), What: templateWhat, Hint: templateHint})
		}
		return
	}
	if !c.named() {
		return
	}
	if line, keys := literalLines(documentAt(data, item.Line)); len(keys) > 0 {
		c.add(Finding{Rule: PlaintextSecret, Line: item.Line - 1 + line, Key: joinKeys(keys), What: templateWhat, Hint: templateHint})
	}
}

var (
	kindLine   = lazy.Regexp(`^([ \t]*(?:- )?)["']?kind["']?: +["']?Secret["']?,?[ \t]*(?:#.*)?$`)
	valuesLine = lazy.Regexp(`^([ \t]*(?:- )?)["']?(?:data|stringData)["']?:[ \t]*(\{.*)?(?:#.*)?$`)
	entryLine  = lazy.Regexp(`^([ \t]+)["']?([-._a-zA-Z0-9]+)["']?[ \t]*:(?:[ \t]+(.*))?$`)
	blockStyle = lazy.Regexp(`^[|>][-+0-9]*[ \t]*(?:#.*)?$`)
)

// literalLines looks for lines of the form key: value under the data or stringData of a Secret, in a template that is no YAML before it is
// rendered. It returns the first one's number and the keys. Lines are all there is to go by, so what a line doesn't make plain is no finding.
func literalLines(text []byte) (first int, keys []string) {
	lines := strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
	object := -1 // the indentation of the Secret's fields
	for _, line := range lines {
		if m := kindLine().FindStringSubmatch(line); m != nil {
			if object >= 0 && object != len(m[1]) {
				return 0, nil // several, not to be told apart
			}
			object = len(m[1])
		} else if object == 0 && strings.HasPrefix(line, "kind:") {
			return 0, nil // one of several kinds
		}
	}
	if object < 0 {
		return 0, nil
	}
	found := func(n int, key string) {
		if keys = append(keys, key); len(keys) == 1 {
			first = n + 1
		}
	}
	inside, entries := false, -1 // entries is the indentation of the map's keys
	for n, line := range lines {
		body := strings.TrimLeft(line, " \t")
		indent := len(line) - len(body)
		switch m := valuesLine().FindStringSubmatch(line); {
		case body == "" || body[0] == '#' || strings.HasPrefix(body, "{{") || strings.HasPrefix(body, "{%"):
			continue
		case m != nil && len(m[1]) == object:
			inside, entries = true, -1
			if text := strings.TrimSpace(m[2]); len(text) > 1 && !strings.HasPrefix(text, "{}") && !isActionText(text) {
				found(n, "") // a flow map
			}
			continue
		case indent <= object:
			inside = false
		}
		m := entryLine().FindStringSubmatch(line)
		if !inside || m == nil || entries >= 0 && indent != entries {
			continue
		}
		entries = indent
		value := strings.TrimSuffix(strings.TrimSpace(m[3]), ",")
		if blockStyle().MatchString(value) {
			value = blockText(lines[n+1:], indent)
		}
		switch value {
		case "", `""`, "''", "null", "~", "{}", "[]":
		default:
			if value[0] != '#' && value[0] != '&' && value[0] != '*' && !isActionText(value) {
				found(n, m[2])
			}
		}
	}
	return first, keys
}

func isActionText(s string) bool { return strings.Contains(s, "{{") || strings.Contains(s, "{%") }

// blockText joins the lines that are indented further.
func blockText(lines []string, indent int) string {
	var b strings.Builder
	for _, line := range lines {
		body := strings.TrimLeft(line, " \t")
		// An action may stand at any place and still be inside.
		if body != "" && len(line)-len(body) <= indent && !strings.HasPrefix(body, "{{") {
			break
		}
		b.WriteString(body)
	}
	return b.String()
}

// documentAt is the document that begins in a line.
func documentAt(data []byte, line int) []byte {
	for ; line > 1; line-- {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			return nil
		}
		data = data[i+1:]
	}
	return data[:documentEnd(data)]
}
