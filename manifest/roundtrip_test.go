package manifest

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	kyaml "sigs.k8s.io/yaml"
)

// checkRoundTrip seals every native Secret of a file and unseals it again.
func checkRoundTrip(t *testing.T, src []byte) (sealed int) {
	t.Helper()
	f := parse(t, src)
	var secrets []*NativeSecret
	var todo []int
	for n, i := range f.Items() {
		if i.Kind != Native {
			continue
		}
		s, err := i.Native()
		if err != nil || i.n.get("metadata") == nil {
			continue // a Secret without a name is nothing to seal
		}
		todo, secrets = append(todo, n), append(secrets, s)
		clear := strings.Join(i.Clear(), "\n")
		i.Seal(specFor(s))
		if strings.Contains(clear, "canary-") && len(s.Values) > 0 {
			for _, v := range s.Values {
				if len(v.Bytes) >= 8 && strings.Contains(string(f.Bytes()), string(v.Bytes)) && !strings.Contains(clear, string(v.Bytes)) {
					t.Fatalf("a value is left that Clear doesn't have:\n%s", f.Bytes())
				}
			}
		}
	}
	checkForeign(t, src, f.Bytes(), f)
	if len(todo) == 0 {
		return 0
	}
	g := parse(t, f.Bytes())
	if len(g.Items()) != len(f.Items()) {
		t.Fatalf("items were lost:\n%s\n%s", src, f.Bytes())
	}
	for k, n := range todo {
		i := g.Items()[n]
		if i.Kind != Sealed {
			t.Fatalf("not sealed: %v\n%s\n%s", i.Err, src, f.Bytes())
		}
		got, err := i.Sealed()
		if err != nil {
			t.Fatalf("sealed, but unreadable: %v\n%s\n%s", err, src, f.Bytes())
		}
		if want := specFor(secrets[k]); !cmp.Equal(*want, noLines(got).Spec) {
			t.Fatalf("spec (-want +got):\n%s", cmp.Diff(*want, noLines(got).Spec))
		}
		if !got.Canonical {
			t.Fatalf("sealed, but not canonical:\n%s\n%s", src, f.Bytes())
		}
		p := &Plain{Type: got.Spec.Type, Immutable: got.Spec.Immutable, Data: map[string]string{}}
		for key, v := range secrets[k].Values {
			p.Data[key] = base64Of(v.Bytes)
		}
		i.Unseal(p)
	}
	h := parse(t, g.Bytes())
	if len(h.Items()) != len(f.Items()) {
		t.Fatalf("items were lost on the way back:\n%s\n%s", f.Bytes(), g.Bytes())
	}
	for k, n := range todo {
		got, err := h.Items()[n].Native()
		if err != nil {
			t.Fatalf("unreadable on the way back: %v\n%s", err, g.Bytes())
		}
		if diff := cmp.Diff(essence(secrets[k]), essence(got)); diff != "" {
			t.Fatalf("round trip (-want +got):\n%s\n%s\n%s\n%s", diff, src, f.Bytes(), g.Bytes())
		}
	}
	compareObjects(t, src, g.Bytes(), f)
	return len(todo)
}

// checkForeign compares, byte for byte, the documents that nothing was edited in.
func checkForeign(t *testing.T, before, after []byte, f *File) {
	t.Helper()
	edited := map[int]bool{}
	for _, d := range f.docs {
		for _, i := range d.items {
			if i.edited {
				edited[d.start] = true
			}
		}
	}
	a, b := splitter{src: before}, splitter{src: after}
	for a.next() {
		if !b.next() {
			t.Fatalf("a document was lost:\n%s\n%s", before, after)
		}
		if was, is := before[a.start:a.end], after[b.start:b.end]; !edited[a.start] && !bytes.Equal(was, is) {
			t.Fatalf("a foreign document changed:\n%q\n%q", was, is)
		}
	}
	if b.next() {
		t.Fatalf("a document was added:\n%s\n%s", before, after)
	}
}

func base64Of(b []byte) string {
	t, _ := json.Marshal(b)
	return string(t[1 : len(t)-1])
}

const (
	testID = "475rdxtz3v2prwywscz6juw6n4tmnstt"
	testTo = "scz6juw6n4tmnstt"
)

// specFor makes a spec that has the shape of a real one.
func specFor(s *NativeSecret) *Spec {
	spec := &Spec{Type: s.Type, Immutable: s.Immutable, Binding: Binding{s.Namespace, s.Name}, Wraps: map[string]Wrap{}, Data: map[string]Box{}}
	for k := range s.Values {
		spec.Data[k] = Box{By: testID, Box: "Ym94"}
		spec.Wraps[testID] = Wrap{To: []string{testTo}, Age: "YWdl", DK: "ZGs="}
	}
	return spec
}

type secretEssence struct {
	Namespace, Name, GenerateName string
	Type                          *string
	Immutable                     *bool
	Values                        map[string]string
	Annotations, Labels           map[string]string
}

func essence(s *NativeSecret) secretEssence {
	e := secretEssence{s.Namespace, s.Name, s.GenerateName, s.Type, s.Immutable, map[string]string{}, map[string]string{}, map[string]string{}}
	for k, v := range s.Values {
		e.Values[k] = string(v.Bytes)
	}
	for k, v := range s.Annotations {
		if !quotingAnnotation(k) && !ownAnnotation(k) {
			e.Annotations[k] = v
		}
	}
	maps.Copy(e.Labels, s.Labels)
	return e
}

// compareObjects compares two files document by document as kubectl reads them: stringData folded, and less what sealing leaves out.
func compareObjects(t *testing.T, before, after []byte, f *File) {
	t.Helper()
	a, b := sources(before), sources(after)
	if len(a) != len(b) {
		t.Fatalf("%d documents became %d", len(a), len(b))
	}
	for n := range a {
		if a[n].text == b[n].text || hasOddBreak(a[n].text) {
			continue
		}
		was, is := object(t, a[n].text), object(t, b[n].text)
		if was == nil {
			continue
		}
		if diff := cmp.Diff(foldSecrets(was), foldSecrets(is)); diff != "" {
			t.Fatalf("a document changed (-was +is):\n%s\n%s\n%s", diff, a[n].text, b[n].text)
		}
	}
}

func object(t *testing.T, text string) any {
	t.Helper()
	var o any
	if d := (document{source: source{text: text}}); parseJSON(d.source, d.contentStart()) != nil {
		if err := json.Unmarshal([]byte(text[d.contentStart():]), &o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	if err := kyaml.UnmarshalStrict([]byte(text), &o); err != nil {
		return nil
	}
	return o
}

func foldSecrets(o any) any {
	m, ok := o.(map[string]any)
	if !ok {
		return o
	}
	if items, ok := m["items"].([]any); ok {
		for k := range items {
			items[k] = foldSecrets(items[k])
		}
	}
	if m["kind"] != "Secret" {
		return o
	}
	data := map[string]any{}
	if d, ok := m["data"].(map[string]any); ok {
		for k, v := range d {
			if s, ok := v.(string); ok {
				v = strings.NewReplacer("\n", "", "\r", "").Replace(s)
				var b []byte
				if json.Unmarshal([]byte(`"`+v.(string)+`"`), &b) == nil {
					v = base64Of(b) // trailing bits
				}
			}
			data[k] = v
		}
	}
	if d, ok := m["stringData"].(map[string]any); ok {
		for k, v := range d {
			if s, ok := v.(string); ok && utf8.ValidString(s) {
				v = base64Of([]byte(s))
			}
			data[k] = v
		}
	}
	delete(m, "data")
	delete(m, "stringData")
	if len(data) > 0 {
		m["data"] = data
	}
	for _, k := range []string{"type", "immutable"} {
		if m[k] == nil {
			delete(m, k)
		}
	}
	if meta, ok := m["metadata"].(map[string]any); ok {
		for k := range meta {
			if serverField(k) {
				delete(meta, k)
			}
		}
		if a, ok := meta["annotations"].(map[string]any); ok {
			for k := range a {
				if quotingAnnotation(k) || ownAnnotation(k) {
					delete(a, k)
				}
			}
			if len(a) == 0 {
				delete(meta, "annotations")
			}
		}
		if len(meta) == 0 {
			delete(m, "metadata")
		}
	}
	return o
}

func TestFreeze(t *testing.T) {
	const plain = "a: 1\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  k: v\n"
	f, err := Parse([]byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	f.Items()[0].Seal(benchSpec())
	want := string(f.Bytes())
	if want == plain {
		t.Fatal("nothing was edited")
	}
	f.Freeze()
	if diff := cmp.Diff(want, string(f.Bytes())); diff != "" {
		t.Errorf("the text (-want +got):\n%s", diff)
	}
	if f.Changed() || len(f.Items()) != 0 {
		t.Error("something of what was parsed is left")
	}
}
