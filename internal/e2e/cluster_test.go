//go:build e2e

package e2e

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"debug/buildinfo"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ageseal/ageseal/internal/testkeys"
)

// cluster is an API server with its etcd, and nothing else: no controller, no node.
type cluster struct {
	place            // where kubectl and ageseal are run: its environment has the cluster's administrator and Alice's identity
	kubectl, ageseal string
	url, token       string
	client           *http.Client
}

func TestCluster(t *testing.T) {
	c := newCluster(t)
	t.Run("every type", func(t *testing.T) { everyType(t, c) })
	t.Run("refused", func(t *testing.T) { refused(t, c) })
	t.Run("validation", func(t *testing.T) { validation(t, c) })
	t.Run("create secret", func(t *testing.T) { create(t, c) })
	t.Run("limits", func(t *testing.T) { limits(t, c) })
	t.Run("redacted", func(t *testing.T) { redacted(t, c) })
	t.Run("the way of the README", func(t *testing.T) { readme(t, c) })
	t.Run("what the servers print", c.discreet)
}

// newCluster starts one. An API server that loses its etcd does not end for a long time: it is stopped first, being started last.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	began := time.Now()
	apiserver, etcd := tool(t, "kube-apiserver"), tool(t, "etcd")
	c := &cluster{kubectl: tool(t, "kubectl"), ageseal: ageseal(t)}
	c.dir = t.TempDir()
	file := func(name string) string { return filepath.Join(c.dir, name) }
	c.token = "e2e-administrator"
	c.write(t, "tokens.csv", c.token+`,administrator,1,"system:masters"`+"\n")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, "accounts.key", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	env := []string{"HOME=" + c.dir, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + c.dir, "LC_ALL=C"}

	clients, peers := freePort(t), freePort(t)
	urls := fmt.Sprintf("http://127.0.0.1:%d", clients)
	peerURL := fmt.Sprintf("http://127.0.0.1:%d", peers)
	store := start(t, c.dir, "etcd", env, etcd, "--data-dir="+file("data"), "--listen-client-urls="+urls, "--advertise-client-urls="+urls,
		"--listen-peer-urls="+peerURL, "--initial-advertise-peer-urls="+peerURL, "--initial-cluster=default="+peerURL, "--unsafe-no-fsync", "--log-level=warn")
	store.await(t, func(ctx context.Context) error { return get(ctx, http.DefaultClient, urls+"/readyz", "", io.Discard) })

	port := freePort(t)
	c.url = fmt.Sprintf("https://127.0.0.1:%d", port)
	server := start(t, c.dir, "kube-apiserver", env, apiserver, "--etcd-servers="+urls, "--bind-address=127.0.0.1", "--advertise-address=192.0.2.1",
		fmt.Sprintf("--secure-port=%d", port), "--cert-dir="+file("certs"), "--token-auth-file="+file("tokens.csv"), "--authorization-mode=RBAC",
		"--anonymous-auth=false", "--service-account-issuer=https://e2e.example", "--service-account-key-file="+file("accounts.key"),
		"--service-account-signing-key-file="+file("accounts.key"), "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.0.0.0/24")
	c.client = http.DefaultClient
	server.await(t, func(ctx context.Context) error {
		ca, err := os.ReadFile(file("certs/apiserver.crt")) // it makes its own
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(ca)
		c.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
		return get(ctx, c.client, c.url+"/readyz", c.token, io.Discard)
	})
	t.Cleanup(c.client.CloseIdleConnections) // the API server waits for them when it is stopped

	c.write(t, "kubeconfig", fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: e2e, cluster: {server: %q, certificate-authority: certs/apiserver.crt}}]
users: [{name: administrator, user: {token: %s}}]
contexts: [{name: e2e, context: {cluster: e2e, user: administrator}}]
current-context: e2e
`, c.url, c.token))
	c.env = append(env, "KUBECONFIG="+file("kubeconfig"), "AGESEAL_IDENTITY="+testkeys.AliceText())

	var version struct{ ServerVersion struct{ GitVersion string } }
	if err := json.Unmarshal([]byte(c.must(t, "", c.kubectl, "version", "-o", "json")), &version); err != nil {
		t.Fatal(err)
	}
	built := modules(t, apiserver)
	if version.ServerVersion.GitVersion != built["k8s.io/kubernetes"] { // the Makefile stamps the one, go.mod says the other
		t.Errorf("the server calls itself %s and is %s", version.ServerVersion.GitVersion, built["k8s.io/kubernetes"])
	}
	t.Attr("kube-apiserver-and-kubectl", built["k8s.io/kubernetes"])
	t.Attr("etcd", built["go.etcd.io/etcd/server/v3"])
	t.Attr("api-server-ready-after", time.Since(began).Round(100*time.Millisecond).String())
	return c
}

// modules are the versions of what a program was built from.
func modules(t *testing.T, file string) map[string]string {
	t.Helper()
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{info.Main.Path: info.Main.Version}
	for _, m := range info.Deps {
		out[m.Path] = m.Version
	}
	return out
}

// get fetches a URL, which has to say 200.
func get(ctx context.Context, client *http.Client, url, token string, to io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	_, err = io.Copy(to, resp.Body)
	return err
}

// stored is a Secret as the API server gives it.
type stored struct {
	Metadata struct {
		Name, Namespace, ResourceVersion string
		Annotations, Labels              map[string]string
	}
	Type      string
	Immutable *bool
	Data      map[string][]byte
}

// secrets are those of a namespace, by name.
func (c *cluster) secrets(t *testing.T, namespace string) map[string]stored {
	t.Helper()
	var list struct{ Items []stored }
	if err := json.Unmarshal([]byte(c.must(t, "", c.kubectl, "get", "secrets", "-n", namespace, "-o", "json")), &list); err != nil {
		t.Fatal(err)
	}
	out := map[string]stored{}
	for _, s := range list.Items {
		out[s.Metadata.Name] = s
	}
	return out
}

// in is a place of a test's own, with a namespace of its own.
func (c *cluster) in(t *testing.T, namespace string) place {
	t.Helper()
	c.must(t, "", c.kubectl, "create", "namespace", namespace)
	return place{dir: t.TempDir(), env: c.env}
}
