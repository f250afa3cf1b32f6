// Command demo runs the console blocks of a Markdown file in a scratch git repository that holds a copy of examples/, with a scratch
// home, and shows each command with its real output, or draws it as docs/demo.svg. "make demo" runs README.md with it; the tests run every
// "$" line of README.md, CONTRIBUTING.md, docs/guides and examples/sealed through the same code, so none can drift from the program.
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
)

// pictureTitle is what stands in the window's title, and what is read aloud.
const pictureTitle = "ageseal: from plaintext Secrets to git, and back to native Secrets in a build"

func main() {
	bin := flag.String("bin", "bin", "directory of the ageseal binary, put first in PATH")
	examples := flag.String("examples", "examples", "directory to copy into the scratch repository")
	section := flag.String("section", "In one minute", "heading whose console blocks are run")
	picture := flag.String("svg", "", "draw the first console block of the section into this file instead")
	width := flag.Int("width", 150, "longest line shown, 0 for any: sealed values are long")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if *picture == "" {
		err = run(ctx, flag.Arg(0), *section, *bin, *examples, *width)
	} else {
		var text string
		if text, err = drawn(ctx, flag.Arg(0), *section, *bin, *examples); err == nil {
			err = os.WriteFile(*picture, []byte(text), 0o644)
		}
	}
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "demo: error: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file, section, bin, examples string, width int) (err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	steps := parse(string(text), section)
	if len(steps) == 0 {
		return fmt.Errorf("%s has no console block under %q", file, section)
	}
	s, err := newScratch(ctx, bin, examples)
	if err != nil {
		return err
	}
	defer func() {
		if removeErr := s.remove(); err == nil {
			err = removeErr
		}
	}()
	fmt.Printf("# %s in a scratch git repository with a scratch home; lines over %d columns are cut with …\n", filepath.Base(file), width)
	for _, step := range steps {
		fmt.Printf("\n$ %s\n", step.command)
		out, status := s.run(ctx, step.command)
		fmt.Print(shorten(out, width))
		if err := step.check(out, status); err != nil {
			return err
		}
	}
	fmt.Printf("\n# all %d commands did what %s says; the scratch repository and home are gone\n", len(steps), filepath.Base(file))
	return nil
}

// drawn is the picture of a page's own first steps.
func drawn(ctx context.Context, file, section, bin, examples string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	s, err := newScratch(ctx, bin, examples)
	if err != nil {
		return "", err
	}
	all, err := s.record(ctx, parse(string(text), section), columns)
	return svg(pictureTitle, all), errors.Join(err, s.remove())
}
