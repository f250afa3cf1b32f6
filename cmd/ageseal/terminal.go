package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/ageseal/ageseal/identity"
)

// prompt asks on the terminal, whatever standard input is, without showing what is typed. instead is what to run where there is none.
func (c *cli) prompt(question, instead string) ([]byte, error) {
	value, err := identity.AskHidden(question + " (hidden): ")
	if errors.Is(err, identity.ErrNoTerminal) {
		return nil, hinted(instead, "no terminal to ask for the %s", question)
	}
	return value, err
}

// agreed asks a question that only a yes answers, and where nobody can be asked says what to run instead. Without a yes the error is
// errLeftUndone.
func (c *cli) agreed(question, instead string) error {
	tty, ok := terminal(c.in)
	if !ok {
		c.warn("nothing was done: nobody to ask here", instead)
		return errLeftUndone
	}
	fmt.Fprint(c.err, shown(question), " [y/N] ")
	answer, _ := bufio.NewReader(tty).ReadString('\n')
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		c.note("nothing was done")
		return errLeftUndone
	}
	return nil
}
