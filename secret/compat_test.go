package secret_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/secret"
)

const compatDir = "../testdata/compat"

// compatFile is the output of a released version, and what it opens to for ever.
type compatFile struct {
	name   string // version/file
	sealed string
	names  []string            // namespace/name of each sealed document
	values []map[string]string // of each
}

// readCompat reads testdata/compat: for each sealed file X a list of its values, X.values, with a line "namespace/name" for each
// sealed document and below it lines "KEY=base64".
func readCompat(t *testing.T) []compatFile {
	t.Helper()
	lists, err := filepath.Glob(filepath.Join(compatDir, "*", "*.values"))
	if err != nil {
		t.Fatal(err)
	}
	var all []compatFile
	for _, list := range lists {
		sealed, err := os.ReadFile(strings.TrimSuffix(list, ".values"))
		if err != nil {
			t.Fatal(err)
		}
		src, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(filepath.Dir(list)) + "/" + strings.TrimSuffix(filepath.Base(list), ".values")
		c := compatFile{name: name, sealed: string(sealed)}
		for line := range strings.Lines(string(src)) {
			line = strings.TrimSuffix(line, "\n")
			key, value, ok := strings.Cut(line, "=")
			if !ok {
				c.names, c.values = append(c.names, line), append(c.values, map[string]string{})
				continue
			}
			raw, err := base64.StdEncoding.DecodeString(value)
			if err != nil {
				t.Fatalf("%s: %v", list, err)
			}
			c.values[len(c.values)-1][key] = string(raw)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		t.Fatalf("no files in %s", compatDir)
	}
	return all
}

func TestCompatibility(t *testing.T) {
	if *updateVectors {
		writeCompat(t)
	}
	for _, c := range readCompat(t) {
		t.Run(c.name, func(t *testing.T) {
			f := parse(t, c.sealed)
			opener := crypt.NewOpener(people("alice", "dave")...)
			var names []string
			var values []map[string]string
			for _, i := range f.Items() {
				s, err := secret.Read(i)
				if err != nil {
					t.Fatal(report(err))
				}
				opened, err := secret.Open(s, opener, nil)
				if err != nil {
					t.Fatal(report(err))
				}
				texts := map[string]string{}
				for k, v := range opened {
					texts[k] = string(v)
				}
				names, values = append(names, secret.Ref(s.Spec.Binding.Namespace, s.Spec.Binding.Name)), append(values, texts)
			}
			if diff := cmp.Diff(c.names, names); diff != "" {
				t.Errorf("documents (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.values, values); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			if n, err := secret.Decrypt(f, opener, nil); err != nil || n != len(c.names) {
				t.Errorf("decrypted %d documents, %v", n, err)
			}
		})
	}
}

// writeCompat writes what this version writes to v0, where nothing is yet. A release adds a directory of its own.
func writeCompat(t *testing.T) {
	t.Helper()
	alice, dave, erin := people("alice"), people("dave"), people("erin")
	values := map[string]string{"API_TOKEN": canary, "user": "canary-app", "empty": "", "long": strings.Repeat("canary ", 100)}
	db := native("prod", "db", values)
	one := func(values map[string]string) []map[string]string { return []map[string]string{values} }
	stream := "# two Secrets and a ConfigMap\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n---\n" + native("prod", "one", map[string]string{"k": "canary-1"}) +
		"---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata:\n    name: two\n  type: kubernetes.io/basic-auth\n  data:\n    password: Y2FuYXJ5LTI=\n"
	joined := func() string {
		f := parse(t, seal(t, db, dave...))
		o := secret.RekeyOptions{Target: target(append(people("dave"), erin...)...), Opener: crypt.NewOpener(dave...), Sharing: secret.Sharing{Widen: true}}
		if _, err := secret.NewWriter().Rekey(f, o); err != nil {
			t.Fatal(err)
		}
		return string(f.Bytes())
	}
	with := func(key, value string) map[string]string {
		m := map[string]string{key: value}
		for k, v := range values {
			if k != key {
				m[k] = v
			}
		}
		return m
	}
	for _, c := range []compatFile{
		{"hybrid.yaml", seal(t, db, alice...), []string{"prod/db"}, one(values)},
		{"classic.yaml", seal(t, db, dave...), []string{"prod/db"}, one(values)},
		{"no-namespace.yaml", seal(t, native("", "db", values), dave...), []string{"db"}, one(values)},
		{"set-twice.yaml", set(t, set(t, seal(t, db, dave...), "user", "canary-new", dave...), "later", "", dave...), []string{"prod/db"},
			one(with("user", "canary-new"))},
		{"joined.yaml", joined(), []string{"prod/db"}, one(values)},
		{"document.json", seal(t, `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db","namespace":"prod"},"immutable":true,"stringData":{"k":"canary"}}`, dave...),
			[]string{"prod/db"}, one(map[string]string{"k": "canary"})},
		{"stream.yaml", seal(t, stream, dave...), []string{"prod/one", "two"}, []map[string]string{{"k": "canary-1"}, {"password": "canary-2"}}},
	} {
		if c.name == "set-twice.yaml" {
			c.values[0]["later"] = ""
		}
		var list strings.Builder
		for i, n := range c.names {
			list.WriteString(n + "\n")
			for _, k := range sortedKeys(c.values[i]) {
				list.WriteString(k + "=" + b64([]byte(c.values[i][k])) + "\n")
			}
		}
		file := filepath.Join(compatDir, "v0", c.name)
		if _, err := os.Stat(file); err == nil && !*overwriteVectors {
			continue // its values belong to it
		}
		frozen(t, file, []byte(c.sealed))
		frozen(t, file+".values", []byte(list.String()))
	}
}
