package secret_test

import "strings"

// Faults of a value, and of where it stands.

func lengthVectors() []*vector {
	g := &group{class: "box-length"}
	for _, c := range []struct {
		name, comment string
		change        func(raw string) string
	}{
		{"short", "three bytes", func(string) string { return "abc" }},
		{"salt-only", "the salt and nothing else", func(raw string) string { return raw[:16] }},
		{"no-plaintext", "the salt and a tag", func(raw string) string { return raw[:32] }},
		{"cut", "the last byte is missing", func(raw string) string { return raw[:len(raw)-1] }},
		{"no-salt", "the salt is missing", func(raw string) string { return raw[16:] }},
		{"no-tag", "the tag is missing", func(raw string) string { return raw[:len(raw)-16] }},
		{"byte-more", "a byte more at the end", func(raw string) string { return raw + "\x00" }},
		{"byte-before", "a byte more in front", func(raw string) string { return "\x00" + raw }},
		{"no-bucket", "a length between two buckets", func(raw string) string { return raw + strings.Repeat("\x00", 32) }},
		{"twice", "the box twice", func(raw string) string { return raw + raw }},
	} {
		g.standardWith(c.name, c.comment, func(d *draft, _ *session, _ dataKey) { d.boxes[0].box = b64([]byte(c.change(unb64(d.boxes[0].box)))) })
	}
	g.standardWith("between-large-buckets", "a multiple of 64 that Padmé does not have, correctly sealed", func(d *draft, _ *session, k dataKey) {
		d.padded(k, "large", strings.Repeat("v", 4100)+"\x80"+strings.Repeat("\x00", 4096+192-4101))
	})
	return g.list
}

func aeadVectors() []*vector {
	g := &group{class: "aead"}
	with := func(name, comment string, change func(d *draft, s *session, k dataKey)) {
		g.standardWith(name, comment, change)
	}
	bit := func(name, comment string, at int, n uint) {
		with(name, comment, func(d *draft, _ *session, _ dataKey) { d.boxes[0].box = flip(d.boxes[0].box, at, n) })
	}
	bit("salt-bit", "a bit of the salt", 0, 0)
	bit("first-bit", "a bit of the first byte of the value", 16, 0)
	bit("padding-bit", "a bit of the padding", 70, 5)
	bit("tag-bit", "a bit of the tag", -1, 7)
	with("next-bucket", "zeros up to the next bucket", func(d *draft, _ *session, _ dataKey) {
		d.boxes[0].box = b64([]byte(unb64(d.boxes[0].box) + strings.Repeat("\x00", 64)))
	})
	with("swapped", "two boxes exchanged", func(d *draft, _ *session, _ dataKey) {
		d.boxes[0].box, d.boxes[1].box = d.boxes[1].box, d.boxes[0].box
	})
	with("copied-to-another-key", "a box under a further key", func(d *draft, _ *session, k dataKey) {
		d.boxes = append(d.boxes, draftBox{"copy", k.id, d.boxes[0].box})
	})
	with("key-renamed", "a key renamed", func(d *draft, _ *session, _ dataKey) { d.boxes[0].key = "API_TOKEN2" })
	with("key-in-lower-case", "a key in lower case", func(d *draft, _ *session, _ dataKey) { d.boxes[0].key = "api_token" })
	with("by-exchanged", "two values exchange their data keys", func(d *draft, s *session, _ dataKey) {
		k := dataKeyOf(named("second data key"))
		d.wrap(s, k).value(k, "later", "canary-2")
		d.boxes[0].by, d.boxes[2].by = d.boxes[2].by, d.boxes[0].by
	})
	bound := func(name, comment, ns, n string) {
		with(name, comment, func(d *draft, _ *session, _ dataKey) {
			d.bindNS, d.bindN = ns, n
			d.metadata = "  name: \"" + n + "\"\n  namespace: \"" + ns + "\"\n"
		})
	}
	bound("binding-namespace", "another namespace in binding and metadata", "dev", "db")
	bound("binding-name", "another name in binding and metadata", "prod", "db2")
	bound("binding-without-namespace", "the namespace taken out of the binding", "", "db")
	bound("binding-without-name", "the name taken out of the binding", "prod", "")
	bound("binding-emptied", "the binding emptied", "", "")
	bound("binding-boundary", "the boundary between namespace and name moved", "pro", "ddb")
	bound("binding-exchanged", "namespace and name exchanged", "db", "prod")
	bound("binding-in-upper-case", "the namespace in upper case", "PROD", "db")
	with("other-document", "a box of another document of the same session", func(d *draft, s *session, _ dataKey) {
		other := dataKeyOf(named("other document"))
		d.boxes[0].box = newDraft().wrap(s, other).value(other, "API_TOKEN", "canary-other").boxes[0].box
	})
	with("other-binding", "a box of the same data key, sealed for another Secret", func(d *draft, _ *session, k dataKey) {
		d.boxes[0].box = k.box("prod", "other", "API_TOKEN", pad("canary-other"))
	})
	with("empty-for-absent", "a box sealed for a name that is empty instead of absent", func(d *draft, _ *session, k dataKey) {
		d.bindN = ""
		salt := strings.Repeat("s", 16)
		key := hkdf(k.dk, salt, lp(domain+" value", k.id, opt("prod"), "\x01", "API_TOKEN"), 32)
		d.boxes[0].box = b64([]byte(salt + aeadSeal(key, pad(canary))))
		d.boxes = d.boxes[:1]
	})
	with("second-value", "the second of two values: nothing is given out", func(d *draft, _ *session, _ dataKey) {
		d.boxes[1].box = flip(d.boxes[1].box, 40, 1)
	})
	g.add("hybrid", "a bit of a value in a post-quantum document", func() string {
		d, _, _ := standard("alice")
		d.boxes[0].box = flip(d.boxes[0].box, 30, 2)
		return d.String()
	}).by("alice")
	return g.list
}

func paddingVectors() []*vector {
	g := &group{class: "padding"}
	padded := func(name, comment, text string) {
		g.standardWith(name, comment, func(d *draft, _ *session, k dataKey) { d.padded(k, "odd", text) })
	}
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	padded("all-zero", "nothing but zeros", zeros(64))
	padded("no-mark", "a value and zeros, without 80", "canary"+zeros(58))
	padded("full", "a bucket full of value", strings.Repeat("canary!!", 8))
	padded("other-mark", "01 instead of 80", "canary\x01"+zeros(57))
	padded("behind-the-mark", "a byte behind the mark", "canary\x80"+zeros(56)+"\x01")
	padded("mark-in-front", "the mark in front", "\x80canary"+zeros(57))
	padded("pkcs7", "padding as of PKCS #7", "canary"+strings.Repeat("\x3a", 58))
	padded("wrong-bucket", "a short value in the next bucket", "canary\x80"+zeros(121))
	padded("far-bucket", "a short value in a much larger bucket", "canary\x80"+zeros(2041))
	padded("edge", "64 bytes with the mark in a bucket of 128", strings.Repeat("v", 63)+"\x80"+zeros(64))
	return g.list
}

func bindingVectors() []*vector {
	g := &group{class: "binding"}
	g.edited("name", "another name in metadata", "  name: db\n", "  name: other\n")
	g.edited("namespace", "another namespace in metadata", "  namespace: prod\n", "  namespace: dev\n")
	g.edited("both", "both others", "  name: db\n  namespace: prod\n", "  name: other\n  namespace: dev\n")
	g.edited("upper-case", "the name in upper case", "  name: db\n", "  name: DB\n")
	g.edited("prefix", "a name with a prefix, as kustomize gives it", "  name: db\n", "  name: dev-db\n")
	g.edited("name-only", "another name, no namespace", "  name: db\n  namespace: prod\n", "  name: other\n")
	g.edited("namespace-only", "another namespace, no name", "  name: db\n  namespace: prod\n", "  namespace: dev\n")
	g.edited("space", "a space behind the name", "  name: db\n", "  name: \"db \"\n")
	g.add("no-values", "also a document without values is bound", func() string {
		return edit(newDraft().String(), "  name: db\n", "  name: other\n")
	})
	return g.list
}

func typeVectors() []*vector {
	g := &group{class: "type"}
	const sa, bootstrap = "kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"
	g.edited("service-account", "the cluster mints a token into it", "  suite: 1\n", "  suite: 1\n  type: "+sa+"\n")
	g.edited("bootstrap", "the cluster accepts it as a credential", "  suite: 1\n", "  suite: 1\n  type: "+bootstrap+"\n")
	g.edited("quoted", "the type in quotes, with an escape", "  suite: 1\n", "  suite: 1\n  type: \"kubernetes.io/service-acc\\u006funt-token\"\n")
	g.edited("immutable", "an immutable one", "  suite: 1\n", "  suite: 1\n  type: "+sa+"\n  immutable: true\n")
	g.add("account", "with the annotation that names the account", func() string {
		d, _, _ := standard("dave")
		d.extra = "  type: " + sa + "\n"
		return edit(d.String(), "metadata:\n", "metadata:\n  annotations:\n    kubernetes.io/service-account.name: default\n")
	})
	g.add("no-values", "without values: the cluster would fill it", func() string {
		d := newDraft()
		d.extra = "  type: " + sa + "\n"
		return d.String()
	}).by()
	return g.list
}
