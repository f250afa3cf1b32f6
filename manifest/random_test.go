package manifest

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
)

// writer makes manifests as people write them: any order, indentation, style, with comments everywhere.
type writer struct {
	*rand.Rand
	b strings.Builder
}

func (w *writer) pick(s ...string) string { return s[w.Intn(len(s))] }

func (w *writer) comments(indent int) {
	for w.Intn(4) == 0 {
		w.b.WriteString(strings.Repeat(" ", indent) + w.pick("# note", "#", "# password: canary-comment", "# key: |", "#   deeper", "# \"quote", "# 'it", "# {a", "") + "\n")
	}
}

func (w *writer) eol() string {
	return w.pick("", "", "", " # eol", "  # a: b", " #", " ", " # \"")
}

// scalar writes a value for a key indented by indent, with its line end.
func (w *writer) scalar(indent int, base64 bool) string {
	in := strings.Repeat(" ", indent+1+w.Intn(4))
	if base64 {
		return w.pick("eA=="+w.eol(), `"eA=="`+w.eol(), "'eA=='"+w.eol(), `""`+w.eol(), "|\n"+in+"eA\n"+in+"==", "|- # c\n"+in+"eA==\n", "YWJj"+w.eol(), "\n"+in+"eA=="+w.eol()) + "\n"
	}
	return w.pick("x"+w.eol(), "a b # c", "http://x:y@z#q"+w.eol(), `"# no \" comment"`+w.eol(), "'it''s # no'"+w.eol(), `"two`+"\n"+in+`lines # no"`+w.eol(), "one\n"+in+"two"+w.eol(),
		"|\n"+in+"# no\n\n"+in+" x: y", "|-\n"+in+"x\n\n\n", ">\n"+in+"a\n"+in+"b\n\n"+in+"c", "|+\n"+in+"x\n\n", "|2\n"+strings.Repeat(" ", indent+2)+"  x", "é\u00a0"+w.eol(), `"\u00e9\n"`+w.eol(), "\n"+in+"below", `{{ "x" }}`[2:3]+"y") + "\n"
}

func (w *writer) values(indent int, base64 bool) {
	if w.Intn(8) == 0 {
		w.b.WriteString(w.pick(" {}", " {a: eA==, \"b\": 'eA=='}", " {a: eA==, # c: d\n"+strings.Repeat(" ", indent+1)+"b: eA== }", "") + w.eol() + "\n")
		return
	}
	w.b.WriteString(w.eol() + "\n")
	in := indent + 1 + w.Intn(4)
	for n := range 1 + w.Intn(3) {
		w.comments(w.Intn(8))
		fmt.Fprintf(&w.b, "%s%s: %s", strings.Repeat(" ", in), w.pick(fmt.Sprint("k", n), fmt.Sprintf(`"k.%d"`, n), fmt.Sprintf("'k_%d'", n)), w.scalar(in, base64))
	}
}

func (w *writer) metadata(indent int) {
	in := strings.Repeat(" ", indent+1+w.Intn(4))
	if w.Intn(6) == 0 {
		w.b.WriteString(w.pick(" {name: db}", ` {"name": "db", uid: x}`, " {name: db, # c\n"+in+"annotations: {kapp.k14s.io/original: '{}', b: c}, labels: {a: b}\n"+in+"}") + w.eol() + "\n")
		return
	}
	w.b.WriteString(w.eol() + "\n")
	entries := []string{"name: db" + w.eol(), w.pick("namespace: prod", "namespace: 'prod'", "# no namespace") + w.eol(), w.pick("creationTimestamp: null", "uid: abc", "generation: 3", "selfLink: \"x # y\"") + w.eol(),
		w.pick("labels: {a: b}", "labels:\n"+in+"  a: b"+w.eol(), "labels:\n"+in+" # c\n"+in+" a: \"b\"", "finalizers:\n"+in+"- x\n"+in+"- y"),
		w.pick("annotations: {}", "annotations:\n"+in+"  kubectl.kubernetes.io/last-applied-configuration: |\n"+in+"    # {}\n"+in+"  # c\n"+in+"  b: c"+w.eol(), "annotations:"+w.eol()+"\n"+in+"   objectset.rio.cattle.io/applied: x", "annotations: {ageseal.dev/x: y, c: \"#\"}"),
		w.pick("managedFields:\n"+in+"- a: b\n"+in+"  c: {d: {}}", "ownerReferences:\n"+in+"  - a: b", "resourceVersion: \"1\"")}
	w.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	for _, e := range entries {
		w.comments(len(in))
		w.b.WriteString(in + e + "\n")
	}
	w.comments(w.Intn(6))
}

func (w *writer) secret(prefix string, indent int) {
	entries := []string{"apiVersion", "kind", "metadata", w.pick("data", "stringData"), "type"}
	if w.Intn(3) == 0 {
		entries = append(entries, "immutable")
	}
	w.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	in := strings.Repeat(" ", indent)
	for n, e := range entries {
		if n > 0 {
			w.comments(indent)
			prefix = in
		}
		w.b.WriteString(prefix + w.pick(e, e, e, `"`+e+`"`) + ":")
		switch e {
		case "apiVersion":
			w.b.WriteString(w.pick(" v1", ` "v1"`, "\n"+in+"  v1") + w.eol() + "\n")
		case "kind":
			w.b.WriteString(w.pick(" Secret", "   'Secret'") + w.eol() + "\n")
		case "type":
			w.b.WriteString(w.pick(" Opaque", ` "x/y"`, " null", "", " >-\n"+in+" x\n"+in+"#") + w.eol() + "\n")
		case "immutable":
			w.b.WriteString(w.pick(" true", " false") + w.eol() + "\n")
		case "metadata":
			w.metadata(indent)
		default:
			w.values(indent, e == "data")
		}
	}
	w.comments(w.Intn(4))
}

func (w *writer) file() string {
	w.b.Reset()
	for n := range 1 + w.Intn(3) {
		if n > 0 || w.Intn(4) == 0 {
			w.b.WriteString(w.pick("---\n", "--- # c\n", "---\n# c\n", "...\n---\n", "---\n---\n"))
		}
		switch w.Intn(4) {
		case 0:
			w.b.WriteString(w.pick("a:   b # Secret\n", "kind: Pod\nx: [ ]\n", "apiVersion: v1\nkind: ConfigMap\ndata: {a:  'Secret'}\n", "# only\n"))
		case 1:
			dash := w.Intn(3)
			in := strings.Repeat(" ", dash)
			w.b.WriteString("apiVersion: v1\nkind: List\nitems:\n")
			for range 1 + w.Intn(3) {
				w.comments(dash)
				gap := 1 + w.Intn(3)
				if w.Intn(4) == 0 {
					w.b.WriteString(in + "- {kind: Pod,  a: b}\n")
					continue
				}
				if w.Intn(4) == 0 {
					w.b.WriteString(in + "-" + w.pick("", " # c", " # password: canary-comment", "\n"+in+" # password: canary-comment") + "\n")
					w.secret(in+strings.Repeat(" ", gap), dash+gap)
					continue
				}
				w.secret(in+"-"+strings.Repeat(" ", gap), dash+1+gap)
			}
		default:
			w.comments(0)
			w.secret("", 0)
		}
	}
	s := w.b.String()
	switch w.Intn(6) {
	case 0:
		s = strings.ReplaceAll(s, "\n", "\r\n")
	case 1:
		s = bom + s
	case 2:
		s = strings.TrimSuffix(s, "\n")
	}
	return s
}

// Many random files: sealed and unsealed each Secret is equal for kubectl, the sealed form is canonical, every other document is as it was,
// and the sealed form survives an edit.
func TestRandom(t *testing.T) {
	w := &writer{Rand: rand.New(rand.NewSource(1))}
	sealed, files := 0, 1000
	for range files {
		src := []byte(w.file())
		checkReaders(t, src)
		n := checkRoundTrip(t, src)
		checkForPeople(t, src)
		sealed += n
		if n == 0 {
			continue
		}
		f := parse(t, src)
		for _, i := range f.Items() {
			if i.Kind != Native {
				continue
			}
			if s, err := i.Native(); err == nil {
				i.Seal(specFor(s))
			}
		}
		g := parse(t, f.Bytes())
		for n, i := range g.Items() {
			if s, err := i.Sealed(); i.Kind == Sealed && err == nil {
				checkSetSpec(t, f.Bytes(), n, s)
				checkUnseal(t, f.Bytes(), n, s)
			}
		}
		if strings.Contains(string(f.Bytes()), "canary") && n == len(f.Items()) && !strings.Contains(string(src), "- {kind: Pod") {
			t.Fatalf("a comment that looks like a value was kept:\n%s\n%s", src, f.Bytes())
		}
	}
	if sealed < files {
		t.Errorf("only %d Secrets in %d files could be sealed", sealed, files)
	}
	t.Logf("%d Secrets", sealed)
}
