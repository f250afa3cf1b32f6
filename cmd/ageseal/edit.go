package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/internal/memdir"
	"github.com/ageseal/ageseal/secret"
)

type editOptions struct {
	identities identityFlags
	recipients recipientFlags
	selector   selector
	allowClear []string
	recreate   bool
}

func newEditCommand(c *cli) *cobra.Command {
	o := &editOptions{}
	cmd := &cobra.Command{
		Use:   "edit FILE",
		Short: "Edit sealed Secrets in an editor",
		Long: `Open $VISUAL or $EDITOR on the Secrets of a file, decrypted: text under stringData, other bytes under data.
Values, keys, labels, comments, whole Secrets can be changed, added and removed. Only what changed is encrypted
again; under another name or namespace a Secret is bound anew. A sealed file is edited as what it holds, a dotenv
or one value, and encrypted again as a whole; it stays bound as it is.

An edit that can't be sealed opens again, with the reason on top; leave the editor without a change to give up.
On Linux the plaintext is in memory (it may be swapped out) and is gone when the editor is. vim is told to
keep no copies; some editors keep them elsewhere (VS Code's local history, backup directories): use another.` + exitHelp(statusNoIdentity, statusAuthentication),
		Example: `  ageseal edit apps/shop/prod/db.yaml
  EDITOR=nano ageseal edit --name db apps/shop/prod/secrets.yaml    # one of several
  ageseal edit apps/shop/prod/app.env.age                           # a sealed dotenv`,
		Args: argsBetween(1, 1, "a sealed manifest or sealed file"),
		RunE: func(_ *cobra.Command, args []string) error { return c.runEdit(o, args[0]) },
	}
	o.identities.add(cmd)
	o.recipients.add(cmd)
	o.selector.add(cmd)
	cmd.Flags().StringArrayVar(&o.allowClear, "allow-clear", nil, "let the value of this `key` stay in clear elsewhere in the document (repeatable)")
	cmd.Flags().BoolVar(&o.recreate, "recreate", false, recreateUsage)
	cmd.ValidArgsFunction = completeFiles
	return cmd
}

// editMark begins the lines that are put on top of an edit that could not be sealed.
const editMark = "# ageseal: "

func (c *cli) runEdit(o *editOptions, path string) error {
	if path == "-" {
		return usage("ageseal edit --help", "edit works on a file: standard input is for the editor")
	}
	if len(c.sealedFiles([]string{path})) > 0 {
		return c.runEditFile(o, path)
	}
	in, err := readInput(path)
	if err != nil {
		return err
	}
	options := secret.EditOptions{}
	if options.Target, options.Sharing, err = c.sharing(in, &o.recipients); err != nil {
		return within(path, err)
	}
	options.AllowClear, options.Recreate = o.allowClear, o.recreate
	opener, err := c.opener(&o.identities, path)
	if err != nil {
		return err
	}
	view, err := secret.NewView(in.data, o.selector.namespace, o.selector.name, opener)
	if err != nil {
		c.knowNames(in.path)
		return &fileError{path, err}
	}
	var changes []secret.Edited
	var report *secret.Report
	err = c.editUntilSealed(in.path, view.Text(), func(edited []byte) error {
		data, changed, r, err := view.Seal(secret.NewWriter(), edited, options)
		if err == nil && !bytes.Equal(data, in.data) {
			err = c.replace(in.path, data, in.data)
		}
		if err == nil {
			changes, report = changed, r
		}
		return err
	})
	switch {
	case err != nil:
		return &fileError{path, err}
	case report == nil:
		c.note("%s: unchanged", path)
		return nil
	case len(changes) == 0:
		c.note("%s: documents moved or removed, no Secret changed", path)
	}
	for i := range report.Warnings {
		report.Warnings[i].Line = 0 // of the edited text, which is gone
	}
	c.warnAll(path, report.Warnings)
	for _, e := range changes {
		c.note("%s: %s", path, editedText(e, c.names(crypt.Fingerprints(options.Recipients))))
	}
	return nil
}

// replace writes a file that must still hold what was read.
func (c *cli) replace(path string, data, old []byte) error {
	unlock, err := c.lock([]string{path})
	if err != nil {
		return err
	}
	defer unlock()
	return atomicfile.WriteAll([]atomicfile.File{{Path: path, Data: data, Old: old}})
}

// editUntilSealed runs the editor on a text, under the name of a file, until what it leaves is sealed, or left as it was: then seal is not
// called. What can't be sealed is not lost but shown again, with the reason on top.
func (c *cli) editUntilSealed(name string, text []byte, seal func(edited []byte) error) error {
	dir, err := memdir.New()
	if err != nil {
		return &hintError{err, "editing needs a directory for a temporary file: set $TMPDIR"}
	}
	defer func() { _ = dir.Remove() }()
	if !dir.InMemory {
		c.warn("no storage in memory here: while you edit, the plaintext is on disk in "+dir.Path, "")
	}
	file, header := filepath.Join(dir.Path, filepath.Base(name)), ""
	var why error // of the header
	for {
		if err := os.WriteFile(file, append([]byte(header), text...), 0o600); err != nil {
			return err
		}
		if err := c.runEditor(file); err != nil {
			return err
		}
		edited, err := readBounded(file)
		if errors.Is(err, fs.ErrNotExist) {
			return errors.New("the editor left no file: nothing was changed")
		}
		if err != nil {
			return err
		}
		edited = withoutHeader(edited, header)
		switch {
		case bytes.Equal(edited, text) && header == "":
			return nil
		case bytes.Equal(edited, text):
			return errors.Join(withoutLines(why), errors.New("given up: nothing was changed"))
		case len(bytes.TrimSpace(edited)) == 0:
			return errors.New("nothing was left in the editor: nothing was changed")
		}
		if why = seal(edited); why == nil {
			return nil
		}
		text, header = edited, c.editHeader(why)
	}
}

// editHeader says on top of the text why it could not be sealed, with the lines that the text has below it.
func (c *cli) editHeader(err error) string {
	lines := func(below int) []string {
		var lines []string
		add := func(what, text string) {
			for line := range strings.SplitSeq(shown(text), "\n") {
				lines = append(lines, editMark+what+line)
				what = ""
			}
		}
		for _, m := range c.messages("", shiftLines(err, below)) {
			add("error: ", m.text)
			if m.hint != "" {
				add("hint: ", m.hint)
			}
		}
		return append(lines, editMark+"mend it and save; leave it as it is to give up")
	}
	return strings.Join(lines(len(lines(0))), "\n") + "\n"
}

// shiftLines moves the places in an error of an edited text below a header.
func shiftLines(err error, by int) error {
	return eachFault(err, func(e *secret.Error) {
		if e.Line > 0 {
			e.Err = fmt.Errorf("line %d: %w", e.Line+by, e.Err)
		}
		e.Line = 0
	})
}

// withoutHeader drops the lines that editHeader put on top, as far as they are still there.
func withoutHeader(text []byte, header string) []byte {
	if header == "" {
		return text
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // of an editor that begins every file so
	for range strings.Count(header, "\n") {
		if !bytes.HasPrefix(text, []byte(editMark)) {
			break
		}
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return text
}

// editedText says what became of one Secret, and for whom values were encrypted.
func editedText(e secret.Edited, readers string) string {
	switch {
	case e.Secret == "":
		return "removed Secret " + e.Was
	case e.Was == "":
		return "added Secret " + e.Secret + " for " + readers
	}
	var what []string
	if e.Bound {
		what = append(what, "was "+e.Was+", bound anew for "+readers)
	}
	if len(e.Set) > 0 {
		what = append(what, "set "+strings.Join(e.Set, ", ")+" for "+readers)
	}
	if len(e.Removed) > 0 {
		what = append(what, "removed "+strings.Join(e.Removed, ", "))
	}
	if len(what) == 0 {
		what = append(what, "no value changed")
	}
	return "Secret " + e.Secret + ": " + strings.Join(what, "; ")
}
