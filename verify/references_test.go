package verify_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/verify"
)

const hidden = "REDACTED_DOTENV_"

// judged renders the report on streams that are rendered as a, b, c: findings as they are, warnings with "warning: " before them, and at the
// end how many references resolve and can't be judged, if any. It looks for the canary in all of it.
func judged(t *testing.T, streams ...string) (out []string) {
	t.Helper()
	var renders []verify.Render
	for i, text := range streams {
		name := string(rune('a' + i))
		renders = append(renders, verify.Render{File: name, Path: "apps/" + name, YAML: []byte(expand(text))})
	}
	refs, err := verify.CheckReferences(renders, hidden)
	if err != nil {
		t.Fatal(err)
	}
	all, err := json.Marshal(refs)
	if err != nil || strings.Contains(string(all), "CANARY") || strings.Contains(string(all), encoded[:12]) {
		t.Errorf("quotes a value: %v, %s", err, all)
	}
	for i, list := range [][]verify.Finding{refs.Findings, refs.Warnings} {
		level := []string{"", "warning: "}[i]
		for _, f := range list {
			if f.Hint == "" || f.Secret == "" {
				t.Errorf("incomplete: %+v", f)
			}
			s := level + f.File + ": " + f.Rule + ": " + f.Secret
			if f.Key != "" {
				s += " [" + f.Key + "]"
			}
			if f.Rule == verify.MissingSecret || f.Rule == verify.MissingKey {
				s += ": " + f.What
			}
			out = append(out, s)
		}
	}
	if refs.Resolved+refs.Unjudged > 0 {
		out = append(out, fmt.Sprintf("%d resolved, %d unjudged", refs.Resolved, refs.Unjudged))
	}
	return out
}

// Pieces of streams. A document begins with its separator.
const (
	dbSecret = "\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\ndata: {password: $BASE64, user: $BASE64}\n"
	podHead  = "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec:\n"
)

func podOf(spec string) string { return podHead + "  " + spec + "\n" }

// env is a Pod that takes one key of a Secret.
func envPod(name, key string) string {
	return podOf(`containers: [{name: web, env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: ` + name + `, key: ` + key + `}}}]}]`)
}

func TestReferencePlaces(t *testing.T) {
	const none = "there is no such Secret"
	missing := func(place string) []string {
		return []string{"a: missing-secret: shop/x: Pod shop/web: " + place + ": " + none}
	}
	for name, c := range map[string]struct {
		spec string
		want []string
	}{
		"env":             {`containers: [{name: c, env: [{name: P, valueFrom: {secretKeyRef: {name: x, key: k}}}]}]`, missing("container c: env P")},
		"envFrom":         {`containers: [{name: c, envFrom: [{secretRef: {name: x}}]}]`, missing("container c: envFrom")},
		"init":            {`initContainers: [{name: c, envFrom: [{secretRef: {name: x}}]}]`, missing("container c: envFrom")},
		"ephemeral":       {`ephemeralContainers: [{name: c, envFrom: [{secretRef: {name: x}}]}]`, missing("container c: envFrom")},
		"volume":          {`volumes: [{name: v, secret: {secretName: x}}]`, missing("volume v")},
		"projected":       {`volumes: [{name: v, projected: {sources: [{configMap: {name: y}}, {secret: {name: x}}]}}]`, missing("volume v")},
		"CSI":             {`volumes: [{name: v, csi: {driver: d, nodePublishSecretRef: {name: x}}}]`, missing("volume v: nodePublishSecretRef")},
		"in-tree":         {`volumes: [{name: e, emptyDir: {}}, {name: v, iscsi: {secretRef: {name: x}}}]`, missing("volume v: secretRef")},
		"azureFile":       {`volumes: [{name: v, azureFile: {secretName: x}}]`, missing("volume v: secretName")},
		"pull":            {`imagePullSecrets: [{name: x}]`, missing("imagePullSecrets")},
		"pull, no name":   {`imagePullSecrets: [{name: ""}, {}]`, nil},
		"several":         {`containers: [{name: c, envFrom: [{secretRef: {name: x}}]}, {name: d, envFrom: [{secretRef: {name: x}}]}]`, missing("container c: envFrom, and 1 more like it")},
		"optional":        {`containers: [{name: c, env: [{name: P, valueFrom: {secretKeyRef: {name: x, key: k, optional: true}}}], envFrom: [{secretRef: {name: x, optional: true}}]}]`, nil},
		"optional volume": {`volumes: [{name: v, secret: {secretName: x, optional: true}}, {name: w, projected: {sources: [{secret: {name: x, optional: true}}]}}]`, nil},
		"a config map":    {`containers: [{name: c, env: [{name: P, valueFrom: {configMapKeyRef: {name: x, key: k}}}], envFrom: [{configMapRef: {name: x}}]}]`, nil},
		"ill-typed":       {`{containers: {a: b}, volumes: 3, imagePullSecrets: [{name: x}]}`, missing("imagePullSecrets")},
		"made later":      {`imagePullSecrets: [{name: "${NAME}"}]`, []string{"0 resolved, 1 unjudged"}},
		"not a name":      {`imagePullSecrets: [{name: "a b"}]`, []string{"a: missing-secret: (no name): Pod shop/web: imagePullSecrets: " + none}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, judged(t, podOf(c.spec))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReferenceKinds(t *testing.T) {
	const containers = `{containers: [{name: c, envFrom: [{secretRef: {name: x}}]}]}`
	for _, c := range []struct{ apiVersion, kind, body, place string }{
		{"v1", "PodTemplate", "template: {spec: " + containers + "}", "container c: envFrom"},
		{"v1", "ReplicationController", "spec: {template: {spec: " + containers + "}}", "container c: envFrom"},
		{"apps/v1", "Deployment", "spec: {template: {spec: " + containers + "}}", "container c: envFrom"},
		{"apps/v1", "StatefulSet", "spec: {template: {spec: " + containers + "}}", "container c: envFrom"},
		{"apps/v1", "DaemonSet", "spec: {template: {spec: " + containers + "}}", "container c: envFrom"},
		{"apps/v1", "ReplicaSet", "spec: {template: {spec: " + containers + "}}", "container c: envFrom"},
		{"batch/v1", "Job", "spec: {template: {spec: " + containers + "}}", "container c: envFrom"},
		{"batch/v1", "CronJob", "spec: {jobTemplate: {spec: {template: {spec: " + containers + "}}}}", "container c: envFrom"},
		{"argoproj.io/v1alpha1", "Rollout", "spec: {template: {spec: " + containers + "}}", "container c: envFrom"},
		{"serving.knative.dev/v1", "Service", "spec: {template: {spec: " + containers + "}}", "container c: envFrom"},
		{"v1", "ServiceAccount", "secrets: [{name: x}]", "secrets"},
		{"v1", "ServiceAccount", "imagePullSecrets: [{name: x}]", "imagePullSecrets"},
		{"networking.k8s.io/v1", "Ingress", "spec: {tls: [{secretName: x}]}", "tls"},
		{"gateway.networking.k8s.io/v1", "Gateway", "spec: {listeners: [{tls: {certificateRefs: [{name: x}, {name: y, kind: ConfigMap}]}}]}", "certificateRefs"},
		{"v1", "PersistentVolume", "spec: {capacity: {storage: 1Gi}, csi: {driver: d, nodeStageSecretRef: {name: x, namespace: shop}}}", "csi: nodeStageSecretRef"},
		{"storage.k8s.io/v1", "StorageClass", "parameters: {csi.storage.k8s.io/provisioner-secret-name: x, csi.storage.k8s.io/provisioner-secret-namespace: shop}", "parameter csi.storage.k8s.io/provisioner-secret-name"},
	} {
		stream := "apiVersion: " + c.apiVersion + "\nkind: " + c.kind + "\nmetadata: {name: web, namespace: shop}\n" + c.body + "\n"
		want := []string{"a: missing-secret: shop/x: " + c.kind + " shop/web: " + c.place + ": there is no such Secret"}
		if diff := cmp.Diff(want, judged(t, stream)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.kind, diff)
		}
		made := "\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: x, namespace: shop}\ndata: {tls.crt: $BASE64, tls.key: $BASE64}\n"
		if diff := cmp.Diff([]string{"1 resolved, 0 unjudged"}, judged(t, stream+made)); diff != "" {
			t.Errorf("%s and its Secret (-want +got):\n%s", c.kind, diff)
		}
	}
}

func TestReferences(t *testing.T) {
	const both = "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: all, namespace: shop}\nspec: {containers: [{name: c, envFrom: [{secretRef: {name: db}}]}]}\n"
	bare := strings.NewReplacer(", namespace: shop", "")
	missing := func(rest string) string {
		return "a: missing-secret: shop/db: Pod shop/web: container web: env PASSWORD: there is no such Secret" + rest
	}
	for name, c := range map[string]struct {
		streams []string
		want    []string
	}{
		"by key":          {[]string{dbSecret + envPod("db", "password") + envPod("db", "user")}, []string{"2 resolved, 0 unjudged"}},
		"as a whole":      {[]string{dbSecret + both}, []string{"1 resolved, 0 unjudged"}},
		"an unused key":   {[]string{dbSecret + envPod("db", "password")}, []string{"warning: a: unused-key: shop/db [user]", "1 resolved, 0 unjudged"}},
		"an unused one":   {[]string{dbSecret}, []string{"warning: a: unused-secret: shop/db"}},
		"a typo in a key": {[]string{dbSecret + envPod("db", "pasword") + both}, []string{"a: missing-key: shop/db [pasword]: Pod shop/web: container web: env PASSWORD: the Secret has no such key; did you mean password?", "1 resolved, 0 unjudged"}},
		"no such key":     {[]string{dbSecret + envPod("db", "token") + both}, []string{"a: missing-key: shop/db [token]: Pod shop/web: container web: env PASSWORD: the Secret has no such key", "1 resolved, 0 unjudged"}},
		"a typo in a name": {[]string{dbSecret + envPod("dbb", "password") + both}, []string{
			"a: missing-secret: shop/dbb: Pod shop/web: container web: env PASSWORD: there is no such Secret; did you mean db?", "1 resolved, 0 unjudged"}},
		"a typo in a name with a hash": {[]string{strings.Replace(dbSecret, "name: db", "name: database-24567ddfgh", 1) + envPod("databse", "password")}, []string{
			"a: missing-secret: shop/databse: Pod shop/web: container web: env PASSWORD: there is no such Secret; did you mean database?", "warning: a: unused-secret: shop/database-24567ddfgh"}},
		"a hash elsewhere": {[]string{envPod("db", "user"), strings.Replace(dbSecret, "name: db", "name: db-24567ddfgh", 1)}, []string{
			missing("; there is one with a hash behind its name, which references of its own kustomization follow and no others"), "warning: b: unused-secret: shop/db-24567ddfgh"}},
		"an item": {[]string{dbSecret + podOf("volumes: [{name: v, secret: {secretName: db, items: [{key: user, path: u}, {key: passwd, path: p}]}}]")}, []string{
			"a: missing-key: shop/db [passwd]: Pod shop/web: volume v: the Secret has no such key; did you mean password?", "warning: a: unused-key: shop/db [password]"}},
		"an optional key": {[]string{dbSecret + both + podOf("containers: [{name: c, env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: no, optional: true}}}]}]")}, []string{"2 resolved, 0 unjudged"}},

		"without namespaces":         {[]string{bare.Replace(dbSecret + both)}, []string{"1 resolved, 0 unjudged"}},
		"one without":                {[]string{bare.Replace(dbSecret) + both}, []string{"1 resolved, 0 unjudged"}},
		"another namespace":          {[]string{strings.Replace(dbSecret, "shop", "prod", 1) + envPod("db", "user")}, []string{missing("; there is one in namespace prod"), "warning: a: unused-secret: prod/db"}},
		"another kustomization":      {[]string{both, dbSecret}, []string{"1 resolved, 0 unjudged"}},
		"another, without namespace": {[]string{envPod("db", "user"), bare.Replace(dbSecret)}, []string{missing("; there is one in what b builds to, and nothing says that its namespace is the same"), "warning: b: unused-key: db [password]"}},
		"another, both without": {[]string{bare.Replace(both), bare.Replace(dbSecret)}, []string{
			"a: missing-secret: db: Pod all: container c: envFrom: there is no such Secret; there is one in what b builds to, and nothing says that its namespace is the same"}},
		"its own first": {[]string{envPod("db", "token") + dbSecret, strings.Replace(dbSecret, "user", "token", 1)}, []string{
			"a: missing-key: shop/db [token]: Pod shop/web: container web: env PASSWORD: the Secret has no such key",
			"warning: a: unused-key: shop/db [password, user]", "warning: b: unused-key: shop/db [password]"}},

		"Flux says where": {[]string{bare.Replace(both), bare.Replace(dbSecret),
			"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: ./apps/a, targetNamespace: shop}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: ./apps/b, targetNamespace: shop}\n"},
			[]string{"1 resolved, 0 unjudged"}},
		"Flux says two places": {[]string{bare.Replace(both), dbSecret,
			"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: ./apps/a, targetNamespace: shop}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: ./apps/a, targetNamespace: test}\n"},
			[]string{"a: missing-secret: db: Pod all: container c: envFrom: there is no such Secret; there is one in namespace shop, and nothing says that this is the same"}},
		"Argo CD says where": {[]string{bare.Replace(both), dbSecret, "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {source: {path: apps/a}, destination: {namespace: shop}}\n"},
			[]string{"1 resolved, 0 unjudged"}},

		"a sealed dotenv": {[]string{strings.Replace(dbSecret, "user:", hidden+"0123ABCD:", 1) + envPod("db", "token") + envPod("db", "password")}, []string{"2 resolved, 0 unjudged"}},
		"to be filled":    {[]string{"apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\n" + envPod("db", "token")}, []string{"1 resolved, 0 unjudged"}},
		"a token":         {[]string{"apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\ntype: kubernetes.io/service-account-token\n" + envPod("db", "token")}, []string{"1 resolved, 0 unjudged"}},
		"SOPS": {[]string{"apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {user: 'ENC[x]'}\nsops: {mac: x}\n" + envPod("db", "user") + envPod("db", "usr")}, []string{
			"a: missing-key: shop/db [usr]: Pod shop/web: container web: env PASSWORD: the Secret has no such key; did you mean user?", "1 resolved, 0 unjudged"}},
		"a dotenv of SOPS": {[]string{strings.Replace(dbSecret, "user:", "sops_mac: eA==, user:", 1) + envPod("db", "password")}, []string{"warning: a: unused-key: shop/db [user]", "1 resolved, 0 unjudged"}},
		"a text for data":  {[]string{"apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\ndata: $CANARY\n" + both}, []string{"1 resolved, 0 unjudged"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, judged(t, c.streams...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What will be made counts as present; its keys are known where the spec lists all of them.
func TestReferencesMade(t *testing.T) {
	const meta = "metadata: {name: db, namespace: shop}\n"
	noKey := []string{"a: missing-key: shop/db [token]: Pod shop/web: container web: env PASSWORD: the Secret has no such key", "1 resolved, 0 unjudged"}
	noSecret := []string{"a: missing-secret: shop/db: Pod shop/web: container web: env PASSWORD, and 1 more like it: there is no such Secret"}
	both := []string{"2 resolved, 0 unjudged"}
	for name, c := range map[string]struct {
		maker string
		want  []string // of a Pod that wants user and token
	}{
		"ExternalSecret":       {"apiVersion: external-secrets.io/v1\nkind: ExternalSecret\n" + meta + "spec: {data: [{secretKey: user}]}", noKey},
		"with a target":        {"apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: x, namespace: shop}\nspec: {target: {name: db}, data: [{secretKey: user}]}", noKey},
		"with dataFrom":        {"apiVersion: external-secrets.io/v1\nkind: ExternalSecret\n" + meta + "spec: {dataFrom: [{extract: {key: a}}]}", both},
		"with a template":      {"apiVersion: external-secrets.io/v1\nkind: ExternalSecret\n" + meta + "spec: {target: {template: {data: {}}}, data: [{secretKey: user}]}", both},
		"that makes none":      {"apiVersion: external-secrets.io/v1\nkind: ExternalSecret\n" + meta + "spec: {target: {creationPolicy: None}, data: [{secretKey: user}]}", noSecret},
		"cluster-wide":         {"apiVersion: external-secrets.io/v1\nkind: ClusterExternalSecret\nmetadata: {name: x}\nspec: {externalSecretName: db, externalSecretSpec: {data: [{secretKey: user}]}}", noKey},
		"SealedSecret":         {"apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\n" + meta + "spec: {encryptedData: {user: $CANARY}}", noKey},
		"with a template's":    {"apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: x, namespace: shop}\nspec: {encryptedData: {user: x}, template: {metadata: {name: db}, data: {token: x}}}", both},
		"Certificate":          {"apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: x, namespace: shop}\nspec: {secretName: db, keystores: {jks: {}}}", both},
		"Certificate, plainly": {"apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: x, namespace: shop}\nspec: {secretName: db}", []string{"a: missing-key: shop/db [token]: Pod shop/web: container web: env PASSWORD: the Secret has no such key", "a: missing-key: shop/db [user]: Pod shop/web: container web: env PASSWORD: the Secret has no such key"}},
		"OnePasswordItem":      {"apiVersion: onepassword.com/v1\nkind: OnePasswordItem\n" + meta + "spec: {itemPath: x}", both},
		"VaultStaticSecret":    {"apiVersion: secrets.hashicorp.com/v1beta1\nkind: VaultStaticSecret\nmetadata: {name: x, namespace: shop}\nspec: {destination: {name: db, create: true}}", both},
		"some other thing":     {"apiVersion: example.com/v1\nkind: Database\n" + meta + "spec: {secret: db}", noSecret},
	} {
		t.Run(name, func(t *testing.T) {
			two := podOf(`containers: [{name: web, env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: token}}}, {name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: user}}}]}]`)
			if diff := cmp.Diff(c.want, judged(t, c.maker+two)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	const ingress = "\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop, annotations: {cert-manager.io/cluster-issuer: x}}\nspec: {tls: [{secretName: web-tls}]}\n"
	if diff := cmp.Diff([]string{"1 resolved, 0 unjudged"}, judged(t, ingress)); diff != "" {
		t.Errorf("a shim (-want +got):\n%s", diff)
	}
	copied := strings.Replace(strings.Replace(dbSecret, "shop", "prod", 1), "name: db", `annotations: {reflector.v1.k8s.emberstack.com/reflection-allowed: "true"}, name: db`, 1)
	if diff := cmp.Diff([]string{"1 resolved, 0 unjudged"}, judged(t, envPod("db", "user"), copied)); diff != "" {
		t.Errorf("a copy (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"1 resolved, 0 unjudged"}, judged(t, strings.Replace(envPod("db", "user"), ", namespace: shop", "", 1), copied)); diff != "" {
		t.Errorf("a copy, in whichever namespace (-want +got):\n%s", diff)
	}
}

// Where a namespace comes from, and how a Secret gets into several.
func TestReferencesNamespaces(t *testing.T) {
	const (
		flux  = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec: {path: apps/a, targetNamespace: NS}\n"
		argo  = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {source: {path: apps/a}, destination: {namespace: prod}}\n"
		none  = "there is no such Secret"
		other = "; there is one in namespace prod"
	)
	prod := strings.Replace(dbSecret, "shop", "prod", 1)
	user := envPod("db", "user") + envPod("db", "password")
	resolved := func(n int) []string { return []string{fmt.Sprintf("%d resolved, 0 unjudged", n)} }
	gateway := func(at, annotations string) string {
		return "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: web, namespace: shop" + annotations + "}\nspec: {listeners: [{tls: {certificateRefs: [{name: tls" + at + "}]}}]}\n"
	}
	certificate := func(template string) string {
		return "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: tls, namespace: prod}\nspec: {secretName: tls" + template + "}\n"
	}
	const shim, copies = ", annotations: {cert-manager.io/issuer: x}", "{annotations: {reflector.v1.k8s.emberstack.com/reflection-allowed: \"true\"}}"
	missingTLS := func(namespace, rest string) []string {
		return []string{"a: missing-secret: " + namespace + "/tls: Gateway shop/web: certificateRefs: " + none + rest}
	}
	for name, c := range map[string]struct {
		streams []string
		want    []string
	}{
		"Flux overrides":     {[]string{user, prod, strings.Replace(flux, "NS", "prod", 1)}, resolved(2)},
		"a variable of Flux": {[]string{user, dbSecret, strings.Replace(flux, "NS", "'${NS}'", 1)}, resolved(2)},
		"Argo CD does not":   {[]string{user, dbSecret, argo}, resolved(2)},

		"in another one":    {[]string{gateway(", namespace: prod", "") + "---\n" + certificate("")}, resolved(1)},
		"not in that":       {[]string{gateway("", "") + "---\n" + certificate("")}, missingTLS("shop", other)},
		"copied there":      {[]string{gateway("", ""), certificate(", secretTemplate: " + copies)}, resolved(1)},
		"made there":        {[]string{gateway("", shim)}, resolved(1)},
		"not made there":    {[]string{gateway(", namespace: prod", shim)}, missingTLS("prod", "")},
		"of a volume":       {[]string{"apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: x}\nspec: {csi: {nodeStageSecretRef: {name: db, namespace: prod}}}\n", prod}, resolved(1)},
		"of a class":        {[]string{"apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: x}\nparameters: {csi.storage.k8s.io/node-stage-secret-name: db, csi.storage.k8s.io/node-stage-secret-namespace: prod}\n", prod}, resolved(1)},
		"of a class, later": {[]string{"apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: x}\nparameters: {csi.storage.k8s.io/node-stage-secret-name: db, csi.storage.k8s.io/node-stage-secret-namespace: \"${pvc.namespace}\"}\n"}, []string{"0 resolved, 1 unjudged"}},
		"of an operator's":  {[]string{"apiVersion: x.com/v1\nkind: X\nmetadata: {name: x, namespace: shop}\nspec: {secretKeyRef: {name: db, namespace: prod, key: user}}\n", prod}, resolved(1)},
		"nobody knows":      {[]string{"apiVersion: x.com/v1\nkind: X\nmetadata: {name: x}\nspec: {secretKeyRef: {name: db, key: user}}\n", prod}, []string{"0 resolved, 1 unjudged"}},
		"for all": {[]string{envPod("db", "user"), "apiVersion: external-secrets.io/v1\nkind: ClusterExternalSecret\nmetadata: {name: db}\nspec: {externalSecretSpec: {data: [{secretKey: user}]}}\n"},
			resolved(1)},
		"copied by External Secrets": {[]string{envPod("db", "user"), "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: db, namespace: prod}\nspec: {target: {template: {metadata: " + copies + "}}}\n"},
			resolved(1)},
		"filled from another": {[]string{"apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop, annotations: {replicator.v1.mittwald.de/replicate-from: prod/db}}\ndata: {x: eA==}\n" + envPod("db", "user")}, resolved(1)},
		"generated": {[]string{"apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop, annotations: {secret-generator.v1.mittwald.de/autogenerate: user}}\ndata: {x: eA==}\n" + envPod("db", "user") + envPod("db", "x")},
			resolved(2)},
		"a key that is made later": {[]string{dbSecret + envPod("db", "'${KEY}'") + envPod("db", "user") + envPod("db", "password")}, resolved(3)},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, judged(t, c.streams...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Who names a Secret in a way nobody knows here uses it, so that a warning is rarely wrong; a key that a known Secret does not have is one in
// any kind.
func TestReferencesElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		user string
		want []string
	}{
		"a custom kind":           {"apiVersion: example.com/v1\nkind: Database\nmetadata: {name: x}\nspec: {deep: [{auth: db}]}", nil},
		"only by its own name":    {"apiVersion: example.com/v1\nkind: Database\nmetadata: {name: db, labels: {app: db}}\nspec: {size: 3}", []string{"warning: a: unused-secret: shop/db"}},
		"a core kind":             {"apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {selector: {app: db}}", []string{"warning: a: unused-secret: shop/db"}},
		"a CRD's schema":          {"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\nspec: {description: the db}", []string{"warning: a: unused-secret: shop/db"}},
		"an annotation":           {"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: x, annotations: {nginx.ingress.kubernetes.io/auth-secret: shop/db}}\nspec: {}", nil},
		"an argument":             {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, args: [--secret=shop/db]}]}", nil},
		"an alias, first in vain": {"apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {hostname: &h db, containers: [{name: c, args: [*h]}]}", nil},
		"a role":                  {"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: x}\nrules: [{resources: [secrets], resourceNames: [db]}]", nil},
		"values of a chart":       {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {values.yaml: \"auth:\\n  existingSecret: db\\n\"}", nil},
		"a key of a chart's": {"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: x, namespace: shop}\nspec: {values: {env: [{P: {valueFrom: {secretKeyRef: {name: db, key: usr}}}}]}}",
			[]string{"a: missing-key: shop/db [usr]: HelmRelease shop/x: secretKeyRef: the Secret has no such key; did you mean user?"}},
		"a chart's own": {"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: x, namespace: shop}\nspec: {values: {a: db, envFrom: [{secretRef: {name: own}}]}}",
			[]string{"warning: a: missing-secret: shop/own: HelmRelease shop/x: envFrom: there is no such Secret"}},
		"a chart's template": {"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: x, namespace: shop}\nspec: {values: {a: db, envFrom: [{secretRef: {name: '{{ .Release.Name }}-env'}}]}}",
			[]string{"0 resolved, 1 unjudged"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, judged(t, c.user+dbSecret)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, kind := range []string{"kubernetes.io/dockerconfigjson", "kubernetes.io/tls", "helm.sh/release.v1"} {
		if got := judged(t, dbSecret+"type: "+kind+"\n"); got != nil {
			t.Errorf("type %s: %q", kind, got)
		}
	}
	if got := judged(t, strings.Replace(dbSecret, "name: db", "labels: {argocd.argoproj.io/secret-type: cluster}, name: db", 1)); got != nil {
		t.Errorf("Argo CD's: %q", got)
	}
}

// Streams that somebody made to harm: an end, and no quadratic one.
func TestReferencesBounded(t *testing.T) {
	many := strings.Repeat
	var alike, vain strings.Builder // names that differ at their ends
	for i := range 2000 {
		fmt.Fprintf(&alike, "---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s%05d}\n", many("x", 240), i)
		fmt.Fprintf(&vain, "{name: %s%05d},", many("x", 240), 90_000+i)
	}
	for name, text := range map[string]string{
		"many names":   podOf("imagePullSecrets: ["+vain.String()+"]") + alike.String(),
		"deep":         "apiVersion: x.com/v1\nkind: X\nspec: " + many("{a: ", 5_000) + many("}", 5_000),
		"long names":   podOf("imagePullSecrets: [{name: "+many("x", 1<<20)+"}]") + "\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: " + many("y", 1<<20) + "}\n",
		"a bomb":       "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g,*g]\napiVersion: x.com/v1\nkind: X\n",
		"many missing": podOf("imagePullSecrets: [" + many("{name: x},", 20_000) + "]"),
	} {
		start := time.Now()
		_, _ = verify.CheckReferences([]verify.Render{{File: "a", YAML: []byte(text)}}, hidden)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
	for _, text := range []string{"", "---\n", "---\n---\n", "# x\n", "- a\n", "x", "null", "{}", "apiVersion: [v1]\nkind: {}\nmetadata: 3\n"} {
		if got := judged(t, dbSecret+"---\n"+text+envPod("db", "user")); len(got) != 2 {
			t.Errorf("%q: %q", text, got)
		}
	}
	if _, err := verify.CheckReferences([]verify.Render{{File: "a", YAML: []byte("a: [" + canary)}}, hidden); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("a stream that can't be read: %v", err)
	}
}
