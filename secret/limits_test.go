package secret_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// Limits at, below and above, where a frozen vector would be large.

func TestLimits(t *testing.T) {
	s, k := sessionFor("session dave", "dave"), dataKeyOf(named("data key"))
	fresh := func() *draft { return newDraft().wrap(s, k) }
	// blob gives a document an age file of its own.
	blob := func(payload string, to ...age.Recipient) string {
		d := fresh()
		d.wraps[0].age = b64([]byte(ageFile(payload, to...)))
		return d.value(k, "k", canary).String()
	}
	right := payloadMagic + s.sk + lp(s.to...)
	dave := ageRecipients("dave")
	// ageOf gives it one of n characters, by a stanza that nobody knows: its body fills most, its argument the rest.
	ageOf := func(n int) string {
		file := func(arg int) string {
			return ageFile(right, stanza{{Type: "x9-grease", Args: []string{strings.Repeat("x", arg)}, Body: make([]byte, n/2)}}, dave[0])
		}
		d := fresh()
		d.wraps[0].age = b64([]byte(file(1 + n/4*3 - len(file(1)))))
		if len(d.wraps[0].age) != n {
			panic("test data: another length")
		}
		return d.value(k, "k", canary).String()
	}
	values := func(sizes ...int) string {
		d := fresh()
		for i, n := range sizes {
			d.value(k, fmt.Sprintf("v%04d", i), strings.Repeat("v", n))
		}
		return d.String()
	}
	many := func(n int) (sizes []int) { return make([]int, n) }
	manyTo := func(n int) []age.Recipient {
		var to []age.Recipient
		for range n {
			to = append(to, dave[0])
		}
		return to
	}
	const mib = manifest.MaxTotal
	for _, tt := range []struct {
		name, want string
		text       func() string
	}{
		{"1,023 values", "", func() string { return values(many(1023)...) }},
		{"1,024 values", "", func() string { return values(many(1024)...) }},
		{"1,025 values", "limit", func() string { return values(many(1025)...) }},
		{"1 MiB less one byte in one value", "", func() string { return values(mib - 1) }},
		{"1 MiB in one value", "", func() string { return values(mib) }},
		{"1 MiB and a byte in one value", "limit", func() string { return values(mib + 1) }},
		{"the next bucket", "box-length", func() string { return values(mib + 1<<15) }},
		{"1 MiB in three", "", func() string { return values(mib/2, mib/4, mib/4) }},
		{"1 MiB and a byte in three", "limit", func() string { return values(mib/2, mib/4, mib/4+1) }},
		{"1 MiB and an empty value", "", func() string { return values(mib, 0) }},
		{"1 MiB in 1,024", "", func() string {
			sizes := many(1024)
			for i := range sizes {
				sizes[i] = 1024
			}
			return values(sizes...)
		}},
		{"127 stanzas", "", func() string { return blob(right, manyTo(127)...) }},
		{"128 stanzas", "", func() string { return blob(right, manyTo(128)...) }},
		{"129 stanzas", "limit", func() string { return blob(right, manyTo(129)...) }},
		{"64 KiB in the age file", "payload-magic", func() string { return blob(right+strings.Repeat("x", 64<<10-len(right)), dave...) }},
		{"64 KiB and a byte in the age file", "limit", func() string { return blob(right+strings.Repeat("x", 64<<10-len(right)+1), dave...) }},
		{"10 MiB in the age file", "limit", func() string { return blob(strings.Repeat("x", 270<<10), dave...) }},
		{"age file of 393,212 characters", "", func() string { return ageOf(manifest.MaxAgeLength - 4) }},
		{"age file of 393,216 characters", "", func() string { return ageOf(manifest.MaxAgeLength) }},
		{"age file of 393,220 characters", "limit", func() string { return ageOf(manifest.MaxAgeLength + 4) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := openingBy(t, "dave")
			text := tt.text()
			values, err := openText(t, text, c.o)
			if got := secret.Class(err); got != tt.want {
				t.Errorf("class %q, want %q: %v", got, tt.want, err)
			}
			if tt.want == "" && len(values) != len(doc(t, text).Spec.Data) {
				t.Errorf("%d values", len(values))
			}
		})
	}
}

func TestLimitsOfText(t *testing.T) {
	for _, tt := range []struct {
		vector string
		change func(v *vector)
		want   string
	}{
		{"success-limit-wraps", func(v *vector) { v.repeat-- }, ""},
		{"success-limit-wraps", func(v *vector) { v.repeat++ }, "limit"},
		{"success-limit-to", func(v *vector) { v.repeat-- }, "to-mismatch"},
		{"success-limit-to", func(v *vector) { v.repeat++ }, "limit"},
		{"success-limit-file", func(v *vector) { v.pad-- }, ""},
		{"success-limit-file", func(v *vector) { v.pad++ }, "limit"},
		{"limit-wraps", func(v *vector) { v.repeat-- }, ""},
		{"limit-values", func(v *vector) { v.repeat-- }, "box-length"},
		{"limit-to", func(v *vector) { v.repeat-- }, "to-mismatch"},
		{"limit-age", func(v *vector) { v.repeat-- }, "age"},
		{"limit-file", func(v *vector) { v.pad-- }, ""},
		{"success-limit-depth", func(v *vector) { v.document = edit(edit(v.document, "{a: []", "[]"), "}\n", "\n") }, ""},
		{"success-limit-depth", func(v *vector) { v.document = edit(v.document, "[]", "[[]]") }, "limit"},
		{"success-limit-depth", func(v *vector) { v.document = edit(v.document, "[]", "text") }, ""},
		{"success-limit-depth", func(v *vector) { v.document = edit(v.document, "[]", "[text]") }, ""},
		{"success-limit-depth", func(v *vector) { v.document = edit(v.document, "[]", "{a: text}") }, ""},
	} {
		for _, v := range readVectors(t) {
			if v.name != tt.vector {
				continue
			}
			tt.change(v)
			_, err := openText(t, v.text(), crypt.NewOpener(people("dave")...))
			if got := secret.Class(err); got != tt.want {
				t.Errorf("%s, off by one: class %q, want %q: %v", tt.vector, got, tt.want, err)
			}
		}
	}
}

// Hostile documents end in bounded time and memory. The bounds are generous: what they must tell is linear from exponential.
func TestHostileDocumentsAreBounded(t *testing.T) {
	d, _, _ := standard("dave")
	text := d.String()
	with := func(lines string) string { return edit(text, "spec:\n", lines+"spec:\n") }
	const mib = 1 << 20
	for name, hostile := range map[string]string{
		"alias bomb":             with(bomb()),
		"alias bomb in a List":   "apiVersion: v1\nkind: List\n" + bomb() + "items:\n- kind: EncryptedSecret\n  apiVersion: ageseal.dev/v1alpha1\n  spec: *i\n",
		"alias bomb as items":    "apiVersion: v1\nkind: List\n" + strings.ReplaceAll(bomb(), "[x, x, x, x, x, x, x, x, x]", "{kind: EncryptedSecret}") + "items: *i\n",
		"merge bomb":             with(strings.NewReplacer("[", "{<<: [", "]", "]}").Replace(bomb())),
		"deep flow":              with("  x: " + strings.Repeat("[", 4*mib) + "\n"),
		"deep flow, closed":      with("  x: " + strings.Repeat("{a: ", 100_000) + strings.Repeat("}", 100_000) + "\n"),
		"deep block":             with("  x:\n" + deepBlock(2000)),
		"deep dashes":            with("  x:\n  " + strings.Repeat("- ", 200_000) + "\n"),
		"questions":              with("  " + strings.Repeat("? ", 200_000) + "\n"),
		"many lines":             with(strings.Repeat("  x:\n", 1_000_000)),
		"many documents":         strings.Repeat("---\nkind: EncryptedSecret\n", 100_000),
		"long key":               with("  " + strings.Repeat("k", 7*mib) + ": x\n"),
		"long box":               edit(text, "box: ", "box: "+strings.Repeat("A", 7*mib)),
		"long box of garbage":    edit(text, "box: ", "box: \""+strings.Repeat("*", 7*mib)+"\" # "),
		"long dk":                edit(text, "dk: ", "dk: "+strings.Repeat("A", 7*mib)),
		"long quotes":            edit(text, "box: ", "box: \""+strings.Repeat(`\x41`, 2*mib-100)+"\" # "),
		"many to":                edit(text, "to: [", "to: ["+strings.Repeat("aaaaaaaaaaaaaaaa, ", 400_000)),
		"anchors":                with(strings.Repeat("  - &a x\n", 500_000)),
		"a conflict of markers":  strings.Repeat("<<<<<<< a\nkind: EncryptedSecret\n=======\n", 100_000),
		"templates":              with(strings.Repeat("  x: {{ a }}\n", 400_000)),
		"nested Lists":           strings.Repeat("{kind: List, items: [", 5000) + "{kind: EncryptedSecret}" + strings.Repeat("]}", 5000) + "\n",
		"JSON of many brackets":  `{"kind":"EncryptedSecret","a":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "}\n",
		"comments":               strings.Repeat("# kind: EncryptedSecret\n", 300_000) + text[:200],
		"unreferenced age files": edit(text, "  wraps:\n", "  wraps:\n"+strings.Repeat("    x:\n", 60)),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			var err error
			f, errParse := manifest.Parse([]byte(hostile))
			if errParse == nil {
				_, err = secret.Decrypt(f, crypt.NewOpener(people("dave")...), nil)
			} else {
				err = errParse
			}
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatal("opened")
			}
			if got := len(report(err)); got > 64<<20 {
				t.Errorf("a message of %d bytes", got)
			}
			if allocated := (after.TotalAlloc - before.TotalAlloc) / mib; took > 20*time.Second || allocated > 2000 {
				t.Errorf("took %v and %d MiB for %d bytes", took, allocated, len(hostile))
			}
		})
	}
}

func deepBlock(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", 4+i) + "x:\n")
	}
	return b.String()
}
