package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What a reviewer sees of one value that changed, and what git makes of two branches that each change another.

const changedFile = "secret.yaml"

// outcome is how git merged two branches.
type outcome string

const (
	merges    outcome = "merge"
	unions    outcome = "conflict; right with both sides kept"
	conflicts outcome = "conflict; one side can be taken, the other is lost"
	broken    outcome = "conflict; no way of taking sides opens"
	corrupted outcome = "**merge, and what comes out is wrong**"
)

// change is how a format does.
type change struct {
	format
	size                float64 // to the plaintext
	gone, added         int     // lines of the diff of one value
	apart, neighbouring string
}

// changes tries all formats, on one Secret, with real git.
func (b *bench) changes(ctx context.Context) ([]change, error) {
	var out []change
	for _, f := range b.formats() {
		c := change{format: f}
		var err error
		if err = b.oneValue(ctx, &c); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		if c.apart, err = b.tries(ctx, f, valueKeys[0], valueKeys[3]); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		if c.neighbouring, err = b.tries(ctx, f, valueKeys[0], valueKeys[1]); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// git runs in a directory, as somebody.
func (b *bench) git(dir string, args ...string) command {
	return command{args: append([]string{"/usr/bin/env", "git", "-c", "user.name=bench", "-c", "user.email=bench@example.org"}, args...), dir: dir}
}

// commit is all that a work tree has. Hooks are not what is tried.
func (b *bench) commit(ctx context.Context, dir string) error {
	_, err := b.output(ctx, b.git(dir, "add", "."))
	if err == nil {
		_, err = b.output(ctx, b.git(dir, "commit", "-q", "--no-verify", "-m", "change"))
	}
	return err
}

// sealedRepository is a new one with one sealed Secret.
func (b *bench) sealedRepository(ctx context.Context, f format) (string, error) {
	dir, err := os.MkdirTemp(b.root, "changes-")
	if err != nil {
		return "", err
	}
	if _, err := b.output(ctx, b.git(dir, "init", "-q", "-b", "main")); err != nil {
		return "", err
	}
	if f.driver {
		if _, err := b.output(ctx, command{args: []string{b.ageseal, "git", "install"}, dir: dir}); err != nil {
			return "", err
		}
	}
	name := filepath.Join(dir, changedFile)
	if err := os.WriteFile(name, []byte(secretYAML(1)), 0o600); err != nil {
		return "", err
	}
	if err := f.seal(ctx, name); err != nil {
		return "", err
	}
	if err := b.holds(ctx, f, dir, nil); err != nil {
		return "", err
	}
	return dir, b.commit(ctx, dir)
}

// oneValue has git count the lines.
func (b *bench) oneValue(ctx context.Context, c *change) error {
	dir, err := b.sealedRepository(ctx, c.format)
	if err != nil {
		return err
	}
	name := filepath.Join(dir, changedFile)
	sealed, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	c.size = float64(len(sealed)) / float64(len(secretYAML(1)))
	time.Sleep(time.Second) // the next day would do, too: some write the time
	if err := c.set(ctx, name, valueKeys[0], "another-value"); err != nil {
		return err
	}
	if err := b.holds(ctx, c.format, dir, map[string]string{valueKeys[0]: "another-value"}); err != nil {
		return err
	}
	stat, err := b.output(ctx, b.git(dir, "diff", "--numstat", "--no-textconv"))
	if err != nil {
		return err
	}
	_, err = fmt.Sscanf(string(stat), "%d %d", &c.added, &c.gone)
	return err
}

// triesOfMerge is more than one: where ids of chance have an order, git's luck with them differs.
const triesOfMerge = 5

// tries are the outcomes, each with how often it was if it was not always.
func (b *bench) tries(ctx context.Context, f format, ours, theirs string) (string, error) {
	times := map[outcome]int{}
	for range triesOfMerge {
		o, err := b.twoBranches(ctx, f, ours, theirs)
		if err != nil {
			return "", err
		}
		times[o]++
	}
	var texts []string
	for _, o := range []outcome{merges, unions, conflicts, broken, corrupted} {
		switch times[o] {
		case 0:
		case triesOfMerge:
			return string(o), nil
		default:
			texts = append(texts, fmt.Sprintf("%d of %d: %s", times[o], triesOfMerge, o))
		}
	}
	return strings.Join(texts, "; "), nil
}

// twoBranches changes one value in each and merges.
func (b *bench) twoBranches(ctx context.Context, f format, ours, theirs string) (outcome, error) {
	dir, err := b.sealedRepository(ctx, f)
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, changedFile)
	for _, side := range []struct{ before, key, value string }{{"side", theirs, "theirs"}, {"main", ours, "ours"}} {
		args := []string{"switch", "-q", side.before}
		if side.before == "side" {
			args = []string{"switch", "-q", "-c", "side"}
		}
		if _, err := b.output(ctx, b.git(dir, args...)); err != nil {
			return "", err
		}
		if err := errors.Join(f.set(ctx, name, side.key, side.value), b.commit(ctx, dir)); err != nil {
			return "", err
		}
	}
	if _, err := b.output(ctx, b.git(dir, "merge", "-q", "--no-edit", "side")); err == nil {
		if err := b.holds(ctx, f, dir, map[string]string{ours: "ours", theirs: "theirs"}); err != nil {
			return corrupted, nil
		}
		return merges, nil
	}
	if _, err := b.output(ctx, b.git(dir, "merge", "--abort")); err != nil {
		return "", err // it failed for another reason than a conflict
	}
	return b.settle(ctx, f, dir, map[string]string{ours: "ours", theirs: "theirs"})
}

// settle finds out what a person can do at the marks: keep both sides, or one of them.
func (b *bench) settle(ctx context.Context, f format, dir string, values map[string]string) (outcome, error) {
	attributes := filepath.Join(dir, ".git", "info", "attributes")
	if err := errors.Join(os.MkdirAll(filepath.Dir(attributes), 0o700), os.WriteFile(attributes, []byte("* merge=union\n"), 0o600)); err != nil {
		return "", err
	}
	if _, err := b.output(ctx, b.git(dir, "merge", "-q", "--no-edit", "side")); err != nil {
		return "", err
	}
	if b.holds(ctx, f, dir, values) == nil {
		return unions, nil
	}
	if err := os.WriteFile(attributes, []byte("* merge\n"), 0o600); err != nil {
		return "", err
	}
	for _, side := range []string{"ours", "theirs"} {
		for _, args := range [][]string{{"reset", "-q", "--hard", "HEAD^"}, {"merge", "-q", "--no-edit", "-X", side, "side"}} {
			if _, err := b.output(ctx, b.git(dir, args...)); err != nil {
				return "", err
			}
		}
		open, err := f.open(filepath.Join(dir, changedFile))
		if err != nil {
			return "", err
		}
		if _, err := b.output(ctx, open); err == nil {
			return conflicts, nil
		}
	}
	return broken, nil
}

// holds fails unless a sealed file opens to the Secret with these values changed.
func (b *bench) holds(ctx context.Context, f format, dir string, values map[string]string) error {
	open, err := f.open(filepath.Join(dir, changedFile))
	if err != nil {
		return err
	}
	got, err := b.output(ctx, open)
	if err != nil {
		return err
	}
	want := []byte(secretYAML(1))
	for key, value := range values {
		want = withValue(want, key, value)
	}
	g, err := secretData(got)
	if err != nil {
		return err
	}
	w, err := secretData(want)
	if err != nil {
		return err
	}
	for key := range w {
		if !bytes.Equal(w[key], g[key]) {
			return fmt.Errorf("%s is not what it should be", key)
		}
	}
	return nil
}

// secretData are the values of the one Secret of a stream. (kubeseal adds an owner and more beside them.)
func secretData(stream []byte) (map[string][]byte, error) {
	all, err := objects(stream)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, o := range all {
		o, _ := o.(map[string]any)
		data, _ := o["data"].(map[string]any)
		for key, text := range data {
			if out[key], err = base64.StdEncoding.DecodeString(fmt.Sprint(text)); err != nil {
				return nil, fmt.Errorf("%s is not base64", key)
			}
		}
	}
	if len(all) != 1 || len(out) == 0 {
		return nil, errors.New("this is not one Secret")
	}
	return out, nil
}

func changeTable(changes []change) string {
	text := "\n### In git: sizes, diffs, merges\n\n" + fmt.Sprintf("| one Secret of %d bytes | keys | sealed / plain | lines: gone + new | two branches change values apart | neighbouring values |\n", len(secretYAML(1))) +
		"| --- | --- | --- | --- | --- | --- |\n"
	for _, c := range changes {
		text += row([]string{c.name, c.keys, fmt.Sprintf("%.2f", c.size), fmt.Sprintf("%d + %d", c.gone, c.added), c.apart, c.neighbouring})
	}
	return text
}
