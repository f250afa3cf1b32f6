package verify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/verify"
)

// TestChecklist: a tick is a fault while the sealed value in place is the one that the list is about. What no program wrote counts as a box.
func TestChecklist(t *testing.T) {
	mark := crypt.Mark("Ym94")
	doc := []byte(`apiVersion: ageseal.dev/v1alpha1
kind: EncryptedSecret
metadata:
  name: db
spec:
  suite: 1
  binding:
    name: db
  wraps:
    475rdxtz3v2prwywscz6juw6n4tmnstt:
      to: [scz6juw6n4tmnstt]
      age: YQ==
      dk: YQ==
  data:
    a:
      by: 475rdxtz3v2prwywscz6juw6n4tmnstt
      box: Ym94
`)
	odd := `a "b"` + "\n-->ü.yaml"
	files := map[string][]byte{"db.yaml": doc, odd: doc}
	in := func(path string) string { return verify.ChecklistMark(path, mark) }
	tests := []struct {
		name  string
		lines []string
		want  []string
	}{
		{"ticked, and the same", []string{"- [x] Secret db key a " + in("db.yaml")}, []string{"finding not-rotated 3: Secret db key a"}},
		{"in other hands' Markdown", []string{"  * [X] Secret db " + in("db.yaml") + " \r"}, []string{"finding not-rotated 3: Secret db"}},
		{"a path that would end the comment", []string{"- [x] odd " + in(odd)}, []string{"finding not-rotated 3: odd"}},
		{"ticked, and another in place", []string{"- [x] Secret db key a " + verify.ChecklistMark("db.yaml", "0123456789abcdef")}, nil},
		{"ticked, and the file is gone", []string{"- [x] Secret db key a " + in("gone.yaml")}, nil},
		{"ticked, without a mark", []string{"- [x] told the bank"}, nil},
		{"open", []string{"- [ ] a " + in("db.yaml"), "text", "- [ ] told the bank"}, []string{"warning open-checklist 3: values still to be changed: 2"}},
		{"open, and written again", []string{"", "- [ ] a " + verify.ChecklistMark("db.yaml", "0123456789abcdef")},
			[]string{"warning open-checklist 4: values still to be changed: 1; of these written again since the list was made: 1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := verify.ChecklistMarker + " -->\n\n" + strings.Join(test.lines, "\n") + "\n"
			if !verify.IsChecklist([]byte(text)) {
				t.Fatal("no checklist")
			}
			var got []string
			for _, f := range verify.Checklist("todo.md", []byte(text), func(path string) []byte { return files[path] }) {
				what := strings.TrimPrefix(f.What, "ticked, and the value in place is the one that was there when the list was made: ")
				got = append(got, fmt.Sprintf("%s %s %d: %s", f.Level, f.Rule, f.Line, what))
				if f.File != "todo.md" || f.Hint == "" {
					t.Errorf("%+v", f)
				}
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if verify.IsChecklist([]byte("# Notes\n- [x] a\n")) {
		t.Error("a list of other people is none of ours")
	}
}

// TestRemark: a list goes on with the marks of what was encrypted again, ticked or not; nothing else in it changes.
func TestRemark(t *testing.T) {
	line := func(mark string) string { return "- [x] a " + verify.ChecklistMark("db.yaml", mark) + "\r\n" }
	was, is, other := "0000000000000000", "1111111111111111", "2222222222222222"
	before := verify.ChecklistMarker + " -->\n" + line(was) + "told about " + was + "\n" + line(other) + "- [ ] told the bank"
	again, n := verify.Remark([]byte(before), map[string]string{was: is})
	if want := strings.Replace(before, line(was), line(is), 1); string(again) != want || n != 1 {
		t.Errorf("%d: %q, want %q", n, again, want)
	}
}
