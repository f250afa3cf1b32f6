package manifest

import (
	"bytes"
	"strings"
	"testing"
)

// TestLine: whatever stands in the result as it stood in the source is found there on its line.
func TestLine(t *testing.T) {
	native := func(name string) string {
		return "apiVersion: v1\nkind: Secret\nmetadata: {name: " + name + "} # mark-in-" + name + "\nstringData:\n  a: x\n  b: z\n# mark-below-" + name + "\n"
	}
	text := "# mark-top\n" + native("one") + "---\nkind: ConfigMap # mark-between\n---\r\nkind: Service # mark-crlf\r\n---\n" + native("two") + "---\nkind: Pod # mark-end\n"
	f, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		out := f.Bytes()
		marks := 0
		for at := 0; at < len(out); at++ {
			if !bytes.HasPrefix(out[at:], []byte("mark-")) {
				continue
			}
			marks++
			mark := strings.FieldsFunc(string(out[at:]), func(r rune) bool { return r <= ' ' })[0]
			if want, got := 1+strings.Count(text[:strings.Index(text, mark)], "\n"), f.Line(at); got != want {
				t.Errorf("%s is on line %d, want %d", mark, got, want)
			}
		}
		if marks != 8 {
			t.Errorf("%d marks in\n%s", marks, out)
		}
	}
	check()
	for _, i := range f.Items() {
		if _, err := i.Native(); err != nil {
			t.Fatal(err)
		}
		i.Seal(&Spec{Binding: Binding{Name: "x"}})
	}
	check()
	for _, name := range []string{"one", "two"} { // what an edit put there is where the edit is
		at := bytes.Index(f.Bytes(), []byte("mark-in-"+name))
		at += bytes.Index(f.Bytes()[at:], []byte("spec:"))
		first := 1 + strings.Count(text[:strings.Index(text, "mark-in-"+name)], "\n")
		if got := f.Line(at + len("spec:")); got <= first || got > first+3 {
			t.Errorf("the spec of %s is on line %d, below %d", name, got, first)
		}
	}
	f.Reset()
	if f.Changed() || string(f.Bytes()) != text {
		t.Error("Reset left an edit")
	}
}
