package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/verify"
)

func newGitCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "git",
		Short: "Hooks, merge and diff of sealed manifests in git",
		Long:  "What git runs for sealed manifests, and how it is told to." + exitHelp(),
		Example: `  ageseal git install
  ageseal git uninstall`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	noHook := false
	install := &cobra.Command{
		Use:   "install",
		Short: "Install the hooks and the drivers in this clone",
		Long: `Have git check commits, merge sealed manifests value by value, and show them readably: hooks, two drivers in
this clone's own configuration, and the lines of .gitattributes that name them. "ageseal init" does the same; in a clone
of a repository that was set up, this is what is left to do. Running it again changes nothing.

A hook that is there is kept, and runs first. git finds ageseal in PATH: without it commits and merges stop, and diffs
show the files as they are.` + exitHelp(),
		Example: `  ageseal git install
  ageseal git install --no-hook`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return c.inRepository(func(r *git.Repo) error { return c.installGit(r, noHook) })
		},
	}
	install.Flags().BoolVar(&noHook, "no-hook", false, "install no hooks")
	uninstall := &cobra.Command{
		Use:   "uninstall",
		Short: "Undo what install did in this clone",
		Long: `Remove the hooks, put those back that were there, and remove the drivers and the lines of .gitattributes.
What others wrote stays.` + exitHelp(),
		Example: `  ageseal git uninstall
  ageseal git uninstall && git checkout .gitattributes   # in this clone only`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return c.inRepository(c.uninstallGit) },
	}
	cmd.AddCommand(install, uninstall, newMergeDriverCommand(c), newDiffDriverCommand(c))
	return cmd
}

// inRepository does something to the repository of the working directory, while no other run does.
func (c *cli) inRepository(do func(*git.Repo) error) error {
	repo, err := git.Open(context.Background(), ".")
	if err != nil {
		return err
	}
	unlock, err := c.lock([]string{repo.Top})
	if err != nil {
		return err
	}
	defer unlock()
	return do(repo)
}

// hooks are where git lets a commit be checked before it is made, one way of making it each. A fast-forward makes none. Only pre-commit can
// mend what it finds: the others see what is in a commit or a mail already.
func hooks() []struct{ name, script string } {
	return []struct{ name, script string }{
		{"pre-commit", hookBegin("commit with --no-verify") + `if [ "$(git config --type=bool --get ageseal.fix)" = true ]; then set -- --fix; else set --; fi
ageseal verify --staged "$@" || exit $?`},
		{"pre-merge-commit", hookBegin("go on with --no-verify") + "ageseal verify --staged || exit $?"},
		{"pre-applypatch", hookBegin("go on with --no-verify") + "ageseal verify --staged || exit $?"},
		// The one that rebases, cherry-picks and reverts run, as any commit does, --no-verify or not. A revert shows by the message that it
		// has prepared, which merges have as well: those have been looked at.
		{"prepare-commit-msg", `dir=$(git rev-parse --git-dir) || exit 1
if [ -e "$dir/rebase-merge" ] || [ -e "$dir/CHERRY_PICK_HEAD" ] || [ -e "$dir/REVERT_HEAD" ]; then
	next=--continue
elif [ -e "$dir/MERGE_MSG" ] && [ ! -e "$dir/MERGE_HEAD" ]; then
	next='git commit'
else
	exit 0
fi
` + hookBegin("go on unchecked: "+withoutHooks) + `ageseal verify --staged || {
	status=$?
	echo "ageseal: hint: seal and stage it, then go on with $next; unchecked: ` + withoutHooks + `" >&2
	exit $status
}`},
	}
}

// withoutHooks is for what runs a hook in spite of --no-verify.
const withoutHooks = "git -c core.hooksPath=/dev/null ..."

// hookBegin is what every check begins with, and how one does without. Without the binary the commit must not pass unchecked.
func hookBegin(otherwise string) string {
	return `command -v ageseal >/dev/null 2>&1 || {
	echo 'ageseal: error: not found in PATH, so nothing checks this commit for plaintext Secrets' >&2
	echo 'ageseal: hint: install ageseal, or ` + otherwise + `' >&2
	exit 1
}
`
}

// mergeCommand is the merge driver. Without the binary text is merged, and is a conflict in any case: nobody has looked at the values. git
// before 2.44 leaves the last three placeholders as they are.
const mergeCommand = `command -v ageseal >/dev/null 2>&1 || { ` +
	`echo "ageseal: error: not found in PATH, so "%P" was merged as any text" >&2; ` +
	`echo "ageseal: hint: install ageseal, or look at the file, then git add it" >&2; ` +
	`git merge-file --marker-size=%L -L ours -L base -L theirs %A %O %B; exit 1; }; ` +
	`ageseal git merge-driver -- %O %A %B %L %P %S %X %Y`

// diffCommand is the diff driver's textconv, to which git adds the file. A failure would end git log.
const diffCommand = `f() { command -v ageseal >/dev/null 2>&1 && ageseal git diff-driver -- "$1" || cat "$1"; }; f`

// driverConfig is what git's configuration has of ours, and by what a value is known as ours. No cachetextconv: names of recipients change.
var driverConfig = []struct{ key, value, known string }{
	{"merge.ageseal.name", "sealed manifests value by value", "sealed manifests"},
	{"merge.ageseal.driver", mergeCommand, "ageseal git merge-driver"},
	{"diff.ageseal.textconv", diffCommand, "ageseal git diff-driver"},
}

// attributes keep line ends of what must stay byte-exact, and name the drivers.
var attributes = []string{
	policy.FileName + " text eol=lf", "*.age -text diff=ageseal",
	"*.yaml merge=ageseal diff=ageseal", "*.yml merge=ageseal diff=ageseal",
}

func (c *cli) installGit(repo *git.Repo, noHook bool) error {
	ctx := context.Background()
	if err := c.writeAttributes(repo.Top); err != nil {
		return err
	}
	changed := false
	for _, d := range driverConfig {
		now, err := repo.Config(ctx, d.key)
		if err != nil {
			return err
		}
		// A textconv of the user's own, with --plaintext perhaps, stays.
		if now == d.value || d.key == "diff.ageseal.textconv" && strings.Contains(now, d.known) && !strings.Contains(now, "command -v") {
			continue
		}
		if err := repo.SetConfig(ctx, d.key, d.value); err != nil {
			return err
		}
		changed = true
	}
	if changed {
		c.note("git config: drivers installed, for merges value by value and readable diffs")
	} else {
		c.note("git config: drivers exist, unchanged")
	}
	if noHook {
		return nil
	}
	for _, h := range hooks() {
		if err := c.installHook(ctx, repo, h.name, h.script); err != nil {
			return err
		}
	}
	return nil
}

func (c *cli) installHook(ctx context.Context, repo *git.Repo, name, script string) error {
	path, changed, err := repo.InstallHook(ctx, name, script)
	if err != nil {
		return err
	}
	if !changed {
		c.note("%s: exists, unchanged", relative(path))
		return nil
	}
	c.note("%s: installed, it refuses plaintext Secrets and private keys", relative(path))
	if _, err := os.Stat(path + git.KeptSuffix); err == nil {
		c.note("  the hook that was there is kept as %s and runs first", filepath.Base(path)+git.KeptSuffix)
	}
	return nil
}

func (c *cli) uninstallGit(repo *git.Repo) error {
	ctx := context.Background()
	for _, h := range hooks() {
		path, changed, err := repo.UninstallHook(ctx, h.name)
		if err != nil {
			return err
		}
		if changed {
			c.note("%s: removed, or what was there before is back", relative(path))
		}
	}
	for _, d := range driverConfig {
		now, err := repo.Config(ctx, d.key)
		switch {
		case err != nil:
			return err
		case now == "":
			continue
		case !strings.Contains(now, d.known):
			c.note("git config: %s is not ageseal's, unchanged", d.key)
			continue
		}
		if err := repo.UnsetConfig(ctx, d.key); err != nil {
			return err
		}
		c.note("git config: %s removed", d.key)
	}
	return c.removeAttributes(ctx, repo)
}

func readAttributes(top string) (file string, text []byte, err error) {
	file = filepath.Join(top, ".gitattributes")
	text, err = readExisting(file)
	return file, text, err
}

func (c *cli) writeAttributes(top string) error {
	file, old, err := readAttributes(top)
	if err != nil {
		return err
	}
	text := bytes.Clone(old)
	for _, line := range attributes {
		if hasLine(text, line) {
			continue
		}
		if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
			text = append(text, '\n')
		}
		text = append(text, line+"\n"...)
	}
	if bytes.Equal(text, old) {
		c.note("%s: exists, unchanged", relative(file))
		return nil
	}
	if err := atomicfile.WriteAll([]atomicfile.File{{Path: file, Data: text, Old: old, Mode: 0o644}}); err != nil {
		return err
	}
	c.note("%s: the policy keeps its line ends, age files are left alone, manifests are merged value by value", relative(file))
	return nil
}

func hasLine(text []byte, line string) bool {
	return slices.ContainsFunc(bytes.Split(text, []byte("\n")), func(l []byte) bool { return isLine(l, line) })
}

func isLine(text []byte, line string) bool { return string(bytes.TrimRight(text, "\r\n")) == line }

// removeAttributes takes out the lines of ours, and the file with the last of them. What is committed is for other clones as well.
func (c *cli) removeAttributes(ctx context.Context, repo *git.Repo) error {
	file, old, err := readAttributes(repo.Top)
	if err != nil || old == nil {
		return err
	}
	var text []byte
	for line := range bytes.Lines(old) {
		if !slices.ContainsFunc(attributes, func(own string) bool { return isLine(line, own) }) {
			text = append(text, line...)
		}
	}
	switch {
	case bytes.Equal(text, old):
		return nil
	case len(text) == 0:
		err = os.Remove(file)
	default:
		err = atomicfile.WriteAll([]atomicfile.File{{Path: file, Data: text, Old: old}})
	}
	if err != nil {
		return err
	}
	c.note("%s: the lines of ageseal's are out", relative(file))
	const name = ".gitattributes"
	if head, err := repo.Head(ctx, name); err == nil && slices.ContainsFunc(attributes, func(line string) bool { return hasLine(head[name], line) }) {
		c.say("hint", "it is committed, for every clone: if only this one is to do without, git checkout HEAD -- "+quoted(relative(file)))
	}
	return nil
}

// drivers warns of a clone that has the attributes, which are committed, and not the drivers, which are not.
func (d *checkup) drivers(ctx context.Context) error {
	file, text, err := readAttributes(d.repo.Top)
	if err != nil {
		if errors.Is(err, errNotRegular) || errors.Is(err, fs.ErrPermission) {
			return nil
		}
		return err
	}
	if !bytes.Contains(text, []byte("merge=ageseal")) {
		return nil
	}
	for _, config := range driverConfig[1:] {
		now, err := d.repo.Config(ctx, config.key)
		if err != nil {
			return err
		}
		if now == "" {
			return d.warnings.add(file, verify.Finding{Rule: ruleDrivers, File: relative(file),
				What: "this clone has no driver for merge=ageseal or diff=ageseal: git takes sealed manifests for any text", Hint: "ageseal git install"})
		}
	}
	return nil
}
