package manifest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Eight MiB of whatever costs a parser most: an answer in bounded time and memory. The bounds are generous; quadratic code misses them by
// orders of magnitude.
func TestHostile(t *testing.T) {
	const maxTime, maxHeap = 20 * time.Second, 1 << 30
	fill := func(head, s, tail string) string {
		return head + strings.Repeat(s, (MaxFileSize-len(head)-len(tail))/len(s)) + tail
	}
	const list = "apiVersion: v1\nkind: List\nitems:"
	var bomb, merges, nested strings.Builder
	bomb.WriteString(secretHead + "x0: &x0 [a,a,a,a,a,a,a,a,a]\n")
	merges.WriteString("x0: &x0 {kind: Secret}\n")
	for i := 1; i < 1000; i++ {
		fmt.Fprintf(&bomb, "x%d: &x%d [*x%d,*x%d,*x%d,*x%d]\n", i, i, i-1, i-1, i-1, i-1)
		fmt.Fprintf(&merges, "x%d: &x%d {<<: [*x%d,*x%d,*x%d,*x%d]}\n", i, i, i-1, i-1, i-1, i-1)
	}
	merges.WriteString("<<: *x999\n")
	for i := range 2500 {
		nested.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	tests := map[string]string{
		"brackets":              fill(secretHead+"a: ", "[", ""),
		"dashes":                fill(secretHead+"a:\n", "- ", ""),
		"lines of dashes":       fill(secretHead+"a:\n", "- \n", ""),
		"hashes":                fill(secretHead, "#", "\n"),
		"comments":              fill(secretHead, "#\n", ""),
		"comments and keys":     fill(secretHead+"data:\n", "  # c\n  a: b\n", ""),
		"anchors":               fill(secretHead+"a: ", "&a ", ""),
		"a list of anchors":     fill(secretHead+"a: [", "&a a,", "]"),
		"aliases":               fill(secretHead, "&a a: *a\n", ""),
		"alias bomb":            bomb.String(),
		"merge bomb":            merges.String(),
		"documents":             fill("", "---\nkind: Secret\n", ""),
		"documents, not simple": fill("", "---\nkind: 'Secret''s Secret'\n", ""),
		"Secrets":               fill("", "---\nkind: Secret\napiVersion: v1\n", ""),
		"broken documents":      fill("", "--- {kind: Secret\n", ""),
		"empty documents":       fill("", "---\n", ""),
		"one value":             fill(secretHead+"data: {a: \"", "x", "\"}\n"),
		"one plain value":       fill(secretHead+"data: {a: ", "x ", "}\n"),
		"many lines of one":     fill(secretHead+"data:\n  a: x\n", "        yyyyyyyyyyyyyyyyyyyyyyyy\n", ""),
		"one line of JSON":      fill(`{"apiVersion":"v1","kind":"Secret","data":{`, `"aaaaaaaaaaaaaaaa":"eA==eA==eA==",`, `"b":""}}`),
		"JSON brackets":         fill(`{"kind":"Secret","apiVersion":"v1","a":`, "[", ""),
		"nested JSON":           `{"apiVersion":"v1","kind":"Secret","a":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "}",
		"nested maps":           secretHead + nested.String(),
		"questions":             fill(secretHead, "? ", ""),
		"colons":                fill(secretHead, ": ", ""),
		"tags":                  fill(secretHead+"a: ", "! ", ""),
		"escapes":               fill(secretHead+"a: \"", "\\u0041", "\"\n"),
		"equal keys":            fill(secretHead+"data:\n", "  aaaaaaaaaaaaaaaaaaaaaaaa: eA==\n", ""),
		"items":                 fill(list+"\n", "- {kind: Secret, apiVersion: v1, metadata: {name: aaaaaaaaaaaaa}}\n", ""),
		"items with comments":   fill(list+"\n", "- {kind: Secret, apiVersion: v1, metadata: {name: x}, data: {a: "+strings.Repeat("eA", 220)+"}} # c\n", ""),
		"JSON items":            fill(`{"kind":"List","apiVersion":"v1","items":[`, `{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"},"data":{"a":"`+strings.Repeat("eA==", 110)+`"}},`, `{}]}`),
		"words that don't end":  fill("@ ", " kind: Secret", ""),
		"kinds":                 fill("@ kind:", "kind: \"", ""),
		"a carriage return":     fill(secretHead, "\r", ""),
		"conflicts":             fill(secretHead, "<<<<<<< \n", ""),
		"directives":            fill("", "%YAML 1.2\n", "---\nkind: Secret\n"),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			f := parse(t, []byte(text))
			for _, i := range f.Items() {
				if i.Kind != Native {
					continue
				}
				if _, err := i.Native(); err == nil {
					i.Seal(&Spec{})
				}
			}
			f.Bytes()
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if took > maxTime {
				t.Errorf("took %v", took)
			}
			if heap := int64(after.HeapAlloc) - int64(before.HeapAlloc); heap > maxHeap {
				t.Errorf("holds %d MiB", heap>>20)
			}
			if len(f.Items()) > 2*maxItems {
				t.Errorf("%d items", len(f.Items()))
			}
			t.Logf("%v, %d items", took, len(f.Items()))
		})
	}
}
