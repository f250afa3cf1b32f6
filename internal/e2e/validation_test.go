//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/internal/corpora"
	"github.com/ageseal/ageseal/internal/testkeys"
)

// verdict is what somebody says of a Secret.
type verdict struct {
	taken  bool
	warned bool
	said   string
}

// request sends an object to the API server, which stores nothing of it if dry.
func (c *cluster) request(t *testing.T, method, path, body string, dry bool) verdict {
	t.Helper()
	query := "?fieldValidation=Strict"
	if dry {
		query += "&dryRun=All"
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.url+path+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	v := verdict{taken: resp.StatusCode < 300, warned: resp.Header.Get("Warning") != ""}
	if !v.taken {
		var status struct{ Message string }
		if err := json.Unmarshal(answer, &status); err != nil || status.Message == "" || resp.StatusCode >= 500 {
			t.Fatalf("%s %s: %s: %s", method, path, resp.Status, answer)
		}
		v.said = fmt.Sprintf("%d %.300s", resp.StatusCode, status.Message)
	}
	return v
}

// encrypt asks ageseal, about what kubectl would be given.
func (c *cluster) encrypt(t *testing.T, text string, flags ...string) verdict {
	t.Helper()
	args := append([]string{c.ageseal, "encrypt", "-r", testkeys.Alice().Recipient().String()}, flags...)
	r := c.run(t, text, append(args, "-")...)
	v := verdict{taken: r.status == 0, warned: strings.Contains(r.stderr, "ageseal: warning: "), said: r.stderr}
	if r.status != 0 && (r.stdout != "" || r.stderr == "") {
		t.Errorf("a refusal is empty and says why: %v", r)
	}
	return v
}

// secretsOf is where the Secrets of a namespace are.
func secretsOf(namespace string) string {
	return "/api/v1/namespaces/" + url.PathEscape(namespace) + "/secrets"
}

// validation asks both about each case of the API server's own tests, and about what people get wrong.
func validation(t *testing.T, c *cluster) {
	for _, name := range []string{"bar", "namespace"} {
		c.must(t, "", c.kubectl, "create", "namespace", name)
	}
	t.Run("cases of Kubernetes' own tests", func(t *testing.T) { corpusCreate(t, c) })
	t.Run("updates of Kubernetes' own tests", func(t *testing.T) { corpusUpdate(t, c) })

	const head = `"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"bar"}`
	for _, test := range []struct {
		name, rest       string
		server, ageseal  bool
		warnings, reason string // who warns; why the two differ
	}{
		{"garbage for a certificate", `"type":"kubernetes.io/tls","data":{"tls.crt":"Y2FuYXJ5LXg=","tls.key":"Y2FuYXJ5LXg="}`, true, true, "both", ""},
		{"base64 in lines", `"data":{"k":"Y2Fu\nYXJ5LXg=\n"}`, true, true, "", ""},
		{"an empty value", `"data":{"k":"","l":"Y2FuYXJ5LXg="}`, true, true, "", ""},
		{"no base64", `"data":{"k":"canary-!"}`, false, false, "", ""},
		{"base64 for URLs", `"data":{"k":"Y2FuYXJ5LV_-"}`, false, false, "", ""},
		{"a number for text", `"stringData":{"k":1}`, false, false, "", ""},
		{"true for text", `"stringData":{"k":true}`, false, false, "", ""},
		{"a list for text", `"stringData":{"k":["canary-"]}`, false, false, "", ""},
		{"an unknown field", `"stringdata":{"k":"canary-"}`, false, false, "", ""},
		{"text for immutable", `"immutable":"yes","stringData":{"k":"canary-"}`, false, false, "", ""},
		{"a key with a slash", `"stringData":{"a/b":"canary-"}`, false, false, "", ""},
		{"a null value", `"data":{"k":null,"l":"Y2FuYXJ5LXg="}`, true, false, "", "the server drops the key without a word"},
	} {
		t.Run(test.name, func(t *testing.T) {
			object := "{" + head + "," + test.rest + "}"
			server, ours := c.request(t, http.MethodPost, secretsOf("bar"), object, true), c.encrypt(t, object)
			if server.taken != test.server || ours.taken != test.ageseal || (test.server != test.ageseal) != (test.reason != "") {
				t.Errorf("server: %v %s\nageseal: %v %s", server.taken, server.said, ours.taken, ours.said)
			}
			if server.taken && ours.taken && (server.warned != (test.warnings == "both") || ours.warned != (test.warnings != "")) {
				t.Errorf("warnings: server %v, ageseal %v %s", server.warned, ours.warned, ours.said)
			}
			if canaries.MatchString(ours.said) {
				t.Errorf("the message quotes plaintext: %s", ours.said)
			}
		})
	}
}

func corpusCreate(t *testing.T, c *cluster) {
	create, _ := corpora.ValidationCases(t)
	refused := 0
	for _, row := range create {
		t.Run(row.Name, func(t *testing.T) {
			object := corpora.ObjectText(t, row.Secret)
			namespace := "bar" // is what kubectl would fill in
			if meta, ok := row.Secret["metadata"].(map[string]any); ok && meta["namespace"] != "" {
				namespace = meta["namespace"].(string)
			}
			server := c.request(t, http.MethodPost, secretsOf(namespace), object, true)
			// The values of one are also the names of its keys, which is a rule of ours.
			ours := c.encrypt(t, object, "--allow-clear", "username", "--allow-clear", "password", "--namespace", "bar")
			if server.taken != ours.taken { // no difference is known
				t.Errorf("server: %v %s\nageseal: %v %s", server.taken, server.said, ours.taken, ours.said)
			}
			if !server.taken {
				refused++
			}
		})
	}
	t.Attr("Kubernetes-own-cases", fmt.Sprintf("%d, of which the API server and ageseal refuse the same %d", len(create), refused))
}

// corpusUpdate compares with a commit what the API server compares with its store.
func corpusUpdate(t *testing.T, c *cluster) {
	_, update := corpora.ValidationCases(t)
	for _, row := range update {
		t.Run(row.Name, func(t *testing.T) {
			before, after := corpora.ObjectText(t, row.Old), corpora.ObjectText(t, row.New)
			if v := c.request(t, http.MethodPost, secretsOf("bar"), before, false); !v.taken {
				t.Fatal(v.said)
			}
			server := c.request(t, http.MethodPut, secretsOf("bar")+"/foo", after, true)
			if v := c.request(t, http.MethodDelete, secretsOf("bar")+"/foo", "", false); !v.taken {
				t.Fatal(v.said)
			}

			p := place{dir: t.TempDir(), env: append(c.env[:len(c.env):len(c.env)], "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Alice",
				"GIT_AUTHOR_EMAIL=alice@example.org", "GIT_COMMITTER_NAME=Alice", "GIT_COMMITTER_EMAIL=alice@example.org")}
			encrypt := []string{c.ageseal, "encrypt", "-q", "-w", "-r", testkeys.Alice().Recipient().String(), "foo.json"}
			p.must(t, "", "git", "init", "-q")
			p.write(t, "foo.json", before)
			p.must(t, "", encrypt...)
			p.must(t, "", "git", "add", "foo.json")
			p.must(t, "", "git", "commit", "-q", "-m", "Seal foo")
			p.write(t, "foo.json", after)
			r := p.run(t, "", encrypt...)
			if server.taken != (r.status == 0) {
				t.Errorf("server: %v %s\nageseal: %v", server.taken, server.said, r)
			}
		})
	}
}
