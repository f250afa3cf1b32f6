package git

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ageseal/ageseal/internal/memdir"
)

// MergeOptions are how conflicts are marked.
type MergeOptions struct {
	MarkerSize         int
	Base, Ours, Theirs string // what the sides are called
	// Histogram compares lines as "git merge" does. Before git 2.44 there is no such option.
	Histogram bool
}

// unmergeable: git merge-file ends with the number of conflicts, 127 at most, or with a fault.
const unmergeable = 128

// MergeText is git's own three-way merge of texts, and whether it went without a conflict. It is called by git, in a driver: environment and
// working directory are those of the repository whose configuration (merge.conflictStyle) applies. The texts go through files in a private
// directory, in memory where there is such storage.
func MergeText(ctx context.Context, base, ours, theirs []byte, o MergeOptions) (merged []byte, clean bool, err error) {
	dir, err := memdir.New()
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, dir.Remove()) }()
	args := []string{"merge-file", "-p", "--marker-size=" + strconv.Itoa(o.MarkerSize), "-L", o.Ours, "-L", o.Base, "-L", o.Theirs}
	if o.Histogram {
		args = append(args, "--diff-algorithm=histogram")
	}
	for i, text := range [][]byte{ours, base, theirs} {
		path := filepath.Join(dir.Path, strconv.Itoa(i))
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return nil, false, err
		}
		args = append(args, path)
	}
	cmd, err := command(ctx, ".", asCalled(), args...)
	if err != nil {
		return nil, false, err
	}
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	err = cmd.Run()
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return out.Bytes(), true, nil
	case ok && exit.ExitCode() > 0 && exit.ExitCode() < unmergeable:
		return out.Bytes(), false, nil
	}
	return nil, false, explain(ctx, args[0], err, strings.ReplaceAll(problem.String(), dir.Path+string(filepath.Separator), ""))
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
