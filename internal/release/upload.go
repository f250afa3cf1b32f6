package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// notes is the section of a version, whose heading begins with it: "## 1.2.0", and what may follow.
func notes(changelog, tag string) (string, error) {
	version := strings.TrimPrefix(tag, "v")
	var b strings.Builder
	within := false
	for line := range strings.Lines(changelog) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			words := strings.Fields(heading)
			within = len(words) > 0 && words[0] == version
			continue
		}
		if within {
			b.WriteString(line)
		}
	}
	text := strings.TrimSpace(b.String())
	if text == "" {
		return "", fmt.Errorf("CHANGELOG.md has no section \"## %s\", or nothing in it", version)
	}
	return text + "\n", nil
}

// uploads are the files of a release, in dist. The image goes to a registry.
func uploads() []string {
	names := []string{"checksums.txt"}
	for name := range archives() {
		names = append(names, name, name+".spdx.json")
	}
	names = slices.AppendSeq(names, maps.Keys(linuxPackages()))
	names = slices.AppendSeq(names, maps.Keys(manifests))
	slices.Sort(names)
	return names
}
