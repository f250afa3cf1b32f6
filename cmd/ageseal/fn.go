package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/plugin"
)

func newFnCommand(c *cli) *cobra.Command {
	o := &identityFlags{}
	var allowTypes []string
	cmd := &cobra.Command{
		Use:   "fn",
		Short: "Be a KRM function: a generator that stock kustomize runs",
		Long: `Read a ResourceList from standard input, decrypt what its functionConfig stands for, and write the ResourceList
with the native Secrets. The functionConfig is a sealed manifest, or a Decrypter, which lists files:

  apiVersion: ageseal.dev/v1alpha1
  kind: Decrypter
  metadata:
    name: shop
  spec:
    files: [db.yaml, secrets/*.yaml]    # relative to the kustomization, and nothing outside it

Beware: "kustomize build --enable-alpha-plugins" without --enable-exec leaves the Secrets of an exec function out
of its output without a word, and so does "kubectl kustomize" with the first flag. As a plugin ("ageseal fn install") they
are made with --enable-alpha-plugins alone, and a missing program is an error; "ageseal build" needs no flag.

Where results are written back into the directory ("kustomize fn run", "kpt fn render"), and under transformers:, nothing
is decrypted.

Names: kustomize only appends a hash where the sealed manifest has the annotation kustomize.config.k8s.io/needs-hash.
A secretGenerator, and "ageseal build", have another hash for a Secret with a value of more than 51 bytes, where they wrap the
base64 and a function writes one line, and for one without a type, which they make Opaque.` + exitHelp(statusNoIdentity, statusAuthentication),
		Example: `  # as a plugin: the sealed manifest, or a Decrypter, under generators: in kustomization.yaml
  ageseal fn install
  kustomize build --enable-alpha-plugins apps/shop/prod

  # as an exec function: in the manifest under generators:, metadata.annotations:
  #   config.kubernetes.io/function: |
  #     exec: {path: ageseal-fn}      # in PATH, a link to ageseal
  kustomize build --enable-alpha-plugins --enable-exec apps/shop/prod`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := refuseInBuild(); err != nil {
				return err
			}
			tuneCollector(heapPercentTree)
			out, err := plugin.Generate(c.in, c.generator(o, allowTypes))
			return c.passOn(out, err)
		},
	}
	o.add(cmd)
	cmd.Flags().StringArrayVar(&allowTypes, "allow-type", nil, "open Secrets of this credential `type`, too (repeatable)")
	cmd.AddCommand(newFnInstallCommand(c))
	return cmd
}

func (c *cli) generator(o *identityFlags, allowTypes []string) plugin.Options {
	return plugin.Options{
		Dir:        ".", // kustomize starts functions and plugins in the directory of the kustomization
		Opener:     func() (*crypt.Opener, error) { return c.opener(o, ".") },
		AllowTypes: allowTypes,
	}
}

// insideBuild is set for whatever "ageseal build" starts. No AGESEAL_ variable, of which none is left.
const insideBuild = "INSIDE_AGESEAL_BUILD"

// refuseInBuild keeps a build from having kustomize run this program. A kind that hides in an escape passes the build for
// somebody else's, and kustomize, which is to see placeholders only, would get the plaintext of it.
func refuseInBuild() error {
	if os.Getenv(insideBuild) == "" {
		return nil
	}
	return hinted("write apiVersion and kind of what generators: lists without escapes",
		`inside "ageseal build" nothing else decrypts: the build opens what generators: lists itself`)
}

func (c *cli) passOn(out []byte, err error) error {
	if err != nil {
		c.knowNames("kustomization.yaml")
		return err
	}
	_, err = c.out.Write(out)
	return err
}

// runPlugin is what the program does when kustomize calls it by the name of one of our kinds. It takes no flags: the
// arguments behind the file come from fields of the config, argsOneLiner and argsFromFile, which the repository writes.
func (c *cli) runPlugin(name string, args []string) error {
	c.started = true
	c.begin()
	if err := refuseInBuild(); err != nil {
		return err
	}
	if len(args) != 1 {
		return usage("ageseal fn --help", "as %s this program is a plugin of kustomize, which runs it with the path of a config and nothing else", name)
	}
	// A generator gets nothing; a transformer gets all resources, and has to print them again, or they are gone without a word.
	if _, typed := terminal(c.in); !typed {
		if n, _ := io.ReadFull(c.in, make([]byte, 1)); n > 0 {
			return plugin.ErrTransformer
		}
	}
	config, err := readBounded(args[0])
	if err != nil {
		return err
	}
	out, err := plugin.Print(args[0], config, c.generator(&identityFlags{}, nil))
	return c.passOn(out, err)
}

func newFnInstallCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "install [DIR]",
		Short: "Put links to this program where kustomize looks for plugins",
		Long: `Put links to this program (on Windows, copies) where kustomize looks for the plugins of the kinds EncryptedSecret
and Decrypter. Without DIR that is $KUSTOMIZE_PLUGIN_HOME, else the first directory of kustomize's own list that
exists, else kustomize/plugin in $XDG_CONFIG_HOME or ~/.config, which is made. Running it again changes nothing; what
ageseal did not put there is not replaced.

After it, "kustomize build" and "kubectl kustomize" decrypt sealed manifests under generators: with
--enable-alpha-plugins alone, and a program that is missing is an error. kustomize knows that flag as: run what the
plugin directory has for a kind.` + exitHelp(),
		Example: `  ageseal fn install
  ageseal fn install /opt/kustomize && KUSTOMIZE_PLUGIN_HOME=/opt/kustomize kubectl kustomize --enable-alpha-plugins .`,
		Args: argsBetween(0, 1, "at most one directory"),
		RunE: func(_ *cobra.Command, args []string) error { return c.runFnInstall(args) },
	}
}

func (c *cli) runFnInstall(args []string) error {
	home, err := plugin.HomeToMake()
	if len(args) == 1 {
		home, err = filepath.Abs(args[0])
	}
	if err != nil {
		return &hintError{err, "name a directory: ageseal fn install DIR"}
	}
	program, err := ownProgram()
	if err != nil {
		return err
	}
	links, err := plugin.Install(home, program)
	var at *fs.PathError
	if errors.Is(err, plugin.ErrNotOurs) && errors.As(err, &at) {
		return &fileError{at.Path, hinted("look at it, move it away, and run this again", "%w", at.Err)}
	}
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.Changed {
			c.note("%s: runs %s", l.Path, program)
		} else {
			c.note("%s: exists, unchanged", l.Path)
		}
	}
	prefix := ""
	if found, err := plugin.Home(); err != nil || found != home {
		prefix = "KUSTOMIZE_PLUGIN_HOME=" + quoted(home) + " "
	}
	c.note("with sealed manifests, or a Decrypter, under generators:\n  %skustomize build --enable-alpha-plugins DIR\n  %skubectl kustomize --enable-alpha-plugins DIR", prefix, prefix)
	return nil
}

// ownProgram is the path of this program. One that a search in $PATH finds is the better name: package managers move
// what it links to with every version.
func ownProgram() (string, error) {
	own, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("this program does not know where it is: %w", err)
	}
	found, err := exec.LookPath("ageseal")
	if err == nil {
		found, err = filepath.Abs(found)
	}
	if err == nil {
		a, errA := os.Stat(own)
		b, errB := os.Stat(found)
		if errA == nil && errB == nil && os.SameFile(a, b) {
			return found, nil
		}
	}
	return own, nil
}

// isPlugin reports whether the program was called by the name of one of our kinds.
func isPlugin(name string) bool { return slices.Contains(plugin.Kinds, name) }
