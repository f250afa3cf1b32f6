package secret_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/secret"
)

// The negative list of docs/format.md, as far as it is a matter of documents: the vectors have one of each kind, here is every one.

// opening holds one Opener over many variants of a document, as a run over many files does.
type opening struct {
	t *testing.T
	o *crypt.Opener
}

func openingBy(t *testing.T, names ...string) opening {
	return opening{t, crypt.NewOpener(people(names...)...)}
}

// fails checks that a text fails with one of the classes, parted by spaces. openText checks all that holds for every failure.
func (c opening) fails(what, classes, text string) {
	c.t.Helper()
	_, err := openText(c.t, text, c.o)
	if err == nil {
		c.t.Fatalf("%s: opened, want %s", what, classes)
	}
	if got := secret.Class(err); !slices.Contains(strings.Fields(classes), got) {
		c.t.Fatalf("%s: class %q, want %s: %v", what, got, classes, err)
	}
}

// opens checks that a text opens to these values.
func (c opening) opens(what string, want map[string]string, text string) {
	c.t.Helper()
	got, err := openText(c.t, text, c.o)
	if err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
	if len(got) != len(want) {
		c.t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for k, v := range want {
		if got[k] != v {
			c.t.Fatalf("%s: key %s has %d bytes, want %d", what, k, len(got[k]), len(v))
		}
	}
}

// sealedFields are the three texts of a document that hold something sealed, and the class that altered bytes of each have.
var sealedFields = []struct {
	name, class string
	field       func(d *draft) *string
}{
	{"box", "aead", func(d *draft) *string { return &d.boxes[0].box }},
	{"dk", "dk", func(d *draft) *string { return &d.wraps[0].dk }},
	{"age", "age", func(d *draft) *string { return &d.wraps[0].age }},
}

func TestEveryAlteredByte(t *testing.T) {
	for _, f := range sealedFields {
		t.Run(f.name, func(t *testing.T) {
			c := openingBy(t, "dave")
			d, _, _ := standard("dave")
			field := f.field(d)
			whole := *field
			raw := unb64(whole)
			try := func(what, classes, changed string) {
				t.Helper()
				*field = changed
				c.fails(what, classes, d.String())
			}
			bits := []uint{0, 1, 2, 3, 4, 5, 6, 7}
			for i := range raw {
				if f.name == "age" {
					bits = []uint{uint(i % 8)} // an unwrap each: every byte, not every bit
				}
				for _, bit := range bits {
					try(fmt.Sprintf("bit %d of byte %d", bit, i), f.class, flip(whole, i, bit))
				}
			}
			cut := map[string]string{"box": "box-length", "dk": "dk", "age": "age"}[f.name]
			for i := range raw {
				if i > 0 {
					try(fmt.Sprintf("cut to %d bytes", i), cut, b64([]byte(raw[:i])))
				}
				if i < len(raw)-1 {
					try(fmt.Sprintf("without the first %d bytes", i+1), cut, b64([]byte(raw[i+1:])))
				}
			}
			for _, b := range []string{"\x00", "\x80", "\xff", "\n", "A"} {
				try(fmt.Sprintf("%q appended", b), cut, b64([]byte(raw+b)))
				try(fmt.Sprintf("%q in front", b), cut, b64([]byte(b+raw)))
			}
			for i := 64; i <= 64*4; i += 64 {
				try(fmt.Sprintf("%d zeros appended", i), cut+" "+f.class, b64([]byte(raw+strings.Repeat("\x00", i))))
			}
			if n := c.o.Unwraps(); f.name != "age" && n != 1 {
				t.Errorf("%d unwraps of one blob", n)
			}
		})
	}
}

func TestEveryAlteredCharacter(t *testing.T) {
	c := openingBy(t, "dave")
	for _, f := range sealedFields {
		t.Run(f.name, func(t *testing.T) {
			c := opening{t, c.o}
			d, _, _ := standard("dave")
			field := f.field(d)
			whole := *field
			try := func(what, classes, changed string) {
				t.Helper()
				*field = `"` + changed + `"`
				c.fails(what, classes, d.String())
			}
			length := map[string]string{"box": "box-length", "dk": "dk", "age": "age"}[f.name]
			step := map[string]int{"box": 1, "dk": 1, "age": 3}[f.name]
			for i := 0; i < len(whole); i += step {
				a, b := whole[:i], whole[i+1:]
				for _, s := range []string{"*", "-", "_", ".", ",", " ", `\n`, `\r`, `\t`, `\0`, `\x7f`, `\xC0`, `\u0410`, "\u00e4", "A A", `\uFEFF`} {
					try(fmt.Sprintf("character %d is %s", i, s), "base64", a+s+b)
				}
				for _, s := range []string{" ", `\n`, `\r`, `\r\n`, `\t`, `\0`, "=", `\n\n\n\n`, "===="} {
					try(fmt.Sprintf("%s inserted at %d", s, i), "base64", a+s+whole[i:])
				}
				for _, s := range []string{"A", "a", "0", "+", "/", "="} {
					if s != whole[i:i+1] {
						try(fmt.Sprintf("character %d is %s", i, s), f.class+" "+length+" base64", a+s+b)
					}
				}
				try(fmt.Sprintf("character %d removed", i), length+" base64", a+b)
				if i > 0 {
					try(fmt.Sprintf("cut to %d characters", i), length+" base64", a)
				}
			}
			for _, s := range []string{" ", `\n`, `\r\n`, "=", "==", "A", "AA", "AAA", "AAAA", "A===", "AA==", "AAA="} {
				try(s+" appended", length+" base64", whole+s)
			}
		})
	}
}

// Every character of every label: what a document says of itself is authenticated.
func TestEveryAlteredLabel(t *testing.T) {
	c := openingBy(t, "dave")
	d, _, k := standard("dave", "erin")
	whole := d.String()
	for i := range k.id {
		other := k.id[:i] + otherThan(k.id[i]) + k.id[i+1:]
		c.fails("reference", "unknown-key", edit(whole, "by: "+k.id, "by: "+other))
		c.fails("wrap", "unknown-key", edit(whole, "    "+k.id+":", "    "+other+":"))
		c.fails("id everywhere", "dk", strings.ReplaceAll(whole, k.id, other))
		upper := k.id[:i] + strings.ToUpper(k.id[i:i+1]) + k.id[i+1:]
		if upper != k.id {
			c.fails("upper case", "schema", strings.ReplaceAll(whole, k.id, upper))
		}
	}
	for _, to := range d.wraps[0].to {
		for i := range to {
			other := to[:i] + otherThan(to[i]) + to[i+1:]
			c.fails("fingerprint", "to-mismatch schema", edit(whole, to, other))
		}
	}
	// Key, namespace and name, each character another one, removed, and twice.
	for _, label := range []struct{ old, field string }{
		{"    API_TOKEN:", "API_TOKEN"}, {"    namespace: prod\n", "prod"}, {"    name: db\n", "db"},
	} {
		unbound := edit(edit(whole, "  name: db\n", "  uid: a\n"), "  namespace: prod\n", "  uid2: a\n") // metadata that names nothing
		for i := range label.field {
			for _, s := range []string{"x", "", label.field[i:i+1] + label.field[i:i+1]} {
				now := strings.Replace(label.old, label.field, label.field[:i]+s+label.field[i+1:], 1)
				c.fails(now, "aead", edit(unbound, label.old, now))
			}
		}
	}
}

// A truncated file never opens in part, but for values that are missing altogether: that a diff shows.
func TestEveryTruncationOfADocument(t *testing.T) {
	c := openingBy(t, "dave")
	d, _, _ := standard("dave")
	for _, text := range []string{d.String(), strings.ReplaceAll(d.String(), "\n", "\r\n")} {
		opened := 0
		for n := range len(text) {
			cut := text[:n]
			if len(parse(t, cut).Items()) == 0 {
				if strings.Contains(cut, "EncryptedSecret\n") {
					t.Fatalf("cut to %d bytes: a sealed document is not seen", n)
				}
				continue
			}
			values, err := openText(t, cut, c.o)
			if err != nil {
				continue
			}
			opened++
			rest := strings.TrimRight(cut, " \r\n")
			if whole := strings.HasSuffix(rest, d.boxes[1].box); !whole && !strings.HasSuffix(rest, d.boxes[0].box) || (len(values) == 2) != whole {
				t.Fatalf("cut to %d bytes it opens to %d values", n, len(values))
			}
			for key, v := range values {
				if standardValues[key] != v {
					t.Fatalf("cut to %d bytes: key %s is another value", n, key)
				}
			}
		}
		if opened == 0 {
			t.Error("no truncation opened: the test looks at nothing")
		}
	}
}

func TestWrapsBetweenIDsAndDocuments(t *testing.T) {
	one, other := sessionFor("one run", "dave"), sessionFor("another run", "dave")
	k1, k2, k3 := dataKeyOf(named("k1")), dataKeyOf(named("k2")), dataKeyOf(named("k3"))
	first := func() *draft { return newDraft().wrap(one, k1).value(k1, "k", canary) }
	sameRun := newDraft().wrap(one, k2).value(k2, "k", "canary-2")
	otherRun := newDraft().wrap(other, k3).value(k3, "k", "canary-3")
	elsewhere := newDraft()
	elsewhere.bindNS, elsewhere.metadata = "dev", "  name: db\n"
	elsewhere.wrap(one, k2).value(k2, "k", "canary-4")
	c := openingBy(t, "dave")
	for _, tt := range []struct {
		name, class string
		from        *draft
		change      func(d, from *draft)
	}{
		{"dk of the same run", "dk", sameRun, func(d, from *draft) { d.wraps[0].dk = from.wraps[0].dk }},
		{"dk of another run", "dk", otherRun, func(d, from *draft) { d.wraps[0].dk = from.wraps[0].dk }},
		{"age of another run", "dk", otherRun, func(d, from *draft) { d.wraps[0].age = from.wraps[0].age }},
		{"age and dk of another run", "dk", otherRun, func(d, from *draft) { d.wraps[0].age, d.wraps[0].dk = from.wraps[0].age, from.wraps[0].dk }},
		{"the wrap of the same run, box kept", "aead", sameRun, func(d, from *draft) { d.wraps[0], d.boxes[0].by = from.wraps[0], from.wraps[0].id }},
		{"the wrap of another run, box kept", "aead", otherRun, func(d, from *draft) { d.wraps[0], d.boxes[0].by = from.wraps[0], from.wraps[0].id }},
		{"the box of the same run, wrap kept", "aead", sameRun, func(d, from *draft) { d.boxes[0].box = from.boxes[0].box }},
		{"box and wrap of another Secret", "aead", elsewhere, func(d, from *draft) { d.wraps, d.boxes = from.wraps, from.boxes }},
		{"two entries exchange age", "dk", otherRun, func(d, from *draft) {
			d.wraps = append(d.wraps, from.wraps[0])
			d.value(k3, "j", "canary")
			d.wraps[0].age, d.wraps[1].age = d.wraps[1].age, d.wraps[0].age
		}},
		{"two entries exchange everything but the id", "dk", sameRun, func(d, from *draft) {
			d.wraps = append(d.wraps, from.wraps[0])
			d.value(k2, "j", "canary")
			d.wraps[0].id, d.wraps[1].id = d.wraps[1].id, d.wraps[0].id
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := first()
			tt.change(d, tt.from)
			opening{t, c.o}.fails(tt.name, tt.class, d.String())
		})
	}
	// What the threat model grants: a value of the same Secret, complete with its data key, can be put back.
	d := first()
	d.wraps, d.boxes = sameRun.wraps, sameRun.boxes
	c.opens("the whole spec of an older version", map[string]string{"k": "canary-2"}, d.String())
}

// A run is all or nothing: in a file of several documents one fault gives out none.
func TestOneFaultInAFileOfSeveral(t *testing.T) {
	good, _, _ := standard("dave")
	tried := 0
	for _, v := range readVectors(t) {
		if v.expect == "success" || v.pad > 0 || v.name == "parse-utf-16" || !slices.Equal(v.identities, []string{"dave"}) {
			continue
		}
		tried++
		bad := v.text()
		if !strings.HasSuffix(bad, "\n") {
			bad += "\n"
		}
		file := good.String() + "---\n" + bad + "---\n" + good.String()
		f := parse(t, file)
		n, err := secret.Decrypt(f, crypt.NewOpener(people("dave")...), nil)
		if err == nil || n != 0 || f.Changed() || string(f.Bytes()) != file {
			t.Errorf("%s: %d documents, %v", v.name, n, err)
			continue
		}
		checkQuiet(t, file, err)
		if got := secret.Class(err); got != v.expect {
			t.Errorf("%s: class %q, want %q", v.name, got, v.expect)
		}
	}
	if tried < 100 {
		t.Errorf("%d vectors tried", tried)
	}
}

// Readers of YAML differ over tabs. Ours takes them where YAML has them, between tokens, and nowhere else.
func TestTabs(t *testing.T) {
	d, _, _ := standard("dave")
	text := d.String()
	c := openingBy(t, "dave")
	for _, e := range [][2]string{
		{"name: db\n", "name:\tdb\n"}, {"name: db\n", "name: db\t\n"}, {"suite: 1\n", "suite: 1\t# one\n"}, {"spec:\n", "spec:\t\n"},
		{"to: [", "to: [\t"}, {"]", "\t]"},
	} {
		c.opens(fmt.Sprintf("%q", e[1]), standardValues, edit(text, e[0], e[1]))
	}
	for _, e := range [][2]string{
		{"  suite", "\tsuite"}, {"  suite", " \tsuite"}, {"  suite", "  \tsuite"}, {"  binding", "\t\tbinding"}, {"    namespace", "\t  namespace"},
		{"kind", "\tkind"},
	} {
		c.fails(fmt.Sprintf("%q", e[1]), "parse", edit(text, e[0], e[1]))
	}
	c.fails("in a name", "schema", edit(text, "    user:", "    \"us\\ter\":"))
	c.fails("in a namespace", "binding", edit(text, "name: db\n", "name: \"db\\t\"\n"))
}

// A duplicate at every level, for every field that is there, whichever of the two comes first.
func TestEveryDuplicate(t *testing.T) {
	d, s, _ := standard("dave")
	d.extra = "  type: Opaque\n  immutable: false\n"
	d.wrap(s, dataKeyOf(named("k2")))
	text := edit(d.String(), "metadata:\n", "metadata:\n  labels:\n    a: b\n  annotations:\n    c: d\n")
	c := openingBy(t, "dave")
	c.opens("without duplicates", standardValues, text)
	lines := strings.SplitAfter(text, "\n")
	tried := 0
	for i, line := range lines {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if strings.TrimSpace(line) == "" {
			continue
		}
		end := i + 1 // of the entry that begins on this line
		for end < len(lines) && strings.HasPrefix(lines[end], strings.Repeat(" ", indent+1)) {
			end++
		}
		entry := strings.Join(lines[i:end], "")
		before, after := strings.Join(lines[:i], ""), strings.Join(lines[end:], "")
		key, _, _ := strings.Cut(strings.TrimLeft(line, " "), ":")
		name := strings.TrimSpace(key)
		blank := strings.Repeat(" ", indent)
		c.fails(name+" twice", "schema", before+entry+entry+after)
		c.fails(name+" and its like in quotes", "schema", before+entry+blank+`"`+name+"\": x\n"+after)
		c.fails("something else and "+name, "schema", before+blank+name+": x\n"+entry+after)
		tried++
	}
	if tried < 30 {
		t.Errorf("%d entries tried", tried)
	}
}

func TestNamesCannotSteerATerminal(t *testing.T) {
	const escape = "\x1b[2J"
	d, _, _ := standard("dave")
	d.boxes[0].box = flip(d.boxes[0].box, 0, 0)
	for _, name := range []string{`"d\e[2Jb"`, `"d\u009b2Jb"`, `"d\nb"`, `"d\u202eb"`} {
		for _, text := range []string{
			edit(d.String(), "name: db\n", "name: "+name+"\n"),
			edit(d.String(), "    name: db\n", "    name: "+name+"\n"),
			strings.ReplaceAll(d.String(), "name: db\n", "name: "+name+"\n"),
		} {
			_, err := openText(t, text, crypt.NewOpener(people("dave")...))
			for line := range strings.SplitSeq(report(err), "\n") {
				if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
					t.Errorf("message %q", line)
				}
			}
		}
		// A name is refused; one that Flux would substitute is sealed, with warnings.
		for _, name := range []string{name, strings.TrimSuffix(name, `"`) + `${b}"`} {
			f := parse(t, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: "+name+"\nstringData:\n  k: v\n")
			r, err := secret.NewWriter().Encrypt(f, secret.EncryptOptions{Target: target(people("dave")...)})
			if variable := strings.Contains(name, "${"); variable != (err == nil) || variable && len(r.Warnings) == 0 {
				t.Fatalf("%s: %v", name, err)
			}
			said := strings.ReplaceAll(report(err), "\n", "")
			for _, w := range r.Warnings {
				said += w.Secret + w.Error() + w.Hint
			}
			if strings.ContainsFunc(said, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%q", said)
			}
		}
	}
	if strings.Contains(secret.Ref(escape, escape), escape) {
		t.Error("quoted as it stands")
	}
}
