package git_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/git"
)

func TestMergeText(t *testing.T) {
	w := newWork(t)
	t.Chdir(w.dir)
	o := git.MergeOptions{MarkerSize: 9, Base: "base", Ours: "-ours", Theirs: "their's"}
	merge := func(base, ours, theirs string) (string, bool) {
		t.Helper()
		merged, clean, err := git.MergeText(t.Context(), []byte(base), []byte(ours), []byte(theirs), o)
		if err != nil {
			t.Fatal(err)
		}
		return string(merged), clean
	}
	if got, clean := merge("a\nb\nc\n", "x\nb\nc\n", "a\nb\ny\n"); !clean || got != "x\nb\ny\n" {
		t.Errorf("%v, %q", clean, got)
	}
	conflict := "<<<<<<<<< -ours\nx\n=========\ny\n>>>>>>>>> their's\n"
	if got, clean := merge("a\n", "x\n", "y\n"); clean || got != conflict {
		t.Errorf("%v, %q", clean, got)
	}
	if git.ShowsBase(t.Context()) {
		t.Error("the base is not shown unless that is configured")
	}
	w.git("config", "merge.conflictStyle", "diff3")
	if got, clean := merge("a\n", "x\n", "y\n"); clean || got != strings.Replace(conflict, "=", "||||||||| base\na\n=", 1) || !git.ShowsBase(t.Context()) {
		t.Errorf("%v, %q", clean, got)
	}
	// More conflicts than an exit status can count are no fault.
	if _, clean := merge(strings.Repeat("a\nb\nc\nd\n", 400), strings.Repeat("x\nb\nc\nd\n", 400), strings.Repeat("y\nb\nc\nd\n", 400)); clean {
		t.Error("400 conflicts are clean")
	}
	_, _, err := git.MergeText(t.Context(), []byte("a\x00"), []byte("b\x00"), []byte("c\x00"), o)
	if err == nil || strings.Contains(err.Error(), os.TempDir()) || strings.Contains(err.Error(), "/dev/shm") {
		t.Errorf("bytes that are no text: %v", err)
	}
	t.Setenv("PATH", "")
	if _, _, err := git.MergeText(t.Context(), nil, nil, nil, o); !errors.Is(err, git.ErrNoGit) {
		t.Errorf("without git: %v", err)
	}
}

func TestCachesTextconv(t *testing.T) {
	w := newWork(t)
	t.Chdir(w.dir)
	for _, step := range []struct {
		config []string
		want   bool
	}{
		{nil, false},
		{[]string{"diff.ageseal.cachetextconv", "false"}, false},
		{[]string{"diff.other.cacheTextConv", "yes"}, true},
		{[]string{"diff.other.cachetextconv", "what"}, true},
	} {
		if step.config != nil {
			w.git(append([]string{"config"}, step.config...)...)
		}
		if got := git.CachesTextconv(t.Context()); got != step.want {
			t.Errorf("after %q: %v", step.config, got)
		}
	}
}

// TestConfig: the repository's own configuration, and no other's.
func TestConfig(t *testing.T) {
	w := newWork(t)
	file := filepath.Join(w.dir, ".git", "config")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(w.dir, "global"))
	w.git("config", "--global", "merge.ageseal.driver", "another's")
	r := w.open()
	const value = "echo \"a; b\" # 'c' \\ %P\nd"
	if got, err := r.Config(t.Context(), "merge.ageseal.driver"); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	w.git("config", "--add", "merge.ageseal.driver", "one")
	w.git("config", "--add", "merge.ageseal.driver", "two")
	if err := r.SetConfig(t.Context(), "merge.ageseal.driver", value); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Config(t.Context(), "merge.ageseal.driver"); got != value || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := r.UnsetConfig(t.Context(), "merge.ageseal.driver"); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("%v, left behind:\n%s", err, after)
	}
}

func TestUninstallHook(t *testing.T) {
	w := newWork(t)
	log, lines := logging(w)
	uninstall := func(want bool) {
		t.Helper()
		path, changed, err := w.open().UninstallHook(t.Context(), "pre-commit")
		if err != nil || changed != want || path != filepath.Join(w.dir, ".git", "hooks", "pre-commit") {
			t.Errorf("%s, %v, %v", path, changed, err)
		}
	}
	uninstall(false)
	install(w, log("ours"))
	uninstall(true)
	w.write("f", "1")
	w.commit("one")
	if got := lines(); got != "" {
		t.Errorf("a commit ran %q", got)
	}

	foreign := "#!/bin/sh\n" + log("theirs")
	path := w.hook(foreign, 0o755)
	uninstall(false)
	install(w, log("ours"))
	uninstall(true)
	if got, err := os.ReadFile(path); err != nil || string(got) != foreign {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := os.Lstat(path + git.KeptSuffix); err == nil {
		t.Error("the kept hook is still there")
	}
	w.write("f", "2")
	w.commit("two")
	if got := lines(); got != "theirs" {
		t.Errorf("a commit ran %q", got)
	}
	uninstall(false)
}
