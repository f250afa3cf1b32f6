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
	if err := writeWorkload(dir, 12); err != nil {
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

func TestRow(t *testing.T) {
	r := result{duel: duel{name: "x", limit: 0.85}, ours: usage{90 * time.Millisecond, 3 << 20}, theirs: usage{100 * time.Millisecond, 1 << 20},
		cpu: spread{0.8, 0.9, 1}, peak: spread{3, 3, 3}}
	want := "| x | 90.0 ms | 100.0 ms | **0.90** (0.80–1.00) | ≤ 0.85, **missed** | 3.0 MiB, 3.00 |\n"
	if diff := cmp.Diff(want, r.row()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.limit = 0.9
	if strings.Contains(r.row(), "missed") {
		t.Errorf("a target that was met is called missed: %s", r.row())
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
