package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// trees of one size are directories with the same Secrets.
type trees struct {
	plain     string // plaintext
	stream    string // file of all of it
	sealed    string // encrypted in one run
	each      string // a run, and with it a session key, for each file
	fn        string // as sealed, under a generator of stock kustomize
	cat       string // in plaintext, under a generator
	age       string // the age library's files
	sops      string // encrypted by sops, under KSOPS as a generator
	ksopsEach string // under a KSOPS for each
}

// makeTrees writes and encrypts the workload, and compares what comes out again, by every way that is measured, with what went in.
func (b *bench) makeTrees(ctx context.Context, n int) (trees, error) {
	base := b.path(fmt.Sprint(n))
	dir := func(name string) string { return filepath.Join(base, name) }
	t := trees{dir("plain"), dir("stream.yaml"), dir("sealed"), dir("each"), dir("fn"), dir("cat"), dir("age"), dir("sops"), dir("ksops-each")}
	list, stream := dir("list.yaml"), make([]string, n)
	for i := range stream {
		stream[i] = secretYAML(i + 1)
	}
	err := errors.Join(
		os.MkdirAll(t.age, 0o700),
		os.WriteFile(list, []byte(resourceList(n)), 0o600), os.WriteFile(t.stream, []byte(strings.Join(stream, "---\n")), 0o600),
		writeWorkload(t.plain, n), writeWorkload(t.sealed, n), writeWorkload(t.each, n), writeWorkload(t.fn, n, decrypterYAML(b.ageseal, b.identity)),
		writeWorkload(t.cat, n, catYAML(list)), writeWorkload(t.sops, n, ksopsYAML(b.ksops, 1, n)), writeWorkload(t.ksopsEach, n, ksopsEachYAML(b.ksops, n)...),
	)
	if err != nil {
		return t, err
	}
	encrypts := []command{b.encrypt(t.sealed), b.encrypt(t.fn), b.ageEncrypt(t)}
	for i := range n {
		encrypts = append(encrypts, b.encrypt(filepath.Join(t.each, secretFile(i+1))))
	}
	if b.sops != "" {
		encrypts = append(encrypts, b.sopsLoop(t.sops, "--in-place "+b.sopsEncryptFlags()))
	}
	for _, c := range encrypts {
		if _, err := b.output(ctx, c); err != nil {
			return t, err
		}
	}
	for i := range n {
		text, err := os.ReadFile(filepath.Join(t.sops, secretFile(i+1)))
		if err == nil {
			err = os.WriteFile(filepath.Join(t.ksopsEach, secretFile(i+1)), text, 0o600)
		}
		if err != nil {
			return t, err
		}
	}
	return t, b.check(ctx, t, n)
}

// check compares what each way puts out with the plaintext build: a program that does less is no match.
func (b *bench) check(ctx context.Context, t trees, n int) error {
	want, err := b.output(ctx, b.buildPlain(t))
	if err != nil {
		return err
	}
	secrets := secretsOf(want)
	type check struct {
		command
		want []byte
	}
	checks := []check{
		{b.build(t.sealed), want}, {b.build(t.each), want}, {b.buildGenerated(t.fn), want}, {b.buildGenerated(t.cat), want},
		{b.decrypt(t.sealed), secrets}, {b.decrypt(t.each), secrets},
	}
	if b.ksops != "" {
		checks = append(checks, check{b.buildGenerated(t.sops), want})
	}
	// What takes half a minute with many Secrets was checked with few.
	if n < manySecrets && b.sops != "" {
		checks = append(checks, check{b.sopsDecrypt(t), secrets})
	}
	if n < manySecrets && b.ksops != "" {
		checks = append(checks, check{b.buildGenerated(t.ksopsEach), want})
	}
	for _, c := range checks {
		if err := b.puts(ctx, c.command, c.want); err != nil {
			return err
		}
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
