package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func (b *bench) build(dir string) command {
	return command{args: []string{b.ageseal, "build", "-i", b.identity, dir}}
}

func (b *bench) buildPlain(t trees) command {
	return command{args: []string{b.kustomize, "build", t.plain}}
}

// buildGenerated has stock kustomize run the exec function that is the generator of a tree.
func (b *bench) buildGenerated(dir string) command {
	return command{args: []string{b.kustomize, "build", "--enable-alpha-plugins", "--enable-exec", dir}}
}

func (b *bench) decrypt(dir string) command {
	return command{args: []string{b.ageseal, "decrypt", "-q", "-i", b.identity, dir}}
}

func (b *bench) encrypt(path string) command {
	return command{args: []string{b.ageseal, "encrypt", "-q", "-w", "-r", b.hybrid, path}}
}

func (b *bench) ageDecrypt(t trees) command {
	return command{args: []string{b.self, baselineMode, "decrypt", b.identity, filepath.Join(t.age, "*.age")}}
}

func (b *bench) ageEncrypt(t trees) command {
	return command{args: []string{b.self, baselineMode, "encrypt", b.hybrid, filepath.Join(t.plain, "secret-*.yaml"), t.age}}
}

func (b *bench) sopsDecrypt(t trees) command { return b.sopsLoop(t, "--decrypt") }

// sopsLoop runs sops once for each file, as it has to be.
func (b *bench) sopsLoop(t trees, flags string) command {
	return command{args: []string{"/bin/sh", "-ec", `for f in secret-*.yaml; do echo ---; "$0" ` + flags + ` "$f"; done`, b.sops}, dir: t.sops}
}

// rekey makes a repository whose policy somebody just joined. Each run finds its files as they were before.
func (b *bench) rekey(ctx context.Context, n int) (command, error) {
	repo, before := b.path(fmt.Sprint(n), "rekey"), b.path(fmt.Sprint(n), "rekey-before")
	apps := filepath.Join(repo, "apps")
	if err := writeWorkload(apps, n, ""); err != nil {
		return command{}, err
	}
	policy := func(recipients, members string) error {
		text := fmt.Sprintf("apiVersion: ageseal.dev/v1alpha1\nkind: Policy\nrecipients:\n%srules:\n- path: \"**\"\n  recipients: [%s]\n", recipients, members)
		return os.WriteFile(filepath.Join(repo, ".ageseal.yaml"), []byte(text), 0o600)
	}
	for _, step := range []struct {
		recipients, members string
		commands            [][]string
	}{
		{"  alice: " + b.hybrid + "\n", "alice", [][]string{{"git", "init", "-q"}, {b.ageseal, "trust", "--yes"}, {b.ageseal, "encrypt", "-q", "-w", apps}}},
		{"  alice: " + b.hybrid + "\n  bob: " + b.joiner + "\n", "alice, bob", [][]string{{b.ageseal, "trust", "--yes"}}},
	} {
		if err := policy(step.recipients, step.members); err != nil {
			return command{}, err
		}
		for _, args := range step.commands {
			if _, err := b.output(ctx, command{args: args, dir: repo}); err != nil {
				return command{}, err
			}
		}
	}
	if err := os.CopyFS(before, os.DirFS(apps)); err != nil {
		return command{}, err
	}
	return command{
		args: []string{b.ageseal, "rekey", "-q", "-i", b.identity}, dir: repo,
		prepare: func() error { return errors.Join(os.RemoveAll(apps), os.CopyFS(apps, os.DirFS(before))) },
	}, nil
}

// program is a command under the name that the tables give it.
type program struct {
	name string
	command
}

// ratio is a case: two programs of one round, the CPU time of one to that of the other.
type ratio struct {
	of, to string
	limits []limit // by the number of Secrets, rising; none: only to be seen
	memory float64 // what the ratio of the peak memory must not be over with the most Secrets; 0 for anything
}

// limit is the target that the project set itself for so many Secrets and more.
type limit struct {
	from int
	most float64
}

// round is programs that are run turn by turn, so that what else the machine does falls on all, and what they are compared by.
type round struct {
	programs []program
	ratios   []ratio
	long     bool // with many Secrets, a turn takes half a minute
}

const (
	plainBuild  = "`kustomize build` of the plaintext"
	build       = "`build`, all encrypted in one run"
	buildEach   = "`build`, a session key for every document"
	fnBuild     = "`kustomize build` with `fn`"
	ksopsBuild  = "`kustomize build` with KSOPS"
	decrypt     = "`decrypt`, all encrypted in one run"
	decryptEach = "`decrypt`, a session key for every document"
	rekey       = "`rekey`, one recipient joins"
	ageDecrypt  = "age library, decrypts"
	sopsDecrypt = "`sops --decrypt` of each"
	encrypt     = "`encrypt -w`"
	ageEncrypt  = "age library, encrypts"
)

// rounds are the cases of one size.
func (b *bench) rounds(ctx context.Context, n int, t trees) ([]round, error) {
	again := b.path(fmt.Sprint(n), "again")
	encrypting := b.encrypt(again)
	encrypting.prepare = func() error { return errors.Join(os.RemoveAll(again), writeWorkload(again, n, "")) }
	rekeying, err := b.rekey(ctx, n)
	if err != nil {
		return nil, err
	}
	builds := round{
		programs: []program{{plainBuild, b.buildPlain(t)}, {build, b.build(t.sealed)}, {buildEach, b.build(t.each)}, {fnBuild, b.buildGenerated(t.fn)}},
		ratios: []ratio{
			{of: build, to: plainBuild, limits: []limit{{1, 1.05}, {10, 0.85}}, memory: 1.10},
			{of: buildEach, to: plainBuild, limits: []limit{{1, 1.10}}},
			{of: fnBuild, to: plainBuild},
		},
	}
	if b.ksops != "" {
		builds.programs = append(builds.programs, program{ksopsBuild, b.buildGenerated(t.sops)})
		builds.ratios = append(builds.ratios, ratio{of: ksopsBuild, to: plainBuild}, ratio{of: build, to: ksopsBuild}, ratio{of: fnBuild, to: ksopsBuild})
	}
	decrypts := round{
		programs: []program{{ageDecrypt, b.ageDecrypt(t)}, {decrypt, b.decrypt(t.sealed)}, {rekey, rekeying}, {decryptEach, b.decrypt(t.each)}},
		ratios: []ratio{
			{of: decrypt, to: ageDecrypt, limits: []limit{{100, 1.5}}},
			{of: decryptEach, to: ageDecrypt, limits: []limit{{100, 2.5}}},
			{of: rekey, to: decrypt, limits: []limit{{1000, 2}}},
		},
	}
	encrypts := round{
		programs: []program{{ageEncrypt, b.ageEncrypt(t)}, {encrypt, encrypting}},
		ratios:   []ratio{{of: encrypt, to: ageEncrypt, limits: []limit{{100, 1.5}}}},
	}
	rounds := []round{builds, decrypts, encrypts}
	if b.sops != "" {
		rounds = append(rounds, round{
			programs: []program{{decryptEach, b.decrypt(t.each)}, {sopsDecrypt, b.sopsDecrypt(t)}},
			ratios:   []ratio{{of: decryptEach, to: sopsDecrypt}},
			long:     true,
		})
	}
	return rounds, nil
}

// startUp is the case that no number of Secrets changes.
func (b *bench) startUp() round {
	return round{
		programs: []program{
			{"`version`", command{args: []string{b.ageseal, "version"}, repeat: 10}},
			{"`kustomize version`", command{args: []string{b.kustomize, "version"}, repeat: 10}},
		},
		ratios: []ratio{{of: "`version`", to: "`kustomize version`", limits: []limit{{1, 0.65}}}},
	}
}
