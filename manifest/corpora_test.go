package manifest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/internal/corpora"
)

// Secrets in odd shapes from public repositories: what each file's items are, and why they can't be sealed if they can't.
func TestSecretScan(t *testing.T) {
	dir := corpora.Path(t, "corpora", "secretscan")
	want := map[string]string{
		"kyaml/basicauth-secret.yaml":               "native:2 ok",
		"kyaml/bootstrap-token-secret-base64.yaml":  "native:2 ok",
		"kyaml/bootstrap-token-secret-literal.yaml": "native:2 ok",
		"kyaml/dockercfg-secret.yaml":               "native:2 ok",
		"kyaml/dotfile-secret.yaml":                 "native:2 ok",
		"kyaml/serviceaccount-token-secret.yaml":    "native:2 ok",
		"kyaml/ssh-auth-secret.yaml":                "native:2 ok",
		"kyaml/tls-auth-secret.yaml":                "native:1 10: base64: key tls.crt: the value is not base64\n11: base64: key tls.key: the value is not base64",
		"thirdparty/GoogleCloudPlatform_microservices-demo__helm-chart__templates__cartservice.yaml":                                     "template:364",
		"thirdparty/argoproj-labs_argocd-vault-plugin__examples__annotation-example.yaml":                                                "native:4 12: base64: key username: the value is not base64\n13: base64: key password: the value is not base64",
		"thirdparty/argoproj-labs_argocd-vault-plugin__examples__inline-path-placeholder.yaml":                                           "native:4 10: base64: key username: the value is not base64\n11: base64: key password: the value is not base64",
		"thirdparty/argoproj-labs_argocd-vault-plugin__fixtures__input__empty__file.yaml":                                                "",
		"thirdparty/argoproj-labs_argocd-vault-plugin__fixtures__output__small-secret2.yaml":                                             "native:1 9: schema: key MY_SECRET_NUM: the value is not a string: YAML takes it for a number, a boolean or a date",
		"thirdparty/argoproj_argo-helm__charts__argo-cd__templates__argocd-configs__argocd-dex-server-tls-secret.yaml":                   "template:1",
		"thirdparty/argoproj_argo-helm__charts__argo-cd__templates__argocd-configs__argocd-repo-server-tls-secret.yaml":                  "template:1",
		"thirdparty/bitnami-labs_sealed-secrets__vendor_jsonnet__kube-libsonnet__tests__golden__test-simple-validate.json":               "native:577 ok",
		"thirdparty/bridgecrewio_checkov__tests__kubernetes__checks__example_KubernetesDashboard__kube-dashboard-FAILED.yaml":            "native:15 none",
		"thirdparty/bridgecrewio_checkov__tests__kubernetes__checks__example_Secrets__pod-secretEnvironment-FAILED.yaml":                 "native:3 ok native:12 ok native:42 ok",
		"thirdparty/bridgecrewio_checkov__tests__kubernetes__checks__example_Secrets__pod-secretVolume-PASSED.yaml":                      "native:4 ok",
		"thirdparty/bridgecrewio_checkov__tests__kubernetes__parser__examples__yaml__helm.yaml":                                          "template:1",
		"thirdparty/external-secrets_external-secrets__deploy__charts__external-secrets__templates__cert-controller-serviceaccount.yaml": "template:18",
		"thirdparty/external-secrets_external-secrets__docs__snippets__1password-push-secret.yaml":                                       "native:1 ok",
		"thirdparty/external-secrets_external-secrets__docs__snippets__akeyless-credentials-secret.yaml":                                 "native:1 8: schema: key accessType: the value is null\n9: schema: key accessTypeParam: the value is null",
		"thirdparty/external-secrets_external-secrets__docs__snippets__azkv-pushsecret-certificate-p12.yaml":                             "native:1 6: base64: key cert.p12: the value is not base64",
		"thirdparty/fluxcd_flux2__cmd__flux__testdata__build-kustomization__podinfo__dockerconfigjson-sops-secret.yaml":                  "sops:1",
		"thirdparty/kapicorp_kapitan__examples__kubernetes__charts__nginx-ingress__templates__dh-param-secret.yaml":                      "template:1",
		"thirdparty/kubernetes_examples___archived__persistent-volume-provisioning__quobyte__quobyte-admin-secret.yaml":                  "native:1 9: schema: the key \"type\" occurs twice",
		"thirdparty/redhat-cop_gitops-catalog__grafana-operator__overlays__user-app__grafana-auth-secret.yaml":                           "native:1 none",
		"thirdparty/viaduct-ai_kustomize-sops__test__krm__behaviors__secret.enc.yaml":                                                    "sops:1",
		"thirdparty/viaduct-ai_kustomize-sops__test__krm__behaviors__want.yaml":                                                          "native:1 ok",
		"thirdparty/viaduct-ai_kustomize-sops__test__krm__hash__secret.enc.yaml":                                                         "sops:1",
		"thirdparty/viaduct-ai_kustomize-sops__test__krm__hash__want.yaml":                                                               "native:1 ok",
	}
	files, _ := filepath.Glob(dir + "/*/*")
	if len(files) != len(want) {
		t.Errorf("%d files, %d expected", len(files), len(want))
	}
	for _, file := range files {
		name, _ := filepath.Rel(dir, file)
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var list []string
			for _, i := range parse(t, src).Items() {
				s := kindNames[i.Kind] + ":" + itoa(i.Line)
				if i.Kind == Native {
					n, err := i.Native()
					switch {
					case err != nil:
						s += " " + report(t, err)
					case len(n.Values) == 0:
						s += " none"
					default:
						s += " ok"
					}
				}
				list = append(list, s)
			}
			if got := strings.Join(list, " "); got != want[name] {
				t.Errorf("got  %s\nwant %s", got, want[name])
			}
			checkReaders(t, src)
			checkRoundTrip(t, src)
		})
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// A real repository whose 43 Secrets hold canaries: each comes back equal, no canary is left in a sealed form, and no other file changes.
func TestTwin(t *testing.T) {
	names, _ := filepath.Glob(filepath.Join(corpora.Path(t, "corpora", "gitops"), "*.tar.gz"))
	if len(names) < 4 {
		t.Fatalf("%d archives", len(names))
	}
	for _, name := range names {
		twin := strings.HasSuffix(name, ".twin.tar.gz")
		sealed, files := 0, 0
		corpora.Each(t, name, func(name string, src []byte) {
			if ext := filepath.Ext(name); ext != ".yaml" && ext != ".yml" && ext != ".json" {
				return
			}
			files++
			checkReaders(t, src)
			n := checkRoundTrip(t, src)
			sealed += n
			f := parse(t, src)
			for _, i := range f.Items() {
				if i.Kind == Broken {
					t.Errorf("%s: %v", name, i.Err)
				}
				if i.Kind != Native {
					continue
				}
				s, err := i.Native()
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				i.Seal(specFor(s))
			}
			switch out := f.Bytes(); {
			case n == 0 && !bytes.Equal(src, out):
				t.Errorf("%s: a file without a Secret changed:\n%s", name, cmp.Diff(string(src), string(out)))
			case n > 0 && bytes.Contains(out, []byte("canary-")):
				t.Errorf("%s: a canary in the sealed form:\n%s", name, out)
			}
		})
		if want := map[bool]int{true: 43}[twin]; twin && sealed != want {
			t.Errorf("%s: sealed %d Secrets, not %d", name, sealed, want)
		}
		t.Logf("%s: %d files, %d Secrets", filepath.Base(name), files, sealed)
	}
}
