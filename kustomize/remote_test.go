package kustomize

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestFetched: kustomize fetches resources: [https://…] by itself, past the filesystem. What is not sealed is the tree's, as with kustomize; a
// sealed manifest is left over and fails, wherever it is listed, and a sealed file is an age file as it is.
func TestFetched(t *testing.T) {
	files := map[string]string{
		"/settings.yaml": settings, "/db.yaml": seal(t, sealedDB), "/p.age": sealFile(t, canary, to{"shop", "db", "password"}),
	}
	served := make(map[string]int)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served[r.URL.Path]++
		if text, ok := files[r.URL.Path]; ok {
			_, _ = w.Write([]byte(text))
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	standard := http.DefaultTransport
	http.DefaultTransport = server.Client().Transport
	defer func() { http.DefaultTransport = standard }()

	native := strings.Replace(sealedDB, "stringData:\n  password: canary-password\n  user: canary-user\n", "data: {password: eA==}\n", 1)
	for name, c := range map[string]struct {
		kustomization string
		file          string // what is fetched
		kind          error
		want          string
	}{
		"not sealed":                    {"resources: [HOST/settings.yaml]\n", "/settings.yaml", nil, ""},
		"a resource":                    {"resources: [HOST/db.yaml]\n", "/db.yaml", ErrLeftover, "EncryptedSecret shop/db is still sealed"},
		"a resource beside one of ours": {"resources: [own.yaml, HOST/db.yaml]\n", "/db.yaml", ErrLeftover, "one from a URL"},
		"a generator":                   {"generators: [HOST/db.yaml]\n", "/db.yaml", nil, "external plugins disabled"},
		"a patch":                       {"resources: [plain.clear.yaml]\npatches: [{path: HOST/db.yaml}]\n", "/db.yaml", nil, "no matches"},
		"a patch of a target":           {"resources: [plain.clear.yaml]\npatches: [{path: HOST/db.yaml, target: {kind: Secret}}]\n", "/db.yaml", ErrLeftover, "still sealed"},
		"a transformer":                 {"resources: [own.yaml]\ntransformers: [HOST/db.yaml]\n", "/db.yaml", nil, "external plugins disabled"},
		"a manifest as a value":         {"namespace: shop\nsecretGenerator: [{name: db, files: [password=HOST/db.yaml]}]\n", "/db.yaml", ErrLeftover, "would hold a sealed manifest"},
		"a manifest in a ConfigMap":     {"namespace: shop\nconfigMapGenerator: [{name: db, files: [password=HOST/db.yaml]}]\n", "/db.yaml", ErrLeftover, "would hold a sealed manifest"},
		"a sealed file":                 {"namespace: shop\nsecretGenerator: [{name: db, files: [password=HOST/p.age]}]\n", "/p.age", ErrLeftover, "would hold an age file"},
		"a sealed file in a ConfigMap":  {"namespace: shop\nconfigMapGenerator: [{name: db, files: [password=HOST/p.age]}]\n", "/p.age", ErrLeftover, "would hold an age file"},
	} {
		t.Run(name, func(t *testing.T) {
			clear(served)
			dir := writeTree(t, map[string]string{
				"kustomization.yaml": strings.ReplaceAll(c.kustomization, "HOST", server.URL), "plain.clear.yaml": native, "own.yaml": strings.ReplaceAll(sealedDB, "name: db", "name: own"),
			})
			sealTree(t, dir)
			r, err := build1(dir, Options{})
			if served[c.file] == 0 {
				t.Fatalf("%s was not fetched: %v", c.file, served)
			}
			if c.want != "" {
				refused(t, r, err, c.kind, c.want)
				return
			}
			if err != nil || !strings.Contains(string(r.YAML), "name: settings\n") {
				t.Errorf("%v, %v", err, r)
			}
		})
	}
}

// TestHoldsSealed: a sealed manifest is known as a value, wherever in it the words fall.
func TestHoldsSealed(t *testing.T) {
	text := seal(t, sealedDB)
	for i := range 3 {
		if encoded := base64.StdEncoding.EncodeToString([]byte("#\n#"[:i] + text)); !holdsSealed(encoded) || !holdsSealed(encoded[:70]+"\n"+encoded[70:]) {
			t.Errorf("not found behind %d bytes", i)
		}
	}
	if !holdsSealed(text) || holdsSealed(sealedDB) || holdsSealed(strings.Repeat("EncryptedSecret ", 40)) {
		t.Error("text")
	}
}
