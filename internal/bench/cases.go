package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"filippo.io/age"
)

// bench is what all cases share.
type bench struct {
	options
	self     string // this program: the age library's side
	root     string // everything made, removed at the end
	env      []string
	identity string // file of a hybrid identity
	hybrid   string // its recipient
	classic  string // an X25519 recipient
	joiner   string // a second hybrid recipient
}

func newBench(o *options) (*bench, error) {
	b := &bench{options: *o}
	var err error
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	for _, p := range []*string{&b.ageseal, &b.kustomize} {
		if *p, err = filepath.Abs(*p); err != nil {
			return nil, err
		}
		if _, err := os.Stat(*p); err != nil {
			return nil, fmt.Errorf("%w: \"make bench\" builds and installs it", err)
		}
	}
	if b.root, err = scratch(o.dir); err != nil {
		return nil, err
	}
	home := filepath.Join(b.root, "home")
	b.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + b.root,
		"XDG_CONFIG_HOME=" + filepath.Join(home, "config"), "XDG_STATE_HOME=" + filepath.Join(home, "state"),
	}
	if err := errors.Join(os.Mkdir(home, 0o700), b.makeKeys()); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) close() error { return os.RemoveAll(b.root) }

func (b *bench) path(parts ...string) string {
	return filepath.Join(append([]string{b.root}, parts...)...)
}

func (b *bench) makeKeys() error {
	mine, err := age.GenerateHybridIdentity()
	if err != nil {
		return err
	}
	other, err := age.GenerateHybridIdentity()
	if err != nil {
		return err
	}
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	b.identity, b.hybrid, b.joiner = b.path("identity"), mine.Recipient().String(), other.Recipient().String()
	b.classic = classic.Recipient().String()
	return os.WriteFile(b.identity, []byte(mine.String()+"\n"), 0o600)
}

// trees of one size: the plaintext, the same sealed in one run, the same with a run for each file, and the age library's files.
type trees struct{ plain, sealed, each, age string }

// makeTrees writes and encrypts the workload, and compares what comes out again with what went in.
func (b *bench) makeTrees(ctx context.Context, n int) (trees, error) {
	base := b.path(fmt.Sprint(n))
	t := trees{filepath.Join(base, "plain"), filepath.Join(base, "sealed"), filepath.Join(base, "each"), filepath.Join(base, "age")}
	if err := os.MkdirAll(t.age, 0o700); err != nil {
		return t, err
	}
	for _, dir := range []string{t.plain, t.sealed, t.each} {
		if err := writeWorkload(dir, n); err != nil {
			return t, err
		}
	}
	if _, err := b.output(ctx, b.encrypt(t.sealed)); err != nil {
		return t, err
	}
	for i := 1; i <= n; i++ {
		if _, err := b.output(ctx, b.encrypt(filepath.Join(t.each, secretFile(i)))); err != nil {
			return t, err
		}
	}
	if _, err := b.output(ctx, b.ageEncrypt(t)); err != nil {
		return t, err
	}
	want, err := b.output(ctx, b.buildPlain(t))
	if err != nil {
		return t, err
	}
	for _, dir := range []string{t.sealed, t.each} {
		got, err := b.output(ctx, b.build(dir))
		if err != nil {
			return t, err
		}
		if err := sameObjects(want, got); err != nil {
			return t, fmt.Errorf("ageseal build of %s: %w", filepath.Base(dir), err)
		}
		opened, err := b.output(ctx, b.decrypt(dir))
		if err != nil {
			return t, err
		}
		if err := sameObjects(secretsOf(want), opened); err != nil {
			return t, fmt.Errorf("ageseal decrypt of %s: %w", filepath.Base(dir), err)
		}
	}
	return t, nil
}

func (b *bench) build(dir string) command {
	return command{args: []string{b.ageseal, "build", "-i", b.identity, dir}}
}

func (b *bench) buildPlain(t trees) command {
	return command{args: []string{b.kustomize, "build", t.plain}}
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

// duels are the timed cases of one size, with the targets the project set itself.
func (b *bench) duels(ctx context.Context, n int, t trees) ([]duel, error) {
	again := b.path(fmt.Sprint(n), "again")
	encrypt := b.encrypt(again)
	encrypt.prepare = func() error { return errors.Join(os.RemoveAll(again), writeWorkload(again, n)) }
	build := 0.85
	if n < 10 {
		build = 1.05
	}
	memory := 0.0
	if n >= 1000 {
		memory = 1.10
	}
	rekey, err := b.rekey(ctx, n)
	if err != nil {
		return nil, err
	}
	return []duel{
		{name: "`build`, all encrypted in one run / `kustomize build` of the plaintext", ours: b.build(t.sealed), theirs: b.buildPlain(t), limit: build, memory: memory},
		{name: "`build`, a session key for every document / the same", ours: b.build(t.each), theirs: b.buildPlain(t), limit: 1.10},
		{name: "`decrypt`, all encrypted in one run / age library", ours: b.decrypt(t.sealed), theirs: b.ageDecrypt(t), limit: 1.5},
		{name: "`decrypt`, a session key for every document / age library", ours: b.decrypt(t.each), theirs: b.ageDecrypt(t), limit: 2.5},
		{name: "`encrypt -w` / age library", ours: encrypt, theirs: b.ageEncrypt(t), limit: 1.5},
		{name: "`rekey`, one recipient joins / `decrypt` of the same", ours: rekey, theirs: b.decrypt(t.sealed), limit: 2},
	}, nil
}

// startUp is the case that no number of Secrets changes.
func (b *bench) startUp() duel {
	return duel{
		name: "start-up: `version` / `kustomize version`", limit: 0.65,
		ours:   command{args: []string{b.ageseal, "version"}, repeat: 10},
		theirs: command{args: []string{b.kustomize, "version"}, repeat: 10},
	}
}

// figure is something counted once.
type figure struct {
	name, value, target string
	met                 bool
}

// figures are the sizes: of the binary, of a sealed Secret, of a change.
func (b *bench) figures(ctx context.Context) ([]figure, error) {
	info, err := os.Stat(b.ageseal)
	if err != nil {
		return nil, err
	}
	mib := float64(info.Size()) / (1 << 20)
	out := []figure{{"binary, stripped, without cgo", fmt.Sprintf("%.1f MiB", mib), "≤ 14 MiB", mib <= 14}}
	plain := []byte(secretYAML(1))
	for _, kind := range []struct {
		name, recipient string
		limit           float64
	}{{"X25519", b.classic, 1.8}, {"hybrid", b.hybrid, 2.6}} {
		name := b.path("size.yaml")
		if err := os.WriteFile(name, plain, 0o600); err != nil {
			return nil, err
		}
		if _, err := b.output(ctx, command{args: []string{b.ageseal, "encrypt", "-q", "-w", "-r", kind.recipient, name}}); err != nil {
			return nil, err
		}
		sealed, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		ratio := float64(len(sealed)) / float64(len(plain))
		out = append(out, figure{
			fmt.Sprintf("one sealed Secret, one %s recipient / its %d plain bytes", kind.name, len(plain)),
			fmt.Sprintf("%.2f", ratio), fmt.Sprintf("≤ %.1f", kind.limit), ratio <= kind.limit,
		})
	}
	change, err := b.linesOfChange(ctx)
	return append(out, change), err
}

// linesOfChange sets one value of a sealed Secret and counts what a diff shows: the value's box and reference replaced, one wrap new.
func (b *bench) linesOfChange(ctx context.Context) (figure, error) {
	name := b.path("size.yaml")
	before, err := os.ReadFile(name)
	if err != nil {
		return figure{}, err
	}
	set := command{args: []string{b.ageseal, "set", "-q", "-r", b.hybrid, name, valueKeys[0]}, stdin: "another value"}
	if _, err := b.output(ctx, set); err != nil {
		return figure{}, err
	}
	after, err := os.ReadFile(name)
	if err != nil {
		return figure{}, err
	}
	gone, added := linesOnlyIn(before, after), linesOnlyIn(after, before)
	return figure{"lines changed by one value changed: gone + new", fmt.Sprintf("%d + %d", gone, added), "2 + 6", gone == 2 && added == 6}, nil
}

// linesOnlyIn counts the lines of a that b does not have. Boxes, ids and wraps occur once, so that this is the diff.
func linesOnlyIn(a, b []byte) int {
	there := map[string]int{}
	for line := range bytes.Lines(b) {
		there[strings.TrimSpace(string(line))]++
	}
	n := 0
	for line := range bytes.Lines(a) {
		text := strings.TrimSpace(string(line))
		if there[text]--; there[text] < 0 {
			n++
		}
	}
	return n
}

// ageVersion is the version of the library in this program, which is the one in ageseal.
func ageVersion() string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, m := range info.Deps {
			if m.Path == "filippo.io/age" {
				return m.Version
			}
		}
	}
	return "unknown"
}
