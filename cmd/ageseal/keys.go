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

// opener loads every identity there is, once a run. None at all is no error before something has to be opened.
func (c *cli) opener(i *identityFlags) (*crypt.Opener, error) {
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
	return crypt.NewOpener(set.Identities...), nil
}
