package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/provenance"
	kustomizebuild "sigs.k8s.io/kustomize/kustomize/v5/commands/build"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/kustomize"
)

type buildOptions struct {
	identities     identityFlags
	root           string
	allowRemote    bool
	allowTypes     []string
	namespace      string
	onlyNamespaces []string
	redact         bool
}

// newBuildCommand has every flag of "kustomize build": they are kustomize's own definitions, and only the body is ours.
func newBuildCommand(c *cli) *cobra.Command {
	o := &buildOptions{}
	cmd := kustomizebuild.NewCmdBuild(filesys.MakeFsOnDisk(), &kustomizebuild.Help{
		Use:   "build [DIR|URL]",
		Short: "Build a kustomization, Secrets decrypted",
		Long: `Do what "kustomize build" does, with sealed manifests decrypted into native Secrets, and sealed files where a
secretGenerator lists them. No plugin flags are needed. kustomize itself only sees placeholders: values are put
in at the end, and only into the Secret, key and namespace that they were sealed for. Functions, validators and
charts see placeholders, too, and no identity. On any error there is no output.

With --redact no identity is read or needed, and each sealed value is a placeholder: "redacted-" and a hash of its
ciphertext, as long for every value, in a Secret that schema checks accept. Only what is sealed is left out. The same input
gives the same output, so that a comparison of two commits shows which values were written again. Name hashes are computed
over placeholders and differ from the real ones. Such a Secret carries the annotation ageseal.dev/redacted: "true", and
-o refuses to write it into a git repository. The keys of a sealed dotenv are inside: one key stands for them.` + exitHelp(statusNoIdentity, statusAuthentication),
		Example: `  ageseal build apps/shop/prod | kubectl apply --server-side -f -
  AGESEAL_IDENTITY_FILE=ci.key ageseal build --enable-helm apps/shop/prod
  ageseal build apps/shop/prod -o manifests.yaml    # mode 0600
  ageseal build --redact apps/shop/prod | kubeconform -strict    # no key needed`,
	}, c.out)
	cmd.Args = argsBetween(0, 1, "at most one directory")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := kustomizebuild.Validate(args); err != nil {
			return &usageError{err}
		}
		options := kustomizebuild.HonorKustomizeFlags(krusty.MakeDefaultOptions(), cmd.Flags())
		target := filesys.SelfDir
		if len(args) == 1 {
			target = args[0]
		}
		return c.runBuild(o, target, options, cmd.Flags().Lookup("output").Value.String())
	}
	kustomizebuild.AddFunctionAlphaEnablementFlags(cmd.Flags())
	o.identities.add(cmd)
	flags := cmd.Flags()
	flags.SetOutput(c.err) // what there is to say of a deprecated flag; cobra would print it among the manifests
	flags.Bool("stack-trace", false, "accepted as kustomize has it; errors here have no stack trace")
	flags.BoolVar(&o.redact, "redact", false, "read no identity, and write a placeholder for every sealed value")
	flags.StringVar(&o.root, "root", "", "no path may lead out of this `directory` (default: the git top level, else the target)")
	flags.BoolVar(&o.allowRemote, "allow-remote", false, "open sealed manifests of remote bases, too")
	flags.StringArrayVar(&o.allowTypes, "allow-type", nil, "open Secrets of this credential `type`, too (repeatable)")
	flags.StringVarP(&o.namespace, "namespace", "n", "", "the `namespace` that manifests without one will be applied to")
	flags.StringArrayVar(&o.onlyNamespaces, "only-namespace", nil, "open only what is bound to this `namespace` (repeatable)")
	return cmd
}

func (c *cli) runBuild(o *buildOptions, target string, options *krusty.Options, output string) error {
	tuneCollector(heapPercentTree)
	if slices.Contains(o.onlyNamespaces, "") {
		return usage("ageseal build --help", "--only-namespace is empty: a variable that is not set?")
	}
	if o.redact {
		if err := refuseInRepository(output); err != nil {
			return err
		}
	}
	if err := os.Setenv(insideBuild, "1"); err != nil { // see refuseInBuild
		return err
	}
	info, err := os.Stat(output)
	outputDir := output != "" && err == nil && info.IsDir()
	result, err := kustomize.Build(context.Background(), target, kustomize.Options{
		Kustomize:      options,
		Opener:         func() (*crypt.Opener, error) { return c.buildOpener(o, target) },
		Redact:         o.redact,
		Root:           o.root,
		AllowRemote:    o.allowRemote,
		AllowTypes:     o.allowTypes,
		Namespace:      o.namespace,
		OnlyNamespaces: o.onlyNamespaces,
		OutputDir:      outputDir,
	})
	if err != nil {
		c.knowNames(filepath.Join(target, "kustomization.yaml"))
		return err
	}
	for _, w := range result.Warnings {
		c.warn(w, "")
	}
	if !outputDir {
		return c.writeOutput(output, result.YAML, 0o600)
	}
	if err := writeDirectory(output, result.Files); err != nil {
		return err
	}
	for _, name := range keysOf(result.Files)[:min(1, len(result.Files))] {
		c.warnExposed(filepath.Join(output, name), "plaintext")
	}
	return nil
}

// refuseInRepository keeps redacted manifests out of every git work tree, the build's own among them: committed, they would
// look like the real ones to whatever applies what is in git.
func refuseInRepository(output string) error {
	if output == "" || output == "-" {
		return nil
	}
	dir := output
	if info, err := os.Stat(output); err != nil || !info.IsDir() {
		if real, err := filepath.EvalSymlinks(output); err == nil {
			dir = real
		}
		dir = filepath.Dir(dir)
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if top, ok := topLevel(dir); ok {
		return usage("redacted manifests are for checks and comparisons; write them to a file outside, or to stdout",
			"%s: --redact does not write into the git repository %s", output, top)
	}
	return nil
}

// writeDirectory writes one file for each resource, as "kustomize build -o DIR" does, readable by the owner only.
func writeDirectory(dir string, contents map[string][]byte) error {
	var files []atomicfile.File
	for _, name := range keysOf(contents) {
		path := filepath.Join(dir, name)
		if !filepath.IsLocal(name) || filepath.Base(name) != name {
			return &fileError{dir, fmt.Errorf("%q is no name for a file in it", name)}
		}
		old, err := readExisting(path)
		if err != nil {
			return &fileError{path, err}
		}
		files = append(files, atomicfile.File{Path: path, Data: contents[name], Old: old, Mode: 0o600, Private: true})
	}
	return atomicfile.WriteAll(files)
}

// kustomizeVersion is that of the library that builds; the linker sets it for managedByLabel's sake.
func kustomizeVersion() string { return provenance.GetProvenance().Semver() }
