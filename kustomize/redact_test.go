package kustomize

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/kyaml/kio"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/corpora"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// keyless are the options of a redacted build that fails the test if it asks for a key.
func keyless(t *testing.T, root string) Options {
	return Options{Redact: true, Root: root, Opener: func() (*crypt.Opener, error) {
		t.Error("a redacted build asks for identities")
		return nil, errors.New("none")
	}}
}

// redactedSecrets holds every Secret of a redacted stream against the rules of the API server and of this package, and
// returns how many there are that say they are redacted.
func redactedSecrets(t *testing.T, stream []byte) (n int) {
	t.Helper()
	for i := range 3 { // at each offset in base64
		token := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", i) + canary))
		if strings.Contains(string(stream), canary) || strings.Contains(string(stream), token[2:len(token)-1]) {
			t.Error("plaintext is in a redacted build")
		}
	}
	f, err := manifest.Parse(stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range f.Items() {
		if item.Kind != manifest.Native {
			continue
		}
		s, err := item.Native()
		if err != nil {
			t.Fatal(err)
		}
		if err := secret.Check(s, item.Line, ""); err != nil {
			t.Errorf("Secret %s/%s: %v", s.Namespace, s.Name, err)
		}
		if s.Annotations["ageseal.dev/redacted"] != "true" {
			continue
		}
		n++
		for key, v := range s.Values {
			if !regexp.MustCompile(`redacted-[0-9a-f]{16}`).Match(v.Bytes) {
				t.Errorf("Secret %s/%s: key %s has another value", s.Namespace, s.Name, key)
			}
		}
	}
	docs, err := kio.FromBytes(stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range docs {
		if doc.GetKind() == "Secret" && doc.GetApiVersion() == "v1" {
			var v validator
			if v.secret(doc.YNode()); len(v.faults) > 0 {
				t.Errorf("Secret %s: %q", doc.GetName(), v.faults)
			}
		}
	}
	return n
}

// setValue seals another value under a key of the one Secret in a file, without a key.
func setValue(t *testing.T, path, key string) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := manifest.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	s, err := secret.Read(f.Items()[0])
	if err != nil {
		t.Fatal(err)
	}
	target := secret.Target{Recipients: []*crypt.Recipient{testkeys.Dave().Recipient()}}
	if _, err := secret.NewWriter().Set(f.Items()[0], s, key, []byte(canary), secret.SetOptions{Target: target}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// changed are the lines of after that differ from those of before, which has to have as many.
func changed(t *testing.T, before, after []byte) (lines []string) {
	t.Helper()
	was, is := strings.Split(string(before), "\n"), strings.Split(string(after), "\n")
	if len(was) != len(is) {
		t.Fatalf("%d lines became %d", len(was), len(is))
	}
	for i := range is {
		if was[i] != is[i] {
			lines = append(lines, strings.TrimSpace(is[i]))
		}
	}
	return lines
}

// TestRedactTwin builds a real GitOps repository, its Secrets encrypted, without a key.
func TestRedactTwin(t *testing.T) {
	var builds []goldenBuild
	corpora.JSON(t, &builds, "corpora", "gitops", "twin-builds.json")
	builds = slices.DeleteFunc(builds, func(b goldenBuild) bool { return b.Secrets == 0 })
	if len(builds) != 56 {
		t.Fatalf("%d builds with a Secret, want 56", len(builds))
	}
	root := t.TempDir()
	corpora.Untar(t, corpora.Path(t, "corpora", "gitops", "Diaoul+home-ops.twin.tar.gz"), root)
	bindWider(t, filepath.Join(goldenPath(t, root, "kubernetes/components/common/sops"), "cluster-secrets.sops.yaml"))
	sealTree(t, root)
	all := func() map[string][]byte {
		out := make(map[string][]byte)
		for _, b := range builds {
			o := keyless(t, root)
			o.Kustomize = flags(t, b.Flags)
			out[b.Path] = mustBuild(t, goldenPath(t, root, b.Path), o)
		}
		return out
	}
	before := all()
	for _, b := range builds {
		if n := redactedSecrets(t, before[b.Path]); n != b.Secrets {
			t.Errorf("%s: %d redacted Secrets, want %d", b.Path, n, b.Secrets)
		}
	}
	if diff := cmp.Diff(before, all()); diff != "" {
		t.Errorf("the second run differs (-first +second):\n%s", diff)
	}

	file := firstSealed(t, root)
	setValue(t, file.path, file.key)
	after, touched := all(), 0
	for path, was := range before {
		lines := changed(t, was, after[path])
		if len(lines) == 0 {
			continue
		}
		touched++
		if len(lines) != 1 || !strings.HasPrefix(lines[0], file.key+": ") {
			t.Errorf("%s: one value was set, and these lines changed: %q", path, lines)
		}
	}
	if touched == 0 {
		t.Errorf("no build shows that %s changed", file.path)
	}
}

type sealedValue struct{ path, key string }

// firstSealed finds a value in a file of one sealed Secret below an app.
func firstSealed(t *testing.T, root string) sealedValue {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(goldenPath(t, root, "kubernetes/apps"), "*", "*", "app", "*.sops.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no sealed files: %v", err)
	}
	src, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	f, err := manifest.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	s, err := secret.Read(f.Items()[0])
	if err != nil {
		t.Fatal(err)
	}
	for key := range s.Spec.Data {
		return sealedValue{paths[0], key}
	}
	t.Fatal("it has no value")
	return sealedValue{}
}

// TestRedactNamesOfHashes: a value that changes takes the hash in the name and in what refers to it along, and nothing else.
func TestRedactNamesOfHashes(t *testing.T) {
	hashed := strings.Replace(sealedDB, "  namespace: shop\n", "  namespace: shop\n  annotations: {kustomize.config.k8s.io/needs-hash: \"true\"}\n", 1)
	pod := "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec:\n  containers: [{name: c, image: i}]\n  volumes: [{name: v, secret: {secretName: db}}]\n"
	for _, list := range []string{"resources: [db.yaml, pod.yaml]\n", "generators: [db.yaml]\nresources: [pod.yaml]\n"} {
		dir := writeTree(t, map[string]string{"kustomization.yaml": list, "db.yaml": hashed, "pod.yaml": pod})
		sealTree(t, dir)
		before := mustBuild(t, dir, keyless(t, dir))
		setValue(t, filepath.Join(dir, "db.yaml"), "password")
		after := mustBuild(t, dir, keyless(t, dir))
		lines := changed(t, before, after)
		if len(lines) != 3 || !strings.HasPrefix(lines[0], "password: ") || !strings.HasPrefix(lines[1], "name: db-") || lines[2] != "secretName"+lines[1][4:] {
			t.Errorf("%q: changed: %q", list, lines)
		}
		if name := hashSuffix().FindString(lines[1]); name == "" || strings.Contains(string(mustBuild(t, dir, Options{Root: dir, Opener: dave().get})), name) {
			t.Errorf("the name is %s, as in a real build", lines[1])
		}
	}
}

// TestRedactTypes: what the API server asks of a type, its placeholders have.
func TestRedactTypes(t *testing.T) {
	for kind, c := range map[string]struct{ values, annotations string }{
		"Opaque":                              {"k: canary-k, empty: '', long: " + strings.Repeat("canary-", 1000), ""},
		"kubernetes.io/dockerconfigjson":      {`.dockerconfigjson: '{"auths":{"canary.example":{"auth":"canary"}}}'`, ""},
		"kubernetes.io/dockercfg":             {`.dockercfg: '{"canary.example":{"auth":"canary"}}'`, ""},
		"kubernetes.io/tls":                   {"tls.crt: canary-crt, tls.key: canary-key", ""},
		"kubernetes.io/ssh-auth":              {"ssh-privatekey: canary-ssh", ""},
		"kubernetes.io/basic-auth":            {"username: canary-user, password: canary-password", ""},
		"kubernetes.io/service-account-token": {"extra: canary-extra", "kubernetes.io/service-account.name: robot"},
		"bootstrap.kubernetes.io/token":       {"token-id: canary, token-secret: canary-token", ""},
		"example.com/own":                     {"k: canary-k", "ageseal.dev/redacted: 'false'"},
	} {
		for _, field := range []string{"resources", "generators"} {
			t.Run(kind+" "+field, func(t *testing.T) {
				dir := writeTree(t, map[string]string{
					"kustomization.yaml": field + ": [s.yaml]\ncommonAnnotations: {ageseal.dev/redacted: 'no'}\n",
					"s.yaml":             fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop, annotations: {%s}}\ntype: %s\nstringData: {%s}\n", c.annotations, kind, c.values),
				})
				sealTree(t, dir)
				r, err := Build(t.Context(), dir, keyless(t, dir))
				if err != nil {
					t.Fatal(err)
				}
				if n := redactedSecrets(t, r.YAML); n != 1 {
					t.Errorf("%d redacted Secrets, want 1:\n%s", n, r.YAML)
				}
				if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "not fit for a cluster: 1") {
					t.Errorf("warnings: %q", r.Warnings)
				}
			})
		}
	}
}

// TestRedactLeavesTheRest: what is not sealed is as in a build without sealed documents, and nothing is said of it.
func TestRedactLeavesTheRest(t *testing.T) {
	dir := writeTree(t, map[string]string{"kustomization.yaml": "resources: [other.yaml, settings.yaml]\n", "other.yaml": other, "settings.yaml": settings})
	r, err := Build(t.Context(), dir, keyless(t, dir))
	if err != nil || len(r.Warnings) > 0 || cmp.Diff(string(mustBuild(t, dir, Options{Root: dir})), string(r.YAML)) != "" {
		t.Errorf("%v, warnings %q:\n%s", err, r.Warnings, r.YAML)
	}
}

// TestRedactMalformed: a box that can't be one is found without a key.
func TestRedactMalformed(t *testing.T) {
	good := seal(t, sealedDB)
	for name, change := range map[string]func(box string) string{
		"too short": func(box string) string { return box[:len(box)-4] },
		"no base64": func(box string) string { return "_" + box[1:] },
	} {
		box := regexp.MustCompile(`box: (.*)`).FindStringSubmatch(good)[1]
		dir := writeTree(t, map[string]string{"kustomization.yaml": "resources: [db.yaml]\n", "db.yaml": strings.Replace(good, box, change(box), 1)})
		r, err := Build(t.Context(), dir, keyless(t, dir))
		if refused(t, r, err, nil, "db.yaml shop/db password"); err != nil && strings.Contains(err.Error(), box[:8]) {
			t.Errorf("%s: the error quotes ciphertext: %v", name, err)
		}
	}
}

// TestRedactedFiles: a sealed file's value is a placeholder, the keys of a sealed dotenv are one, and nothing else of it is known.
func TestRedactedFiles(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"kustomization.yaml": "namespace: shop\nsecretGenerator:\n- {name: app, files: [password=password.age], envs: [app.env.age, more.env.age]}\n- {name: pull, type: kubernetes.io/dockerconfigjson, files: [.dockerconfigjson=cfg.age]}\n",
		"password.age":       sealFile(t, canary, to{"shop", "app", "password"}),
		"app.env.age":        sealFile(t, "USER="+canary+"\n", to{"shop", "app", ""}),
		"more.env.age":       sealFile(t, "MORE="+canary+"\n", to{"shop", "app", ""}),
		"cfg.age":            sealFile(t, `{"auths":{}}`, to{"shop", "pull", ".dockerconfigjson"}),
	})
	r, err := Build(t.Context(), dir, keyless(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	out := string(r.YAML)
	if n := redactedSecrets(t, r.YAML); n != 2 || strings.Count(out, "REDACTED_DOTENV_") != 2 {
		t.Errorf("%d redacted Secrets:\n%s", n, out)
	}
	again, err := Build(t.Context(), dir, keyless(t, dir))
	if err != nil || string(again.YAML) != out {
		t.Errorf("built again it is another: %v", err)
	}
}
