package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ageseal/ageseal/kustomize"
	"github.com/ageseal/ageseal/plugin"
	"github.com/ageseal/ageseal/verify"
)

// kustomizations looks for what stock kustomize would leave out or fail at, and for sealed manifests that nothing uses.
func (d *checkup) kustomizations(files []string) error {
	in := kustomize.Inspect(files)
	var seen []string // kinds whose plugin is a finding
	for _, cfg := range in.Configs {
		file, err := filepath.Abs(cfg.File)
		if err != nil {
			return err
		}
		f := verify.Finding{File: cfg.File, Line: cfg.Line}
		what := cfg.Kind + " " + cfg.Name
		switch {
		case !d.asked(file):
			continue
		case cfg.Ours && cfg.Transforms:
			f.Rule, f.What = ruleUse, what+" is listed under transformers: or validators:, which is not supported: a Secret that is made there keeps its name while references to it change"
			f.Hint = "list it under generators:"
		case cfg.Exec:
			f.Rule = ruleExec
			f.What = what + ` is an exec function: "kustomize build --enable-alpha-plugins" without --enable-exec leaves out what it makes, without a word, and so does "kubectl kustomize --enable-alpha-plugins", always`
			f.Hint = "pass both flags wherever this is built"
			if cfg.Ours {
				f.Hint = `remove its annotation config.kubernetes.io/function: "ageseal build" needs no flag, and the plugin of "ageseal fn install" fails loudly where it is missing`
			}
		case cfg.Ours && !cfg.Container:
			if missing, err := d.plugin(cfg.Kind, &seen); err != nil || !missing {
				if err != nil {
					return err
				}
				continue
			}
			f.Rule = rulePlugin
			f.What = what + " is a generator that stock kustomize has no plugin for on this machine: it fails"
			f.Hint = `"ageseal fn install" installs it; "ageseal build" needs none`
		default:
			continue
		}
		if err := d.add(file, f); err != nil {
			return err
		}
	}
	for _, err := range in.Faults {
		var e *kustomize.Error
		if !errors.As(err, &e) {
			continue
		}
		file, absErr := filepath.Abs(e.File)
		if absErr != nil || !d.asked(file) {
			continue
		}
		rule := ruleDecrypter
		if errors.Is(err, kustomize.ErrUse) {
			rule = ruleUse
		}
		if err := d.add(file, verify.Finding{Rule: rule, File: e.File, Line: e.Line, Secret: e.Secret, Key: e.Key, What: e.Error(), Hint: e.Hint}); err != nil {
			return err
		}
	}
	if in.Kustomizations > 0 {
		return d.unused(in)
	}
	return nil
}

// plugin reports whether kustomize finds no plugin for a kind. One that it finds and that is not this program is a
// finding of its own, once.
func (d *checkup) plugin(kind string, seen *[]string) (missing bool, err error) {
	home, err := plugin.Home()
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	program, err := ownProgram()
	if err != nil {
		return false, err
	}
	err = plugin.Check(home, kind, program)
	if err == nil {
		return false, nil
	}
	path := plugin.Path(home, kind)
	if _, lstat := os.Lstat(path); lstat != nil {
		return true, nil
	}
	if slices.Contains(*seen, kind) {
		return false, nil
	}
	*seen = append(*seen, kind)
	what := "a link to a program that is not there"
	if !errors.Is(err, fs.ErrNotExist) {
		what = systemText(path, err)
	}
	d.findings = append(d.findings, verify.Finding{Rule: rulePluginOther, File: path,
		What: fmt.Sprintf("kustomize's plugin for %s: %s", kind, what), Hint: "ageseal fn install"})
	return false, nil
}
