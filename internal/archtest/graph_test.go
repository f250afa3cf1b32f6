package archtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/ageseal/ageseal"

// graph is who imports whom, without tests: import path → its direct imports, sorted.
type graph map[string][]string

// listed is what is read of one package of "go list -json".
type listed struct {
	ImportPath string
	Imports    []string
	ImportMap  map[string]string // vendored and standard-library renames
	Dir        string
	GoFiles    []string
}

// load asks the go command for every package of the module and all that they need, for the platform's build tags.
func load(t *testing.T) (graph, []listed) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,ImportMap,Dir,GoFiles", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	g := graph{}
	var own []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("reading go list: %v", err)
		}
		imports := make([]string, 0, len(p.Imports))
		for _, i := range p.Imports {
			if mapped := p.ImportMap[i]; mapped != "" {
				i = mapped
			}
			imports = append(imports, i)
		}
		slices.Sort(imports)
		g[p.ImportPath] = imports
		if room(p.ImportPath) != "" {
			own = append(own, p)
		}
	}
	return g, own
}

// chain is the shortest way of imports from one package to the first that wanted accepts; nil if there is none.
func (g graph) chain(from string, wanted func(string) bool) []string {
	came := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		here := queue[0]
		if here != from && wanted(here) {
			way := []string{here}
			for came[here] != "" {
				here = came[here]
				way = append(way, here)
			}
			slices.Reverse(way)
			return way
		}
		for _, next := range g[here] {
			if _, seen := came[next]; !seen {
				came[next] = here
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// room is the part of the module that an import path lies in: "crypt", "cmd", "internal/atomicfile"; "" for anything else.
func room(importPath string) string {
	rest, ok := strings.CutPrefix(importPath, module+"/")
	if !ok {
		return ""
	}
	first, more, _ := strings.Cut(rest, "/")
	if first == "internal" {
		second, _, _ := strings.Cut(more, "/")
		return path.Join(first, second)
	}
	return first
}

// show writes a chain, a line a step, without the module's own prefix.
func show(way []string) string {
	var b strings.Builder
	for i, p := range way {
		fmt.Fprintf(&b, "\n\t%s%s", strings.Repeat("  ", i), strings.TrimPrefix(p, module+"/"))
	}
	return b.String()
}
