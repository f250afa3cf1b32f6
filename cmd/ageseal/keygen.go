package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/identity"
)

func newKeygenCommand(c *cli) *cobra.Command {
	var output string
	var classic bool
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Generate an identity",
		Long: `Generate a post-quantum identity, as "age-keygen -pq" does. The private key goes to standard output or to a new
file of mode 0600, the recipient to standard error. An existing file is never overwritten.` + exitHelp(),
		Example: `  ageseal keygen -o ci.key
  ageseal keygen --classic -o old-tools.key         # X25519`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			id, err := crypt.GenerateIdentity(!classic)
			if err != nil {
				return err
			}
			if output != "" && output != "-" {
				err = identity.Write(output, id)
			} else {
				_, err = io.WriteString(c.out, identity.Text(id, time.Now()))
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
	return cmd
}
