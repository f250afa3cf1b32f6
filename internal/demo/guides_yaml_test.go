package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// withCommands are the guides whose YAML has commands of ours in it: the others may have none.
var withCommands = []string{"argo-cd.md", "flux.md", "github-actions.md", "gitlab-ci.md", "helm.md"}

// TestGuidesYAML parses every YAML block of the guides. What is a shell script in it is one, and commands of ours in it,
// which no console block runs, have flags that exist.
func TestGuidesYAML(t *testing.T) {
	checkout, pages := guides(t)
	program := filepath.Join(program(t, checkout), "ageseal")
	for _, page := range pages {
		name := filepath.Base(page)
		t.Run(name, func(t *testing.T) {
			commands := 0
			for _, node := range yamlBlocks(t, page) {
				walk(t, node, "", func(key, script string) {
					if key == "run" || key == "script" || strings.HasPrefix(script, "#!/bin/sh\n") {
						checkScript(t, script)
					}
					for _, command := range ours(script) {
						commands++
						checkFlags(t, program, command)
					}
				})
			}
			if slices.Contains(withCommands, name) != (commands > 0) {
				t.Errorf("%d commands in its YAML", commands)
			}
		})
	}
}

// yamlBlocks are the documents of a page's ```yaml blocks.
func yamlBlocks(t *testing.T, page string) []*yaml.Node {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var nodes []*yaml.Node
	blocks := strings.Split("\n"+string(text), "\n```yaml\n")
	for _, block := range blocks[1:] {
		block, _, _ = strings.Cut(block, "\n```")
		nodes = append(nodes, documents(t, block)...)
	}
	return nodes
}

func documents(t *testing.T, text string) []*yaml.Node {
	t.Helper()
	var nodes []*yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var content map[string]any // decoding sees duplicate keys, a node does not
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return nodes
		}
		if err == nil {
			err = node.Decode(&content)
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		nodes = append(nodes, node.Content[0])
	}
}

// walk visits every text of a document with the key that it stands under, and a list under command: as one line. A value
// under a key such as plugin.yaml is a document, too.
func walk(t *testing.T, node *yaml.Node, key string, visit func(key, text string)) {
	t.Helper()
	switch {
	case node.Kind == yaml.ScalarNode && strings.HasSuffix(key, ".yaml"):
		for _, inner := range documents(t, node.Value) {
			walk(t, inner, "", visit)
		}
	case node.Kind == yaml.ScalarNode:
		visit(key, node.Value)
	case node.Kind == yaml.MappingNode:
		for i := 0; i < len(node.Content); i += 2 {
			if name := node.Content[i].Value; name == "args" && i >= 2 && node.Content[i-2].Value == "command" && node.Content[i-1].Value != "" {
				visit("command", node.Content[i-1].Value+" "+texts(node.Content[i+1]))
			}
			walk(t, node.Content[i+1], node.Content[i].Value, visit)
		}
	case key == "command":
		visit(key, texts(node))
	default:
		for _, item := range node.Content {
			walk(t, item, key, visit)
		}
	}
}

func texts(list *yaml.Node) string {
	var words []string
	for _, item := range list.Content {
		words = append(words, item.Value)
	}
	return strings.Join(words, " ")
}

func checkScript(t *testing.T, script string) {
	t.Helper()
	cmd := exec.Command("bash", "-n")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, script)
	}
}

// oursIn finds a command where a shell would run one, up to where its arguments end.
var oursIn = regexp.MustCompile(`(?m)(?:^|[|&;(]|exec)[ \t]*(?:/\S*/)?(ageseal [^|&;>\n]*)`)

func ours(script string) []string {
	var commands []string
	for _, match := range oursIn.FindAllStringSubmatch(script, -1) {
		commands = append(commands, match[1])
	}
	return commands
}

// checkFlags looks for each flag of a command in its help.
func checkFlags(t *testing.T, program, command string) {
	t.Helper()
	words := strings.Fields(command)[1:]
	help, err := exec.Command(program, words[0], "--help").CombinedOutput()
	if err != nil || !strings.Contains(string(help), "\n  ageseal "+words[0]+" ") {
		t.Errorf("%s: no such command: %v", command, err)
		return
	}
	for _, word := range words[1:] {
		flag, _, _ := strings.Cut(word, "=")
		if flag != "-" && strings.HasPrefix(flag, "-") && !regexp.MustCompile(`(?m)^ +(-\w, )?`+flag+`(\s|$)|^ +`+flag+`, `).Match(help) {
			t.Errorf("%s: no flag %s", command, flag)
		}
	}
}

func TestOurs(t *testing.T) {
	const script = "ageseal verify\n  x | ageseal decrypt - > out\nexec /tools/ageseal build \"$@\"\n(cd a && ageseal build --redact .)\necho ageseal no\n"
	want := []string{"ageseal verify", "ageseal decrypt - ", `ageseal build "$@"`, "ageseal build --redact .)"}
	if got := ours(script); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// TestGuideArgoCD runs what Argo CD would run by the files of its guide: the plugin's command, and the script that is its
// kustomize.
func TestGuideArgoCD(t *testing.T) {
	checkout, _ := guides(t)
	s := guideScratch(t, program(t, checkout), checkout)
	var plugin, kustomize string
	for _, node := range yamlBlocks(t, filepath.Join(checkout, "docs", "guides", "argo-cd.md")) {
		walk(t, node, "", func(key, text string) {
			switch {
			case key == "args" && strings.Contains(text, "ageseal build"):
				plugin = text
			case key == "kustomize" && strings.HasPrefix(text, "#!/bin/sh\n"):
				kustomize = strings.NewReplacer("/custom-tools/ageseal", "ageseal", "/usr/local/bin/kustomize", "echo theirs:").Replace(text)
			}
		})
	}
	file := filepath.Join(s.root, "kustomize")
	if err := os.WriteFile(file, []byte(kustomize), 0o700); err != nil {
		t.Fatal(err)
	}
	s.env = append(s.env, "PLUGIN="+plugin, "KUSTOMIZE="+file)
	for _, test := range []struct {
		command, shown string
		refused        bool
	}{
		{`cd apps/shop/prod && ARGOCD_APP_NAMESPACE=shop-prod sh -c "$PLUGIN"`, "  namespace: shop-prod", false},
		{`ARGOCD_APP_NAMESPACE=shop-staging sh -c "$PLUGIN"`, "ageseal: hint: it may open shop-staging", true},
		{`ARGOCD_APP_NAMESPACE= sh -c "$PLUGIN"`, "ageseal: error: --only-namespace is empty…", true},
		{`cd ../../.. && ARGOCD_APP_NAMESPACE=shop-prod "$KUSTOMIZE" build "$PWD/apps/shop/prod" --enable-helm`, "kind: Secret", false},
		{`ARGOCD_APP_NAMESPACE=shop-staging "$KUSTOMIZE" build "$PWD/apps/shop/prod"`, "ageseal: hint: it may open shop-staging", true},
		{`"$KUSTOMIZE" edit set image -- a=b`, "theirs: edit set image -- a=b", false},
		{`"$KUSTOMIZE" version`, "theirs: version", false},
		{`mkdir ../_cmp_server && cp -r apps ../_cmp_server/copy && cd ../_cmp_server/copy/shop/prod && ageseal build .`, "ageseal: error: …/shop/base: leads outside the root of this build", true},
		{`p=$PWD/; ageseal build --root "${p%"${p#*/_cmp_server/*/}"}" .`, "kind: Secret", false},
	} {
		out, status := s.run(t.Context(), test.command)
		if err := (step{command: test.command, refused: test.refused, shown: []string{test.shown}}).check(out, status); err != nil {
			t.Errorf("%v\n%s", err, shorten(out, 120))
		}
	}
}
