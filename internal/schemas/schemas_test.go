// Package schemas has only tests: that docs/schemas take what the parsers take, refuse what editors can refuse, and have the same fields.
package schemas

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/kustomize"
	"github.com/ageseal/ageseal/policy"
)

const dir = "../../docs/schemas/"

func compile(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile(dir + name + "_v1alpha1.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate reads a document as validators of YAML do, and gives what the schema says of it.
func validate(t *testing.T, s *jsonschema.Schema, doc []byte) error {
	t.Helper()
	text := doc
	if doc[0] != '{' {
		var err error
		if text, err = yaml.YAMLToJSON(doc); err != nil {
			return err
		}
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(value)
}

// beyond are vectors of the class schema whose fault no JSON schema can see, because no trace of it is left in JSON.
var beyond = map[string]string{
	"schema-alias": yamlOnly, "schema-anchor": yamlOnly, "schema-merge-key": yamlOnly, "schema-tag": yamlOnly, "schema-tag-bare": yamlOnly,
	"schema-tag-binary": yamlOnly, "schema-tag-of-its-own": yamlOnly, "schema-immutable-yes": yamlOnly, "schema-suite-hex": yamlOnly,
	"schema-key-0o17": yamlOnly, "schema-key-1e3": yamlOnly, "schema-key-on": yamlOnly,
	"schema-suite-float":       "in JSON 1.0 is the integer 1",
	"schema-to-unsorted":       "JSON schema knows no order",
	"schema-twice-at-the-top":  twice,
	"schema-twice-in-a-value":  twice,
	"schema-twice-in-a-wrap":   twice,
	"schema-twice-in-binding":  twice,
	"schema-twice-in-data":     twice,
	"schema-twice-in-labels":   twice,
	"schema-twice-in-metadata": twice,
	"schema-twice-in-spec":     twice,
	"schema-twice-in-wraps":    twice,

	"schema-twice-in-data-quoted": twice,
}

const (
	yamlOnly = "as JSON it is like any other"
	twice    = "JSON has one of the two"
)

func TestSealedVectors(t *testing.T) {
	s := compile(t, "encryptedsecret")
	files, err := filepath.Glob("../../testdata/vectors/*-*")
	if err != nil {
		t.Fatal(err)
	}
	taken, refused := 0, 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil || filepath.Base(file) == "sealed-files" {
			continue
		}
		head, doc, _ := bytes.Cut(data, []byte("\n\n"))
		class, _, _ := strings.Cut(strings.TrimPrefix(string(head), "expect: "), "\n")
		if bytes.Contains(head, []byte("\npad: ")) || bytes.Contains(head, []byte("\nrepeat: ")) || class == "parse" || class == "limit" || bytes.Contains(doc, []byte("kind: List")) {
			continue // not a document as it stands, not one, or several
		}
		err = validate(t, s, doc)
		why, excepted := beyond[filepath.Base(file)]
		switch {
		case class == "schema" && err == nil && !excepted:
			t.Errorf("%s: taken", filepath.Base(file))
		case class == "schema" && err != nil && excepted:
			t.Errorf("%s: refused, though %s", filepath.Base(file), why)
		case class == "schema" || class == "unknown-suite":
			if err != nil {
				refused++
			}
		case err != nil:
			t.Errorf("%s (%s): %v", filepath.Base(file), class, err)
		default:
			taken++
		}
	}
	if taken < 100 || refused < 20 {
		t.Errorf("%d vectors taken and %d refused: too few to prove anything", taken, refused)
	}
}

// TestSealedOld: what earlier versions wrote.
func TestSealedOld(t *testing.T) {
	s := compile(t, "encryptedsecret")
	seen := 0
	files, err := filepath.Glob("../../testdata/compat/*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for doc := range strings.SplitSeq(string(data), "\n---\n") {
			if !strings.Contains(doc, "\nkind: EncryptedSecret") {
				continue // another kind, or a List
			}
			seen++
			if err := validate(t, s, []byte(doc)); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	if seen < 5 {
		t.Errorf("%d sealed manifests: too few to prove anything", seen)
	}
}

const head = "apiVersion: ageseal.dev/v1alpha1\nkind: Policy\nrecipients:\n  alice: $PQ\n  erin: [$X]\n"

func expand(text string) []byte {
	return []byte(strings.NewReplacer("$PQ", testkeys.Alice().Recipient().String(), "$X", testkeys.Erin().Recipient().String()).Replace(text))
}

// TestPolicy: what the parser takes, the schema takes; and of what the parser refuses, the schema refuses what is in this table.
func TestPolicy(t *testing.T) {
	s := compile(t, "policy")
	fresh, err := policy.Fresh(policy.Member{Name: "me", Recipients: []string{testkeys.Alice().Recipient().String()}}, policy.Recovery(testkeys.Bob().Recipient().String()))
	if err != nil {
		t.Fatal(err)
	}
	rules := "rules:\n- path: \"**\"\n  recipients: [alice]\n"
	for name, text := range map[string]string{
		"as init writes it": string(fresh),
		"small":             head + rules,
		"all there is": head + "groups: {ops: {members: [alice]}}\nrules:\n- {path: '/a/**/b?[a-z]', recipients: [ops, alice], namespace: a-1}\n" +
			"- {path: 'x y', recipients: [erin], classical: allow}\nsilence: [{finding: a-b, path: '*', reason: x}]\n",
	} {
		if _, err := policy.Parse(expand(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := validate(t, s, expand(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"no rules":                   head,
		"empty rules":                head + "rules: []\n",
		"null rules":                 head + "rules:\n",
		"another kind":               strings.Replace(head+rules, "Policy", "Secret", 1),
		"another version":            strings.Replace(head+rules, "v1alpha1", "v2", 1),
		"an unknown field":           head + rules + "rulez: []\n",
		"an unknown field of a rule": head + rules + "  paths: x\n",
		"a rule for nobody":          head + "rules:\n- {path: x, recipients: []}\n",
		"a rule with one name":       head + "rules:\n- {path: x, recipients: alice}\n",
		"a rule without a path":      head + "rules:\n- recipients: [alice]\n",
		"a number for a path":        head + "rules:\n- {path: 1, recipients: [alice]}\n",
		"negation":                   head + "rules:\n- {path: '!x', recipients: [alice]}\n",
		"a directory":                head + "rules:\n- {path: x/, recipients: [alice]}\n",
		"a way out":                  head + "rules:\n- {path: ../x, recipients: [alice]}\n",
		"stars beside a name":        head + "rules:\n- {path: 'x**', recipients: [alice]}\n",
		"a namespace":                head + rules + "  namespace: Prod\n",
		"classical":                  head + rules + "  classical: true\n",
		"no recipients":              "apiVersion: ageseal.dev/v1alpha1\nkind: Policy\nrecipients: {}\n" + rules,
		"nothing for a name":         head + "  bob: []\n" + rules,
		"a number for a recipient":   head + "  bob: 12\n" + rules,
		"an identity":                head + "  bob: " + testkeys.DaveText() + "\n" + rules,
		"a recipient for a name":     head + "  $X: $X\n" + rules,
		"a malformed name":           head + "  'a b': $PQ\n" + rules,
		"an empty group":             head + "groups: {ops: {members: []}}\n" + rules,
		"a group as a list":          head + "groups: {ops: [alice]}\n" + rules,
		"a recipient in a rule":      head + "rules:\n- {path: x, recipients: [$X]}\n",
		"silence without a reason":   head + rules + "silence: [{finding: a, path: x}]\n",
		"an empty reason":            head + rules + "silence: [{finding: a, path: x, reason: ' '}]\n",
		"a malformed finding":        head + rules + "silence: [{finding: A b, path: x, reason: r}]\n",
	} {
		if _, err := policy.Parse(expand(text)); err == nil {
			t.Errorf("%s: the parser takes it", name)
		}
		if err := validate(t, s, expand(text)); err == nil {
			t.Errorf("%s: the schema takes it", name)
		}
	}
}

func TestDecrypter(t *testing.T) {
	s := compile(t, "decrypter")
	const start = "apiVersion: ageseal.dev/v1alpha1\nkind: Decrypter\n"
	for text, valid := range map[string]bool{
		"metadata: {name: a}\nspec: {files: [db.yaml, 's/*.yaml', '[a-z].json']}\n":                                   true,
		"metadata: {name: a, namespace: b, labels: {c: d}, annotations: {e: f}}\nspec:\n  files:\n  - a b/..c.yaml\n": true,
		"metadata: {name: a}\nspec: {files: []}\n":                                                                    false,
		"metadata: {name: a}\nspec: {files: db.yaml}\n":                                                               false,
		"metadata: {name: a}\nspec: {file: [db.yaml]}\n":                                                              false,
		"metadata: {name: a}\nspec: {files: [../db.yaml]}\n":                                                          false,
		"metadata: {name: a}\nspec: {files: [/db.yaml]}\n":                                                            false,
		"metadata: {name: a}\nspec: {files: ['**/db.yaml']}\n":                                                        false,
		"metadata: {}\nspec: {files: [db.yaml]}\n":                                                                    false,
		"metadata: {name: a, x: b}\nspec: {files: [db.yaml]}\n":                                                       false,
		"metadata: {name: a}\nspec: {files: [db.yaml, '']}\n":                                                         false,
		"metadata: {name: a}\nspec: {files: [db.yaml]}\nx: 1\n":                                                       false,
		"metadata: {name: a}\nspec: {files: ['a\\b.yaml', 12]}\n":                                                     false,
	} {
		if _, err := kustomize.ParseDecrypter("x", []byte(start+text)); (err == nil) != valid {
			t.Errorf("%s: the parser says %v", text, err)
		}
		if err := validate(t, s, []byte(start+text)); (err == nil) != valid {
			t.Errorf("%s: the schema says %v", text, err)
		}
	}
}

// TestFields holds the fields of each object, and which of them are required, to the lists in the parsers' sources: every call of a
// function "fields" there has to be in this table.
func TestFields(t *testing.T) {
	tests := []struct {
		sources, schema string
		objects         map[string]string // what the parser calls an object → where the schema has it
	}{
		{"../../policy/parse.go ../../policy/group.go", "policy", map[string]string{
			"the policy": "", "group ": "properties/groups/additionalProperties", "rule": "properties/rules/items", "silence": "properties/silence/items"}},
		{"../../manifest/sealed.go", "encryptedsecret", map[string]string{
			"": "", "spec": "properties/spec", "spec.binding": "properties/spec/properties/binding",
			"spec.wraps": "properties/spec/properties/wraps/additionalProperties", "spec.data": "properties/spec/properties/data/additionalProperties"}},
		{"../../kustomize/decrypter.go", "decrypter", map[string]string{
			"a Decrypter": "", "metadata": "properties/metadata", "spec": "properties/spec"}},
	}
	for _, tt := range tests {
		t.Run(tt.schema, func(t *testing.T) {
			lists := map[string][]string{}
			for _, source := range strings.Fields(tt.sources) {
				maps.Copy(lists, fieldLists(t, source))
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(tt.objects)), slices.Sorted(maps.Keys(lists))); diff != "" {
				t.Fatalf("objects that the parser reads (-table +parser):\n%s", diff)
			}
			for object, at := range tt.objects {
				if diff := cmp.Diff(lists[object], schemaFields(t, tt.schema, at)); diff != "" {
					t.Errorf("%s%s (-parser +schema):\n%s", tt.schema, object, diff)
				}
			}
		})
	}
}

// fieldLists are the names that calls of "fields" in a source file have, required ones with a "*" in front, by the text before them. The
// marks are "*" in front of a required one, or "?" behind one that is not.
func fieldLists(t *testing.T, source string) map[string][]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string][]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		function, ok := call.Fun.(*ast.Ident)
		if method, isMethod := call.Fun.(*ast.SelectorExpr); isMethod {
			function, ok = method.Sel, true
		}
		if !ok || function.Name != "fields" {
			return true
		}
		var texts []string
		for _, arg := range call.Args {
			if sum, ok := arg.(*ast.BinaryExpr); ok {
				arg = sum.X
			}
			if text, ok := arg.(*ast.BasicLit); ok {
				value, err := strconv.Unquote(text.Value)
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, value)
			}
		}
		marked := slices.ContainsFunc(texts, func(s string) bool { return strings.HasPrefix(s, "*") })
		var names []string
		for _, name := range texts[1:] {
			if bare, optional := strings.CutSuffix(name, "?"); optional {
				name = bare
			} else if !marked {
				name = "*" + name
			}
			names = append(names, name)
		}
		slices.Sort(names)
		lists[texts[0]] = names
		return true
	})
	return lists
}

// schemaFields are the properties of an object of a schema, required ones with a "*" in front. It has to refuse all others.
func schemaFields(t *testing.T, name, at string) []string {
	t.Helper()
	file, err := os.Open(dir + name + "_v1alpha1.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	value, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	object := mapping(t, value)
	for _, step := range strings.FieldsFunc(at, func(r rune) bool { return r == '/' }) {
		object = mapping(t, object[step])
	}
	if object["additionalProperties"] != false {
		t.Errorf("%s %s takes unknown fields", name, at)
	}
	var names []string
	required, _ := object["required"].([]any)
	for field := range mapping(t, object["properties"]) {
		if slices.Contains(required, any(field)) {
			field = "*" + field
		}
		names = append(names, field)
	}
	slices.Sort(names)
	return names
}

func mapping(t *testing.T, value any) map[string]any {
	t.Helper()
	m, ok := value.(map[string]any)
	if !ok {
		t.Fatalf("not an object: %v", value)
	}
	return m
}
