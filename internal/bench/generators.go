package main

import (
	"fmt"
	"strings"
)

// What stands for the Secrets under stock kustomize: exec functions, each a generator.

// decrypterYAML has kustomize run our fn over all Secrets of the directory.
func decrypterYAML(ageseal, identity string) string {
	return "apiVersion: ageseal.dev/v1alpha1\nkind: Decrypter\n" + execFunction("secrets", ageseal, "fn", "-i", identity) + "spec:\n  files: [secret-*.yaml]\n"
}

// ksopsYAML has kustomize run KSOPS over Secrets from to to. It knows no patterns.
func ksopsYAML(ksops string, from, to int) string {
	var files []string
	for i := from; i <= to; i++ {
		files = append(files, secretFile(i))
	}
	return "apiVersion: viaduct.ai/v1\nkind: ksops\n" + execFunction(fmt.Sprintf("secrets-%d", from), ksops) + list("files", files)
}

// ksopsEachYAML is a generator for each of n Secrets, as people write them beside each other.
func ksopsEachYAML(ksops string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = ksopsYAML(ksops, i+1, i+1)
	}
	return out
}

// catYAML has kustomize run cat over a list of what comes out: the least that any exec function costs.
func catYAML(list string) string {
	return "apiVersion: example.org/v1\nkind: Cat\n" + execFunction("secrets", "/bin/cat", list)
}

// resourceList is the answer of a function: n Secrets in plaintext.
func resourceList(n int) string {
	var b strings.Builder
	b.WriteString("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n")
	for i := range n {
		b.WriteString("- " + strings.TrimSpace(strings.ReplaceAll(secretYAML(i+1), "\n", "\n  ")) + "\n")
	}
	return b.String()
}

func execFunction(name, path string, args ...string) string {
	for i, a := range args {
		args[i] = fmt.Sprintf("%q", a)
	}
	return fmt.Sprintf("metadata:\n  name: %s\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: %q, args: [%s]}\n", name, path, strings.Join(args, ", "))
}
