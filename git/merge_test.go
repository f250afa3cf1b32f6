package git_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	if got, clean := merge("a\x00", "b\x00", "c\x00"); clean || got != "b\x00" {
		t.Errorf("bytes that are no text: %v, %q", clean, got)
	}
	if got, clean := merge("a\r\nz\r\n", "a\r\nb\r\n", "a\r\nc\r\n"); clean || got != "a\r\n<<<<<<<<< -ours\r\nb\r\n||||||||| base\r\nz\r\n=========\r\nc\r\n>>>>>>>>> their's\r\n" {
		t.Errorf("CRLF: %v, %q", clean, got)
	}
	t.Setenv("PATH", "")
	if _, _, err := git.MergeText(t.Context(), nil, nil, nil, o); !errors.Is(err, git.ErrNoGit) {
		t.Errorf("without git: %v", err)
	}
}

// TestMergeTextAsGit compares with "git merge" over random edits of a text whose lines repeat, in each conflict style.
func TestMergeTextAsGit(t *testing.T) {
	w := newWork(t)
	t.Chdir(w.dir)
	random := rand.New(rand.NewPCG(3, 9))
	edit := func(lines []string) string {
		var out []string
		for _, line := range lines {
			switch random.IntN(12) {
			case 0:
			case 1:
				out = append(out, line, fmt.Sprint("added: ", random.IntN(4)))
			case 2:
				out = append(out, fmt.Sprint("changed: ", random.IntN(3)))
			default:
				out = append(out, line)
			}
		}
		return strings.Join(out, "\n") + "\n"
	}
	w.write("x", "")
	w.commit("root")
	const files = 60
	for _, style := range []string{"merge", "diff3", "zdiff3"} {
		w.git("config", "merge.conflictStyle", style)
		var texts [3][files]string
		for i := range files {
			var lines []string
			for range 30 {
				lines = append(lines, []string{"---", "", "spec:", "  a: 1", "  b: 2", "}"}[random.IntN(6)])
			}
			texts[0][i], texts[1][i], texts[2][i] = strings.Join(lines, "\n")+"\n", edit(lines), edit(lines)
		}
		for n, branch := range []string{"base", "ours", "theirs"} {
			w.git("checkout", "-q", "-B", branch, []string{"main", "base", "base"}[n])
			for i := range files {
				w.write(fmt.Sprint(i, ".txt"), texts[n][i])
			}
			w.commit(branch)
		}
		w.git("checkout", "-q", "ours")
		if _, err := w.try("merge", "-q", "-m", "merged", "theirs"); err == nil {
			t.Fatal("no conflict in all of it")
		}
		unmerged := w.git("diff", "--name-only", "--diff-filter=U")
		o := git.MergeOptions{MarkerSize: 7, Ours: "HEAD", Theirs: "theirs", Base: w.git("rev-parse", "--short", "base")}
		for i := range files {
			want, err := os.ReadFile(filepath.Join(w.dir, fmt.Sprint(i, ".txt")))
			if err != nil {
				t.Fatal(err)
			}
			got, clean, err := git.MergeText(t.Context(), []byte(texts[0][i]), []byte(texts[1][i]), []byte(texts[2][i]), o)
			if err != nil || string(got) != string(want) || clean == strings.Contains("\n"+unmerged+"\n", fmt.Sprintf("\n%d.txt\n", i)) {
				t.Fatalf("%s, clean %v, %v: (-want +got)\n%s", style, clean, err, cmp.Diff(string(want), string(got)))
			}
		}
		w.git("reset", "-q", "--hard")
	}
}

// TestMergeTextBefore238: a git that can't merge trees merges files.
func TestMergeTextBefore238(t *testing.T) {
	w := newWork(t)
	t.Chdir(w.dir)
	w.git("config", "merge.conflictStyle", "diff3")
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := "#!/bin/sh\ncase \" $* \" in *' merge-tree '*) echo 'usage: git merge-tree <base-tree> <branch1> <branch2>' >&2; exit 129 ;; esac\nexec '" + real + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	o := git.MergeOptions{MarkerSize: 8, Base: "base", Ours: "-ours", Theirs: "theirs"}
	got, clean, err := git.MergeText(t.Context(), []byte("a\n"), []byte("b\n"), []byte("c\n"), o)
	if want := "<<<<<<<< -ours\nb\n|||||||| base\na\n========\nc\n>>>>>>>> theirs\n"; err != nil || clean || string(got) != want {
		t.Errorf("%v, %v, %q", err, clean, got)
	}
	if got, clean, err = git.MergeText(t.Context(), []byte("a\nb\nc\n"), []byte("x\nb\nc\n"), []byte("a\nb\ny\n"), o); err != nil || !clean || string(got) != "x\nb\ny\n" {
		t.Errorf("%v, %v, %q", err, clean, got)
	}
	_, _, err = git.MergeText(t.Context(), []byte("a\x00"), []byte("b\x00"), []byte("c\x00"), o)
	if err == nil || !strings.Contains(err.Error(), "binary") || strings.Contains(err.Error(), "/") {
		t.Errorf("bytes that are no text: %v", err)
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
