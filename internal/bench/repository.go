package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A large repository: most of its files have nothing to do with Secrets.
const (
	repositoryFiles  = 10_000
	repositorySealed = 500
	sealedPerFolder  = 50
)

const (
	verifyStaged = "`verify --staged`, one changed file"
	gitAlone     = "git's part of that"
	verifyAll    = "`verify` of all files"
	readAll      = "`cat` of all files"
)

// gitPart is what git has to be asked by anybody who looks at what is staged: where, which files, what is in them.
const gitPart = `git rev-parse --show-toplevel --git-dir
git diff-index --cached --raw -z --no-renames HEAD -- | tr '\0' '\n' | sed -n 's/^:[0-9]* [0-9]* [0-9a-f]* \([0-9a-f]*\) .*/\1/p' | git cat-file --batch`

// repository makes one, with a value of one file changed and staged, and checks that plaintext would be found in it.
func (b *bench) repository(ctx context.Context) (round, error) {
	top := b.path("repository")
	for i := range repositorySealed / sealedPerFolder {
		if err := writeWorkload(filepath.Join(top, "apps", fmt.Sprint(i)), sealedPerFolder); err != nil {
			return round{}, err
		}
	}
	written := repositorySealed + repositorySealed/sealedPerFolder*(sealedPerFolder/perDeployment+1)
	for i := written; i < repositoryFiles; i++ {
		dir := filepath.Join(top, "web", fmt.Sprint(i/100))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return round{}, err
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.yaml", i)), []byte(deploymentYAML(i, 1, 1)), 0o600); err != nil {
			return round{}, err
		}
	}
	policy := "apiVersion: ageseal.dev/v1alpha1\nkind: Policy\nrecipients: {alice: " + b.hybrid + "}\nrules: [{path: \"**\", recipients: [alice]}]\n"
	if err := os.WriteFile(filepath.Join(top, ".ageseal.yaml"), []byte(policy), 0o600); err != nil {
		return round{}, err
	}
	git := func(args ...string) command { return b.git(top, args...) }
	own := func(args ...string) command { return command{args: append([]string{b.ageseal}, args...), dir: top} }
	changed := filepath.Join(top, "apps", "0", secretFile(1))
	set := own("set", "-q", changed, valueKeys[0])
	set.stdin = "another value"
	for _, c := range []command{git("init", "-q"), own("trust", "--yes"), own("encrypt", "-q", "-w", "apps"), git("add", "."), git("commit", "-q", "-m", "first"), set, git("add", ".")} {
		if _, err := b.output(ctx, c); err != nil {
			return round{}, err
		}
	}
	if err := b.checkFinds(ctx, top, git, own); err != nil {
		return round{}, err
	}
	return round{programs: []program{
		{verifyStaged, own("verify", "--staged"), 0},
		{gitAlone, command{args: []string{"/bin/sh", "-ec", gitPart}, dir: top}, 0},
		{verifyAll, own("verify"), 0},
		{readAll, command{args: []string{"/bin/sh", "-ec", "find . -name .git -prune -o -type f -print0 | xargs -0 cat"}, dir: top}, 0},
	}}, nil
}

// checkFinds has verify find one Secret in plaintext among all, and the private key in it, in the index and in the work tree, and nothing else.
func (b *bench) checkFinds(ctx context.Context, top string, git, own func(...string) command) error {
	for _, c := range []command{own("verify", "--staged"), own("verify")} {
		if out, err := b.output(ctx, c); err != nil || len(out) > 0 {
			return fmt.Errorf("verify finds what is not there: %w: %s", err, out)
		}
	}
	name := filepath.Join(top, "web", "plain.yaml")
	if err := os.WriteFile(name, []byte(secretYAML(1)), 0o600); err != nil {
		return err
	}
	if _, err := b.output(ctx, git("add", name)); err != nil {
		return err
	}
	for _, c := range []command{own("verify", "--staged"), own("verify")} {
		out, err := b.output(ctx, c)
		found := string(out)
		if err == nil || strings.Count(found, "\n") != 2 || !strings.Contains(found, "web/plain.yaml:1: plaintext-secret: ") || !strings.Contains(found, "web/plain.yaml:16: private-key: ") {
			return fmt.Errorf("verify does not find the one Secret in plaintext: %w: %s", err, out)
		}
	}
	_, err := b.output(ctx, git("rm", "-q", "-f", name))
	return err
}

// repositoryFigures are what looking at a large repository costs.
func repositoryFigures(m measured) []figure {
	staged, alone := values(m[verifyStaged], cpu), values(m[gitAlone], cpu)
	beyond := make([]float64, len(staged))
	for i := range staged {
		beyond[i] = staged[i] - alone[i]
	}
	const most = 20 * time.Millisecond
	all := m.ratio(ratio{of: verifyAll, to: readAll}, cpu)
	return []figure{
		{fmt.Sprintf("%s of %d, CPU time beyond git's", verifyStaged, repositoryFiles), fmt.Sprintf("%s: %s, git %s", millis(median(beyond)), millis(median(staged)), millis(median(alone))),
			fmt.Sprintf("≤ %d ms", most.Milliseconds()), median(beyond) <= float64(most)},
		{fmt.Sprintf("%s, %d / %s", verifyAll, repositoryFiles, readAll), fmt.Sprintf("%s: %s", all, millis(m.median(verifyAll, cpu))), "", true},
	}
}
