package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/identity"
)

// allowedPlugins are age's plugins that may run in this process, for which --plugin and the user's own file speak.
func (c *cli) allowedPlugins() (*identity.Plugins, error) {
	if c.plugins != nil {
		return c.plugins, nil
	}
	for _, name := range c.pluginNames {
		if !identity.IsPluginName(name) {
			return nil, usage("yubikey stands for the program age-plugin-yubikey", "--plugin takes a name, no path and no option")
		}
	}
	allowed, err := identity.ReadAllowed()
	if err != nil {
		return nil, err
	}
	c.plugins = &identity.Plugins{
		Allowed: append(allowed, c.pluginNames...),
		Say:     func(text string) { fmt.Fprintf(c.err, "ageseal: %s\n", shown(text)) },
	}
	return c.plugins, nil
}

// ready gives recipients the plugins that encrypt to them.
func (c *cli) ready(rs []*crypt.Recipient) ([]*crypt.Recipient, error) {
	if crypt.Plugins(rs) == 0 {
		return rs, nil
	}
	plugins, err := c.allowedPlugins()
	if err != nil {
		return nil, err
	}
	return plugins.Ready(rs), nil
}

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
	plugins, err := c.allowedPlugins()
	if err != nil {
		return nil, err
	}
	set, err := identity.Load(identity.Options{
		Plugins: plugins,
		Files:   i.files, Environment: c.environment,
		Stdin:  c.in,
		Warn:   func(text string) { c.warn(text, "") },
		Stderr: c.err,
	})
	if err != nil {
		return nil, err
	}
	c.keys = set
	o := crypt.NewOpener(slices.Concat(set.Identities, set.Further)...)
	c.share(o, paths)
	return o, nil
}
