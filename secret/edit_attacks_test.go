package secret_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// TestEditNeverLeavesPlaintext: whatever kind an edit makes of a Secret, its values are not written as they are.
func TestEditNeverLeavesPlaintext(t *testing.T) {
	dave := people("dave")
	sealed := seal(t, editable, dave...)
	list := seal(t, "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: db, namespace: prod}\n  stringData: {a: canary-x}\n", dave...)
	for name, c := range map[string]struct {
		text   string
		change func(string) string
	}{
		"ours":         {sealed, replace("apiVersion: v1\nkind: Secret", "apiVersion: ageseal.dev/v1alpha1\nkind: Secret")},
		"sealed":       {sealed, replace("apiVersion: v1\nkind: Secret", "apiVersion: ageseal.dev/v1alpha1\nkind: EncryptedSecret")},
		"SealedSecret": {sealed, replace("apiVersion: v1\nkind: Secret", "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret")},
		"SOPS":         {sealed, replace("data:\n  raw", "sops: {mac: x, version: '3'}\ndata:\n  raw")},
		"SOPS, wholly": {sealed, func(s string) string {
			return s[:strings.Index(s, "stringData")] + "stringData: {a: ENC[canary-one]}\nsops: {mac: x}\n" + s[strings.Index(s, "---"):]
		}},
		"appended": {sealed, func(s string) string {
			return s + "---\napiVersion: ageseal.dev/v1alpha1\nkind: EncryptedSecret\nmetadata: {name: x}\nstringData: {k: canary-x}\n"
		}},
		"in a List":     {list, replace("apiVersion: v1\n  kind: Secret", "apiVersion: ageseal.dev/v1alpha1\n  kind: EncryptedSecret")},
		"misspelt kind": {sealed, replace("kind: Secret", "kind: Secrets")},
	} {
		out, _, err := editText(t, c.text, c.change, dave...)
		if err == nil {
			t.Errorf("%s: written as\n%s", name, out)
		}
	}
}

// TestEditSharing: within one file, too, a value goes to nobody who could not read it (rule 6 for writers).
func TestEditSharing(t *testing.T) {
	alice, both := people("dave"), append(people("dave"), people("erin")...)
	narrow, wide := native("prod", "narrow", map[string]string{"k": "canary-narrow"}), native("prod", "wide", map[string]string{"k": "canary-wide"})
	text := seal(t, narrow, alice...) + "---\n" + seal(t, wide, both...)
	at := func(s string, n int) string { return strings.Split(s, "---\n")[n] }
	for name, change := range map[string]func(string) string{
		"names exchanged": func(s string) string {
			return strings.NewReplacer("name: narrow", "name: wide", "name: wide", "name: narrow").Replace(s)
		},
		"copied":          func(s string) string { return s + "  copy: canary-narrow\n" },
		"a copy appended": func(s string) string { return s + "---\n" + strings.Replace(at(s, 0), "name: narrow", "name: dup", 1) },
		"renamed and moved": func(s string) string {
			return at(s, 1) + "---\n" + strings.Replace(at(s, 0), "name: narrow", "name: n2", 1)
		},
		"renamed":     replace("name: narrow", "name: other"),
		"key renamed": replace("k: canary-narrow", "z: canary-narrow"),
		"moved to the other's": func(s string) string {
			return strings.NewReplacer("canary-narrow", "x", "canary-wide", "canary-narrow").Replace(s)
		},
	} {
		v := view(t, text, alice...)
		out, _, _, err := v.Seal(secret.NewWriter(), []byte(change(string(v.Text()))), editOptions(both...))
		if !errors.Is(err, secret.ErrWiden) {
			t.Errorf("%s: %v\n%s", name, report(err), out)
		}
	}
	// What is new, and what everybody could read, may go on.
	v := view(t, text, alice...)
	if _, _, _, err := v.Seal(secret.NewWriter(), []byte(string(v.Text())+"  copy: canary-wide\n  more: new\n"), editOptions(both...)); err != nil {
		t.Error(report(err))
	}
}

// TestEditClear: no value of the file, old or new, stays in clear in what an edit seals.
func TestEditClear(t *testing.T) {
	dave := people("dave")
	conf := native("prod", "conf", map[string]string{"app.conf": `[db]\n\ncanary-second-part\ncanary-third`})
	text := seal(t, editable, dave...) + "---\n" + seal(t, conf, dave...)
	const other = "a: canary-one\n"
	for name, change := range map[string]func(string) string{
		"commented out, a blank line within": func(s string) string {
			at := strings.Index(s, "  app.conf:")
			lines := strings.Split(strings.TrimSuffix(s[at:], "\n"), "\n")
			for i, line := range lines {
				if line != "" {
					lines[i] = "#" + line
				}
			}
			return s[:at] + strings.Join(lines, "\n") + "\n  other: x\n"
		},
		"what it was, in a comment": func(s string) string {
			return replace("canary-one", "new-value")(replace("# bound", "# bound; before it was canary-one")(s))
		},
		"moved to an annotation": func(s string) string {
			return replace("  labels:\n", "  annotations: {old: canary-one}\n  labels:\n")(replace("  "+other, "")(s))
		},
		"another's, in a label": replace("name: conf\n", "name: conf\n  labels: {x: canary-two}\n"),
		"a line in a comment":   replace("name: conf\n", "name: conf # canary-third\n"),
		"in base64":             replace("name: conf\n", "name: conf\n  annotations: {x: Y2FuYXJ5LW9uZQ==}\n"),
	} {
		out, _, err := editText(t, text, change, dave...)
		if err == nil && strings.Contains(out, "canary") || err != nil && !errors.Is(err, secret.ErrClear) {
			t.Errorf("%s: %v\n%s", name, report(err), out)
		}
	}
	// A document that nobody touched may have what was allowed when it was sealed.
	allowed := parse(t, strings.Replace(native("prod", "shown", map[string]string{"k": "canary-shown"}), "metadata:", "metadata:\n  annotations: {x: canary-shown}", 1))
	if _, err := secret.NewWriter().Encrypt(allowed, secret.EncryptOptions{Target: target(dave...), AllowClear: []string{"k"}}); err != nil {
		t.Fatal(report(err))
	}
	if out, _ := mustEdit(t, string(allowed.Bytes())+"---\n"+text, replace("canary-two", "canary-2"), dave...); !strings.HasPrefix(out, string(allowed.Bytes())) {
		t.Errorf("it was touched:\n%s", out)
	}
}

// TestEditPlaces: documents may change places, whatever their line ends; what comes out can be read.
func TestEditPlaces(t *testing.T) {
	dave := people("dave")
	one, two := seal(t, native("prod", "one", map[string]string{"k": "canary-1"}), dave...), seal(t, native("prod", "two", map[string]string{"k": "canary-2"}), dave...)
	swap := func(s string) string {
		parts := strings.SplitN(strings.TrimPrefix(s, "\ufeff"), "---\n", 2)
		return strings.TrimSuffix(parts[1], "\n") + "\n---\n" + strings.TrimPrefix(parts[0], "\ufeff")
	}
	for name, text := range map[string]string{
		"LF": one + "---\n" + two, "no line end": one + "---\n" + strings.TrimSuffix(two, "\n"), "BOM": "\ufeff" + one + "---\n" + two,
		"CRLF": strings.ReplaceAll(one+"---\n"+two, "\n", "\r\n"),
	} {
		for what, change := range map[string]func(string) string{
			"swapped": swap,
			"one before": func(s string) string {
				return native("prod", "new", map[string]string{"k": "canary-3"}) + "---\n" + strings.TrimPrefix(s, "\ufeff")
			},
			"one behind": func(s string) string {
				return strings.TrimSuffix(s, "\n") + "\n---\n" + native("prod", "new", map[string]string{"k": "canary-3"})
			},
		} {
			out, _ := mustEdit(t, text, change, dave...)
			f := parse(t, out)
			if n, err := secret.Decrypt(f, crypt.NewOpener(dave...), nil); err != nil || n < 2 {
				t.Errorf("%s, %s: %d opened, %v\n%q", name, what, n, report(err), out)
			}
		}
	}
}

// TestEditBeside: Secrets that are another tool's, templates and patches neither stop an edit nor change in it.
func TestEditBeside(t *testing.T) {
	dave := people("dave")
	sealed := seal(t, editable, dave...)
	for name, other := range map[string]string{
		"a SealedSecret with anchors": "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: &n other\n  labels: {app: *n}\nspec: {encryptedData: {a: b}}\n",
		"SOPS with a tag":             "apiVersion: v1\nkind: Secret\nmetadata: {name: x, labels: !!map {}}\ndata: {a: 'ENC[x]'}\nsops: {mac: y}\n",
		"a template":                  "apiVersion: v1\nkind: Secret\nmetadata: {name: '{{ .x }}'}\ndata: {a: b}\n",
		"a patch":                     "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: prod, labels: {x: z}}\n",
		"a sealed patch of a type":    strings.Replace(seal(t, native("prod", "tls", map[string]string{"tls.key": "canary-k"}), dave...), "  suite: 1\n", "  suite: 1\n  type: kubernetes.io/tls\n", 1),
	} {
		text := other + "---\n" + sealed
		out, changes := mustEdit(t, text, replace("canary-two", "canary-2"), dave...)
		if !strings.HasPrefix(out, other+"---\n") || len(changes) != 1 || !slices.Equal(changes[0].Set, []string{"b"}) {
			t.Errorf("%s: %+v\n%s", name, changes, out)
		}
	}
}

// TestEditNames: a binding gets no wider by a line that is gone, and two Secrets of one name can't be made.
func TestEditNames(t *testing.T) {
	dave := people("dave")
	sealed := seal(t, editable, dave...)
	out, _ := mustEdit(t, sealed, replace("  namespace: prod # bound\n", ""), dave...)
	if b := doc(t, out).Spec.Binding; b.Namespace != "prod" {
		t.Errorf("bound to %v", b)
	}
	if _, _, err := editText(t, sealed, func(s string) string { return s + "---\n" + native("prod", "db", map[string]string{"k": "canary-x"}) }, dave...); err == nil {
		t.Error("two of one name")
	}
	two := sealed + "---\n" + seal(t, native("prod", "other", map[string]string{"k": "canary-x"}), dave...)
	f := parse(t, two)
	item, s, err := secret.Select(f, "", "other")
	if err != nil {
		t.Fatal(err)
	}
	all, err := secret.All(f, "", "")
	if err != nil {
		t.Fatal(err)
	}
	o := editOptions(dave...)
	o.Opener = crypt.NewOpener(dave...)
	if _, err := secret.NewWriter().Move(item, s, manifest.Binding{Namespace: "prod", Name: "db"}, all, o); err == nil {
		t.Error("moved onto another")
	}
}

// TestMovePrunes: a data key that nothing needs goes with any write (rule 2 for writers), also where no value is left.
func TestMovePrunes(t *testing.T) {
	dave := people("dave")
	text := seal(t, native("prod", "db", map[string]string{"k": "canary-x"}), dave...)
	text = text[:strings.Index(text, "  data:")] + "  data: {}\n"
	f := parse(t, text)
	item, s, err := secret.Select(f, "", "")
	if err != nil {
		t.Fatal(err)
	}
	o := editOptions(dave...)
	o.Opener = crypt.NewOpener(dave...)
	if _, err := secret.NewWriter().Move(item, s, manifest.Binding{Namespace: "prod", Name: "other"}, nil, o); err != nil {
		t.Fatal(report(err))
	}
	if n := len(doc(t, string(f.Bytes())).Spec.Wraps); n != 0 {
		t.Errorf("%d data keys for no value", n)
	}
}

// TestEditManyDocuments has a size at which anything but a linear pairing would be felt.
func TestEditManyDocuments(t *testing.T) {
	dave := people("dave")
	var text strings.Builder
	for i := range 300 {
		fmt.Fprintf(&text, "---\n%s", native("prod", fmt.Sprint("s", i), map[string]string{"k": fmt.Sprint("canary-", i)}))
	}
	out, changes := mustEdit(t, seal(t, text.String(), dave...), replace("canary-150\n", "canary-changed\n"), dave...)
	if len(changes) != 1 || changes[0].Secret != "prod/s150" || len(parse(t, out).Items()) != 300 {
		t.Errorf("%+v", changes)
	}
}

// TestLabelsAreStrings: Kubernetes takes nothing else.
func TestLabelsAreStrings(t *testing.T) {
	for _, line := range []string{"labels: {v: 1}", "labels: {v: true}", "annotations: {v: 1.5}", "labels: {v: y}"} {
		f := parse(t, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  "+line+"\nstringData: {k: canary-x}\n")
		if _, err := secret.NewWriter().Encrypt(f, secret.EncryptOptions{Target: target(people("dave")...)}); !errors.Is(err, manifest.ErrSchema) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// TestNamelessIsRefused: a sealed document that lost its metadata.name makes no Secret that anything takes.
func TestNamelessIsRefused(t *testing.T) {
	dave := people("dave")
	text := strings.Replace(seal(t, native("prod", "db", map[string]string{"k": "canary-x"}), dave...), "  name: db\n  namespace", "  namespace", 1)
	if _, err := open(t, text, dave...); !errors.Is(err, secret.ErrBinding) {
		t.Errorf("opened: %v", err)
	}
}

// TestKeepCommentsKeepsNoValue: a comment beside a value that is the value stays out, too.
func TestKeepCommentsKeepsNoValue(t *testing.T) {
	f := parse(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: p}\nstringData:\n  # above canary-x-y-z\n  a: canary-x-y-z # canary-x-y-z\n")
	_, err := secret.NewWriter().Encrypt(f, secret.EncryptOptions{Target: target(people("dave")...), KeepComments: true})
	if !errors.Is(err, secret.ErrClear) || strings.Contains(report(err), "canary") {
		t.Errorf("%v\n%s", report(err), f.Bytes())
	}
}
