package kustomize

import (
	"strings"
	"testing"
)

// TestClearOverSealed: stringData wins over data in a cluster, so a plain patch of it would replace a sealed value while the build shows
// both. Other keys, and a patch that takes the sealed value away itself, are whoever's who reviews them.
func TestClearOverSealed(t *testing.T) {
	merge := func(fields string) string {
		return "patches:\n- patch: '{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop}, " + fields + "}'\n"
	}
	for name, c := range map[string]struct {
		kustomization string
		want          string // the key that is told of
	}{
		"strategic merge":                {"resources: [db.yaml]\n" + merge("stringData: {password: clear}"), "password"},
		"strategic merge, no value":      {"resources: [db.yaml]\n" + merge(`stringData: {password: ""}`), "password"},
		"patchesStrategicMerge":          {"resources: [db.yaml]\npatchesStrategicMerge:\n- '{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: shop}, stringData: {user: clear}}'\n", "user"},
		"JSON 6902":                      {jsonPatch("add", "/stringData", `{"password":"clear"}`), "password"},
		"JSON 6902, null":                {jsonPatch("add", "/stringData", `{"password":null}`), "password"},
		"from a file":                    {"resources: [db.yaml]\npatches: [{path: p.clear.yaml}]\n", "password"},
		"a layer above":                  {"resources: [base]\nnamePrefix: x-\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\":\"add\",\"path\":\"/stringData\",\"value\":{\"password\":\"clear\"}}]'\n", "password"},
		"over a generator":               {"generators: [db.yaml]\n" + merge("stringData: {password: clear}"), "password"},
		"over a sealed file":             {"namespace: shop\nsecretGenerator: [{name: db, files: [password=p.age], options: {disableNameSuffixHash: true}}]\n" + strings.Replace(merge("stringData: {password: clear}"), ", namespace: shop", "", 1), "password"},
		"another key":                    {"resources: [db.yaml]\n" + merge("stringData: {more: clear}"), ""},
		"the sealed value is taken away": {"resources: [db.yaml]\n" + merge("data: {password: null}, stringData: {password: clear}"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeTree(t, map[string]string{
				"kustomization.yaml": c.kustomization, "db.yaml": sealedDB, "base/kustomization.yaml": "resources: [db.yaml]\n", "base/db.yaml": sealedDB,
				"p.clear.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {password: clear}\n",
				"p.age":        sealFile(t, canary, to{"shop", "db", "password"}),
			})
			sealTree(t, dir)
			for _, redact := range []bool{false, true} {
				r, err := build1(dir, Options{Redact: redact})
				if c.want == "" {
					if err != nil {
						t.Error(err)
					}
					continue
				}
				refused(t, r, err, ErrPlacement, " "+c.want+" look for the patch")
				if text := err.Error(); !strings.Contains(text, "db would have this key in stringData") || strings.Contains(text, "clear") {
					t.Errorf("the error says %q", text)
				}
			}
		})
	}
}
