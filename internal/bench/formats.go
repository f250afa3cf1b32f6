package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// format is a way to keep a Secret in git, under keys of one kind. All of them change a file in place.
type format struct {
	name, keys string
	driver     bool // git is told of ageseal's merge driver
	seal       func(ctx context.Context, name string) error
	set        func(ctx context.Context, name, key, value string) error
	open       func(name string) (command, error) // writes the Secret to stdout
}

func (b *bench) formats() []format {
	var out []format
	for _, r := range []struct{ keys, recipient string }{{"X25519", b.classic}, {"hybrid", b.hybrid}} {
		ours := b.sealedManifest(r.keys, r.recipient)
		out = append(out, ours)
		if r.recipient == b.hybrid {
			ours.name, ours.driver = "ageseal, with its merge driver", true
			out = append(out, ours)
		}
	}
	for _, r := range []struct{ keys, recipient string }{{"X25519", b.classic}, {"hybrid", b.hybrid}} {
		if b.sops != "" {
			out = append(out, b.sopsFile(r.keys, r.recipient))
		}
		out = append(out, b.ageFile(r.keys, r.recipient))
	}
	if b.kubeseal != "" {
		out = append(out, b.sealedSecret())
	}
	return out
}

func (b *bench) sealedManifest(keys, recipient string) format {
	return format{
		name: "ageseal", keys: keys,
		seal: func(ctx context.Context, name string) error {
			_, err := b.output(ctx, command{args: []string{b.ageseal, "encrypt", "-q", "-w", "-r", recipient, name}})
			return err
		},
		set: func(ctx context.Context, name, key, value string) error {
			_, err := b.output(ctx, command{args: []string{b.ageseal, "set", "-q", "-r", recipient, name, key}, stdin: value})
			return err
		},
		open: func(name string) (command, error) {
			return command{args: []string{b.ageseal, "decrypt", "-q", "-i", b.both, name}}, nil
		},
	}
}

func (b *bench) sopsFile(keys, recipient string) format {
	env := []string{"SOPS_AGE_KEY_FILE=" + b.both}
	return format{
		name: "sops", keys: keys,
		seal: func(ctx context.Context, name string) error {
			_, err := b.output(ctx, command{args: []string{b.sops, "--encrypt", "--in-place", "--encrypted-regex", "^stringData$", "--age", recipient, name}})
			return err
		},
		set: func(ctx context.Context, name, key, value string) error {
			_, err := b.output(ctx, command{args: []string{b.sops, "set", name, fmt.Sprintf("[%q][%q]", "stringData", key), fmt.Sprintf("%q", value)}, env: env})
			return err
		},
		open: func(name string) (command, error) {
			return command{args: []string{b.sops, "--decrypt", name}, env: env}, nil
		},
	}
}

// ageFile is the whole file, armored, as somebody would commit it who has nothing else.
func (b *bench) ageFile(keys, recipient string) format {
	open := command{args: []string{b.age, "--decrypt", "-i", b.both}}
	seal := func(ctx context.Context, name string) error {
		sealed, err := b.output(ctx, command{args: []string{b.age, "--encrypt", "--armor", "-r", recipient, name}})
		if err != nil {
			return err
		}
		return os.WriteFile(name, sealed, 0o600)
	}
	return format{
		name: "age, whole file", keys: keys, seal: seal,
		set: func(ctx context.Context, name, key, value string) error {
			plain, err := b.output(ctx, command{args: append(open.args[:len(open.args):len(open.args)], name)})
			if err != nil {
				return err
			}
			if err := os.WriteFile(name, withValue(plain, key, value), 0o600); err != nil {
				return err
			}
			return seal(ctx, name)
		},
		open: func(name string) (command, error) {
			return command{args: append(open.args[:len(open.args):len(open.args)], name)}, nil
		},
	}
}

func (b *bench) sealedSecret() format {
	certificate, key := filepath.Join(b.sealing, certificateFile), filepath.Join(b.sealing, sealingKeyFile)
	return format{
		name: "kubeseal", keys: fmt.Sprintf("RSA %d", sealingKeyBits),
		seal: func(ctx context.Context, name string) error {
			sealed, err := b.output(ctx, command{args: []string{b.kubeseal, "--cert", certificate, "-o", "yaml", "-f", name}})
			if err != nil {
				return err
			}
			return os.WriteFile(name, sealed, 0o600)
		},
		set: func(ctx context.Context, name, key, value string) error {
			partial := secretHead(1) + "stringData:\n  " + key + ": " + value + "\n"
			_, err := b.output(ctx, command{args: []string{b.kubeseal, "--cert", certificate, "-o", "yaml", "--merge-into", name}, stdin: partial})
			return err
		},
		open: func(name string) (command, error) {
			sealed, err := os.ReadFile(name)
			return command{args: []string{b.kubeseal, "--recovery-unseal", "--recovery-private-key", key, "-o", "yaml"}, stdin: string(sealed)}, err
		},
	}
}

// withValue is a manifest of ours with another value on the line of a key.
func withValue(plain []byte, key, value string) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(plain) {
		if strings.HasPrefix(string(line), "  "+key+": ") {
			line = []byte("  " + key + ": " + value + "\n")
		}
		out.Write(line)
	}
	return out.Bytes()
}
