package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// valueKeys are the five short values of each Secret; a sixth, tls.key, is as long as a private key.
var valueKeys = []string{"DB_PASSWORD", "API_TOKEN", "REDIS_URL", "SESSION_KEY", "WEBHOOK_SECRET"}

const (
	perDeployment = 10                 // Secrets that one Deployment refers to
	privateKey    = "PRIVATE KEY-----" // apart from what begins the line, or scanners take this file for one
)

// bytesOf gives n bytes that look random and are the same in every run.
func bytesOf(seed string, n int) []byte {
	var out []byte
	for i := 0; len(out) < n; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", seed, i))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

// secretHead is the i-th Secret without its values.
func secretHead(i int) string {
	name := fmt.Sprintf("app-%04d", i)
	return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: demo\n  labels:\n    app.kubernetes.io/name: %s\ntype: Opaque\n", name, name)
}

// secretYAML is the i-th Secret: five values of 40 bytes and one of about 2 KB over many lines.
func secretYAML(i int) string {
	var b strings.Builder
	b.WriteString(secretHead(i) + "stringData:\n")
	for _, key := range valueKeys {
		fmt.Fprintf(&b, "  %s: %s\n", key, base64.URLEncoding.EncodeToString(bytesOf(fmt.Sprintf("%d/%s", i, key), 30)))
	}
	b.WriteString("  tls.key: |\n    -----BEGIN " + privateKey + "\n")
	for text := base64.StdEncoding.EncodeToString(bytesOf(fmt.Sprintf("%d/pem", i), 1460)); text != ""; {
		line := text[:min(64, len(text))]
		text = text[len(line):]
		fmt.Fprintf(&b, "    %s\n", line)
	}
	b.WriteString("    -----END " + privateKey + "\n")
	return b.String()
}

// deploymentYAML refers to Secrets from to to, in each of the ways a pod can.
func deploymentYAML(d, from, to int) string {
	name := fmt.Sprintf("web-%04d", d)
	var envFrom, env, mounts, volumes strings.Builder
	for i := from; i <= to; i++ {
		fmt.Fprintf(&envFrom, "        - secretRef:\n            name: app-%04d\n", i)
		fmt.Fprintf(&env, "        - name: DB_%d\n          valueFrom:\n            secretKeyRef:\n              name: app-%04d\n              key: DB_PASSWORD\n", i, i)
		fmt.Fprintf(&mounts, "        - name: tls-%d\n          mountPath: /tls/%d\n", i, i)
		fmt.Fprintf(&volumes, "      - name: tls-%d\n        secret:\n          secretName: app-%04d\n", i, i)
	}
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: %[1]s
  namespace: demo
spec:
  replicas: 2
  selector:
    matchLabels:
      app: %[1]s
  template:
    metadata:
      labels:
        app: %[1]s
    spec:
      containers:
      - name: web
        image: registry.example/web:1.2.3
        envFrom:
%[2]s        env:
%[3]s        volumeMounts:
%[4]s      volumes:
%[5]s`, name, &envFrom, &env, &mounts, &volumes)
}

// writeWorkload makes dir with n Secrets, a Deployment for each ten, and a kustomization that lists all. With generators, it lists those
// in place of the Secrets.
func writeWorkload(dir string, n int, generators ...string) error {
	files := map[string]string{}
	var resources, made []string
	for from := 1; from <= n; from += perDeployment {
		d := (from-1)/perDeployment + 1
		name := fmt.Sprintf("deploy-%04d.yaml", d)
		files[name] = deploymentYAML(d, from, min(n, from+perDeployment-1))
		resources = append(resources, name)
	}
	for i := 1; i <= n; i++ {
		files[secretFile(i)] = secretYAML(i)
		if len(generators) == 0 {
			resources = append(resources, secretFile(i))
		}
	}
	for i, text := range generators {
		name := fmt.Sprintf("generator-%04d.yaml", i+1)
		files[name] = text
		made = append(made, name)
	}
	files["kustomization.yaml"] = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n" + list("resources", resources) + list("generators", made)
	errs := []error{os.MkdirAll(dir, 0o700)}
	for name, text := range files {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return cmp.Or(errs...)
}

// list is a key with the names below it; nothing without any.
func list(key string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return key + ":\n- " + strings.Join(names, "\n- ") + "\n"
}

func secretFile(i int) string { return fmt.Sprintf("secret-%04d.yaml", i) }
