package main

import (
	"os"
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
