package plugin

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestHome(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "xdg"))
	t.Setenv("KUSTOMIZE_PLUGIN_HOME", "")
	is := func(what, got string, err error, want string) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("%s = %s, %v; want %s", what, got, err, want)
		}
	}
	if dir, err := Home(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a home: %s, %v", dir, err)
	}
	got, err := HomeToMake()
	is("none yet", got, err, filepath.Join(home, "xdg", "kustomize", "plugin"))

	last := filepath.Join(home, "kustomize", "plugin")
	if err := os.MkdirAll(last, 0o755); err != nil {
		t.Fatal(err)
	}
	got, err = HomeToMake()
	is("one that exists", got, err, last)
	got, err = Home()
	is("as kustomize", got, err, last)

	named := filepath.Join(home, "named")
	t.Setenv("KUSTOMIZE_PLUGIN_HOME", named)
	got, err = HomeToMake()
	is("by name", got, err, named)
	got, err = Home()
	is("kustomize takes none that is missing", got, err, last)
}

// TestCheck: what kustomize would run, compared with this program.
func TestCheck(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	kind := Kinds[0]
	if err := Check(home, kind, program); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	if _, err := Install(home, program); err != nil {
		t.Fatal(err)
	}
	if err := Check(home, kind, program); err != nil {
		t.Errorf("installed: %v", err)
	}
	path := executable(Path(home, kind))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexec go run github.com/ageseal/"+"ageseal/plugin\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Check(home, kind, program); !errors.Is(err, ErrNotOurs) {
		t.Errorf("a script: %v", err)
	}
	if _, err := Install(home, program); !errors.Is(err, ErrNotOurs) {
		t.Errorf("a script was replaced: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Check(home, kind, program); err != nil {
		t.Errorf("a copy: %v", err)
	}
	links, err := Install(home, program)
	if err != nil || links[0].Changed {
		t.Errorf("a copy of the same version was changed: %v, %v", links, err)
	}
	if err := os.WriteFile(path, append(data, 0), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Check(home, kind, program); err == nil || errors.Is(err, ErrNotOurs) {
		t.Errorf("another version: %v", err)
	}
	if links, err = Install(home, program); err != nil || !links[0].Changed {
		t.Errorf("another version was not replaced: %v, %v", links, err)
	}
}
