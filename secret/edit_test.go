package secret_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

const editable = `# the shop's
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: prod # bound
  labels:
    app: shop
type: Opaque
stringData:
  a: canary-one
  b: canary-two
  multi: |
    canary line
    another
data:
  raw: //79
---
kind: ConfigMap
apiVersion: v1
metadata: {name:   odd}
`

var editableValues = map[string]string{"a": "canary-one", "b": "canary-two", "multi": "canary line\nanother\n", "raw": "\xff\xfe\xfd"}

func view(t testing.TB, text string, ids ...*crypt.Identity) *secret.View {
	t.Helper()
	v, err := secret.NewView([]byte(text), "", "", crypt.NewOpener(ids...))
	if err != nil {
		t.Fatal(report(err))
	}
	return v
}

func editOptions(ids ...*crypt.Identity) secret.EditOptions {
	return secret.EditOptions{EncryptOptions: secret.EncryptOptions{Target: target(ids...)}}
}

// editText makes a change to what is shown of a sealed text.
func editText(t *testing.T, text string, change func(shown string) string, ids ...*crypt.Identity) (string, []secret.Edited, error) {
	t.Helper()
	v := view(t, text, ids...)
	edited := change(string(v.Text()))
	out, changes, _, err := v.Seal(secret.NewWriter(), []byte(edited), editOptions(ids...))
	if err != nil && (out != nil || changes != nil) {
		t.Errorf("something came out beside %v", report(err))
	}
	return string(out), changes, err
}

func mustEdit(t *testing.T, text string, change func(shown string) string, ids ...*crypt.Identity) (string, []secret.Edited) {
	t.Helper()
	out, changes, err := editText(t, text, change, ids...)
	if err != nil {
		t.Fatal(report(err))
	}
	return out, changes
}

func replace(old, now string) func(string) string {
	return func(shown string) string {
		if !strings.Contains(shown, old) {
			panic("not shown: " + old)
		}
		return strings.ReplaceAll(shown, old, now)
	}
}

func TestEdit(t *testing.T) {
	dave := people("dave")
	sealed := strings.Replace(seal(t, editable, dave...), "    b:\n", "    # rotate it in spring\n    b: # or in autumn\n", 1)
	with := func(changes map[string]string, without ...string) map[string]string {
		m := maps.Clone(editableValues)
		maps.Copy(m, changes)
		maps.DeleteFunc(m, func(k, _ string) bool { return slices.Contains(without, k) })
		return m
	}
	for _, test := range []struct {
		name   string
		change func(string) string
		want   map[string]string
		edited secret.Edited
		lines  int // that may differ from what was, removed and added
	}{
		{"one value", replace("canary-two", "canary-new"), with(map[string]string{"b": "canary-new"}), secret.Edited{Set: []string{"b"}}, 8},
		{"a line more", replace("    another\n", "    another\n    third\n"), with(map[string]string{"multi": "canary line\nanother\nthird\n"}), secret.Edited{Set: []string{"multi"}}, 8},
		{"bytes", replace("//79", "//78"), with(map[string]string{"raw": "\xff\xfe\xfc"}), secret.Edited{Set: []string{"raw"}}, 8},
		{"a key more", replace("  a: canary-one\n", "  a: canary-one\n  new: canary-new\n"), with(map[string]string{"new": "canary-new"}), secret.Edited{Set: []string{"new"}}, 7},
		{"a key less", replace("  a: canary-one\n", ""), with(nil, "a"), secret.Edited{Removed: []string{"a"}}, 3},
		{"a key renamed", replace("  a: canary", "  z: canary"), with(map[string]string{"z": "canary-one"}, "a"), secret.Edited{Set: []string{"z"}, Removed: []string{"a"}}, 10},
		{"a label", replace("app: shop", "app: store"), editableValues, secret.Edited{Other: true}, 2},
		{"a label and a value", func(s string) string { return replace("canary-one", "canary-1")(replace("app: shop", "app: store")(s)) },
			with(map[string]string{"a": "canary-1"}), secret.Edited{Set: []string{"a"}, Other: true}, 10},
		{"a comment", replace("# the shop's\n", "# the shop's, and the team's\n"), editableValues, secret.Edited{Other: true}, 2},
		{"immutable", replace("type: Opaque\n", "type: Opaque\nimmutable: true\n"), editableValues, secret.Edited{Other: true}, 1},
		{"text as data", replace("  b: canary-two", "  b: \"\\xff\""), with(map[string]string{"b": "\u00ff"}), secret.Edited{Set: []string{"b"}}, 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, changes := mustEdit(t, sealed, test.change, dave...)
			mustOpen(t, out, test.want, dave...)
			test.edited.Secret, test.edited.Was = "prod/db", "prod/db"
			if diff := cmp.Diff([]secret.Edited{test.edited}, changes); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			was, is := strings.SplitAfter(sealed, "\n"), strings.SplitAfter(out, "\n")
			if n := len(was) + len(is) - 2*commonLines(was, is); n > test.lines {
				t.Errorf("%d lines differ, %d at most:\n%s\n%s", n, test.lines, sealed, out)
			}
			for _, kept := range []string{"    # rotate it in spring\n    b: # or in autumn\n", "# bound\n", "kind: ConfigMap\napiVersion: v1\nmetadata: {name:   odd}\n"} {
				if !strings.Contains(out, kept) {
					t.Errorf("lost: %s\n%s", kept, out)
				}
			}
			if strings.Contains(out, "canary") {
				t.Errorf("plaintext:\n%s", out)
			}
			old, now := doc(t, sealed), doc(t, out)
			for key, box := range old.Spec.Data {
				if is, ok := now.Spec.Data[key]; ok && !slices.Contains(test.edited.Set, key) && (is.Box != box.Box || is.By != box.By) {
					t.Errorf("key %s was written again", key)
				}
			}
		})
	}
}

// TestEditWithoutChange: what was looked at and saved again is what it was, line ends and all.
func TestEditWithoutChange(t *testing.T) {
	dave := people("dave")
	sealed := seal(t, editable, dave...)
	for name, text := range map[string]string{
		"canonical":     sealed,
		"not canonical": strings.Replace(sealed, "  suite: 1\n", "  # first\n\n  \"suite\":   1\n", 1),
		"CRLF":          strings.ReplaceAll(sealed, "\n", "\r\n"),
		"no line end":   strings.TrimSuffix(seal(t, strings.SplitAfter(editable, "---\n")[0][:len(strings.SplitAfter(editable, "---\n")[0])-4], dave...), "\n"),
		"in a List":     seal(t, "apiVersion: v1\nkind: List\nitems:\n# one\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: db, namespace: prod}\n  stringData: {a: canary-x}\n- kind: Pod\n", dave...),
		"JSON":          seal(t, `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db","namespace":"prod"},"stringData":{"a":"canary\nx\n"}}`, dave...),
		"no values":     strings.Replace(sealed[:strings.Index(sealed, "  wraps:")], "# bound", "", 1) + "  wraps: {}\n  data: {}\n",
	} {
		out, changes := mustEdit(t, text, func(s string) string { return s }, dave...)
		if out != text || changes != nil {
			t.Errorf("%s: %v\n%q\n%q", name, changes, text, out)
		}
		// Not touched either where another document is.
		two := text + "\n---\n" + strings.ReplaceAll(seal(t, native("prod", "other", map[string]string{"k": "canary-other"}), dave...), "\r", "")
		if strings.Contains(text, `"items"`) || name == "JSON" {
			continue
		}
		out, _ = mustEdit(t, two, replace("canary-other", "canary-changed"), dave...)
		if !strings.HasPrefix(out, text) {
			t.Errorf("%s: the other document was touched\n%q\n%q", name, text, out)
		}
	}
}

func TestEditDocuments(t *testing.T) {
	dave := people("dave")
	one, two := native("prod", "one", map[string]string{"k": "canary-1"}), native("prod", "two", map[string]string{"k": "canary-2"})
	sealed := seal(t, one, dave...) + "---\n" + seal(t, two, dave...)
	at := func(text string, n int) string { return strings.Split(text, "---\n")[n] }

	// Renamed: bound anew, every value encrypted again; the other stays.
	out, changes := mustEdit(t, sealed, replace("name: one", "name: renamed"), dave...)
	if at(out, 1) != at(sealed, 1) || len(changes) != 1 || !changes[0].Bound || changes[0].Was != "prod/one" || changes[0].Secret != "prod/renamed" {
		t.Errorf("%+v\n%s", changes, out)
	}
	mustOpen(t, at(out, 0), map[string]string{"k": "canary-1"}, dave...)
	if b := doc(t, at(out, 0)).Spec.Binding; b != (manifest.Binding{Namespace: "prod", Name: "renamed"}) {
		t.Errorf("bound to %v", b)
	}

	// Both change places: each keeps its own.
	out, changes = mustEdit(t, sealed, func(s string) string { return at(s, 1) + "---\n" + at(s, 0) }, dave...)
	if out != at(sealed, 1)+"---\n"+at(sealed, 0) || len(changes) > 0 {
		t.Errorf("%+v\n%s", changes, out)
	}

	// One is removed, one added.
	out, changes = mustEdit(t, sealed, func(s string) string {
		return at(s, 1) + "---\n" + native("prod", "three", map[string]string{"k": "canary-3"})
	}, dave...)
	if at(out, 0) != at(sealed, 1) {
		t.Errorf("the one that stays was touched:\n%s", out)
	}
	mustOpen(t, at(out, 1), map[string]string{"k": "canary-3"}, dave...)
	want := []secret.Edited{{Secret: "prod/three", Set: []string{"k"}}, {Was: "prod/one"}}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// Picked by name, the other is not shown, nor opened.
	alien := seal(t, one, people("erin")...) + "---\n" + seal(t, two, dave...)
	v, err := secret.NewView([]byte(alien), "", "two", crypt.NewOpener(dave...))
	if err != nil {
		t.Fatal(report(err))
	}
	if at(string(v.Text()), 0) != at(alien, 0) {
		t.Errorf("shown:\n%s", v.Text())
	}
	if _, err := secret.NewView([]byte(alien), "", "", crypt.NewOpener(dave...)); !errors.Is(err, crypt.ErrNoIdentity) {
		t.Errorf("opened: %v", err)
	}
}

func TestEditRefuses(t *testing.T) {
	dave := people("dave")
	sealed := seal(t, editable, dave...)
	for name, test := range map[string]struct {
		change func(string) string
		says   string
	}{
		"another kind":         {replace("kind: Secret", "kind: ConfigMap"), "a document that is no Secret"},
		"another apiVersion":   {replace("apiVersion: v1\nkind: Secret", "apiVersion: v2\nkind: Secret"), "a document that is no Secret"},
		"the other document":   {replace("name:   odd", "name: even"), "a document that is no Secret"},
		"a value in a label":   {replace("app: shop", "app: canary-one"), "also stands in clear"},
		"a value in a comment": {replace("# bound", "# was canary-two"), "also stands in clear"},
		"half a document":      {func(s string) string { return s[:strings.Index(s, "  multi")] + "  \"" }, ""},
		"a number":             {replace("canary-one", "5432"), "not a string"},
		"a duplicate":          {replace("  b:", "  a: canary-x\n  b:"), "occurs twice"},
		"another type":         {replace("Opaque", "kubernetes.io/tls"), "its type changes"},
		"a name that is none":  {replace("name: db", "name: D_B"), "DNS-1123"},
		"no name":              {replace("  name: db\n", ""), "metadata.name is missing"},
		"a key that is none":   {replace("  a:", "  a/b:"), "does not allow"},
		"a template":           {replace("name: db", "name: '{{ .Release.Name }}'"), "a document that is no Secret"},
		"a conflict":           {replace("  a: canary-one\n", "<<<<<<< ours\n  a: canary-one\n=======\n>>>>>>> theirs\n"), "merge conflict"},
		"the Secret in another": {func(s string) string {
			return "kind: Wrapper\napiVersion: x/v1\nspec:\n" + indent(s[:strings.Index(s, "---")])
		}, "a document that is no Secret"},
		"plaintext in a comment": {replace("kind: ConfigMap", "# canary-one\nkind: ConfigMap"), "a document that is no Secret"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _, err := editText(t, sealed, test.change, dave...)
			if err == nil {
				t.Fatalf("sealed as\n%s", out)
			}
			said := report(err)
			if !strings.Contains(said, test.says) || strings.Contains(said, "canary") {
				t.Errorf("says %s", said)
			}
		})
	}
	if _, err := secret.NewView([]byte(editable), "", "", crypt.NewOpener(dave...)); err == nil || !strings.Contains(err.Error(), "not encrypted yet") {
		t.Errorf("a native Secret: %v", err)
	}
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
}

// TestCommentedOut: a value that is commented out in the editor does not stay behind in clear; a comment that was there does, whatever it
// looks like.
func TestCommentedOut(t *testing.T) {
	dave := people("dave")
	sealed := strings.Replace(seal(t, editable, dave...), "    b:\n", "    # owner: team-db\n    b:\n", 1)
	v := view(t, sealed, dave...)
	edited := strings.Replace(string(v.Text()), "  a: canary", "  # a: canary", 1)
	out, _, r, err := v.Seal(secret.NewWriter(), []byte(edited), editOptions(dave...))
	if err != nil {
		t.Fatal(report(err))
	}
	if strings.Contains(string(out), "canary") || !strings.Contains(string(out), "# owner: team-db") || len(r.Warnings) != 1 {
		t.Errorf("%v\n%s", r.Warnings, out)
	}
}

// TestMove binds a Secret to another namespace and name, and nothing opens under the old ones.
func TestMove(t *testing.T) {
	dave := people("dave")
	sealed := seal(t, editable, dave...)
	move := func(text, namespace, name string, o secret.EditOptions) (string, error) {
		f := parse(t, text)
		item, s, err := secret.Select(f, "", "")
		if err != nil {
			t.Fatal(err)
		}
		o.Opener = crypt.NewOpener(dave...)
		_, err = secret.NewWriter().Move(item, s, manifest.Binding{Namespace: namespace, Name: name}, nil, o)
		if err != nil && f.Changed() {
			t.Error("changed beside an error")
		}
		return string(f.Bytes()), err
	}
	out, err := move(sealed, "staging", "postgres", editOptions(dave...))
	if err != nil {
		t.Fatal(report(err))
	}
	mustOpen(t, out, editableValues, dave...)
	if s := doc(t, out); s.Name != "postgres" || s.Namespace != "staging" || s.Spec.Binding != (manifest.Binding{Namespace: "staging", Name: "postgres"}) {
		t.Errorf("%+v", s)
	}
	for _, kept := range []string{"# the shop's\n", "  namespace: staging # bound\n"} {
		if !strings.Contains(out, kept) {
			t.Errorf("lost %s\n%s", kept, out)
		}
	}
	if _, err := open(t, strings.ReplaceAll(strings.ReplaceAll(out, "postgres", "db"), "staging", "prod"), dave...); !errors.Is(err, crypt.ErrAEAD) {
		t.Errorf("opens under the old name: %v", err)
	}
	for name, c := range map[string]struct{ namespace, name string }{"same": {"prod", "db"}, "no name": {"prod", "D_B"}, "no namespace": {"a.b", "db"}} {
		if _, err := move(sealed, c.namespace, c.name, editOptions(dave...)); err == nil {
			t.Errorf("%s: moved", name)
		}
	}
	if out, err = move(sealed, "", "db", editOptions(dave...)); err != nil {
		t.Fatal(report(err))
	}
	mustOpen(t, out, editableValues, dave...)
	if s := doc(t, out); s.Namespace != "prod" || s.Spec.Binding != (manifest.Binding{Name: "db"}) {
		t.Errorf("bound to any namespace: %+v", s)
	}
	wider := editOptions(append(people("dave"), people("erin")...)...)
	if _, err := move(sealed, "prod", "other", wider); !errors.Is(err, secret.ErrWiden) {
		t.Errorf("opened up to erin: %v", err)
	}
	wider.Resolved = func(to []string) bool { return slices.Equal(to, crypt.Fingerprints(recipients(dave...))) }
	if out, err = move(sealed, "prod", "other", wider); err != nil {
		t.Fatal(report(err))
	}
	mustOpen(t, out, editableValues, people("erin")...)
}

// TestBreakglassAfterWrites holds every write that needs no private key to what it may touch, over random runs of them, and has the
// independent decryptor open what they leave.
func TestBreakglassAfterWrites(t *testing.T) {
	dave := people("dave")
	random := rand.New(rand.NewPCG(1, 2))
	b := &breakglass{}
	for run := range 20 {
		values := map[string]string{}
		for i := range 1 + random.IntN(5) {
			values[fmt.Sprint("k", i)] = fmt.Sprintf("canary-%d-%d", run, i)
		}
		text := "# kept\n" + strings.Replace(seal(t, native("prod", "db", values), dave...), "spec:\n", "spec: # kept, too\n", 1)
		for step := range 6 {
			before := doc(t, text)
			f := parse(t, text)
			item, s, err := secret.Select(f, "", "")
			if err != nil {
				t.Fatal(err)
			}
			key := fmt.Sprint("k", random.IntN(7))
			_, there := values[key]
			if there && random.IntN(3) == 0 {
				if err := secret.Unset(item, s, false, key); err != nil {
					t.Fatal(report(err))
				}
				delete(values, key)
			} else {
				values[key] = fmt.Sprintf("canary-%d-%d-%s", run, step, key)
				if _, err := secret.NewWriter().Set(item, s, key, []byte(values[key]), secret.SetOptions{Target: target(dave...)}); err != nil {
					t.Fatal(report(err))
				}
			}
			was := text
			text = string(f.Bytes())
			now := doc(t, text)
			for k, box := range before.Spec.Data {
				if is, ok := now.Spec.Data[k]; ok && k != key && (is.Box != box.Box || is.By != box.By) {
					t.Fatalf("key %s was touched by a write of %s", k, key)
				}
			}
			fresh := 0
			for id, w := range now.Spec.Wraps {
				old, ok := before.Spec.Wraps[id]
				switch {
				case !ok:
					fresh++
				case old.Age != w.Age || old.DK != w.DK:
					t.Fatalf("data key %s was wrapped again", id)
				}
				if !slices.ContainsFunc(slices.Collect(maps.Values(now.Spec.Data)), func(b manifest.Box) bool { return b.By == id }) {
					t.Fatalf("data key %s is needed by nothing", id)
				}
			}
			if want := len(values); len(now.Spec.Data) != want || fresh > 1 {
				t.Fatalf("%d values, want %d; %d data keys more", len(now.Spec.Data), want, fresh)
			}
			if strings.Count(text, "# kept") != 2 || len(values) > 0 && !strings.HasPrefix(text, was[:strings.Index(was, "  wraps:")]) {
				t.Fatalf("more than wraps and data changed:\n%s\n%s", was, text)
			}
			mustOpen(t, text, values, dave...)
		}
		b.add(fmt.Sprint("run ", run), text, values)
	}
	b.run(t, "dave")
}

// FuzzEdit holds that whatever an editor leaves becomes an error, or a file without any native Secret in it.
func FuzzEdit(f *testing.F) {
	dave := people("dave")
	src := mutated(f).document
	f.Fuzz(func(t *testing.T, at1, n1 uint16, put1 string, at2, n2 uint16, put2 string) {
		if len(put1)+len(put2) > 4096 {
			return
		}
		v := view(t, src, dave...)
		edited := splice(splice(string(v.Text()), at1, n1, put1), at2, n2, put2)
		out, changes, _, err := v.Seal(secret.NewWriter(), []byte(edited), editOptions(dave...))
		if err != nil {
			if said := reasons(err); strings.Contains(said, "canary") {
				t.Errorf("the message quotes plaintext: %s", said)
			}
			if out != nil {
				t.Errorf("something came out beside %v", report(err))
			}
			return
		}
		if edited == string(v.Text()) && (len(changes) > 0 || string(out) != src) {
			t.Errorf("without an edit: %v\n%s", changes, out)
		}
		g, err := manifest.Parse(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range g.Items() {
			if item.Kind == manifest.Native {
				if n, err := item.Native(); err != nil || len(n.Values) > 0 {
					t.Errorf("a native Secret was left:\n%s", out)
				}
				continue
			}
			s, err := secret.Read(item)
			if err != nil {
				t.Errorf("sealed, and can't be read: %v\n%s", report(err), out)
				continue
			}
			if _, err := secret.Open(s, crypt.NewOpener(dave...), nil); err != nil && !errors.Is(err, secret.ErrType) {
				t.Errorf("sealed, and does not open: %v\n%s", report(err), out)
			}
		}
	})
}

// reasons are the texts of all faults, without the names and keys: those are in clear, and an edit may make a value one.
func reasons(err error) string {
	var fault *secret.Error
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []string
		for _, e := range joined.Unwrap() {
			all = append(all, reasons(e))
		}
		return strings.Join(all, "\n")
	}
	if errors.As(err, &fault) {
		return fault.Err.Error()
	}
	return err.Error()
}
