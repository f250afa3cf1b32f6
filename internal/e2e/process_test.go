//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a command may take, or a server to start or to stop, before it counts as hung.
const patience = 2 * time.Minute

// server is a running process of another program.
type server struct {
	name string
	log  string // file with all that it prints
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

var (
	running   []*server // in the order they were started
	runningMu sync.Mutex
)

// start runs a server, with everything that it prints in DIR/NAME.log, until the test ends. Servers are stopped in reverse order.
func start(t testing.TB, dir, name string, env []string, args ...string) *server {
	t.Helper()
	s := &server{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	out, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(args[0], args[1:]...)
	s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = dir, env, out, out
	s.cmd.SysProcAttr = withUs()
	started := make(chan error)
	go func() {
		// The kernel ends a process with the thread that started it, not with the whole process: this thread waits.
		runtime.LockOSThread()
		runningMu.Lock()
		err := s.cmd.Start()
		if err == nil {
			running = append(running, s)
		}
		runningMu.Unlock()
		started <- err
		if err == nil {
			_ = s.cmd.Wait()
		}
		out.Close()
		close(s.done)
	}()
	if err := <-started; err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(s.stop)
	return s
}

// stop asks first. It may be called again.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		s.cmd.Process.Kill()
		<-s.done
	}
}

func stopAll() {
	runningMu.Lock() // and nothing is started any more
	for _, s := range slices.Backward(running) {
		s.stop()
	}
}

// await polls until a server is ready. One that has ended meanwhile fails the test with the end of what it printed.
func (s *server) await(t testing.TB, ready func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return
		}
		select {
		case <-s.done:
			t.Fatalf("%s ended: %v\n%s", s.name, err, s.tail())
		case <-ctx.Done():
			t.Fatalf("%s is not ready: %v\n%s", s.name, err, s.tail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *server) tail() []byte {
	text, _ := os.ReadFile(s.log)
	return text[max(0, len(text)-4000):]
}

// freePort is one of the loopback interface that nobody listened at a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// result is how a command ended.
type result struct {
	stdout, stderr string
	status         int
}

func (r result) String() string {
	return fmt.Sprintf("status %d\n-- stdout --\n%.3000s\n-- stderr --\n%.3000s", r.status, r.stdout, r.stderr)
}

// place is where commands are run.
type place struct {
	dir string
	env []string
}

// run runs a command to its end, whatever its status.
func (p place) run(t testing.TB, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.dir, p.env, bytes.NewReader([]byte(stdin)), &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%q did not end: %s", args, stderr.Bytes())
	}
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatalf("%q: %v", args, err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must is run for commands that have to succeed; it returns their stdout.
func (p place) must(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	r := p.run(t, stdin, args...)
	if r.status != 0 {
		t.Fatalf("%q: %v", args, r)
	}
	return r.stdout
}

// write writes a file below the place.
func (p place) write(t testing.TB, name, text string) {
	t.Helper()
	file := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (p place) read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
