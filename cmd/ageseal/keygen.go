package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/identity"
)

func newKeygenCommand(c *cli) *cobra.Command {
	var output string
	var classic, passphrase bool
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Generate an identity",
		Long: `Generate a post-quantum identity, as "age-keygen -pq" does. The private key goes to standard output or to a new
file of mode 0600, the recipient to standard error. An existing file is never overwritten.

With --passphrase, what is written is encrypted with a passphrase, asked for twice on the terminal, as "age -p -a"
does. Whoever opens something with it is asked for it once a run.` + exitHelp(),
		Example: `  ageseal keygen -o ci.key
  ageseal keygen --passphrase -o laptop.key
  ageseal keygen --classic -o old-tools.key         # X25519`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			id, err := crypt.GenerateIdentity(!classic)
			if err != nil {
				return err
			}
			text, err := c.identityText(id, passphrase)
			if err != nil {
				return err
			}
			if output != "" && output != "-" {
				err = identity.Write(output, text)
			} else {
				_, err = io.WriteString(c.out, text)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(c.err, "recipient: %s\n", id.Recipient())
			if output != "" && output != "-" {
				c.warnExposed(output, "a private key")
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to this new `file` instead of standard output")
	cmd.Flags().BoolVar(&classic, "classic", false, "an X25519 identity, not post-quantum")
	cmd.Flags().BoolVar(&passphrase, "passphrase", false, "protect it with a passphrase")
	return cmd
}

// identityText is the text of a new identity file, encrypted with a new passphrase if one is wanted.
func (c *cli) identityText(id *crypt.Identity, passphrase bool) (string, error) {
	text := identity.Text(id)
	if !passphrase {
		return text, nil
	}
	typed, err := identity.AskNew("new passphrase: ", "the same again: ")
	switch {
	case errors.Is(err, identity.ErrNoTerminal):
		return "", hinted("without --passphrase, \"age -p\" can encrypt the file later, on a terminal", "no terminal to ask for the passphrase")
	case err != nil:
		return "", fmt.Errorf("the passphrase: %w", err)
	}
	return identity.Lock(text, string(typed))
}
