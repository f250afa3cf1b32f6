package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestShell has shellcheck read what CI systems and git run. That no input is put into a script needs no program.
func TestShell(t *testing.T) {
	checkout, _ := guides(t)
	steps, _ := actionSteps(t, checkout)
	job, _ := component(t, checkout)
	steps = append(append(steps, job), workflowSteps(t, checkout)...)
	for _, step := range steps {
		if interpolated.MatchString(step.Run) || strings.Contains(step.Run, "${{") || strings.Contains(step.Run, "$[[") {
			t.Errorf("%s: an input becomes a part of the script", step.Name)
		}
	}
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("shellcheck is not installed: apt install shellcheck")
	}
	s := guideScratch(t, program(t, checkout), checkout)
	hooks, err := filepath.Glob(filepath.Join(s.dir, ".git", "hooks", "*[a-z]"))
	if err != nil {
		t.Fatal(err)
	}
	hooks = slices.DeleteFunc(hooks, func(path string) bool { return strings.HasSuffix(path, ".sample") })
	if len(hooks) < 4 {
		t.Fatalf("init installed %q", hooks)
	}
	for _, path := range hooks {
		steps = append(steps, ciStep{Name: filepath.Base(path), Shell: "sh", Run: string(read(t, path))})
	}
	for _, step := range steps {
		cmd := exec.Command("shellcheck", "-s", step.Shell, "-")
		cmd.Stdin = strings.NewReader(step.Run)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", step.Name, err, out)
		}
	}
}

// TestActionlint has actionlint read our workflows, and those of the guide, with the action as it is here.
func TestActionlint(t *testing.T) {
	checkout, _ := guides(t)
	lint := filepath.Join(checkout, ".tools", "actionlint")
	if _, err := os.Stat(lint); err != nil {
		t.Skip("actionlint is not installed: make tools")
	}
	dir := t.TempDir()
	workflows := filepath.Join(dir, ".github", "workflows")
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, ".git"), 0o755), os.MkdirAll(workflows, 0o755),
		os.WriteFile(filepath.Join(dir, "action.yml"), read(t, filepath.Join(checkout, "action.yml")), 0o600)); err != nil {
		t.Fatal(err)
	}
	local := 0
	blocks := strings.Split("\n"+string(read(t, filepath.Join(checkout, "docs", "guides", "github-actions.md"))), "\n```yaml\n")
	for i, block := range blocks[1:] {
		block, _, _ = strings.Cut(block, "\n```")
		local += strings.Count(block, "uses: ageseal/ageseal@main")
		block = strings.ReplaceAll(block, "uses: ageseal/ageseal@main", "uses: ./")
		if err := os.WriteFile(filepath.Join(workflows, string(rune('a'+i))+".yml"), []byte(block+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(blocks) < 3 || local == 0 {
		t.Fatalf("%d workflows, which use the action %d times", len(blocks)-1, local)
	}
	for _, path := range workflowPaths(t, checkout) {
		if err := os.WriteFile(filepath.Join(workflows, filepath.Base(path)), read(t, path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(lint, "-no-color")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func workflowPaths(t *testing.T, checkout string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(checkout, ".github", "workflows", "*.yml"))
	if err != nil || len(paths) < 2 {
		t.Fatalf("%q, %v", paths, err)
	}
	return paths
}

// workflowSteps are those of our own workflows that run something. What others wrote is pinned to a commit, and no job has more than it needs.
func workflowSteps(t *testing.T, checkout string) (steps []ciStep) {
	t.Helper()
	pinned := regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)
	for _, path := range workflowPaths(t, checkout) {
		name := filepath.Base(path)
		var workflow struct {
			Permissions map[string]string
			Jobs        map[string]struct {
				Steps []struct {
					ciStep `yaml:",inline"`
					Uses   string
				}
			}
		}
		if err := yaml.Unmarshal(read(t, path), &workflow); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(workflow.Jobs) == 0 || len(workflow.Permissions) != 1 || workflow.Permissions["contents"] != "read" {
			t.Errorf("%s: %d jobs, which by default may %v", name, len(workflow.Jobs), workflow.Permissions)
		}
		for id, job := range workflow.Jobs {
			for _, step := range job.Steps {
				if step.Uses != "" && !pinned.MatchString(step.Uses) {
					t.Errorf("%s: %s uses %s, which is not pinned to a commit", name, id, step.Uses)
				}
				if strings.Contains(step.Run, "< <(") {
					t.Errorf("%s: %s goes on where a command in <(…) fails", name, id)
				}
				if step.Run != "" {
					step.Name, step.Shell = name+" "+id+" "+step.Name, "bash"
					steps = append(steps, step.ciStep)
				}
			}
		}
	}
	if len(steps) < 10 {
		t.Fatalf("%d steps of workflows", len(steps))
	}
	return steps
}
