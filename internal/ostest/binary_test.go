//go:build linux && (amd64 || arm64)

package ostest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a run may take before it counts as hung.
const patience = 2 * time.Minute

// work is a directory of this test process that everybody may enter, so that runs without root's rights find the binary.
var work string

func TestMain(m *testing.M) {
	if os.Getenv(knownVariable) != "" {
		if err := takeKnownSteps(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	status, err := inWorkDir(m)
	if err != nil {
		fmt.Println(err)
		status = 1
	}
	os.Exit(status)
}

func inWorkDir(m *testing.M) (status int, err error) {
	unix.Umask(0o022)
	if work, err = os.MkdirTemp("", "ageseal-ostest-"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	if err := os.Chmod(work, 0o755); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// binaryVariable names a binary that is built already, where the tests run themselves in a namespace.
const binaryVariable = "AGESEAL_OSTEST_BINARY"

var buildBinary = sync.OnceValues(func() (string, error) {
	if built := os.Getenv(binaryVariable); built != "" {
		return built, nil
	}
	bin := filepath.Join(work, "ageseal")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", bin, "github.com/ageseal/ageseal/cmd/ageseal")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the binary under test: %w\n%s", err, out)
	}
	return bin, nil
})

// ageseal is the binary under test, built once.
func ageseal(t testing.TB) string {
	t.Helper()
	bin, err := buildBinary()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// command is a process to be run.
type command struct {
	args   []string // the program by its path
	dir    string
	home   string   // "" for none
	env    []string // beside that of home
	stdin  io.Reader
	stdout *os.File // nil: into the result
	user   *syscall.Credential
}

// result is how a process ended.
type result struct {
	status         int            // -1 if a signal ended it
	signal         syscall.Signal // 0 if none did
	stdout, stderr string
}

func (r result) String() string {
	return fmt.Sprintf("status %d, signal %d\n-- stdout --\n%.2000s\n-- stderr --\n%.4000s", r.status, r.signal, r.stdout, r.stderr)
}

// environ is an environment without the identities, configuration and state of whoever runs the tests.
func (c command) environ() []string {
	home := c.home
	if home == "" {
		home = filepath.Join(work, "no-home")
	}
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + os.TempDir(), "LC_ALL=C",
		"XDG_CONFIG_HOME=" + filepath.Join(home, "config"), "XDG_STATE_HOME=" + filepath.Join(home, "state"),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
	}, c.env...)
}

// start begins a process whose end wait returns.
func start(t testing.TB, c command) (cmd *exec.Cmd, wait func() result) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	cmd = exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Env = c.dir, c.environ()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.stdin, &stdout, &stderr
	if c.stdout != nil {
		cmd.Stdout = c.stdout
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.user}
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	return cmd, func() result {
		defer cancel()
		err := cmd.Wait()
		if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
			t.Errorf("waiting for %s: %v", exit, err)
		}
		if ctx.Err() != nil {
			t.Errorf("%q did not end", c.args)
		}
		r := result{status: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
		if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			r.signal = ws.Signal()
		}
		return r
	}
}

func run(t testing.TB, c command) result {
	t.Helper()
	_, wait := start(t, c)
	return wait()
}

// succeed runs a command that must end with status 0.
func succeed(t testing.TB, c command) result {
	t.Helper()
	r := run(t, c)
	if r.status != 0 {
		t.Fatalf("%q: %v", c.args, r)
	}
	return r
}

// stderrLine is what stderr of a failing run may hold: messages with their continuation, and progress on files.
var stderrLine = regexp.MustCompile(`^(ageseal: (error|hint|warning): [^A-Z]|  |\S+\.(yaml|json)(:\d+)?: |\S+: waiting for another run)`)

// failed holds a run to what every failure must look like, and its error text to what it must say.
func failed(t testing.TB, r result, status int, says string) {
	t.Helper()
	if r.status != status {
		t.Errorf("want status %d: %v", status, r)
	}
	silent(t, r)
	errorLine := regexp.MustCompile(`(?m)^ageseal: error: .*` + says)
	if !errorLine.MatchString(r.stderr) {
		t.Errorf("no error message that says %q: %v", says, r)
	}
	for line := range strings.Lines(r.stderr) {
		if !stderrLine.MatchString(line) {
			t.Errorf("stderr has the line %q: %v", line, r)
		}
	}
}

// silent holds a run that did not succeed to having printed nothing of value.
func silent(t testing.TB, r result) {
	t.Helper()
	if r.stdout != "" {
		t.Errorf("stdout is not empty: %v", r)
	}
	if leaks(r.stderr) || strings.Contains(r.stderr, "AGE-SECRET-KEY") {
		t.Errorf("stderr has a secret: %v", r)
	}
	if strings.Contains(r.stderr, temporaryMark) {
		t.Errorf("stderr speaks of a temporary file: %v", r)
	}
	if strings.Contains(r.stderr, "goroutine ") || strings.Contains(r.stderr, "internal error") {
		t.Errorf("the program crashed: %v", r)
	}
}
