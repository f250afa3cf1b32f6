package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"filippo.io/age"
)

// bench is what all cases share.
type bench struct {
	options
	root     string // everything made, removed at the end
	env      []string
	identity string // file of a hybrid identity
	both     string // file of it and of the X25519 identity
	hybrid   string // its recipient
	classic  string // an X25519 recipient
	joiner   string // a second hybrid recipient
	sealing  string // directory of kubeseal's certificate and key
}

func newBench(o *options) (*bench, error) {
	b := &bench{options: *o}
	var err error
	for _, p := range []*string{&b.ageseal, &b.kustomize, &b.age, &b.library} {
		if *p, err = filepath.Abs(*p); err != nil {
			return nil, err
		}
		if _, err := os.Stat(*p); err != nil {
			return nil, fmt.Errorf("%w: \"make bench\" builds and installs it", err)
		}
	}
	for _, p := range []*string{&b.sops, &b.ksops, &b.kubeseal} {
		if *p, err = filepath.Abs(*p); err != nil {
			return nil, err
		}
		if _, err := os.Stat(*p); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s is missing: the cases beside it are left out\n", *p)
			*p = ""
		}
	}
	if b.sops == "" {
		b.ksops = "" // sops makes its files
	}
	if b.root, err = scratch(o.dir); err != nil {
		return nil, err
	}
	home := filepath.Join(b.root, "home")
	b.identity, b.both, b.sealing = b.path("identity"), b.path("identities"), b.path("sealing")
	b.env = []string{
		"PATH=" + filepath.Dir(b.ageseal) + string(filepath.ListSeparator) + os.Getenv("PATH"), // git runs it as a driver
		"HOME=" + home, "TMPDIR=" + b.root,
		"XDG_CONFIG_HOME=" + filepath.Join(home, "config"), "XDG_STATE_HOME=" + filepath.Join(home, "state"),
		"SOPS_AGE_KEY_FILE=" + b.identity, "SOPS_DISABLE_VERSION_CHECK=true",
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
	b.hybrid, b.joiner, b.classic = mine.Recipient().String(), other.Recipient().String(), classic.Recipient().String()
	err = errors.Join(
		os.WriteFile(b.identity, []byte(mine.String()+"\n"), 0o600),
		os.WriteFile(b.both, []byte(mine.String()+"\n"+classic.String()+"\n"), 0o600),
	)
	if err != nil || b.kubeseal == "" {
		return err
	}
	return makeCertificate(b.sealing)
}
