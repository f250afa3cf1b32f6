package kustomize

import (
	"fmt"
	"testing"
)

// TestFileNamesStay: no name of a resource, a kind or a namespace leads out of the directory of -o.
func TestFileNamesStay(t *testing.T) {
	config := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"
	crd := "apiVersion: example.com/v1\nkind: %q\nmetadata: {name: x}\n"
	for name, files := range map[string]map[string]string{
		"suffix":    {"kustomization.yaml": "resources: [a.yaml]\nnameSuffix: /../../public/evil\n", "a.yaml": fmt.Sprintf(config, "a")},
		"prefix":    {"kustomization.yaml": "resources: [a.yaml]\nnamePrefix: ../\n", "a.yaml": fmt.Sprintf(config, "a")},
		"backslash": {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": fmt.Sprintf(config, `'a\b'`)},
		"NUL":       {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": fmt.Sprintf(config, `"a\0b"`)},
		"kind":      {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": fmt.Sprintf(crd, "../../x")},
		"cluster":   {"kustomization.yaml": "resources: [a.yaml]\nnamePrefix: ../\n", "a.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n---\n" + fmt.Sprintf(clusterRole, "x")},
		"namespace": {"kustomization.yaml": "resources: [a.yaml, b.yaml]\n", "a.yaml": fmt.Sprintf(config, "a, namespace: ../../x"), "b.yaml": fmt.Sprintf(config, "b, namespace: y")},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeTree(t, files)
			r, err := build1(dir, Options{OutputDir: true})
			refused(t, r, err, nil, "no file name")
			if _, err := build1(dir, Options{}); err != nil {
				t.Errorf("as a stream: %v", err)
			}
		})
	}
}

const clusterRole = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: %s}\nrules: []\n"

// TestSecretLosesItsFile: a Secret with values is neither lost nor written over something else.
func TestSecretLosesItsFile(t *testing.T) {
	for _, resources := range []string{"db.yaml, lower.yaml", "lower.yaml, db.yaml"} {
		dir := writeTree(t, map[string]string{
			"kustomization.yaml": "resources: [" + resources + "]\n", "db.yaml": sealedDB,
			"lower.yaml": "apiVersion: v1\nkind: secret\nmetadata: {name: db, namespace: shop}\n",
		})
		sealTree(t, dir)
		r, err := build1(dir, Options{OutputDir: true})
		refused(t, r, err, nil, "v1_secret_db.yaml")
		if _, err := build1(dir, Options{}); err != nil {
			t.Errorf("as a stream: %v", err)
		}
	}
}
