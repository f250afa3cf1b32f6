package main

import (
	"errors"
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
		err := v.Check(key)
		if slices.Contains(o.prompts[:i], key) {
			err = &values.Error{Key: key, Err: values.ErrTwice}
		}
		if err != nil {
			return nil, onCommandLine(numbered("--prompt", i, len(o.prompts)), err)
		}
	}
	if o.fromStdin != "" {
		if err := v.Check(o.fromStdin); err != nil {
			return nil, onCommandLine("--from-stdin", err)
		}
		value, err := c.line(v, o.fromStdin)
		if err != nil {
			return nil, err
		}
		if err := v.Add(o.fromStdin, value); err != nil {
			return nil, err
		}
	}
	if err := add(v); err != nil {
		switch {
		case errors.Is(err, values.ErrSource):
			err = onCommandLine("--from-file", err)
		case errors.Is(err, values.ErrStdin):
			err = &usageError{err}
		}
		return nil, err
	}
	if o.insteadOfArgv != "" {
		c.warn("a value on the command line is visible to other processes and in the shell's history", o.insteadOfArgv)
	}
	for _, w := range v.Warnings {
		m := valuesMessage("", w)
		c.warn(m.text, m.hint)
	}
	for i, key := range o.prompts {
		if err := v.Check(key); err != nil { // again: there are more by now
			return nil, onCommandLine(numbered("--prompt", i, len(o.prompts)), err)
		}
	}
	for _, key := range o.prompts {
		value, err := c.ask(key)
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

// line takes the value of a key from standard input, without its line end; on a terminal it asks.
func (c *cli) line(v *values.Values, key string) ([]byte, error) {
	if v.Stdin == nil {
		return nil, &usageError{values.ErrStdin}
	}
	if _, ok := terminal(c.in); ok {
		return c.ask(key)
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

// ask asks for the value of a key on the terminal.
func (c *cli) ask(key string) ([]byte, error) {
	return c.prompt("value of "+key, "pipe it in with --from-stdin "+key)
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
