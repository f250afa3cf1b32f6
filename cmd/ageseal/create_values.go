package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/values"
)

// collect gathers the values: those that nobody has to type first, so that nothing is typed in vain.
func (c *cli) collect(o *createOptions, add source) (*values.Values, error) {
	v := &values.Values{Stdin: c.in, Getenv: os.LookupEnv}
	for i, spec := range o.generate {
		if err := v.AddGenerated(spec); err != nil {
			return nil, onCommandLine(numbered("--generate", i, len(o.generate)), err)
		}
	}
	for i, key := range o.prompts {
		if err := v.Check(key); err != nil {
			return nil, onCommandLine(numbered("--prompt", i, len(o.prompts)), err)
		}
	}
	if o.fromStdin != "" {
		if err := v.Check(o.fromStdin); err != nil {
			return nil, onCommandLine("--from-stdin", err)
		}
		value, err := c.line(v, fmt.Sprintf("value of %s (hidden): ", o.fromStdin))
		if err != nil {
			return nil, err
		}
		if err := v.Add(o.fromStdin, value); err != nil {
			return nil, err
		}
	}
	if err := add(v); err != nil {
		if errors.Is(err, values.ErrSource) || errors.Is(err, values.ErrStdin) {
			err = onCommandLine("--from-file", err)
		}
		return nil, err
	}
	if o.argv {
		c.warn("a value on the command line is visible to other processes and in the shell's history", "pipe it in with --from-stdin KEY, or be asked with --prompt KEY")
	}
	for _, w := range v.Warnings {
		m := valuesMessage("", w)
		c.warn(m.text, m.hint)
	}
	for i, key := range o.prompts {
		if err := v.Check(key); err != nil { // again: there are more by now
			return nil, onCommandLine(numbered("--prompt", i, len(o.prompts)), err)
		}
		value, err := c.ask(fmt.Sprintf("value of %s (hidden): ", key), fmt.Sprintf("the value of %s", key))
		if err != nil {
			return nil, err
		}
		if err := v.Add(key, value); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// onCommandLine makes a fault in what a flag was given a usage fault.
func onCommandLine(flag string, err error) error { return &usageError{&fileError{flag, err}} }

// line takes one value from standard input, without its line end; on a terminal it asks.
func (c *cli) line(v *values.Values, question string) ([]byte, error) {
	if v.Stdin == nil {
		return nil, &usageError{values.ErrStdin}
	}
	if tty, ok := terminal(c.in); ok {
		return c.prompt(tty, question)
	}
	r := v.Stdin
	v.Stdin = nil
	value, err := readValue(r)
	if err == nil && len(value) == 0 {
		// The command before the pipe has failed, most likely.
		err = hinted("an empty value is --from-literal KEY=", "no value came from standard input")
	}
	return oneLine(value), err
}

// ask asks for what on the terminal.
func (c *cli) ask(question, what string) ([]byte, error) {
	tty, ok := terminal(c.in)
	if !ok {
		return nil, hinted("pipe it in with --from-stdin KEY, or name a file", "no terminal to ask for %s", what)
	}
	return c.prompt(tty, question)
}

// needs adds a prompt for a key that nothing else gives a value.
func (o *createOptions) needs(key string) {
	if o.fromStdin == key || slices.Contains(o.prompts, key) {
		return
	}
	for _, spec := range o.generate {
		if generated, _, _ := strings.Cut(spec, "="); generated == key {
			return
		}
	}
	o.prompts = append(o.prompts, key)
}
