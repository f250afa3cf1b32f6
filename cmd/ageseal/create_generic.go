package main

import (
	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/values"
)

func newCreateGenericCommand(c *cli) *cobra.Command {
	o := &createOptions{}
	var literals, files, envFiles []string
	cmd := &cobra.Command{
		Use:   "generic NAME",
		Short: "Create a sealed Secret from files, env files, literals, prompts or chance",
		Long: `Create a sealed Secret of any type. Flags mean what they mean to "kubectl create secret generic": --from-file
and --from-env-file are split at commas, --from-literal is not, quotes in literals and env files are part of the
value, a bare KEY in an env file has its value from the environment. Of a directory every regular file right in
it is taken. "-" as a path is standard input, where it has a key: --from-file key=-`,
		Example: `  ageseal create secret generic db -n prod --prompt password --from-literal=user=app --file apps/shop/prod/db.yaml
  ageseal create secret generic app -n prod --from-env-file prod.env --file apps/shop/prod/env.yaml
  ageseal create secret generic session -n prod --generate key=64:base64url --file apps/shop/prod/session.yaml
  openssl rand 32 | ageseal create secret generic raw -n prod --from-file key=- --file apps/shop/prod/raw.yaml`,
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&files, "from-file", nil,
		"add a file under its name or a key, or the files of a directory: `[key=]path`, \"-\" for standard input (repeatable)")
	flags.StringArrayVar(&literals, "from-literal", nil, "add a value, `key=value`, visible to other processes (repeatable)")
	flags.StringSliceVar(&envFiles, "from-env-file", nil, "add the KEY=VALUE lines of a `file` (repeatable)")
	flags.StringVar(&o.kind, "type", "", "the `type` of the Secret")
	_ = cmd.MarkFlagFilename("from-env-file")
	_ = cmd.RegisterFlagCompletionFunc("from-literal", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("type", cobra.FixedCompletions([]string{"Opaque", "kubernetes.io/tls",
		"kubernetes.io/dockerconfigjson", "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth"}, cobra.ShellCompDirectiveNoFileComp))

	return createCommand(c, o, cmd, func(v *values.Values) error {
		if len(envFiles) > 0 && len(files)+len(literals) > 0 {
			return usage(o.help, "--from-env-file can't be combined with --from-file or --from-literal")
		}
		if len(literals) > 0 {
			o.insteadOfArgv = "pipe it in with --from-stdin KEY, or be asked with --prompt KEY"
		}
		for i, text := range literals {
			if err := v.AddLiteral(text); err != nil {
				return onCommandLine(numbered("--from-literal", i, len(literals)), err)
			}
		}
		for _, path := range files {
			if err := v.AddFile(path); err != nil {
				return err
			}
		}
		for _, path := range envFiles {
			if err := v.AddEnvFile(path); err != nil {
				return err
			}
		}
		return nil
	})
}
