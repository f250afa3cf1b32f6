package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/secret"
	"github.com/ageseal/ageseal/verify"
)

type rotationOptions struct {
	identities identityFlags
	open       bool
	output     string
	checklist  string
}

func newRotationCommand(c *cli) *cobra.Command {
	o := &rotationOptions{}
	cmd := &cobra.Command{
		Use:   "rotation [NAME|FINGERPRINT|RECIPIENT ...]",
		Short: "List the values that somebody who left could ever read",
		Long: `Look through every version of every sealed manifest and sealed file, in all commits, and list the values that these
people could ever read: by Secret and key, with the commit that last changed what they could read, and what
became of it. Without a name: what anybody could read whom the rule of its path does not have any more. No key
is needed, and nothing is changed.

What became of a value: "readable still", "encrypted again with all else", as by rekey, so most likely the same;
"written again" by itself, so most likely another. Nobody can tell without a key. With --open, or --identity,
the values are opened and compared: "the same still", or "changed".

A name is looked up in every policy there ever was, which anybody who pushed could write. A sealed file does not
say who can read it: those count whom the policy had that was committed along with it, if there are as many.
What is in no commit that this clone has, is not seen.

--checklist writes the list as Markdown with a box for each value. Where such a file is, verify looks after it:
a box ticked though the value was not written again is a finding, open ones are a warning.` + exitHelp(),
		Example: `  ageseal rotation                                  # all who left
  ageseal rotation bob                              # or is about to leave
  ageseal rotation --open bob                       # with your key: which values are the same still?
  ageseal rotation --checklist docs/bob-left.md bob`,
		RunE: func(_ *cobra.Command, args []string) error { return c.runRotation(o, args) },
	}
	o.identities.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&o.open, "open", false, "open the values, with the usual identities, to see which are the same still")
	flags.StringVarP(&o.output, "output", "o", "text", "`format`: "+strings.Join(rotationFormats, ", "))
	flags.StringVar(&o.checklist, "checklist", "", "write the list as a checklist to this new `file`, too")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(rotationFormats, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagFilename("checklist", "md")
	return cmd
}

var rotationFormats = []string{"json", "markdown", "text"}

func (c *cli) runRotation(o *rotationOptions, args []string) error {
	if !slices.Contains(rotationFormats, o.output) {
		return usage("ageseal rotation --help", "unknown output format %q", o.output)
	}
	wd, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	h, err := c.readHistory(context.Background(), wd)
	if err != nil {
		return err
	}
	c.known = append(c.known, h.policies...)
	who, departed, err := h.departed(args)
	if err != nil {
		return err
	}
	r := &rotation{c: c, list: h.ledger.List(departed), who: who, shallow: h.repo.Shallow()}
	if o.open || len(o.identities.files) > 0 {
		opener, err := c.opener(&o.identities)
		if err != nil {
			return err
		}
		if err := h.ledger.Compare(r.list, opener, h.read); err != nil {
			return err
		}
		r.warnUnopened()
	}
	out, err := r.format(o.output)
	if err != nil {
		return err
	}
	if o.checklist != "" {
		if err := r.write(o.checklist); err != nil {
			return err
		}
	}
	if _, err := c.out.Write(out); err != nil {
		return err
	}
	r.sum()
	return nil
}

// departed says whose values are asked for: fingerprints of those named, or whoever is not in the rule of a path any more.
func (h *history) departed(args []string) (who []string, is func(fingerprint, path string) bool, err error) {
	if len(args) == 0 {
		return nil, h.left(func(string) bool { return true }), nil
	}
	for _, arg := range args {
		found, err := h.fingerprints(arg)
		if err != nil {
			return nil, nil, err
		}
		who = append(who, found...)
	}
	return who, func(fp, _ string) bool { return slices.Contains(who, fp) }, nil
}

// left holds for those of some people whom the rule of a path does not have, by the policy as it lies here.
func (h *history) left(of func(fingerprint string) bool) func(fingerprint, path string) bool {
	return func(fp, path string) bool {
		if !of(fp) {
			return false
		}
		if len(h.policies) == 0 {
			return true
		}
		rule, ok := h.policies[0].Match(path)
		return !ok || !slices.Contains(crypt.Fingerprints(rule.Recipients), fp)
	}
}

// fingerprints finds whom an argument means: a recipient, a fingerprint, or a name of any policy there ever was, which may have been that of
// several keys.
func (h *history) fingerprints(arg string) ([]string, error) {
	if strings.HasPrefix(strings.ToUpper(arg), "AGE-SECRET-KEY-") || strings.HasPrefix(strings.ToUpper(arg), "AGE-PLUGIN-") {
		return nil, hinted("pass the recipient that belongs to it, age1…, and treat the key as seen by others", "found an identity where a name or a recipient was expected")
	}
	var found []string
	for _, p := range h.policies {
		found = append(found, crypt.Fingerprints(p.Named(arg))...)
	}
	if r, err := crypt.ParseRecipient(arg); err == nil {
		found = append(found, r.Fingerprint())
	}
	if len(found) == 0 && h.ledger.Knows(arg) {
		found = append(found, arg)
	}
	for _, p := range h.policies { // a key reads through the identities of groups, too
		for _, fp := range append(slices.Clone(found), arg) {
			for _, g := range p.SharedWith(fp) {
				found = append(found, g.Recipient.Fingerprint())
			}
		}
	}
	if len(found) == 0 && h.repo.Shallow() {
		return nil, hinted("git fetch --unshallow", "nobody of this name is in the part of the policy's history that this clone has: %s", arg)
	}
	if len(found) == 0 {
		return nil, hinted("a name from any version of "+policy.FileName+", a recipient, or a fingerprint as \"ageseal describe\" shows it",
			"nobody of this name was ever in the policy: %s", arg)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// rotation is a list of values to change, and for whom it was made.
type rotation struct {
	c       *cli
	list    []*secret.Exposed
	who     []string // fingerprints; none: everybody who left
	shallow bool
}

func (r *rotation) title() string {
	if len(r.who) == 0 {
		return "who left"
	}
	return r.c.names(r.who)
}

// due tells values that are not known, or likely, to be changed.
func due(x *secret.Exposed) bool { return x.State != secret.Changed && x.State != secret.WrittenAgain }

func (r *rotation) sum() {
	n := 0
	for _, x := range r.list {
		if due(x) {
			n++
		}
	}
	r.c.note("%s could read %s, %d of them to be changed", r.title(), count(len(r.list), "value"), n)
	r.warnShallow()
}

// warnUnopened counts what was to be compared and could not be: in place now, or of what they could read.
func (r *rotation) warnUnopened() {
	n := 0
	for _, x := range r.list {
		if x.State == secret.EncryptedAgain || x.State == secret.WrittenAgain {
			n++
		}
	}
	if n > 0 {
		r.c.warn(fmt.Sprintf("%s could not be compared: no identity opens all that is needed (%s)", count(n, "value"), r.c.tried()), "")
	}
}

func (r *rotation) warnShallow() {
	if r.shallow {
		r.c.warn("the history of this clone is cut off: what they could read before that is not in the list", "git fetch --unshallow")
	}
}

// what is what became of a value.
func what(x *secret.Exposed) string {
	at := func(commit string) string {
		if commit == "" {
			return "since the last commit"
		}
		return "in " + commit[:min(len(commit), 12)]
	}
	since := "last changed " + at(x.Changed)
	switch x.State {
	case secret.StillReadable:
		return "readable still, " + since
	case secret.EncryptedAgain:
		return since + ", encrypted again with all else " + at(x.Since) + ": the same value, unless it was changed then"
	case secret.WrittenAgain:
		return since + ", written again " + at(x.Since)
	case secret.Unchanged:
		return since + ", encrypted again " + at(x.Since) + ": the same still"
	case secret.Changed:
		return "changed " + at(x.Since)
	}
	return since + ", removed since: it may still be in use"
}

// named is a value as messages name it.
func named(x *secret.Exposed) string {
	if x.Secret == "" {
		return "sealed file"
	}
	return "Secret " + x.Secret + ": key " + x.Key
}

func (r *rotation) format(name string) ([]byte, error) {
	switch name {
	case "json":
		return r.json()
	case "markdown":
		return r.markdown(), nil
	}
	var b strings.Builder
	for _, x := range r.list {
		text := place(x.File, 0) + named(x) + ": " + what(x)
		if len(r.who) != 1 {
			text += " (" + r.c.names(x.Readers) + ")"
		}
		fmt.Fprintln(&b, shown(text))
	}
	return []byte(b.String()), nil
}

// json writes the list with names beside fingerprints; what a policy calls somebody is its own claim.
func (r *rotation) json() ([]byte, error) {
	names := map[string]string{}
	for _, x := range r.list {
		for _, fp := range x.Readers {
			names[fp] = r.c.names([]string{fp})
		}
	}
	list := r.list
	if list == nil {
		list = []*secret.Exposed{}
	}
	out, err := json.MarshalIndent(map[string]any{"shallow": r.shallow, "names": names, "values": list}, "", "  ")
	return append(out, '\n'), err
}

// markdown is the list as a checklist that verify.Checklist reads.
func (r *rotation) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: \"ageseal verify\" looks after the boxes. Remove this file when all is done. -->\n\n# Values to change\n\n", verify.ChecklistMarker)
	fmt.Fprintf(&b, "Readable once by: %s. What git has of it, they keep. Change each value where it is made, then with `ageseal set`, then tick it.\n\n", plain(shown(r.title())))
	for _, x := range r.list {
		tick, mark := " ", ""
		switch x.State {
		case secret.Changed:
			tick = "x"
		case secret.StillReadable, secret.EncryptedAgain, secret.Unchanged:
			mark = " " + verify.ChecklistMark(x.File, x.Mark)
		}
		text := strings.Replace(named(x), ": key ", " key ", 1)
		fmt.Fprintf(&b, "- [%s] %s (%s): %s%s\n", tick, plain(shown(text)), cell(shown(x.File)), plain(what(x)), mark)
	}
	return b.Bytes()
}

// write makes the checklist a new file: one that is there may have boxes ticked.
func (r *rotation) write(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteAll([]atomicfile.File{{Path: abs, Data: r.markdown(), Mode: 0o644}}); err != nil {
		return within(path, err)
	}
	r.c.note("%s: a checklist of %s", path, count(len(r.list), "value"))
	return nil
}
