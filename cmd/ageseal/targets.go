package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/secret"
)

// repository is a git work tree with its policy, or the directory that --policy's globs are relative to.
type repository struct {
	top    string
	policy *policy.Policy
	pins   *policy.Pins // nil if nothing is pinned
	key    string       // the one of keys under which a policy was accepted, else the best
	work   *git.Repo    // whose keys name it in the pins
	nested bool         // it lies inside another repository, whose author may have put it there

	history []*policy.Policy                // accepted before, newest first; read when rekey asks
	rules   map[string][][]*crypt.Recipient // pattern → what its rule resolved to in each of history
}

// recipientFlags are --recipient and --recipients-file.
type recipientFlags struct {
	texts, files []string
	namespace    string
	resolved     []*crypt.Recipient
}

func (r *recipientFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&r.texts, "recipient", "r", nil, "encrypt to this `recipient` instead of the policy's (repeatable)")
	cmd.Flags().StringArrayVarP(&r.files, "recipients-file", "R", nil, "the same for each line of a `file`, \"-\" for standard input (repeatable)")
	_ = cmd.MarkFlagFilename("recipients-file")
}

func (r *recipientFlags) given() bool { return len(r.texts)+len(r.files) > 0 }

// resolve parses the recipients named on the command line, once. Classic ones are taken, with a warning.
func (r *recipientFlags) resolve(c *cli) ([]*crypt.Recipient, error) {
	if r.resolved != nil {
		return r.resolved, nil
	}
	all, err := c.parseRecipients(r.texts, r.files)
	if err != nil {
		return nil, err
	}
	for _, recipient := range all {
		if !recipient.PostQuantum() {
			c.warn("recipient "+recipient.Display()+" is not post-quantum: history is kept for ever", "")
		}
	}
	if len(all) == 0 {
		return nil, &fileError{strings.Join(r.files, ", "), errors.New("no recipient in it")}
	}
	r.resolved, err = c.ready(all)
	return r.resolved, err
}

// recipientsFile reads a file of recipients, or standard input, which then is at its end: nobody else finds something there.
func (c *cli) recipientsFile(path string) (shown, text string, err error) {
	var in io.Reader = c.in
	shown = "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return path, "", err
		}
		defer f.Close()
		in, shown = f, path
	}
	const most = 1 << 20
	data, err := io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && len(data) > most {
		err = errors.New("over 1 MiB, too large for a file of recipients")
	}
	return shown, string(data), err
}

const identityHint = "pass the recipient that belongs to it, age1…"

// parseRecipients reads recipients, and those in files, one a line; "-" is standard input. Comments and empty lines are passed over.
func (c *cli) parseRecipients(texts, files []string) (all []*crypt.Recipient, err error) {
	add := func(where, text string) error {
		recipient, err := crypt.ParseRecipient(text)
		if errors.Is(err, crypt.ErrIsIdentity) {
			err = &hintError{err, identityHint}
		}
		if err != nil {
			return &fileError{where, err}
		}
		all = append(all, recipient)
		return nil
	}
	for i, text := range texts {
		if err := add(fmt.Sprintf("recipient %d", i+1), text); err != nil {
			return nil, err
		}
	}
	for _, path := range files {
		shown, text, err := c.recipientsFile(path)
		if err != nil {
			return nil, &fileError{shown, err}
		}
		n := 0
		for line := range strings.SplitSeq(strings.TrimPrefix(text, "\ufeff"), "\n") {
			n++
			if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
				continue
			}
			if err := add(fmt.Sprintf("%s:%d", shown, n), line); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// target says for whom a file at path is to be encrypted: the rule of its repository's policy, or the flags.
func (c *cli) target(path string, r *recipientFlags) (secret.Target, error) {
	if r.given() {
		to, err := r.resolve(c)
		return secret.Target{Recipients: to, Namespace: r.namespace}, err
	}
	_, rule, err := c.rule(path)
	if err != nil {
		return secret.Target{}, err
	}
	t := secret.Target{Recipients: rule.Recipients, Namespace: rule.Namespace}
	if t.Namespace == "" {
		t.Namespace = r.namespace
	}
	return t, nil
}

// rule finds the rule that governs a file, of a policy that is the one accepted before.
func (c *cli) rule(path string) (*repository, *policy.Rule, error) {
	abs, err := filepath.Abs(path)
	if info, e := os.Lstat(abs); err == nil && e == nil && !info.Mode().IsRegular() {
		abs, err = realPath(abs) // a link
	}
	if err != nil {
		return nil, nil, err
	}
	dir, err := c.directory(filepath.Dir(abs))
	if err != nil {
		return nil, nil, err
	}
	repo := dir.repo
	rel, err := filepath.Rel(repo.top, filepath.Join(dir.real, filepath.Base(abs)))
	if err != nil || strings.HasPrefix(rel, "..") {
		return nil, nil, hinted("", "outside the directory of the policy")
	}
	rule, ok := repo.policy.Match(filepath.ToSlash(rel))
	if !ok {
		return nil, nil, hinted("add a rule to "+policy.FileName+", or name recipients with --recipient",
			"no rule of the policy matches %s", filepath.ToSlash(rel))
	}
	with := *rule
	with.Recipients, err = c.ready(rule.Recipients)
	return repo, &with, err
}

// repository finds the policy for a directory free of links: --policy, else the one at the git top level. The policy is compared with
// the one accepted before, once a run; a policy from --policy was chosen by whoever runs this and is taken as it is.
func (c *cli) repository(dir string) (*repository, error) {
	var err error
	top, inGit := topLevel(dir)
	if !inGit && c.policyFile == "" {
		return nil, hinted(`"ageseal init" in a git repository makes a policy; --recipient does without`, "no policy (not in a git repository) and no recipient")
	}
	if c.policyFile != "" && !inGit {
		top, err = filepath.Abs(filepath.Dir(c.policyFile))
		if err != nil {
			return nil, err
		}
	}
	if repo := c.repos[top]; repo != nil {
		return repo, nil
	}
	repo, err := c.openRepository(top)
	if err != nil {
		return nil, err
	}
	if err := c.checkPin(repo); err != nil {
		return nil, err
	}
	if c.repos == nil {
		c.repos = map[string]*repository{}
	}
	c.repos[top] = repo
	return repo, nil
}

// policyAt is the file of the policy for what is below top.
func (c *cli) policyAt(top string) string {
	if c.policyFile != "" {
		return c.policyFile
	}
	return filepath.Join(top, policy.FileName)
}

// repositoryHere is the repository of the working directory, its policy not compared with the accepted one.
func (c *cli) repositoryHere() (*repository, error) {
	dir, err := realPath(".")
	if err != nil {
		return nil, err
	}
	top, ok := topLevel(dir)
	if !ok {
		if c.policyFile == "" {
			return nil, hinted("run it inside the repository", "not in a git repository")
		}
		if top, err = realPath(filepath.Dir(c.policyFile)); err != nil {
			return nil, err
		}
	}
	return c.openRepository(top)
}

// openRepository reads the policy and finds the repository's pins, without comparing.
func (c *cli) openRepository(top string) (*repository, error) {
	file := c.policyAt(top)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && c.policyFile == "" {
		return nil, hinted(`"ageseal init" makes a policy; --recipient does without`, "no policy (%s) and no recipient", relative(file))
	}
	if err != nil {
		return nil, &fileError{relative(file), err}
	}
	p, err := policy.Parse(data)
	if err != nil {
		return nil, &fileError{relative(file), err}
	}
	if p, err = c.withIdentities(top, p); err != nil {
		return nil, err
	}
	repo := &repository{top: top, policy: p}
	c.known = append(c.known, repo.policy)
	if c.policyFile != "" {
		return repo, nil
	}
	r, err := git.Open(context.Background(), top)
	if err != nil {
		return nil, err
	}
	state, err := stateDir()
	if err != nil {
		return nil, err
	}
	repo.pins = &policy.Pins{Dir: filepath.Join(state, "pins")}
	_, repo.nested = topLevel(filepath.Dir(top))
	repo.work = r
	return repo, repo.findKey()
}

// withIdentities gives the policy of a repository with what the files of its groups' identities hold; one of --policy is by itself.
func (c *cli) withIdentities(top string, p *policy.Policy) (*policy.Policy, error) {
	if c.policyFile != "" {
		return p, nil
	}
	files, err := identityFiles(top, p)
	if err != nil {
		return nil, err
	}
	return p.WithIdentities(files), nil
}

// findKey finds the key under which a policy of the repository was accepted, else the best one. A first commit or
// another remote must not make the policy pass as one that was never seen.
func (r *repository) findKey() error {
	for key, err := range r.work.Keys(context.Background()) {
		if err != nil {
			return err
		}
		history, err := r.pins.History(key)
		if err != nil {
			return err
		}
		if len(history) > 0 {
			r.key = key
			return nil // the next one may take git a walk over all commits
		}
		if r.key == "" {
			r.key = key
		}
	}
	return nil
}

// accept makes the policy the accepted one under every key that the repository has.
func (r *repository) accept() error { return r.remember(r.pins.Accept) }

// narrow does the same for a policy that only takes away, without calling it accepted.
func (r *repository) narrow() error { return r.remember(r.pins.Narrow) }

func (r *repository) remember(under func(key string, p *policy.Policy) error) error {
	for key, err := range r.work.Keys(context.Background()) {
		if err != nil {
			return err
		}
		if history, err := r.pins.History(key); err != nil {
			return err
		} else if len(history) == 0 {
			// What was accepted before the repository had this key comes first.
			for _, p := range slices.Backward(r.accepted()) {
				if err := r.pins.Accept(key, p); err != nil {
					return err
				}
			}
		}
		if err := under(key, r.policy); err != nil {
			return err
		}
	}
	return nil
}

// accepted are the policies accepted before, newest first; for a repository that was never seen, the one it has.
func (r *repository) accepted() []*policy.Policy {
	if history, err := r.pins.History(r.key); err == nil && len(history) > 0 {
		return history
	}
	return []*policy.Policy{r.policy}
}

// sinceAccepted says how the policy differs from the one that was accepted last, as checkPin does not where it followed what only takes
// away; nil if it does not differ, and if none was accepted.
func (r *repository) sinceAccepted() ([]string, error) {
	history, err := r.pins.History(r.key)
	if err != nil || len(history) == 0 {
		return nil, err
	}
	return policy.Diff(history[0], r.policy), nil
}

func (c *cli) checkPin(repo *repository) error {
	if repo.pins == nil {
		return nil
	}
	status, diff, err := repo.pins.Check(repo.key, repo.policy)
	if err != nil {
		return err
	}
	remember := repo.accept
	switch {
	case status == policy.Same:
		return nil
	case status == policy.Narrowed:
		remember = repo.narrow
	case status == policy.FirstUse && repo.nested:
		return &fileError{relative(filepath.Join(repo.top, policy.FileName)),
			hinted("look at it, then accept it: cd "+relative(repo.top)+` && ageseal trust`, "a repository inside another one has a policy of its own")}
	case status == policy.Differs:
		return c.changedPolicy(repo, diff)
	}
	if c.readOnly {
		return nil
	}
	if err := remember(); err != nil {
		return &hintError{err, "the accepted policy can't be remembered; where there is no home directory, pass --policy from a trusted place"}
	}
	return nil
}

func (c *cli) changedPolicy(repo *repository, diff []string) error {
	if cutShort(repo.top) {
		return hinted(`run it again: "ageseal recipients group"`, "a change of a group was cut short, and files are half of it")
	}
	return &fileError{relative(filepath.Join(repo.top, policy.FileName)),
		hinted(`look at it, then accept it: "ageseal trust"`, "the policy changed since you accepted it:\n  %s", strings.Join(diff, "\n  "))}
}

// stateDir is where ageseal remembers what the user accepted (XDG base directory specification; the platform's place
// on macOS and Windows).
func stateDir() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "ageseal"), nil
	}
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		dir, err := os.UserConfigDir()
		return filepath.Join(dir, "ageseal", "state"), err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", hinted("set $HOME or $XDG_STATE_HOME; or pass --policy from a trusted place, which is not remembered",
			"no place to remember the accepted policy: %w", err)
	}
	return filepath.Join(home, ".local", "state", "ageseal"), nil
}

// relative shortens a path for messages where it lies below the working directory, or in the same work tree.
func relative(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(wd, path)
	if err != nil {
		return path
	}
	if !filepath.IsLocal(rel) {
		if top, ok := topLevel(wd); !ok || !isBelow(top, path) {
			return path
		}
	}
	return rel
}

// slashed gives in's path relative to top, with slashes, as git and policies write it.
func slashed(top string, in *input) (string, bool) {
	rel, err := filepath.Rel(top, in.path)
	rel = filepath.ToSlash(rel)
	return rel, err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// knowNames reads the policies above the inputs so that messages can name recipients. It is a courtesy: what can't be
// read is left at that.
func (c *cli) knowNames(paths ...string) {
	seen := map[string]bool{}
	for _, path := range paths {
		abs, err := filepath.Abs(path)
		if err != nil {
			continue
		}
		top, ok := topLevel(filepath.Dir(abs))
		if !ok || seen[top] {
			continue
		}
		seen[top] = true
		if data, err := os.ReadFile(filepath.Join(top, policy.FileName)); err == nil {
			if p, err := policy.Parse(data); err == nil {
				c.known = append(c.known, p)
			}
		}
	}
}
