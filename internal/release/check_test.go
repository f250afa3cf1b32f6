package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// small is a release whose program is a word, in a directory, with what check compares it with.
func small(t *testing.T) *checker {
	t.Helper()
	c := &checker{dist: t.TempDir(), sums: map[string]string{}, pages: map[string][]byte{"ageseal.1": []byte(".TH")}, texts: map[string][]byte{}}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		c.texts[name] = []byte(name)
	}
	for _, script := range shells {
		c.texts["completions/"+script] = []byte(script)
	}
	modules := []map[string]string{}
	for _, module := range []string{"filippo.io/age", "sigs.k8s.io/kustomize/api", "github.com/spf13/cobra", "golang.org/x/crypto", "stdlib"} {
		modules = append(modules, map[string]string{"name": module, "versionInfo": "v1"})
	}
	sbom, err := json.Marshal(map[string]any{"spdxVersion": "SPDX-2.3", "packages": modules})
	if err != nil {
		t.Fatal(err)
	}
	for name := range archives() {
		c.write(t, name, []byte(name))
		c.write(t, name+".spdx.json", sbom)
	}
	for name := range linuxPackages() {
		c.write(t, name, deb(pack(t, c.tree(t, "usr/share/zsh/vendor-completions/_ageseal"), true)))
	}
	for name, of := range manifests {
		var text []byte
		for archive, p := range archives() {
			if slices.Contains(of, p.system) {
				text = fmt.Appendf(text, "%s\n", c.sums[archive])
			}
		}
		c.write(t, name, text)
		delete(c.sums, name)
	}
	return c
}

func (c *checker) write(t *testing.T, name string, data []byte) {
	t.Helper()
	path := filepath.Join(c.dist, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	sum, err := sha256File(path)
	if err != nil {
		t.Fatal(err)
	}
	c.sums[name] = sum
}

// tree is what a package holds.
func (c *checker) tree(t *testing.T, zsh string) map[string]file {
	return map[string]file{
		"usr/bin/ageseal":                                  {mode: 0o755, data: []byte("program")},
		"usr/bin/kubectl-ageseal":                          {mode: 0o777, link: "ageseal"},
		"usr/share/doc/ageseal/copyright":                  {mode: 0o644, data: c.texts["LICENSE"]},
		"usr/share/doc/ageseal/README.md":                  {mode: 0o644, data: c.texts["README.md"]},
		"usr/share/doc/ageseal/CHANGELOG.md":               {mode: 0o644, data: c.texts["CHANGELOG.md"]},
		"usr/share/bash-completion/completions/ageseal":    {mode: 0o644, data: c.texts["completions/ageseal.bash"]},
		"usr/share/fish/vendor_completions.d/ageseal.fish": {mode: 0o644, data: c.texts["completions/ageseal.fish"]},
		zsh:                               {mode: 0o644, data: c.texts["completions/_ageseal"]},
		"usr/share/man/man1/ageseal.1.gz": {mode: 0o644, data: zipped(t, c.pages["ageseal.1"])},
	}
}

// TestCheck: a release is right, and each thing that can be wrong with it is found, and named.
func TestCheck(t *testing.T) {
	const deb64 = "ageseal_linux_amd64.deb"
	repack := func(change func(map[string]file)) func(t *testing.T, c *checker) {
		return func(t *testing.T, c *checker) {
			tree := c.tree(t, "usr/share/zsh/vendor-completions/_ageseal")
			change(tree)
			c.write(t, deb64, deb(pack(t, tree, true)))
		}
	}
	tests := []struct {
		name  string
		spoil func(t *testing.T, c *checker)
		want  string // in the one fault; "" for none
	}{
		{"nothing", func(*testing.T, *checker) {}, ""},
		{"a file is gone", func(t *testing.T, c *checker) {
			if err := os.Remove(filepath.Join(c.dist, "ageseal_linux_arm64.rpm")); err != nil {
				t.Fatal(err)
			}
		}, "ageseal_linux_arm64.rpm: its checksum"},
		{"a byte is another", func(t *testing.T, c *checker) {
			if err := os.WriteFile(filepath.Join(c.dist, "ageseal_darwin_arm64.tar.gz"), []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "ageseal_darwin_arm64.tar.gz: its checksum"},
		{"a checksum is missing", func(_ *testing.T, c *checker) { delete(c.sums, "ageseal_linux_amd64.apk") }, "ageseal_linux_amd64.apk: its checksum is \"\""},
		{"a checksum of something else", func(_ *testing.T, c *checker) { c.sums["x"] = "y" }, "x is no part of a release"},
		{"a manifest of another archive", func(t *testing.T, c *checker) {
			sums := maps.Clone(c.sums)
			c.write(t, "krew/ageseal.yaml", []byte(c.sums["ageseal_linux_amd64.tar.gz"]))
			c.sums = sums
		}, "krew/ageseal.yaml does not have the checksum of"},
		{"no man page", repack(func(f map[string]file) { delete(f, "usr/share/man/man1/ageseal.1.gz") }), "is not ageseal.1"},
		{"another man page", repack(func(f map[string]file) {
			f["usr/share/man/man1/ageseal.1.gz"] = file{mode: 0o644, data: zipped(t, []byte(".TH x"))}
		}), "is not ageseal.1"},
		{"no completion", repack(func(f map[string]file) { delete(f, "usr/share/bash-completion/completions/ageseal") }), "completions/ageseal is missing"},
		{"another program", repack(func(f map[string]file) { f["usr/bin/ageseal"] = file{mode: 0o755, data: []byte("x")} }), "usr/bin/ageseal is missing, or not"},
		{"a program that can't be run", repack(func(f map[string]file) { f["usr/bin/ageseal"] = file{mode: 0o644, data: []byte("program")} }), "mode 644"},
		{"a file too many", repack(func(f map[string]file) { f["etc/x"] = file{mode: 0o644} }), "etc/x has no business there"},
		{"a link elsewhere", repack(func(f map[string]file) { f["usr/bin/kubectl-ageseal"] = file{mode: 0o777, link: "sh"} }), `leads to "sh"`},
		{"an SBOM of something else", func(t *testing.T, c *checker) {
			text, err := os.ReadFile(filepath.Join(c.dist, "ageseal_linux_amd64.tar.gz.spdx.json"))
			if err != nil {
				t.Fatal(err)
			}
			c.write(t, "ageseal_linux_amd64.tar.gz.spdx.json", bytes.ReplaceAll(text, []byte("filippo.io/age"), []byte("x")))
		}, "lacks filippo.io/age"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := small(t)
			test.spoil(t, c)
			c.checksums()
			c.linuxPackage(deb64, []byte("program"))
			c.manifests()
			c.inventory("ageseal_linux_amd64.tar.gz")
			var said []string
			for _, err := range c.wrong {
				said = append(said, err.Error())
			}
			all := strings.Join(said, "\n")
			if test.want == "" && len(said) > 0 || !strings.Contains(all, test.want) {
				t.Errorf("said %q, want %q", all, test.want)
			}
		})
	}
}

// TestBuilt: a program that says it was built otherwise, or nothing, is refused.
func TestBuilt(t *testing.T) {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	c := &checker{}
	c.built("x", self, platform{"plan9", "386"})
	c.built("x", []byte("#!/bin/sh"), platform{"linux", "amd64"})
	for _, want := range []string{"not plan9", "not 386", "-trimpath=", "unrecognized file format"} {
		if !slices.ContainsFunc(c.wrong, func(err error) bool { return strings.Contains(err.Error(), want) }) {
			t.Errorf("no fault says %q: %v", want, c.wrong)
		}
	}
}
