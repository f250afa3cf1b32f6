package verify_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/internal/corpora"
	"github.com/ageseal/ageseal/verify"
)

// Secrets in odd shapes from public repositories. What is expected was judged by reading each file: a Secret that kubectl
// would take, or would but for bad base64 and the like, is one; a placeholder of a template engine that stands in such a
// Secret does not make it a template.
func TestSecretScan(t *testing.T) {
	none := []string(nil)
	want := map[string][]string{
		"kyaml/basicauth-secret.yaml":               {"2: plaintext-secret: secret-basic-auth [password, username]"},
		"kyaml/bootstrap-token-secret-base64.yaml":  {"2: plaintext-secret: kube-system/bootstrap-token-5emitj [auth-extra-groups, expiration, token-id, token-secret, usage-bootstrap-authentication, usage-bootstrap-signing]"},
		"kyaml/bootstrap-token-secret-literal.yaml": {"2: plaintext-secret: kube-system/bootstrap-token-5emitj [auth-extra-groups, expiration, token-id, token-secret, usage-bootstrap-authentication, usage-bootstrap-signing]"},
		"kyaml/dockercfg-secret.yaml":               {"2: plaintext-secret: secret-dockercfg [.dockercfg]"},
		"kyaml/dotfile-secret.yaml":                 {"2: plaintext-secret: dotfile-secret [.secret-file]"},
		"kyaml/serviceaccount-token-secret.yaml":    {"2: plaintext-secret: secret-sa-sample [extra]"},
		"kyaml/ssh-auth-secret.yaml":                {"2: plaintext-secret: secret-ssh-auth [ssh-privatekey]"},
		"kyaml/tls-auth-secret.yaml":                {"1: plaintext-secret: secret-tls [tls.crt, tls.key]"}, // values to be replaced, in a Secret that is complete otherwise

		// Helm templates.
		"thirdparty/GoogleCloudPlatform_microservices-demo__helm-chart__templates__cartservice.yaml":                                     none,
		"thirdparty/argoproj_argo-helm__charts__argo-cd__templates__argocd-configs__argocd-dex-server-tls-secret.yaml":                   none,
		"thirdparty/argoproj_argo-helm__charts__argo-cd__templates__argocd-configs__argocd-repo-server-tls-secret.yaml":                  none,
		"thirdparty/bridgecrewio_checkov__tests__kubernetes__parser__examples__yaml__helm.yaml":                                          none,
		"thirdparty/external-secrets_external-secrets__deploy__charts__external-secrets__templates__cert-controller-serviceaccount.yaml": none,
		"thirdparty/kapicorp_kapitan__examples__kubernetes__charts__nginx-ingress__templates__dh-param-secret.yaml":                      none,

		// Encrypted with SOPS.
		"thirdparty/fluxcd_flux2__cmd__flux__testdata__build-kustomization__podinfo__dockerconfigjson-sops-secret.yaml": none,
		"thirdparty/viaduct-ai_kustomize-sops__test__krm__behaviors__secret.enc.yaml":                                   none,
		"thirdparty/viaduct-ai_kustomize-sops__test__krm__hash__secret.enc.yaml":                                        none,

		// Without values, or all in comments.
		"thirdparty/bridgecrewio_checkov__tests__kubernetes__checks__example_KubernetesDashboard__kube-dashboard-FAILED.yaml": none,
		"thirdparty/redhat-cop_gitops-catalog__grafana-operator__overlays__user-app__grafana-auth-secret.yaml":                none,
		"thirdparty/argoproj-labs_argocd-vault-plugin__fixtures__input__empty__file.yaml":                                     none,

		// Placeholders of another tool, or for a reader, under data, where they are bad base64.
		"thirdparty/argoproj-labs_argocd-vault-plugin__examples__annotation-example.yaml":                    {"4: plaintext-secret: example-annotation [password, username]"},
		"thirdparty/argoproj-labs_argocd-vault-plugin__examples__inline-path-placeholder.yaml":               {"4: plaintext-secret: example-annotation [password, username]"},
		"thirdparty/external-secrets_external-secrets__docs__snippets__azkv-pushsecret-certificate-p12.yaml": {"1: plaintext-secret: source-certificate [cert.p12]"},

		"thirdparty/argoproj-labs_argocd-vault-plugin__fixtures__output__small-secret2.yaml":                            {"1: plaintext-secret: default/my-app [MY_SECRET_NUM, MY_SECRET_STRING]"}, // a number
		"thirdparty/external-secrets_external-secrets__docs__snippets__akeyless-credentials-secret.yaml":                {"1: plaintext-secret: akeyless-secret-creds [accessId]"},                 // nulls beside it
		"thirdparty/external-secrets_external-secrets__docs__snippets__1password-push-secret.yaml":                      {"1: plaintext-secret: source-secret [source-key]"},
		"thirdparty/kubernetes_examples___archived__persistent-volume-provisioning__quobyte__quobyte-admin-secret.yaml": {"1: plaintext-secret: quobyte-admin-secret [password, user]"}, // type twice
		"thirdparty/viaduct-ai_kustomize-sops__test__krm__behaviors__want.yaml":                                         {"1: plaintext-secret: my-base-secret [application, password, username]"},
		"thirdparty/viaduct-ai_kustomize-sops__test__krm__hash__want.yaml":                                              {"1: plaintext-secret: mysecret-hash-h55dbmfg7b [application, password, username]"},
		"thirdparty/bridgecrewio_checkov__tests__kubernetes__checks__example_Secrets__pod-secretVolume-PASSED.yaml":     {"4: plaintext-secret: test-secret [password, username]"},
		"thirdparty/bridgecrewio_checkov__tests__kubernetes__checks__example_Secrets__pod-secretEnvironment-FAILED.yaml": {
			"3: plaintext-secret: backend-user [backend-username]", "12: plaintext-secret: db-user [db-username]", "42: plaintext-secret: test-secret [password, username]"},
		// A List inside a List.
		"thirdparty/bitnami-labs_sealed-secrets__vendor_jsonnet__kube-libsonnet__tests__golden__test-simple-validate.json": {"577: plaintext-secret: foons/foo-secret [sec_key]"},
	}
	dir := corpora.Path(t, "corpora", "secretscan")
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(files) != len(want) {
		t.Errorf("%d files, %d expected, %v", len(files), len(want), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(dir, file)
		name := filepath.ToSlash(rel)
		expected, ok := want[name]
		if !ok {
			t.Errorf("%s: nobody judged it", name)
		}
		if diff := cmp.Diff(expected, lines(t, name, string(data))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// The other corpora hold Secrets, plaintext and encrypted, and published test keys. These are the numbers after each
// finding was looked at; what is encrypted with SOPS, and SealedSecrets, are not among them.
func TestOtherCorpora(t *testing.T) {
	dir := corpora.Path(t, "corpora")
	got := map[string]int{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".gz") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		name := filepath.ToSlash(rel)
		for _, line := range lines(t, name, string(data)) {
			corpus, _, _ := strings.Cut(name, "/")
			got[corpus+" "+strings.Split(line, ": ")[1]]++
			t.Log(name, line)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{
		// Of krusty, nine are the literals of secretGenerators; of validation, Secrets inside a table in JSON.
		"krusty plaintext-secret": 16, "kubectl private-key": 10,
		"sealed-secrets plaintext-secret": 6, "sealed-secrets private-key": 2,
		"secretscan plaintext-secret": 22, "sops plaintext-secret": 46, "sops private-key": 11, "validation plaintext-secret": 48,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whole repositories: those with SOPS files are clean, the twin of one with its values in clear has 43 Secrets.
func TestRepositories(t *testing.T) {
	archives, err := filepath.Glob(filepath.Join(corpora.Path(t, "corpora", "gitops"), "*.tar.gz"))
	if err != nil || len(archives) != 4 {
		t.Fatalf("%d repositories, %v", len(archives), err)
	}
	for _, archive := range archives {
		want := map[string]int{}
		if strings.Contains(archive, ".twin.") {
			want["plaintext-secret"] = 43
		}
		got := map[string]int{}
		files := 0
		corpora.Each(t, archive, func(name string, data []byte) {
			files++
			for _, finding := range verify.Bytes(name, data) {
				got[finding.Rule]++
				if want[finding.Rule] == 0 {
					t.Logf("%+v", finding)
				}
			}
		})
		if diff := cmp.Diff(want, got); diff != "" || files < 50 {
			t.Errorf("%s, %d files (-want +got):\n%s", filepath.Base(archive), files, diff)
		}
	}
}
