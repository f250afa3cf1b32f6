package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/identity"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/policy"
)

type initOptions struct {
	identities identityFlags
	name       string
	recovery   string
	noHook     bool
	passphrase bool
}

func newInitCommand(c *cli) *cobra.Command {
	o := &initOptions{}
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Set up a repository: identity, policy, git hooks and drivers",
		Long: `Set up this git repository and this user: an identity if there is none, a policy with it, and what "ageseal git install"
installs: .gitattributes, drivers for merges and diffs, hooks that refuse plaintext Secrets in a commit, a merge and
a patch from a mail. A hook that is there is kept and runs first. Running it again changes nothing. With
"git config ageseal.fix true", the pre-commit hook seals what it finds, and lets the commit through.

With --recovery, a second identity is written to a new file and becomes a recipient of everything: move that
file offline, it opens the repository when every other key is lost.` + exitHelp(),
		Example: `  ageseal init
  ageseal init --recovery /media/usb/recovery.key
  ageseal init --no-hook --name ci`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return c.inRepository(func(r *git.Repo) error { return c.runInit(o, r) })
		},
	}
	o.identities.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.name, "name", "", "your `name` in the policy (default: the login name)")
	flags.StringVar(&o.recovery, "recovery", "", "generate a recovery identity into this new `file`")
	flags.BoolVar(&o.passphrase, "passphrase", false, "protect a new identity with a passphrase")
	flags.BoolVar(&o.noHook, "no-hook", false, "install no hooks")
	return cmd
}

func (c *cli) runInit(o *initOptions, repo *git.Repo) error {
	file := filepath.Join(repo.Top, policy.FileName)
	existing, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	havePolicy := err == nil
	if havePolicy {
		if _, err := policy.Parse(existing); err != nil {
			return &fileError{relative(file), err}
		}
	}
	recipient, err := c.ownRecipient(o)
	if err != nil {
		return err
	}
	if havePolicy {
		c.note("%s: exists, unchanged", relative(file))
		c.sayIfMissing(existing, o, recipient)
		if o.recovery != "" {
			id, err := c.newRecovery(o.recovery, recipient.PostQuantum())
			if err != nil {
				return err
			}
			c.note("  let it into every rule, with --rule for each, then rekey:\n  ageseal recipients add recovery %s", id.Recipient())
		}
	} else if err := c.writePolicy(o, file, recipient); err != nil {
		return err
	}
	if !havePolicy {
		// The user's own policy, written a moment ago: accepted.
		opened, err := c.openRepository(repo.Top)
		if err != nil {
			return err
		}
		if opened.pins != nil {
			if err := opened.accept(); err != nil {
				return err
			}
		}
	}
	return c.installGit(repo, o.noHook)
}

// ownRecipient is that of the user's first identity; one is generated where there is none.
func (c *cli) ownRecipient(o *initOptions) (*crypt.Recipient, error) {
	if _, err := c.opener(&o.identities); err != nil {
		return nil, err
	}
	if len(c.keys.Identities) > 0 {
		r, err := c.keys.Recipient()
		if err != nil {
			return nil, err
		}
		c.note("%s: exists, recipient %s", c.keys.Sources[0], r.Display())
		return r, nil
	}
	path, err := identity.DefaultFile()
	if err != nil {
		return nil, err
	}
	id, err := crypt.GenerateIdentity(true)
	if err != nil {
		return nil, err
	}
	text, err := c.identityText(id, o.passphrase)
	if err != nil {
		return nil, err
	}
	if err := identity.Write(path, text); err != nil {
		return nil, err
	}
	c.note("%s: your identity (private key, post-quantum), recipient %s", path, id.Recipient().Display())
	return id.Recipient(), nil
}

func (c *cli) writePolicy(o *initOptions, file string, own *crypt.Recipient) error {
	name := cmp.Or(o.name, loginName())
	members := []policy.Member{{Name: name, Recipients: []string{own.String()}}}
	if o.recovery != "" {
		id, err := c.newRecovery(o.recovery, own.PostQuantum())
		if err != nil {
			return err
		}
		members = append(members, policy.Recovery(id.Recipient().String()))
	}
	text, err := policy.Fresh(members...)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteAll([]atomicfile.File{{Path: file, Data: text, Mode: 0o644}}); err != nil {
		return err
	}
	c.note("%s: the policy, who can read what: %s", relative(file), name)
	if o.recovery == "" {
		c.note("  one key opens everything; if it is lost, so are the values: \"ageseal init --recovery FILE\" makes a spare one")
	}
	return nil
}

func (c *cli) newRecovery(file string, postQuantum bool) (*crypt.Identity, error) {
	id, err := crypt.GenerateIdentity(postQuantum)
	if err != nil {
		return nil, err
	}
	if err := identity.Write(file, identity.Text(id)); err != nil {
		return nil, err
	}
	c.note("%s: the recovery identity: move it offline, away from this machine", file)
	return id, nil
}

// sayIfMissing tells somebody none of whose keys the policy has how to be let in, with the line to paste. Where --identity names the key, it
// is about that one.
func (c *cli) sayIfMissing(text []byte, o *initOptions, own *crypt.Recipient) {
	p, err := policy.Parse(text)
	if err != nil {
		return
	}
	for _, id := range c.keys.Identities {
		if r := id.Recipient(); r != nil && len(o.identities.files) == 0 && p.NameOf(r.Fingerprint()) != "" {
			return
		}
	}
	if p.NameOf(own.Fingerprint()) == "" {
		c.note("  you are not in it: ask someone who can read to run this, and \"ageseal rekey\":")
		c.note("  ageseal recipients add %s %s", cmp.Or(o.name, loginName()), own)
	}
}

// loginName is the user's name as a name in the policy.
func loginName() string {
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username[strings.LastIndexByte(u.Username, '\\')+1:] // DOMAIN\user on Windows
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-', r == '_':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, name)
	if name == "" {
		return "me"
	}
	return name
}
