//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/ageseal/ageseal/internal/testkeys"
)

// patience is how long a process may take before it counts as hung.
const patience = 2 * time.Minute

// engine is podman with everything of its own in a directory, and ageseal's image and the probe's loaded.
type engine struct {
	dir               string
	env               []string
	ageseal           string // program
	function, probing string // images
}

// newEngine skips the test where containers can't be started, which is tried without any image of ours: those have to work.
func newEngine(t *testing.T) *engine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("podman is run as root here, and this is not root")
	}
	for _, name := range []string{"podman", "runc", "kustomize"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("no %s in PATH", name)
		}
	}
	e := &engine{dir: t.TempDir(), function: "ageseal:test", probing: "probe:test"}
	t.Cleanup(func() { e.wait(t) })
	e.files(t, map[string]string{
		// Without limits of its own podman asks for more than a container around this one may grant. No log: see docs/container.md.
		// tmp_dir keeps it apart from the podman of whoever runs the tests.
		"containers.conf": fmt.Sprintf(`[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
log_driver = "none"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
tmp_dir = %q
volume_path = %q
[network]
network_config_dir = %q
`, e.path("tmp"), e.path("volumes"), e.path("net")),
		"storage.conf": fmt.Sprintf("[storage]\ndriver = \"vfs\"\ngraphroot = %q\nrunroot = %q\n", e.path("graph"), e.path("run")),
		"policy.json":  `{"default": [{"type": "insecureAcceptAnything"}]}`,
		"bin/docker":   "#!/bin/sh\nexec podman \"$@\"\n",
	})
	if err := os.Chmod(e.path("bin/docker"), 0o755); err != nil {
		t.Fatal(err)
	}
	home := e.path("home")
	e.env = []string{
		"PATH=" + e.path("bin") + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C", "TMPDIR=" + e.dir,
		"XDG_CONFIG_HOME=" + filepath.Join(home, "config"), "XDG_STATE_HOME=" + filepath.Join(home, "state"),
		"CONTAINERS_CONF=" + e.path("containers.conf"), "CONTAINERS_STORAGE_CONF=" + e.path("storage.conf"),
	}
	probe := build(t, e.path("root/probe"), "./testdata/probe")
	if r := e.run(t, nil, "podman", "run", "--rm", "-i", "--network", "none", "--rootfs", e.path("root"), "/probe"); r.err != nil {
		t.Skipf("no container can be started here: %v", r)
	}
	e.ageseal = build(t, e.path("bin/ageseal"), "github.com/ageseal/ageseal/cmd/ageseal")
	e.load(t, e.function, e.ageseal)
	e.load(t, e.probing, probe)
	return e
}

func (e *engine) path(name string) string { return filepath.Join(e.dir, name) }

// files writes what everybody may read: the function runs as nobody.
func (e *engine) files(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(e.path(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(e.path(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func build(t *testing.T, file, pkg string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", file, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return file
}

func (e *engine) load(t *testing.T, reference, program string) {
	t.Helper()
	binary, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	i, err := newImage(runtime.GOARCH, binary, commit)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := writeArchive(&b, i, reference, commit); err != nil {
		t.Fatal(err)
	}
	e.files(t, map[string]string{"archive.tar": b.String()})
	if r := e.run(t, nil, "podman", "load", "--signature-policy", e.path("policy.json"), "-i", e.path("archive.tar")); r.err != nil {
		t.Fatalf("podman load: %v", r)
	}
}

// wait lets podman's own clean-up behind a container's end finish, which works in the directory that is removed after it.
func (e *engine) wait(t *testing.T) {
	deadline := time.Now().Add(20 * time.Second)
	for {
		running := ""
		lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, file := range lines {
			if text, _ := os.ReadFile(file); bytes.Contains(text, []byte(e.dir)) {
				running = string(bytes.ReplaceAll(text, []byte{0}, []byte{' '}))
			}
		}
		if running == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("still running: %s", running)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// result is how a process ended.
type result struct {
	stdout, stderr string
	err            error
}

func (r result) String() string {
	return fmt.Sprintf("%v\n-- stdout --\n%.2000s\n-- stderr --\n%.2000s", r.err, r.stdout, r.stderr)
}

func (e *engine) run(t *testing.T, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	if args[0] == "ageseal" {
		cmd = exec.CommandContext(ctx, e.ageseal, args[1:]...)
	}
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = e.dir, append(e.env, env...), &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%q did not end", args)
	}
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatalf("%q: %v", args, err)
	}
	return result{stdout.String(), stderr.String(), err}
}

// build has stock kustomize build a directory, with the identity in its environment, and the one flag that containers need.
func (e *engine) build(t *testing.T, dir string) result {
	t.Helper()
	return e.run(t, []string{"AGESEAL_IDENTITY=" + testkeys.AliceText()}, "kustomize", "build", "--enable-alpha-plugins", dir)
}
