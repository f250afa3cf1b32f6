package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// TestFlags: goreleaser builds with the Makefile's flags, or a release would not be what the tests and benchmarks were of.
func TestFlags(t *testing.T) {
	if _, err := os.Stat("../../Makefile"); err != nil { // so that "go test" does not take an old result for that of another Makefile
		t.Fatal(err)
	}
	cmd := exec.Command("make", "-n", "--no-print-directory", "build", "VERSION=@VERSION@")
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := words(t, string(out))

	text, err := os.ReadFile("../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Builds []struct {
			Main                               string
			Env, Flags, Tags, Gcflags, Ldflags []string
			Goos, Goarch                       []string
		}
	}
	if err := yaml.Unmarshal(text, &config); err != nil || len(config.Builds) != 1 {
		t.Fatalf("%d builds, %v", len(config.Builds), err)
	}
	b := config.Builds[0]
	got := append(slices.Clone(b.Env), "go", "build")
	got = append(append(got, b.Flags...), "-tags", strings.Join(b.Tags, ","))
	for _, f := range b.Gcflags {
		got = append(got, "-gcflags="+f)
	}
	got = append(got, "-ldflags", strings.ReplaceAll(strings.Join(b.Ldflags, " "), "{{ .Version }}", "@VERSION@"), "-o", "bin/ageseal", b.Main)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flags of the Makefile and of .goreleaser.yaml (-make +goreleaser):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{systems, archs}, [][]string{b.Goos, b.Goarch}); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
}

// words are those of a shell command without anything but double quotes.
func words(t *testing.T, command string) []string {
	t.Helper()
	if strings.ContainsAny(command, "'\\`") || strings.Count(strings.TrimSpace(command), "\n") > 0 {
		t.Fatalf("too much for this test: %s", command)
	}
	var out []string
	for _, w := range regexp.MustCompile(`"[^"]*"|[^\s"]+`).FindAllString(command, -1) {
		out = append(out, strings.Trim(w, `"`))
	}
	return out
}
