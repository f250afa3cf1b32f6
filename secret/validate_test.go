package secret_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/corpora"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// encrypt runs the whole of Encrypt over a text and checks that a refusal changes nothing.
func encrypt(t *testing.T, text string, o secret.EncryptOptions) (*manifest.File, *secret.Report, error) {
	t.Helper()
	f := parse(t, text)
	if o.Recipients == nil {
		o.Target = target(people("dave")...)
	}
	r, err := secret.NewWriter().Encrypt(f, o)
	if err != nil && f.Changed() {
		t.Errorf("changed beside %v", err)
	}
	if said := report(err); strings.Contains(said, "canary") || strings.Contains(said, "Y2FuYXJ5") {
		t.Errorf("the message quotes plaintext: %s", said)
	}
	return f, r, err
}

// What the API server's own tests refuse is refused, and what they let pass is sealed.
func TestValidation(t *testing.T) {
	keys := map[string]string{ // that a message has to name
		"missing dockercfg": ".dockercfg", "empty dockercfg": ".dockercfg", "invalid dockercfg": ".dockercfg",
		"missing config.json": ".dockerconfigjson", "empty config.json": ".dockerconfigjson", "invalid config.json": ".dockerconfigjson",
		"dockerconfigjson JSON array": ".dockerconfigjson", "missing username and password": "username or password",
		"missing private key": "ssh-privatekey", "ssh-auth empty value": "ssh-privatekey",
		"tls missing key": "tls.key", "tls missing crt": "tls.crt",
		"empty name": "metadata.name", "invalid name": "metadata.name", "invalid namespace": "metadata.namespace",
		"empty service-account-token annotation":    "kubernetes.io/service-account.name",
		"missing service-account-token annotation":  "kubernetes.io/service-account.name",
		"missing service-account-token annotations": "kubernetes.io/service-account.name",
		"over max size": "1048577",
		// Keys that are none are not quoted: they may be a value that went astray.
		"invalid key": "a key that", "dot key": "a key that", "double dot key": "a key that", "key of 254": "a key that", "key starting with ..": "a key that",
	}
	create, _ := corpora.ValidationCases(t)
	if len(create) != 43 {
		t.Errorf("%d cases, want 43", len(create))
	}
	refused := 0
	for _, c := range create {
		t.Run(c.Name, func(t *testing.T) {
			o := secret.EncryptOptions{Target: target(people("dave")...)}
			if c.Name == "valid basic-auth" { // whose values are also the names of its keys, which is our rule, not the API server's
				o.AllowClear = []string{"username", "password"}
			}
			f, _, err := encrypt(t, corpora.ObjectText(t, c.Secret), o)
			if c.Valid || c.Name == "empty namespace" { // which an API server gives it
				if data, _ := c.Secret["data"].(map[string]any); err != nil || f.Changed() != (len(data) > 0) {
					t.Errorf("changed %v, %v", f.Changed(), report(err))
				}
				return
			}
			refused++
			if want := keys[c.Name]; err == nil || want == "" || !strings.Contains(report(err), want) {
				t.Errorf("got %v, want %q named", report(err), want)
			}
		})
	}
	if refused != len(keys) {
		t.Errorf("%d refused, want %d", refused, len(keys))
	}
}

func TestValidationOfUpdates(t *testing.T) {
	_, update := corpora.ValidationCases(t)
	if len(update) != 8 {
		t.Errorf("%d cases, want 8", len(update))
	}
	keys := map[string]string{"add data in immutable secret": "data-2", "change data in immutable secret": "data-1"}
	dave := people("dave")
	for _, c := range update {
		t.Run(c.Name, func(t *testing.T) {
			old := doc(t, seal(t, corpora.ObjectText(t, c.Old), dave...))
			o := secret.EncryptOptions{
				Target: target(dave...), Opener: crypt.NewOpener(dave...),
				Previous: func(_, _ string) *manifest.EncryptedSecret { return old },
			}
			_, _, err := encrypt(t, corpora.ObjectText(t, c.New), o)
			if c.Valid != (err == nil) || err != nil && !errors.Is(err, secret.ErrRefused) {
				t.Fatalf("got %v", report(err))
			}
			if err == nil {
				return
			}
			if said := report(err); !strings.Contains(said, ": "+keys[c.Name]+": ") || !strings.Contains(said, "--recreate") {
				t.Errorf("got %s", said)
			}
			o.Recreate = true
			if _, _, err := encrypt(t, corpora.ObjectText(t, c.New), o); err != nil {
				t.Errorf("recreated: %v", report(err))
			}
		})
	}
}

const head = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: prod\n"

func TestEncryptRefusesWhatKubernetesWould(t *testing.T) {
	const value = "stringData:\n  k: canary\n"
	named := func(namespace, name string) string {
		return "apiVersion: v1\nkind: Secret\nmetadata:\n  name: " + name + "\n  namespace: " + namespace + "\n" + value
	}
	long := strings.Repeat("a", 64)
	for _, c := range []struct{ name, text, want string }{ // want: what a command prints of it, "" for nothing
		{"upper case", named("Prod", "DB"), "line 1: Prod/DB: : refused by Kubernetes: metadata.name is no DNS-1123 subdomain (at most 253 of a-z, 0-9, - and ., the first and the last of each part no -) ()\n" +
			"line 1: Prod/DB: : refused by Kubernetes: metadata.namespace is no DNS-1123 label (at most 63 of a-z, 0-9 and -, the first and the last no -) ()\n"},
		{"a namespace with a dot", named("a.b", "c.d"), "metadata.namespace"},
		{"a namespace of 63", named(long[:63], "db"), ""},
		{"a namespace of 64", named(long, "db"), "metadata.namespace"},
		{"a name of 253", named("prod", strings.Repeat("a", 253)), ""},
		{"a name of 254", named("prod", strings.Repeat("a", 254)), "metadata.name is no"},
		{"a name that ends with a dot", named("prod", "db."), "metadata.name is no"},
		{"variables of Flux", named("${TENANT}", "db-${REGION:=EU}"), ""},

		{"labels", head + "  labels:\n    ok: v\n    a.b/C_d: ''\n    x y: canary\n    /n: v\n    A/n: v\n    long: " + long + "\n    end: v-\n    v: ${V}\n" + value,
			"line 1: prod/db: : refused by Kubernetes: the key of a label /n is no qualified name ([DNS-1123 subdomain/]name: at most 63 letters, digits, - _ and ., the first and the last a letter or a digit)\n" +
				"line 1: prod/db: : refused by Kubernetes: the key of a label A/n is no qualified name ([DNS-1123 subdomain/]name: at most 63 letters, digits, - _ and ., the first and the last a letter or a digit)\n" +
				"line 1: prod/db: : refused by Kubernetes: the value of the label end has to be empty or at most 63 letters, digits, - _ and ., the first and the last a letter or a digit ()\n" +
				"line 1: prod/db: : refused by Kubernetes: the value of the label long has to be empty or at most 63 letters, digits, - _ and ., the first and the last a letter or a digit ()\n" +
				"line 1: prod/db: : refused by Kubernetes: the key of a label is no qualified name ([DNS-1123 subdomain/]name: at most 63 letters, digits, - _ and ., the first and the last a letter or a digit)\n"},
		{"annotations", head + "  annotations: {A.b/C: any thing, a/b/c: v}\n" + value, "the key of an annotation a/b/c"},
		{"annotations of 256 KiB", head + "  annotations: {abcd: " + strings.Repeat("x", 256<<10-4) + "}\n" + value, ""},
		{"annotations over 256 KiB", head + "  annotations: {abcd: " + strings.Repeat("x", 256<<10-3) + "}\n" + value, "the annotations add up to 262145 bytes"},

		{"two keys of a type", head + "type: kubernetes.io/tls\n" + value,
			"line 1: prod/db: tls.crt: refused by Kubernetes: type kubernetes.io/tls needs this key (add it; a patch leaves type out)\n" +
				"line 1: prod/db: tls.key: refused by Kubernetes: type kubernetes.io/tls needs this key (add it; a patch leaves type out)\n"},
		{"a patch of one of them", head + "stringData:\n  tls.crt: canary\n", ""},
		{"either key", head + "type: kubernetes.io/basic-auth\n" + value, "line 1: prod/db: : refused by Kubernetes: type kubernetes.io/basic-auth needs the key username or password (add it; a patch leaves type out)\n"},
		{"base64 twice", head + "type: kubernetes.io/dockerconfigjson\nstringData:\n  .dockerconfigjson: eyJhdXRocyI6e319\n",
			"line 8: prod/db: .dockerconfigjson: refused by Kubernetes: type kubernetes.io/dockerconfigjson wants a JSON object here (it is base64 of text: under data it is encoded twice, under stringData once too often)\n"},
		{"JSON of a string", head + "type: kubernetes.io/dockercfg\nstringData:\n  .dockercfg: '\"canary\"'\n", "wants a JSON object"},
		{"an empty private key", head + "type: kubernetes.io/ssh-auth\nstringData:\n  ssh-privatekey: ''\n", "line 8: prod/db: ssh-privatekey: refused by Kubernetes: type kubernetes.io/ssh-auth wants a value that is not empty here ()\n"},
		{"a token without an account", head + "type: kubernetes.io/service-account-token\n" + value, "the annotation kubernetes.io/service-account.name"},
		{"an empty type", head + "type: ''\n" + value, ""},

		{"metadata only", head + "type: kubernetes.io/tls\n", ""},
		{"null data", head + "type: kubernetes.io/tls\ndata:\n", ""},
		{"empty data", head + "type: kubernetes.io/tls\ndata: {}\n", "tls.crt"},
		{"empty stringData", head + "type: kubernetes.io/ssh-auth\nstringData: {}\n", "ssh-privatekey"},
		{"empty data of any type", head + "data: {}\n", ""},
		{"everything at once", strings.ReplaceAll(head, "db", "DB") + "  labels: {x y: z, canary-label: v}\ntype: kubernetes.io/tls\nstringData:\n  tls.crt: canary-label\n",
			"metadata.name is no|the key of a label is|tls.key: refused by Kubernetes|also stands in clear"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := encrypt(t, c.text, secret.EncryptOptions{})
			said := report(err)
			switch {
			case c.want == "":
				if err != nil {
					t.Errorf("got %s", said)
				}
				return
			case strings.HasPrefix(c.want, "line "):
				if diff := cmp.Diff(c.want, said); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
			for _, want := range strings.Split(c.want, "|") {
				if !strings.Contains(said, want) {
					t.Errorf("got %s\nwant %s", said, want)
				}
			}
		})
	}

	text := "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n" + value
	for namespace, ok := range map[string]bool{"prod": true, "Prod": false, "${TENANT}": true} {
		o := secret.EncryptOptions{Target: target(people("dave")...)}
		o.Namespace = namespace
		if _, _, err := encrypt(t, text, o); ok != (err == nil) {
			t.Errorf("namespace %s of the rule: %v", namespace, err)
		}
	}
}

// An update is judged without a key as far as it goes, and what can't be told is said.
func TestUpdateWithoutIdentity(t *testing.T) {
	dave := people("dave")
	before := head + "immutable: true\nstringData:\n  a: canary\n  b: canary-b\n"
	old := doc(t, seal(t, before, dave...))
	o := secret.EncryptOptions{Previous: func(_, _ string) *manifest.EncryptedSecret { return old }}
	said := func(r *secret.Report) (all string) {
		for _, w := range r.Warnings {
			all += report(&w)
		}
		return all
	}

	_, r, err := encrypt(t, strings.Replace(before, "canary-b", "canary-c", 1), o)
	if err != nil || !strings.Contains(said(r), "immutable") {
		t.Errorf("a value changes: %v, %s", err, said(r))
	}
	_, _, err = encrypt(t, strings.Replace(before, "  b:", "  c:", 1), o)
	want := "line 1: prod/db: b: refused by Kubernetes: the key is gone, and the Secret is immutable (if the Secret in the cluster will be deleted and made again: --recreate; else give it another name)\n" +
		"line 9: prod/db: c: refused by Kubernetes: the key is new, and the Secret is immutable (if the Secret in the cluster will be deleted and made again: --recreate; else give it another name)\n"
	if diff := cmp.Diff(want, report(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, _, err = encrypt(t, head+"immutable: true\ndata: {}\n", o); !errors.Is(err, secret.ErrRefused) {
		t.Errorf("every key is gone: %v", err)
	}
	o.Opener = crypt.NewOpener(people("erin")...) // opens nothing
	if _, r, err = encrypt(t, before, o); err != nil || !strings.Contains(said(r), "immutable") {
		t.Errorf("nothing changes: %v, %s", err, said(r))
	}
	o.Opener = crypt.NewOpener(dave...)
	f, r, err := encrypt(t, before, o)
	if err != nil || said(r) != "" || doc(t, string(f.Bytes())).Spec.Data["a"].Box != old.Spec.Data["a"].Box {
		t.Errorf("nothing changes, with an identity: %v, %s", err, said(r))
	}
	o.Opener, o.Recreate = nil, true
	if _, r, err = encrypt(t, strings.Replace(before, "canary-b", "canary-c", 1), o); err != nil || said(r) != "" {
		t.Errorf("made again: %v, %s", err, said(r))
	}
	// Of two sealed versions the readers differ: values are compared all the same.
	o = secret.EncryptOptions{Target: target(people("dave", "erin")...), Previous: o.Previous, Opener: crypt.NewOpener(dave...)}
	if _, _, err = encrypt(t, strings.Replace(before, "canary-b", "canary-c", 1), o); !strings.Contains(report(err), "prod/db: b: ") {
		t.Errorf("a value changes, for other readers: %v", err)
	}
}

func TestSetRefusesWhatKubernetesWould(t *testing.T) {
	typed := func(name, data string) string {
		return head + "type: kubernetes.io/" + name + "\nstringData:\n" + data
	}
	docker := typed("dockerconfigjson", "  .dockerconfigjson: '{\"auths\":{\"r\":{\"auth\":\"YTpi\"}}}'\n")
	for _, c := range []struct{ name, text, key, value, want string }{
		{"not JSON", docker, ".dockerconfigjson", "canary", "line 7: prod/db: .dockerconfigjson: refused by Kubernetes: type kubernetes.io/dockerconfigjson wants a JSON object here ()\n"},
		{"JSON", docker, ".dockerconfigjson", "null", ""},
		{"another key", docker, "note", "canary", ""},
		{"an empty private key", typed("ssh-auth", "  ssh-privatekey: canary\n"), "ssh-privatekey", "", "ssh-privatekey"},
		{"immutable", head + "immutable: true\nstringData:\n  k: canary\n", "k", "canary", "line 7: prod/db: k: refused by Kubernetes: the Secret is immutable (if the Secret in the cluster will be deleted and made again: --recreate; else give it another name)\n"},
		{"immutable: false", head + "immutable: false\nstringData:\n  k: canary\n", "k", "canary", ""},
		{"a label", head + "  labels:\n    a: b\nstringData:\n  k: canary\n", "k", "canary", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := parse(t, seal(t, c.text, people("dave")...))
			item, s, err := secret.Select(f, "", "")
			if err != nil {
				t.Fatal(err)
			}
			o := secret.SetOptions{Target: target(people("dave")...)}
			_, err = secret.NewWriter().Set(item, s, c.key, []byte(c.value), o)
			said := report(err)
			if (c.want == "") != (err == nil) || !strings.Contains(said, c.want) || strings.Contains(said, "canary") || f.Changed() != (err == nil) {
				t.Errorf("changed %v, got %s", f.Changed(), said)
			}
			if o.Recreate = true; c.name == "immutable" {
				if _, err := secret.NewWriter().Set(item, s, c.key, []byte(c.value), o); err != nil {
					t.Errorf("made again: %v", err)
				}
			}
		})
	}

	// Metadata that somebody edited by hand, and a key that is still missing.
	sealed := seal(t, typed("tls", "  tls.crt: ''\n  tls.key: ''\n"), people("dave")...)
	for _, c := range []struct{ old, new, want, warning string }{
		{"  namespace: prod\n", "  namespace: prod\n  labels:\n    x: a-\n", "the label x", ""},
		{"    tls.key:\n", "    other:\n", "", "tls.key: refused by Kubernetes: type kubernetes.io/tls needs this key"},
	} {
		f := parse(t, edit(sealed, c.old, c.new))
		item, s, err := secret.Select(f, "", "")
		if err != nil {
			t.Fatal(err)
		}
		warnings, err := secret.NewWriter().Set(item, s, "tls.crt", nil, secret.SetOptions{Target: target(people("dave")...)})
		said := ""
		for _, w := range warnings {
			said += report(&w)
		}
		if (c.want == "") != (err == nil) || !strings.Contains(report(err), c.want) || !strings.Contains(said, c.warning) {
			t.Errorf("%s: got %v, %s", c.new, report(err), said)
		}
	}
}

func TestCheckUnset(t *testing.T) {
	for _, c := range []struct{ name, text, key, want string }{
		{"any type", "stringData: {a: b}\n", "a", ""},
		{"tls", "type: kubernetes.io/tls\nstringData: {tls.crt: '', tls.key: '', ca.crt: ''}\n", "tls.key", "type kubernetes.io/tls needs this key"},
		{"another key", "type: kubernetes.io/tls\nstringData: {tls.crt: '', tls.key: '', ca.crt: ''}\n", "ca.crt", ""},
		{"one of two", "type: kubernetes.io/basic-auth\nstringData: {username: '', password: ''}\n", "password", ""},
		{"the last of two", "type: kubernetes.io/basic-auth\nstringData: {password: ''}\n", "password", "needs this key"},
		{"immutable", "immutable: true\nstringData: {a: b}\n", "a", "the Secret is immutable"},
	} {
		s := doc(t, seal(t, head+c.text, people("dave")...))
		err := secret.CheckUnset(s, c.key, false)
		if said := report(err); (c.want == "") != (err == nil) || !strings.Contains(said, c.want) || err != nil && !strings.Contains(said, ": "+c.key+": ") {
			t.Errorf("%s: got %s", c.name, said)
		}
		if err := secret.CheckUnset(s, c.key, true); (err == nil) != (c.want == "" || c.name == "immutable") {
			t.Errorf("%s, made again: got %v", c.name, err)
		}
	}
	if err := secret.CheckName("prod", "db"); err != nil {
		t.Error(err)
	}
	if err := secret.CheckName("Prod", "db"); !errors.Is(err, secret.ErrRefused) {
		t.Errorf("got %v", err)
	}
}

// A file is judged as a whole: the Secret that is in order is sealed beside the refused one, which stays as it is.
func TestRefusedBesideSealed(t *testing.T) {
	bad := strings.Replace(head, "db", "DB", 1) + "stringData:\n  k: canary\n"
	f := parse(t, bad+"---\n"+head+"stringData:\n  k: canary\n")
	r, err := secret.NewWriter().Encrypt(f, secret.EncryptOptions{Target: target(testkeys.Dave())})
	if err == nil || len(r.Sealed) != 1 || !bytes.HasPrefix(f.Bytes(), []byte(bad)) {
		t.Errorf("sealed %v, %v", r.Sealed, err)
	}
}
