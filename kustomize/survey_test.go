package kustomize

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/ageseal/ageseal/manifest"
)

// surveyed runs the survey over one resource in which TOKEN, RAW and TWICE stand for a placeholder's forms.
func surveyed(t *testing.T, src string) *survey {
	t.Helper()
	b := &build{marks: newMarks(), slots: make(map[string]*slot), tree: newTree(nil)}
	d := &document{file: "db.yaml", ref: "shop/db", binding: manifest.Binding{Namespace: "shop", Name: "db"}, line: 1, keys: []sealedKey{{name: "password", line: 7}}}
	raw, token := b.placeholder(d, "password")
	src = strings.NewReplacer("TOKEN", token, "RAW", raw, "TWICE", base64.StdEncoding.EncodeToString([]byte("x"+token)), "HEAD", raw[:markLen]).Replace(src)
	n, err := yaml.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	s := &survey{b: b}
	s.resource(&resource.Resource{RNode: *n})
	return s
}

func TestSurvey(t *testing.T) {
	const head = "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\n"
	for name, c := range map[string]struct {
		src, want string
		kind      error
	}{
		"in its place":          {head + "data: {password: TOKEN}", "", nil},
		"in a list":             {head + "data: {password: [TOKEN]}", "field data.password[0]", ErrPlacement},
		"raw":                   {head + "data: {password: RAW}", "field data.password", ErrPlacement},
		"with more":             {head + "data: {password: TOKENTOKEN}", "field data.password", ErrPlacement},
		"with a line break":     {head + "data: {password: \"TOKEN\\n\"}", "field data.password", ErrPlacement},
		"a piece":               {head + "metadata: {name: xHEADx}", "field metadata.name", ErrPlacement},
		"twice encoded":         {head + "data: {password: TWICE}", "field data.password", ErrPlacement},
		"as a key":              {head + "data: {TOKEN: x}", "field data.(sealed value)", ErrPlacement},
		"as a key of its value": {head + "data: {TOKEN: TOKEN}", "field data.(sealed value)", ErrPlacement},
		"as a key elsewhere":    {head + "metadata: {labels: {RAW: x}}", "field metadata.labels.(sealed value)", ErrPlacement},
		"in a List":             {"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop}, data: {password: TOKEN}}", "field items[0].data.password", ErrPlacement},
		"our kind":              {"apiVersion: ageseal.dev/v9\nkind: EncryptedSecret\nmetadata: {name: x}", "EncryptedSecret x is still sealed", ErrLeftover},
		"our kind in a list":    {"apiVersion: v1\nkind: Things\nmetadata: {name: x}\nthings: [{apiVersion: ageseal.dev/v1alpha1, kind: EncryptedSecret}]", "Things x is still sealed", ErrLeftover},
		"a CRD of our kind":     {"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\nspec: {group: ageseal.dev, names: {kind: EncryptedSecret}}", "", nil},
		"suite and wraps":       {"apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nspec: {suite: 1, wraps: {}}", "Secret x is still sealed", ErrLeftover},
		"armor":                 {head + "stringData: {k: \"\\n" + armorBegin + "\\nx\"}", "field stringData.k", ErrLeftover},
		"armor in base64":       {head + "data: {k: " + base64.StdEncoding.EncodeToString([]byte(armorBegin+"\nx")) + "}", "field data.k", ErrLeftover},
		"armor, binary":         {strings.Replace(head, "Secret", "ConfigMap", 1) + "binaryData: {k: " + base64.StdEncoding.EncodeToString([]byte(armorBegin+"\nx")) + "}", "field binaryData.k", ErrLeftover},
		"armor in the middle":   {strings.Replace(head, "Secret", "ConfigMap", 1) + "data: {k: 'a guide to " + armorBegin + "'}", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := surveyed(t, c.src)
			if c.kind == nil {
				if len(s.faults) > 0 {
					t.Errorf("faults: %v", s.faults)
				}
				return
			}
			if len(s.faults) == 0 || len(s.placed) > 0 {
				t.Fatalf("%d faults, %d placed", len(s.faults), len(s.placed))
			}
			refused(t, nil, errors.Join(s.faults...), c.kind, c.want)
		})
	}
	if s := surveyed(t, head+"data: {password: TOKEN, user: eA==}"); len(s.placed) != 1 || len(s.placed[0].sites) != 1 || s.placed[0].sites[0].key != "password" {
		t.Errorf("placed: %+v", s.placed)
	}
}

func TestSurveyNamesTheValue(t *testing.T) {
	s := surveyed(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: 'https://TOKEN@example.com'}")
	var e *Error
	if len(s.faults) != 1 || !errors.As(s.faults[0], &e) || e.File != "db.yaml" || e.Line != 7 || e.Secret != "shop/db" || e.Key != "password" {
		t.Errorf("%+v", s.faults)
	}
}

func TestRenames(t *testing.T) {
	r := renames{"2456789bcd": {new: "ffffffffff", names: []string{"db", "a-db"}}, "ttttttttt2": {new: "gggggggggg", names: []string{"api"}}}
	for s, want := range map[string]string{
		"db-2456789bcd":                        "db-ffffffffff",
		"x=a-db-2456789bcd,api-ttttttttt2-not": "x=a-db-ffffffffff,api-gggggggggg-not",
		"api-2456789bcd":                       "api-2456789bcd",
		"-2456789bcd":                          "-2456789bcd",
		"db-2456789bc":                         "db-2456789bc",
		"":                                     "", "-": "-", "----------------": "----------------",
		"db-2456789bcd-2456789bcd": "db-ffffffffff-2456789bcd",
	} {
		if got := r.apply(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

// TestUnknownUse: a file that kustomize reads for something that no kustomization says is no place for a sealed manifest.
func TestUnknownUse(t *testing.T) {
	b := &build{marks: newMarks(), slots: make(map[string]*slot), fs: newFileSystem("/", false)}
	out, err := b.serve("/x/values.yaml", 0, []byte(seal(t, sealedDB)))
	if out != nil {
		t.Error("it was served")
	}
	refused(t, nil, err, ErrUse, "nothing that kustomize reads it for")
}

func TestScalar(t *testing.T) {
	var all []string
	for _, s := range []string{"", "MQ==", "1234", "12e4", "true", "null", "Null", "0x1F", "+Inf", "1e4555555555", "0777", "++++", "////", "yyyy", "NaN=", "off=", "12345678", "1111111111111111111111111111111111111111", "AAAAAAAA", "abcdefgh", "deadbeef", "12e45678", "0b010101"} {
		all = append(all, s, s+s, s+"Zz==")
	}
	for _, s := range all {
		n := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
			{Kind: yaml.ScalarNode, Tag: yaml.NodeTagString, Value: "k"},
			{Kind: yaml.ScalarNode, Tag: yaml.NodeTagString, Value: s},
		}}
		want, err := (&resource.Resource{RNode: *yaml.NewRNode(n)}).AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		got := bytes.NewBufferString("k: ")
		if err := scalar(got, s); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		if got.String() != string(want) {
			t.Errorf("%q: got %q, want %q", s, got.String(), want)
		}
	}
}

const armorBegin = "-----BEGIN AGE ENCRYPTED FILE-----"
