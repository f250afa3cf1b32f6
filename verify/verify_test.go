package verify_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/verify"
)

// canary is in every value; encoded is what it is under data. Neither may be in any field of any finding.
const canary = "CANARY-plaintext-7d793037"

var encoded = base64.StdEncoding.EncodeToString([]byte(canary))

func expand(s string) string {
	return strings.NewReplacer("$CANARY", canary, "$BASE64", encoded).Replace(s)
}

// lines renders findings for comparison, after looking for the canary in them.
func lines(t testing.TB, name, text string) []string {
	t.Helper()
	var out []string
	for _, f := range verify.Bytes(name, []byte(text)) {
		all, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"CANARY", encoded[:12]} {
			if strings.Contains(string(all), secret) {
				t.Errorf("quotes a value: %s", all)
			}
		}
		if f.File != name || f.Hint == "" || f.Line < 1 || f.What == "" {
			t.Errorf("incomplete: %s", all)
		}
		s := fmt.Sprintf("%d: %s: %s", f.Line, f.Rule, f.Secret)
		if f.Key != "" {
			s += " [" + f.Key + "]"
		}
		if f.Rule == verify.PrivateKey || strings.Contains(f.What, "quoted in") || f.Rule == verify.MalformedSealed {
			s += " " + f.What
		}
		out = append(out, s)
	}
	return out
}

type testCase struct {
	name, file, text string
	want             []string
}

func run(t *testing.T, tests []testCase) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := tt.file
			if file == "" {
				file = "apps/db.yaml"
			}
			if diff := cmp.Diff(tt.want, lines(t, file, expand(tt.text))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

const head = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: prod\n"

func TestPlaintextSecret(t *testing.T) {
	found := func(line int, rest string) []string {
		return []string{fmt.Sprintf("%d: plaintext-secret: %s", line, rest)}
	}
	run(t, []testCase{
		{"data", "", head + "data:\n  password: $BASE64\n", found(1, "prod/db [password]")},
		{"stringData", "", head + "stringData:\n  password: $CANARY\n", found(1, "prod/db [password]")},
		{"both", "", head + "data:\n  b: $BASE64\nstringData:\n  a: $CANARY\n", found(1, "prod/db [a, b]")},
		{"without a namespace", "", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  a: $CANARY\n", found(1, "db [a]")},
		{"generated name", "", "apiVersion: v1\nkind: Secret\nmetadata:\n  generateName: db-\nstringData:\n  a: $CANARY\n", found(1, "db-* [a]")},
		{"second document", "", "# a\n---\nkind: ConfigMap\napiVersion: v1\n---\n# b\n" + head + "stringData:\n  a: $CANARY\n", found(7, "prod/db [a]")},
		{"CRLF", "", strings.ReplaceAll("---\n"+head+"stringData:\n  a: $CANARY\n", "\n", "\r\n"), found(2, "prod/db [a]")},
		{"BOM", "", "\ufeff" + head + "stringData:\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"no final newline", "", head + "stringData:\n  a: $CANARY", found(1, "prod/db [a]")},
		{"JSON", "db.json", `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db"},"stringData":{"a":"$CANARY"}}`, found(1, "db [a]")},
		{"JSON in lines", "db.json", "{\n \"kind\": \"Secret\",\n \"apiVersion\": \"v1\",\n \"data\": {\"a\": \"$BASE64\"},\n \"metadata\": {\"name\": \"db\"}\n}\n", found(1, "db [a]")},
		{"KYAML", "", "---\n{\n  apiVersion: \"v1\",\n  kind: \"Secret\", # comment\n  metadata: {\n    name: \"db\",\n  },\n  stringData: {\n    a: \"$CANARY\",\n  },\n}\n", found(2, "db [a]")},
		{"escaped field", "", strings.Replace(head, "kind:", `"k\u0069nd":`, 1) + "stringData:\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"escaped kind", "", strings.Replace(head, "Secret", `"\x53\u0065cret"`, 1) + "stringData:\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"escaped version", "", strings.Replace(head, "apiVersion:", `"\u0061piVersion":`, 1) + "stringData:\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"kind over two lines", "", strings.Replace(head, "Secret", "\"Sec\\\n  ret\"", 1) + "stringData:\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"binary tag", "", strings.Replace(head, "Secret", "!!binary U2VjcmV0", 1) + "stringData:\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"List", "", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: one}\n  stringData: {a: $CANARY}\n" +
			"- kind: Secret\n  apiVersion: v1\n  metadata: {name: two}\n  data: {b: $BASE64}\n",
			[]string{"6: plaintext-secret: one [a]", "10: plaintext-secret: two [b]"}},
		{"List in a List", "", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - apiVersion: v1\n    kind: Secret\n    metadata: {name: one}\n    stringData: {a: $CANARY}\n", found(7, "one [a]")},
		{"SecretList", "", "apiVersion: v1\nkind: SecretList\nitems:\n- metadata: {name: one}\n  stringData: {a: $CANARY}\n", found(4, "one [a]")},
		{"List in JSON", "l.json", "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"one\"},\"stringData\":{\"a\":\"$CANARY\"}}]}", found(2, "one [a]")},

		// What encrypt refuses is plaintext all the same.
		{"bad base64", "", head + "data:\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"a number", "", head + "stringData:\n  a: 12345678\n  b: $CANARY\n", found(1, "prod/db [a, b]")},
		{"null beside a value", "", head + "stringData:\n  a:\n  b: $CANARY\n", found(1, "prod/db [b]")},
		{"duplicate keys", "", head + "stringData:\n  a: $CANARY\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"duplicate data", "", head + "data: {a: $BASE64}\ndata: {}\n", found(1, "prod/db [a]")},
		{"duplicate kind", "", head + "kind: ConfigMap\nstringData:\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"anchor and alias", "", head + "stringData:\n  a: &x $CANARY\n  b: *x\n", found(1, "prod/db [a, b]")},
		{"aliased data", "", head + "stringData: &x\n  a: $CANARY\ndata: *x\n", found(1, "prod/db [a]")},
		{"merge key", "", "x: &x\n  stringData: {a: $CANARY}\n<<: *x\n" + head, found(1, "prod/db [a]")},
		{"merge key in data", "", head + "x: &x {a: $CANARY}\nstringData:\n  <<: *x\n  b: $CANARY\n", found(1, "prod/db [a, b]")},
		{"tag", "", head + "stringData:\n  a: !!str $CANARY\n", found(1, "prod/db [a]")},
		{"patch with values", "", head + "$patch: replace\nstringData:\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"data is a text", "", head + "stringData: $CANARY\n", found(1, "prod/db [(no name)]")},
		{"a value that became a key", "", head + "stringData:\n  \"$CANARY=$CANARY\": x\n", found(1, "prod/db [(no name)]")},
		{"many keys", "", head + "stringData:\n  k01: x\n  k02: x\n  k03: x\n  k04: x\n  k05: x\n  k06: x\n  k07: x\n  k08: x\n  k09: x\n  k10: x\n  k11: x\n  k12: x\n  k13: x\n  k14: x\n",
			found(1, "prod/db [k01, k02, k03, k04, k05, k06, k07, k08, k09, k10, k11, k12, 2 more]")},
		{"a name that is none", "", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"$CANARY $CANARY\"\nstringData:\n  a: $CANARY\n", found(1, "(no name) [a]")},
		{"credential type", "", head + "type: kubernetes.io/service-account-token\ndata:\n  extra: $BASE64\n", found(1, "prod/db [extra]")},

		{"empty group", "", strings.Replace(head, "v1", "/v1", 1) + "stringData:\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"SOPS that left stringData out", "", head + "data:\n  a: ENC[AES256_GCM,data:x]\nstringData:\n  b: $CANARY\nsops:\n  mac: x\n  version: 3.7.1\n", found(1, "prod/db [b]")},
		{"SOPS by a version alone", "", head + "data:\n  a: $BASE64\nsops: {version: x}\n", found(1, "prod/db [a]")},
		{"a value without a key", "", head + "stringData: {\"$CANARY\"}\n", found(1, "prod/db [(no name)]")},
		{"verbatim tag", "", strings.Replace(head, "Secret", "!<tag:yaml.org,2002:binary> U2VjcmV0", 1) + "stringData:\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"escaped tag", "", strings.Replace(head, "Secret", "!!bin%61ry U2VjcmV0", 1) + "stringData:\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"tag directive", "", "%TAG !b! tag:yaml.org,2002:\n---\n" + strings.Replace(head, "Secret", "!b!binary U2VjcmV0", 1) + "stringData:\n  a: $CANARY\n", []string{"4: plaintext-unreadable: prod/db"}},

		// A template's literal values are in clear as it stands.
		{"template beside a literal", "", head + "data:\n  a: \"{{ .Values.a }}\"\n  b: $BASE64\n", found(1, "prod/db [b]")},
		{"templated namespace", "", strings.Replace(head, "prod", "\"{{ .Values.ns }}\"", 1) + "stringData:\n  a: $CANARY\n  b: {{ .Values.b }}\n", found(1, "(no name) [a]")},
		{"template's literal map", "", head + "data:\n  a: {{ .Values.a }}\n  b: {c: $CANARY}\n", found(1, "prod/db [b]")},
		{"misnamed map of a template", "", strings.Replace(head, "prod", "'{{ .x }}'", 1) + "StringData: {a: $CANARY}\n", found(1, "(no name) [(no name)]")},
		{"template that doesn't parse", "", "{{- if .Values.a }}\n" + head + "data:\n  # comment\n  a: {{ .Values.a }}\n  {{- if .b }}\n  b: $CANARY # comment\n  \"c\":  \"$CANARY\"\n  {{- end }}\n{{- end }}\n", found(11, " [b, c]")},
		{"block scalars of a template that doesn't parse", "", "{{- if .Values.a }}\n" + head + "stringData:\n  a: |-\n    x {{ .Values.a }}\n  b: |\n    $CANARY\ntype: x\n{{- end }}\n", found(10, " [b]")},
		{"flow map of a template that doesn't parse", "", "{{- if .Values.a }}\n" + head + "stringData: {b: $CANARY}\ndata: {c: \"{{ .x }}\"}\n{{- end }}\n", found(7, " [(no name)]")},
		{"tabs in a template that doesn't parse", "", "# x\n" + head + "stringData:\n\tb: $CANARY\n\tc: {{ x }}\n", found(8, " [b]")},
		{"JSON template that doesn't parse", "x.json", "{\n  \"apiVersion\": \"v1\",\n  {{ if x }}\n  \"kind\": \"Secret\",\n  {{ end }}\n  \"data\": {\n    \"a\": \"{{ .x }}\",\n    \"b\": \"$BASE64\",\n    \"c\": \"\"\n  }\n}\n", found(8, " [b]")},
		{"template with a stray brace", "", "kind: Secret\nx: {{ }\nstringData:\n    password: $CANARY\napiVersion: v1\n", found(4, " [password]")},
		{"other extension", "secret.txt", head + "stringData:\n  a: $CANARY\n", found(1, "prod/db [a]")},
		{"no extension", "-", head + "stringData:\n  a: $CANARY\n", found(1, "prod/db [a]")},
	})
}

// Copies of a Secret inside other objects.
func TestQuotedSecret(t *testing.T) {
	applied := `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db","namespace":"prod"},"data":{"a":"$BASE64"}}`
	annotation := "    kubectl.kubernetes.io/last-applied-configuration: |\n      " + applied + "\n"
	configMap := "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n"
	run(t, []testCase{
		{"annotation of another kind", "", "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  annotations:\n" + annotation,
			[]string{"6: plaintext-secret: prod/db [a] plaintext values of a Secret, quoted in the annotation kubectl.kubernetes.io/last-applied-configuration"}},
		{"annotation of a Secret without values", "", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  annotations:\n" + annotation,
			[]string{"7: plaintext-secret: prod/db [a] plaintext values of a Secret, quoted in the annotation kubectl.kubernetes.io/last-applied-configuration"}},
		{"annotation of a sealed manifest", "", strings.Replace(sealed, "  namespace: prod\n", "  namespace: prod\n  annotations:\n"+annotation, 1),
			[]string{"8: plaintext-secret: prod/db [a] plaintext values of a Secret, quoted in the annotation kubectl.kubernetes.io/last-applied-configuration"}},
		{"annotation of a Secret with values: one finding", "", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  annotations:\n" + annotation + "stringData:\n  a: $CANARY\n",
			[]string{"1: plaintext-secret: db [a]"}},
		{"annotation in JSON", "x.json", `{"kind":"Service","apiVersion":"v1","metadata":{"annotations":{"kapp.k14s.io/original":"` + strings.ReplaceAll(applied, `"`, `\"`) + `"}}}`,
			[]string{"1: plaintext-secret: prod/db [a] plaintext values of a Secret, quoted in the annotation kapp.k14s.io/original"}},
		{"annotation in an item of a List", "", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata:\n    annotations:\n" + strings.ReplaceAll(annotation, "    ", "      "),
			[]string{"9: plaintext-secret: prod/db [a] plaintext values of a Secret, quoted in the annotation kubectl.kubernetes.io/last-applied-configuration"}},
		{"ConfigMap", "", configMap + "  manifest.yaml: |\n    # comment\n    apiVersion: v1\n    kind: Secret\n    metadata: {name: db}\n    stringData: {a: $CANARY}\n",
			[]string{"8: plaintext-secret: db [a] plaintext values of a Secret, quoted in a ConfigMap under manifest.yaml"}},
		{"ConfigMap with a stream", "", configMap + "  m: |\n    apiVersion: v1\n    kind: Service\n    ---\n    apiVersion: v1\n    kind: Secret\n    metadata: {name: db}\n    stringData: {a: 12}\n",
			[]string{"10: plaintext-secret: db [a] plaintext values of a Secret, quoted in a ConfigMap under m"}},
		{"ConfigMap in quotes", "", configMap + "  m: \"apiVersion: v1\\nkind: Secret\\nstringData: {a: $CANARY}\\n\"\n",
			[]string{"6: plaintext-secret:  [a] plaintext values of a Secret, quoted in a ConfigMap under m"}},
		{"ConfigMap in a ConfigMap", "", configMap + "  outer: |\n    apiVersion: v1\n    kind: ConfigMap\n    data:\n      inner: |\n        apiVersion: v1\n        kind: Secret\n        stringData: {a: $CANARY}\n",
			[]string{"10: plaintext-secret:  [a] plaintext values of a Secret, quoted in a ConfigMap under inner"}},
		{"beside a Secret", "", head + "stringData: {a: $CANARY}\n---\n" + configMap + "  m: |\n    apiVersion: v1\n    kind: Secret\n    stringData: {b: $CANARY}\n",
			[]string{"1: plaintext-secret: prod/db [a]", "14: plaintext-secret:  [b] plaintext values of a Secret, quoted in a ConfigMap under m"}},

		{"ConfigMap that mentions one", "", configMap + "  doc: kubectl prints apiVersion v1, kind Secret\n", nil},
		{"ConfigMap with a template", "", configMap + "  m: |\n    apiVersion: v1\n    kind: Secret\n    stringData: {a: {{ .Values.a }} }\n", nil},
		{"ConfigMap with a Secret without values", "", configMap + "  m: |\n    apiVersion: v1\n    kind: Secret\n    metadata: {name: x}\n", nil},
		{"annotation without data", "", "apiVersion: v1\nkind: Service\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{\"apiVersion\":\"v1\",\"kind\":\"Secret\"}'\n", nil},
	})
}

// Secrets that kustomize, or whatever a wrapper is for, makes of an object of another kind.
func TestWrappedSecret(t *testing.T) {
	kustomization := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
	generator := "secretGenerator:\n- name: db\n  namespace: prod\n  literals:\n  - user=$(USER)\n  - password=$CANARY\n  - 'token=\"$CANARY\"'\n  - empty=\n  - q=''\n  - v=${V}\n"
	patch := "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {a: $CANARY}"
	inline := func(before, indent, text string) string {
		return before + indent + strings.ReplaceAll(text, "\n", "\n"+indent) + "\n"
	}
	configMap := "apiVersion: v1\nkind: ConfigMap\nbinaryData:\n  m: "
	run(t, []testCase{
		{"secretGenerator", "", kustomization + generator, []string{"8: plaintext-secret: prod/db [password, token]"}},
		{"secretGenerator alone", "kustomization.yaml", generator, []string{"6: plaintext-secret: prod/db [password, token]"}},
		{"secretGenerator in JSON", "k.json", `{"secretGenerator":[{"name":"db","literals":["a=$CANARY"]}]}`, []string{"1: plaintext-secret: db [a]"}},
		{"secretGenerator of an odd literal", "", "secretGenerator:\n- literals: [$CANARY, \"$CANARY $CANARY=x\"]\n", []string{"2: plaintext-secret:  [(no name), (no name)]"}},
		{"secretGenerator of files", "", kustomization + "secretGenerator:\n- name: db\n  files: [a.txt]\n  literals:\n  - a=\n  - b=$(B)\n", nil},
		{"SecretGenerator", "", "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: db}\nliterals:\n- a=$CANARY\n", []string{"5: plaintext-secret: db [a]"}},
		{"configMapGenerator", "", kustomization + "# Secret\nconfigMapGenerator:\n- name: db\n  literals: [a=b]\n", nil},
		{"patch", "", inline(kustomization+"patches:\n- patch: |-\n", "    ", patch), []string{"5: plaintext-secret: db [a] plaintext values of a Secret, quoted in a patch"}},
		{"patch without apiVersion", "", inline("patches:\n- target: {kind: Secret}\n  patch: |-\n", "    ", strings.Replace(patch, "apiVersion: v1\n", "", 1)), []string{"4: plaintext-secret: db [a] plaintext values of a Secret, quoted in a patch"}},
		{"patchesStrategicMerge", "", inline(kustomization+"patchesStrategicMerge:\n- a.yaml\n- |-\n", "  ", patch), []string{"6: plaintext-secret: db [a] plaintext values of a Secret, quoted in a patch"}},
		{"two patches", "", inline(inline(kustomization+"patches:\n- patch: |-\n", "    ", patch)+"- patch: |-\n", "    ", "kind: Service\n---\n"+patch),
			[]string{"5: plaintext-secret: db [a] plaintext values of a Secret, quoted in a patch", "12: plaintext-secret: db [a] plaintext values of a Secret, quoted in a patch"}},
		{"patch of Flux", "", inline("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec:\n  patches:\n  - patch: |\n", "      ", patch), []string{"6: plaintext-secret: db [a] plaintext values of a Secret, quoted in a patch"}},
		{"JSON patch", "", kustomization + "patches:\n- target: {kind: Secret, name: db}\n  patch: |-\n    - {op: add, path: /metadata/labels/x, value: y}\n    - op: replace\n      path: /stringData/a\n      value: $CANARY\n    - {op: add, path: /data, value: {b: $BASE64}}\n    - {op: remove, path: /data/c}\n",
			[]string{"6: plaintext-secret: db [a, b] plaintext values of a Secret, quoted in a patch"}},
		{"JSON patch of something else", "", kustomization + "patches:\n- target: {kind: ConfigMap, name: Secret}\n  patch: |-\n    - {op: add, path: /data, value: {b: x}}\n", nil},
		{"patch without values", "", inline(kustomization+"patches:\n- patch: |-\n", "    ", "apiVersion: v1\nkind: Secret\nmetadata: {name: db, labels: {a: b}}"), nil},
		{"patch that removes", "", inline(kustomization+"patches:\n- patch: |-\n", "    ", "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\ndata: {a: null}\n$patch: delete"), nil},
		{"patch of a foreign Secret", "", inline(kustomization+"patches:\n- patch: |-\n", "    ", "apiVersion: x.io/v1\nkind: Secret\nmetadata: {name: db}\ndata: {a: b}"), nil},
		{"binaryData", "", configMap + base64.StdEncoding.EncodeToString([]byte(expand(patch))) + "\n", []string{"4: plaintext-secret: db [a] plaintext values of a Secret, quoted in a ConfigMap under m"}},
		{"binaryData of something else", "", configMap + base64.StdEncoding.EncodeToString([]byte("kind: Secret")) + "\n  n: '!'\n", nil},
		{"OpenShift Template", "", "apiVersion: template.openshift.io/v1\nkind: Template\nobjects:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: db}\n  stringData: {a: $CANARY, b: \"${B}\", c: \"${{C}}\"}\n",
			[]string{"4: plaintext-secret: db [a]"}},
		{"OpenShift Template of parameters", "", "apiVersion: v1\nkind: Template\nobjects:\n- apiVersion: v1\n  kind: Secret\n  stringData: {b: \"${B}\"}\n", nil},
		{"Crossplane object", "", "apiVersion: kubernetes.crossplane.io/v1alpha2\nkind: Object\nspec:\n  forProvider:\n    manifest:\n      apiVersion: v1\n      kind: Secret\n      data: {a: $BASE64}\n",
			[]string{"6: plaintext-secret:  [a]"}},
		{"a reference", "", "apiVersion: x/v1\nkind: X\nmetadata: {annotations: {a: b}}\nspec: {ref: {apiVersion: v1, kind: Secret, name: a}}\n", nil},
		{"in a List once", "", "apiVersion: v1\nkind: List\nobjects: []\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: db}\n  stringData: {a: $CANARY}\n", []string{"5: plaintext-secret: db [a]"}},
	})
}

func TestNoFinding(t *testing.T) {
	sops := "sops:\n  mac: ENC[AES256_GCM,data:x]\n  version: 3.7.1\n"
	run(t, []testCase{
		{"empty", "", "", nil},
		{"no values", "", head, nil},
		{"empty data", "", head + "data: {}\nstringData:\n", nil},
		{"null values only", "", head + "data: {a: null, b: ~}\n", nil},
		{"deleting patch", "", head + "$patch: delete\n", nil},
		{"without apiVersion", "", strings.Replace(head, "apiVersion: v1\n", "", 1) + "stringData:\n  a: $CANARY\n", nil},
		{"another apiVersion", "", strings.Replace(head, "v1", "example.org/v1", 1) + "stringData:\n  a: $CANARY\n", nil},
		{"SOPS", "", head + "data:\n  a: ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\n" + sops, nil},
		{"SealedSecret", "", "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: db\nspec:\n  encryptedData:\n    a: AgB\n", nil},
		{"sealed", "", sealed, nil},
		{"ExternalSecret", "", "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec:\n  data:\n  - secretKey: a\n", nil},
		{"Helm template", "", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  a: {{ .Values.a | b64enc }}\n", nil},
		{"Helm template that is YAML", "", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"{{ .Release.Name }}\"\nstringData:\n  a: \"{{ .Values.a }}\"\n", nil},
		{"Helm template with empty values", "", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: \"{{ .Release.Name }}\"\nstringData:\n  a: \"\"\n  b:\n", nil},
		{"Helm template with ranges", "", "apiVersion: v1\nkind: Secret\nmetadata:\n  labels:\n    {{- include \"x\" . | nindent 4 }}\n    app: x\ndata:\n  {{- range $k, $v := .Values.s }}\n  {{ $k }}: {{ $v | b64enc }}\n  {{- end }}\n  b: \"\"\n  c:\n    {{- x }}\n  d: >-\n    {{- y }}\ntype: Opaque\n", nil},
		{"JSON template", "x.json", "{\n  \"apiVersion\": \"v1\",\n  {{ if x }}\n  \"kind\": \"Secret\",\n  {{ end }}\n  \"data\": {\n    \"a\": \"{{ .x }}\",\n    \"b\": \"\",\n    {{ y }}\n  },\n  \"type\": \"x\"\n}\n", nil},
		{"template of maps", "", "{{- if .x }}\n" + head + "data: {{ .x }}\nstringData: {}\n{{- end }}\n", nil},
		{"template with a field of its own", "", strings.Replace(head, "prod", "'{{ .x }}'", 1) + "extra: {{ .x }}\nmore: '{{ .y }}'\n", nil},
		{"template of two kinds", "", "{{- if .x }}\napiVersion: v1\nkind: Secret\ndata:\n  a: {{ .x }}\n{{- end }}\n---\n{{- if .x }}\nkind: ConfigMap\ndata:\n  b: x\n{{- end }}\n", nil},
		{"prose with a template", "README.md", "{{ x }}\n```\nkind: Secret\nstringData:\n  a: $CANARY\n", nil},
		{"Helm template in a condition", "", "{{- if .Values.a }}\n" + head + "data:\n  a: {{ .Values.a }}\n{{- end }}\n", nil},
		{"commented out", "", "# apiVersion: v1\n# kind: Secret\n# data: {a: $BASE64}\n", nil},
		{"ConfigMap", "", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: secret}\ndata: {a: Secret}\n", nil},
		{"kustomization", "", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nsecretGenerator:\n- name: Secret\n  files: [a.age]\n", nil},
		{"RBAC", "", "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nrules:\n- apiGroups: [\"\"]\n  resources: [secrets]\n  resourceNames: [Secret]\n", nil},
		{"documentation", "README.md", "# Usage\n\n```yaml\n" + head + "stringData:\n  a: $CANARY\n```\n\nkind: Secret: as above\n", nil},
		{"source", "x.go", "const s = `apiVersion: v1\nkind: Secret\nstringData: {a: x}`\nvar t = \"\\u0053\"\n", nil},
	})
}

func TestUnreadable(t *testing.T) {
	run(t, []testCase{
		{"syntax", "", head + "stringData:\n  a: [$CANARY\n", []string{"7: plaintext-unreadable: "}},
		{"merge conflict", "", head + "stringData:\n<<<<<<< HEAD\n  a: $CANARY\n=======\n  a: b\n>>>>>>> x\n", []string{"7: plaintext-unreadable: "}},
		{"wrong indentation", "", head + "stringData:\npassword: $CANARY\n", []string{"7: plaintext-unreadable: prod/db"}},
		{"misnamed map", "", head + "StringData:\n  a: $CANARY\n", []string{"6: plaintext-unreadable: prod/db"}},
		{"misnamed list", "", head + "Data: [$CANARY]\n", []string{"6: plaintext-unreadable: prod/db"}},
		{"an empty status", "", head + "status: {}\nspec:\n", nil},
		{"syntax, in a pipe", "-", head + "stringData:\n  a: [$CANARY\n", []string{"7: plaintext-unreadable: "}},
		{"syntax, in prose", "notes.txt", head + "stringData:\n  a: [$CANARY\n", nil},
		{"syntax, not about Secrets", "", "apiVersion: v1\nkind: ConfigMap\ndata: [Secret\n", nil},
	})
}

const sealed = `apiVersion: ageseal.dev/v1alpha1
kind: EncryptedSecret
metadata:
  name: db
  namespace: prod
spec:
  suite: 1
  binding:
    namespace: prod
    name: db
  wraps:
    475rdxtz3v2prwywscz6juw6n4tmnstt:
      to: [scz6juw6n4tmnstt]
      age: YWdl
      dk: 9Jm0
  data:
    a:
      by: 475rdxtz3v2prwywscz6juw6n4tmnstt
      box: Ckk6
`

func TestMalformedSealed(t *testing.T) {
	edit := func(old, new string) string {
		if !strings.Contains(sealed, old) {
			t.Fatalf("nothing to replace: %q", old)
		}
		return strings.Replace(sealed, old, new, 1)
	}
	run(t, []testCase{
		{"another name", "", edit("  name: db\n  namespace: prod\nspec", "  name: other\n  namespace: prod\nspec"),
			[]string{"7: malformed-sealed: prod/other metadata.name is other, but the values were sealed for db, and only there they open"}},
		{"another namespace", "", edit("  namespace: prod\nspec", "  namespace: dev\nspec"),
			[]string{"7: malformed-sealed: dev/db metadata.namespace is dev, but the values were sealed for prod, and only there they open"}},
		{"another of both", "", edit("  name: db\n  namespace: prod\nspec", "  name: xx\n  namespace: yy\nspec"), []string{
			"7: malformed-sealed: yy/xx metadata.namespace is yy, but the values were sealed for prod, and only there they open",
			"7: malformed-sealed: yy/xx metadata.name is xx, but the values were sealed for db, and only there they open"}},
		{"no namespace in metadata", "", edit("  namespace: prod\nspec", "spec"), nil},
		{"no namespace in the binding", "", edit("    namespace: prod\n", ""), nil},
		{"a wider binding", "", edit("  binding:\n    namespace: prod\n    name: db\n", "  binding: {}\n"), nil},
	})
	for name, text := range map[string]string{
		"unknown suite":     edit("suite: 1", "suite: 2"),
		"unknown reference": edit("by: 475", "by: aaa"),
		"unknown field":     edit("  suite: 1\n", "  suite: 1\n  password: $CANARY\n"),
		"a value in clear":  edit("    a:\n      by: 475rdxtz3v2prwywscz6juw6n4tmnstt\n      box: Ckk6\n", "    a: $CANARY\n"),
		"stringData":        sealed + "stringData:\n  a: $CANARY\n",
		"duplicate key":     edit("  suite: 1\n", "  suite: 1\n  suite: 1\n"),
		"no binding":        edit("  binding:\n    namespace: prod\n    name: db\n", ""),
		"as a Secret":       edit("kind: EncryptedSecret", "kind: Secret"),
		"not YAML":          edit("suite: 1", "suite: [$CANARY"),
		"half":              sealed[:len(sealed)/2] + "\n   x",
	} {
		t.Run(name, func(t *testing.T) {
			got := lines(t, "apps/db.yaml", expand(text))
			if len(got) != 1 || !strings.Contains(got[0], ": malformed-sealed: ") {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestUTF16(t *testing.T) {
	text := expand(head + "stringData:\n  a: $CANARY\n")
	for name, order := range map[string]func(uint16) []byte{
		"little endian": func(u uint16) []byte { return []byte{byte(u), byte(u >> 8)} },
		"big endian":    func(u uint16) []byte { return []byte{byte(u >> 8), byte(u)} },
	} {
		encode := func(text string) string {
			var b bytes.Buffer
			for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
				b.Write(order(u))
			}
			return b.String()
		}
		want := []string{"2: plaintext-secret: prod/db [a]"}
		if diff := cmp.Diff(want, lines(t, "db.yaml", encode("# \U0001F511\n"+text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff([]string{"1: plaintext-unreadable: "}, lines(t, "db.yaml", encode(text+strings.Repeat("# large\n", 9<<17)))); diff != "" {
			t.Errorf("%s, large (-want +got):\n%s", name, diff)
		}
	}
}

func TestHint(t *testing.T) {
	for name, want := range map[string]string{
		"apps/db.yaml": "ageseal encrypt -w apps/db.yaml",
		"a b.yaml":     "ageseal encrypt -w 'a b.yaml'",
		"it's.yaml":    `ageseal encrypt -w 'it'\''s.yaml'`,
		"-w.yaml":      "ageseal encrypt -w ./-w.yaml",
		"$(x).yaml":    "ageseal encrypt -w '$(x).yaml'",
	} {
		got := verify.Bytes(name, []byte(expand(head+"stringData: {a: $CANARY}\n")))
		if len(got) != 1 || got[0].Hint != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Whoever can push can write these: they must neither take long nor say much.
func TestHostileFiles(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'z'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	merges := "m0: &m0 {a: b}\n"
	for i := 1; i < 40; i++ {
		merges += fmt.Sprintf("m%d: &m%d {<<: [*m%d, *m%d]}\n", i, i, i-1, i-1)
	}
	many := func(n int, s string) string { return strings.Repeat(s, n) }
	for name, text := range map[string]string{
		"alias bomb":        head + bomb + "stringData: *y\n",
		"bomb in ConfigMap": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations: {Secret: x}\n" + bomb + "data: *y\n",
		"merge bomb":        head + merges + "stringData:\n  <<: *m39\n",
		"deep":              head + "stringData: " + many(100_000, "{a: ") + "\n",
		"many Secrets":      many(20_000, "---\napiVersion: v1\nkind: Secret\nstringData: {a: b}\n"),
		"many faulty ones":  many(5_000, "---\napiVersion: v1\nkind: Secret\nstringData: {a: 1}\n"),
		"many quotes":       "apiVersion: v1\nkind: ConfigMap\ndata:\n" + many(5_000, "  ? \"Secret\"\n  : \"apiVersion: v1\\nkind: Secret\\nstringData: {a: b}\"\n"),
		"many ConfigMaps":   many(20_000, "---\napiVersion: v1\nkind: ConfigMap\ndata: {patch: Secret}\n"),
		"many generators":   "secretGenerator:\n" + many(20_000, "- literals: [a=b]\n"),
		"patches in bombs":  "# Secret\n" + bomb + "patches: *y\n",
		"many templates":    many(5_000, "---\n{{ x }}\napiVersion: v1\nkind: Secret\ndata:\n  a: b\n"),
		"many PEM headers":  many(100_000, "-----BEGIN PRIVATE KEY-----"),
		"many age prefixes": many(100_000, "AGE-SECRET-KEY-1"),
		"many plugins":      many(100_000, "AGE-PLUGIN-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		"many encoded":      many(100_000, "LS0tLS1CRUdJTi "),
		"9 MiB":             head + "stringData:\n  a: " + many(9<<20, "x") + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			got := verify.Bytes("x.yaml", []byte(text))
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if len(got) > 400 {
				t.Errorf("%d findings", len(got))
			}
			if wanted := strings.HasPrefix(text, head) || strings.HasPrefix(name, "many Secrets"); wanted && len(got) == 0 {
				t.Error("no finding")
			}
		})
	}
}

func BenchmarkBytes(b *testing.B) {
	binary := make([]byte, 1<<20)
	for i := range binary {
		binary[i] = byte(i * 7919 >> 3)
	}
	source := []byte(strings.Repeat("func main() { fmt.Println(\"Secret kind\\n\") }\n", 1<<20/45))
	values := []byte(strings.Repeat("replicas: 3 # of the kind\nimage: nginx\n", 1<<20/40))
	secret := []byte(expand(head + "data:\n  a: $BASE64\n"))
	deployment := []byte("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: x\n  annotations: {a: b}\nspec:\n  secretName: Secret\n" + strings.Repeat("  x: y\n", 50))
	for _, x := range []struct {
		name string
		data []byte
	}{{"binary of 1 MiB", binary}, {"source of 1 MiB", source}, {"YAML of 1 MiB", values}, {"a Secret", secret}, {"a Deployment", deployment}} {
		b.Run(x.name, func(b *testing.B) {
			for b.Loop() {
				verify.Bytes("x.yaml", x.data)
			}
		})
	}
}

// Names steer no terminal, wherever they come from.
func TestPrintable(t *testing.T) {
	const escape = "\x1b]0;x\a\u202e\u009b\u2066\u200b"
	quoted := strings.NewReplacer("\x1b", `\x1b`, "\a", `\a`).Replace(escape)
	for _, text := range []string{
		"apiVersion: v1\nkind: Secret\nmetadata: {name: \"\\e\\u202e\"}\nstringData: {\"\\e[1m\\u202e\": " + canary + "}\n",
		"apiVersion: v1\nkind: Secret\n\"\\e[1m\\u202e\": " + canary + "\n",
		"apiVersion: v1\nkind: Secret\nx: \xff\n",
		"apiVersion: ageseal.dev/v1alpha1\nkind: EncryptedSecret\nmetadata: {name: \"\\e\\u202e\"}\nspec: {\"\\e\": x, type: \"\\e\\u202e\"}\n",
		strings.Replace(sealed, "name: db\n  namespace: prod\nspec", "name: \"\\e\\u202e\"\n  namespace: \"\\e\\u202e\"\nspec", 1),
		"apiVersion: v1\nkind: ConfigMap\ndata:\n  \"\\e\\u202e\": |\n    apiVersion: v1\n    kind: Secret\n    metadata: {name: \"\\e\\u202e\"}\n    stringData: {a: b}\n",
		"apiVersion: builtin\nkind: SecretGenerator\nliterals: [\"\\e\\u202e=x\"]\n",
	} {
		found := verify.Bytes(quoted+escape+"\xff é.yaml", []byte(text))
		if len(found) == 0 {
			t.Errorf("no finding in %q", text)
		}
		for _, f := range found {
			for _, s := range []string{f.Rule, f.File, f.Secret, f.Key, f.What, f.Hint} {
				if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) || !utf8.ValidString(s) {
					t.Errorf("%q", s)
				}
			}
			if !strings.HasSuffix(f.File, `\u202e\u009b\u2066\u200b\xff é.yaml`) {
				t.Errorf("file %q", f.File)
			}
		}
	}
}
