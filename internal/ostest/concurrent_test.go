//go:build linux && (amd64 || arm64)

package ostest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestSetAtOnce sets twenty keys of one file at the same time: none may be lost, and who reads meanwhile sees whole files.
func TestSetAtOnce(t *testing.T) {
	t.Parallel()
	s := stage(t, 1)
	const path = "apps/s00.yaml"
	succeed(t, s.encrypt(t))
	want := secrets{"shop/s00": s.values["shop/s00"]}

	stop, read := make(chan struct{}), make(chan int)
	go func() { read <- readAll(t, filepath.Join(s.dir, path), stop) }()
	var wg sync.WaitGroup
	for i := range 20 {
		key, value := fmt.Sprintf("key%02d", i), fmt.Sprintf("%s%d", canary, i)
		want["shop/s00"][key] = value
		_, wait := start(t, command{args: []string{ageseal(t), "set", "-r", alice(), path, key}, dir: s.dir, stdin: text(value)})
		wg.Go(func() {
			if r := wait(); r.status != 0 {
				t.Errorf("set %s: %v", key, r)
			}
		})
	}
	wg.Wait()
	close(stop)
	if n := <-read; n == 0 {
		t.Error("nobody read the file meanwhile")
	}
	if diff := cmp.Diff(want, opens(t, s.dir, s.key, path)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	onlyFiles(t, s)
}

// readAll reads a sealed file over and over: it must be there, whole, and never with fewer keys than before.
func readAll(t *testing.T, path string, stop <-chan struct{}) (times int) {
	keys := 0
	for ; ; times++ {
		select {
		case <-stop:
			return times
		default:
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			return times
		}
		var doc struct {
			Kind string
			Spec struct{ Data map[string]any }
		}
		if err := yaml.Unmarshal(data, &doc); err != nil {
			t.Errorf("not whole: %v", err)
			return times
		}
		if doc.Kind != "EncryptedSecret" || len(doc.Spec.Data) == 0 || len(doc.Spec.Data) < keys {
			t.Errorf("a %s with %d keys, had %d", doc.Kind, len(doc.Spec.Data), keys)
			return times
		}
		keys = len(doc.Spec.Data)
	}
}

// TestEncryptAtOnce has runs over the same files begin together: each succeeds, and one of them did the work.
func TestEncryptAtOnce(t *testing.T) {
	t.Parallel()
	s := stage(t, files)
	for range 3 {
		s.before.write(t, s.dir)
		sealed := 0
		var waits []func() result
		for range 3 {
			_, wait := start(t, s.encrypt(t))
			waits = append(waits, wait)
		}
		for _, wait := range waits {
			r := wait()
			if r.status != 0 {
				t.Error(r)
			}
			silent(t, r)
			sealed += strings.Count(r.stderr, ": sealed Secret ")
		}
		s.allNew(t)
		if sealed != files {
			t.Errorf("%d Secrets sealed by the runs together, want %d", sealed, files)
		}
	}
}

// TestWaitsForOther stops a run before its first rename and begins another: that one has to wait, say so, and then find
// everything done.
func TestWaitsForOther(t *testing.T) {
	t.Parallel()
	s := stage(t, files)
	var second *exec.Cmd
	var messages *bufio.Scanner
	r := trace(t, s.encrypt(t), s.dir, func(_ int, now step) action {
		if now.call != "renameat" || second != nil {
			return proceed
		}
		c := s.encrypt(t)
		second = exec.CommandContext(t.Context(), c.args[0], c.args[1:]...)
		second.Dir, second.Env = c.dir, c.environ()
		stderr, err := second.StderrPipe()
		if err == nil {
			err = second.Start()
		}
		if err != nil {
			t.Error(err)
			return proceed
		}
		messages = bufio.NewScanner(stderr)
		if !messages.Scan() || !strings.HasSuffix(messages.Text(), ": waiting for another run to finish") {
			t.Errorf("the second run did not wait, but says %q", messages.Text())
		}
		return proceed
	})
	if r.status != 0 {
		t.Error(r)
	}
	if second == nil || messages == nil {
		t.Fatal("there was no second run")
	}
	for messages.Scan() {
		if strings.Contains(messages.Text(), "sealed Secret") {
			t.Errorf("the second run sealed again: %s", messages.Text())
		}
	}
	if err := second.Wait(); err != nil {
		t.Error(err)
	}
	s.allNew(t)
}

// TestOverlapping runs over a directory and over one below it, outside of a repository, where nothing but the files
// themselves keeps the two apart: whichever fails, no file may be lost or half.
func TestOverlapping(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"openat", "fsync", "renameat"} {
		t.Run("the other comes at the first "+call, func(t *testing.T) {
			s := stage(t, files)
			below := s.encrypt(t)
			below.args = append(below.args[:len(below.args)-1:len(below.args)-1], "apps/web")
			came := false
			r := trace(t, s.encrypt(t), s.dir, func(_ int, now step) action {
				if now.call == call && !came {
					came = true
					if r := run(t, below); r.status != 0 {
						t.Errorf("the other: %v", r)
					}
				}
				return proceed
			})
			if !came {
				t.Fatal("there was no other run")
			}
			if r.status != 0 {
				failed(t, r, 1, "")
			}
			s.eachOldOrNew(t)
			onlyFiles(t, s)
			succeed(t, s.encrypt(t))
			s.allNew(t)
		})
	}
}

// TestEdited has an editor save a file while a run stands before one of its calls: the run fails, what was saved stays,
// and nothing else is changed. (Between the look at a file and its rename a moment remains in which it would be lost.)
func TestEdited(t *testing.T) {
	t.Parallel()
	const path = "infra/base/s11.yaml" // the last of all
	saves := map[string]func(path string) error{
		"written over": func(path string) error { return os.WriteFile(path, []byte("# saved\n"), 0o664) },
		"replaced": func(path string) error {
			err := os.WriteFile(path+"~", []byte("# saved\n"), 0o664)
			if err == nil {
				err = os.Chmod(path+"~", 0o664)
			}
			if err == nil {
				err = os.Rename(path+"~", path)
			}
			return err
		},
		"removed": os.Remove,
	}
	for how, save := range saves {
		for _, at := range []struct {
			call string
			nth  int
		}{{"openat", 1}, {"fsync", files}, {"renameat", 1}, {"renameat", 2}, {"renameat", files - 1}} {
			t.Run(fmt.Sprintf("%s at %s %d", how, at.call, at.nth), func(t *testing.T) {
				s := stage(t, files)
				n := 0
				r := trace(t, s.encrypt(t), s.dir, func(_ int, now step) action {
					if now.call == at.call {
						if n++; n == at.nth {
							if err := save(filepath.Join(s.dir, path)); err != nil {
								t.Error(err)
							}
						}
					}
					return proceed
				})
				if n < at.nth {
					t.Fatalf("only %d × %s: %v", n, at.call, r)
				}
				says := "s11.yaml: changed on disk meanwhile"
				want := s.before[path]
				want.Data = "# saved\n"
				if how == "removed" {
					says = "s11.yaml: no such file or directory"
					delete(s.before, path)
				} else {
					s.before[path] = want
				}
				failed(t, r, 1, says)
				unchanged(t, s.dir, s.before)
			})
		}
	}
}

// onlyFiles holds a scene to its own files: no temporary one is left.
func onlyFiles(t *testing.T, s *scene) {
	t.Helper()
	if diff := cmp.Diff(s.before.paths(), read(t, s.dir).paths()); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
