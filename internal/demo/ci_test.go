package main

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// ciStep is a step of the action, or the script of the GitLab component.
type ciStep struct {
	Name, If, Shell, Run string
	Env                  map[string]string
}

// actionSteps are those of action.yml, with the defaults of its inputs.
func actionSteps(t *testing.T, checkout string) (steps []ciStep, defaults map[string]string) {
	t.Helper()
	var action struct {
		Inputs map[string]struct{ Default string }
		Runs   struct{ Steps []ciStep }
	}
	if err := yaml.Unmarshal(read(t, filepath.Join(checkout, "action.yml")), &action); err != nil {
		t.Fatal(err)
	}
	defaults = map[string]string{}
	for name, input := range action.Inputs {
		defaults[name] = input.Default
	}
	return action.Runs.Steps, defaults
}

// component is the job of the GitLab component as one step, with the defaults of its inputs.
func component(t *testing.T, checkout string) (job ciStep, defaults map[string]string) {
	t.Helper()
	var head struct {
		Spec struct {
			Inputs map[string]struct{ Default string }
		}
	}
	var jobs map[string]struct {
		Variables map[string]string
		Script    []string
	}
	decoder := yaml.NewDecoder(bytes.NewReader(read(t, filepath.Join(checkout, "templates", "verify.yml"))))
	if err := errors.Join(decoder.Decode(&head), decoder.Decode(&jobs)); err != nil || len(jobs) != 1 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	defaults = map[string]string{}
	for name, input := range head.Spec.Inputs {
		defaults[name] = input.Default
	}
	for name, j := range jobs {
		job = ciStep{Name: name, Shell: "sh", Run: strings.Join(j.Script, "\n"), Env: j.Variables}
	}
	return job, defaults
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// interpolated is what a CI system puts into a value: GitHub's ${{ inputs.x }}, GitLab's $[[ inputs.x ]].
var interpolated = regexp.MustCompile(`\$(?:\{\{|\[\[) inputs\.([a-z-]+) (?:\}\}|\]\])`)

// runStep does with a step what its CI system does. A step whose condition does not hold is not run.
func (s *scratch) runStep(t *testing.T, step ciStep, inputs map[string]string) (out string, status int) {
	t.Helper()
	if step.If != "" {
		name := strings.TrimSuffix(strings.TrimPrefix(step.If, "inputs."), " != ''")
		if step.If != "inputs."+name+" != ''" {
			t.Fatalf("a condition that this test does not know: %s", step.If)
		}
		if inputs[name] == "" {
			return "", 0
		}
	}
	file := filepath.Join(s.root, "script")
	if err := os.WriteFile(file, []byte(step.Run), 0o600); err != nil {
		t.Fatal(err)
	}
	shell := map[string][]string{"bash": {"bash", "--noprofile", "--norc", "-e", "-o", "pipefail", file}, "sh": {"sh", "-e", file}}[step.Shell]
	cmd := exec.CommandContext(t.Context(), shell[0], shell[1:]...)
	cmd.Dir = s.dir
	added, err := os.ReadFile(filepath.Join(s.root, "path"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	cmd.Env = s.env
	for _, e := range s.env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok && len(added) > 0 {
			cmd.Env = append(cmd.Env, "PATH="+strings.TrimSpace(string(added))+":"+path)
		}
	}
	for name, value := range step.Env {
		cmd.Env = append(cmd.Env, name+"="+interpolated.ReplaceAllStringFunc(value, func(m string) string {
			return inputs[interpolated.FindStringSubmatch(m)[1]]
		}))
	}
	text, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(text), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text), 0
}

func with(defaults map[string]string, inputs ...string) map[string]string {
	all := maps.Clone(defaults)
	for i := 0; i < len(inputs); i += 2 {
		all[inputs[i]] = inputs[i+1]
	}
	return all
}

// ciScratch is a repository as CI checks it out, with $STEP_SUMMARY and the like of GitHub's.
func ciScratch(t *testing.T, checkout string) *scratch {
	t.Helper()
	s := guideScratch(t, program(t, checkout), checkout)
	s.env = append(s.env, "GITHUB_ACTION_PATH="+checkout, "RUNNER_TEMP="+s.root, "GITHUB_PATH="+filepath.Join(s.root, "path"),
		"GITHUB_STEP_SUMMARY="+filepath.Join(s.root, "summary"), "GOFLAGS=-buildvcs=false")
	return s
}

// recording puts a program of this name first in PATH that writes its arguments to a file and, if it is ageseal, whether it was given an
// identity; the lines come back.
func (s *scratch) recording(t *testing.T, name string) (lines func() string) {
	t.Helper()
	dir, log := filepath.Join(s.root, "recording"), filepath.Join(s.root, "log")
	script := "#!/bin/sh\nprintf '[%s]' \"$@\" ${AGESEAL_IDENTITY:+identity} >> '" + log + "'\necho >> '" + log + "'\n"
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755),
		os.WriteFile(filepath.Join(s.root, "path"), []byte(dir), 0o600)); err != nil {
		t.Fatal(err)
	}
	return func() string {
		text, _ := os.ReadFile(log)
		os.Remove(log)
		return strings.TrimSpace(string(text))
	}
}

const plaintext = "apiVersion: v1\nkind: Secret\nmetadata: {name: mail, namespace: shop-prod}\nstringData: {password: canary-mail}\n"

// TestAction runs the steps of the GitHub Action, in order, in a scratch repository.
func TestAction(t *testing.T) {
	checkout, _ := guides(t)
	steps, defaults := actionSteps(t, checkout)
	s := ciScratch(t, checkout)
	all := func(inputs map[string]string) (string, int) {
		out := ""
		for _, step := range steps {
			text, status := s.runStep(t, step, inputs)
			if out += text; status != 0 {
				return out, status
			}
		}
		return out, 0
	}
	key := strings.TrimSpace(lastLine(string(read(t, filepath.Join(s.root, "home", ".config", "ageseal", "identities")))))
	built := filepath.Join(s.root, "built.yaml")
	if out, status := all(with(defaults, "build", "apps/shop/prod", "output", built, "only-namespace", "shop-prod", "identity", key)); status != 0 || out != "" {
		t.Errorf("a sealed repository: status %d\n%s", status, out)
	}
	if info, err := os.Stat(built); err != nil || info.Mode().Perm() != 0o600 || !strings.Contains(string(read(t, built)), "kind: Secret\n") {
		t.Errorf("the build: %v, %v", info, err)
	}
	if installed, err := os.ReadFile(filepath.Join(s.root, "path")); err != nil || strings.TrimSpace(string(installed)) != filepath.Join(s.root, "ageseal-bin") {
		t.Errorf("GITHUB_PATH has %q, %v", installed, err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "apps", "mail.yaml"), []byte(plaintext), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		inputs map[string]string
		status int
		shows  string
	}{
		{"plaintext", with(defaults), 3, "::error file=apps/mail.yaml,line=1,title=ageseal%3A plaintext-secret::"},
		{"other paths", with(defaults, "paths", "apps/shop/base\n  apps/shop/prod"), 0, ""},
		{"one of two paths", with(defaults, "paths", "apps/shop/base apps/mail.yaml"), 3, "::error file=apps/mail.yaml"},
		{"no path is all of them", with(defaults, "paths", ""), 3, "::error file=apps/mail.yaml"},
		{"a path that is a command", with(defaults, "paths", "$(touch${IFS}pwned) `touch pwned` ;touch pwned"), 1, "ageseal: error: "},
		{"a path that is a flag", with(defaults, "paths", "--policy=x"), 1, "ageseal: error: --policy=x: no such file"},
		{"a build to the log", with(defaults, "paths", "apps/shop", "build", "apps/shop/prod", "identity", key), 2, "::error title=ageseal::"},
		{"a build of another namespace", with(defaults, "paths", "apps/shop", "build", "apps/shop/prod", "output", built, "only-namespace", "x", "identity", key), 1, "ageseal: error: "},
	} {
		out, status := all(test.inputs)
		if status != test.status || !strings.Contains(out, test.shows) || strings.Contains(out, "canary") || strings.Contains(out, key) {
			t.Errorf("%s: status %d\n%s", test.name, status, out)
		}
		if _, err := os.Stat(filepath.Join(s.dir, "pwned")); err == nil {
			t.Fatalf("%s: an input was run", test.name)
		}
	}

	// What is run, and that no key is an argument.
	lines := s.recording(t, "ageseal")
	out := ""
	for _, step := range steps[1:] {
		text, _ := s.runStep(t, step, with(defaults, "base", "origin/main", "build", "-x", "output", "o", "identity", key))
		out += text
	}
	if got, want := lines(), "[verify][-o][github][--][.]\n[verify][-o][markdown][--base=origin/main]\n[build][-o][o][--][-x][identity]"; got != want {
		t.Errorf("ran\n%s, want\n%s\n%s", got, want, out)
	}
}

// TestComponent runs the job of the GitLab component.
func TestComponent(t *testing.T) {
	checkout, _ := guides(t)
	job, defaults := component(t, checkout)
	s := ciScratch(t, checkout)
	report := filepath.Join(s.dir, "ageseal.xml")
	for _, shell := range []string{"sh", "bash"} {
		job.Shell = shell
		if out, status := s.runStep(t, job, with(defaults)); status != 0 || !strings.Contains(string(read(t, report)), `failures="0"`) {
			t.Errorf("%s: a sealed repository: status %d\n%s", shell, status, out)
		}
		mail := filepath.Join(s.dir, "apps", "mail.yaml")
		if err := os.WriteFile(mail, []byte(plaintext), 0o600); err != nil {
			t.Fatal(err)
		}
		out, status := s.runStep(t, job, with(defaults))
		if status != 3 || !strings.Contains(out, "apps/mail.yaml:1: plaintext-secret: ") || strings.Contains(out, "canary") || !strings.Contains(string(read(t, report)), `failures="1"`) {
			t.Errorf("%s: plaintext: status %d\n%s", shell, status, out)
		}
		if out, status := s.runStep(t, job, with(defaults, "paths", "apps/shop/base apps/shop/prod")); status != 0 {
			t.Errorf("%s: other paths: status %d\n%s", shell, status, out)
		}
		if out, status := s.runStep(t, job, with(defaults, "paths", "$(touch${IFS}pwned) ;touch *")); status != 1 {
			t.Errorf("%s: a path that is a command: status %d\n%s", shell, status, out)
		}
		if _, err := os.Stat(filepath.Join(s.dir, "pwned")); err == nil {
			t.Fatal("an input was run")
		}
		if err := errors.Join(os.Remove(mail), os.Remove(report)); err != nil {
			t.Fatal(err)
		}
	}
	lines := s.recording(t, "ageseal")
	out, _ := s.runStep(t, job, with(defaults, "base", "0123abcd"))
	if got, want := lines(), "[verify][--][.]\n[verify][-o][junit][--][.]\n[verify][--base=0123abcd]"; got != want {
		t.Errorf("ran\n%s, want\n%s\n%s", got, want, out)
	}

	// Where the image has Go alone.
	lines = s.recording(t, "go")
	if err := os.Remove(filepath.Join(s.root, "recording", "ageseal")); err != nil {
		t.Fatal(err)
	}
	s.env = append(s.env, "PATH=/usr/bin:/bin")
	if out, status := s.runStep(t, job, with(defaults, "version", "v1.2.3")); status == 0 {
		t.Errorf("without the program it passes\n%s", out)
	}
	if got, want := lines(), "[install][github.com/ageseal/ageseal/cmd/ageseal@v1.2.3]"; got != want {
		t.Errorf("ran %s, want %s", got, want)
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
