package main

import (
	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/identity"
)

// identityFlags is --identity, on every command that opens.
type identityFlags struct{ files []string }

func (i *identityFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&i.files, "identity", "i", nil, `try the identities in this `+"`file`"+` before the usual ones, "-" for standard input (repeatable)`)
	_ = cmd.MarkFlagFilename("identity")
}

// opener loads every identity there is, once a run. None at all is no error before something has to be opened. What is for a group of
// the repository that one of the paths lies in is opened with the group's identity, see share.
func (c *cli) opener(i *identityFlags, paths ...string) (*crypt.Opener, error) {
	for _, file := range i.files {
		if privateKey().MatchString(file) {
			return nil, hinted("pipe it in with \"--identity -\", or set $AGESEAL_IDENTITY; treat this one as seen by others",
				"--identity takes a file, not the key itself")
		}
	}
	set, err := identity.Load(identity.Options{
		Files: i.files, Environment: c.environment,
		Stdin:  c.in,
		Warn:   func(text string) { c.warn(text, "") },
		Stderr: c.err,
	})
	if err != nil {
		return nil, err
	}
	c.keys = set
	o := crypt.NewOpener(set.Identities...)
	c.share(o, paths)
	return o, nil
}
