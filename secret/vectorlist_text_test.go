package secret_test

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// Faults of the text: YAML, fields, limits.

func parseVectors() []*vector {
	g := &group{class: "parse"}
	const spec, suite = "spec:\n", "  suite: 1\n"
	g.edited("nul", "a NUL byte in a comment", spec, "# \x00\n"+spec)
	g.add("nul-at-the-end", "a NUL byte behind the document: C readers end there", func() string {
		d, _, _ := standard("dave")
		return d.String() + "\x00"
	})
	g.edited("control-character", "a bell", spec, "# \x07\n"+spec)
	g.edited("tab-indentation", "a tab where indentation belongs", "  suite", "\tsuite")
	g.edited("bad-indentation", "an entry less indented than its siblings", suite, " suite: 1\n")
	g.edited("open-quote", "a quote that is not closed", "suite: 1", "suite: \"1")
	g.edited("open-bracket", "a list that is not closed", "]", "")
	g.edited("no-colon", "a key without a colon", suite, suite+"  immutable\n")
	g.edited("not-utf-8", "a byte that is no UTF-8", spec, "# \xff\n"+spec)
	g.edited("carriage-return", "CR alone, a line break for some readers only", spec, "# a\rspec: {}\n"+spec)
	g.edited("next-line", "NEL, a line break for YAML 1.1 only", spec, "# a\u0085spec: {}\n"+spec)
	g.edited("line-separator", "LS, a line break for YAML 1.1 only", spec, "# a\u2028spec: {}\n"+spec)
	g.edited("conflict", "git's conflict markers", suite, "<<<<<<< HEAD\n"+suite+"=======\n"+suite+">>>>>>> branch\n")
	g.edited("unknown-anchor", "an alias of nothing", suite, "  suite: *one\n")
	g.add("json-cut", "JSON, cut short", func() string {
		return `{"apiVersion":"ageseal.dev/v1alpha1","kind":"EncryptedSecret","metadata":{"name":"db"},"spec":{"suite":1,`
	})
	g.add("utf-16", "UTF-16 with a byte order mark, as PowerShell writes it", func() string {
		d, _, _ := standard("dave")
		out := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(d.String())) {
			out = append(out, byte(u), byte(u>>8))
		}
		return string(out)
	})
	return g.list
}

func schemaVectors() []*vector {
	g := &group{class: "schema"}
	const (
		suite, binding, wraps, data = "  suite: 1\n", "  binding:\n", "  wraps:\n", "  data:\n"
		ns                          = "    namespace: prod\n"
	)
	id := dataKeyOf(named("data key")).id
	to := "to: [" + fingerprint("dave") + "]"
	for _, c := range [][4]string{
		{"unknown-field", "a field of its own at the top", "spec:\n", "status: {}\nspec:\n"},
		{"unknown-in-spec", "plaintext beside data", suite, suite + "  stringData:\n    k: canary\n"},
		{"unknown-in-binding", "a further field in binding", ns, ns + "    key: x\n"},
		{"unknown-in-binding-number", "a value that went astray, as a field's name", ns, ns + "    canary do not print: 1\n"},
		{"unknown-in-wrap", "a further field in a wrap", "      dk: ", "      alg: none\n      dk: "},
		{"unknown-in-data", "a further field beside by and box", "      box: ", "      plain: canary\n      box: "},
		{"suite-missing", "no suite", suite, ""},
		{"suite-string", "the string 1", "suite: 1", `suite: "1"`},
		{"suite-float", "the float 1.0", "suite: 1", "suite: 1.0"},
		{"suite-hex", "1 in another spelling", "suite: 1", "suite: 0x1"},
		{"suite-null", "null", "suite: 1", "suite: null"},
		{"type-number", "a type that is no string", suite, suite + "  type: 1\n"},
		{"immutable-string", "immutable as a string", suite, suite + "  immutable: \"true\"\n"},
		{"immutable-yes", "immutable as YAML 1.1 spells it", suite, suite + "  immutable: yes\n"},
		{"binding-missing", "no binding", binding + ns + "    name: db\n", ""},
		{"binding-null", "null for a binding", binding + ns + "    name: db\n", "  binding:\n"},
		{"binding-list", "a list for a binding", binding + ns + "    name: db\n", "  binding: [prod, db]\n"},
		{"binding-namespace-empty", "an empty namespace, which is not the same as none", ns, "    namespace: \"\"\n"},
		{"binding-name-number", "a name that YAML reads as a number", "    name: db\n", "    name: 1e3\n"},
		{"id-upper-case", "a data-key id in upper case", "    " + id, "    " + strings.ToUpper(id)},
		{"id-short", "a data-key id of 31 characters", "    " + id, "    " + id[1:]},
		{"id-alphabet", "a data-key id with a 1", "    " + id, "    1" + id[1:]},
		{"by-upper-case", "a reference in upper case", "by: " + id, "by: " + strings.ToUpper(id)},
		{"by-missing", "a value without its data key", "      by: " + id + "\n", ""},
		{"to-missing", "a wrap without its list", "      " + to + "\n", ""},
		{"to-empty", "zero recipients", to, "to: []"},
		{"to-text", "one recipient that is no list", to, "to: " + fingerprint("dave")},
		{"to-unsorted", "recipients out of order", to, "to: [" + fingerprint("dave") + ", aaaaaaaaaaaaaaaa]"},
		{"to-twice", "a recipient twice", to, "to: [" + fingerprint("dave") + ", " + fingerprint("dave") + "]"},
		{"to-upper-case", "a fingerprint in upper case", to, "to: " + strings.ToUpper(to[4:])},
		{"to-long", "a fingerprint of 17 characters", "]", "a]"},
		{"age-empty", "an empty age file", "      age: ", "      age: \"\" # "},
		{"dk-null", "no data key", "      dk: ", "      dk: # "},
		{"box-list", "a list for a box", "      box: ", "      box: []\n      # "},
		{"box-number", "a box that YAML reads as a number", "      box: ", "      box: 1234 # "},
		{"value-plain", "plaintext for a value", data, data + "    PLAIN: canary\n"},
		{"value-null", "null for a value", data, data + "    NOTHING:\n"},
		{"key-dot-dot", "a key that climbs out of a volume", "    user:", "    ..user:"},
		{"key-dot", "the key .", "    user:", "    .:"},
		{"key-slash", "a key with a slash", "    user:", "    a/user:"},
		{"key-space", "a key with a space", "    user:", "    \"a user\":"},
		{"key-long", "a key of 254 characters", "    user:", "    " + strings.Repeat("k", 254) + ":"},
		{"key-empty", "an empty key", "    user:", "    \"\":"},
		{"key-on", "the key on without quotes: a boolean", "    user:", "    on:"},
		{"key-null", "the key null without quotes", "    user:", "    null:"},
		{"key-1e3", "the key 1e3 without quotes: a number in YAML 1.2", "    user:", "    1e3:"},
		{"key-0o17", "the key 0o17 without quotes: a number in YAML 1.2", "    user:", "    0o17:"},
		{"key-list", "a key that is a list", "    user:", "    [user]:"},
		{"twice-at-the-top", "metadata twice", "spec:\n", "metadata:\n  name: other\nspec:\n"},
		{"twice-in-metadata", "a name twice", "  name: db\n", "  name: db\n  name: other\n"},
		{"twice-in-labels", "a label twice", "  name: db\n", "  name: db\n  labels:\n    a: b\n    a: c\n"},
		{"twice-in-spec", "a suite twice", suite, suite + suite},
		{"twice-in-binding", "a namespace twice", ns, ns + ns},
		{"twice-in-wraps", "a data-key id twice", wraps, wraps + "    " + id + ":\n      " + to + "\n      age: AAAA\n      dk: AAAA\n"},
		{"twice-in-a-wrap", "dk twice", "      dk: ", "      dk: AAAA\n      dk: "},
		{"twice-in-data", "a key twice", data, data + "    user:\n      by: " + id + "\n      box: AAAA\n"},
		{"twice-in-data-quoted", "a key twice, once in quotes", data, data + "    \"user\":\n      by: " + id + "\n      box: AAAA\n"},
		{"twice-in-a-value", "box twice", "      box: ", "      box: AAAA\n      box: "},
		{"anchor", "an anchor", "name: db\n", "name: &n db\n"},
		{"alias", "an alias", "  name: db\n  namespace: prod\n", "  name: &n db\n  namespace: *n\n"},
		{"merge-key", "a merge key", ns, "    <<: {namespace: prod}\n"},
		{"merge-key-of-an-alias", "a merge key with an alias", "spec:\n", "  labels: &l\n    namespace: prod\nspec:\n  <<: *l\n"},
		{"tag", "a tag that says what YAML says anyway", "name: db\n", "name: !!str db\n"},
		{"tag-of-its-own", "a tag of an application", "name: db\n", "name: !secret db\n"},
		{"tag-binary", "a box as !!binary", "box: ", "box: !!binary "},
		{"tag-bare", "the tag !", "name: db\n", "name: ! db\n"},
		{"metadata-missing", "no metadata", "metadata:\n  name: db\n  namespace: prod\n", ""},
		{"metadata-list", "a list for metadata", "metadata:\n  name: db\n  namespace: prod\n", "metadata: []\n"},
		{"metadata-name-number", "a name that YAML reads as a number", "  name: db\n", "  name: 1e3\n"},
		{"api-version", "a version that does not exist", "v1alpha1", "v9"},
		{"kind-secret", "our group with the kind of a native Secret", "EncryptedSecret", "Secret"},
	} {
		g.edited(c[0], c[1], c[2], c[3])
	}
	g.add("wraps-list", "a list for wraps", func() string { return edit(newDraft().String(), "wraps: {}", "wraps: []") }).by()
	g.add("data-list", "a list for data", func() string { return edit(newDraft().String(), "data: {}", "data: []") }).by()
	g.edited("alias-bomb", "nine aliases of nine aliases, nine levels deep", "spec:\n", bomb()+"spec:\n")
	return g.list
}

// bomb would be 9⁹ strings, if anything expanded it.
func bomb() string {
	b := "  a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := byte('b'); c < 'j'; c++ {
		b += fmt.Sprintf("  %c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9), ", "))
	}
	return b
}

func limitVectors() []*vector {
	g := &group{class: "limit"}
	k := dataKeyOf(named("data key"))
	repeated := func(name, comment string, n int, old, now string) { g.edited(name, comment, old, now).repeat = n }
	repeated("wraps", "65 data keys", 64, "  wraps:\n", "  wraps:\n"+repeatedWraps(sessionFor("x", "dave")))
	repeated("values", "1,025 values", 1023, "  data:\n", "  data:\n@    k{i}:\n@      by: "+k.id+"\n@      box: AAAA\n")
	repeated("to", "129 recipients", 128, "      to: [", "      to: # [\n@      - aaaaaaaaaaaa{i}\n      - "+fingerprint("dave")+"\n      #")
	repeated("age", "an age file of 393,220 characters", 3072, "      age: ", "      age: \"\\\n@        "+strings.Repeat("A", 128)+"\\\n        AAAA\"\n      # ")
	g.edited("depth", "17 collections inside one another", "metadata:\n", "metadata:\n  deep: "+strings.Repeat("{a: ", 14)+"[]"+strings.Repeat("}", 14)+"\n")
	g.edited("depth-far", "very many collections inside one another", "metadata:\n", "metadata:\n  deep: "+strings.Repeat("[", 9000)+strings.Repeat("]", 9000)+"\n")
	g.add("file", "8 MiB and one byte", plainStandard("dave")).pad = 8<<20 + 1
	g.add("stanzas", "129 recipients in the age file, behind a list of one", func() string {
		d, s, _ := standard("dave")
		many := ageRecipients("dave")
		for range 7 {
			many = append(many, many...)
		}
		s.sealed(payloadMagic+s.sk+lp(s.to...), append(many, many[0])...)
		d.wraps[0].age = s.age
		return d.String()
	})
	return g.list
}

func suiteVectors() []*vector {
	g := &group{class: "unknown-suite"}
	for _, c := range [][2]string{{"0", "suite 0"}, {"2", "suite 2"}, {"10", "suite 10"}, {"-1", "a negative number"}, {"18446744073709551617", "2⁶⁴ + 1"}} {
		g.edited(strings.ReplaceAll(c[0], "-", "minus-"), c[1], "suite: 1", "suite: "+c[0])
	}
	g.add("2-json", "suite 2 in JSON", func() string {
		return `{"apiVersion":"ageseal.dev/v1alpha1","kind":"EncryptedSecret","metadata":{"name":"db"},"spec":{"suite":2,"binding":{},"wraps":{},"data":{}}}` + "\n"
	})
	return g.list
}
