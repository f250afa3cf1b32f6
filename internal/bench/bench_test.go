package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ageseal/ageseal/internal/corpora"
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
	if secretYAML(7) == strings.ReplaceAll(secretYAML(8), "app-0008", "app-0007") {
		t.Error("each Secret has values of its own")
	}
	// Figures of two versions can be compared as long as the workload is the same.
	const want = "f578f588886bff0a419805674cfeccb7cd7d172aa2ed3c9d85df98ed871bea24"
	if got := digest(t, dir); got != want {
		t.Errorf("the workload has the digest %s, want %s", got, want)
	}
}

// TestSharedWorkload compares with the script that others measure with.
func TestSharedWorkload(t *testing.T) {
	script := corpora.Path(t, "bench", "workload.sh")
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("the script needs Python")
	}
	theirs, ours := t.TempDir(), t.TempDir()
	cmd := exec.Command("bash", script, "12")
	cmd.Env = append(os.Environ(), "W="+theirs)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := writeWorkload(ours, 12); err != nil {
		t.Fatal(err)
	}
	if digest(t, ours) != digest(t, filepath.Join(theirs, "12", "plain")) {
		t.Error("what it writes is not what writeWorkload does")
	}
}

// digest is one of the names and texts of all files.
func digest(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(h, "%s %d\n%s", e.Name(), len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil))
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

func TestGenerated(t *testing.T) {
	dir := t.TempDir()
	if err := writeWorkload(dir, 12, ksopsYAML("/bin/ksops", 1, 12)); err != nil {
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
### Targets and ratios

| ratio: median (min–max) | N=1 | N=100 | N=1000 | target | peak memory, N=1000 |
| --- | --- | --- | --- | --- | --- |
| ours / stock | 0.90 (0.90–0.90) | **0.90, missed** (0.90–0.90) | 0.80 (0.80–0.80) | ≤ 1.05, ≤ 0.85 from N=10: **not reached** | 1.50, ≤ 1.10: **not reached** |
`
	if diff := cmp.Diff(want, ratioTable(sizes, cases, all)); diff != "" {
		t.Errorf("ratios (-want +got):\n%s", diff)
	}
	want = `
### Side by side

| CPU time: median | N=1 | N=100 | N=1000 | peak memory, N=1000 |
| --- | --- | --- | --- | --- |
| stock | 100.0 ms | 100.0 ms | 100.0 ms | 2.0 MiB |
| ours | 90.0 ms | 90.0 ms | 80.0 ms | 3.0 MiB |
`
	if diff := cmp.Diff(want, costTable(sizes, cases, all)); diff != "" {
		t.Errorf("costs (-want +got):\n%s", diff)
	}
	large := ratio{limits: []limit{{100, 2}}}
	if large.missed(10, spread{8, 9, 10}) || !large.missed(100, spread{8, 9, 10}) {
		t.Error("the target for 100 Secrets holds for 100 and more, and not for 10")
	}
	for want, got := range map[string]string{
		"≤ 2.00 from N=100: not measured": large.target([]int{1, 10}, true),
		"≤ 2.00 from N=100: reached":      large.target([]int{1, 100}, true),
		"":                                ratio{}.target([]int{1, 100}, true),
	} {
		if got != want {
			t.Errorf("target %q, want %q", got, want)
		}
	}
}

func TestRatiosOfSlow(t *testing.T) {
	if diff := cmp.Diff(spread{2, 2, 2}, ratios([]float64{4}, []float64{2, 1}), cmp.AllowUnexported(spread{})); diff != "" {
		t.Errorf("one turn beside two (-want +got):\n%s", diff)
	}
}

func TestResourceList(t *testing.T) {
	var list struct{ Items []map[string]any }
	if err := yaml.Unmarshal([]byte(resourceList(2)), &list); err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := yaml.Unmarshal([]byte(secretYAML(2)), &want); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != 2 || !cmp.Equal(want, list.Items[1]) {
		t.Errorf("the second of %d items (-want +got):\n%s", len(list.Items), cmp.Diff(want, list.Items[1]))
	}
}

func TestPlot(t *testing.T) {
	cost := func(d time.Duration) []usage { return []usage{{cpu: d}} }
	all := []measured{
		{plainBuild: cost(10), build: cost(8), catBuild: cost(15)},
		{plainBuild: cost(10), build: cost(5), catBuild: cost(127)},
	}
	got := buildsPlot([]int{1, 1000}, all)
	dec := xml.NewDecoder(strings.NewReader(got))
	bars := 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local == "script" || start.Name.Local == "image" {
			t.Errorf("<%s> has no place in a plot", start.Name.Local)
		}
		for _, a := range start.Attr {
			if a.Name.Local == "width" && a.Value == "26" {
				bars++
			}
		}
	}
	if bars != 4 {
		t.Errorf("%d bars, want 2 of each program that was measured", bars)
	}
	for _, want := range []string{"<title ", "<desc ", "prefers-color-scheme: dark", ">0.80<", ">12.7<", ">1 Secret<", ">1000 Secrets<", "ageseal build: 0.80 with 1, 0.50 with 1000"} {
		if !strings.Contains(got, want) {
			t.Errorf("the plot has no %q", want)
		}
	}
	if strings.Contains(got, "KSOPS") || len(got) > 30<<10 {
		t.Errorf("a program that was not measured is in the legend, or %d bytes are too many", len(got))
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
	b := bench{options: options{args: []string{"-ageseal", "x", "-plot", "z", "-n", "1,10", "-write", "y"}}}
	if got, want := b.how(), `make bench BENCHFLAGS="-n 1,10"`; got != want {
		t.Errorf("how = %s, want %s", got, want)
	}
}
