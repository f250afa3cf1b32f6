package archtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tools are programs for people who work on ageseal. No room may import one; none is part of the binary.
var tools = []string{"internal/bench", "internal/covercheck", "internal/demo", "internal/e2e", "internal/image", "internal/proof", "internal/release", "internal/skipcheck"}

// arrows says what each room may import of the module. A room that is not here may not exist.
var arrows = map[string][]string{
	"crypt":    {},
	"manifest": {},
	"git":      {},
	"policy":   {"crypt"},
	"values":   {"manifest"},
	"identity": {"crypt"},
	"secret":   {"crypt", "manifest"},
	"verify":   {"crypt", "manifest", "policy"},

	"kustomize": {"crypt", "manifest", "secret"},
	"plugin":    {"crypt", "identity", "kustomize", "manifest", "secret"},
	"cmd":       {"crypt", "git", "identity", "kustomize", "manifest", "plugin", "policy", "secret", "values", "verify"},

	"internal/archtest":   {},
	"internal/atomicfile": {},
	"internal/corpora":    {},
	"internal/lazy":       {},
	"internal/memdir":     {},
	"internal/redact":     {},
	"internal/testkeys":   {"crypt"},
	"internal/testplugin": {},

	"internal/ostest":  {},
	"internal/schemas": {},

	"internal/bench":      {},
	"internal/covercheck": {},
	"internal/demo":       {},
	"internal/e2e":        {},
	"internal/image":      {},
	"internal/proof":      {},
	"internal/release":    {},
	"internal/skipcheck":  {},
}

// everywhere are helpers that know nothing of ageseal: any room may use them, but crypt, which knows bytes and age alone.
var everywhere = []string{"internal/atomicfile", "internal/lazy", "internal/memdir", "internal/redact"}

// unreachable says what no chain of imports may lead to, and which rooms are the exception.
var unreachable = []struct {
	what   string
	match  func(importPath string) bool
	except []string
}{
	{"identity, where private keys come from", under(module + "/identity"), []string{"identity", "plugin", "cmd"}},
	{"kustomize's library", under("sigs.k8s.io/kustomize/api"), []string{"kustomize", "plugin", "cmd"}},
	{"kustomize's command line", under("sigs.k8s.io/kustomize/kustomize"), []string{"cmd"}},
	{"test keys", under(module + "/internal/testkeys"), []string{"internal/testkeys"}},
	{"cases of tests", under(module + "/internal/corpora"), []string{"internal/corpora"}},
	{"the test plugin", under(module + "/internal/testplugin"), []string{"internal/testplugin"}},
	{"the test framework", under("testing"), []string{"internal/testkeys", "internal/corpora"}},
	{"a tool of the project", among(tools), nil},
}

// direct says which rooms alone may import a package themselves. (kustomize's own packages bring cobra and more along.)
var direct = []struct {
	what  string
	match func(importPath string) bool
	only  []string
}{
	{"cobra", under("github.com/spf13/cobra"), []string{"cmd"}},
	{"pflag", under("github.com/spf13/pflag"), []string{"cmd"}},
	{"kustomize's library", under("sigs.k8s.io/kustomize/api"), []string{"kustomize", "plugin", "cmd"}},
	{"age", under("filippo.io/age"), []string{"crypt", "identity", "internal/testkeys", "internal/testplugin", "internal/bench"}},
	{"age's plugins", under("filippo.io/age/plugin"), []string{"crypt", "identity", "internal/testplugin"}}, // crypt for their names alone
	{"an AEAD and ssh keys", under("golang.org/x/crypto"), []string{"crypt", "identity"}},
	{"other programs", under("os/exec"), append([]string{"git", "identity", "cmd", "internal/archtest"}, tools...)},
	{"a log", under("log"), []string{"cmd"}},
	{"the network", under("net"), nil},
}

// bytesOnly is what crypt may not touch: it knows no YAML, no file, no environment, no terminal.
var bytesOnly = []string{"os", "io/fs", "io/ioutil", "path/filepath", "syscall", "go.yaml.in/yaml", "sigs.k8s.io/yaml", "golang.org/x/term", "golang.org/x/sys"}

func under(prefix string) func(string) bool {
	return func(p string) bool { return p == prefix || strings.HasPrefix(p, prefix+"/") }
}

func among(rooms []string) func(string) bool {
	return func(p string) bool { return slices.Contains(rooms, room(p)) }
}

// breaches are all the broken rules of a graph, each with its chain.
func (g graph) breaches() []string {
	var out []string
	for _, p := range slices.Sorted(maps.Keys(g)) {
		from := room(p)
		if from == "" {
			continue
		}
		allowed, known := arrows[from]
		if !known {
			out = append(out, fmt.Sprintf("%s is not a room of the architecture", from))
			continue
		}
		for _, i := range g[p] {
			to := room(i)
			if to == "" || to == from || slices.Contains(allowed, to) {
				continue
			}
			if slices.Contains(everywhere, to) && from != "crypt" {
				continue
			}
			out = append(out, fmt.Sprintf("%s may not import %s:%s", from, to, show([]string{p, i})))
		}
		for _, r := range direct {
			for _, i := range g[p] {
				if r.match(i) && !slices.Contains(r.only, from) {
					out = append(out, fmt.Sprintf("%s may not import %s:%s", from, r.what, show([]string{p, i})))
				}
			}
		}
		if from == "crypt" {
			for _, i := range g[p] {
				if slices.ContainsFunc(bytesOnly, func(s string) bool { return under(s)(i) }) {
					out = append(out, fmt.Sprintf("crypt knows bytes and age only:%s", show([]string{p, i})))
				}
			}
		}
		for _, r := range unreachable {
			if slices.Contains(r.except, from) {
				continue
			}
			if way := g.chain(p, r.match); way != nil {
				out = append(out, fmt.Sprintf("%s must not reach %s:%s", from, r.what, show(way)))
			}
		}
	}
	return out
}

func TestArrows(t *testing.T) {
	g, own := load(t)
	if len(own) < 9 {
		t.Fatalf("go list found %d packages of the module: too few to prove anything", len(own))
	}
	for _, b := range g.breaches() {
		t.Error(b)
	}
}

// TestBreaches proves that each rule can fail: one forbidden arrow at a time in a graph that is otherwise right.
func TestBreaches(t *testing.T) {
	const m = module + "/"
	tests := []struct {
		name  string
		graph graph
		want  []string
	}{
		{"nothing wrong", graph{m + "secret": {"fmt", m + "crypt", m + "manifest"}, m + "crypt": {"filippo.io/age"}, m + "manifest": {m + "internal/atomicfile"}}, nil},
		{"a leaf imports a leaf", graph{m + "manifest": {m + "crypt"}}, []string{
			"manifest may not import crypt:\n\tmanifest\n\t  crypt"}},
		{"crypt takes a helper", graph{m + "crypt": {m + "internal/atomicfile"}}, []string{
			"crypt may not import internal/atomicfile:\n\tcrypt\n\t  internal/atomicfile"}},
		{"crypt reads files", graph{m + "crypt": {"os"}}, []string{
			"crypt knows bytes and age only:\n\tcrypt\n\t  os"}},
		{"verify reaches identity over others", graph{m + "verify": {m + "policy"}, m + "policy": {m + "git/x"}, m + "git/x": {m + "identity"}}, []string{
			"git may not import identity:\n\tgit/x\n\t  identity",
			"git must not reach identity, where private keys come from:\n\tgit/x\n\t  identity",
			"policy may not import git:\n\tpolicy\n\t  git/x",
			"policy must not reach identity, where private keys come from:\n\tpolicy\n\t  git/x\n\t    identity",
			"verify must not reach identity, where private keys come from:\n\tverify\n\t  policy\n\t    git/x\n\t      identity"}},
		{"kustomize's library below its room", graph{m + "secret": {"sigs.k8s.io/kustomize/api/types"}}, []string{
			"secret may not import kustomize's library:\n\tsecret\n\t  sigs.k8s.io/kustomize/api/types",
			"secret must not reach kustomize's library:\n\tsecret\n\t  sigs.k8s.io/kustomize/api/types"}},
		{"cobra outside cmd", graph{m + "plugin": {"github.com/spf13/cobra"}}, []string{
			"plugin may not import cobra:\n\tplugin\n\t  github.com/spf13/cobra"}},
		{"cobra that kustomize brings along", graph{m + "kustomize": {"sigs.k8s.io/kustomize/api/krusty"}, "sigs.k8s.io/kustomize/api/krusty": {"github.com/spf13/cobra"}}, nil},
		{"test keys in the binary", graph{m + "cmd/ageseal": {m + "internal/testkeys"}, m + "internal/testkeys": {"testing"}}, []string{
			"cmd may not import internal/testkeys:\n\tcmd/ageseal\n\t  internal/testkeys",
			"cmd must not reach test keys:\n\tcmd/ageseal\n\t  internal/testkeys",
			"cmd must not reach the test framework:\n\tcmd/ageseal\n\t  internal/testkeys\n\t    testing"}},
		{"a process outside git", graph{m + "verify": {"os/exec"}}, []string{
			"verify may not import other programs:\n\tverify\n\t  os/exec"}},
		{"a plugin of age outside identity", graph{m + "policy": {"filippo.io/age/plugin"}}, []string{
			"policy may not import age:\n\tpolicy\n\t  filippo.io/age/plugin",
			"policy may not import age's plugins:\n\tpolicy\n\t  filippo.io/age/plugin"}},
		{"a room nobody drew", graph{m + "util": {}}, []string{
			"util is not a room of the architecture"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.graph.breaches()); diff != "" {
				t.Errorf("breaches (-want +got):\n%s", diff)
			}
		})
	}
}
