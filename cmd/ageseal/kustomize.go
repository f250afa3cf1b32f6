package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"
	kustomizeopenapi "sigs.k8s.io/kustomize/kustomize/v5/commands/openapi"
	kustomizeversion "sigs.k8s.io/kustomize/kustomize/v5/commands/version"
)

// notOurs are the commands of kustomize that are left to it. Its whole tree makes the binary larger than it may be, and
// create, edit and localize alone already bring modules along that nothing else here needs. None of them has to do with
// the values of Secrets. A kustomize that is further along in PATH runs them, with no key in its environment.
var notOurs = []string{"cfg", "create", "edit", "fn", "localize"}

// newKustomizeCommand is kustomize's command line with our build: for the name "kustomize", and below ours. version and
// openapi are kustomize's own: who calls us by its name parses what they print.
//
// The flags of its build are variables of kustomize's package, which this build and "ageseal build" share: one of them
// may be run in a process.
func newKustomizeCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kustomize",
		Short: "Be the program kustomize where a tool runs it",
		Long: `Take the place of the program "kustomize" where a tool runs it by this name: a link of that name to ageseal, or
this command, takes what "kustomize build" and "kustomize version" take. build is "ageseal build", with its own flags and
exit statuses beside kustomize's; version is that of kustomize. Outside a git repository, bases above the target need --root.

cfg, create, edit, fn and localize open no Secret, and are handed to the real kustomize, wherever in PATH it is; without
one they are refused. Argo CD runs edit where an Application overrides images, names or labels.` +
			exitHelp(statusNoIdentity, statusAuthentication),
		Example: `  ln -s "$(command -v ageseal)" /custom-tools/kustomize    # and that path where a tool has kustomize's
  kustomize build --enable-helm apps/shop/prod
  ageseal kustomize version`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	if !c.speaksOf("kustomize") {
		return cmd
	}
	cmd.PersistentFlags().Bool("stack-trace", false, "accepted as kustomize has it; errors here have no stack trace")
	versionOf := kustomizeversion.NewCmdVersion(c.out)
	versionOf.Flags().SetOutput(c.err) // of --short, which is deprecated
	cmd.AddCommand(newBuildCommand(c), versionOf, kustomizeopenapi.NewCmdOpenAPI(c.out))
	for _, name := range notOurs {
		cmd.AddCommand(&cobra.Command{
			Use: name, Hidden: true,
			DisableFlagParsing: true, // whatever comes, --help among it, the answer is the same
			RunE: func(_ *cobra.Command, args []string) error {
				if program := otherKustomize(); program != "" {
					return c.become(program, append([]string{"kustomize", name}, args...), append(os.Environ(), insideKustomize+"=1"))
				}
				return usage(fmt.Sprintf("with kustomize itself, which Go can run: go run sigs.k8s.io/kustomize/kustomize/v5@%s %s", kustomizeVersion(), name),
					"ageseal has no \"kustomize %s\"", name)
			},
		})
	}
	return cmd
}

// insideKustomize ends the circle of two of ours that each take the other for the real one.
const insideKustomize = "INSIDE_AGESEAL_KUSTOMIZE"

// otherKustomize finds the first program named kustomize in PATH that is not this one, "" if there is none.
func otherKustomize() string {
	own, err := os.Executable()
	if err != nil || os.Getenv(insideKustomize) != "" {
		return ""
	}
	self, err := os.Stat(own)
	if err != nil {
		return ""
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if !filepath.IsAbs(dir) {
			continue // the program would be one of whoever wrote the working directory
		}
		program, err := exec.LookPath(filepath.Join(dir, "kustomize"))
		if err != nil {
			continue
		}
		if info, err := os.Stat(program); err == nil && !os.SameFile(self, info) {
			return program
		}
	}
	return ""
}
