package manifest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sealedDoc = `apiVersion: ageseal.dev/v1alpha1
kind: EncryptedSecret
metadata:
  name: db
  namespace: prod
  labels:
    app: shop
spec:
  suite: 1
  type: Opaque
  binding:
    namespace: prod
    name: db
  wraps:
    475rdxtz3v2prwywscz6juw6n4tmnstt:
      to: [scz6juw6n4tmnstt, wn3mjuurehodhayl]
      age: YWdl
      dk: ZGs=
  data:
    API_TOKEN:
      by: 475rdxtz3v2prwywscz6juw6n4tmnstt
      box: Ym94
`

func sealedWant() *EncryptedSecret {
	typ := "Opaque"
	return &EncryptedSecret{
		Namespace: "prod", Name: "db", Labels: map[string]string{"app": "shop"},
		Spec: Spec{Type: &typ, Binding: Binding{"prod", "db"},
			Wraps: map[string]Wrap{testID: {To: []string{testTo, "wn3mjuurehodhayl"}, Age: "YWdl", DK: "ZGs="}},
			Data:  map[string]Box{"API_TOKEN": {By: testID, Box: "Ym94"}}},
	}
}

func TestSealed(t *testing.T) {
	s, err := only(t, sealedDoc).Sealed()
	if err != nil {
		t.Fatal(err)
	}
	if !s.Canonical || s.Spec.Line != 9 || s.Spec.Wraps[testID].Line != 15 || s.Spec.Data["API_TOKEN"].Line != 20 {
		t.Errorf("got %+v", s)
	}
	if diff := cmp.Diff(sealedWant(), noLines(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Renderers write YAML of their own; every spelling means the same, and only ours is canonical.
func TestSealedSpellings(t *testing.T) {
	flow := `{apiVersion: ageseal.dev/v1alpha1, kind: 'EncryptedSecret', metadata: {name: db, namespace: prod, labels: {app: shop}}, spec: {suite: 1, type: Opaque, binding: {name: db, namespace: prod}, wraps: {475rdxtz3v2prwywscz6juw6n4tmnstt: {to: [scz6juw6n4tmnstt, wn3mjuurehodhayl], age: YWdl, dk: "ZGs="}}, data: {API_TOKEN: {by: 475rdxtz3v2prwywscz6juw6n4tmnstt, box: Ym94}}}}`
	tests := []struct {
		name, text string
		canonical  bool
	}{
		{"comments", "# c: d\n" + strings.NewReplacer("  wraps:", "  # wraps\n\n  wraps: # w", "by:", "# by\n      by:", "Ym94\n", "Ym94  # box\n    # end\n# end\n").Replace(sealedDoc), true},
		{"metadata as it likes", strings.Replace(sealedDoc, "metadata:\n  name: db\n  namespace: prod\n  labels:\n    app: shop\n", "metadata: {'name': \"db\", namespace: prod, labels: {app: shop}}\n", 1), true},
		{"order of the top", strings.Replace(strings.TrimPrefix(sealedDoc, "apiVersion: ageseal.dev/v1alpha1\n"), "spec:", "apiVersion: ageseal.dev/v1alpha1\nspec:", 1), true},
		{"marker", "---\n" + sealedDoc, true},
		{"crlf", strings.ReplaceAll(sealedDoc, "\n", "\r\n"), false},
		{"bom", bom + sealedDoc, false},
		{"no final newline", strings.TrimSuffix(sealedDoc, "\n"), false},
		{"flow", flow + "\n", false},
		{"kyaml", strings.ReplaceAll(strings.ReplaceAll(flow, ", ", ",\n  "), "}}}}", "},},},}") + "\n", false},
		{"four spaces", strings.ReplaceAll(sealedDoc, "  ", "    "), false},
		{"order in spec", strings.Replace(strings.Replace(sealedDoc, "  suite: 1\n", "", 1), "  data:", "  suite: 1\n  data:", 1), false},
		{"quotes", strings.Replace(sealedDoc, "box: Ym94", `box: "Ym94"`, 1), false},
		{"quoted kind", strings.Replace(sealedDoc, "kind: EncryptedSecret", `kind: "EncryptedSecret"`, 1), false},
		{"block list", strings.Replace(sealedDoc, "to: [scz6juw6n4tmnstt, wn3mjuurehodhayl]", "to:\n      - scz6juw6n4tmnstt\n      - wn3mjuurehodhayl", 1), false},
		{"folded", strings.Replace(sealedDoc, "age: YWdl", "age: >-\n        YWdl", 1), false},
		{"explicit key", strings.Replace(sealedDoc, "    API_TOKEN:\n", "    ? API_TOKEN\n    :\n", 1), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := only(t, tt.text).Sealed()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sealedWant(), noLines(s)); diff != "" || s.Canonical != tt.canonical {
				t.Errorf("canonical %v (-want +got):\n%s", s.Canonical, diff)
			}
			checkReaders(t, []byte(tt.text))
			checkSetSpec(t, []byte(tt.text), 0, s)
			checkUnseal(t, []byte(tt.text), 0, s)
		})
	}
}

func TestSealedErrors(t *testing.T) {
	const mark = ": an anchor or a tag, which YAML readers may take differently"
	tests := []struct{ name, old, new, want string }{
		{"suite 0", "suite: 1", "suite: 0", "9: suite: this version of ageseal knows suite 1 only"},
		{"suite 2", "suite: 1", "suite: 2", "9: suite: this version of ageseal knows suite 1 only"},
		{"suite -1", "suite: 1", "suite: -1", "9: suite: this version of ageseal knows suite 1 only"},
		{"suite text", "suite: 1", "suite: \"1\"", "9: schema: spec.suite is not the integer 1"},
		{"suite 01", "suite: 1", "suite: 01", "9: schema: spec.suite is not the integer 1"},
		{"suite 1.0", "suite: 1", "suite: 1.0", "9: schema: spec.suite is not the integer 1"},
		{"suite missing", "  suite: 1\n", "", "9: schema: spec.suite is missing"},
		{"apiVersion", "v1alpha1", "v2", "1: schema: this version of ageseal reads ageseal.dev/v1alpha1 only"},
		{"kind", "kind: EncryptedSecret", "kind: Secret", "2: schema: the kind of a sealed manifest is EncryptedSecret"},
		{"no apiVersion", "apiVersion: ageseal.dev/v1alpha1\n", "", "1: schema: apiVersion is missing"},
		{"no metadata", "metadata:\n  name: db\n  namespace: prod\n  labels:\n    app: shop\n", "", "1: schema: metadata is missing"},
		{"unknown field", "spec:", "status: {}\nspec:", "8: schema: unknown field \"status\" of a sealed manifest"},
		{"unknown field in spec", "  suite", "  mac: x\n  suite", "9: schema: unknown field \"mac\" in spec"},
		{"unknown field in a wrap", "      dk:", "      key: x\n      dk:", "18: schema: unknown field \"key\" in spec.wraps"},
		{"unknown field in data", "      box:", "      enc: x\n      box:", "22: schema: unknown field \"enc\" in spec.data"},
		{"ciphertext as a field", "      box: Ym94", "      box: x\n9sssAlJ7ZpYz: Ym94", "23: schema: unknown field of a sealed manifest"},
		{"ciphertext as a key", "      box: Ym94", "      box: x\n    9sssAlJ7ZpYz: Ym94", "23: schema: an entry of spec.data is not a map"},
		{"unknown field in binding", "    name: db\n  wraps", "    kind: x\n    name: db\n  wraps", "13: schema: unknown field \"kind\" in spec.binding"},
		{"no binding", "  binding:\n    namespace: prod\n    name: db\n", "", "9: schema: spec.binding is missing"},
		{"empty in binding", "namespace: prod\n    name: db\n", "namespace: \"\"\n    name: db\n", "12: schema: spec.binding.namespace is empty"},
		{"null in binding", "namespace: prod\n    name: db\n", "namespace:\n    name: db\n", "12: schema: spec.binding.namespace is not a string for every YAML reader"},
		{"binding null", "  binding:\n    namespace: prod\n    name: db\n", "  binding:\n", "11: schema: spec.binding is not a map"},
		{"no wraps", "  wraps:\n    475rdxtz3v2prwywscz6juw6n4tmnstt:\n      to: [scz6juw6n4tmnstt, wn3mjuurehodhayl]\n      age: YWdl\n      dk: ZGs=\n", "", "9: schema: spec.wraps is missing"},
		{"empty wraps", "wraps:\n    475rdxtz3v2prwywscz6juw6n4tmnstt:\n      to: [scz6juw6n4tmnstt, wn3mjuurehodhayl]\n      age: YWdl\n      dk: ZGs=\n", "wraps: {}\n", "17: unknown key: key API_TOKEN: the value names a data key that spec.wraps does not have"},
		{"unknown key", "by: 4", "by: 5", "21: unknown key: key API_TOKEN: the value names a data key that spec.wraps does not have"},
		{"by no id", "by: 475", "by: X75", "21: schema: key API_TOKEN: by is not a data-key id"},
		{"by missing", "      by: 475rdxtz3v2prwywscz6juw6n4tmnstt\n", "", "21: schema: spec.data.by is missing"},
		{"id upper case", "    475rdxtz3v2prwywscz6juw6n4tmnstt:", "    475RDXTZ3V2PRWYWSCZ6JUW6N4TMNSTT:", "15: schema: a data-key id is not 32 characters of a-z2-7"},
		{"id short", "    475rdxtz3v2prwywscz6juw6n4tmnstt:", "    475rdxtz3v2prwywscz6juw6n4tmnst:", "15: schema: a data-key id is not 32 characters of a-z2-7"},
		{"id with 1", "    475rdxtz3v2prwywscz6juw6n4tmnstt:", "    475rdxtz3v2prwywscz6juw6n4tmns1t:", "15: schema: a data-key id is not 32 characters of a-z2-7"},
		{"to unsorted", "[scz6juw6n4tmnstt, wn3mjuurehodhayl]", "[wn3mjuurehodhayl, scz6juw6n4tmnstt]", "16: schema: to is not sorted, or names a recipient twice"},
		{"to twice", "[scz6juw6n4tmnstt, wn3mjuurehodhayl]", "[scz6juw6n4tmnstt, scz6juw6n4tmnstt]", "16: schema: to is not sorted, or names a recipient twice"},
		{"to empty", "[scz6juw6n4tmnstt, wn3mjuurehodhayl]", "[]", "16: schema: to is empty"},
		{"to text", "[scz6juw6n4tmnstt, wn3mjuurehodhayl]", "scz6juw6n4tmnstt", "16: schema: to is not a list"},
		{"fingerprint", "[scz6juw6n4tmnstt,", "[scz6juw6n4tmnst,", "16: schema: a recipient's fingerprint is not 16 characters of a-z2-7"},
		{"fingerprint number", "[scz6juw6n4tmnstt,", "[2222222222222222,", "16: schema: a recipient's fingerprint is not 16 characters of a-z2-7"},
		{"age empty", "age: YWdl", "age: \"\"", "17: schema: age is not a text"},
		{"age number", "age: YWdl", "age: 1234", "17: schema: age is not a text"},
		{"dk null", "dk: ZGs=", "dk:", "18: schema: dk is not a text"},
		{"box list", "box: Ym94", "box: [Ym94]", "22: schema: key API_TOKEN: box is not a text"},
		{"data list", "  data:\n    API_TOKEN:\n      by: 475rdxtz3v2prwywscz6juw6n4tmnstt\n      box: Ym94\n", "  data: []\n", "19: schema: spec.data is not a map"},
		{"key", "API_TOKEN", "..TOKEN", "20: schema: a key that Kubernetes does not allow in a Secret"},
		{"key on", "API_TOKEN", "on", "20: schema: a key that YAML does not read as a string"},
		{"key null", "API_TOKEN", "null", "20: schema: a key that YAML does not read as a string"},
		{"key 1e3", "API_TOKEN", "1e3", "20: schema: a key that YAML does not read as a string"},
		{"key 0o17", "API_TOKEN", "0o17", "20: schema: a key that YAML does not read as a string"},
		{"type null", "type: Opaque", "type:", "10: schema: spec.type is not a string for every YAML reader"},
		{"type number", "type: Opaque", "type: 5", "10: schema: spec.type is not a string for every YAML reader"},
		{"immutable", "type: Opaque", "immutable: yes", "10: schema: spec.immutable is neither true nor false"},
		{"immutable null", "type: Opaque", "immutable: null", "10: schema: spec.immutable is neither true nor false"},
		{"duplicate at the top", "spec:", "kind: EncryptedSecret\nspec:", "8: schema: the key \"kind\" occurs twice"},
		{"duplicate in spec", "  type", "  suite: 1\n  type", "10: schema: the key \"suite\" occurs twice"},
		{"duplicate in a wrap", "      dk", "      age: YWdl\n      dk", "18: schema: the key \"age\" occurs twice"},
		{"duplicate value", "    API_TOKEN:", "    API_TOKEN: {by: x, box: y}\n    API_TOKEN:", "21: schema: the key \"API_TOKEN\" occurs twice"},
		{"duplicate in metadata", "  name: db\n  namespace", "  name: db\n  name: db\n  namespace", "5: schema: the key \"name\" occurs twice"},
		{"anchor", "name: db\n  namespace", "name: &a db\n  namespace", "4: schema" + mark},
		{"alias", "name: db\n  namespace: prod", "name: &a db\n  namespace: *a", "4: schema" + mark + "\n5: schema: an alias, which YAML readers may expand differently"},
		{"tag", "suite: 1", "suite: !!int 1", "9: schema" + mark},
		{"tag without name", "box: Ym94", "box: ! Ym94", "22: schema" + mark},
		{"merge key", "    name: db\n  wraps", "    <<: {name: db}\n  wraps", "13: schema: a merge key"},
		{"name number", "name: db\n  namespace", "name: 5\n  namespace", "4: schema: metadata.name is not a string for every YAML reader"},
		{"spec null", sealedDoc[strings.Index(sealedDoc, "spec:"):], "spec:\n", "8: schema: spec is not a map"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(sealedDoc, tt.old, tt.new, 1)
			if text == sealedDoc {
				t.Fatal("nothing replaced")
			}
			i := only(t, text)
			if i.Kind != Sealed {
				t.Fatalf("kind %d: %v", i.Kind, i.Err)
			}
			_, err := i.Sealed()
			if diff := cmp.Diff(tt.want, report(t, err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What doesn't parse is never foreign.
func TestSealedBroken(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"conflict", strings.Replace(sealedDoc, "      box: Ym94\n", "<<<<<<< HEAD\n      box: Ym94\n=======\n      box: eW0=\n>>>>>>> other\n", 1), "22: parse: an unresolved merge conflict"},
		{"NUL", strings.Replace(sealedDoc, "Ym94", "Ym\x0094", 1), "1: parse: malformed YAML: a control character"},
		{"tab", strings.Replace(sealedDoc, "  suite", "\tsuite", 1), "9: parse: malformed YAML: a character that can't begin a value (a tab?)"},
		{"indentation", strings.Replace(sealedDoc, "  type", "   type", 1), "10: parse: malformed YAML: a colon where none can be"},
		{"dedent", strings.Replace(sealedDoc, "  type", " type", 1), "10: parse: malformed YAML: a key was expected (indentation?)"},
		{"unclosed", strings.Replace(sealedDoc, "type: Opaque", "type: \"Opaque", 1), "10: parse: malformed YAML: a quote is not closed"},
		{"not UTF-8", strings.Replace(sealedDoc, "Ym94", "Ym\xff94", 1), "1: parse: malformed YAML: not UTF-8"},
		{"json", `{"apiVersion":"ageseal.dev/v1alpha1","kind":"EncryptedSecret",}}`, "1: parse: malformed YAML: text after the end of the object"},
		{"template", sealedDoc + "{{- end }}\n", "23: parse: malformed YAML: a key without a colon"},
		{"mangled kind", strings.Replace(sealedDoc, "kind: Enc", "kind Enc", 1), "2: parse: malformed YAML: a key without a colon"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := only(t, tt.text)
			if i.Kind != Broken {
				t.Fatalf("kind %d", i.Kind)
			}
			if diff := cmp.Diff(tt.want, report(t, i.Err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSealedLimits(t *testing.T) {
	id := func(n int) string { return "475rdxtz3v2prwywscz6juw6n4tm" + base32Of(n) }
	base := func() *Spec {
		return &Spec{Wraps: map[string]Wrap{testID: {To: []string{testTo}, Age: "YWdl", DK: "ZGs="}}, Data: map[string]Box{}}
	}
	tests := []struct {
		name string
		make func(n int) *Spec
		max  int
		want string
	}{
		{"wraps", func(n int) *Spec {
			s := &Spec{Wraps: map[string]Wrap{}}
			for k := range n {
				s.Wraps[id(k)] = Wrap{To: []string{testTo}, Age: "YWdl", DK: "ZGs="}
			}
			return s
		}, 64, "limit: more than 64 data keys"},
		{"values", func(n int) *Spec {
			s := base()
			for k := range n {
				s.Data[fmt.Sprint("k", k)] = Box{By: testID, Box: "Ym94"}
			}
			return s
		}, 1024, "limit: more than 1024 values"},
		{"to", func(n int) *Spec {
			s := base()
			var to []string
			for k := range n {
				to = append(to, "scz6juw6n4tm"+base32Of(k))
			}
			s.Wraps[testID] = Wrap{To: to, Age: "YWdl", DK: "ZGs="}
			return s
		}, 128, "limit: more than 128 recipients"},
		{"age", func(n int) *Spec {
			s := base()
			s.Wraps[testID] = Wrap{To: []string{testTo}, Age: strings.Repeat("A", n), DK: "ZGs="}
			return s
		}, 384 << 10, "limit: age is too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, n := range []int{tt.max, tt.max + 1} {
				i := only(t, sealedDoc)
				i.SetSpec(tt.make(n))
				_, err := only(t, string(i.doc.file(t))).Sealed()
				got := report(t, err)
				if n == tt.max && got != "" || n > tt.max && !strings.HasSuffix(got, tt.want) {
					t.Errorf("%d: %q", n, got)
				}
			}
		})
	}
	for depth, want := range map[int]string{16: "", 17: "limit: nested deeper than 16 levels"} {
		text := strings.Replace(sealedDoc, "app: shop", "app: shop\n  x: "+strings.Repeat("[", depth-2)+strings.Repeat("]", depth-2), 1)
		_, err := only(t, text).Sealed()
		if got := report(t, err); !strings.HasSuffix(got, want) || want == "" && got != "" {
			t.Errorf("depth %d: %q", depth, got)
		}
	}
}

// file writes the document with its edits.
func (d *document) file(t *testing.T) []byte {
	t.Helper()
	f := &File{src: []byte(d.text), docs: []*document{d}, items: d.items}
	return f.Bytes()
}

func base32Of(n int) string {
	const alphabet = "234567abcdefghijklmnopqrstuvwxyz"
	return string([]byte{alphabet[n>>15&31], alphabet[n>>10&31], alphabet[n>>5&31], alphabet[n&31]})
}

func TestSetSpec(t *testing.T) {
	const other = "wn3mjuurehodhaylwn3mjuurehodhayl"
	tests := []struct {
		name, old, new string // of the document, before
		change         func(s *Spec)
		want           string // difference of the lines
	}{
		{"nothing", "", "", func(s *Spec) {}, ""},
		{"one value", "", "", func(s *Spec) {
			s.Wraps[other] = Wrap{To: []string{testTo}, Age: "bmV3", DK: "bmV3"}
			delete(s.Wraps, testID)
			s.Data["API_TOKEN"] = Box{By: other, Box: "bmV3"}
		}, `-    475rdxtz3v2prwywscz6juw6n4tmnstt:
-      to: [scz6juw6n4tmnstt, wn3mjuurehodhayl]
-      age: YWdl
-      dk: ZGs=
+    wn3mjuurehodhaylwn3mjuurehodhayl:
+      to: [scz6juw6n4tmnstt]
+      age: bmV3
+      dk: bmV3
-      by: 475rdxtz3v2prwywscz6juw6n4tmnstt
-      box: Ym94
+      by: wn3mjuurehodhaylwn3mjuurehodhayl
+      box: bmV3
`},
		{"a new value", "", "", func(s *Spec) { s.Data["1e3"] = Box{By: testID, Box: "bmV3"} }, `+    "1e3":
+      by: 475rdxtz3v2prwywscz6juw6n4tmnstt
+      box: bmV3
`},
		{"rewrap", "", "", func(s *Spec) {
			s.Wraps[testID] = Wrap{To: []string{testTo, "wn3mjuurehodhayl", "zzzzzzzzzzzzzzzz"}, Age: "bmV3", DK: "bmV3"}
		}, `-      to: [scz6juw6n4tmnstt, wn3mjuurehodhayl]
-      age: YWdl
-      dk: ZGs=
+      to: [scz6juw6n4tmnstt, wn3mjuurehodhayl, zzzzzzzzzzzzzzzz]
+      age: bmV3
+      dk: bmV3
`},
		{"type", "", "", func(s *Spec) { yes := true; s.Type, s.Immutable = nil, &yes }, `-  type: Opaque
+  immutable: true
`},
		{"comments stay", "    API_TOKEN:\n      by", "    # of the shop\n\n    API_TOKEN: # rotated in May\n      # by\n      by", func(s *Spec) { s.Data["API_TOKEN"] = Box{By: testID, Box: "bmV3"} }, `-      box: Ym94
+      box: bmV3
`},
		{"a comment at the end of the line that changes", "box: Ym94", "box: Ym94  # x", func(s *Spec) { s.Data["API_TOKEN"] = Box{By: testID, Box: "bmV3"} }, `-      box: Ym94  # x
+      box: bmV3  # x
`},
		{"comments of what goes", "    API_TOKEN:\n      by: 475rdxtz3v2prwywscz6juw6n4tmnstt\n", "    # of the shop\n    API_TOKEN: # eol\n      by: 475rdxtz3v2prwywscz6juw6n4tmnstt # by\n", func(s *Spec) { s.Data = map[string]Box{"Z": {By: testID, Box: "bmV3"}} }, `+    Z:
+      by: 475rdxtz3v2prwywscz6juw6n4tmnstt
+      box: bmV3
-    API_TOKEN: # eol
-      by: 475rdxtz3v2prwywscz6juw6n4tmnstt # by
-      box: Ym94
+    # eol
+      # by
`},
		{"trailing comments", "box: Ym94\n", "box: Ym94\n    # inside\n# outside\n", func(s *Spec) { s.Data["Z"] = Box{By: testID, Box: "bmV3"} }, `+    Z:
+      by: 475rdxtz3v2prwywscz6juw6n4tmnstt
+      box: bmV3
`},
		{"another order", "  suite: 1\n  type: Opaque\n", "  type: Opaque # t\n  suite: 1 # s\n", func(s *Spec) {}, `-  type: Opaque # t
+  type: Opaque # t
`},
		{"metadata untouched", "metadata:\n  name: db\n  namespace: prod\n", "metadata:   # m\n  \"name\":   'db'\n\n  namespace:  prod  # n\n", func(s *Spec) { s.Data["API_TOKEN"] = Box{By: testID, Box: "bmV3"} }, "-      box: Ym94\n+      box: bmV3\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(sealedDoc, tt.old, tt.new, 1)
			f := parse(t, []byte(text))
			s, err := f.Items()[0].Sealed()
			if err != nil {
				t.Fatal(err)
			}
			tt.change(&s.Spec)
			f.Items()[0].SetSpec(&s.Spec)
			if got := lineDiff(text, string(f.Bytes())); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if f.Changed() != (tt.want != "") {
				t.Errorf("changed: %v", f.Changed())
			}
			again, err := only(t, string(f.Bytes())).Sealed()
			if err != nil || !again.Canonical {
				t.Fatalf("%v\n%s", err, f.Bytes())
			}
		})
	}
}

// lineDiff is a difference of lines, without context.
func lineDiff(a, b string) string {
	x, y := strings.SplitAfter(a, "\n"), strings.SplitAfter(b, "\n")
	lcs := make([][]int, len(x)+1)
	for i := range lcs {
		lcs[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				lcs[i][j] = lcs[i+1][j+1] + 1
			} else {
				lcs[i][j] = max(lcs[i+1][j], lcs[i][j+1])
			}
		}
	}
	var out, plus strings.Builder
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			out.WriteString(plus.String())
			plus.Reset()
			i, j = i+1, j+1
		case i < len(x) && (j == len(y) || lcs[i+1][j] >= lcs[i][j+1]):
			out.WriteString("-" + x[i])
			i++
		default:
			plus.WriteString("+" + y[j])
			j++
		}
	}
	return out.String() + plus.String()
}

// TestErrorsNameNothingElse: what stands where a Secret's name belongs is not named if it can be none.
func TestErrorsNameNothingElse(t *testing.T) {
	for name, want := range map[string]string{"db": "prod/db", "wBoNxfov62AuxEzU": "", "a b": "", "x_y": ""} {
		text := strings.Replace(strings.Replace(sealedDoc, "name: db\n", "name: "+name+"\n", 1), "suite: 1", "suite: 2", 1)
		_, err := only(t, text).Sealed()
		var e *Error
		if !errors.As(err, &e) || e.Secret != want {
			t.Errorf("%s: named %q, %v", name, e.Secret, err)
		}
	}
}
