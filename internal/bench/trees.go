package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// trees of one size are directories with the same Secrets.
type trees struct {
	plain  string // plaintext
	sealed string // encrypted in one run
	each   string // a run, and with it a session key, for each file
	fn     string // as sealed, under a generator of stock kustomize
	age    string // the age library's files
	sops   string // encrypted by sops, under KSOPS as a generator
}

// makeTrees writes and encrypts the workload, and compares what comes out again, by every way that is measured, with what went in.
func (b *bench) makeTrees(ctx context.Context, n int) (trees, error) {
	base := b.path(fmt.Sprint(n))
	dir := func(name string) string { return filepath.Join(base, name) }
	t := trees{dir("plain"), dir("sealed"), dir("each"), dir("fn"), dir("age"), dir("sops")}
	err := errors.Join(
		os.MkdirAll(t.age, 0o700),
		writeWorkload(t.plain, n, ""), writeWorkload(t.sealed, n, ""), writeWorkload(t.each, n, ""),
		writeWorkload(t.fn, n, decrypterYAML(b.ageseal, b.identity)), writeWorkload(t.sops, n, ksopsYAML(b.ksops, n)),
	)
	if err != nil {
		return t, err
	}
	encrypts := []command{b.encrypt(t.sealed), b.encrypt(t.fn), b.ageEncrypt(t)}
	for i := range n {
		encrypts = append(encrypts, b.encrypt(filepath.Join(t.each, secretFile(i+1))))
	}
	if b.sops != "" {
		encrypts = append(encrypts, b.sopsLoop(t, "--encrypt --in-place --encrypted-regex '^stringData$' --age "+b.hybrid))
	}
	for _, c := range encrypts {
		if _, err := b.output(ctx, c); err != nil {
			return t, err
		}
	}
	return t, b.check(ctx, t)
}

// check compares what each way puts out with the plaintext build: a program that does less is no match.
func (b *bench) check(ctx context.Context, t trees) error {
	want, err := b.output(ctx, b.buildPlain(t))
	if err != nil {
		return err
	}
	secrets := secretsOf(want)
	checks := []struct {
		command
		want []byte
	}{
		{b.build(t.sealed), want}, {b.build(t.each), want}, {b.buildGenerated(t.fn), want},
		{b.decrypt(t.sealed), secrets}, {b.decrypt(t.each), secrets},
	}
	for _, c := range checks {
		if err := b.puts(ctx, c.command, c.want); err != nil {
			return err
		}
	}
	if b.sops != "" {
		if err := b.puts(ctx, b.sopsDecrypt(t), secrets); err != nil {
			return err
		}
	}
	if b.ksops != "" {
		return b.puts(ctx, b.buildGenerated(t.sops), want)
	}
	return nil
}

// puts fails unless a command writes the same objects to stdout.
func (b *bench) puts(ctx context.Context, c command, want []byte) error {
	got, err := b.output(ctx, c)
	if err != nil {
		return err
	}
	if err := sameObjects(want, got); err != nil {
		return fmt.Errorf("%s %s: %w", filepath.Base(c.args[0]), c.args[len(c.args)-1], err)
	}
	return nil
}
