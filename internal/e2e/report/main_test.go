package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const passed = `{"Action":"output","Package":"x/e2e","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"attr","Package":"x/e2e","Test":"TestA","Key":"etcd","Value":"v3.6.8"}
{"Action":"pass","Package":"x/e2e","Test":"TestA/one_thing","Elapsed":0.25}
{"Action":"pass","Package":"x/e2e","Test":"TestA/a/b/c","Elapsed":0.25}
{"Action":"pass","Package":"x/e2e","Test":"TestA","Elapsed":3}
{"Action":"output","Package":"x/e2e","Test":"TestB","Output":"    b_test.go:12: no .tools/b:\n        it failed\n"}
{"Action":"output","Package":"x/e2e","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"x/e2e","Test":"TestB","Elapsed":0}
{"Action":"pass","Package":"x/e2e","Elapsed":4}
`

func TestReport(t *testing.T) {
	for _, test := range []struct{ name, in, want, fault string }{
		{"passed", passed, "ok    e2e TestA/one thing (0.2s)\nok    e2e TestA (3.0s)\n\nSKIP  e2e TestB: no .tools/b: it failed\netcd v3.6.8\n3 passed, 0 failed, 1 skipped\n", ""},
		{"failed", passed + `{"Action":"output","Package":"x/e2e","Test":"TestC","Output":"    c_test.go:1: wrong\n"}` + "\n" +
			`{"Action":"fail","Package":"x/e2e","Test":"TestC","Elapsed":1}`, "FAIL  e2e TestC (1.0s)\n    c_test.go:1: wrong\n", "not everything passed"},
		{"not built", `{"Action":"build-output","ImportPath":"x/e2e","Output":"./a.go:1: undefined\n"}` + "\n" + `{"Action":"fail","Package":"x/e2e"}`,
			"./a.go:1: undefined\nFAIL  x/e2e\n", "not everything passed"},
		{"all skipped", `{"Action":"skip","Package":"x/e2e","Test":"TestB"}` + "\n" + `{"Action":"pass","Package":"x/e2e"}`, "SKIP  e2e TestB: it does not say why\n", "no test ran"},
		{"killed", strings.Replace(passed, `"x/e2e","Elapsed":4`, `"x/image","Elapsed":4`, 1), "FAIL  x/e2e did not come to its end\n", "not everything passed"},
		{"nothing", "", "0 passed", "not everything passed"},
		{"no events", "go: no such tool\n", "go: no such tool\n", "not everything passed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			err := report(strings.NewReader(test.in), &out, []string{"x/e2e"}, nil)
			if !strings.Contains(out.String(), test.want) {
				t.Errorf("got\n%s\nwant\n%s", out.String(), test.want)
			}
			if (err == nil) != (test.fault == "") || err != nil && err.Error() != test.fault {
				t.Errorf("got %v, want %q", err, test.fault)
			}
		})
	}
}

func TestNeed(t *testing.T) {
	var out strings.Builder
	if err := report(strings.NewReader(passed), &out, nil, []string{"TestA"}); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"TestB", "TestC"} { // skipped, and not there
		if err := report(strings.NewReader(passed), &out, nil, []string{"TestA", name}); err == nil || !strings.Contains(out.String(), name+" has to pass") {
			t.Errorf("%s did not run, and nothing was said: %v", name, err)
		}
	}
}

// TestOldTools: where a version of a tool can't be built, one of before is not there to be tested in its place.
func TestOldTools(t *testing.T) {
	for _, c := range []struct{ target, variable, program string }{
		{"cluster", "KUBERNETES_VERSION", "kube-apiserver"}, {"kubeconform", "KUBECONFORM_VERSION", "kubeconform"}, {"argocd", "ARGOCD_VERSION", "argocd"},
	} {
		old := filepath.Join(t.TempDir(), c.program)
		if err := os.WriteFile(old, nil, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("make", "--no-print-directory", ".tools/."+c.target+"-v0.0.0", c.variable+"=v0.0.0", "TOOLS="+filepath.Dir(old))
		cmd.Dir, cmd.Env = "../../..", append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "GOFLAGS=-no-such-flag")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "no-such-flag") {
			t.Fatalf("%s: %v\n%s", c.target, err, out)
		}
		if _, err := os.Stat(old); err == nil {
			t.Errorf("%s is still there", c.program)
		}
	}
}
