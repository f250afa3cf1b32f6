package kustomize

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/secret"
)

const sealedDB = `apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: shop
type: Opaque
stringData:
  password: canary-password
  user: canary-user
`

const settings = `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: shop
  annotations:
    note: x
data:
  a: b
`

const web = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers:
      - name: web
        image: registry.example/web:1
        args: ["$(PASSWORD)"]
`

const other = `apiVersion: v1
kind: Secret
metadata:
  name: other
  namespace: shop
data:
  password: eA==
  "no": eA==
`

// replacement copies the sealed password to a field.
func replacement(kind, name, field, sourceOptions, targetOptions string) string {
	return `
replacements:
- source:
    kind: Secret
    name: db
    fieldPath: data.password` + sourceOptions + `
  targets:
  - select:
      kind: ` + kind + `
      name: ` + name + `
    fieldPaths:
    - ` + field + targetOptions + "\n"
}

const create = "\n    options:\n      create: true"

var (
	placeholderLike = regexp.MustCompile(`[A-Z2-7]{12}`)
	tempPath        = regexp.MustCompile(regexp.QuoteMeta(os.TempDir()) + `/[^/ ]*`) // its digits are random
)

// refused asserts that a build fails as it should, with nothing of a value in its error or result.
func refused(t *testing.T, r *Result, err error, kind error, want string) {
	t.Helper()
	if r != nil {
		t.Errorf("there is a result:\n%s", r.YAML)
	}
	if err == nil {
		t.Fatal("not refused")
	}
	if kind != nil && !errors.Is(err, kind) {
		t.Errorf("the error is no %q: %v", kind, err)
	}
	all := err.Error() + hints(err)
	if !strings.Contains(all, want) {
		t.Errorf("the error says %q, not %q", all, want)
	}
	for _, secret := range []string{canary, base64.StdEncoding.EncodeToString([]byte(canary))[:6], "AGE-SECRET-KEY"} {
		if strings.Contains(all, secret) {
			t.Errorf("the error holds %q: %s", secret, all)
		}
	}
	if m := placeholderLike.FindString(tempPath.ReplaceAllString(all, "")); m != "" {
		t.Errorf("the error holds a placeholder: %s", all)
	}
}

func hints(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return " [" + e.File + " " + e.Secret + " " + e.Key + " " + e.Hint + "]"
	}
	return ""
}

func TestHostileKustomizations(t *testing.T) {
	for name, c := range map[string]struct {
		kustomization string
		files         map[string]string
		options       Options
		kind          error
		want          string
	}{
		"namespace override": {"namespace: evil\nresources: [db.yaml]\n", nil, Options{}, ErrPlacement, "sealed for namespace shop, the build puts it into evil"},
		"namespace by patch": {
			"resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\":\"replace\",\"path\":\"/metadata/namespace\",\"value\":\"evil\"}]'\n", nil,
			Options{}, ErrPlacement, "into evil",
		},
		"namespace removed, applied elsewhere": {
			"resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\":\"remove\",\"path\":\"/metadata/namespace\"}]'\n", nil,
			Options{Namespace: "evil"}, ErrPlacement, "into evil",
		},
		"replacement into a ConfigMap":           {"resources: [db.yaml, settings.yaml]" + replacement("ConfigMap", "settings", "data.a", "", ""), nil, Options{}, ErrPlacement, "ConfigMap shop/settings, field data.a"},
		"replacement into an annotation":         {"resources: [db.yaml, settings.yaml]" + replacement("ConfigMap", "settings", "metadata.annotations.note", "", ""), nil, Options{}, ErrPlacement, "field metadata.annotations.note"},
		"replacement into its own annotation":    {"resources: [db.yaml]" + replacement("Secret", "db", "metadata.annotations.note", "", create), nil, Options{}, ErrPlacement, "Secret shop/db, field metadata.annotations.note"},
		"replacement into an image":              {"resources: [db.yaml, web.yaml]" + replacement("Deployment", "web", "spec.template.spec.containers.0.image", "", ""), nil, Options{}, ErrPlacement, "containers[0].image"},
		"replacement into a part of an image":    {"resources: [db.yaml, web.yaml]" + replacement("Deployment", "web", "spec.template.spec.containers.0.image", "", "\n    options: {delimiter: ':', index: 1}"), nil, Options{}, ErrPlacement, "containers[0].image"},
		"replacement into another Secret":        {"resources: [db.yaml, other.clear.yaml]" + replacement("Secret", "other", "data.password", "", ""), nil, Options{}, ErrPlacement, "sealed for a Secret named db"},
		"replacement into another key":           {"resources: [db.yaml]" + replacement("Secret", "db", "data.user", "", ""), nil, Options{}, ErrPlacement, "under key user"},
		"replacement into a new key":             {"resources: [db.yaml]" + replacement("Secret", "db", "data.extra", "", create), nil, Options{}, ErrPlacement, "under key extra"},
		"replacement into stringData":            {"resources: [db.yaml]" + replacement("Secret", "db", "stringData.password", "", create), nil, Options{}, ErrPlacement, "field stringData.password"},
		"replacement into the name":              {"resources: [db.yaml, settings.yaml]" + replacement("ConfigMap", "settings", "metadata.name", "", ""), nil, Options{}, ErrPlacement, "field metadata.name"},
		"replacement cut at a delimiter":         {"resources: [db.yaml, settings.yaml]" + replacement("ConfigMap", "settings", "data.a", "\n    options: {delimiter: A, index: 1}", ""), nil, Options{}, ErrPlacement, "cuts a Secret's value"},
		"replacement cut, too few parts":         {"resources: [db.yaml, settings.yaml]" + replacement("ConfigMap", "settings", "data.a", "\n    options: {delimiter: A, index: 99}", ""), nil, Options{}, ErrPlacement, "cuts a Secret's value"},
		"replacement of any kind cut":            {"resources: [db.yaml, settings.yaml]" + strings.Replace(replacement("ConfigMap", "settings", "data.a", "\n    options: {delimiter: A}", ""), "    kind: Secret\n", "", 1), nil, Options{}, ErrPlacement, "cuts a Secret's value"},
		"replacement of the whole data":          {"resources: [db.yaml, settings.yaml]" + strings.Replace(replacement("ConfigMap", "settings", "data", "", ""), "data.password", "data", 1), nil, Options{}, ErrPlacement, "ConfigMap shop/settings"},
		"replacement from a file cut":            {"resources: [db.yaml, settings.yaml]\nreplacements: [{path: r.yaml}]\n", map[string]string{"r.yaml": replacementFile("delimiter: A")}, Options{}, ErrPlacement, "r.yaml"},
		"replacement transformer in a file, cut": {"resources: [db.yaml, settings.yaml]\ntransformers: [r.yaml]\n", map[string]string{"r.yaml": "apiVersion: builtin\nkind: ReplacementTransformer\nmetadata: {name: r}\nreplacements:\n- path: list.yaml\n", "list.yaml": "[" + replacementFile("delimiter: A") + "]"}, Options{}, ErrPlacement, "list.yaml"},
		"replacement transformer inline, cut": {
			"resources: [db.yaml, settings.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: ReplacementTransformer\n  metadata: {name: r}\n  replacements: [" + replacementFile("delimiter: A") + "]\n", nil,
			Options{}, ErrPlacement, "cuts",
		},
		"vars on a value": {
			"resources: [db.yaml, web.yaml]\nvars:\n- name: PASSWORD\n  objref: {apiVersion: v1, kind: Secret, name: db}\n  fieldref: {fieldpath: data.password}\n", nil,
			Options{}, ErrPlacement, "containers[0].args[0]",
		},
		"patch swaps values": {
			"resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\":\"move\",\"from\":\"/data/password\",\"path\":\"/data/x\"},{\"op\":\"move\",\"from\":\"/data/user\",\"path\":\"/data/password\"},{\"op\":\"move\",\"from\":\"/data/x\",\"path\":\"/data/user\"}]'\n", nil,
			Options{}, ErrPlacement, "under key",
		},
		"patch copies a value out": {
			"resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\":\"copy\",\"from\":\"/data/password\",\"path\":\"/metadata/labels\"}]'\n", nil,
			Options{}, ErrPlacement, "field metadata.labels",
		},
		"patch renames": {
			"resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\":\"replace\",\"path\":\"/metadata/name\",\"value\":\"db-evil\"}]'\n", nil,
			Options{}, ErrPlacement, "named db-evil",
		},
		"patch renames, allowed": {
			"resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  options: {allowNameChange: true}\n  patch: '{apiVersion: v1, kind: Secret, metadata: {name: evil}}'\n", nil,
			Options{}, ErrPlacement, "named evil",
		},
		"patch makes it a ConfigMap": {
			"resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  options: {allowKindChange: true}\n  patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: db}}'\n", nil,
			Options{}, ErrPlacement, "ConfigMap shop/db, field data.",
		},
		"patch makes it another group's Secret": {
			"resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\":\"replace\",\"path\":\"/apiVersion\",\"value\":\"evil/v1\"}]'\n", nil,
			Options{}, ErrPlacement, "field data.",
		},
		"patch makes it a token": {
			"resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\":\"replace\",\"path\":\"/type\",\"value\":\"bootstrap.kubernetes.io/token\"}]'\n", nil,
			Options{}, secret.ErrType, "bootstrap.kubernetes.io/token",
		},
		"a name that looks hashed": {
			"resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\":\"replace\",\"path\":\"/metadata/name\",\"value\":\"db-2456789bcd\"}]'\n", nil,
			Options{}, ErrPlacement, "named db-2456789bcd",
		},
		"prefix configured onto values": {
			"resources: [db.yaml]\nnamePrefix: x-\nconfigurations: [c.yaml]\n", map[string]string{"c.yaml": "namePrefix:\n- path: data/password\n  kind: Secret\n"},
			Options{}, ErrPlacement, "field data.password",
		},
		"configMapGenerator over a sealed file":   {"resources: [settings.yaml]\nconfigMapGenerator:\n- {name: c, files: [db.yaml]}\n", nil, Options{}, ErrUse, "configMapGenerator:"},
		"configMapGenerator over a resource":      {"resources: [db.yaml]\nconfigMapGenerator:\n- {name: c, files: [x=db.yaml]}\n", nil, Options{}, ErrUse, "configMapGenerator:"},
		"configMapGenerator env file":             {"configMapGenerator:\n- {name: c, envs: [db.yaml]}\n", nil, Options{}, ErrUse, "configMapGenerator:"},
		"secretGenerator over a sealed manifest":  {"secretGenerator:\n- {name: c, files: [db.yaml]}\n", nil, Options{}, ErrUse, "list it under generators:"},
		"sealed as JSON patch":                    {"resources: [settings.yaml]\npatchesJson6902:\n- {path: db.yaml, target: {version: v1, kind: ConfigMap, name: settings}}\n", nil, Options{}, ErrUse, "patchesJson6902:"},
		"sealed as transformer":                   {"resources: [settings.yaml]\ntransformers: [db.yaml]\n", nil, Options{}, ErrUse, "transformers:"},
		"sealed as configuration":                 {"resources: [settings.yaml]\nconfigurations: [db.yaml]\n", nil, Options{}, ErrUse, "configurations:"},
		"sealed as CRD":                           {"resources: [settings.yaml]\ncrds: [db.yaml]\n", nil, Options{}, ErrUse, "crds:"},
		"sealed as OpenAPI":                       {"resources: [settings.yaml]\nopenapi: {path: db.yaml}\n", nil, Options{}, ErrUse, "openapi:"},
		"sealed as replacement":                   {"resources: [settings.yaml]\nreplacements: [{path: db.yaml}]\n", nil, Options{}, ErrUse, "replacements:"},
		"sealed as resource and generator":        {"resources: [db.yaml]\ngenerators: [db.yaml]\n", nil, Options{}, ErrUse, "resources: and generators:"},
		"an annotation that copies it":            {"resources: [db.yaml]\ncommonAnnotations: {reflector.v1.k8s.emberstack.com/reflection-auto-enabled: 'true'}\n", nil, Options{}, secret.ErrCopied, "the annotation reflector.v1.k8s.emberstack.com/reflection-auto-enabled has a controller copy it"},
		"a patch that has it copied":              {"resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\":\"add\",\"path\":\"/metadata/annotations\",\"value\":{\"replicator.v1.mittwald.de/replicate-to\":\"evil\"}}]'\n", nil, Options{}, secret.ErrCopied, "replicator.v1.mittwald.de/replicate-to"},
		"a manifest that has it copied":           {"resources: [db.yaml]\n", map[string]string{"db.yaml": strings.Replace(sealedDB, "  namespace: shop\n", "  namespace: shop\n  annotations: {reflector.v1.k8s.emberstack.com/reflection-allowed: 'true'}\n", 1)}, Options{}, secret.ErrCopied, "reflection-allowed"},
		"sealed inline as generator":              {"generators:\n- |-\n" + indented(sealedInline) + "\n", nil, Options{}, ErrUse, "written into the kustomization"},
		"sealed inline as patch":                  {"resources: [other.clear.yaml]\npatches:\n- target: {kind: Secret}\n  patch: |-\n" + indented(indented(sealedInline)) + "\n", nil, Options{}, ErrUse, "written into the kustomization"},
		"sealed behind an escape":                 {"resources: [escaped.yaml]\n", map[string]string{"escaped.yaml": strings.Replace(sealedInline, "EncryptedSecret", "\"Encrypted\\u0053ecret\"", 1)}, Options{}, ErrLeftover, "still sealed"},
		"sealed spec in something else":           {"resources: [odd.yaml]\n", map[string]string{"odd.yaml": strings.Replace(sealedInline, "EncryptedSecret", "Thing", 1)}, Options{}, ErrLeftover, "Thing shop/db is still sealed"},
		"an age file as a value":                  {"secretGenerator:\n- {name: c, files: [x=f.age]}\n", map[string]string{"f.age": armorBegin + "\nYWdl\n-----END AGE ENCRYPTED FILE-----\n"}, Options{}, crypt.ErrAge, "f.age"},
		"an age file in a ConfigMap":              {"configMapGenerator:\n- {name: c, files: [x=f.age]}\n", map[string]string{"f.age": armorBegin + "\nYWdl\n-----END AGE ENCRYPTED FILE-----\n"}, Options{}, ErrUse, "configMapGenerator:"},
		"an age file in a manifest":               {"resources: [m.yaml]\n", map[string]string{"m.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {x: '" + armorBegin + "'}\n"}, Options{}, ErrLeftover, "age file"},
		"behavior under resources":                {"resources: [merge.yaml]\n", map[string]string{"merge.yaml": strings.Replace(sealedDB, "  namespace: shop\n", "  namespace: shop\n  annotations: {kustomize.config.k8s.io/behavior: merge}\n", 1)}, Options{}, nil, "list the file under generators:"},
		"behavior nobody knows":                   {"generators: [merge.yaml]\n", map[string]string{"merge.yaml": strings.Replace(sealedDB, "  namespace: shop\n", "  namespace: shop\n  annotations: {kustomize.config.k8s.io/behavior: evil}\n", 1)}, Options{}, nil, "none of create, merge, replace"},
		"patch without effect":                    {"resources: [clear.clear.yaml]\npatches: [{path: db.yaml}]\n", map[string]string{"clear.clear.yaml": strings.ReplaceAll(sealedDB, "canary-", "clear-")}, Options{}, nil, "no effect"},
		"namespaces of this build":                {"resources: [db.yaml]\n", nil, Options{OnlyNamespaces: []string{"mine", "ours"}}, ErrNamespace, "mine, ours"},
		"namespaces of this build, none bound":    {"namespace: mine\nresources: [any.yaml]\n", map[string]string{"any.yaml": strings.Replace(sealedDB, "  namespace: shop\n", "", 1)}, Options{OnlyNamespaces: []string{"mine"}}, ErrNamespace, "any namespace"},
		"JSON patch tests a value":                {"resources: [db.yaml]\npatches:\n- target: {kind: Secret}\n  patch: '[{\"op\":\"test\",\"path\":\"/data/password\",\"value\":\"eA==\"}]'\n", nil, Options{}, nil, "no test of a value succeeds"},
		"kustomize's error about a served Secret": {"resources: [db.yaml, db2.yaml]\n", map[string]string{"db2.yaml": sealedDB}, Options{}, nil, "already registered id"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"kustomization.yaml": c.kustomization, "db.yaml": sealedDB, "settings.yaml": settings, "web.yaml": web, "other.clear.yaml": other}
			for name, text := range c.files {
				files[name] = text
			}
			dir := writeTree(t, files)
			sealTree(t, dir)
			for _, redact := range []bool{false, true} {
				if redact && (c.kind == secret.ErrType || name == "an age file as a value") {
					continue // no credential, and no content, comes of it
				}
				o := c.options
				o.Redact = redact
				r, err := build1(dir, o)
				refused(t, r, err, c.kind, c.want)
				o.OutputDir = true
				r, err = build1(dir, o)
				refused(t, r, err, c.kind, c.want)
			}
		})
	}
}

func replacementFile(options string) string {
	return "{source: {kind: Secret, name: db, fieldPath: data.password, options: {" + options + "}}, targets: [{select: {kind: ConfigMap}, fieldPaths: [data.a]}]}"
}

func indented(s string) string {
	return "  " + strings.ReplaceAll(s, "\n", "\n  ")
}

const sealedInline = `apiVersion: ageseal.dev/v1alpha1
kind: EncryptedSecret
metadata:
  name: db
  namespace: shop
spec:
  suite: 1
  binding: {}
  wraps: {}
  data: {}`

// TestRoot: no path leads out of the root.
func TestRoot(t *testing.T) {
	outside := seal(t, sealedDB)
	for name, c := range map[string]struct {
		kustomization string
		links         map[string]string
		none          bool // load restrictions off
		kind          error
		want          string
	}{
		"a resource":                          {kustomization: "resources: [../../out/db.yaml]\n", none: true, kind: ErrOutside, want: "--root"},
		"a resource, kustomize's restriction": {kustomization: "resources: [../../out/db.yaml]\n", want: ""},
		"an absolute path":                    {kustomization: "resources: [OUT/db.yaml]\n", none: true, kind: ErrOutside},
		"a base":                              {kustomization: "resources: [../../out]\n", kind: ErrOutside, want: "--root"},
		"a component":                         {kustomization: "components: [../../out]\n", kind: ErrOutside},
		"a generator":                         {kustomization: "generators: [../../out/db.yaml]\n", none: true, kind: ErrOutside},
		"a patch":                             {kustomization: "resources: [x.yaml]\npatches: [{path: ../../out/db.yaml}]\n", none: true, kind: ErrOutside},
		"a value":                             {kustomization: "secretGenerator:\n- {name: x, files: [../../out/value]}\n", none: true, kind: ErrOutside},
		"a linked file":                       {kustomization: "resources: [db.yaml]\n", links: map[string]string{"db.yaml": "OUT/db.yaml"}, kind: ErrOutside},
		"a linked file, unrestricted":         {kustomization: "resources: [db.yaml]\n", links: map[string]string{"db.yaml": "OUT/db.yaml"}, none: true, kind: ErrOutside},
		"a linked directory":                  {kustomization: "resources: [base]\n", links: map[string]string{"base": "OUT"}, kind: ErrOutside},
		"a file in a linked directory":        {kustomization: "resources: [base/db.yaml]\n", links: map[string]string{"base": "OUT"}, none: true, kind: ErrOutside},
		"a link to a link":                    {kustomization: "resources: [a.yaml]\n", links: map[string]string{"a.yaml": "b.yaml", "b.yaml": "OUT/db.yaml"}, none: true, kind: ErrOutside},
		"the kustomization is a link":         {links: map[string]string{"kustomization.yaml": "OUT/kustomization.yaml"}, kind: ErrOutside},
		"a neighbour that begins the same":    {kustomization: "resources: [../../repo2/db.yaml]\n", none: true, kind: ErrOutside},
	} {
		t.Run(name, func(t *testing.T) {
			top := writeTree(t, map[string]string{
				"out/db.yaml": outside, "out/value": "canary", "out/kustomization.yaml": "resources: [db.yaml]\n", "repo2/db.yaml": outside,
				"repo/app/x.yaml": settings, "repo/.git/HEAD": "",
			})
			app := filepath.Join(top, "repo", "app")
			if c.kustomization != "" {
				text := strings.ReplaceAll(c.kustomization, "OUT", filepath.Join(top, "out"))
				if err := writeFile(filepath.Join(app, "kustomization.yaml"), []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			for name, to := range c.links {
				if err := os.Symlink(strings.ReplaceAll(to, "OUT", filepath.Join(top, "out")), filepath.Join(app, name)); err != nil {
					t.Skipf("no symbolic links here: %v", err)
				}
			}
			o := Options{Opener: dave().get}
			if c.none {
				o.Kustomize = flags(t, []string{"--load-restrictor", "LoadRestrictionsNone"})
			}
			r, err := Build(t.Context(), app, o) // the root is found: repo has a .git
			refused(t, r, err, c.kind, c.want)
			// With the wider root the same build is kustomize's to judge, and most of them work.
			o.Root = top
			if _, err := Build(t.Context(), app, o); errors.Is(err, ErrOutside) {
				t.Errorf("refused within its root: %v", err)
			}
		})
	}
}

// TestIdentities: asked for when needed, once; its errors are the build's.
func TestIdentities(t *testing.T) {
	plain := writeTree(t, map[string]string{"kustomization.yaml": "resources: [settings.yaml]\n", "settings.yaml": settings})
	o := dave()
	if _, err := build1(plain, Options{Opener: o.get}); err != nil || o.called != 0 {
		t.Errorf("a build without sealed documents: %v, asked %d times", err, o.called)
	}
	dir := writeTree(t, map[string]string{"kustomization.yaml": "resources: [db.yaml, db2.yaml]\n", "db.yaml": sealedDB, "db2.yaml": strings.Replace(sealedDB, "name: db", "name: db2", 1)})
	sealTree(t, dir)
	if _, err := build1(dir, Options{Opener: o.get}); err != nil || o.called != 1 {
		t.Errorf("a build with two: %v, asked %d times", err, o.called)
	}
	r, err := build1(dir, Options{Opener: (&opener{ids: []*crypt.Identity{testkeys.Erin()}}).get})
	refused(t, r, err, crypt.ErrNoIdentity, "no identity opens it")
	r, err = build1(dir, Options{Opener: (&opener{}).get})
	refused(t, r, err, crypt.ErrNoIdentity, "")
	r, err = Build(t.Context(), dir, Options{})
	refused(t, r, err, crypt.ErrNoIdentity, "")
	failed := errors.New("the identity file is gone")
	r, err = build1(dir, Options{Opener: func() (*crypt.Opener, error) { return nil, failed }})
	refused(t, r, err, failed, "gone")
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		t.Errorf("one fault of the run is told %d times", len(joined.Unwrap()))
	}
}

// TestAltered: what crypt and secret refuse, the build refuses, with the file and line.
func TestAltered(t *testing.T) {
	good := seal(t, sealedDB)
	box := regexp.MustCompile(`box: (.)`)
	for name, c := range map[string]struct {
		text string
		kind error
	}{
		"a flipped box":      {box.ReplaceAllStringFunc(good, func(s string) string { return "box: " + map[bool]string{true: "B", false: "A"}[s[5] == 'A'] }), crypt.ErrAEAD},
		"moved to a name":    {strings.ReplaceAll(good, "name: db", "name: evil"), crypt.ErrAEAD},
		"other metadata":     {strings.Replace(good, "name: db", "name: evil", 1), secret.ErrBinding},
		"an unknown suite":   {strings.Replace(good, "suite: 1", "suite: 2", 1), secret.ErrMalformed},
		"an unknown field":   {strings.Replace(good, "spec:\n", "spec:\n  x: y\n", 1), secret.ErrMalformed},
		"truncated":          {good[:len(good)-200], nil},
		"a duplicate key":    {strings.Replace(good, "spec:\n", "spec:\n  suite: 1\n", 1), nil},
		"moved to namespace": {strings.ReplaceAll(good, "namespace: shop", "namespace: evil"), crypt.ErrAEAD},
	} {
		t.Run(name, func(t *testing.T) {
			if c.text == good {
				t.Fatal("nothing was altered")
			}
			dir := writeTree(t, map[string]string{"kustomization.yaml": "resources: [db.yaml]\n", "db.yaml": c.text})
			r, err := build1(dir, Options{})
			refused(t, r, err, c.kind, "db.yaml")
		})
	}
}
