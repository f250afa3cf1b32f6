package secret_test

import (
	"fmt"
	"slices"
	"strings"
)

// draft is a sealed document in the making, as text: nothing keeps it from being wrong.
type draft struct {
	metadata      string // lines below "metadata:", with their indentation
	suite         string
	extra         string // further lines of spec, before binding
	bindNS, bindN string
	wraps         []draftWrap
	boxes         []draftBox
}

type draftWrap struct {
	id  string
	to  []string
	age string
	dk  string
}

type draftBox struct{ key, by, box string }

// newDraft is a document for prod/db without values.
func newDraft() *draft {
	return &draft{metadata: "  name: db\n  namespace: prod\n", suite: "1", bindNS: "prod", bindN: "db"}
}

// standard is prod/db with two values under one data key, correct in everything.
func standard(readers ...string) (*draft, *session, dataKey) {
	s := sessionFor("session "+strings.Join(readers, " "), readers...)
	k := dataKeyOf(named("data key"))
	d := newDraft().wrap(s, k)
	d.value(k, "API_TOKEN", canary).value(k, "user", "canary-app")
	return d, s, k
}

// standardValues are those of standard.
var standardValues = map[string]string{"API_TOKEN": canary, "user": "canary-app"}

func (d *draft) wrap(s *session, k dataKey) *draft {
	d.wraps = append(d.wraps, draftWrap{k.id, s.to, s.age, s.dk(k)})
	return d
}

// value seals a value as the draft's binding is now.
func (d *draft) value(k dataKey, key, v string) *draft { return d.padded(k, key, pad(v)) }

func (d *draft) padded(k dataKey, key, text string) *draft {
	d.boxes = append(d.boxes, draftBox{key, k.id, k.box(d.bindNS, d.bindN, key, text)})
	return d
}

// quoted are keys that YAML 1.1 or 1.2 takes for something else.
var quoted = []string{"on", "null", "1e3", "0o17", "1", "true", "y", "2001-01-01"}

// String writes the draft canonically.
func (d *draft) String() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("apiVersion: ageseal.dev/v1alpha1\nkind: EncryptedSecret\nmetadata:\n%sspec:\n  suite: %s\n%s", d.metadata, d.suite, d.extra)
	if d.bindNS+d.bindN == "" {
		p("  binding: {}\n")
	} else {
		p("  binding:\n")
	}
	if d.bindNS != "" {
		p("    namespace: %s\n", d.bindNS)
	}
	if d.bindN != "" {
		p("    name: %s\n", d.bindN)
	}
	if len(d.wraps) == 0 {
		p("  wraps: {}\n")
	} else {
		p("  wraps:\n")
	}
	wraps := slices.Clone(d.wraps)
	slices.SortStableFunc(wraps, func(a, b draftWrap) int { return strings.Compare(a.id, b.id) })
	for _, w := range wraps {
		p("    %s:\n      to: [%s]\n      age: %s\n      dk: %s\n", w.id, strings.Join(w.to, ", "), w.age, w.dk)
	}
	if len(d.boxes) == 0 {
		p("  data: {}\n")
	} else {
		p("  data:\n")
	}
	boxes := slices.Clone(d.boxes)
	slices.SortStableFunc(boxes, func(a, b draftBox) int { return strings.Compare(a.key, b.key) })
	for _, v := range boxes {
		key := v.key
		if slices.Contains(quoted, key) {
			key = `"` + key + `"`
		}
		p("    %s:\n      by: %s\n      box: %s\n", key, v.by, v.box)
	}
	return b.String()
}

// edit replaces the first occurrence of old, which has to be there.
func edit(text, old, now string) string {
	if !strings.Contains(text, old) {
		panic("test data: nothing to edit: " + old)
	}
	return strings.Replace(text, old, now, 1)
}

// flip flips one bit of a base64 text's bytes.
func flip(text string, byteAt int, bit uint) string {
	raw := []byte(unb64(text))
	if byteAt < 0 {
		byteAt += len(raw)
	}
	raw[byteAt] ^= 1 << bit
	return b64(raw)
}
