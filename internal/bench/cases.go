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
	return command{args: []string{b.library, "decrypt", b.identity, filepath.Join(t.age, "*.age")}}
}

func (b *bench) ageEncrypt(t trees) command {
	return command{args: []string{b.library, "encrypt", b.hybrid, filepath.Join(t.plain, "secret-*.yaml"), t.age}}
}

func (b *bench) sopsDecrypt(t trees) command { return b.sopsLoop(t.sops, "--decrypt") }

// sopsLoop runs sops once for each file, as it has to be.
func (b *bench) sopsLoop(dir, flags string) command {
	return command{args: []string{"/bin/sh", "-ec", `for f in secret-*.yaml; do echo ---; "$0" ` + flags + ` "$f"; done`, b.sops}, dir: dir}
}

func (b *bench) sopsEncryptFlags() string {
	return "--encrypt --encrypted-regex '^stringData$' --age " + b.hybrid
}

// sopsUpdateKeys lets somebody join all files in one process.
func (b *bench) sopsUpdateKeys(t trees, n int) (command, error) {
	dir, config := b.path(fmt.Sprint(n), "updatekeys"), b.path(fmt.Sprint(n), "sops.yaml")
	args := []string{b.sops, "--config", config, "updatekeys", "--yes"}
	for i := range n {
		args = append(args, secretFile(i+1))
	}
	return command{
		args: args, dir: dir,
		prepare: func() error { return errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(t.sops))) },
	}, os.WriteFile(config, []byte("creation_rules:\n- age: "+b.hybrid+","+b.joiner+"\n"), 0o600)
}

// kubesealAll seals the Secrets of one stream.
func (b *bench) kubesealAll(stream string) command {
	return command{args: []string{b.kubeseal, "--cert", filepath.Join(b.sealing, certificateFile), "-o", "yaml", "-f", stream}}
}

// rekey makes a repository whose policy somebody just joined. Each run finds its files as they were before.
func (b *bench) rekey(ctx context.Context, n int) (command, error) {
	repo, before := b.path(fmt.Sprint(n), "rekey"), b.path(fmt.Sprint(n), "rekey-before")
	apps := filepath.Join(repo, "apps")
	if err := writeWorkload(apps, n); err != nil {
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
	slow int // turns with many Secrets, where they take half a minute; 0: as many as others
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
}

const (
	plainBuild     = "`kustomize build` of the plaintext"
	build          = "`build`, all encrypted in one run"
	buildEach      = "`build`, a session key for every document"
	fnBuild        = "`kustomize build` with `fn`"
	catBuild       = "`kustomize build` with `cat` of the plaintext"
	ksopsBuild     = "`kustomize build` with KSOPS"
	ksopsBuildEach = "`kustomize build` with KSOPS for each file"
	decrypt        = "`decrypt`, all encrypted in one run"
	decryptEach    = "`decrypt`, a session key for every document"
	rekey          = "`rekey`, one recipient joins"
	ageDecrypt     = "age library, decrypts"
	sopsDecrypt    = "`sops --decrypt` of each"
	sopsUpdate     = "`sops updatekeys`, one process"
	encrypt        = "`encrypt -w`"
	ageEncrypt     = "age library, encrypts"
	sopsEncrypt    = "`sops --encrypt` of each"
	kubesealAll    = "`kubeseal`, one process"
)

// rounds are the cases of one size.
func (b *bench) rounds(ctx context.Context, n int, t trees) ([]round, error) {
	again := b.path(fmt.Sprint(n), "again")
	encrypting := b.encrypt(again)
	encrypting.prepare = func() error { return errors.Join(os.RemoveAll(again), writeWorkload(again, n)) }
	rekeying, err := b.rekey(ctx, n)
	if err != nil {
		return nil, err
	}
	builds := round{
		programs: []program{
			{plainBuild, b.buildPlain(t), 0}, {build, b.build(t.sealed), 0}, {buildEach, b.build(t.each), 0},
			{fnBuild, b.buildGenerated(t.fn), 0}, {catBuild, b.buildGenerated(t.cat), 0},
		},
		ratios: []ratio{
			{of: build, to: plainBuild, limits: []limit{{1, 1.05}, {10, 0.85}}, memory: 1.10},
			{of: buildEach, to: plainBuild, limits: []limit{{1, 1.10}}},
			{of: catBuild, to: plainBuild},
			{of: fnBuild, to: plainBuild},
		},
	}
	if b.ksops != "" {
		builds.programs = append(builds.programs, program{ksopsBuild, b.buildGenerated(t.sops), 0}, program{ksopsBuildEach, b.buildGenerated(t.ksopsEach), 1})
		builds.ratios = append(builds.ratios, ratio{of: ksopsBuild, to: plainBuild}, ratio{of: ksopsBuildEach, to: plainBuild},
			ratio{of: build, to: ksopsBuild}, ratio{of: fnBuild, to: ksopsBuild})
	}
	decrypts := round{
		programs: []program{{ageDecrypt, b.ageDecrypt(t), 0}, {decrypt, b.decrypt(t.sealed), 0}, {rekey, rekeying, 0}, {decryptEach, b.decrypt(t.each), 0}},
		ratios: []ratio{
			{of: decrypt, to: ageDecrypt, limits: []limit{{1000, 1.5}}},
			{of: decryptEach, to: ageDecrypt, limits: []limit{{1000, 2.5}}},
			{of: rekey, to: decrypt, limits: []limit{{1000, 2}}},
		},
	}
	encrypts := round{
		programs: []program{{ageEncrypt, b.ageEncrypt(t), 0}, {encrypt, encrypting, 0}},
		ratios:   []ratio{{of: encrypt, to: ageEncrypt, limits: []limit{{1000, 1.5}}}},
	}
	if b.sops != "" {
		updating, err := b.sopsUpdateKeys(t, n)
		if err != nil {
			return nil, err
		}
		decrypts.programs = append(decrypts.programs, program{sopsDecrypt, b.sopsDecrypt(t), 2}, program{sopsUpdate, updating, 0})
		decrypts.ratios = append(decrypts.ratios, ratio{of: decryptEach, to: sopsDecrypt}, ratio{of: rekey, to: sopsUpdate})
		encrypts.programs = append(encrypts.programs, program{sopsEncrypt, b.sopsLoop(t.plain, b.sopsEncryptFlags()), 2})
		encrypts.ratios = append(encrypts.ratios, ratio{of: encrypt, to: sopsEncrypt})
	}
	if b.kubeseal != "" {
		encrypts.programs = append(encrypts.programs, program{kubesealAll, b.kubesealAll(t.stream), 0})
		encrypts.ratios = append(encrypts.ratios, ratio{of: encrypt, to: kubesealAll})
	}
	return []round{builds, decrypts, encrypts}, nil
}
