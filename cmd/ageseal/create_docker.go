package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/values"
)

const dockerHub = "https://index.docker.io/v1/"

// dockerFlags are the logins: the n-th of each flag belong together.
type dockerFlags struct {
	servers, usernames, passwords, emails []string
	stdin                                 bool
	files                                 []string
}

func newCreateDockerCommand(c *cli) *cobra.Command {
	o := &createOptions{kind: "kubernetes.io/dockerconfigjson"}
	d := &dockerFlags{}
	cmd := &cobra.Command{
		Use:   "docker-registry NAME",
		Short: "Create a sealed Secret of the logins to container registries",
		Long: `Create a sealed Secret of type kubernetes.io/dockerconfigjson, for one registry or several: the first of each
--docker flag belong together, the second of each, and so on. Passwords that are not given are asked for,
hidden; --docker-password-stdin reads them, a line each. Or --from-file takes a Docker configuration as it is.`,
		Example: `  ageseal create secret docker-registry pull -n prod --docker-server ghcr.io --docker-username ci --file pull.yaml
  printf '%s' "$TOKEN" | ageseal create secret docker-registry pull -n prod --docker-server ghcr.io --docker-username ci \
    --docker-password-stdin --file pull.yaml
  ageseal create secret docker-registry pull -n prod --file pull.yaml \
    --docker-server ghcr.io --docker-username ci --docker-server quay.io --docker-username robot   # asks twice
  ageseal create secret docker-registry pull -n prod --from-file ~/.docker/config.json --file pull.yaml`,
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&d.servers, "docker-server", nil, "the `registry` (repeatable; default "+dockerHub+", of one login)")
	flags.StringArrayVar(&d.usernames, "docker-username", nil, "the `name` to log in with (repeatable)")
	flags.StringArrayVar(&d.passwords, "docker-password", nil, "the `password`, visible to other processes (repeatable)")
	flags.StringArrayVar(&d.emails, "docker-email", nil, "the `address`, \"\" for none (repeatable)")
	flags.BoolVar(&d.stdin, "docker-password-stdin", false, "read the passwords from standard input, a line each")
	flags.StringSliceVar(&d.files, "from-file", nil, "take this Docker configuration: `[key=]path` (default key .dockerconfigjson)")
	for _, name := range []string{"docker-server", "docker-username", "docker-password", "docker-email"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}

	return createCommand(c, o, cmd, func(v *values.Values) error {
		if len(d.files) > 0 {
			if len(d.servers)+len(d.usernames)+len(d.passwords)+len(d.emails) > 0 || d.stdin {
				return usage(o.help, "--from-file and the --docker flags exclude each other")
			}
			for _, path := range d.files {
				if !strings.Contains(path, "=") {
					path = values.DockerConfigKey + "=" + path
				}
				if err := v.AddFile(path); err != nil {
					return err
				}
			}
			return nil
		}
		if err := v.Check(values.DockerConfigKey); err != nil {
			return err
		}
		if len(d.passwords) > 0 {
			o.insteadOfArgv = "leave --docker-password away to be asked, or pipe it in with --docker-password-stdin"
		}
		logins, err := c.dockerLogins(d, v, o.help)
		if err != nil {
			return err
		}
		return v.AddDockerConfig(logins...)
	})
}

// dockerLogins puts the flags together, and asks for the passwords that are missing.
func (c *cli) dockerLogins(d *dockerFlags, v *values.Values, help string) ([]values.Registry, error) {
	n := len(d.usernames)
	if n == 1 && len(d.servers) == 0 {
		d.servers = []string{dockerHub}
	}
	_, tty := terminal(c.in)
	switch {
	case n == 0 || len(d.passwords) == 0 && !d.stdin && !tty:
		return nil, usage(help,
			"either --from-file or the combination of --docker-username, --docker-password and --docker-server is required")
	case d.stdin && len(d.passwords) > 0:
		return nil, usage(help, "--docker-password and --docker-password-stdin exclude each other")
	case len(d.servers) != n || len(d.passwords) != n && len(d.passwords) > 0 || len(d.emails) != n && len(d.emails) > 0:
		return nil, usage(help,
			"there are %d --docker-username, and another number of servers, passwords or emails: the n-th of each belong together", n)
	}
	logins := make([]values.Registry, n)
	for i := range logins {
		l := &logins[i]
		l.Server, l.Username = d.servers[i], d.usernames[i]
		if len(d.emails) > 0 {
			l.Email = d.emails[i]
		}
		if l.Server == "" || l.Username == "" || len(d.passwords) > 0 && d.passwords[i] == "" {
			return nil, usage(help, "a --docker-server, --docker-username or --docker-password is empty")
		}
	}
	if len(d.passwords) == 0 {
		var err error
		if d.passwords, err = c.dockerPasswords(v, logins); err != nil {
			return nil, err
		}
	}
	for i := range logins {
		logins[i].Password = d.passwords[i]
	}
	return logins, nil
}

// dockerPasswords asks for one password after the other, or reads a line each.
func (c *cli) dockerPasswords(v *values.Values, logins []values.Registry) ([]string, error) {
	var passwords []string
	if _, ok := terminal(c.in); ok {
		for _, l := range logins {
			p, err := c.prompt(fmt.Sprintf("password of %s at %s", shown(l.Username), shown(l.Server)), "pipe it in with --docker-password-stdin")
			if err != nil {
				return nil, err
			}
			passwords = append(passwords, string(p))
		}
		return passwords, nil
	}
	if v.Stdin == nil {
		return nil, &usageError{values.ErrStdin}
	}
	r := v.Stdin
	v.Stdin = nil
	text, err := readValue(r)
	if err != nil {
		return nil, err
	}
	for line := range bytes.SplitSeq(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		passwords = append(passwords, string(bytes.TrimSuffix(line, []byte("\r"))))
	}
	if len(passwords) != len(logins) {
		return nil, hinted("a line each, in the order of --docker-server",
			"standard input has %s, for %s", count(len(passwords), "line"), count(len(logins), "login"))
	}
	for _, p := range passwords {
		if p == "" {
			return nil, hinted("the command before the pipe may have failed", "an empty password came from standard input")
		}
	}
	return passwords, nil
}
