//go:build linux && (amd64 || arm64)

package ostest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// step is a system call of a traced process that changes something below the traced directory, about to be made.
type step struct {
	call string
	path string // relative to the traced directory
	pid  int    // of the process
}

// action is what becomes of a process at a step.
type action int

const (
	proceed    action = iota
	killBefore        // SIGKILL instead of the call
	killAfter         // SIGKILL as soon as the call is done
)

// errRefused: the system does not let us trace.
var errRefused = errors.New("ptrace is refused here")

// trace runs a command, and stops it before each of its system calls that change something below dir: at, which gets
// their number from 1, decides. Threads are followed, child processes are not. Tests are skipped where ptrace is refused.
func trace(t testing.TB, c command, dir string, at func(n int, s step) action) result {
	t.Helper()
	type outcome struct {
		result
		err error
	}
	done := make(chan outcome)
	go func() {
		// All ptrace calls have to come from one thread. It ends with this goroutine: it is never unlocked.
		runtime.LockOSThread()
		r, err := (&tracer{
			dir: dir, cwd: c.dir, at: at,
			known: map[int]bool{}, leaving: map[int]bool{}, opening: map[int]string{}, open: map[int]string{},
		}).run(c)
		done <- outcome{r, err}
	}()
	o := <-done
	switch {
	case errors.Is(o.err, errRefused):
		t.Skip(o.err)
	case o.err != nil:
		t.Fatal(o.err)
	}
	return o.result
}

// steps runs a command to its end and lists what it does to dir.
func steps(t testing.TB, c command, dir string) (all []step, r result) {
	t.Helper()
	r = trace(t, c, dir, func(_ int, s step) action {
		all = append(all, s)
		return proceed
	})
	return all, r
}

// tracer learns of paths and descriptors by ptrace alone.
type tracer struct {
	dir, cwd string
	at       func(int, step) action
	pid      int
	n        int
	known    map[int]bool   // threads that have been seen
	leaving  map[int]bool   // threads in a call after which the process is killed
	opening  map[int]string // by thread: what it is about to open
	open     map[int]string // by descriptor
}

func (r *tracer) run(c command) (result, error) {
	var streams [3]*os.File
	for i := range streams {
		f, err := os.CreateTemp("", "ageseal-ostest-stream-")
		if err != nil {
			return result{}, err
		}
		defer os.Remove(f.Name())
		defer f.Close()
		streams[i] = f
	}
	if c.stdin != nil {
		if _, err := streams[0].ReadFrom(c.stdin); err != nil {
			return result{}, err
		}
		if _, err := streams[0].Seek(0, 0); err != nil {
			return result{}, err
		}
	}
	p, err := os.StartProcess(c.args[0], c.args, &os.ProcAttr{
		Dir: c.dir, Env: c.environ(), Files: streams[:], Sys: &syscall.SysProcAttr{Ptrace: true, Setpgid: true, Credential: c.user},
	})
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		return result{}, fmt.Errorf("%w: %w", errRefused, err)
	}
	if err != nil {
		return result{}, err
	}
	defer func() { _ = p.Release() }() // it is waited for below, thread by thread
	r.pid = p.Pid
	hung := time.AfterFunc(patience, func() { _ = unix.Kill(p.Pid, unix.SIGKILL) })
	ws, err := r.loop()
	if !hung.Stop() {
		return result{}, fmt.Errorf("%q hung under ptrace", c.args)
	}
	if err != nil {
		_ = unix.Kill(p.Pid, unix.SIGKILL)
		return result{}, err
	}
	stdout, err := os.ReadFile(streams[1].Name())
	if err != nil {
		return result{}, err
	}
	stderr, err := os.ReadFile(streams[2].Name())
	res := result{status: ws.ExitStatus(), stdout: string(stdout), stderr: string(stderr)}
	if ws.Signaled() {
		res.signal = ws.Signal()
	}
	return res, err
}

// loop goes from stop to stop until the process has ended.
func (r *tracer) loop() (unix.WaitStatus, error) {
	var ws unix.WaitStatus
	// The first stop is that of the exec.
	if _, err := unix.Wait4(r.pid, &ws, unix.WALL, nil); err != nil {
		return ws, err
	}
	if !ws.Stopped() {
		return ws, fmt.Errorf("the process did not stop at its start: %#x", uint32(ws))
	}
	r.known[r.pid] = true
	// A child process is made with vfork, whose event is not asked for: it runs untraced.
	options := unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_EXITKILL
	if err := unix.PtraceSetOptions(r.pid, options); err != nil {
		return ws, fmt.Errorf("%w: %w", errRefused, err)
	}
	for tid, sig := r.pid, 0; ; {
		// A thread that was killed meanwhile is gone, and its end is reported by wait.
		if err := unix.PtraceSyscall(tid, sig); err != nil && !errors.Is(err, unix.ESRCH) {
			return ws, err
		}
		for {
			var err error
			// Only this process group's: the tests have other children.
			tid, err = unix.Wait4(-r.pid, &ws, unix.WALL|unix.WNOTHREAD, nil)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil {
				return ws, err
			}
			if ws.Stopped() {
				break
			}
			if tid == r.pid { // the leader's end comes after those of all other threads
				return ws, nil
			}
		}
		var err error
		if sig, err = r.stopped(tid, ws); err != nil {
			return ws, err
		}
	}
}

// stopped deals with one stop and returns the signal that the thread is to get when it goes on.
func (r *tracer) stopped(tid int, ws unix.WaitStatus) (signal int, err error) {
	fresh := !r.known[tid]
	r.known[tid] = true
	switch sig := ws.StopSignal(); {
	case sig == unix.SIGTRAP|0x80:
		return 0, r.syscall(tid)
	case sig == unix.SIGTRAP: // an event: a new thread, exec
		return 0, nil
	case sig == unix.SIGSTOP && fresh: // how a new thread begins
		return 0, nil
	default:
		return int(sig), nil
	}
}

// syscallInfo is the kernel's struct ptrace_syscall_info (ptrace(2), PTRACE_GET_SYSCALL_INFO, Linux 5.3).
type syscallInfo struct {
	Op      uint8
	_       [3]uint8
	Arch    uint32
	IP, SP  uint64
	Nr      uint64 // at exit: the result
	Args    [6]uint64
	RetData uint32
	_       uint32
}

const (
	atEntry = 1 // PTRACE_SYSCALL_INFO_ENTRY
	atExit  = 2 // PTRACE_SYSCALL_INFO_EXIT
)

func (r *tracer) syscall(tid int) error {
	var info syscallInfo
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(tid), unsafe.Sizeof(info),
		uintptr(unsafe.Pointer(&info)), 0, 0)
	switch {
	case errno == unix.ESRCH:
		return nil
	case errno != 0:
		return fmt.Errorf("%w: PTRACE_GET_SYSCALL_INFO: %w", errRefused, errno)
	case info.Op == atExit && r.leaving[tid]:
		return ignoreGone(unix.Kill(r.pid, unix.SIGKILL))
	case info.Op == atExit:
		if fd := int64(info.Nr); r.opening[tid] != "" && fd >= 0 {
			r.open[int(fd)] = r.opening[tid]
		}
		delete(r.opening, tid)
		return nil
	case info.Op != atEntry:
		return nil
	}
	if info.Nr == unix.SYS_PRCTL && info.Args[0] == unix.PR_SET_DUMPABLE {
		// ageseal shields its memory from other processes: without root's rights, from the one that traces it, too.
		return ignoreGone(setSecondArgument(tid, 1))
	}
	s, ok := r.step(tid, &info)
	if !ok {
		return nil
	}
	r.n++
	switch r.at(r.n, s) {
	case killBefore:
		// A thread that is killed while it stands before a call does not make it.
		return ignoreGone(unix.Kill(r.pid, unix.SIGKILL))
	case killAfter:
		r.leaving[tid] = true
	case proceed:
	}
	return nil
}

func ignoreGone(err error) error {
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

// step tells whether a call changes something below the traced directory.
func (r *tracer) step(tid int, info *syscallInfo) (step, bool) {
	var name, path string
	fd := func(n int) int { return int(int32(info.Args[n])) }
	at := func(n int) string { return r.path(tid, fd(n), info.Args[n+1]) }
	switch info.Nr {
	case unix.SYS_OPENAT:
		name, path = "openat", at(0)
		r.opening[tid] = path
		if info.Args[2]&(unix.O_CREAT|unix.O_TRUNC) == 0 {
			return step{}, false
		}
	case unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2:
		name, path = "renameat", at(2)
	case unix.SYS_UNLINKAT:
		name, path = "unlinkat", at(0)
	case unix.SYS_LINKAT:
		name, path = "linkat", at(2)
	case unix.SYS_SYMLINKAT:
		name, path = "symlinkat", at(1)
	case unix.SYS_MKDIRAT:
		name, path = "mkdirat", at(0)
	case unix.SYS_FCHMODAT:
		name, path = "fchmodat", at(0)
	case unix.SYS_WRITE, unix.SYS_PWRITE64, unix.SYS_WRITEV, unix.SYS_PWRITEV:
		name, path = "write", r.open[fd(0)]
	case unix.SYS_COPY_FILE_RANGE:
		name, path = "copy_file_range", r.open[fd(2)]
	case unix.SYS_FCHMOD:
		name, path = "fchmod", r.open[fd(0)]
	case unix.SYS_FSYNC, unix.SYS_FDATASYNC:
		name, path = "fsync", r.open[fd(0)]
	case unix.SYS_FTRUNCATE:
		name, path = "ftruncate", r.open[fd(0)]
	case unix.SYS_CLOSE:
		delete(r.open, fd(0))
		return step{}, false
	default:
		return step{}, false
	}
	rel, err := filepath.Rel(r.dir, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return step{}, false
	}
	return step{call: name, path: rel, pid: r.pid}, true
}

// path is what a call names relative to the descriptor of a directory.
func (r *tracer) path(tid, dirfd int, addr uint64) string {
	var text []byte
	for word := make([]byte, 8); len(text) < unix.PathMax; {
		n, err := unix.PtracePeekData(tid, uintptr(addr)+uintptr(len(text)), word)
		if err != nil {
			return ""
		}
		text = append(text, word[:n]...)
		if bytes.IndexByte(word[:n], 0) >= 0 {
			break
		}
	}
	name, _, _ := bytes.Cut(text, []byte{0})
	switch path := string(name); {
	case filepath.IsAbs(path):
		return filepath.Clean(path)
	case dirfd == unix.AT_FDCWD:
		return filepath.Join(r.cwd, path)
	default:
		return filepath.Join(r.open[dirfd], path)
	}
}
