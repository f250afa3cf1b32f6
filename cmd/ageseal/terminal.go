package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// prompting is the terminal as it was before a hidden prompt, so that an interrupt gives it back with echo.
var prompting struct {
	sync.Mutex
	tty   *os.File
	state *term.State
}

func rememberTerminal(tty *os.File) {
	prompting.Lock()
	defer prompting.Unlock()
	if state, err := term.GetState(int(tty.Fd())); err == nil {
		prompting.tty, prompting.state = tty, state
	}
}

func restoreTerminal() {
	prompting.Lock()
	defer prompting.Unlock()
	if prompting.state != nil {
		_ = term.Restore(int(prompting.tty.Fd()), prompting.state)
		prompting.state = nil
	}
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
