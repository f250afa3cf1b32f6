package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// artifacts are all files of a release, by path: what is uploaded, and the image.
func artifacts(dist string) ([]string, error) {
	names := append(uploads(), "image.tar")
	image, err := filepath.Glob(filepath.Join(dist, "image", "*"))
	if err != nil {
		return nil, err
	}
	blobs, err := filepath.Glob(filepath.Join(dist, "image", "blobs", "sha256", "*"))
	if err != nil {
		return nil, err
	}
	for _, name := range append(image, blobs...) {
		if info, err := os.Stat(name); err != nil || info.IsDir() {
			continue
		}
		rel, err := filepath.Rel(dist, name)
		if err != nil {
			return nil, err
		}
		names = append(names, filepath.ToSlash(rel))
	}
	slices.Sort(names)
	return names, nil
}

// again makes the release of this commit a second time, in a clone elsewhere, in another time zone and with another umask, and compares.
// What the go command has compiled is taken from its cache, if that is the same one: GOCACHE=$(mktemp -d) has everything built anew.
func again(ctx context.Context, dist string, out io.Writer) (err error) {
	changes, err := exec.CommandContext(ctx, "git", "status", "--porcelain").Output()
	if err != nil {
		return fmt.Errorf("git status: %w", err)
	}
	if len(changes) > 0 {
		return fmt.Errorf("what is not committed would be in one of two releases:\n%s", changes)
	}
	root, err := os.MkdirTemp("", "ageseal-again-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(root)) }()
	clone := filepath.Join(root, "another", "place")
	if text, err := exec.CommandContext(ctx, "git", "clone", "-q", "--no-hardlinks", ".", clone).CombinedOutput(); err != nil {
		return fmt.Errorf("git clone: %w: %s", err, text)
	}
	here, err := filepath.Abs(".tools")
	if err != nil {
		return err
	}
	tools, err := os.ReadDir(here)
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(clone, ".tools"), 0o755); err != nil {
		return err
	}
	for _, tool := range tools {
		if err := os.Symlink(filepath.Join(here, tool.Name()), filepath.Join(clone, ".tools", tool.Name())); err != nil {
			return err
		}
	}
	start := time.Now()
	cmd := exec.CommandContext(ctx, "sh", "-c", "umask 077 && exec make --no-print-directory dist")
	cmd.Dir, cmd.Env = clone, append(os.Environ(), "TZ=Pacific/Auckland", "MAKEFLAGS=", "MAKELEVEL=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make dist: %w\n%s", err, text)
	}
	names, err := artifacts(dist)
	if err != nil {
		return err
	}
	others, err := artifacts(filepath.Join(clone, "dist"))
	if err != nil {
		return err
	}
	if !slices.Equal(names, others) {
		return fmt.Errorf("other files:\n%s\n\nand\n\n%s", strings.Join(names, "\n"), strings.Join(others, "\n"))
	}
	var wrong []error
	for _, name := range names {
		first, err1 := sha256File(filepath.Join(dist, name))
		second, err2 := sha256File(filepath.Join(clone, "dist", name))
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if first != second {
			wrong = append(wrong, fmt.Errorf("%s: %s here, %s there", name, first, second))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("not reproducible:\n%w", errors.Join(wrong...))
	}
	sum, err := sha256File(filepath.Join(dist, "checksums.txt"))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "made again elsewhere in %s, with another umask and time zone: all %d files have the same hashes\nsha256 of checksums.txt: %s\n",
		time.Since(start).Round(time.Second), len(names), sum)
	return nil
}
