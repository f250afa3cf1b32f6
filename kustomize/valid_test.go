package kustomize

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/manifest"
)

// TestInvalidSecrets: what reads a Secret that is none quotes it, values and all, in its error. So there is none.
func TestInvalidSecrets(t *testing.T) {
	long := strings.Repeat("x", 254)
	for name, c := range map[string]struct{ kustomization, want string }{
		"data holds a mapping":       {jsonPatch("add", "/data/zz", `{"a":"b"}`), "data.zz"},
		"data holds a list":          {jsonPatch("add", "/data/zz", `["eA=="]`), "data.zz"},
		"data holds a number":        {jsonPatch("add", "/data/zz", `1234`), "data.zz"},
		"data holds no base64":       {jsonPatch("add", "/data/zz", `"%%%"`), "data.zz"},
		"data holds URL base64":      {jsonPatch("add", "/data/zz", `"-_-_"`), "data.zz"},
		"data holds unpadded base64": {jsonPatch("add", "/data/zz", `"eA"`), "data.zz"},
		"bad key":                    {jsonPatch("add", "/data/a b", `"eA=="`), "data"},
		"bad key, slash":             {jsonPatch("add", "/data/a~1b", `"eA=="`), "data"},
		"long key":                   {jsonPatch("add", "/data/"+long, `"eA=="`), "data"},
		"bad key of stringData":      {jsonPatch("add", "/stringData", `{"a b":"x"}`), "stringData"},
		"stringData is a list":       {jsonPatch("add", "/stringData", `["x"]`), "stringData"},
		"stringData holds a number":  {jsonPatch("add", "/stringData", `{"a":1}`), "stringData.a"},
		"stringData holds a mapping": {jsonPatch("add", "/stringData", `{"a":{}}`), "stringData.a"},
		"type is a mapping":          {jsonPatch("add", "/type", `{"a":1}`), "type"},
		"type is a list":             {jsonPatch("add", "/type", `["bootstrap.kubernetes.io/token"]`), "type"},
		"type is a number":           {jsonPatch("add", "/type", `1`), "type"},
		"immutable is a string":      {jsonPatch("add", "/immutable", `"yes"`), "immutable"},
		"immutable is a number":      {jsonPatch("add", "/immutable", `1`), "immutable"},
		"a field of another kind":    {jsonPatch("add", "/spec", `{}`), "spec"},
		"binaryData":                 {jsonPatch("add", "/binaryData", `{"a":"eA=="}`), "binaryData"},
		"labels are a list":          {jsonPatch("add", "/metadata/labels", `["x"]`), "metadata.labels"},
		"a label is a mapping":       {jsonPatch("add", "/metadata/labels", `{"a":{"b":"c"}}`), "metadata.labels"},
		"a label is a number":        {jsonPatch("add", "/metadata/labels", `{"a":1}`), "metadata.labels"},
		"finalizers are a string":    {jsonPatch("add", "/metadata/finalizers", `"x"`), "metadata.finalizers"},
		"owners are strings":         {jsonPatch("add", "/metadata/ownerReferences", `["x"]`), "metadata.ownerReferences"},
		"an owner's uid is a number": {jsonPatch("add", "/metadata/ownerReferences", `[{"uid":1}]`), "metadata.ownerReferences"},
		"a field metadata has not":   {jsonPatch("add", "/metadata/nonsense", `"x"`), "metadata.nonsense"},
		"generation is a string":     {jsonPatch("add", "/metadata/generation", `"x"`), "metadata.generation"},
		"uid is a mapping":           {jsonPatch("add", "/metadata/uid", `{}`), "metadata.uid"},
		"name suffix":                {"resources: [db.yaml]\nnameSuffix: '/Bad Name!'\n", "metadata.name"},
		"name prefix":                {"resources: [db.yaml]\nnamePrefix: UPPER-\n", "metadata.name"},
		"long name":                  {"resources: [db.yaml]\nnamePrefix: " + long + "\n", "metadata.name"},
		"name ends in a dot":         {"resources: [db.yaml]\nnameSuffix: .\n", "metadata.name"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeTree(t, map[string]string{"kustomization.yaml": c.kustomization, "db.yaml": sealedDB})
			sealTree(t, dir)
			for _, files := range []bool{false, true} {
				r, err := build1(dir, Options{OutputDir: files})
				refused(t, r, err, ErrInvalid, c.want)
			}
		})
	}
}

// TestInvalidNamespace: what is bound to no namespace goes into none that can't be.
func TestInvalidNamespace(t *testing.T) {
	for _, namespace := range []string{"Evil", "a.b", "a/b", "-a", strings.Repeat("x", 64)} {
		dir := writeTree(t, map[string]string{
			"kustomization.yaml": fmt.Sprintf("resources: [db.yaml]\nnamespace: %q\n", namespace),
			"db.yaml":            strings.Replace(sealedDB, "  namespace: shop\n", "", 1),
		})
		sealTree(t, dir)
		r, err := build1(dir, Options{})
		refused(t, r, err, ErrInvalid, "metadata.namespace")
	}
}

// TestOddButValidSecrets: what Kubernetes takes is built.
func TestOddButValidSecrets(t *testing.T) {
	for name, kustomization := range map[string]string{
		"base64 in lines": jsonPatch("add", "/data/zz", `"eHh4\neHh4\n"`),
		"empty value":     jsonPatch("add", "/data/zz", `""`),
		"no value":        jsonPatch("add", "/data/zz", `null`),
		"number as key":   jsonPatch("add", "/data/12", `"eA=="`),
		"dotted key":      jsonPatch("add", "/data/.a_b-C.9", `"eA=="`),
		"stringData":      jsonPatch("add", "/stringData", `{"a":"b","c":""}`),
		"own type":        jsonPatch("add", "/type", `"example.com/own"`),
		"immutable":       jsonPatch("add", "/immutable", `true`),
		"metadata": jsonPatch("add", "/metadata", `{"name":"db","namespace":"shop","labels":{"a":"1"},"annotations":{},"finalizers":["example.com/x"],`+
			`"creationTimestamp":null,"generation":1,"ownerReferences":[{"apiVersion":"v1","kind":"X","name":"x","uid":"u","controller":true}]}`),
		"dots in the name": "resources: [db.yaml]\nnameSuffix: .v1.0\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeTree(t, map[string]string{"kustomization.yaml": kustomization, "db.yaml": sealedDB})
			sealTree(t, dir)
			if _, err := build1(dir, Options{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestMergedTotal: documents within the limit are not so once they are one Secret.
func TestMergedTotal(t *testing.T) {
	for want, sizes := range map[string][3]int{"": {600, 300, 124}, "1049600 bytes": {600, 300, 125}, "1228800 bytes": {600, 600, 0}} {
		value := func(i int) string { return strings.Repeat("x", sizes[i]<<10) }
		text := func(key, value string) string {
			return "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {" + key + ": " + value + "}\n"
		}
		dir := writeTree(t, map[string]string{
			"kustomization.yaml": "resources: [db.yaml]\npatches: [{path: patch.yaml}, {path: plain.clear.yaml}]\n",
			"db.yaml":            text("canary", value(0)), "patch.yaml": text("user", value(1)), "plain.clear.yaml": text("plain", value(2)),
		})
		sealTree(t, dir)
		r, err := build1(dir, Options{})
		if want != "" {
			refusedQuietly(t, r, err, want)
		} else if err != nil {
			t.Error(err)
		}
	}
}

func refusedQuietly(t *testing.T, r *Result, err error, want string) {
	t.Helper()
	refused(t, r, err, manifest.ErrLimit, want)
	if strings.Contains(err.Error(), "xxx") {
		t.Error("the error holds a value")
	}
}

func jsonPatch(op, path, value string) string {
	return fmt.Sprintf("resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\":%q,\"path\":%q,\"value\":%s}]'\n", op, path, value)
}
