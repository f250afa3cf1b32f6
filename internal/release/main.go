// Command release is what the Makefile and .goreleaser.yaml need beside goreleaser and syft to make a release, and what then looks whether
// it is one:
//
//	release pages docs/man .release/man     compresses man pages, without a time
//	release sbom ARCHIVE DOCUMENT           has syft write the SBOM of an archive, and makes that reproducible
//	release check                           is dist complete, do checksums hold, does what is packed install and run?
//	release again                           makes the release once more, in another directory, and compares every byte
//	release notes TAG                       what CHANGELOG.md says of a version; an error if that is nothing
//	release files                           what is uploaded, a path a line
//
// It is a tool for people who work on ageseal, and no part of the binary.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "release: error: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("expected pages, sbom, check, again, notes or files")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	epoch := flags.Int64("epoch", -1, "time of the commit, in seconds")
	version := flags.String("version", "", "of the release")
	syft := flags.String("syft", "syft", "the program")
	dist := flags.String("dist", "dist", "what goreleaser and \"make image\" have written")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch rest := flags.Args(); {
	case args[0] == "pages" && len(rest) == 2:
		return compressPages(rest[0], rest[1])
	case args[0] == "sbom" && len(rest) == 2 && *epoch >= 0:
		return writeSBOM(ctx, *syft, *version, rest[0], rest[1], *epoch)
	case args[0] == "check" && len(rest) == 0:
		return check(ctx, *dist, os.Stdout)
	case args[0] == "again" && len(rest) == 0:
		return again(ctx, *dist, os.Stdout)
	case args[0] == "notes" && len(rest) == 1:
		text, err := os.ReadFile("CHANGELOG.md")
		if err != nil {
			return err
		}
		section, err := notes(string(text), rest[0])
		if err != nil {
			return err
		}
		_, err = fmt.Print(section)
		return err
	case args[0] == "files" && len(rest) == 0:
		for _, name := range uploads() {
			fmt.Println(filepath.Join(*dist, name))
		}
		return nil
	}
	return fmt.Errorf("%s: not these arguments", args[0])
}
