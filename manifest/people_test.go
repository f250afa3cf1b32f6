package manifest

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// forPeople is a native Secret's values as an editor shows them.
func forPeople(s *NativeSecret, spec *Spec) *Plain {
	p := &Plain{Type: spec.Type, Immutable: spec.Immutable, Data: map[string]string{}, Text: map[string]string{}}
	for key, v := range s.Values {
		if utf8.Valid(v.Bytes) {
			p.Text[key] = string(v.Bytes)
		} else {
			p.Data[key] = base64Of(v.Bytes)
		}
	}
	return p
}

// TestForPeople: a sealed document, shown to people and sealed again, has the values, the metadata and the comments it had.
func TestForPeople(t *testing.T) {
	files, _ := filepath.Glob("testdata/seal/*.txtar")
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			checkForPeople(t, a.Files[0].Data)
		})
	}
}

func checkForPeople(t *testing.T, src []byte) {
	t.Helper()
	f := parse(t, src)
	var secrets []*NativeSecret
	for _, i := range f.Items() {
		if i.Kind != Native {
			return
		}
		s, err := i.Native()
		if err != nil || i.n.get("metadata") == nil {
			return
		}
		i.SealKeepingComments(specFor(s), nil)
		secrets = append(secrets, s)
	}
	sealed := f.Bytes()
	g := parse(t, sealed)
	var comments [][]string
	for n, i := range g.Items() {
		s, err := i.Sealed()
		if err != nil {
			t.Fatalf("%v\n%s", err, sealed)
		}
		comments = append(comments, i.Comments())
		i.Unseal(forPeople(secrets[n], &s.Spec))
	}
	shown := g.Bytes()
	h := parse(t, shown)
	for n, i := range h.Items() {
		s, err := i.Native()
		if err != nil {
			t.Fatalf("what is shown can't be read: %v\n%s", err, shown)
		}
		if diff := cmp.Diff(essence(secrets[n]), essence(s)); diff != "" {
			t.Fatalf("(-want +got):\n%s\n%s", diff, shown)
		}
		if got, want := inOrder(i.Comments()), inOrder(comments[n]); !slices.Equal(got, want) {
			t.Errorf("comments shown (-want +got):\n%s\n%s\n%s", cmp.Diff(want, got), sealed, shown)
		}
		i.SealKeepingComments(specFor(s), i.Comments())
	}
	again := h.Bytes()
	k := parse(t, again)
	for n, i := range k.Items() {
		if _, err := i.Sealed(); err != nil {
			t.Fatalf("%v\n%s", err, again)
		}
		if got, want := inOrder(i.Comments()), inOrder(comments[n]); !slices.Equal(got, want) {
			t.Errorf("comments sealed again (-want +got):\n%s\n%s\n%s", cmp.Diff(want, got), shown, again)
		}
	}
	compareObjects(t, sealed, again, f)
}

func inOrder(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

// TestLiteral: what is written as a block literal is read as what it was.
func TestLiteral(t *testing.T) {
	for value, want := range map[string]bool{
		"a\nb": true, "a\nb\n": true, "a\n\nb": true, "a\n  b\n\tc": true, "---\n# x\n...\n": true, "ä\n☃": true, "\"\\\n'": true, "key: |\n  x\n": true,
		"": false, "a": false, "a\n": false, "\n": false, "\na\nb": false, " a\nb": false, "\ta\nb": false, "a\nb\n\n": false, "a \nb": false, "a\n \nb": false,
		"a\r\nb": false, "a\nb\x00": false, "a\nb\u0085": false, "a\n\u2028b": false, "a\n\ufeff": false, "a\n\xff": false, "a\n\x7f": false,
	} {
		if hasLines(value) != want {
			t.Errorf("%q: %v", value, !want)
		}
		if !utf8.ValidString(value) {
			continue
		}
		f := parse(t, []byte("apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  k: x\n"))
		i := f.Items()[0]
		s, err := i.Native()
		if err != nil {
			t.Fatal(err)
		}
		i.Seal(specFor(s))
		g := parse(t, f.Bytes())
		i = g.Items()[0]
		i.Unseal(&Plain{Text: map[string]string{"k": value}})
		s, err = parse(t, g.Bytes()).Items()[0].Native()
		if err != nil || string(s.Values["k"].Bytes) != value {
			t.Errorf("%q: %v\n%s", value, err, g.Bytes())
		}
		if strings.Contains(string(g.Bytes()), "k: |") != want {
			t.Errorf("%q is written as\n%s", value, g.Bytes())
		}
	}
}
