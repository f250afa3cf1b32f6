package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// valueKeys are the five short values of each Secret; a sixth, tls.key, is as long as a private key.
var valueKeys = []string{"DB_PASSWORD", "API_TOKEN", "REDIS_URL", "SESSION_KEY", "WEBHOOK_SECRET"}

const perDeployment = 10 // Secrets that one Deployment refers to

// bytesOf gives n bytes that look random and are the same in every run.
func bytesOf(seed string, n int) []byte {
	var out []byte
	for i := 0; len(out) < n; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "ageseal bench/%s/%d", seed, i))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

// secretYAML is the i-th Secret: five values of 40 bytes and one of about 2 KB over many lines.
func secretYAML(i int) string {
	var b strings.Builder
	name := fmt.Sprintf("app-%04d", i)
	fmt.Fprintf(&b, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: demo\n  labels:\n    app.kubernetes.io/name: %s\ntype: Opaque\nstringData:\n", name, name)
	for _, key := range valueKeys {
		fmt.Fprintf(&b, "  %s: %s\n", key, base64.RawURLEncoding.EncodeToString(bytesOf(name+key, 30)))
	}
	b.WriteString("  tls.key: |\n    -----BEGIN EXAMPLE-----\n")
	for text := base64.StdEncoding.EncodeToString(bytesOf(name+"pem", 1460)); text != ""; {
		line := text[:min(64, len(text))]
		text = text[len(line):]
		fmt.Fprintf(&b, "    %s\n", line)
	}
	b.WriteString("    -----END EXAMPLE-----\n")
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
        image: registry.example.org/web:1.2.3
        envFrom:
%[2]s        env:
%[3]s        volumeMounts:
%[4]s      volumes:
%[5]s`, name, &envFrom, &env, &mounts, &volumes)
}

// writeWorkload makes dir with n Secrets, a Deployment for each ten, and a kustomization that lists all. With a generator, the
// configuration of one, that makes the Secrets.
func writeWorkload(dir string, n int, generator string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	files := map[string]string{}
	list := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n"
	for from := 1; from <= n; from += perDeployment {
		d := (from-1)/perDeployment + 1
		name := fmt.Sprintf("deploy-%04d.yaml", d)
		files[name] = deploymentYAML(d, from, min(n, from+perDeployment-1))
		list += "- " + name + "\n"
	}
	for i := 1; i <= n; i++ {
		name := secretFile(i)
		files[name] = secretYAML(i)
		if generator == "" {
			list += "- " + name + "\n"
		}
	}
	if generator != "" {
		files["generator.yaml"] = generator
		list += "generators:\n- generator.yaml\n"
	}
	files["kustomization.yaml"] = list
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func secretFile(i int) string { return fmt.Sprintf("secret-%04d.yaml", i) }

// decrypterYAML has kustomize run our fn over all Secrets of the directory.
func decrypterYAML(ageseal, identity string) string {
	return "apiVersion: ageseal.dev/v1alpha1\nkind: Decrypter\n" + execFunction(ageseal, "fn", "-i", identity) + "spec:\n  files: [secret-*.yaml]\n"
}

// ksopsYAML has kustomize run KSOPS over the n Secrets of the directory. It knows no patterns.
func ksopsYAML(ksops string, n int) string {
	list := "files:\n"
	for i := range n {
		list += "- " + secretFile(i+1) + "\n"
	}
	return "apiVersion: viaduct.ai/v1\nkind: ksops\n" + execFunction(ksops) + list
}

func execFunction(path string, args ...string) string {
	return fmt.Sprintf("metadata:\n  name: secrets\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: %q, args: [%s]}\n", path, strings.Join(args, ", "))
}
