package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/ageseal/ageseal/identity"
	"github.com/ageseal/ageseal/internal/memdir"
	"github.com/ageseal/ageseal/policy"
)

// cli is what every command shares: the streams, the global flags, and what messages need to know of this run.
type cli struct {
	in       io.Reader
	out, err io.Writer

	quiet      bool
	readOnly   bool // --dry-run: nothing is remembered either
	policyFile string

	words       []string             // of the command line, the name of the program first; nil: any
	pluginNames []string             // --plugin
	plugins     *identity.Plugins    // nil before they are needed
	environment identity.Environment // taken at the start, so that no child inherits a key

	begin   func()           // see run
	started bool             // the command line was understood
	keys    *identity.Set    // the identities that were loaded, nil before
	known   []*policy.Policy // policies that give recipients their names
	repos   map[string]*repository
	dirs    map[string]directory // that files of this run are in
	tops    map[string]string    // of directories, see topOf
	groups  groupIdentities
}

const (
	groupStart = "start"
	groupWrite = "write"
	groupRead  = "read"
	groupBuild = "build"
	groupKeys  = "keys"
	groupGit   = "git"
	groupOther = "other"
)

func newRootCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ageseal",
		Short: "Encrypted Kubernetes Secrets in git, decrypted at build time",
		Long: `ageseal encrypts the values of Kubernetes Secrets with age, so that they can be committed,
and decrypts them when manifests are built. Names and keys stay readable, values don't.`,
		Example: `  ageseal init                               # identity, policy, git hook
  ageseal encrypt -w apps/shop/prod          # seal every Secret below a directory
  ageseal build apps/shop/prod | kubectl apply --server-side -f -`,
		Version: version,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.rootOf(cmd)

	for _, g := range []cobra.Group{
		{ID: groupStart, Title: "Start:"}, {ID: groupWrite, Title: "Write:"}, {ID: groupRead, Title: "Read:"},
		{ID: groupBuild, Title: "Build:"}, {ID: groupKeys, Title: "Keys:"}, {ID: groupGit, Title: "Git:"},
		{ID: groupOther, Title: "Other:"},
	} {
		cmd.AddGroup(&g)
	}
	asked := slices.DeleteFunc(slices.Clone(subcommands), func(s subcommand) bool { return !slices.ContainsFunc(strings.Fields(s.names), c.speaksOf) })
	if len(asked) == 0 || slices.ContainsFunc([]string{"help", "completion", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}, c.speaksOf) {
		asked = subcommands
	}
	cmd.CompletionOptions.DisableDefaultCmd = len(asked) < len(subcommands)
	for _, s := range asked {
		sub := s.make(c)
		sub.GroupID = s.group
		cmd.AddCommand(sub)
	}
	cmd.SetHelpCommandGroupID(groupOther)
	cmd.SetCompletionCommandGroupID(groupOther)
	return cmd
}

type subcommand struct {
	group, names string
	make         func(*cli) *cobra.Command
}

// subcommands are made only as far as the command line speaks of them, by one of their names; all of them for help, completion, and a
// command line without a command. To make them all, with the pages of the binary that it takes, is a fifth of what a short run costs.
var subcommands = []subcommand{
	{groupStart, "init", newInitCommand},
	{groupStart, "keygen", newKeygenCommand},
	{groupWrite, "create", newCreateCommand},
	{groupWrite, "encrypt seal", newEncryptCommand},
	{groupWrite, "set", newSetCommand},
	{groupWrite, "unset", newUnsetCommand},
	{groupWrite, "edit", newEditCommand},
	{groupWrite, "mv", newMvCommand},
	{groupRead, "decrypt unseal", newDecryptCommand},
	{groupRead, "exec", newExecCommand},
	{groupRead, "get", newGetCommand},
	{groupRead, "describe", newDescribeCommand},
	{groupBuild, "build", newBuildCommand},
	{groupBuild, "fn", newFnCommand},
	{groupBuild, "kustomize", newKustomizeCommand},
	{groupKeys, "recipients", newRecipientsCommand},
	{groupKeys, "policy", newPolicyCommand},
	{groupKeys, "rekey", newRekeyCommand},
	{groupKeys, "rotation", newRotationCommand},
	{groupKeys, "trust", newTrustCommand},
	{groupGit, "verify", newVerifyCommand},
	{groupGit, "git", newGitCommand},
	{groupOther, "doctor", newDoctorCommand},
	{groupOther, "version", newVersionCommand},
}

// speaksOf says whether the command line has a word.
func (c *cli) speaksOf(word string) bool { return c.words == nil || slices.Contains(c.words, word) }

// rootOf makes cmd the top of a command line of ours: streams, global flags, and who prints errors.
func (c *cli) rootOf(cmd *cobra.Command) {
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.PersistentPreRun = func(cmd *cobra.Command, _ []string) {
		c.started = true
		if cmd.Name() != "version" {
			c.begin()
		}
		memdir.RemoveLeftovers()
	}
	cmd.SetIn(c.in)
	cmd.SetOut(c.out)
	cmd.SetErr(c.err)
	cmd.SetFlagErrorFunc(flagFault)
	flags := cmd.PersistentFlags()
	flags.BoolVarP(&c.quiet, "quiet", "q", false, "print errors and warnings only")
	flags.StringVar(&c.policyFile, "policy", "", "use this policy `file`, without comparing it with the one accepted before")
	_ = cmd.MarkPersistentFlagFilename("policy", "yaml", "yml")
	flags.StringArrayVar(&c.pluginNames, "plugin", nil, "let age-plugin-`NAME` run, for keys that need it (repeatable)")
	_ = cmd.RegisterFlagCompletionFunc("plugin", cobra.NoFileCompletions)
}

// exitHelp ends the help of every command: the statuses it can end with.
func exitHelp(statuses ...int) string {
	text := "\n\nExit status: 0 done, 1 error, 2 usage"
	for _, s := range statuses {
		switch s {
		case statusFindings:
			text += ", 3 findings or something left undone"
		case statusNoIdentity:
			text += ", 4 no identity matches"
		case statusAuthentication:
			text += ", 5 sealed data was altered, moved or is malformed"
		}
	}
	return text + ", 130 interrupted."
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		cmd.SuggestionsMinimumDistance = 2 // letters; cobra's own default is set elsewhere
		if meant := cmd.SuggestionsFor(args[0]); len(meant) > 0 {
			return hinted(cmd.CommandPath()+" "+meant[0]+" --help", "unknown command or argument %q; did you mean %s?", args[0], meant[0])
		}
		return hinted(cmd.CommandPath()+" --help", "unknown command or argument %q", args[0])
	}
	return nil
}

func argsBetween(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return hinted(cmd.CommandPath()+" --help", "expected %s", what)
		}
		return nil
	}
}

// usage is a fault in the command line that only the command itself can see.
func usage(hint, format string, args ...any) error {
	return &usageError{hinted(hint, format, args...)}
}

// terminal gives the file behind a stream that is a terminal.
func terminal(stream any) (*os.File, bool) {
	f, ok := stream.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

func newVersionCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Print the version of ageseal and of the kustomize that it builds with." + exitHelp(),
		Example: "  ageseal version",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(c.out, "ageseal %s (suite 1, kustomize %s)\n", version, kustomizeVersion())
			return err
		},
	}
}

// flagFault leaves out what was given to a flag: on these command lines it may be a value.
func flagFault(cmd *cobra.Command, err error) error {
	hint := cmd.CommandPath() + " --help"
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		switch name := unknown.GetSpecifiedName(); {
		case unknown.GetSpecifiedShortnames() != "":
			return hinted(hint, "unknown flag -%s", name[:1])
		case strings.Trim(name, "-abcdefghijklmnopqrstuvwxyz") == "":
			return hinted(hint, "unknown flag --%s", name)
		}
		return hinted(hint, "unknown flag")
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return hinted(hint, "--%s does not take what was given to it", invalid.GetFlag().Name)
	}
	if _, ok := errors.AsType[*pflag.InvalidSyntaxError](err); ok {
		return hinted(hint, "a malformed flag")
	}
	return hinted(hint, "%w", err)
}
