package secret_test

import (
	"fmt"
	"slices"
	"strings"

	"filippo.io/age"
)

// allVectors are the vectors as they are made, one fault each. What is in testdata/vectors is what counts: those files were made
// here once and stay.
func allVectors() []*vector {
	return slices.Concat(successVectors(), parseVectors(), schemaVectors(), limitVectors(), base64Vectors(), suiteVectors(),
		identityVectors(), ageVectors(), payloadVectors(), idVectors(), toVectors(), unknownKeyVectors(), dkVectors(),
		lengthVectors(), aeadVectors(), paddingVectors(), bindingVectors(), typeVectors())
}

// group collects the vectors of one class.
type group struct {
	class string
	list  []*vector
}

// add takes a vector for dave, whose classic key keeps the files small.
func (g *group) add(name, comment string, make func() string) *vector {
	v := &vector{name: g.class + "-" + name, expect: g.class, comment: comment, identities: []string{"dave"}, make: make}
	g.list = append(g.list, v)
	return v
}

// edited takes one that differs from the standard document by an edit of its text.
func (g *group) edited(name, comment, old, now string) *vector {
	return g.add(name, comment, func() string {
		d, _, _ := standard("dave")
		return edit(d.String(), old, now)
	})
}

// standardWith takes one that differs from the standard document by a change of its parts.
func (g *group) standardWith(name, comment string, change func(d *draft, s *session, k dataKey)) *vector {
	return g.add(name, comment, func() string {
		d, s, k := standard("dave")
		change(d, s, k)
		return d.String()
	})
}

func (v *vector) by(names ...string) *vector { v.identities = names; return v }

func (v *vector) with(values map[string]string) *vector { v.values = values; return v }

func plainStandard(readers ...string) func() string {
	return func() string { d, _, _ := standard(readers...); return d.String() }
}

func successVectors() []*vector {
	g := &group{class: "success"}
	ok := func(v *vector) *vector { return v.with(standardValues) }
	edited := func(name, comment, old, now string) { ok(g.edited(name, comment, old, now)) }
	ok(g.add("classic", "an X25519 recipient, two values", plainStandard("dave")))
	ok(g.add("hybrid", "a post-quantum recipient", plainStandard("alice")).by("alice"))
	ok(g.add("one-of-three", "three recipients; the last of them reads", plainStandard("alice", "bob", "carol")).by("carol"))
	ok(g.add("wrong-identities-first", "several identities of which one fits", plainStandard("dave", "erin")).by("alice", "erin"))
	g.add("no-values", "no value and no data key; nothing is unwrapped", func() string { return newDraft().String() }).by()
	g.standardWith("sizes", "values around the edges of buckets, and empty", func(d *draft, _ *session, k dataKey) {
		d.boxes = nil
		for key, v := range sizedValues() {
			d.value(k, key, v)
		}
	}).with(sizedValues())
	binary := map[string]string{"all-bytes": string(byteRange(0, 256)), "zeros": "\x00\x00\x00", "marks": "\x80\x80\x80", "mark-zero": "\x80\x00", "utf-8": "pässword ✓\r\n"}
	g.standardWith("binary", "bytes of every kind; values that end like padding", func(d *draft, _ *session, k dataKey) {
		d.boxes = nil
		for key, v := range binary {
			d.value(k, key, v)
		}
	}).with(binary)
	keys := map[string]string{"_a.b-c": "v1", "A": "v2", ".dot": "v3", strings.Repeat("k", 253): "v4"}
	for _, k := range quoted {
		keys[k] = "v"
	}
	g.standardWith("keys", "keys that YAML takes for something else, in quotes, and the longest one", func(d *draft, _ *session, k dataKey) {
		d.boxes = nil
		for key, v := range keys {
			d.value(k, key, v)
		}
	}).with(keys)
	g.add("two-data-keys", "a value was set later: two data keys, two sessions", func() string {
		d, _, _ := standard("dave")
		k := dataKeyOf(named("second data key"))
		return d.wrap(sessionFor("second session", "dave"), k).value(k, "later", "canary-2").String()
	}).with(map[string]string{"API_TOKEN": canary, "user": "canary-app", "later": "canary-2"})
	ok(g.add("one-session-two-data-keys", "two data keys under one session key", func() string {
		d, s, k := standard("dave")
		d.boxes = d.boxes[:1]
		other := dataKeyOf(named("second data key"))
		return d.wrap(s, other).value(other, "user", standardValues["user"]).value(k, "third", "").String()
	})).with(map[string]string{"API_TOKEN": canary, "user": "canary-app", "third": ""})
	ok(g.standardWith("unreferenced-wrap", "an entry that no value refers to is ignored, whatever is in it", func(d *draft, s *session, _ dataKey) {
		d.wraps = append(d.wraps, draftWrap{strings.Repeat("a", 32), s.to, "bm90IGFnZQ==", "AAAA"},
			draftWrap{strings.Repeat("7a", 16), []string{fingerprint("erin")}, "no-base64!", "no-base64!"})
	}))
	ok(g.add("grease", "a stanza of a type that nobody knows beside ours", func() string {
		d, s, _ := standard("dave")
		grease := stanza{{Type: "x9-grease", Args: []string{"q"}, Body: []byte("whatever")}}
		s.sealed(payloadMagic+s.sk+lp(s.to...), append([]age.Recipient{grease}, ageRecipients("dave")...)...)
		d.wraps[0].age = s.age
		return d.String()
	}))
	bindings := func(name, comment, ns, n string, metadata string) {
		ok(g.add(name, comment, func() string {
			s, k := sessionFor("session dave", "dave"), dataKeyOf(named("data key"))
			d := newDraft()
			d.metadata, d.bindNS, d.bindN = metadata, ns, n
			return d.wrap(s, k).value(k, "API_TOKEN", canary).value(k, "user", "canary-app").String()
		}))
	}
	bindings("binding-without-namespace", "bound to a name only; an overlay gave a namespace", "", "db", "  name: db\n  namespace: staging\n")
	bindings("binding-empty", "bound to nothing, by an explicit choice of the writer", "", "", "  name: db\n  namespace: prod\n")
	bindings("binding-namespace-only", "bound to a namespace only", "prod", "", "  name: any\n  namespace: prod\n")
	bindings("metadata-without-namespace", "metadata names no namespace", "prod", "db", "  name: db\n")
	bindings("metadata-namespace-empty", "an empty namespace in metadata is none", "prod", "db", "  name: db\n  namespace: \"\"\n")
	bindings("long-names", "the longest namespace and name", strings.Repeat("n", 63), strings.Repeat("d", 253),
		"  name: "+strings.Repeat("d", 253)+"\n  namespace: "+strings.Repeat("n", 63)+"\n")
	edited("type-and-immutable", "type and immutable are copied", "  suite: 1\n", "  suite: 1\n  type: kubernetes.io/basic-auth\n  immutable: false\n")
	edited("metadata", "labels, annotations and other metadata", "metadata:\n", "metadata:\n  labels:\n    app: shop\n    \"on\": \"1\"\n  annotations:\n    a.example/x: |\n      several\n      lines\n  finalizers:\n  - x\n")
	edited("comments", "comments and blank lines", "spec:\n  suite: 1\n", "# above\n\nspec: # beside\n  # below\n  suite: 1 # one\n\n")
	edited("bom", "a byte order mark", "apiVersion", "\uFEFFapiVersion")
	edited("document-start", "a line of --- and a comment before", "apiVersion", "# a comment\n---\napiVersion")
	ok(g.add("crlf", "CR LF line ends", func() string {
		d, _, _ := standard("dave")
		return strings.ReplaceAll(d.String(), "\n", "\r\n")
	}))
	ok(g.add("no-final-newline", "no line end at the end", func() string {
		d, _, _ := standard("dave")
		return strings.TrimSuffix(d.String(), "\n")
	}))
	ok(g.add("any-order", "fields in another order and quotes, as renderers write them", func() string {
		d, _, _ := standard("dave")
		w, a, b := d.wraps[0], d.boxes[0], d.boxes[1]
		return fmt.Sprintf("kind: EncryptedSecret\nspec:\n    data:\n        user:\n            box: '%s'\n            by: \"%s\"\n        API_TOKEN: {box: %s, by: %s}\n"+
			"    wraps:\n        ? %s\n        : dk: >-\n            %s\n          age: |-\n            %s\n          to:\n          - %s\n"+
			"    suite: 1\n    binding: {name: db, namespace: prod}\nmetadata: {namespace: prod, name: db}\napiVersion: \"ageseal.dev/v1alpha1\"\n",
			b.box, b.by, a.box, a.by, w.id, w.dk, w.age, w.to[0])
	}))
	ok(g.add("flow", "flow style (KYAML)", func() string {
		d, _, _ := standard("dave")
		w, a, b := d.wraps[0], d.boxes[0], d.boxes[1]
		return fmt.Sprintf("---\n{\n  apiVersion: \"ageseal.dev/v1alpha1\",\n  kind: \"EncryptedSecret\",\n  metadata: {\n    name: \"db\",\n    namespace: \"prod\",\n  },\n  spec: {\n    suite: 1,\n"+
			"    binding: {\n      namespace: \"prod\",\n      name: \"db\",\n    },\n    wraps: {\n      \"%s\": {\n        to: [\n          \"%s\",\n        ],\n        age: \"%s\",\n        dk: \"%s\",\n      },\n    },\n"+
			"    data: {\n      API_TOKEN: {\n        by: \"%s\",\n        box: \"%s\",\n      },\n      user: {\n        by: \"%s\",\n        box: \"%s\",\n      },\n    },\n  },\n}\n",
			w.id, w.to[0], w.age, w.dk, a.by, a.box, b.by, b.box)
	}))
	ok(g.add("json", "a JSON document, on one line, with escapes", func() string {
		d, _, _ := standard("dave")
		w, a, b := d.wraps[0], d.boxes[0], d.boxes[1]
		return fmt.Sprintf(`{"apiVersion":"ageseal.dev\/v1alpha1","kind":"Encrypted\u0053ecret","metadata":{"name":"db","namespace":"prod"},"spec":{"suite":1,"binding":{"namespace":"prod","name":"db"},`+
			`"wraps":{%q:{"to":[%q],"age":%q,"dk":%q}},"data":{"API_TOKEN":{"by":%q,"box":%q},"\u0075ser":{"by":%q,"box":%q}}}}`,
			w.id, w.to[0], w.age, w.dk, a.by, a.box, b.by, b.box)
	}))
	ok(g.add("in-a-list", "an item of a List", func() string {
		d, _, _ := standard("dave")
		doc := "- " + strings.ReplaceAll(strings.TrimSuffix(d.String(), "\n"), "\n", "\n  ") + "\n"
		return "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: other\n" + doc
	}))
	ok(g.add("limit-wraps", "64 data keys, of which one is used", func() string {
		d, s, _ := standard("dave")
		return edit(d.String(), "  wraps:\n", "  wraps:\n"+repeatedWraps(s))
	})).repeat = 63
	ok(g.add("limit-to", "128 recipients", limitTo)).repeat = 127
	edited("limit-depth", "16 collections inside one another", "metadata:\n", "metadata:\n  deep: "+strings.Repeat("{a: ", 13)+"[]"+strings.Repeat("}", 13)+"\n")
	ok(g.add("limit-file", "8 MiB", plainStandard("dave"))).pad = 8 << 20
	return g.list
}

func sizedValues() map[string]string {
	m := map[string]string{}
	for _, n := range []int{0, 1, 62, 63, 64, 65, 127, 128, 191, 192, 1023, 1024, 2047, 2048} {
		m[fmt.Sprintf("v%04d", n)] = strings.Repeat("v", n)
	}
	return m
}

func byteRange(from, to int) []byte {
	var b []byte
	for i := from; i < to; i++ {
		b = append(b, byte(i))
	}
	return b
}

// repeatedWraps is one entry of spec.wraps, made several by the repeat directive.
func repeatedWraps(s *session) string {
	return "@    " + strings.Repeat("a", 28) + "{i}:\n@      to: [" + s.to[0] + "]\n@      age: AAAA\n@      dk: AAAA\n"
}

// limitTo has one real recipient and 127 fingerprints before it that nobody owns; the list inside the age file is the same.
func limitTo() string {
	d, s, _ := standard("dave")
	mine, list := s.to[0], []string(nil)
	for i := range 127 {
		list = append(list, "aaaaaaaaaaaa"+counter(i))
	}
	list = append(list, mine)
	s.sealed(payloadMagic+s.sk+lp(list...), ageRecipients("dave")...)
	d.wraps[0].age = s.age
	return edit(d.String(), "      to: ["+mine+"]\n", "      to:\n@      - aaaaaaaaaaaa{i}\n      - "+mine+"\n")
}

// stanza is a recipient that writes what it is told to.
type stanza []*age.Stanza

func (s stanza) Wrap([]byte) ([]*age.Stanza, error) { return s, nil }
