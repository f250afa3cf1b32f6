package secret_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

const canary = "canary-do-not-print"

func recipients(ids ...*crypt.Identity) []*crypt.Recipient {
	var rs []*crypt.Recipient
	for _, id := range ids {
		rs = append(rs, id.Recipient())
	}
	return rs
}

func target(ids ...*crypt.Identity) secret.Target {
	return secret.Target{Recipients: recipients(ids...)}
}

func parse(t *testing.T, text string) *manifest.File {
	t.Helper()
	f, err := manifest.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// native is a Secret manifest with these values in its data.
func native(namespace, name string, values map[string]string) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Secret\nmetadata:\n  name: " + name + "\n")
	if namespace != "" {
		b.WriteString("  namespace: " + namespace + "\n")
	}
	b.WriteString("stringData:\n")
	for k, v := range values {
		b.WriteString("  " + k + ": \"" + v + "\"\n")
	}
	return b.String()
}

// sealWith seals all Secrets of a text with one writer, as one run does.
func sealWith(t *testing.T, w *secret.Writer, text string, ids ...*crypt.Identity) string {
	t.Helper()
	f := parse(t, text)
	if _, err := w.Encrypt(f, secret.EncryptOptions{Target: target(ids...)}); err != nil {
		t.Fatal(err)
	}
	return string(f.Bytes())
}

func seal(t *testing.T, text string, ids ...*crypt.Identity) string {
	t.Helper()
	return sealWith(t, secret.NewWriter(), text, ids...)
}

// doc reads the one sealed document of a text.
func doc(t *testing.T, text string) *manifest.EncryptedSecret {
	t.Helper()
	_, s, err := secret.Select(parse(t, text), "", "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// open returns the values as strings, or the error, which must not quote the canary.
func open(t *testing.T, text string, ids ...*crypt.Identity) (map[string]string, error) {
	t.Helper()
	items := parse(t, text).Items()
	if len(items) != 1 {
		t.Fatalf("%d items", len(items))
	}
	s, err := secret.Read(items[0])
	if err == nil {
		var values map[string][]byte
		if values, err = secret.Open(s, crypt.NewOpener(ids...), nil); err == nil {
			texts := map[string]string{}
			for k, v := range values {
				texts[k] = string(v)
			}
			return texts, nil
		}
	}
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("the error quotes plaintext: %v", err)
	}
	return nil, err
}

func mustOpen(t *testing.T, text string, want map[string]string, ids ...*crypt.Identity) {
	t.Helper()
	got, err := open(t, text, ids...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func set(t *testing.T, text, key, value string, ids ...*crypt.Identity) string {
	t.Helper()
	f := parse(t, text)
	item, s, err := secret.Select(f, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := secret.NewWriter().Set(item, s, key, []byte(value), secret.SetOptions{Target: target(ids...)}); err != nil {
		t.Fatal(err)
	}
	return string(f.Bytes())
}

func TestEncryptOpens(t *testing.T) {
	values := map[string]string{"a": canary, "b": "", "c": strings.Repeat("x", 5000)}
	sealed := seal(t, native("prod", "db", values), testkeys.Alice(), testkeys.Bob())
	if strings.Contains(sealed, canary) {
		t.Error("plaintext in the sealed document")
	}
	mustOpen(t, sealed, values, testkeys.Alice())
	mustOpen(t, sealed, values, testkeys.Carol(), testkeys.Bob())
	if _, err := open(t, sealed, testkeys.Carol()); !errors.Is(err, crypt.ErrNoIdentity) || secret.IsAuthentication(err) {
		t.Errorf("a stranger got %v", err)
	}
	if seal(t, sealed, testkeys.Carol()) != sealed {
		t.Error("a sealed document was changed")
	}
}

func TestEncryptRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no name", "apiVersion: v1\nkind: Secret\nmetadata: {}\nstringData: {k: " + canary + "}\n", "metadata.name is missing"},
		{"generateName", "apiVersion: v1\nkind: Secret\nmetadata: {generateName: x-}\nstringData: {k: " + canary + "}\n", "generateName"},
		{"too large", native("p", "db", map[string]string{"k": strings.Repeat("canary", 180_000)}), "1048576"},
		{"in a label", "apiVersion: v1\nkind: Secret\nmetadata: {name: db, labels: {l: " + canary + "}}\nstringData: {k: " + canary + "}\n", "clear"},
		{"as base64 in an annotation", "apiVersion: v1\nkind: Secret\nmetadata: {name: db, annotations: {l: Y2FuYXJ5LWRvLW5vdC1wcmludA==}}\nstringData: {k: " + canary + "}\n", "clear"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := parse(t, c.text)
			_, err := secret.NewWriter().Encrypt(f, secret.EncryptOptions{Target: target(testkeys.Alice())})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error quotes plaintext: %v", err)
			}
			if f.Changed() {
				t.Error("the document was changed")
			}
		})
	}
}

func TestEncryptKeepsUnchangedValues(t *testing.T) {
	alice := testkeys.Alice()
	before := seal(t, native("prod", "db", map[string]string{"a": canary, "b": "old"}), alice)
	old := doc(t, before)
	f := parse(t, native("prod", "db", map[string]string{"a": canary, "b": "new"}))
	_, err := secret.NewWriter().Encrypt(f, secret.EncryptOptions{
		Target: target(alice), Opener: crypt.NewOpener(alice),
		Previous: func(namespace, name string) *manifest.EncryptedSecret { return old },
	})
	if err != nil {
		t.Fatal(err)
	}
	now := doc(t, string(f.Bytes()))
	if now.Spec.Data["a"].Box != old.Spec.Data["a"].Box {
		t.Error("the unchanged value was written again")
	}
	if now.Spec.Data["b"].Box == old.Spec.Data["b"].Box || now.Spec.Data["b"].By == old.Spec.Data["b"].By {
		t.Error("the changed value was not written under a fresh data key")
	}
	mustOpen(t, string(f.Bytes()), map[string]string{"a": canary, "b": "new"}, alice)
}

func TestSetTouchesOneValue(t *testing.T) {
	alice := testkeys.Alice()
	before := seal(t, native("prod", "db", map[string]string{"a": canary, "b": "b"}), alice)
	after := set(t, before, "b", "new", alice)
	mustOpen(t, after, map[string]string{"a": canary, "b": "new"}, alice)
	old, now := doc(t, before), doc(t, after)
	if old.Spec.Data["a"].Box != now.Spec.Data["a"].Box || old.Spec.Data["a"].By != now.Spec.Data["a"].By {
		t.Error("another value changed")
	}
	if len(now.Spec.Wraps) != 2 {
		t.Errorf("%d wraps, want 2", len(now.Spec.Wraps))
	}
	// Replacing the last value that a data key serves prunes its wrap.
	again := set(t, set(t, after, "a", "a2", alice), "b", "b2", alice)
	if n := len(doc(t, again).Spec.Wraps); n != 2 {
		t.Errorf("%d wraps after replacing all, want 2", n)
	}
}

func TestSetStopsAtTheLimitOfDataKeys(t *testing.T) {
	alice := testkeys.Dave()
	text := seal(t, native("prod", "db", map[string]string{"k": canary}), alice)
	f := parse(t, text)
	item, s, err := secret.Select(f, "", "")
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < manifest.MaxWraps; i++ {
		if _, err := secret.NewWriter().Set(item, s, "k"+strings.Repeat("x", i), []byte("v"), secret.SetOptions{Target: target(alice)}); err != nil {
			t.Fatalf("value %d: %v", i+1, err)
		}
		f = parse(t, string(f.Bytes()))
		if item, s, err = secret.Select(f, "", ""); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.Spec.Wraps) != manifest.MaxWraps {
		t.Fatalf("%d wraps", len(s.Spec.Wraps))
	}
	_, err = secret.NewWriter().Set(item, s, "one-more", []byte(canary), secret.SetOptions{Target: target(alice)})
	if !errors.Is(err, manifest.ErrLimit) {
		t.Errorf("got %v, want the limit", err)
	}
}

func TestSetStopsAtTheSizeKubernetesTakes(t *testing.T) {
	dave := testkeys.Dave()
	text := seal(t, native("prod", "db", map[string]string{"k": strings.Repeat("c", manifest.MaxTotal)}), dave)
	f := parse(t, text)
	item, s, err := secret.Select(f, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := secret.NewWriter().Set(item, s, "one-more", []byte("v"), secret.SetOptions{Target: target(dave)}); !errors.Is(err, manifest.ErrLimit) || f.Changed() {
		t.Errorf("got %v, changed %v", err, f.Changed())
	}
	if _, err := secret.NewWriter().Set(item, s, "k", []byte("short now"), secret.SetOptions{Target: target(dave)}); err != nil {
		t.Error(err)
	}
}

func TestEncryptEmpty(t *testing.T) {
	for _, text := range []string{
		"apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: prod\ndata: {}\n",
		"{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"Secret\",\n  \"metadata\": {\n    \"name\": \"db\"\n  },\n  \"data\": {}\n}\n",
	} {
		f := parse(t, text)
		if r, err := secret.NewWriter().Encrypt(f, secret.EncryptOptions{Target: target(testkeys.Alice())}); err != nil || len(r.Sealed) > 0 || f.Changed() {
			t.Errorf("not left alone: %v, %v", r, err)
		}
		r, err := secret.NewWriter().Encrypt(f, secret.EncryptOptions{Target: target(testkeys.Alice()), Empty: true})
		if err != nil || len(r.Sealed) != 1 {
			t.Fatalf("not sealed: %v, %v", r, err)
		}
		sealed := string(f.Bytes())
		s := doc(t, sealed)
		if !s.Canonical || len(s.Spec.Wraps) > 0 || len(s.Spec.Data) > 0 {
			t.Errorf("not canonical or not empty:\n%s", sealed)
		}
		mustOpen(t, sealed, map[string]string{})
	}
}
