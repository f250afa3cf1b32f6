package manifest

import (
	"strings"
	"testing"
)

// Spellings of YAML that few people write: each is read as the library reads it and survives sealing, or refused with a line, and shows
// no value.
func TestOddSpellings(t *testing.T) {
	const flowHead = "{apiVersion: v1, kind: Secret, metadata: {name: db}"
	tests := []struct{ name, text, want string }{ // "fine", or the report
		{"explicit keys", secretHead + "? data\n: ? a\n  : eA==\n  ? b\n", "8: schema: a key without a value"},
		{"a blank before the colon", secretHead + "data :\n  a \t: eA==\n  \"b\" : eQ==\n", "fine"},
		{"no key", secretHead + "data:\n  : eA==\n", "broken 6: parse: malformed YAML: a key was expected (indentation?)"},
		{"no key in flow style", secretHead + "data: {: eA==, b: eQ==}\n", "broken 5: parse: malformed YAML: a value was expected"},
		{"a pair in a list", secretHead + "x: [a: b, c]\ndata: {a: eA==}\n", "5: schema: unknown field of a Secret"},
		{"a pair without a key", secretHead + "x: [: b]\ndata: {a: eA==}\n", "broken 5: parse: malformed YAML: a value was expected"},
		{"a list of lists", secretHead + "x:\n- - a\n  -\n  - b: c\n-\ndata: {a: eA==}\n", "5: schema: unknown field of a Secret"},
		{"a folded plain value", secretHead + "stringData:\n  a: one\n    two\n\n    three\n", "fine"},
		{"a value as a list", secretHead + "data:\n  a: [eA==]\n", "6: schema: key a: the value is not a string"},
		{"a value as a map", secretHead + "data:\n  a: {b: eA==}\n", "6: schema: key a: the value is not a string"},
		{"a name as a list", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: [db]\ndata: {a: eA==}\n", "4: schema: metadata.name is not a string"},
		{"a number as a name", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: 12\ndata: {a: eA==}\n", "4: schema: metadata.name is not a string for every YAML reader"},
		{"metadata with a tag", "apiVersion: v1\nkind: Secret\nmetadata: !!map\n  name: db\ndata: {a: eA==}\n", "3: schema: an anchor or a tag, which YAML readers may take differently"},
		{"labels by alias", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  annotations: &a {b: c}\n  labels: *a\ndata: {a: eA==}\n", "5: schema: an anchor or a tag, which YAML readers may take differently\n6: schema: an alias, which YAML readers may expand differently"},
		{"immutable with a tag", secretHead + "immutable: !!bool true\ndata: {a: eA==}\n", "5: schema: an anchor or a tag, which YAML readers may take differently"},
		{"annotations in flow style", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  annotations: {config.kubernetes.io/path: x, \"b\": c} # why\nstringData:\n  a: " + canary + "\n", "fine"},
		{"only annotations of tools", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  annotations: {config.kubernetes.io/path: x} # why\nstringData:\n  a: " + canary + "\n", "fine"},
		{"a map in a list in what is kept", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  ownerReferences: [{uid: a, kind: B}, []]\n  finalizers:\n  - [a]\n  - {}\nstringData:\n  a: " + canary + "\n", "fine"},
		{"flow style", flowHead + ", stringData: {a: " + canary + "}}\n", "fine"},
		{"flow style with null", flowHead + ", type: , data: {a: , b: eA==}}\n", "1: schema: a key without a value"},
		{"a quoted key in quotes", "apiVersion: v1\nkind: Secret\n\"metadata\":\n  \"name\": db\n\"data\":\n  \"a\": eA==\n", "fine"},
		{"a quoted key with an escape", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n\"dat\\x61\":\n  a: eA==\n", "fine"},
		{"keys on one line with dashes", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: db}\n  stringData: {a: " + canary + "}\n-\n- kind: ConfigMap\n", "fine"},
		{"kind behind an escape", "apiVersion: v1\n\"kind\": \"\\U00000053ecret\"\nmetadata: {name: db}\nstringData: {a: " + canary + "}\n", "fine"},
		{"broken, kind behind an escape", "\"kind\": \"\\x53ecret\"\n\"a\": [" + canary + "\n", "broken 2: parse: malformed YAML: a comma or ] was expected"},
		{"broken, an escape cut short", "\"kind\": \"\\xZ\\u00 Secret\"\na: [" + canary + "\n", "broken 1: parse: malformed YAML"},
		{"broken, without a kind", "Secret\na: [" + canary + "\n", ""},
		{"broken at the end", secretHead + "a: \"" + canary, "broken 5: parse: malformed YAML: a quote is not closed"},
		{"a directive", "%YAML 1.2\n---\n" + secretHead + "data: {a: eA==}\n", "fine"},
		{"a directive alone", "# Secret\n%YAML 1.2\n", ""},
		{"a comment alone", "# kind: Secret", ""},
		{"twice", secretHead + "data:\n  a b: eA==\n  a b: eA==\n  c: eA==\n  c: eA==\n", "6: schema: a key that Kubernetes does not allow in a Secret\n7: schema: the key occurs twice\n7: schema: a key that Kubernetes does not allow in a Secret\n9: schema: the key \"c\" occurs twice"},
		{"twice, long", secretHead + "data:\n  " + strings.Repeat("k", 64) + ": eA==\n  " + strings.Repeat("k", 64) + ": eA==\n", "7: schema: the key occurs twice"},
		{"twice, empty", secretHead + "data:\n  \"\": eA==\n  \"\": eA==\n", "6: schema: a key that Kubernetes does not allow in a Secret\n7: schema: the key occurs twice\n7: schema: a key that Kubernetes does not allow in a Secret"},
		{"a number as a key", secretHead + "data:\n  1: eA==\n1: x\n", "6: schema: a key that YAML does not read as a string\n7: schema: a key that YAML does not read as a string"},
		{"a map as a key", secretHead + "? {a: b}\n: c\ndata: {a: eA==}\n", "5: schema: a key that is not a string"},
		{"a colon in a plain value", secretHead + "stringData:\n  a: b: c\n", "broken 6: parse: malformed YAML: a colon where none can be"},
		{"a word behind quotes", secretHead + "stringData:\n  a: \"b\" c\n", "broken 6: parse: malformed YAML: a key was expected (indentation?)"},
		{"a list with quotes", secretHead + "x: [\"a\", b]\nz: [\"a\\x41\"]\ndata: {a: eA==}\n", "5: schema: unknown field of a Secret\n6: schema: unknown field of a Secret"},
		{"an empty literal", secretHead + "stringData:\n  a: |\n  b: |\n\n    x\n", "fine"},
		{"JSON behind a marker", "---\n{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"db\"},\"data\":{\"a\":\"eA==\",\"b\":null}}\n", "2: schema: key b: the value is null"},
		{"JSON that is a list", "[\"Secret\"]\n", ""},
		{"JSON with escapes", `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"d\u0062"},"stringData":{"a":"\ud83d\ude00"}}` + "\n", "fine"},
		{"explicit keys everywhere", "? apiVersion\n: v1\n? kind\n: Secret\n? metadata\n: name: db\n  labels: {a: }\n  finalizers:\n  - uid: a\n    kind: B\n  - [a, {b: c, d: e}]\n  - x\n  \"list\": [a, {b: c}]\n? stringData\n: a: " + canary + "\n", "fine"},
		{"no explicit key", secretHead + "data:\n  ?\n  : eA==\n", "6: schema: a key that YAML does not read as a string"},
		{"no explicit key in flow style", secretHead + "data: {? : eA==}\n", "5: schema: a key that YAML does not read as a string"},
		{"a kind of several lines", "apiVersion: v1\nkind: |-\n  Secret\nmetadata:\n  name: db\nstringData:\n  a: " + canary + "\n", "fine"},
		{"a comment behind a comma", "{apiVersion: v1,# c\n  kind: Secret, metadata: {name: db},# d\n  stringData: {a: " + canary + "}}\n", "fine"},
		{"labels without a value in flow style", "{apiVersion: v1, kind: Secret, metadata: {name: db, labels: {a: }, finalizers: , annotations: {kubectl.kubernetes.io/last-applied-configuration: " + canary + "}}, stringData: {a: " + canary + "}}\n", "fine"},
		{"a list of itself", "apiVersion: v1\nkind: List\nitems: &a\n- *a\n- {apiVersion: v1, kind: Secret, metadata: {name: db}, stringData: {a: " + canary + "}}\n", "fine"},
		{"broken, escapes", "\"kind\": \"\\U00000053ecret\\n\"\n\"a\": [" + canary + "\\x", "broken 2: parse: malformed YAML: a comma or ] was expected"},
		{"a marker at the end", secretHead + "stringData: {a: x}\n---", "fine"},
		{"immutable alone", "apiVersion: v1\nkind: Secret\nimmutable: true\nmetadata:\n  name: db\n", "fine"},
		{"binary alone", secretHead + "data: {a: /w==}\n", "fine"},
		{"type alone", "apiVersion: v1\nkind: Secret\ntype: Opaque\nmetadata:\n  name: db\n", "fine"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := parse(t, []byte(tt.text))
			var lines []string
			for _, i := range f.Items() {
				_, err := i.Native()
				if i.Kind != Native {
					err = i.Err
				}
				lines = append(lines, strings.TrimSpace(map[Kind]string{Native: "", Broken: "broken "}[i.Kind]+report(t, err)))
			}
			got := strings.Join(lines, "\n")
			if len(lines) == 1 && got == "" {
				got = "fine"
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			checkReaders(t, []byte(tt.text))
			checkRoundTrip(t, []byte(tt.text))
			checkForPeople(t, []byte(tt.text))
		})
	}
}

// The library says where a node begins and not where it ends. If it ever were wrong about the one, the object would not be edited.
func TestMeasureGivesUp(t *testing.T) {
	const text = secretHead + "data: {a: [b, c: d], ? e : f}\nlist:\n- a\n- 'b''c'\n- \"d\\n\"\n-\n- |\n  e\n- f\n  g\n? h\n: i\n"
	for cut := range len(text) {
		for _, other := range []string{text[:cut], text[:cut] + "\n", text[:cut] + "x" + text[cut:], text[:cut] + "\n" + text[cut+1:], text[:cut] + "x" + text[cut+1:]} {
			tree, err := parseYAML(source{text: text})
			if err != nil {
				t.Fatal(err)
			}
			if other == text || !measure(other, tree, -1) {
				continue
			}
			checkEnds(t, other, tree, 0, len(other))
		}
	}
	for _, odd := range []*node{{kind: alias}, {kind: scalar, marked: true}, {kind: scalar, off: len(text)}} {
		if measure(text, odd, -1) {
			t.Errorf("measured %+v", odd)
		}
	}
}

// checkEnds: whatever was measured lies in the text, a part of what it is in.
func checkEnds(t *testing.T, text string, n *node, from, to int) {
	t.Helper()
	if n.off < from || n.end < n.off || n.end > to {
		t.Fatalf("a node from %d to %d in one from %d to %d of\n%s", n.off, n.end, from, to, text)
	}
	for _, k := range n.kids {
		checkEnds(t, text, k, n.off, max(n.end, n.off))
	}
}

func TestReplaceRefusesAnotherPlace(t *testing.T) {
	block := secretHead + "stringData: {a: " + canary + "}\n"
	flow := "{apiVersion: v1, kind: Secret, metadata: {name: db}, stringData: {a: x}}\n"
	json := `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db"},"stringData":{"a":"x"}}` + "\n"
	list := "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(strings.TrimSpace(block), "\n", "\n  ") + "\n"
	here := parse(t, []byte(block))
	for _, there := range []string{json, list, "kind: List\napiVersion: v1\nitems: [" + strings.TrimSpace(flow) + "]\n"} {
		i, with := here.Items()[0], only(t, there)
		for _, i := range []*Item{i, with} {
			if _, err := i.Native(); err != nil {
				t.Fatal(err)
			}
		}
		if i.Replace(with) || here.Changed() {
			t.Errorf("replaced by an item of\n%s", there)
		}
	}
}

// A key that the values do not have is gone; what people wrote beside it stays.
func TestUnsealWithoutAKey(t *testing.T) {
	i := only(t, secretHead+"stringData:\n  a: one # of a\n  b: two # of b\n")
	s, err := i.Native()
	if err != nil {
		t.Fatal(err)
	}
	i.SealKeepingComments(specFor(s), nil)
	g := parse(t, i.doc.file(t))
	if _, err := g.Items()[0].Sealed(); err != nil {
		t.Fatal(err)
	}
	g.Items()[0].Unseal(&Plain{Text: map[string]string{"b": "two"}})
	if got := string(g.Bytes()); strings.Contains(got, "\n  a:") || !strings.Contains(got, "# of a\n  b: two # of b\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestJSONOfNothing(t *testing.T) {
	var e emitter
	if e.json(&node{kind: scalar}, 0); string(e.b) != "null" {
		t.Errorf("got %s", e.b)
	}
}
