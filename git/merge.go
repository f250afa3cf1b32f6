package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ageseal/ageseal/internal/memdir"
)

// MergeOptions are how conflicts are marked.
type MergeOptions struct {
	MarkerSize         int
	Base, Ours, Theirs string // what the sides are called
}

// MergeText is git's own three-way merge of a file, as "git merge" does it, and whether it went without a conflict. Of bytes that are no text
// ours stay, in conflict. It is for a program that git calls: environment and working directory are those of the repository whose
// configuration (merge.conflictStyle, diff.algorithm) applies.
//
// The merge happens in a scratch repository, in memory where there is such storage: "git merge-file" compares lines in another way and joins
// conflicts that stand close. Before git 2.38, which has no other way, it has to do.
func MergeText(ctx context.Context, base, ours, theirs []byte, o MergeOptions) (merged []byte, clean bool, err error) {
	dir, err := memdir.New()
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, dir.Remove()) }()
	m := &textMerge{dir: dir.Path, texts: [3][]byte{base, ours, theirs}, MergeOptions: o}
	out, _ := run(ctx, ".", asCalled(), nil, "config", "--get-regexp", `^(merge\.conflictstyle|diff\.algorithm)$`)
	for line := range strings.Lines(string(out)) {
		m.config = append(m.config, "-c", strings.Replace(strings.TrimSpace(line), " ", "=", 1))
	}
	merged, clean, err = m.tree(ctx)
	if status(err) == 129 { // usage
		return m.file(ctx)
	}
	return merged, clean, err
}

type textMerge struct {
	dir    string
	texts  [3][]byte // base, ours, theirs
	config []string
	MergeOptions
}

// scratch are the names of the commits that tree merges, and with that of the sides in its markers.
var scratch = [3]string{"ageseal-base", "ageseal-ours", "ageseal-theirs"}

// tree merges three commits of one file.
func (m *textMerge) tree(ctx context.Context) ([]byte, bool, error) {
	var env []string
	clean, _ := splitEnvironment(os.Environ())
	for _, e := range clean {
		if !strings.HasPrefix(e, "GIT_CONFIG") {
			env = append(env, e)
		}
	}
	env = append(env, "GIT_DIR="+m.dir, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	if _, err := run(ctx, m.dir, env, nil, "init", "-q", "--bare", "--template="); err != nil {
		return nil, false, err
	}
	// Nothing but the text driver, whatever the user has for files without an attribute.
	attributes := fmt.Sprintf("file merge conflict-marker-size=%d\n", m.MarkerSize)
	if err := os.Mkdir(filepath.Join(m.dir, "info"), 0o700); err != nil {
		return nil, false, err
	}
	if err := os.WriteFile(filepath.Join(m.dir, "info", "attributes"), []byte(attributes), 0o600); err != nil {
		return nil, false, err
	}
	var commits bytes.Buffer
	for i, name := range scratch {
		fmt.Fprintf(&commits, "commit refs/heads/%s\ncommitter a <a@example.org> 0 +0000\ndata 0\n", name)
		if i > 0 {
			fmt.Fprintf(&commits, "from refs/heads/%s\n", scratch[0])
		}
		fmt.Fprintf(&commits, "M 100644 inline file\ndata %d\n%s\n", len(m.texts[i]), m.texts[i])
	}
	if _, err := run(ctx, m.dir, env, commits.Bytes(), "fast-import", "--quiet"); err != nil {
		return nil, false, err
	}
	out, conflict, err := m.conflicting(ctx, m.dir, env, append(m.config, "merge-tree", "--write-tree", "--no-messages", scratch[1], scratch[2]), 1)
	if err != nil {
		return nil, false, err
	}
	tree, _, _ := strings.Cut(string(out), "\n")
	merged, err := run(ctx, m.dir, env, nil, "cat-file", "blob", tree+":file")
	if err != nil || !conflict {
		return merged, !conflict, err
	}
	return m.named(merged), false, nil
}

// named puts the names of the sides into the markers. What both began with is called by its commit there.
func (m *textMerge) named(merged []byte) []byte {
	var out bytes.Buffer
	marker := func(sign string) string { return strings.Repeat(sign, m.MarkerSize) + " " }
	open := false
	for line := range bytes.Lines(merged) {
		text, name := string(line), ""
		end := text[len(strings.TrimRight(text, "\r\n")):]
		switch {
		case strings.HasPrefix(text, marker("<")+scratch[1]):
			open, name = true, m.Ours
		case open && strings.HasPrefix(text, marker("|")):
			name = m.Base
		case open && strings.HasPrefix(text, marker(">")+scratch[2]):
			open, name = false, m.Theirs
		}
		if name != "" {
			text = text[:m.MarkerSize+1] + name + end
		}
		out.WriteString(text)
	}
	return out.Bytes()
}

// file is what tree was made for to do better.
func (m *textMerge) file(ctx context.Context) ([]byte, bool, error) {
	args := append(m.config, "merge-file", "-p", "--marker-size="+strconv.Itoa(m.MarkerSize), "-L", m.Ours, "-L", m.Base, "-L", m.Theirs)
	for _, i := range []int{1, 0, 2} {
		path := filepath.Join(m.dir, "text"+strconv.Itoa(i))
		if err := os.WriteFile(path, m.texts[i], 0o600); err != nil {
			return nil, false, err
		}
		args = append(args, path)
	}
	const most = 127 // conflicts; above it is a fault
	merged, conflict, err := m.conflicting(ctx, ".", asCalled(), args, most)
	return merged, err == nil && !conflict, err
}

// conflicting runs a git that says with a status up to most that there are conflicts.
func (m *textMerge) conflicting(ctx context.Context, dir string, env, args []string, most int) (out []byte, conflict bool, err error) {
	cmd, err := command(ctx, dir, env, args...)
	if err != nil {
		return nil, false, err
	}
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err = cmd.Output()
	if err == nil {
		return out, false, nil
	}
	if exit := cmd.ProcessState; exit != nil && exit.ExitCode() > 0 && exit.ExitCode() <= most {
		return out, true, nil
	}
	return nil, false, explain(ctx, args[len(m.config)], err, strings.ReplaceAll(problem.String(), m.dir+string(filepath.Separator), ""))
}

// ShowsBase says whether conflicts are to show what both sides began with (merge.conflictStyle), for a program that git calls.
func ShowsBase(ctx context.Context) bool {
	out, _ := run(ctx, ".", asCalled(), nil, "config", "--get", "merge.conflictStyle")
	style := strings.TrimSpace(string(out))
	return style == "diff3" || style == "zdiff3"
}

// CachesTextconv says whether some diff driver keeps what it shows in git's objects (diff.<driver>.cachetextconv), for a program that git
// calls. What can't be read counts as yes.
func CachesTextconv(ctx context.Context) bool {
	out, err := run(ctx, ".", asCalled(), nil, "config", "--type=bool", "--get-regexp", `^diff\..*\.cachetextconv$`)
	if err != nil {
		return status(err) != 1 // 1: there is none
	}
	return strings.Contains(string(out)+"\n", " true\n")
}

// asCalled is the environment of a git process that belongs to the one that called us.
func asCalled() []string {
	clean, local := splitEnvironment(os.Environ())
	return append(clean, local...)
}
