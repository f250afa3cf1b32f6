package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/secret"
)

type execOptions struct {
	identities identityFlags
	selector   selector
	only       []string
}

// Statuses of a command that could not be run, as env(1) and the shell have them (POSIX.1-2017, 2.8.2).
const (
	statusCannotRun = 126
	statusNotFound  = 127
)

func newExecCommand(c *cli) *cobra.Command {
	o := &execOptions{}
	cmd := &cobra.Command{
		Use:   "exec FILE ... -- COMMAND [ARG ...]",
		Short: "Run a command with the values in its environment",
		Long: `Run a command with every value of sealed Secrets as an environment variable named like its key. Of a key in
several, the last one counts, as with envFrom in a pod. Nothing is written anywhere; what the command makes of
its environment is up to it. Variables that steer programs, such as PATH or LD_PRELOAD, are refused unless
--only names them. With --only, just these keys, which may get another name: --only DB_PASS=password.` +
			exitHelp(statusNoIdentity, statusAuthentication) + `
The command's own status is passed on; 126 it can't be run, 127 it was not found.`,
		Example: `  ageseal exec apps/shop/prod/db.yaml -- ./migrate
  ageseal exec --only PGPASSWORD=password apps/shop/prod/db.yaml -- psql -h db shop
  ageseal exec apps/shop/prod/app.env.age -- env                    # a sealed dotenv`,
		Args: func(cmd *cobra.Command, args []string) error {
			if at := cmd.ArgsLenAtDash(); at < 1 || at == len(args) {
				return hinted("ageseal exec --help", "expected sealed manifests or sealed files, then --, then a command")
			}
			return nil
		},
		ValidArgsFunction: completeFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			at := cmd.ArgsLenAtDash()
			return c.runExec(o, args[:at], args[at:])
		},
	}
	o.identities.add(cmd)
	o.selector.add(cmd)
	cmd.Flags().StringArrayVar(&o.only, "only", nil, "pass just this `[VARIABLE=]KEY` (repeatable)")
	return cmd
}

func (c *cli) runExec(o *execOptions, files, command []string) error {
	program, err := exec.LookPath(command[0])
	if err != nil {
		status, what := notRunStatus(err), "command not found"
		if status == statusCannotRun {
			what = "can't be run"
		}
		return &exitError{fmt.Errorf("%s: %s", command[0], what), status}
	}
	sources, err := c.execSources(o, files)
	if err != nil {
		return err
	}
	opener, err := c.opener(&o.identities, files...)
	if err != nil {
		return err
	}
	opened := make([]map[string][]byte, len(sources))
	faults := secret.Each(len(sources), func(i int) (err error) {
		opened[i], err = sources[i](opener)
		return err
	})
	if err := errors.Join(faults...); err != nil {
		c.knowNames(files...)
		return err
	}
	values := map[string][]byte{}
	for _, of := range opened {
		for key, value := range of {
			values[key] = value
		}
	}
	env, err := environment(os.Environ(), values, o.only)
	if err != nil {
		return err
	}
	return c.become(program, command, env)
}

// execSources are the sealed Secrets, and what is in sealed files, in the order of the arguments. They are opened later, all at once.
func (c *cli) execSources(o *execOptions, files []string) (sources []func(*crypt.Opener) (map[string][]byte, error), err error) {
	var sealed []string
	if o.selector == (selector{}) {
		sealed = c.sealedFiles(files)
	}
	var errs []error
	for _, file := range files {
		if slices.Contains(sealed, file) {
			sources = append(sources, func(opener *crypt.Opener) (map[string][]byte, error) {
				f, err := c.openSealed(file, opener)
				if err != nil {
					return nil, err
				}
				return bytesOf(f), nil
			})
			continue
		}
		inputs, _, err := c.inputs([]string{file})
		if err == nil && len(inputs) == 0 { // the command is not run without what it was to have
			err = &fileError{file, hinted("name sealed files one by one: no directory is searched for them", "no sealed Secret in this directory")}
		}
		errs = append(errs, err)
		for _, in := range inputs {
			docs, err := secret.All(in.file, o.selector.namespace, o.selector.name)
			if err != nil {
				errs = append(errs, &fileError{in.shown, err})
			}
			for _, doc := range docs {
				sources = append(sources, func(opener *crypt.Opener) (map[string][]byte, error) {
					values, err := secret.OpenForReading(doc, opener)
					if err != nil {
						return nil, &fileError{in.shown, err}
					}
					return values, nil
				})
			}
		}
	}
	return sources, errors.Join(errs...)
}

// environment adds values to an environment, which they override.
func environment(base []string, values map[string][]byte, only []string) ([]string, error) {
	names := map[string]string{} // of variables → keys
	for _, text := range only {
		name, key, ok := strings.Cut(text, "=")
		if !ok {
			key = name
		}
		if _, ok := values[key]; !ok {
			return nil, hinted("there are: "+strings.Join(keysOf(values), ", "), "no key %q", key)
		}
		names[name] = key
	}
	if len(only) == 0 {
		for key := range values {
			names[key] = key
		}
	}
	env := slices.DeleteFunc(base, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		_, replaced := names[name]
		return replaced
	})
	for _, name := range keysOf(names) {
		value := values[names[name]]
		switch {
		case !isVariable(name):
			return nil, hinted("name those you need: --only VARIABLE="+names[name], "key %s: not a name of an environment variable", names[name])
		case len(only) == 0 && steers(name):
			return nil, hinted("if that is meant: --only "+name+", and the others", "key %s: as an environment variable it would steer programs, and anyone can write a key", name)
		case strings.IndexByte(string(value), 0) >= 0:
			return nil, hinted("leave it out: --only names those you need", "key %s: the value holds a NUL byte, which no environment can have", names[name])
		}
		env = append(env, name+"="+string(value))
	}
	return env, nil
}

// steering are variables by which the loader, shells, interpreters and tools run code or look elsewhere; a * stands for any ending.
var steering = []string{
	"AGESEAL_*", "LD_*", "DYLD_*", "GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH", "MALLOC_*", "PATH", "HOME", "SHELL", "IFS", "ENV", "BASH_*",
	"BASHOPTS", "SHELLOPTS", "PS4", "PROMPT_COMMAND", "TMPDIR", "XDG_*", "EDITOR", "VISUAL", "PAGER", "LESSOPEN", "BROWSER", "GIT_*", "SSH_*",
	"PYTHON*", "PERL5*", "PERLLIB", "RUBYOPT", "RUBYLIB", "NODE_*", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH",
	"GOFLAGS", "PSQLRC", "KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY",
}

// steers says whether a variable is one of these. Whoever can push can write a value, and a key is easily overlooked in a review.
func steers(name string) bool {
	return slices.ContainsFunc(steering, func(s string) bool {
		if prefix, ok := strings.CutSuffix(s, "*"); ok {
			return strings.HasPrefix(name, prefix)
		}
		return name == s || strings.HasSuffix(s, "_PROXY") && strings.EqualFold(name, s)
	})
}

// isVariable tells a name of an environment variable (POSIX.1-2017, 8.1).
func isVariable(name string) bool {
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// exitError is an error that ends the program with a status of its own.
type exitError struct {
	error
	status int
}

func (e *exitError) Unwrap() error { return e.error }

func notRunStatus(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return statusNotFound
	}
	return statusCannotRun
}
