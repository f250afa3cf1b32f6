package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPreCommit has the pre-commit framework, as the guide's configuration says, build the hook from this checkout and run it.
func TestPreCommit(t *testing.T) {
	if _, err := exec.LookPath("pre-commit"); err != nil {
		t.Skip("pre-commit is not installed: apt install pre-commit")
	}
	checkout, _ := guides(t)
	s := guideScratch(t, program(t, checkout), checkout)
	config := strings.NewReplacer("https://github.com/ageseal/ageseal", "$CLONE", "main", "$REV").Replace(block(t, filepath.Join(checkout, "docs", "guides", "hooks.md"), "yaml"))
	// The framework gives Go a GOPATH of its own. The caches are the machine's, named by newScratch, so that nothing is downloaded
	// again and little is compiled: -trimpath has the compiled packages of another directory fit.
	s.env = append(s.env, "CHECKOUT="+checkout, "CLONE="+filepath.Join(s.root, "ageseal"), "GOFLAGS=-trimpath -buildvcs=false", "CONFIG="+config)
	const plain = `printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: mail, namespace: shop-prod}\nstringData: {password: canary-mail}\n' > apps/mail.yaml`
	for _, step := range []step{
		// What is here now, committed or not, as a repository with one commit.
		{command: `mkdir "$CLONE" && (cd "$CHECKOUT" && git ls-files -z --cached --others --exclude-standard --deduplicate | xargs -0 cp --parents -t "$CLONE") && cd "$CLONE" &&
			git init -q && git add -A && git commit -q -m one && cd -`},
		{command: `REV=$(git -C "$CLONE" rev-parse HEAD) && eval "cat <<EOF > .pre-commit-config.yaml
$CONFIG
EOF" && git add . && git commit -q -m "Let the framework check" && rm .git/hooks/*`},
		{command: "pre-commit install", shown: []string{"pre-commit installed at .git/hooks/pre-commit"}},
		{command: plain + " && git add ."},
		{command: "git commit -q -m mail", refused: true, shown: []string{
			"…Installing environment for …",
			"ageseal…Failed", "- exit code: 3", "apps/mail.yaml:1: plaintext-secret: Secret shop-prod/mail: key password: …", "ageseal: hint: ageseal encrypt -w apps/mail.yaml"}},
		{command: "git commit -q --no-verify -m mail && git status --porcelain"},
		{command: "pre-commit run --all-files", refused: true, shown: []string{"apps/mail.yaml:1: plaintext-secret: Secret shop-prod/mail: key password: …"}},
		{command: "ageseal encrypt -q -w apps/mail.yaml && git add . && git commit -q -m sealed", shown: []string{"ageseal…Passed"}},
		{command: "pre-commit run --all-files", shown: []string{"ageseal…Passed"}},
		// A private key is in no manifest, and a name no option.
		{command: "cp ~/.config/ageseal/identities ./-key && git add . && git commit -q -m key", refused: true, shown: []string{"…-key:…: private-key: …"}},
		{command: "git rm -q -f -- -key"},
		// Beside ours, which keeps the framework's, which keeps ours.
		{command: "ageseal init && pre-commit install && ageseal init", shown: []string{"  the hook that was there is kept as pre-commit.local and runs first"}},
		{command: plain + " && sed -i s/canary-mail/canary-other/ apps/mail.yaml && git add . && git commit -q -m mail", refused: true, shown: []string{"ageseal…Failed"}},
		{command: `ageseal encrypt -q -w apps/mail.yaml && git add . && git commit -q -m "sealed again"`, shown: []string{"ageseal…Passed"}},
	} {
		out, status := s.run(t.Context(), step.command)
		if err := step.check(out, status); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if strings.Contains(out, "canary") || strings.Contains(out, "AGE-SECRET-KEY-PQ-1") {
			t.Fatalf("%s: the output leaks\n%s", step.command, out)
		}
	}
}

// block is the only one of a language in a page.
func block(t *testing.T, page, language string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n```"+language+"\n")
	if len(parts) != 2 {
		t.Fatalf("%s: %d blocks of %s", page, len(parts)-1, language)
	}
	content, _, _ := strings.Cut(parts[1], "\n```")
	return content
}
