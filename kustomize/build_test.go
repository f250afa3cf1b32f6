package kustomize

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
)

func TestNamespaceIsFilledIn(t *testing.T) {
	bound := strings.Replace(seal(t, sealedDB), "  namespace: shop\n", "", 1) // metadata only: the binding stays
	unbound := seal(t, strings.Replace(sealedDB, "  namespace: shop\n", "", 1))
	for name, c := range map[string]struct {
		text, kustomization, namespace string
		want                           string
	}{
		"from the binding":                {bound, "", "", "  namespace: shop\n"},
		"from the binding, where applied": {bound, "", "shop", "  namespace: shop\n"},
		"from the overlay":                {bound, "namespace: shop\n", "", "  namespace: shop\n"},
		"unbound, from the overlay":       {unbound, "namespace: green\n", "", "  namespace: green\n"},
		"unbound, left to be applied":     {unbound, "", "green", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeTree(t, map[string]string{"kustomization.yaml": "resources: [db.yaml]\n" + c.kustomization, "db.yaml": c.text})
			r, err := build1(dir, Options{Namespace: c.namespace})
			if err != nil {
				t.Fatal(err)
			}
			want := "apiVersion: v1\ndata:\n  password: Y2FuYXJ5LXBhc3N3b3Jk\n  user: Y2FuYXJ5LXVzZXI=\nkind: Secret\nmetadata:\n  name: db\n" + c.want + "type: Opaque\n"
			if diff := cmp.Diff(want, string(r.YAML)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestTwoNamespacesInOne: a patch sealed for one namespace does not follow its target into another, though neither says so
// in its metadata.
func TestTwoNamespacesInOne(t *testing.T) {
	bare := func(text string) string { return strings.Replace(text, "  namespace: shop\n", "", 1) }
	patch := strings.Replace(seal(t, strings.ReplaceAll(sealedDB, "namespace: shop", "namespace: evil")), "  namespace: evil\n", "", 1)
	dir := writeTree(t, map[string]string{
		"kustomization.yaml": "resources: [db.yaml]\npatches: [{path: patch.yaml}]\n",
		"db.yaml":            bare(seal(t, sealedDB+"  third: canary-third\n")), "patch.yaml": patch,
	})
	r, err := build1(dir, Options{})
	refused(t, r, err, ErrPlacement, "sealed for namespace")
}

// TestPatchOfStringData: what worked on the plaintext gets a word about data.
func TestPatchOfStringData(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"kustomization.yaml": "resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\": \"replace\", \"path\": \"/stringData/user\", \"value\": \"x\"}]'\n",
		"db.yaml":            sealedDB,
	})
	sealTree(t, dir)
	r, err := build1(dir, Options{})
	refused(t, r, err, nil, "/data/")
}

func TestFilledNamespaceMeetsAnother(t *testing.T) {
	sealed := seal(t, sealedDB)
	dir := writeTree(t, map[string]string{
		"kustomization.yaml": "resources: [db.yaml, db2.yaml]\nsortOptions: {order: fifo}\n",
		"db.yaml":            sealed, "db2.yaml": strings.Replace(sealed, "  namespace: shop\n", "", 1),
	})
	r, err := build1(dir, Options{})
	refused(t, r, err, nil, "already registered id")
}

// TestHashThatDoesNotVerify: a var changes a Secret after kustomize hashed it, so its hash can't be known.
func TestHashThatDoesNotVerify(t *testing.T) {
	hashed := strings.Replace(sealedDB, "  namespace: shop\n", "  namespace: shop\n  annotations: {kustomize.config.k8s.io/needs-hash: \"true\"}\n", 1)
	dir := writeTree(t, map[string]string{
		"kustomization.yaml": "resources: [db.yaml, settings.yaml]\nconfigurations: [c.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '{apiVersion: v1, kind: Secret, metadata: {name: db}, data: {extra: $(NAME)}}'\n" +
			"vars:\n- name: NAME\n  objref: {apiVersion: v1, kind: ConfigMap, name: settings}\n",
		"c.yaml":  "varReference:\n- path: data/extra\n  kind: Secret\n",
		"db.yaml": hashed, "settings.yaml": settings,
	})
	sealTree(t, dir)
	r, err := build1(dir, Options{})
	refused(t, r, err, ErrPlacement, "sealed for a Secret named db")
}

func TestWarnings(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"kustomization.yaml": "resources: [sops.yaml, ss.yaml]\n",
		"sops.yaml":          "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {k: 'ENC[AES256_GCM,data:x]'}\nsops: {mac: x, age: [{enc: '" + armorBegin + "'}]}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: b}\nsops: {mac: x}\n",
		"ss.yaml":            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: c}\nspec: {encryptedData: {k: AgA}}\n",
	})
	r, err := build1(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"resources that are encrypted with SOPS and pass through as they are: 2", "SealedSecrets that pass through as they are: 1"}
	if diff := cmp.Diff(want, r.Warnings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFilesOfOneName(t *testing.T) {
	role := "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: %s}\nrules: []\n"
	dir := writeTree(t, map[string]string{"kustomization.yaml": "resources: [a.yaml, b.yaml]\n", "a.yaml": fmt.Sprintf(role, "reader"), "b.yaml": fmt.Sprintf(role, "Reader")})
	r, err := build1(dir, Options{OutputDir: true})
	if err != nil || len(r.Files) != 1 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "rbac.authorization.k8s.io_v1_clusterrole_reader.yaml") {
		t.Errorf("%v, %d files, warnings %q", err, len(r.Files), r.Warnings)
	}
}

func TestAliasBomb(t *testing.T) {
	bomb := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\na: &a [x, x, x, x, x, x, x, x, x]\n"
	for i := range 8 {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", 'b'+i, 'b'+i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", 'a'+i), 9), ", "))
	}
	start := time.Now()
	dir := writeTree(t, map[string]string{"kustomization.yaml": "resources: [x.yaml]\n", "x.yaml": bomb})
	r, err := build1(dir, Options{})
	refused(t, r, err, errAliases, "x.yaml")
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	// Ordinary aliases work.
	dir = writeTree(t, map[string]string{"kustomization.yaml": "resources: [x.yaml]\n", "x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, labels: &l {a: b}, annotations: *l}\n"})
	if _, err := build1(dir, Options{}); err != nil {
		t.Error(err)
	}
}

// TestTogether builds different trees at the same time, as the schema of one must not become that of another: kustomize keeps it in global
// variables. Half of them have a schema by which a patch merges the parts of a Thing by their names; the others' are replaced.
func TestTogether(t *testing.T) {
	const thing = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\nspec: {parts: [%s]}\n"
	const schema = `{"definitions": {"v1.Thing": {"properties": {"spec": {"properties": {"parts": {"type": "array", "items": {"type": "object"},
"x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"}}}},
"x-kubernetes-group-version-kind": [{"group": "example.com", "kind": "Thing", "version": "v1"}]}}}`
	var wg sync.WaitGroup
	for i := range 8 {
		files := map[string]string{
			"kustomization.yaml": "resources: [db.yaml, thing.yaml]\npatches: [{path: patch.yaml}, {path: thing-patch.yaml}]\n",
			"db.yaml":            strings.ReplaceAll(sealedDB, "canary-password", fmt.Sprintf("canary-%d", i)),
			"patch.yaml":         "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {user: canary-other}\n",
			"thing.yaml":         fmt.Sprintf(thing, "{name: a, of: base}"), "thing-patch.yaml": fmt.Sprintf(thing, "{name: b}"), "schema.json": schema,
		}
		merges := i%2 == 0
		if merges {
			files["kustomization.yaml"] += "openapi: {path: schema.json}\n"
		}
		dir := writeTree(t, files)
		sealTree(t, dir)
		wg.Go(func() {
			r, err := build1(dir, Options{})
			if err != nil {
				t.Errorf("build %d: %v", i, err)
				return
			}
			out := string(r.YAML)
			value := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "canary-%d", i))
			if !strings.Contains(out, "password: "+value+"\n") || !strings.Contains(out, "user: Y2FuYXJ5LW90aGVy\n") || strings.Contains(out, "of: base") != merges {
				t.Errorf("build %d, by its own schema %v:\n%s", i, merges, out)
			}
		})
	}
	wg.Wait()
}

func TestCancelled(t *testing.T) {
	dir := writeTree(t, map[string]string{"kustomization.yaml": "resources: [db.yaml]\n", "db.yaml": sealedDB})
	sealTree(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	o := dave()
	asked := make(chan struct{})
	release := make(chan struct{})
	defer close(release)
	go func() {
		<-asked
		cancel()
	}()
	r, err := Build(ctx, dir, Options{Root: dir, Opener: func() (*crypt.Opener, error) {
		close(asked)
		<-release
		return o.get()
	}})
	refused(t, r, err, context.Canceled, "")
}

// TestPanicSaysNothing: what panicked may quote anything.
func TestPanicSaysNothing(t *testing.T) {
	b := &build{opening: &opening{}, marks: newMarks()} // without a filesystem
	r, err := b.run(t.Context(), "x")
	if r != nil || err == nil || err.Error() != "internal error in a build" {
		t.Errorf("%v, %v", r, err)
	}
}

func TestPanicIsAnError(t *testing.T) {
	dir := writeTree(t, map[string]string{"kustomization.yaml": "resources: [db.yaml]\n", "db.yaml": sealedDB})
	sealTree(t, dir)
	r, err := build1(dir, Options{Opener: func() (*crypt.Opener, error) { panic(canary) }})
	refused(t, r, err, nil, "internal error")
}

// TestRemote: a base in another repository needs AllowRemote, and then what is sealed there is opened.
func TestRemote(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	top := writeTree(t, map[string]string{
		"remote/base/kustomization.yaml": "resources: [db.yaml]\n", "remote/base/db.yaml": sealedDB, "remote/base/out.yaml": settings,
		"app/kustomization.yaml": "resources: [\"file://TOP/remote.git//base?ref=main\"]\n",
	})
	sealTree(t, filepath.Join(top, "remote"))
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"},
		{"add", "."},
		{"-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "-m", "x"},
		{"clone", "-q", "--bare", ".", filepath.Join(top, "remote.git")},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = filepath.Join(top, "remote")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	app := filepath.Join(top, "app")
	text := strings.ReplaceAll("resources: [\"file://TOP/remote.git//base?ref=main\"]\n", "TOP", top)
	if err := os.WriteFile(filepath.Join(app, "kustomization.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := build1(app, Options{})
	refused(t, r, err, ErrRemote, "--allow-remote")
	if r, err = build1(app, Options{AllowRemote: true}); err != nil || !strings.Contains(string(r.YAML), "password: Y2FuYXJ5LXBhc3N3b3Jk") {
		t.Errorf("with AllowRemote: %v", err)
	}
	url := "file://" + top + "/remote.git//base?ref=main"
	r, err = Build(t.Context(), url, Options{Opener: dave().get})
	refused(t, r, err, ErrRemote, "--allow-remote")
	if r, err = Build(t.Context(), url, Options{Opener: dave().get, AllowRemote: true}); err != nil || !strings.Contains(string(r.YAML), "password: ") {
		t.Errorf("a URL with AllowRemote: %v", err)
	}
}

func TestMissing(t *testing.T) {
	dir := writeTree(t, map[string]string{"kustomization.yaml": "resources: [missing.yaml]\n", "empty/x": ""})
	for target, want := range map[string]string{dir: "missing.yaml", filepath.Join(dir, "empty"): "unable to find one of 'kustomization.yaml'", filepath.Join(dir, "none"): "none"} {
		r, err := Build(t.Context(), target, Options{})
		refused(t, r, err, nil, want)
	}
	r, err := Build(t.Context(), dir, Options{Root: filepath.Join(dir, "none")})
	refused(t, r, err, os.ErrNotExist, "root of the build")
}

// TestOddFiles: an error of the disk is told as it is, not as what kustomize makes of it, and nothing waits for a pipe.
func TestOddFiles(t *testing.T) {
	for _, name := range []string{"settings.yaml", "kustomization.yaml"} {
		dir := writeTree(t, map[string]string{"kustomization.yaml": "resources: [settings.yaml]\n", "settings.yaml": settings})
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir) // the path of a socket is short
		socket, err := net.Listen("unix", name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := build1(dir, Options{})
		refused(t, r, err, nil, "not a regular file ["+name)
		socket.Close()
	}
}

func TestCanName(t *testing.T) {
	tree := &tree{prefixes: []string{"a-", "eu-"}, suffixes: []string{"-x", "-y1"}}
	for name, want := range map[string]bool{
		"db": true, "a-db": true, "eu-a-db": true, "db-x": true, "a-db-x-y1": true, "a-a-db": true,
		"db-evil": false, "xdb": false, "dbx": false, "-db": false, "a-db-evil": false, "eua-db": false, "d": false, "": false, "db-": false, "eu-": false,
	} {
		if got := tree.canName(name, "db"); got != want {
			t.Errorf("%q from db: %v, want %v", name, got, want)
		}
	}
}

func TestJoinedFaultsHaveTheirPlaces(t *testing.T) {
	dir := writeTree(t, map[string]string{"kustomization.yaml": "resources: [db.yaml]\nnamespace: evil\n", "db.yaml": sealedDB + "---\n" + strings.Replace(sealedDB, "name: db", "name: db2", 1)})
	sealTree(t, dir)
	_, err := build1(dir, Options{})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 2 {
		t.Fatalf("want two faults: %v", err)
	}
	for i, e := range joined.Unwrap() {
		var place *Error
		if !errors.As(e, &place) || filepath.Base(place.File) != "db.yaml" || place.Line == 0 || place.Secret != []string{"shop/db", "shop/db2"}[i] {
			t.Errorf("fault %d: %+v", i, place)
		}
	}
}
