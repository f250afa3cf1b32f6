package manifest

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

var kindNames = map[Kind]string{Native: "native", Sealed: "sealed", SOPS: "sops", SealedSecret: "sealedsecret", Template: "template", Broken: "broken"}

func kinds(t *testing.T, text string) string {
	t.Helper()
	var list []string
	for _, i := range parse(t, []byte(text)).Items() {
		list = append(list, fmt.Sprintf("%s:%d", kindNames[i.Kind], i.Line))
		if (i.Kind == Broken) != (i.Err != nil) {
			t.Errorf("kind %d with error %v", i.Kind, i.Err)
		}
		if i.Err != nil {
			report(t, i.Err)
		}
	}
	return strings.Join(list, " ")
}

func TestKinds(t *testing.T) {
	const sec = "apiVersion: v1\nkind: Secret\n"
	tests := []struct{ name, text, want string }{
		{"empty", "", ""},
		{"nothing", "\n# kind: Secret\n\n---\n---\n...\n", ""},
		{"a comment alone", "---\n---\n# apiVersion: v1\n# kind: Secret\n# data:\n#   a: <x>", ""},
		{"native", sec, "native:1"},
		{"marker", "# c\n---\n" + sec, "native:3"},
		{"empty group", "apiVersion: /v1\nkind: Secret\n", "native:1"},
		{"empty group of a SecretList", "apiVersion: /v1\nkind: SecretList\nitems:\n- metadata: {name: x}\n", "native:4"},
		{"no such version", "apiVersion: v1/\nkind: Secret\n---\napiVersion: //v1\nkind: Secret\n---\napiVersion: ' v1 '\nkind: Secret\n", ""},
		{"json", `{"kind": "Secret", "apiVersion": "v1"}`, "native:1"},
		{"escaped key", `{"k\u0069nd": "Secret", "apiVersion": "v1"}`, "native:1"},
		{"escaped value", `{"kind": "\u0053\u0065cret", "apiVersion": "v1"}`, "native:1"},
		{"escapes of YAML", "apiVersion: v1\nkind: \"S\\x65cret\"\n", "native:1"},
		{"continued in quotes", "apiVersion: v1\nkind: \"Sec\\\n  ret\"\n", "native:1"},
		{"binary", "apiVersion: v1\nkind: !!binary U2VjcmV0\n", "native:1"},
		{"binary behind a directive", "%TAG !b! tag:yaml.org,2002:\n---\napiVersion: v1\nkind: !b!binary U2VjcmV0\n", "native:3"},
		{"binary in full", "apiVersion: v1\nkind: !<tag:yaml.org,2002:bin%61ry> U2VjcmV0\n", "native:1"},
		{"alias", "x: &k Secret\napiVersion: v1\nkind: *k\n", "native:1"},
		{"merge key", "x: &k {kind: Secret, apiVersion: v1}\n<<: *k\n", "native:1"},
		{"merge list", "x: &k {kind: Secret}\ny: &l {apiVersion: v1}\n<<: [*k, *l]\n", "native:1"},
		{"duplicate kind", "apiVersion: v1\nkind: Secret\nkind: ConfigMap\n", "native:1"},
		{"folded kind", "apiVersion: v1\nkind: >-\n  Secret\n", "native:1"},
		{"complex key", "apiVersion: v1\n? kind\n: Secret\n", "native:1"},
		{"no apiVersion", "kind: Secret\nmetadata: {name: x}\ndata: {a: eA==}\n", ""},
		{"another group", "apiVersion: x.io/v1\nkind: Secret\n", ""},
		{"other kinds", "apiVersion: v1\nkind: ConfigMap\ndata:\n  x: |\n    apiVersion: v1\n    kind: Secret\n", ""},
		{"external secret", "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec:\n  target: {template: {kind: Secret}}\n", ""},
		{"top-level list", "- apiVersion: v1\n  kind: Secret\n", ""},
		{"scalar", "Secret\n", ""},
		{"list", "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(sec, "\nk", "\n  k") + "- {apiVersion: v1, kind: Pod}\n- {apiVersion: v1, kind: Secret}\n", "native:4 native:7"},
		{"list in a list", `{"kind":"List","apiVersion":"v1","items":[{"kind":"List","apiVersion":"v1","items":[{"kind":"Secret","apiVersion":"v1"}]}]}`, "native:1"},
		{"lists too deep", strings.Repeat(`{"kind":"List","apiVersion":"v1","items":[`, 9) + `{"kind":"Secret","apiVersion":"v1"}` + strings.Repeat("]}", 9), "broken:1"},
		{"eight lists", strings.Repeat(`{"kind":"List","apiVersion":"v1","items":[`, 8) + `{"kind":"Secret","apiVersion":"v1"}` + strings.Repeat("]}", 8), "native:1"},
		{"secret list", "apiVersion: v1\nkind: SecretList\nitems:\n- metadata: {name: x}\n- apiVersion: v1\n  kind: Secret\n", "native:4 native:5"},
		{"resource list", "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- apiVersion: v1\n  kind: Secret\n", "native:4"},
		{"aliased item", "x: &s {apiVersion: v1, kind: Secret}\nkind: List\napiVersion: v1\nitems: [*s]\n", "native:4"},
		{"items is no list", "apiVersion: v1\nkind: SecretList\nitems: {a: b}\n", ""},
		{"sealed", "apiVersion: ageseal.dev/v1alpha1\nkind: EncryptedSecret\n", "sealed:1"},
		{"sealed of another version", "apiVersion: ageseal.dev/v9\nkind: EncryptedSecret\n", "sealed:1"},
		{"sealed without version", "kind: EncryptedSecret\n", "sealed:1"},
		{"sealed called Secret", "apiVersion: ageseal.dev/v1alpha1\nkind: Secret\n", "sealed:1"},
		{"somebody else's", "apiVersion: x.io/v1\nkind: EncryptedSecret\n", ""},
		{"policy", "apiVersion: ageseal.dev/v1alpha1\nkind: Policy\n", ""},
		{"sops", sec + "data: {a: 'ENC[x]'}\nsops:\n  mac: x\n", "sops:1"},
		{"sops by version", sec + "sops: {version: 3.7.1}\n", "sops:1"},
		{"sops of empty values", sec + "data: {a: 'ENC[x]', b: '', c: null}\nstringData:\nsops: {version: 3.7.1}\n", "sops:1"},
		{"sops, half encrypted", sec + "data: {a: 'ENC[x]'}\nstringData: {b: x}\nsops: {version: 3.7.1}\n", "native:1"},
		{"sops, a number", sec + "stringData: {b: 1}\nsops: {version: 3.7.1}\n", "native:1"},
		{"sops, a list", sec + "stringData: {b: [x]}\nsops: {version: 3.7.1}\n", "native:1"},
		{"sops, an alias", sec + "type: &x x\nstringData: {b: *x}\nsops: {version: 3.7.1}\n", "native:1"},
		{"sops, data is a text", sec + "data: x\nsops: {version: 3.7.1}\n", "native:1"},
		{"sops, a merge key", sec + "x: &x {stringData: {b: x}}\n<<: *x\nsops: {version: 3.7.1}\n", "native:1"},
		{"sops, data twice", sec + "data: {b: x}\ndata: {}\nsops: {version: 3.7.1}\n", "native:1"},
		{"sops, a misnamed map", sec + "StringData: {b: x}\nsops: {version: 3.7.1}\n", "native:1"},
		{"sops, but no map", sec + "sops: x\n", "native:1"},
		{"sealed secret", "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\n", "sealedsecret:1"},
		{"template in a name", sec + "metadata:\n  name: {{ .Release.Name }}\ndata:\n  a: eA==\n", "template:1"},
		{"template in a quoted name", sec + "metadata:\n  name: \"{{ .Release.Name }}\"\n", "template:1"},
		{"template in data", sec + "data:\n  a: '{{ .x | b64enc }}'\n", "template:1"},
		{"bare template in stringData", sec + "stringData:\n  a: {{ .x }}\n", "template:1"},
		{"text of stringData", sec + "stringData:\n  a: '{{ .x }}'\n", "native:1"},
		{"template that doesn't parse", "{{- if .x }}\n" + sec + "{{- end }}\n", "template:1"},
		{"jinja", "{% if x %}\n" + sec + "{% endif %}\n", "template:1"},
		{"template version", "apiVersion: {{ .v }}\nkind: Secret\n", "template:1"},
		{"template of kind", "apiVersion: v1\n{{ with . }}\nkind: {{ ternary \"Secret\" \"ConfigMap\" .x }}\n", "template:1"},
		{"template of something else", "{{- if .x }}\nkind: ConfigMap\nname: my-Secret\n{{- end }}\n", ""},
		{"broken", sec + "data:\n\ta: b\n", "broken:1"},
		{"broken, with a template in a comment", sec + "# {{ x }}\ndata:\n\ta: b\n", "broken:1"},
		{"broken json", `{"apiVersion": "v1", "kind": "Secret",, }`, "broken:1"},
		{"broken escaped json", `{"k\u0069nd":"Secr\u0065t"} x`, "broken:1"},
		{"two jsons", "{\"kind\":\"Secret\",\"apiVersion\":\"v1\"}\n{\"kind\":\"Secret\",\"apiVersion\":\"v1\"}\n", "broken:1"},
		{"two foreign jsons", "{\"kind\":\"Pod\"}\n{\"kind\":\"Secreta\"}\n", ""},
		{"broken, of another kind", "kind: Pod\n\tx: Secret\n", ""},
		{"conflict", "<<<<<<< HEAD\n" + sec + "=======\n>>>>>>> x\n", "broken:1"},
		{"a second document that YAML 1.1 sees", "a: \u2028--- \u2028kind: Secret\u2028apiVersion: v1\n", "broken:1"},
		{"BOM inside", "a: b\n" + bom + "---\n" + sec, "broken:1"},
		{"two documents", sec + "---\n" + sec + "--- # c\n" + sec + "...\n" + sec, "native:1 native:4 native:7 native:10"},
		{"directives", "%YAML 1.2\n---\n" + sec + "...\n%YAML 1.1\n# c\n---\n" + sec, "native:3 native:9"},
		{"not a marker", sec + "data:\n  a: x\n----\n", "broken:1"},
		{"marker with a tab", sec + "---\t# x\n" + sec, "native:1 native:4"},
		{"marker in a block scalar", sec + "stringData:\n  a: |\n    x\n---\n    kind: Secret\n    apiVersion: v1\n", "native:1 native:7"},
		{"crlf", strings.ReplaceAll(sec+"---\n"+sec, "\n", "\r\n"), "native:1 native:4"},
		{"bom", bom + sec, "native:1"},
		{"NUL", sec + "data: {a: \"\x00\"}\n", "broken:1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, kinds(t, tt.text)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Windows PowerShell's > writes UTF-16, and kubectl reads it.
func TestUTF16(t *testing.T) {
	encode := func(s string, order binary.ByteOrder) string {
		b := []byte{}
		for _, u := range utf16.Encode([]rune(bom + s)) {
			b = append(b, 0, 0)
			order.PutUint16(b[len(b)-2:], u)
		}
		return string(b)
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if got := kinds(t, encode("apiVersion: v1\r\nkind: Secret\r\n", order)); got != "broken:1" {
			t.Errorf("%v: %s", order, got)
		}
		if got := kinds(t, encode("kind: Pod\nname: Secret\n", order)); got != "" {
			t.Errorf("%v: %s", order, got)
		}
	}
}

func TestFileLimit(t *testing.T) {
	for n, want := range map[int]string{MaxFileSize: "", MaxFileSize + 1: "0: limit: the file is larger than 8 MiB"} {
		_, err := Parse([]byte(strings.Repeat("#", n)))
		if got := report(t, err); got != want {
			t.Errorf("%d bytes: %q", n, got)
		}
	}
}

// Line numbers are those of the file.
func TestLines(t *testing.T) {
	text := "a: b\r\n---\r\n# c\r\n" + strings.ReplaceAll(secretHead+"data:\n  a: eA==\n  b: bad\n", "\n", "\r\n")
	_, err := only(t, text).Native()
	if got := report(t, err); got != "10: base64: key b: the value is not base64" {
		t.Errorf("got %s", got)
	}
	_, err = only(t, "{\n\n\"apiVersion\":\"v1\",\"kind\":\"Secret\",\n\"data\":{\"a\":\n5}}").Native()
	if got := report(t, err); !strings.HasPrefix(got, "4: schema: key a:") {
		t.Errorf("got %s", got)
	}
	i := only(t, "a: b\n---\n"+secretHead+"data:\n  a: eA==\n# x: y\n")
	if got := i.Seal(&Spec{}); len(got) != 1 || got[0].Line != 9 {
		t.Errorf("got %v", got)
	}
}
