package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestWorkload(t *testing.T) {
	dir := t.TempDir()
	if err := writeWorkload(dir, 12, ""); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 12+2+1 {
		t.Errorf("%d files, want 12 Secrets, 2 Deployments and a kustomization", len(files))
	}
	var list struct{ Resources []string }
	text, err := os.ReadFile(filepath.Join(dir, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &list); err != nil || len(list.Resources) != 14 {
		t.Errorf("the kustomization lists %d resources, error %v; want 14", len(list.Resources), err)
	}
	var s struct {
		StringData map[string]string `yaml:"stringData"`
	}
	if err := yaml.Unmarshal([]byte(secretYAML(7)), &s); err != nil {
		t.Fatal(err)
	}
	for _, key := range valueKeys {
		if len(s.StringData[key]) != 40 {
			t.Errorf("%s has %d bytes, want 40", key, len(s.StringData[key]))
		}
	}
	if n := len(secretYAML(7)); n < 2500 || n > 2700 {
		t.Errorf("a Secret has %d bytes, want about 2,600", n)
	}
	if n := len(s.StringData["tls.key"]); n < 1900 || n > 2100 {
		t.Errorf("tls.key has %d bytes, want about 2,000", n)
	}
	if again := secretYAML(7); again != secretYAML(7) || secretYAML(7) == strings.ReplaceAll(secretYAML(8), "app-0008", "app-0007") {
		t.Error("the workload must be the same in each run, and another for each Secret")
	}
}

func TestMedianAndRatios(t *testing.T) {
	if got := median([]float64{9, 1, 2}); got != 2 {
		t.Errorf("median = %v, want 2", got)
	}
	if got := median([]float64{4, 1, 2, 9}); got != 3 {
		t.Errorf("median of an even number = %v, want 3", got)
	}
	if diff := cmp.Diff(spread{0.5, 1, 2}, ratios([]float64{1, 3, 4}, []float64{2, 3, 2}), cmp.AllowUnexported(spread{})); diff != "" {
		t.Errorf("ratios (-want +got):\n%s", diff)
	}
}

func TestSameObjects(t *testing.T) {
	const plain = "kind: Secret\nmetadata:\n  name: a\nstringData:\n  k: v\n---\nkind: Service\nmetadata:\n  name: a\n"
	const folded = "kind: Service\nmetadata:\n  name: a\n---\nkind: Secret\nmetadata:\n  name: a\ndata:\n  k: dg==\n"
	if err := sameObjects([]byte(plain), []byte(folded)); err != nil {
		t.Errorf("equal streams: %v", err)
	}
	for name, got := range map[string]string{
		"another value": strings.Replace(folded, "dg==", "dw==", 1),
		"one missing":   strings.SplitAfter(folded, "---\n")[1],
		"nothing":       "",
		"no YAML":       "a: b: c",
	} {
		if sameObjects([]byte(plain), []byte(got)) == nil {
			t.Errorf("%s: taken for equal", name)
		}
	}
	if sameObjects(nil, nil) == nil {
		t.Error("two empty streams prove nothing and were taken for equal")
	}
	if got := string(secretsOf([]byte(plain))); strings.Contains(got, "Service") || !strings.Contains(got, "k: v") {
		t.Errorf("secretsOf = %q", got)
	}
}

func TestLinesOnlyIn(t *testing.T) {
	if n := linesOnlyIn([]byte("a\n b\nb\nc\n"), []byte("a\n  b\n")); n != 2 {
		t.Errorf("linesOnlyIn = %d, want 2: one b and c", n)
	}
}

func TestGenerated(t *testing.T) {
	dir := t.TempDir()
	if err := writeWorkload(dir, 12, ksopsYAML("/bin/ksops", 12)); err != nil {
		t.Fatal(err)
	}
	var list struct{ Resources, Generators []string }
	read(t, filepath.Join(dir, "kustomization.yaml"), &list)
	if len(list.Resources) != 2 || len(list.Generators) != 1 {
		t.Fatalf("%d resources and %d generators, want the 2 Deployments and the one that makes the Secrets", len(list.Resources), len(list.Generators))
	}
	var generator struct {
		Files    []string
		Metadata struct{ Annotations map[string]string }
	}
	read(t, filepath.Join(dir, list.Generators[0]), &generator)
	if len(generator.Files) != 12 {
		t.Errorf("the generator lists %d files, want 12", len(generator.Files))
	}
	var function struct{ Exec struct{ Path string } }
	if err := yaml.Unmarshal([]byte(generator.Metadata.Annotations["config.kubernetes.io/function"]), &function); err != nil || function.Exec.Path != "/bin/ksops" {
		t.Errorf("the generator runs %q, error %v", function.Exec.Path, err)
	}
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

func TestTables(t *testing.T) {
	cases := []round{{
		programs: []program{{name: "stock"}, {name: "ours"}},
		ratios:   []ratio{{of: "ours", to: "stock", limits: []limit{{1, 1.05}, {10, 0.85}}, memory: 1.10}},
	}}
	cost := func(ours time.Duration) measured {
		return measured{"ours": {{ours, 3 << 20}}, "stock": {{100 * time.Millisecond, 2 << 20}}}
	}
	sizes := []int{1, 100, 1000}
	all := [][]measured{{cost(90 * time.Millisecond)}, {cost(90 * time.Millisecond)}, {cost(80 * time.Millisecond)}}
	want := `
### CPU time, one beside the other

| ratio: median (min–max) | N=1 | N=100 | N=1000 | target | peak memory, N=1000 |
| --- | --- | --- | --- | --- | --- |
| ours / stock | 0.90 (0.90–0.90) | **0.90, missed** (0.90–0.90) | 0.80 (0.80–0.80) | ≤ 1.05, ≤ 0.85 from N=10 | 1.50 (≤ 1.10, **missed**) |
`
	if diff := cmp.Diff(want, ratioTable(sizes, cases, all)); diff != "" {
		t.Errorf("ratios (-want +got):\n%s", diff)
	}
	want = `
### Each by itself

| CPU time: median | N=1 | N=100 | N=1000 | peak memory, N=1000 |
| --- | --- | --- | --- | --- |
| stock | 100.0 ms | 100.0 ms | 100.0 ms | 2.0 MiB |
| ours | 90.0 ms | 90.0 ms | 80.0 ms | 3.0 MiB |
`
	if diff := cmp.Diff(want, costTable(sizes, cases, all)); diff != "" {
		t.Errorf("costs (-want +got):\n%s", diff)
	}
	if got := (ratio{limits: []limit{{100, 2}}}).cell(10, spread{8, 9, 10}); strings.Contains(got, "missed") {
		t.Errorf("a target for more Secrets is called missed: %s", got)
	}
}

func TestReplaceTables(t *testing.T) {
	name := filepath.Join(t.TempDir(), "b.md")
	if err := os.WriteFile(name, []byte("top\n"+tablesBegin+"old\n"+tablesEnd+"end\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replaceTables(name, "new\n"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("top\n"+tablesBegin+"\nnew\n\n"+tablesEnd+"end\n", string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := os.WriteFile(name, bytes.ReplaceAll(got, []byte(tablesEnd), nil), 0o600); err != nil {
		t.Fatal(err)
	}
	if replaceTables(name, "new\n") == nil {
		t.Error("a file without an end marker was rewritten")
	}
}

func TestHow(t *testing.T) {
	b := bench{options: options{args: []string{"-ageseal", "x", "-n", "1,10", "-write", "y"}}}
	if got, want := b.how(), `make bench BENCHFLAGS="-n 1,10"`; got != want {
		t.Errorf("how = %s, want %s", got, want)
	}
}
