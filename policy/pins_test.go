package policy_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/policy"
)

// numbered returns a policy that differs from all others with another number.
func numbered(t testing.TB, n int) *policy.Policy {
	return parse(t, fmt.Sprintf("%srules:\n- {path: p%d, recipients: [alice]}\n", head, n))
}

func onlyFile(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%q, %v, want one file", found, err)
	}
	return found[0]
}

func TestPins(t *testing.T) {
	s := &policy.Pins{Dir: filepath.Join(t.TempDir(), "state", "pins")}
	p := parse(t, full)
	status := func(key string, p *policy.Policy) policy.Status {
		t.Helper()
		st, _, err := s.Check(key, p)
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	if st := status("r", p); st != policy.FirstUse {
		t.Errorf("before: %v", st)
	}
	if _, err := os.Stat(s.Dir); err == nil {
		t.Error("Check made the directory")
	}
	if h, err := s.History("r"); err != nil || len(h) != 0 {
		t.Errorf("history before: %v, %v", h, err)
	}
	if err := s.Accept("r", p); err != nil {
		t.Fatal(err)
	}
	if st := status("r", p); st != policy.Same {
		t.Errorf("after: %v", st)
	}
	if st := status("other", p); st != policy.FirstUse {
		t.Errorf("another repository: %v", st)
	}
	file := onlyFile(t, s.Dir)
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{file: 0o600, s.Dir: 0o700 | os.ModeDir} {
			if info, err := os.Stat(path); err != nil || info.Mode() != want {
				t.Errorf("%s: mode %v, %v, want %v", path, info.Mode(), err, want)
			}
		}
	}
	before, _ := os.Stat(file)
	if err := s.Accept("r", p); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Stat(file); !os.SameFile(before, after) {
		t.Error("accepting the same again wrote the file")
	}
	// Keys are any text.
	for _, key := range []string{"../../etc/passwd", "a/b", strings.Repeat("x", 5000), "", "r\x00", "ü\n"} {
		if err := s.Accept(key, p); err != nil || status(key, p) != policy.Same {
			t.Errorf("key %q: %v", key, err)
		}
	}
}

func TestHistory(t *testing.T) {
	s := &policy.Pins{Dir: t.TempDir()}
	accept := func(n int) {
		t.Helper()
		if err := s.Accept("r", numbered(t, n)); err != nil {
			t.Fatal(err)
		}
	}
	history := func() (all []string) {
		t.Helper()
		h, err := s.History("r")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range h {
			all = append(all, p.Rules()[0].Path)
		}
		return all
	}
	for _, n := range []int{1, 2, 3, 2, 2} {
		accept(n)
	}
	if diff := cmp.Diff([]string{"p2", "p3", "p1"}, history()); diff != "" {
		t.Errorf("newest first, each once (-want +got):\n%s", diff)
	}
	for n := range policy.MaxHistory + 5 {
		accept(100 + n)
	}
	all := history()
	if len(all) != policy.MaxHistory || all[0] != fmt.Sprint("p", 100+policy.MaxHistory+4) {
		t.Errorf("%d entries, newest %s", len(all), all[0])
	}
}

// A damaged pin must never look like a first use: that would accept whatever the repository says.
func TestDamagedPin(t *testing.T) {
	s := &policy.Pins{Dir: t.TempDir()}
	p := parse(t, full)
	if err := s.Accept("r", p); err != nil {
		t.Fatal(err)
	}
	file := onlyFile(t, s.Dir)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damage := map[string][]byte{
		"empty": {}, "half": good[:len(good)/2], "no JSON": []byte("CANARY"), "null": []byte("null"), "{}": []byte("{}"),
		"other version":    bytes.Replace(good, []byte(`"version": 1`), []byte(`"version": 2`), 1),
		"other repository": bytes.Replace(good, []byte(`"repository": "r"`), []byte(`"repository": "s"`), 1),
		"no policies":      []byte(`{"version":1,"repository":"r","sum":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","policies":[]}`),
		"altered":          bytes.Replace(good, []byte("apps/prod"), []byte("apps/prud"), 1),
		"unknown field":    bytes.Replace(good, []byte(`"version"`), []byte(`"extra": 1, "version"`), 1),
		"appended":         append(bytes.Clone(good), "{}"...),
		"zeros":            make([]byte, len(good)),
	}
	for name, data := range damage {
		t.Run(name, func(t *testing.T) {
			if bytes.Equal(data, good) {
				t.Fatal("nothing was damaged")
			}
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			check := func(err error) {
				t.Helper()
				var e *policy.Error
				if !errors.As(err, &e) || e.Hint == "" || !strings.Contains(e.Error(), file) || strings.Contains(e.Error(), "CANARY") {
					t.Errorf("got %v", err)
				}
			}
			_, _, err := s.Check("r", p)
			check(err)
			_, err = s.History("r")
			check(err)
			check(s.Accept("r", p))
			if after, _ := os.ReadFile(file); !bytes.Equal(after, data) {
				t.Error("the damaged file was written over")
			}
		})
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	if st, _, err := s.Check("r", p); err == nil {
		t.Errorf("a directory in its place: %v", st)
	}
}

// A narrowed policy is what the next one is compared with, and is no accepted one.
func TestNarrow(t *testing.T) {
	s := &policy.Pins{Dir: t.TempDir()}
	wide := parse(t, "apiVersion: ageseal.dev/v1alpha1\nkind: Policy\nrecipients: {alice: $ALICE, bob: $BOB}\nrules:\n- path: \"**\"\n  recipients: [alice, bob]\n")
	narrow := parse(t, "apiVersion: ageseal.dev/v1alpha1\nkind: Policy\nrecipients: {alice: $ALICE, bob: $BOB}\nrules:\n- path: \"**\"\n  recipients: [alice]\n")
	if err := s.Accept("r", wide); err != nil {
		t.Fatal(err)
	}
	if st, _, err := s.Check("r", narrow); err != nil || st != policy.Narrowed {
		t.Fatalf("%v, %v", st, err)
	}
	if err := s.Narrow("r", narrow); err != nil {
		t.Fatal(err)
	}
	if st, _, err := s.Check("r", narrow); err != nil || st != policy.Same {
		t.Errorf("the narrowed policy: %v, %v", st, err)
	}
	if st, diff, err := s.Check("r", wide); err != nil || st != policy.Differs || len(diff) != 1 {
		t.Errorf("who was taken out comes back: %v, %v, %v", st, diff, err)
	}
	if h, err := s.History("r"); err != nil || len(h) != 1 || string(h[0].Canonical()) != string(wide.Canonical()) {
		t.Errorf("history: %v, %v", h, err)
	}
	if err := s.Accept("r", narrow); err != nil {
		t.Fatal(err)
	}
	if h, err := s.History("r"); err != nil || len(h) != 2 {
		t.Errorf("history after accepting: %v, %v", h, err)
	}
}

// Old texts are parsed only when they are asked for, but then as strictly.
func TestUnreadablePolicyInPin(t *testing.T) {
	s := &policy.Pins{Dir: t.TempDir()}
	if err := s.Accept("r", numbered(t, 1)); err != nil {
		t.Fatal(err)
	}
	file := onlyFile(t, s.Dir)
	data, _ := os.ReadFile(file)
	text := "kind: other\n"
	sum := fmt.Sprintf("%x", sha(fmt.Sprintf("%d\n%s", len(text), text)))
	if err := os.WriteFile(file, fmt.Appendf(nil, `{"version":1,"repository":"r","sum":%q,"policies":[%q]}`, sum, text), 0o600); err != nil {
		t.Fatal(err)
	}
	if st, _, err := s.Check("r", numbered(t, 1)); err == nil || st == policy.FirstUse || st == policy.Same {
		t.Errorf("Check: %v, %v (was %d bytes)", st, err, len(data))
	}
	if _, err := s.History("r"); err == nil {
		t.Error("History took it")
	}
}

func TestAcceptAtOnce(t *testing.T) {
	s := &policy.Pins{Dir: t.TempDir()}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		p := numbered(t, i)
		wg.Go(func() { errs[i] = s.Accept("r", p) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if h, err := s.History("r"); err != nil || len(h) != len(errs) {
		t.Errorf("%d entries, %v, want %d", len(h), err, len(errs))
	}
}

func sha(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}
