package secret_test

import (
	"slices"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// Faults of what is sealed, in the order in which a document is opened.

func base64Vectors() []*vector {
	g := &group{class: "base64"}
	type place struct {
		name  string
		field func(d *draft) *string
	}
	places := []place{
		{"age", func(d *draft) *string { return &d.wraps[0].age }},
		{"dk", func(d *draft) *string { return &d.wraps[0].dk }},
		{"box", func(d *draft) *string { return &d.boxes[1].box }},
	}
	cut := func(s string) (string, string) { return s[:40], s[40:] }
	for _, c := range []struct {
		name, comment string
		change        func(s string) string
	}{
		{"lf", "a line feed inside", func(s string) string { a, b := cut(s); return `"` + a + `\n` + b + `"` }},
		{"cr", "a carriage return inside", func(s string) string { a, b := cut(s); return `"` + a + `\r` + b + `"` }},
		{"lf-at-the-end", "a line feed at the end, as of a literal block", func(s string) string { return "|\n          " + s }},
		{"space", "a space inside", func(s string) string { a, b := cut(s); return a + " " + b }},
		{"two-lines", "two lines that YAML joins with a space", func(s string) string { a, b := cut(s); return a + "\n          " + b }},
		{"character", "a character of no alphabet", func(s string) string { a, b := cut(s); return `"` + a + "*" + b[1:] + `"` }},
		{"not-ascii", "a letter that only looks like one of the alphabet", func(s string) string { a, b := cut(s); return a + "\u0410" + b[1:] }},
		{"url-alphabet", "the alphabet of URLs", func(s string) string { a, b := cut(s); return a + "_" + b[1:] }},
		{"extra-padding", "one = too many", func(s string) string { return s + "=" }},
		{"padding-inside", "= in the middle", func(s string) string { a, b := cut(s); return a[:38] + "==" + b }},
		{"cut", "the last character is missing", func(s string) string { return s[:len(s)-1] }},
	} {
		for _, p := range places {
			g.standardWith(p.name+"-"+c.name, c.comment+", in "+p.name, func(d *draft, _ *session, _ dataKey) {
				f := p.field(d)
				*f = c.change(*f)
			})
		}
	}
	// A dk is 48 bytes, without padding; a box of 96 neither. A box of 160 bytes ends with ==.
	long := func(change func(s string) string) func(d *draft, s *session, k dataKey) {
		return func(d *draft, _ *session, k dataKey) {
			d.value(k, "z", strings.Repeat("v", 100))
			box := &d.boxes[2].box
			if !strings.HasSuffix(*box, "==") {
				panic("test data: " + *box)
			}
			*box = change(*box)
		}
	}
	g.standardWith("box-no-padding", "= left out", long(func(s string) string { return strings.TrimRight(s, "=") }))
	g.standardWith("box-half-padding", "one = of two left out", long(func(s string) string { return s[:len(s)-1] }))
	g.standardWith("box-trailing-bits", "bits that no byte holds are not zero", long(func(s string) string {
		c := s[len(s)-3]
		return s[:len(s)-3] + string(c+1) + "==" // A, Q, g or w, and the one after it
	}))
	return g.list
}

func identityVectors() []*vector {
	g := &group{class: "no-identity"}
	g.add("stranger", "an identity that it was not sealed for", plainStandard("dave")).by("erin")
	g.add("none", "no identity at all", plainStandard("dave")).by()
	g.add("hybrid-stranger", "a post-quantum identity that it was not sealed for", plainStandard("alice")).by("bob")
	g.add("classic-for-hybrid", "a classic identity for a post-quantum document", plainStandard("alice")).by("dave", "erin")
	g.add("hybrid-for-classic", "post-quantum identities for a classic document", plainStandard("dave")).by("alice", "bob", "carol")
	two := func(first, second string) func() string {
		return func() string {
			d, _, _ := standard(first)
			k := dataKeyOf(named("second data key"))
			return d.wrap(sessionFor("second session", second), k).value(k, "later", "canary-2").String()
		}
	}
	g.add("one-of-two-wraps", "an identity for the first of two data keys: nothing is given out", two("dave", "erin"))
	g.add("other-of-two-wraps", "an identity for the second of two data keys: nothing is given out", two("erin", "dave"))
	g.standardWith("grease-only", "an age file with a stanza of no known type only", func(d *draft, s *session, _ dataKey) {
		s.sealed(payloadMagic+s.sk+lp(s.to...), stanza{{Type: "x9-grease", Body: []byte("whatever")}})
		d.wraps[0].age = s.age
	}).by("erin")
	return g.list
}

// unlabelled takes from age the label by which it refuses to mix.
type unlabelled struct{ age.Recipient }

func (u unlabelled) Wrap(key []byte) ([]*age.Stanza, error) { return u.Recipient.Wrap(key) }

func ageVectors() []*vector {
	g := &group{class: "age"}
	blob := func(name, comment string, change func(file string) string) {
		g.standardWith(name, comment, func(d *draft, s *session, _ dataKey) { d.wraps[0].age = b64([]byte(change(unb64(s.age)))) })
	}
	to := func(name, comment string, readers ...age.Recipient) *vector {
		return g.standardWith(name, comment, func(d *draft, s *session, _ dataKey) {
			d.wraps[0].age = s.sealed(payloadMagic+s.sk+lp(s.to...), readers...).age
		})
	}
	last := func(f string, from int) string { i := len(f) + from; return f[:i] + string(f[i]^1) + f[i+1:] }
	blob("version", "age v2", func(f string) string { return strings.Replace(f, "/v1", "/v2", 1) })
	blob("stanza-type", "a stanza of another name", func(f string) string { return strings.Replace(f, "X25519", "X25518", 1) })
	blob("stanza-share", "a bit of the ephemeral share", func(f string) string {
		i := strings.Index(f, "X25519 ") + 12
		return f[:i] + swapCase(f[i:i+1]) + f[i+1:]
	})
	blob("stanza-body", "the wrapped file key", func(f string) string {
		i := strings.Index(f, "\n--- ") - 30
		return f[:i] + swapCase(f[i:i+1]) + f[i+1:]
	})
	blob("header-mac", "the MAC of the header", func(f string) string { i := strings.Index(f, "--- ") + 8; return f[:i] + swapCase(f[i:i+1]) + f[i+1:] })
	blob("extra-stanza", "a stanza that the MAC does not cover", func(f string) string { return strings.Replace(f, "\n-> ", "\n-> x\n\n-> ", 1) })
	blob("payload-nonce", "a bit of the payload's nonce", func(f string) string {
		i := strings.Index(f, "--- ") + 4 + 43 + 1
		return f[:i] + string(f[i]^1) + f[i+1:]
	})
	blob("payload-bit", "a bit of the payload", func(f string) string { return last(f, -40) })
	blob("payload-tag", "a bit of the payload's tag", func(f string) string { return last(f, -1) })
	blob("cut", "the last byte is missing", func(f string) string { return f[:len(f)-1] })
	blob("cut-to-the-header", "no payload", func(f string) string { return f[:strings.Index(f, "--- ")+48] })
	blob("cut-to-nothing", "one byte", func(string) string { return "a" })
	blob("byte-more", "a byte behind the end", func(f string) string { return f + "\x00" })
	blob("crlf", "CR LF in the header", func(f string) string { return strings.Replace(f, "/v1\n", "/v1\r\n", 1) })
	blob("not-age", "something else than an age file", func(string) string { return "PK\x03\x04canary" })
	blob("armored", "an armored age file", func(f string) string {
		var b strings.Builder
		w := armor.NewWriter(&b)
		_, _ = w.Write([]byte(f))
		_ = w.Close()
		return b.String()
	})
	blob("stanzas", "1,025 stanzas", func(f string) string { return strings.Replace(f, "\n-> ", strings.Repeat("\n-> x\n", 1024)+"\n-> ", 1) })
	scrypt, err := age.NewScryptRecipient("canary")
	if err != nil {
		panic(err)
	}
	scrypt.SetWorkFactor(2)
	to("passphrase", "a passphrase", scrypt)
	to("passphrase-beside", "a scrypt stanza of great cost beside ours",
		stanza{{Type: "scrypt", Args: []string{"AAAAAAAAAAAAAAAAAAAAAA", "30"}, Body: make([]byte, 32)}}, ageRecipients("dave")[0])
	to("classic-and-hybrid", "a post-quantum stanza beside a classic one", ageRecipients("dave")[0], unlabelled{ageRecipients("alice")[0]})
	to("hybrid-and-classic", "a classic stanza beside a post-quantum one", unlabelled{ageRecipients("alice")[0]}, ageRecipients("dave")[0]).by("alice")
	to("others", "sealed for others than the list says", ageRecipients("erin")...)
	g.add("hybrid-bit", "a bit of a post-quantum stanza", func() string {
		d, s, _ := standard("alice")
		d.wraps[0].age = flip(s.age, 900, 0)
		return d.String()
	}).by("alice")
	return g.list
}

// swapCase makes another character of the same alphabet of one of base64.
func swapCase(s string) string {
	switch {
	case s >= "a" && s <= "z":
		return strings.ToUpper(s)
	case s >= "A" && s <= "Z":
		return strings.ToLower(s)
	case s == "0":
		return "1"
	}
	return "0"
}

func payloadVectors() []*vector {
	g := &group{class: "payload-magic"}
	content := func(name, comment string, payload func(s *session) string) {
		g.standardWith(name, comment, func(d *draft, s *session, _ dataKey) {
			d.wraps[0].age = s.sealed(payload(s), ageRecipients("dave")...).age
		})
	}
	content("sealed-file", "the content of a sealed file", func(*session) string {
		return domain + " file\nuse: value\nkey: k\npad: 000\n\ncanary"
	})
	content("file-magic", "a session key under the magic of a sealed file", func(s *session) string { return domain + " file\n" + s.sk + lp(s.to...) })
	content("suite-2", "the magic of another suite", func(s *session) string { return "ageseal.dev/suite-2 session key\n" + s.sk + lp(s.to...) })
	content("no-magic", "no magic", func(s *session) string { return s.sk + lp(s.to...) })
	content("magic-crlf", "CR LF in the magic", func(s *session) string { return domain + " session key\r\n" + s.sk + lp(s.to...) })
	content("31-bytes", "a session key of 31 bytes", func(s *session) string { return payloadMagic + s.sk[:31] + lp(s.to...) })
	content("33-bytes", "a session key of 33 bytes", func(s *session) string { return payloadMagic + s.sk + "\x00" + lp(s.to...) })
	content("no-list", "no list of recipients", func(s *session) string { return payloadMagic + s.sk })
	content("byte-more", "a byte behind the list", func(s *session) string { return payloadMagic + s.sk + lp(s.to...) + "\x00" })
	content("byte-less", "the list is cut short", func(s *session) string { l := lp(s.to...); return payloadMagic + s.sk + l[:len(l)-1] })
	content("count", "a list that says it is longer than it is", func(s *session) string {
		return payloadMagic + s.sk + "\x00\x00\x00\x02" + lp(s.to...)[4:]
	})
	content("list-of-text", "a list of other things than fingerprints", func(s *session) string { return payloadMagic + s.sk + lp("dave") })
	content("empty", "nothing", func(*session) string { return "" })
	return g.list
}

func toVectors() []*vector {
	g := &group{class: "to-mismatch"}
	to := func(name, comment string, change func(to []string) []string) {
		g.add(name, comment, func() string {
			d, _, _ := standard("dave", "erin")
			d.wraps[0].to = change(d.wraps[0].to)
			return d.String()
		})
	}
	sorted := func(to ...string) []string { slices.Sort(to); return to }
	to("shortened", "one recipient less than inside", func([]string) []string { return []string{fingerprint("dave")} })
	to("extended", "one recipient more than inside", func(to []string) []string { return sorted(append(slices.Clone(to), fingerprint("carol"))...) })
	to("exchanged", "one recipient for another", func([]string) []string { return sorted(fingerprint("dave"), fingerprint("carol")) })
	to("others", "a list of strangers", func([]string) []string { return sorted(fingerprint("alice"), fingerprint("carol")) })
	inside := func(name, comment string, list ...string) {
		g.standardWith(name, comment, func(d *draft, s *session, _ dataKey) {
			d.wraps[0].age = s.sealed(payloadMagic+s.sk+lp(list...), ageRecipients("dave")...).age
		})
	}
	inside("inside-empty", "the list inside is empty")
	inside("inside-twice", "the list inside names a recipient twice", fingerprint("dave"), fingerprint("dave"))
	inside("inside-more", "the list inside has one more", sorted(fingerprint("dave"), fingerprint("erin"))...)
	g.add("copied-session", "the age file of another document with other readers", func() string {
		d, _, _ := standard("dave", "erin")
		d.wraps[0].age = sessionFor("another", "dave").age
		return d.String()
	})
	return g.list
}

func dkVectors() []*vector {
	g := &group{class: "dk"}
	dk := func(name, comment string, change func(d *draft, s *session, k dataKey) string) {
		g.standardWith(name, comment, func(d *draft, s *session, k dataKey) { d.wraps[0].dk = change(d, s, k) })
	}
	dk("first-bit", "the first bit", func(d *draft, _ *session, _ dataKey) string { return flip(d.wraps[0].dk, 0, 7) })
	dk("tag-bit", "a bit of the tag", func(d *draft, _ *session, _ dataKey) string { return flip(d.wraps[0].dk, -1, 0) })
	dk("31-bytes", "a data key of 31 bytes, correctly sealed", func(_ *draft, s *session, k dataKey) string { return s.dkOf(k.id, k.dk[:31]) })
	dk("33-bytes", "a data key of 33 bytes, correctly sealed", func(_ *draft, s *session, k dataKey) string { return s.dkOf(k.id, k.dk+"\x00") })
	dk("64-bytes", "a data key of 64 bytes, correctly sealed", func(_ *draft, s *session, k dataKey) string { return s.dkOf(k.id, k.dk+k.dk) })
	dk("empty-plaintext", "a data key of no bytes, correctly sealed", func(_ *draft, s *session, k dataKey) string { return s.dkOf(k.id, "") })
	dk("short", "three bytes", func(*draft, *session, dataKey) string { return "AAAA" })
	dk("in-clear", "the data key without encryption", func(_ *draft, _ *session, k dataKey) string { return b64([]byte(k.dk)) })
	dk("other-session", "a data key under another session key", func(_ *draft, _ *session, k dataKey) string {
		return sessionFor("another", "dave").dk(k)
	})
	dk("of-another-id", "another data key of the same session", func(_ *draft, s *session, _ dataKey) string { return s.dk(dataKeyOf(named("other"))) })
	g.standardWith("swapped", "the data keys of two entries of one session, exchanged", func(d *draft, s *session, _ dataKey) {
		k := dataKeyOf(named("second data key"))
		d.wrap(s, k).value(k, "later", "canary-2")
		d.wraps[0].dk, d.wraps[1].dk = d.wraps[1].dk, d.wraps[0].dk
	})
	g.add("id-renamed", "an id changed everywhere; the data key is sealed under its own", func() string {
		d, _, k := standard("dave")
		return strings.ReplaceAll(d.String(), k.id, strings.Repeat("a", 32))
	})
	g.add("second-of-two", "the second of two data keys: nothing is given out", func() string {
		d, _, _ := standard("dave")
		k := dataKeyOf(named("second data key"))
		d.wrap(sessionFor("second session", "dave"), k).value(k, "later", "canary-2")
		d.wraps[1].dk = flip(d.wraps[1].dk, 20, 3)
		return d.String()
	})
	return g.list
}

func idVectors() []*vector {
	g := &group{class: "kid-mismatch"}
	// Who can read the document knows its session key, and seals a data key under an id that it does not have. The boxes are sealed
	// with that data key and id, so nothing but the id betrays it.
	lie := func(name, comment string, id func(k dataKey) string) {
		g.add(name, comment, func() string {
			s, k := sessionFor("session dave", "dave"), dataKeyOf(named("data key"))
			k.id = id(k)
			return newDraft().wrap(s, k).value(k, "API_TOKEN", canary).String()
		})
	}
	lie("all-a", "an id of choice", func(dataKey) string { return strings.Repeat("a", 32) })
	lie("of-another", "the id of another data key", func(dataKey) string { return dataKeyOf(named("other")).id })
	lie("last-character", "the last character", func(k dataKey) string { return k.id[:31] + otherThan(k.id[31]) })
	lie("first-character", "the first character", func(k dataKey) string { return otherThan(k.id[0]) + k.id[1:] })
	lie("other-domain", "the id under another suite's domain", func(k dataKey) string {
		return b32(hkdf(k.dk, "", "ageseal.dev/suite-2 data key id", 20))
	})
	lie("hash", "a plain hash for an id", func(k dataKey) string { return fingerprintOf(k.dk) + fingerprintOf(k.dk) })
	g.standardWith("beside-a-right-one", "a second entry with the data key of the first: nothing is given out", func(d *draft, s *session, k dataKey) {
		k.id = strings.Repeat("z", 32)
		d.wrap(s, k).value(k, "later", "canary-2")
	})
	return g.list
}

func otherThan(c byte) string {
	if c == 'a' {
		return "b"
	}
	return "a"
}

func unknownKeyVectors() []*vector {
	g := &group{class: "unknown-key"}
	other := dataKeyOf(named("other")).id
	g.standardWith("one-value", "one value names a data key that is not there", func(d *draft, _ *session, _ dataKey) { d.boxes[1].by = other })
	g.standardWith("all-values", "all values do", func(d *draft, _ *session, _ dataKey) { d.boxes[0].by, d.boxes[1].by = other, other })
	g.standardWith("wrap-removed", "the wrap was removed", func(d *draft, _ *session, _ dataKey) { d.wraps = nil })
	g.standardWith("wrap-renamed", "the wrap was renamed", func(d *draft, _ *session, _ dataKey) { d.wraps[0].id = other })
	g.standardWith("one-character", "one character of a reference", func(d *draft, _ *session, k dataKey) {
		d.boxes[0].by = k.id[:31] + otherThan(k.id[31])
	})
	g.add("no-identity-needed", "found without any identity", func() string {
		d, _, _ := standard("dave")
		d.boxes[0].by = other
		return d.String()
	}).by()
	return g.list
}
