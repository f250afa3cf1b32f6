package main

import (
	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/values"
)

func newCreateBasicAuthCommand(c *cli) *cobra.Command {
	o := &createOptions{kind: "kubernetes.io/basic-auth"}
	var username string
	var stdin bool
	cmd := &cobra.Command{
		Use:   "basic-auth NAME",
		Short: "Create a sealed Secret of a username and a password",
		Long: `Create a sealed Secret of type kubernetes.io/basic-auth. The password is asked for, hidden, or read from
standard input with --password-stdin, or made with --generate password.`,
		Example: `  ageseal create secret basic-auth admin -n prod --username admin --file admin.yaml   # asks for the password
  pass show git | ageseal create secret basic-auth git -n flux-system --username bot --password-stdin --file git.yaml
  ageseal create secret basic-auth admin -n prod --username admin --generate password=40 --file admin.yaml`,
	}
	cmd.Flags().StringVar(&username, "username", "", "the `name` to log in with")
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read the password from standard input, a single line without its line end")
	_ = cmd.RegisterFlagCompletionFunc("username", cobra.NoFileCompletions)

	return createCommand(c, o, cmd, func(v *values.Values) error {
		if username != "" {
			if err := v.Add("username", []byte(username)); err != nil {
				return err
			}
		}
		if !stdin {
			o.needs("password")
			return nil
		}
		if err := v.Check("password"); err != nil {
			return onCommandLine("--password-stdin", err)
		}
		password, err := c.line(v, "password")
		if err != nil {
			return err
		}
		return v.Add("password", password)
	})
}

func newCreateSSHAuthCommand(c *cli) *cobra.Command {
	o := &createOptions{kind: "kubernetes.io/ssh-auth"}
	var key, hosts string
	cmd := &cobra.Command{
		Use:   "ssh-auth NAME",
		Short: "Create a sealed Secret of an SSH private key",
		Long: `Create a sealed Secret of type kubernetes.io/ssh-auth: the private key under ssh-privatekey and, for what
checks the server, known_hosts. "-" as a path is standard input.`,
		Example: `  ageseal create secret ssh-auth deploy -n flux-system --ssh-privatekey deploy_key --file deploy.yaml
  ssh-keyscan github.com | ageseal create secret ssh-auth deploy -n flux-system --ssh-privatekey deploy_key \
    --ssh-knownhosts - --file deploy.yaml`,
	}
	cmd.Flags().StringVar(&key, "ssh-privatekey", "", "the private key, a `file`")
	cmd.Flags().StringVar(&hosts, "ssh-knownhosts", "", "the servers' public keys, a `file`, under the key known_hosts")
	_ = cmd.MarkFlagFilename("ssh-privatekey")
	_ = cmd.MarkFlagFilename("ssh-knownhosts")

	return createCommand(c, o, cmd, func(v *values.Values) error {
		if key == "" && !v.Has("ssh-privatekey") {
			return usage(o.help, "--ssh-privatekey is needed")
		}
		if key != "" {
			if err := v.AddFileAs("ssh-privatekey", key); err != nil {
				return err
			}
		}
		if hosts != "" {
			return v.AddFileAs("known_hosts", hosts)
		}
		return nil
	})
}
