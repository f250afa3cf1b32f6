package manifest

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, src []byte) *File {
	t.Helper()
	f, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(f.Bytes(), src) || f.Changed() {
		t.Fatalf("parsing changed the file (-was +is):\n%s", cmp.Diff(string(src), string(f.Bytes())))
	}
	return f
}

func sources(src []byte) (list []source) {
	end := 0
	for s := (splitter{src: src}); s.next(); {
		list = append(list, source{text: normalize(src[s.start:s.end]), line0: s.line})
		if s.start != end {
			panic("a gap between documents")
		}
		end = s.end
	}
	if end != len(src) {
		panic("a rest behind the documents")
	}
	return list
}

func checkReaders(t *testing.T, src []byte) {
	t.Helper()
	for _, s := range sources(src) {
		if fast := parseFast(s); fast != nil {
			slow, err := parseYAML(s)
			if err != nil {
				t.Fatalf("the fast reader takes what the library refuses: %v\n%s", err, s.text)
			}
			if !measure(s.text, slow, -1) {
				t.Fatalf("not measured:\n%s", s.text)
			}
			compareTrees(t, s.text, fast, slow)
		}
		d := document{source: s}
		if n := parseJSON(s, d.contentStart()); n != nil && !hasOddBreak(s.text) {
			if slow, err := parseYAML(s); err == nil && measure(s.text, slow, -1) && !strings.Contains(s.text, `\/`) {
				compareTrees(t, s.text, n, slow)
			}
		}
	}
}

func compareTrees(t *testing.T, text string, a, b *node) {
	t.Helper()
	if b.isNull() {
		b.line = a.line
	}
	if a.kind != b.kind || a.style != b.style || a.str != b.str || a.marked != b.marked || a.line != b.line || a.off != b.off || a.end != b.end || a.value != b.value || len(a.kids) != len(b.kids) {
		t.Fatalf("trees differ:\n%+v\n%+v\nin\n%s", *a, *b, text)
	}
	for i := range a.kids {
		compareTrees(t, text, a.kids[i], b.kids[i])
	}
}

func checkSetSpec(t *testing.T, src []byte, n int, s *EncryptedSecret) {
	t.Helper()
	f := parse(t, src)
	f.Items()[n].SetSpec(&s.Spec)
	once := f.Bytes()
	if s.Canonical && f.Changed() {
		t.Fatalf("a canonical document changed (-was +is):\n%s", cmp.Diff(string(src), string(once)))
	}
	g := parse(t, once)
	if len(g.Items()) != len(parse(t, src).Items()) {
		t.Fatalf("items were lost:\n%s\n%s", src, once)
	}
	again, err := g.Items()[n].Sealed()
	if err != nil {
		t.Fatalf("unreadable after a rewrite: %v\n%s", err, once)
	}
	if diff := cmp.Diff(noLines(s), noLines(again)); diff != "" {
		t.Fatalf("a rewrite changed the document (-was +is):\n%s\n%s\n%s", diff, src, once)
	}
	if !again.Canonical && !bytes.Contains(once, []byte("\r")) && !bytes.HasPrefix(once, []byte(bom)) && bytes.HasSuffix(once, []byte("\n")) {
		// Only apiVersion and kind may still be as somebody wrote them.
		if v := g.Items()[n].n; v.get("apiVersion").style == plain && v.get("kind").style == plain {
			t.Fatalf("not canonical after a rewrite:\n%s", once)
		}
	}
	if a, b := commentWords(f.Items()[n]), commentWords(g.Items()[n]); a != b {
		t.Fatalf("comments were lost: %q, %q in\n%s\n%s", a, b, src, once)
	}
	g.Items()[n].SetSpec(&s.Spec)
	if !again.Canonical || g.Changed() {
		if diff := cmp.Diff(string(once), string(g.Bytes())); diff != "" {
			t.Fatalf("a second rewrite changed the file (-once +twice):\n%s", diff)
		}
	}
}

// commentWords counts the comments of an item's region, whatever their order.
func commentWords(i *Item) string {
	from, to := i.region()
	var list []string
	for _, c := range i.comments(i.n, from, to) {
		list = append(list, strings.TrimSpace(i.doc.text[c.off:c.end]))
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

func noLines(s *EncryptedSecret) *EncryptedSecret {
	c := *s
	c.Canonical, c.Spec.Line = false, 0
	c.Spec.Wraps, c.Spec.Data = maps.Clone(s.Spec.Wraps), maps.Clone(s.Spec.Data)
	for k, w := range c.Spec.Wraps {
		w.Line = 0
		c.Spec.Wraps[k] = w
	}
	for k, b := range c.Spec.Data {
		b.Line = 0
		c.Spec.Data[k] = b
	}
	return &c
}

func checkUnseal(t *testing.T, src []byte, n int, s *EncryptedSecret) {
	t.Helper()
	f := parse(t, src)
	data := map[string]string{}
	for k := range s.Spec.Data {
		data[k] = "MTIzNA=="
	}
	f.Items()[n].Unseal(&Plain{Namespace: "ns", Type: s.Spec.Type, Immutable: s.Spec.Immutable, Data: data, Annotations: map[string]string{"added": "true"}})
	g := parse(t, f.Bytes())
	if len(g.Items()) != len(f.Items()) || g.Items()[n].Kind != Native {
		t.Fatalf("not a native Secret:\n%s\n%s", src, f.Bytes())
	}
	got, err := g.Items()[n].Native()
	if err != nil {
		t.Fatalf("unsealed, but unreadable: %v\n%s\n%s", err, src, f.Bytes())
	}
	if s.Namespace == "" && got.Namespace != "ns" || s.Namespace != "" && got.Namespace != s.Namespace || got.Name != s.Name {
		t.Fatalf("namespace %q, name %q of\n%s\n%s", got.Namespace, got.Name, src, f.Bytes())
	}
	if diff := cmp.Diff(s.Spec.Type, got.Type) + cmp.Diff(s.Spec.Immutable, got.Immutable); diff != "" {
		t.Fatalf("type (-want +got):\n%s", diff)
	}
	want := map[string]string{"added": "true"}
	for k, v := range s.Annotations {
		if !ownAnnotation(k) && k != "added" {
			want[k] = v
		}
	}
	if diff := cmp.Diff(want, got.Annotations); diff != "" {
		t.Fatalf("annotations (-want +got):\n%s\n%s\n%s", diff, src, f.Bytes())
	}
	if len(got.Values) != len(data) {
		t.Fatalf("%d values of %d", len(got.Values), len(data))
	}
}
