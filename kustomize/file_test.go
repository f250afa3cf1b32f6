package kustomize

import (
	"bytes"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// to says what a sealed file of a test is for; without a key it is a dotenv.
type to struct{ namespace, name, key string }

func sealFile(t *testing.T, content string, bound to) string {
	t.Helper()
	o := secret.FileOptions{Use: crypt.UseValue, Key: bound.key, Name: bound.name}
	if bound.key == "" {
		o.Use = crypt.UseEnv
	}
	o.Recipients, o.Namespace = []*crypt.Recipient{testkeys.Dave().Recipient()}, bound.namespace
	sealed, _, err := secret.SealFile([]byte(content), o)
	if err != nil {
		t.Fatal(err)
	}
	return string(sealed)
}

const usesTLS = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers:
      - name: web
        image: registry.example/web:1
        envFrom: [{secretRef: {name: app-tls}}]
      volumes: [{name: tls, secret: {secretName: app-tls}}]
`

// TestSealedFilesAsKustomize builds trees whose generators read plaintext files with the kustomize binary, and the same with the files
// sealed: X.plain becomes X.age, here and in the kustomizations.
func TestSealedFilesAsKustomize(t *testing.T) {
	odd := map[string]string{
		"empty": "", "line": "canary\n", "number": "\xd7\x6d\xf8", "binary": "\x00\xff\n\n", "of51": strings.Repeat("c", 51), "of52": strings.Repeat("c", 52),
		"of53": strings.Repeat("c", 53), "of105": strings.Repeat("c", 105), "long": strings.Repeat("canary ", 2000), "placeholder": "ABCDEFGHIJKL000001ABCDEFGHIJKL", "utf8": "кенар",
	}
	oddFiles, oddSpec, oddSources := map[string]string{}, map[string]to{}, []string{}
	for _, key := range slices.Sorted(maps.Keys(odd)) {
		oddFiles[key+".plain"], oddSpec[key+".plain"] = odd[key], to{"prod", "odd", key}
		oddSources = append(oddSources, `"`+key+"="+key+`.plain"`)
	}
	oddFiles["kustomization.yaml"] = "namespace: prod\nsecretGenerator: [{name: odd, files: [" + strings.Join(oddSources, ", ") + "]}]\n"

	base := map[string]string{
		"base/kustomization.yaml": "resources: [web.yaml]\nsecretGenerator:\n- {name: app-tls, files: [tls.crt, tls.key=tls.key.plain], envs: [app.env.plain], literals: [a=b]}\n",
		"base/web.yaml":           usesTLS, "base/tls.crt": "a certificate", "base/tls.key.plain": "canary-key", "base/app.env.plain": "USER=canary-user\nPASSWORD=canary-password\n",
	}
	baseSpec := map[string]to{"base/tls.key.plain": {"", "app-tls", "tls.key"}, "base/app.env.plain": {"", "app-tls", ""}}
	with := func(files map[string]string) map[string]string {
		all := maps.Clone(base)
		maps.Copy(all, files)
		return all
	}
	and := func(spec map[string]to) map[string]to {
		all := maps.Clone(baseSpec)
		maps.Copy(all, spec)
		return all
	}
	overlay := func(name, generator string) string {
		return "resources: [../base]\nnamespace: " + name + "\nnamePrefix: " + name + "-\n" + generator
	}
	for name, c := range map[string]struct {
		targets []string
		files   map[string]string
		spec    map[string]to
	}{
		"files and envs": {[]string{"base"}, base, baseSpec},
		"odd values":     {[]string{"."}, oddFiles, oddSpec},
		"without hash": {[]string{"."}, map[string]string{
			"kustomization.yaml": "namespace: prod\ngeneratorOptions: {disableNameSuffixHash: true, labels: {x: z}}\nsecretGenerator:\n- {name: app, files: [k=k.plain], options: {immutable: true}}\n- {name: env, env: e.plain, type: Opaque}\n",
			"k.plain":            "canary", "e.plain": "\ufeff# canary\nA=canary\r\n  B=x=y \n\nC\nD=\"canary\"\n",
		}, map[string]to{"k.plain": {"prod", "app", "k"}, "e.plain": {"prod", "env", ""}}},
		"a type, a namespace of its own, bound to no name": {[]string{"."}, map[string]string{
			"kustomization.yaml": "secretGenerator:\n- {name: app, namespace: prod, type: kubernetes.io/tls, files: [tls.key=sub/k.plain, tls.crt=c.plain]}\n",
			"sub/k.plain":        "canary", "c.plain": "canary-2",
		}, map[string]to{"sub/k.plain": {"prod", "", "tls.key"}, "c.plain": {"", "", "tls.crt"}}},
		"prefix and suffix": {[]string{"top"}, with(map[string]string{"top/kustomization.yaml": "resources: [../base]\nnamespace: prod\nnamePrefix: a-\nnameSuffix: -z\n"}), baseSpec},
		"overlays that merge": {[]string{"prod", "staging", "base"}, with(map[string]string{
			"prod/kustomization.yaml":    overlay("prod", "secretGenerator: [{name: app-tls, behavior: merge, files: [tls.key=k.plain]}]\n"),
			"staging/kustomization.yaml": overlay("staging", "secretGenerator: [{name: app-tls, behavior: merge, envs: [e.plain]}]\n"),
			"prod/k.plain":               strings.Repeat("canary-prod", 20), "staging/e.plain": "USER=canary-staging\nMORE=canary\n",
		}), and(map[string]to{"prod/k.plain": {"prod", "app-tls", "tls.key"}, "staging/e.plain": {"staging", "app-tls", ""}})},
		"an overlay that replaces": {[]string{"prod"}, with(map[string]string{
			"prod/kustomization.yaml": overlay("prod", "secretGenerator: [{name: app-tls, behavior: replace, files: [tls.key=k.plain]}]\n"), "prod/k.plain": "canary-prod",
		}), and(map[string]to{"prod/k.plain": {"prod", "app-tls", "tls.key"}})},
		"one file in two bases": {[]string{"."}, map[string]string{
			"kustomization.yaml": "resources: [a, b]\n", "both/k.plain": "canary", "both/kustomization.yaml": "secretGenerator: [{name: app, files: [k=k.plain]}]\n",
			"a/kustomization.yaml": "resources: [../both]\nnamespace: a\n", "b/kustomization.yaml": "resources: [../both]\nnamespace: b\n",
		}, map[string]to{"both/k.plain": {"", "app", "k"}}},
		"a file that nobody uses": {[]string{"."}, map[string]string{"kustomization.yaml": "resources: [web.yaml]\n", "web.yaml": usesTLS, "k.plain": "canary"}, map[string]to{"k.plain": {"prod", "app", "k"}}},
	} {
		t.Run(name, func(t *testing.T) {
			sealed := make(map[string]string)
			for file, text := range c.files {
				if bound, ok := c.spec[file]; ok {
					text = sealFile(t, text, bound)
				}
				sealed[strings.Replace(file, ".plain", ".age", 1)] = strings.ReplaceAll(text, ".plain", ".age")
			}
			plain, dir := writeTree(t, c.files), writeTree(t, sealed)
			for _, target := range c.targets {
				for _, reorder := range []string{"legacy", "none"} {
					args := []string{"--reorder", reorder}
					want := kustomizeBuild(t, filepath.Join(plain, target), args...)
					r, err := build1(filepath.Join(dir, target), Options{Kustomize: flags(t, args), Root: dir})
					if err != nil {
						t.Fatal(err, hints(err))
					}
					if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(r.YAML), "\n")); diff != "" {
						t.Errorf("%s (-want +got):\n%s", target, diff)
					}
					if len(r.Warnings) > 0 {
						t.Errorf("warnings: %q", r.Warnings)
					}
				}
			}
		})
	}
}

// TestHostileSealedFiles: a value leaves only into the Secret, namespace and key that its file is sealed for.
func TestHostileSealedFiles(t *testing.T) {
	const generator = "namespace: shop\nsecretGenerator:\n- {name: db, files: [password=password.age]}\n"
	sources := func(files string) string { return "namespace: shop\nsecretGenerator:\n- {name: db, " + files + "}\n" }
	for name, c := range map[string]struct {
		kustomization string
		files         map[string]string
		options       Options
		kind          error
		want          string
	}{
		"configMapGenerator":                {"configMapGenerator:\n- {name: db, namespace: shop, files: [password=password.age]}\n", nil, Options{}, ErrUse, "configMapGenerator:"},
		"configMapGenerator env":            {"configMapGenerator:\n- {name: db, namespace: shop, envs: [env.age]}\n", nil, Options{}, ErrUse, "configMapGenerator:"},
		"both generators":                   {generator + "configMapGenerator:\n- {name: db, files: [password=password.age]}\n", nil, Options{}, ErrUse, "configMapGenerator: and secretGenerator: files:"},
		"another key":                       {sources("files: [user=password.age]"), nil, Options{}, ErrPlacement, "under files: write password=password.age"},
		"its own name as key":               {sources("files: [sub/password.age]"), map[string]string{"sub/password.age": ""}, Options{}, ErrPlacement, "under files: write password=sub/password.age"},
		"twice":                             {sources("files: [password=password.age, user=password.age]"), nil, Options{}, ErrPlacement, "under key user"},
		"another name":                      {strings.Replace(generator, "name: db", "name: evil", 1), nil, Options{}, ErrPlacement, "sealed for a Secret named db"},
		"another name that contains it":     {strings.Replace(generator, "name: db", "name: db-evil", 1), nil, Options{}, ErrPlacement, "named db-evil"},
		"another namespace":                 {strings.Replace(generator, "shop", "evil", 1), nil, Options{}, ErrPlacement, "sealed for namespace shop, the build puts it into evil"},
		"applied to another namespace":      {strings.Replace(generator, "namespace: shop\n", "", 1), nil, Options{Namespace: "evil"}, ErrPlacement, "into evil"},
		"env, another name":                 {"namespace: shop\nsecretGenerator:\n- {name: evil, envs: [env.age]}\n", nil, Options{}, ErrPlacement, "sealed for a Secret named db"},
		"env, another namespace":            {"namespace: evil\nsecretGenerator:\n- {name: db, env: env.age}\n", nil, Options{}, ErrPlacement, "into evil"},
		"env as a file":                     {sources("files: [password=env.age]"), nil, Options{}, ErrUse, "list it under envs:"},
		"a value as env":                    {sources("envs: [password.age]"), nil, Options{}, ErrUse, "list it under files:"},
		"both ways":                         {sources("envs: [password.age], files: [password=password.age]"), nil, Options{}, ErrUse, "one value, for files:, or a dotenv, for envs:"},
		"merged into another Secret":        {"namespace: shop\nresources: [base]\nsecretGenerator:\n- {name: evil, behavior: merge, files: [password=password.age]}\n", map[string]string{"base/kustomization.yaml": "secretGenerator: [{name: evil, literals: [a=b]}]\n"}, Options{}, ErrPlacement, "sealed for a Secret named db"},
		"replacement into a ConfigMap":      {generator + "resources: [settings.yaml]\n" + replacement("ConfigMap", "settings", "data.a", "", ""), nil, Options{}, ErrPlacement, "ConfigMap shop/settings, field data.a"},
		"replacement from env":              {"namespace: shop\nsecretGenerator:\n- {name: db, envs: [env.age]}\nresources: [settings.yaml]\n" + replacement("ConfigMap", "settings", "data.a", "", ""), nil, Options{}, ErrPlacement, "ConfigMap shop/settings, field data.a"},
		"replacement, cut":                  {generator + "resources: [settings.yaml]\n" + replacement("ConfigMap", "settings", "data.a", "\n    options: {delimiter: A}", ""), nil, Options{}, ErrPlacement, "cuts a Secret's value"},
		"replacement into another Secret":   {generator + "resources: [other.yaml]\n" + replacement("Secret", "other", "data.password", "", ""), map[string]string{"other.yaml": other}, Options{}, ErrPlacement, "sealed for a Secret named db"},
		"patch moves it to another key":     {generator + "patches:\n- target: {kind: Secret}\n  patch: '[{\"op\":\"move\",\"from\":\"/data/password\",\"path\":\"/data/x\"}]'\n", nil, Options{}, ErrPlacement, "under key x"},
		"patch copies it to a label":        {generator + "patches:\n- target: {kind: Secret}\n  patch: '[{\"op\":\"copy\",\"from\":\"/data/password\",\"path\":\"/metadata/labels\"}]'\n", nil, Options{}, ErrPlacement, "field metadata.labels"},
		"an annotation that copies it":      {sources("options: {annotations: {replicator.v1.mittwald.de/replicate-to: evil}}, files: [password=password.age]"), nil, Options{}, secret.ErrCopied, "replicate-to"},
		"type of a credential":              {sources("type: bootstrap.kubernetes.io/token, files: [password=password.age]"), nil, Options{}, secret.ErrType, "bootstrap.kubernetes.io/token"},
		"namespaces of this build":          {generator, nil, Options{OnlyNamespaces: []string{"mine"}}, ErrNamespace, "sealed for namespace \"shop\""},
		"namespaces of this build, env":     {sources("envs: [env.age]"), nil, Options{OnlyNamespaces: []string{"mine"}}, ErrNamespace, "sealed for namespace \"shop\""},
		"namespaces of this build, unbound": {sources("files: [password=any.age]"), map[string]string{"any.age": "any"}, Options{OnlyNamespaces: []string{"shop"}}, ErrNamespace, "any namespace"},
		"as a resource":                     {"resources: [password.age]\n", nil, Options{}, ErrUse, "listed under resources:"},
		"as a patch":                        {"resources: [settings.yaml]\npatches: [{path: password.age}]\n", nil, Options{}, ErrUse, "listed under patches:"},
		"as a JSON patch":                   {"resources: [settings.yaml]\npatchesJson6902:\n- {path: password.age, target: {version: v1, kind: ConfigMap, name: settings}}\n", nil, Options{}, ErrUse, "patchesJson6902:"},
		"as a generator":                    {"generators: [password.age]\n", nil, Options{}, ErrUse, "generators:"},
		"as a transformer":                  {"resources: [settings.yaml]\ntransformers: [password.age]\n", nil, Options{}, ErrUse, "transformers:"},
		"as a configuration":                {"resources: [settings.yaml]\nconfigurations: [password.age]\n", nil, Options{}, ErrUse, "configurations:"},
		"as OpenAPI":                        {"resources: [settings.yaml]\nopenapi: {path: password.age}\n", nil, Options{}, ErrUse, "openapi:"},
		"as a CRD":                          {"resources: [settings.yaml]\ncrds: [password.age]\n", nil, Options{}, ErrUse, "crds:"},
		"as a replacement":                  {"resources: [settings.yaml]\nreplacements: [{path: password.age}]\n", nil, Options{}, ErrUse, "replacements:"},
		"of a generator in a file":          {"generators: [g.yaml]\n", map[string]string{"g.yaml": "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: db, namespace: shop}\nfiles: [password=password.age]\n"}, Options{}, ErrUse, "only secretGenerator: of a kustomization"},
		"of a ConfigMap in a file":          {"generators: [g.yaml]\n", map[string]string{"g.yaml": "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: db, namespace: shop}\nfiles: [password=password.age]\n"}, Options{}, ErrUse, "only secretGenerator: of a kustomization"},
		"another age file":                  {sources("files: [password=other.age]"), map[string]string{"other.age": "other"}, Options{}, crypt.ErrFileMagic, "says what it is for"},
		"cut":                               {sources("files: [password=cut.age]"), map[string]string{"cut.age": "cut"}, Options{}, crypt.ErrAge, "restore it from git history"},
		"for somebody else":                 {generator, nil, Options{Opener: (&opener{ids: []*crypt.Identity{testkeys.Erin()}}).get}, crypt.ErrNoIdentity, "no identity opens it"},
		"env for somebody else":             {sources("envs: [env.age]"), nil, Options{Opener: (&opener{ids: []*crypt.Identity{testkeys.Erin()}}).get}, crypt.ErrNoIdentity, "no identity opens it"},
	} {
		t.Run(name, func(t *testing.T) {
			value := sealFile(t, "canary-password", to{"shop", "db", "password"})
			files := map[string]string{
				"kustomization.yaml": c.kustomization, "settings.yaml": settings, "password.age": value,
				"env.age": sealFile(t, "user=canary-user\npassword=canary-password\n", to{"shop", "db", ""}),
			}
			for file, text := range c.files {
				switch text {
				case "":
					text = value
				case "any":
					text = sealFile(t, "canary", to{"", "db", "password"})
				case "other":
					text = ageText(t, "canary")
				case "cut":
					text = value[:len(value)/2]
				}
				files[file] = text
			}
			dir := writeTree(t, files)
			r, err := build1(dir, c.options)
			refused(t, r, err, c.kind, c.want)
			c.options.OutputDir = true
			r, err = build1(dir, c.options)
			refused(t, r, err, c.kind, c.want)
		})
	}
}

// TestMissingFiles: the values of sealed files that drop out of a build are told, whatever they are bound to.
func TestMissingFiles(t *testing.T) {
	const local = "options: {annotations: {config.kubernetes.io/local-config: 'true'}}, "
	for name, c := range map[string]struct {
		kustomization string
		bound         to
		want          string
	}{
		"all there":                     {"secretGenerator: [{name: db, files: [password=p.age]}]\n", to{"shop", "db", "password"}, ""},
		"all there, bound to no name":   {"secretGenerator: [{name: db, files: [password=p.age]}]\n", to{"shop", "", "password"}, ""},
		"local-config":                  {"secretGenerator: [{name: db, " + local + "files: [password=p.age]}]\n", to{"shop", "db", "password"}, "Secret shop/db"},
		"local-config, to no name":      {"secretGenerator: [{name: db, " + local + "files: [password=p.age]}]\n", to{"shop", "", "password"}, "Secret shop/*"},
		"local-config, a dotenv":        {"secretGenerator: [{name: db, " + local + "envs: [p.age]}]\n", to{"shop", "", ""}, "Secret shop/*"},
		"deleted":                       {"secretGenerator: [{name: db, files: [password=p.age]}]\npatches: [{patch: '{apiVersion: v1, kind: Secret, metadata: {name: db}, $patch: delete}'}]\n", to{"", "", "password"}, "Secret *"},
		"another generator replaces it": {"resources: [base]\nsecretGenerator: [{name: db, behavior: replace, literals: [password=x]}]\n", to{"shop", "", "password"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeTree(t, map[string]string{
				"kustomization.yaml":      "namespace: shop\n" + c.kustomization + "configMapGenerator: [{name: db, literals: [a=b]}]\n",
				"base/kustomization.yaml": "secretGenerator: [{name: db, files: [password=../p.age]}]\n",
				"p.age":                   sealFile(t, "password=canary\n", c.bound),
			})
			t.Chdir(dir)
			r, err := build1(dir, Options{Kustomize: flags(t, []string{"--load-restrictor", "LoadRestrictionsNone"})})
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if c.want != "" {
				want = "p.age: " + c.want + ": sealed, but not in the build's output"
			}
			if got := strings.Join(r.Warnings, "\n"); got != want {
				t.Errorf("warnings %q, want %q", got, want)
			}
		})
	}
}

// ageText is an age file that somebody made without us.
func ageText(t *testing.T, plaintext string) string {
	t.Helper()
	id, err := age.ParseX25519Identity(testkeys.DaveText())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(plaintext)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return armoredText(t, out.Bytes())
}

// TestSealedFileIdentity: an identity is asked for once, when the first sealed file is used; what it says is the build's error.
func TestSealedFileIdentity(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"kustomization.yaml": "namespace: shop\nsecretGenerator: [{name: db, files: [password=p.age], envs: [e.age]}]\n",
		"p.age":              sealFile(t, "canary", to{"shop", "db", "password"}), "e.age": sealFile(t, "user=canary\n", to{"shop", "db", ""}),
		"unused.age": "-----BEGIN AGE ENCRYPTED FILE-----\nnonsense", "none/kustomization.yaml": "resources: []\nsecretGenerator: [{name: db, literals: [a=b]}]\n",
	})
	o := dave()
	if _, err := build1(dir, Options{Opener: o.get}); err != nil || o.called != 1 {
		t.Errorf("%v, asked %d times", err, o.called)
	}
	o = dave()
	if _, err := build1(filepath.Join(dir, "none"), Options{Opener: o.get}); err != nil || o.called != 0 {
		t.Errorf("%v, asked %d times", err, o.called)
	}
	failed := errors.New("the identity file is gone")
	r, err := build1(dir, Options{Opener: func() (*crypt.Opener, error) { return nil, failed }})
	refused(t, r, err, failed, "gone")
	r, err = build1(dir, Options{Opener: func() (*crypt.Opener, error) { panic(canary) }})
	refused(t, r, err, nil, "internal error")
}

// TestSealedFileDropped: what a generator made of a sealed file and something dropped is warned of.
func TestSealedFileDropped(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"kustomization.yaml": "namespace: shop\nsecretGenerator: [{name: db, files: [password=p.age]}]\npatches:\n- {target: {kind: Secret}, patch: '{apiVersion: v1, kind: Secret, metadata: {name: db}, $patch: delete}'}\n",
		"p.age":              sealFile(t, "canary", to{"shop", "db", "password"}),
	})
	r, err := build1(dir, Options{})
	if err != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "p.age: Secret shop/db: sealed, but not in the build's output") {
		t.Errorf("%v, %+v", err, r)
	}
}

// TestSealedFilesTogether: a manifest, a file and a dotenv in one Secret, over the limit only together.
func TestSealedFilesTogether(t *testing.T) {
	big := strings.Repeat("canary!!", manifest.MaxTotal/16)
	files := map[string]string{
		"kustomization.yaml": "namespace: shop\nsecretGenerator: [{name: db, files: [a=a.age, b=b.age]}]\n",
		"a.age":              sealFile(t, big, to{"shop", "db", "a"}), "b.age": sealFile(t, big, to{"shop", "db", "b"}),
	}
	r, err := build1(writeTree(t, files), Options{})
	if err != nil || bytes.Count(r.YAML, []byte("\n")) < 10000 {
		t.Fatal(err)
	}
	files["b.age"] = sealFile(t, big+"x", to{"shop", "db", "b"})
	r, err = build1(writeTree(t, files), Options{})
	refused(t, r, err, manifest.ErrLimit, "add up to")
}

// TestDisguisedAgeFiles: an age file that an editor gave a byte order mark or UTF-16, a binary one, and one under the name of a
// kustomization pass for nothing else.
func TestDisguisedAgeFiles(t *testing.T) {
	sealed := sealFile(t, canary, to{"shop", "app", "password"})
	wide := "\xff\xfe"
	for _, r := range sealed {
		wide += string([]byte{byte(r), 0})
	}
	binary := "age-encryption.org/v1\n-> X25519 x\nx\n--- x\n" + strings.Repeat("\xf0", 64)
	const generator = "namespace: shop\nsecretGenerator: [{name: app, files: [password=v.age]}]\n"
	const builtin = "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: app, namespace: shop}\nfiles: [password=v.age]\n"
	for name, files := range map[string]map[string]string{
		"BOM":                      {"kustomization.yaml": generator, "v.age": "\ufeff" + sealed},
		"UTF-16":                   {"kustomization.yaml": generator, "v.age": wide},
		"binary":                   {"kustomization.yaml": generator, "v.age": binary},
		"binary, another's":        {"kustomization.yaml": "generators: [g.yaml]\n", "g.yaml": builtin, "v.age": binary},
		"BOM, another's":           {"kustomization.yaml": "generators: [g.yaml]\n", "g.yaml": builtin, "v.age": "\ufeff" + sealed},
		"named as a kustomization": {"kustomization.yaml": "secretGenerator: [{name: app, files: [password=sub/kustomization.yaml]}]\n", "sub/kustomization.yaml": binary},
	} {
		for _, redact := range []bool{false, true} {
			dir := writeTree(t, files)
			r, err := build1(dir, Options{Redact: redact, Root: dir})
			if err == nil && !(redact && !bytes.Contains(r.YAML, []byte("YWdl"))) {
				t.Errorf("%s: redacted %v: passed as\n%s", name, redact, r.YAML)
			}
		}
	}
}

// TestTheMarkOfRedactedBuilds is on no Secret with values.
func TestTheMarkOfRedactedBuilds(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"kustomization.yaml": "namespace: shop\ncommonAnnotations: {ageseal.dev/redacted: 'true'}\nsecretGenerator: [{name: app, files: [password=v.age]}]\n",
		"v.age":              sealFile(t, canary, to{"shop", "app", "password"}),
	})
	r, err := build1(dir, Options{})
	refused(t, r, err, ErrPlacement, "says that it is redacted")
}
