package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/secret"
)

func newMergeDriverCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "merge-driver BASE OURS THEIRS [SIZE] PATH [BASE-NAME OURS-NAME THEIRS-NAME]",
		Short: "Merge sealed manifests value by value (git calls it)",
		Long: `Merge three versions of a manifest into OURS, as git asks its merge drivers to: sealed Secrets value by value, all
else as git merges text. No private key is needed, and none is used. What both sides changed stands between
conflict markers, and so does a value that one side sealed for a reader whom the other side took away.
Text without sealed Secrets becomes what git makes of it.

Exit status: 0 merged, 1 conflict or error, 2 usage, 130 interrupted.`,
		Example: `  git config merge.ageseal.driver 'ageseal git merge-driver -- %O %A %B %L %P'   # "ageseal git install" does more
  ageseal git merge-driver base.yaml ours.yaml theirs.yaml apps/shop/db.yaml`,
		Args: argsBetween(4, 8, "BASE OURS THEIRS [SIZE] PATH [BASE-NAME OURS-NAME THEIRS-NAME]"),
		RunE: func(_ *cobra.Command, args []string) error { return c.runMergeDriver(args) },
	}
}

func (c *cli) runMergeDriver(args []string) error {
	ctx := context.Background()
	markers := secret.Markers{Size: 7, Base: "base", Ours: "ours", Theirs: "theirs",
		ShowBase: sync.OnceValue(func() bool { return git.ShowsBase(ctx) })}
	path := args[3]
	var err error
	if len(args) > 4 {
		path = args[4]
		if markers.Size, err = strconv.Atoi(args[3]); err != nil || markers.Size < 1 {
			return usage("ageseal git merge-driver --help", "the size of markers is a number")
		}
	}
	// Before git 2.44 a placeholder for a name stays what it is.
	for i, name := range []*string{&markers.Base, &markers.Ours, &markers.Theirs} {
		if i+5 < len(args) && args[i+5] != "" && args[i+5][0] != '%' {
			*name = args[i+5]
		}
	}
	var texts [3][]byte
	for i := range texts {
		if texts[i], err = os.ReadFile(args[i]); err != nil {
			return err
		}
	}
	merged, err := secret.MergeFile(texts[0], texts[1], texts[2], markers, func(base, ours, theirs []byte) ([]byte, bool, error) {
		return git.MergeText(ctx, base, ours, theirs, git.MergeOptions{
			MarkerSize: markers.Size, Base: markers.Base, Ours: markers.Ours, Theirs: markers.Theirs})
	})
	if err != nil {
		return &fileError{path, &hintError{err, "the file is as this side has it: take a version with git checkout --ours or --theirs"}}
	}
	if err := atomicfile.WriteAll([]atomicfile.File{{Path: args[1], Data: merged.Text, Old: orEmpty(texts[1])}}); err != nil {
		return err
	}
	if merged.Clean {
		return nil
	}
	if len(merged.Conflicts) == 0 {
		return errPassedOn // git says it
	}
	var all []error
	for i := range merged.Conflicts {
		fault := &merged.Conflicts[i]
		fault.Hint = `what each side has: "git show ` + quoted(":2:"+path) + ` | ageseal decrypt -" (ours), :3: (theirs); keep one of the two between the markers`
		all = append(all, fault)
	}
	return &fileError{path, errors.Join(all...)}
}

// orEmpty is for atomicfile, to which nil says that there is no file.
func orEmpty(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

type diffDriverOptions struct {
	identities identityFlags
	plaintext  bool
}

func newDiffDriverCommand(c *cli) *cobra.Command {
	o := &diffDriverOptions{}
	cmd := &cobra.Command{
		Use:   "diff-driver FILE",
		Short: "Show a sealed manifest or file so that versions can be compared (git calls it)",
		Long: `Print a manifest as git diff and git log -p are to compare it: of a sealed Secret a line for each value, with its size
class, the beginning of its ciphertext's hash, and who can read it, by the names in the policy; a sealed file is one line. All
else, and what can't be read, is printed as it is. No private key is used.

With --plaintext the values are printed, where an identity opens all of the file. Never set cachetextconv beside that:
git would store the plaintext in its objects. While it is set, no value is printed.` + exitHelp(),
		Example: `  git diff                                           # after "ageseal git install"
  git -c diff.ageseal.textconv='ageseal git diff-driver --plaintext' log -p apps/shop/prod/db.yaml`,
		Args:              argsBetween(1, 1, "a file"),
		ValidArgsFunction: completeFiles,
		RunE:              func(_ *cobra.Command, args []string) error { return c.runDiffDriver(o, args[0]) },
	}
	o.identities.add(cmd)
	cmd.Flags().BoolVar(&o.plaintext, "plaintext", false, "print the values; never with cachetextconv")
	return cmd
}

func (c *cli) runDiffDriver(o *diffDriverOptions, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	c.knowNames("here") // git gives a file elsewhere, and starts us at the top level
	_, err = c.out.Write(c.compared(o, data))
	return err
}

// compared is what is shown of a file. Nothing in it may be an error: git would end what it is doing.
func (c *cli) compared(o *diffDriverOptions, data []byte) []byte {
	if !o.plaintext {
		return c.summary(data)
	}
	if git.CachesTextconv(context.Background()) {
		c.warn("no values are shown: git would store what is printed", "git config --unset diff.ageseal.cachetextconv")
		return c.summary(data)
	}
	opener, err := c.opener(&o.identities, ".")
	if err != nil {
		c.warn(fmt.Sprintf("no values are shown: %v", err), "")
		return c.summary(data)
	}
	if crypt.IsArmored(data) {
		if f, err := secret.OpenFile(data, opener); err == nil {
			return f.Content
		}
	}
	if view, err := secret.NewView(data, "", "", opener); err == nil {
		return view.Text()
	}
	return c.summary(data)
}

// summary is what shows without a key. Names of those who read a sealed file don't.
func (c *cli) summary(data []byte) []byte {
	facts, err := crypt.InspectFile(data)
	if err != nil {
		return secret.Summary(data, c.names)
	}
	sum := sha256.Sum256(facts.Armor)
	return fmt.Appendf(nil, "sealed file: %d to %d bytes, %s, recipients: %s\n", facts.Least, facts.Most, hex.EncodeToString(sum[:4]), recipientsText(facts))
}
