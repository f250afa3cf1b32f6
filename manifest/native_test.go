package manifest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const canary = "canary-hunter2"

// only returns the one item of a text.
func only(t *testing.T, src string) *Item {
	t.Helper()
	f := parse(t, []byte(src))
	if len(f.Items()) != 1 {
		t.Fatalf("%d items in\n%s", len(f.Items()), src)
	}
	return f.Items()[0]
}

// report writes joined errors one a line, and checks that none shows a value.
func report(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	list := []error{err}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		list = j.Unwrap()
	}
	var b strings.Builder
	for _, err := range list {
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("not an *Error: %v", err)
		}
		kind := ""
		for name, s := range map[string]error{"parse": ErrParse, "schema": ErrSchema, "limit": ErrLimit, "base64": ErrBase64, "suite": ErrUnknownSuite, "unknown key": ErrUnknownKey} {
			if errors.Is(e, s) {
				kind += name
			}
		}
		fmt.Fprintf(&b, "%d: %s: ", e.Line, kind)
		if e.Key != "" {
			fmt.Fprintf(&b, "key %s: ", e.Key)
		}
		fmt.Fprintf(&b, "%v\n", err)
		for _, s := range []string{e.Error(), e.Hint, e.Secret, e.Key} {
			if strings.Contains(s, "canary") || strings.Contains(s, "Y2FuYXJ5") || strings.ContainsAny(s, "\n") {
				t.Errorf("a value in a message: %q", s)
			}
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

const secretHead = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n"

func TestNative(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"data", "data:\n  a: Y2FuYXJ5LWh1bnRlcjI=\n  empty: \"\"\n", `a="canary-hunter2" empty=""`},
		{"stringData wins", "data:\n  a: eA==\n  b: eQ==\nstringData:\n  a: z\n", `a="z" b="y"`},
		{"base64 with line breaks", "data:\n  a: |\n    Y2Fu\n    YXJ5\n  b: \"Y2Fu\\nYXJ5\"\n  c: |-\n    Y2Fu\n    YXJ5\n", `a="canary" b="canary" c="canary"`},
		{"block scalars", "stringData:\n  clip: |\n    x\n\n  strip: |-\n    x\n  keep: |+\n    x\n\n  fold: >\n    x\n    y\n  last: |\n    x", `clip="x\n" fold="x y\n" keep="x\n\n" last="x\n" strip="x"`},
		{"quotes", "stringData:\n  a: 'it''s'\n  b: \"\\u00e9\\x41\\n\"\n  c: \"on\"\n  d: '1e3'\n", `a="it's" b="éA\n" c="on" d="1e3"`},
		{"plain", "stringData:\n  a: a b:c#d\n  b: 1.2.3\n  c: 10.0.0.1\n  d: -x\n  e: x1e3\n  f: null-ish\n", `a="a b:c#d" b="1.2.3" c="10.0.0.1" d="-x" e="x1e3" f="null-ish"`},
		{"templates are text", "stringData:\n  a: '{{ .x }}'\n", `a="{{ .x }}"`},
		{"nothing", "type: Opaque\n", ""},
		{"empty maps", "data: {}\nstringData:\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := only(t, secretHead+tt.body).Native()
			if err != nil {
				t.Fatal(err)
			}
			var list []string
			for k, v := range s.Values {
				list = append(list, fmt.Sprintf("%s=%q", k, v.Bytes))
			}
			if got := sorted(list); got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
			checkRoundTrip(t, []byte(secretHead+tt.body))
		})
	}
}

func sorted(list []string) string {
	for i := range list {
		for j := i; j > 0 && list[j] < list[j-1]; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
	return strings.Join(list, " ")
}

func TestNativeFields(t *testing.T) {
	s, err := only(t, `{"apiVersion":"v1","kind":"Secret","immutable":true,"type":"kubernetes.io/tls",
	"metadata":{"name":"db","namespace":"prod","labels":{"a":"b"},"annotations":{"c":"d"}},"stringData":{"k":"\ud83d\ude00"}}`).Native()
	if err != nil {
		t.Fatal(err)
	}
	typ, yes := "kubernetes.io/tls", true
	want := &NativeSecret{Namespace: "prod", Name: "db", Type: &typ, Immutable: &yes, Labels: map[string]string{"a": "b"},
		Annotations: map[string]string{"c": "d"}, Values: map[string]Value{"k": {[]byte("😀"), 2}}, HasData: true}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s, err = only(t, "apiVersion: v1\nkind: Secret\nmetadata:\n  generateName: db-\n  name:\ntype: null\nimmutable: ~\ndata:\n  a: eA==\n").Native()
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "" || s.GenerateName != "db-" || s.Type != nil || s.Immutable != nil || s.Values["a"].Line != 9 {
		t.Errorf("got %+v", s)
	}
}

func TestNativeHasData(t *testing.T) {
	for body, want := range map[string]bool{"": false, "data:\n": false, "stringData: null\n": false, "data: {}\n": true, "data:\nstringData: {}\n": true} {
		if s, err := only(t, secretHead+body).Native(); err != nil || s.HasData != want || len(s.Values) > 0 {
			t.Errorf("%q: got %+v, %v", body, s, err)
		}
	}
}

func TestNativeErrors(t *testing.T) {
	const notString = "the value is not a string: YAML takes it for a number, a boolean or a date"
	tests := []struct{ name, body, want string }{
		{"base64", "data:\n  a: " + canary + "\n  b: <path:secret#x>\n", "6: base64: key a: the value is not base64\n7: base64: key b: the value is not base64"},
		{"base64 of a folded scalar", "data:\n  a: >\n    Y2Fu\n    YXJ5\n", "6: base64: key a: the value is not base64"},
		{"null", "data:\n  a: null\n  b:\n  c: ~\n  d: eA==\n", "6: schema: key a: the value is null\n7: schema: key b: the value is null\n8: schema: key c: the value is null"},
		{"not strings", "stringData:\n  a: 5\n  b: yes\n  c: on\n  d: 1e3\n  e: 0o17\n  f: 2024-01-01\n  g: true\n  h: 0x1F\n  i: 1:30\n  j: 1_000\n  k: .inf\n  l: N\n  m: 1.5\n  nn: 0b1\n  o: 2024-01-01T00:00:00Z\n",
			"6: schema: key a: " + notString + "\n7: schema: key b: " + notString + "\n8: schema: key c: " + notString + "\n9: schema: key d: " + notString + "\n10: schema: key e: " + notString + "\n11: schema: key f: " + notString + "\n12: schema: key g: " + notString + "\n13: schema: key h: " + notString + "\n14: schema: key i: " + notString + "\n15: schema: key j: " + notString + "\n16: schema: key k: " + notString + "\n17: schema: key l: " + notString + "\n18: schema: key m: " + notString + "\n19: schema: key nn: " + notString + "\n20: schema: key o: " + notString},
		{"a number in data", "data:\n  a: 1234\n", "6: schema: key a: " + notString},
		{"not scalars", "stringData:\n  a: {b: " + canary + "}\n  b:\n  - " + canary + "\n", "6: schema: key a: the value is not a string\n7: schema: key b: the value is not a string"},
		{"data is a list", "data:\n- a\n", "6: schema: data is not a map"},
		{"anchor and alias", "data:\n  a: &x eA==\n  b: *x\n", "6: schema: an anchor or a tag, which YAML readers may take differently\n7: schema: an alias, which YAML readers may expand differently"},
		{"tags", "data:\n  a: !!binary eA==\n  b: !!str x\n  c: ! x\n  !!str d: eA==\n", "6: schema: an anchor or a tag, which YAML readers may take differently\n7: schema: an anchor or a tag, which YAML readers may take differently\n8: schema: an anchor or a tag, which YAML readers may take differently\n9: schema: an anchor or a tag, which YAML readers may take differently"},
		{"merge key", "stringData:\n  <<: {a: " + canary + "}\n  b: 5\n", "6: schema: a merge key\n7: schema: key b: " + notString},
		{"duplicate keys", "data:\n  a: eA==\n  a: eA==\ntype: a\ntype: b\n", "7: schema: the key \"a\" occurs twice\n9: schema: the key \"type\" occurs twice"},
		{"duplicate keys in metadata", "  labels:\n    a: x\n    a: " + canary + "\n", "7: schema: the key \"a\" occurs twice"},
		{"keys that are no strings", "data:\n  on: eA==\n  1e3: eA==\n  null: eA==\n  ? [a]\n  : eA==\n", "6: schema: a key that YAML does not read as a string\n7: schema: a key that YAML does not read as a string\n8: schema: a key that YAML does not read as a string\n9: schema: a key that is not a string"},
		{"keys that Kubernetes refuses", "data:\n  ..a: eA==\n  \".\": eA==\n  \"\": eA==\n  a/b: eA==\n  \"é\": eA==\n  " + strings.Repeat("k", 254) + ": eA==\n  " + strings.Repeat("k", 253) + ": eA==\n  ...: eA==\n",
			"6: schema: a key that Kubernetes does not allow in a Secret\n7: schema: a key that Kubernetes does not allow in a Secret\n8: schema: a key that Kubernetes does not allow in a Secret\n9: schema: a key that Kubernetes does not allow in a Secret\n10: schema: a key that Kubernetes does not allow in a Secret\n11: schema: a key that Kubernetes does not allow in a Secret\n13: schema: a key that Kubernetes does not allow in a Secret"},
		{"unknown fields", "password: " + canary + "\nspec: {}\n\"" + strings.Repeat("canary ", 20) + "\": x\n", "5: schema: unknown field \"password\" of a Secret\n6: schema: unknown field \"spec\" of a Secret\n7: schema: unknown field of a Secret"},
		{"half encrypted with sops", "data:\n  a: ENC[x]\nstringData:\n  b: " + canary + "\nsops: {version: 3.7.1}\n", "9: schema: encrypted with SOPS in part: values under data or stringData are in clear"},
		{"values that became keys", "stringData: {\"" + canary + "\", a: , b: null}\n", "5: schema: a key without a value\n5: schema: a key without a value\n5: schema: key b: the value is null"},
		{"a value that became a key", "stringData:\n  ? " + canary + "\n", "6: schema: a key without a value"},
		{"twice", "stringData: {\"" + canary + "\", \"" + canary + "\"}\n", "5: schema: a key occurs twice\n5: schema: a key without a value\n5: schema: a key without a value"},
		{"$patch", "$patch: delete\n", "5: schema: $patch directives can't be sealed"},
		{"$patch in data", "data:\n  $patch: replace\n  a: eA==\n", "6: schema: $patch directives can't be sealed"},
		{"types of fields", "type: 5\nimmutable: yes\n", "5: schema: type is not a string for every YAML reader\n6: schema: immutable is neither true nor false"},
		{"immutable in quotes", "immutable: \"true\"\n", "5: schema: immutable is neither true nor false"},
		{"numeric names", "  namespace: 123\n  labels: x\n  annotations: {a: [b]}\n", "5: schema: metadata.namespace is not a string for every YAML reader\n6: schema: metadata.labels is not a map\n7: schema: metadata.annotations: a value that is not a string"},
		{"line separator", "stringData:\n  a: \"" + canary + "\u2028\"\n", "1: parse: a line break that not every YAML reader takes for one (CR alone, NEL, LS or PS)"},
		{"too deep", "  x: " + strings.Repeat("[", 15) + strings.Repeat("]", 15) + "\n", "5: limit: nested deeper than 16 levels"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := only(t, secretHead+tt.body)
			if i.Kind != Native {
				t.Fatalf("kind %d", i.Kind)
			}
			_, err := i.Native()
			if diff := cmp.Diff(tt.want, report(t, err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := only(t, secretHead+"  x: "+strings.Repeat("[", 14)+strings.Repeat("]", 14)+"\n").Native(); err != nil {
		t.Errorf("16 levels: %v", err)
	}
}

// Errors name the Secret, so that a caller's message can.
func TestErrorSecret(t *testing.T) {
	_, err := only(t, secretHead+"  namespace: prod\ndata:\n  a: "+canary+"\n").Native()
	var e *Error
	if !errors.As(err, &e) || e.Secret != "prod/db" || e.Key != "a" || e.Hint == "" {
		t.Errorf("got %+v", e)
	}
	_, err = only(t, secretHead+"data:\n  a: &x eA==\n").Native()
	if !errors.As(err, &e) || e.Secret != "db" {
		t.Errorf("got %+v", e)
	}
}

func TestClear(t *testing.T) {
	src := "# " + canary + "-header\n" + secretHead + "  annotations:\n    kapp.k14s.io/original: canary-dropped\n    note: \"a\\u0062c\"\ntype: canary-type\n# old: canary-cut\ndata:\n  # canary-inside\n  canary-key: Y2FuYXJ5LXZhbHVl\n"
	got := strings.Join(only(t, src).Clear(), "\x00")
	for _, want := range []string{canary + "-header", "canary-type", "canary-key", "\x00abc", `"a\u0062c"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	for _, not := range []string{"canary-dropped", "canary-cut", "canary-inside", "Y2FuYXJ5"} {
		if strings.Contains(got, not) {
			t.Errorf("%q is in %q", not, got)
		}
	}
	// Of a List: the item's own.
	f := parse(t, []byte("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: one}\n  data: {a: eA==}\n- {apiVersion: v1, kind: Secret, metadata: {name: two}}\n"))
	if got := strings.Join(f.Items()[1].Clear(), "\x00"); strings.Contains(got, "one") || !strings.Contains(got, "two") {
		t.Errorf("got %q", got)
	}
	if f.Changed() {
		t.Error("Clear changed the file")
	}
}
