package identity

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/term"
)

// What asking on the terminal can come to, beside errors of the system.
var (
	ErrNoTerminal = errors.New("no terminal to ask on")
	ErrNothing    = errors.New("nothing was typed")
	ErrDiffer     = errors.New("what was typed differs")
)

// prompting is the terminal as it was before a hidden prompt, so that an interrupt gives it back with echo.
var prompting struct {
	sync.Mutex
	tty   *os.File
	state *term.State
}

// asking keeps one question at a time on the terminal.
var asking sync.Mutex

// RestoreTerminal gives the terminal its echo back. For a signal that ends the process at a prompt.
func RestoreTerminal() {
	prompting.Lock()
	defer prompting.Unlock()
	if prompting.state != nil {
		_ = term.Restore(int(prompting.tty.Fd()), prompting.state)
		prompting.state = nil
	}
}

// onTerminal gives use the terminal of the process, whatever its standard streams are. Errors: ErrNoTerminal.
func onTerminal(use func(in, out *os.File) error) error {
	asking.Lock()
	defer asking.Unlock()
	names := [2]string{"/dev/tty", "/dev/tty"}
	if runtime.GOOS == "windows" {
		names = [2]string{"CONIN$", "CONOUT$"}
	}
	in, err := os.OpenFile(names[0], os.O_RDWR, 0)
	if err != nil {
		return ErrNoTerminal
	}
	defer in.Close()
	out, err := os.OpenFile(names[1], os.O_WRONLY, 0)
	if err != nil {
		return ErrNoTerminal
	}
	defer out.Close()
	return use(in, out)
}

// AskHidden asks on the terminal, never on standard input, without showing what is typed. Errors: ErrNoTerminal, ErrNothing.
func AskHidden(question string) (answer []byte, err error) {
	err = onTerminal(func(in, out *os.File) error {
		answer, err = readHidden(in, out, question)
		return err
	})
	return answer, err
}

// AskNew asks twice for something new, where a mistake would only show when it is too late. Errors: those of AskHidden, ErrDiffer.
func AskNew(question, again string) ([]byte, error) {
	first, err := AskHidden(question)
	if err != nil {
		return nil, err
	}
	second, err := AskHidden(again)
	if err == nil && !bytes.Equal(first, second) {
		err = ErrDiffer
	}
	return second, err
}

func readHidden(in, out *os.File, question string) ([]byte, error) {
	if state, err := term.GetState(int(in.Fd())); err == nil {
		prompting.Lock()
		prompting.tty, prompting.state = in, state
		prompting.Unlock()
	}
	defer RestoreTerminal()
	fmt.Fprint(out, printable(question))
	answer, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(out)
	if errors.Is(err, io.EOF) || err == nil && len(answer) == 0 { // on Unix, x/term goes on reading after a Ctrl-D
		err = ErrNothing
	}
	return answer, err
}

// askShown asks on the terminal for a line that may be seen.
func askShown(question string) (answer string, err error) {
	err = onTerminal(func(in, out *os.File) error {
		fmt.Fprint(out, printable(question))
		answer, err = readLine(in)
		return err
	})
	return answer, err
}

// readLine reads to the end of a line and not beyond it: what follows is for the next question.
func readLine(in io.Reader) (string, error) {
	const longest = 4096 // what a terminal gives in one line (termios(3))
	var line []byte
	for b := make([]byte, 1); len(line) < longest; {
		n, err := in.Read(b)
		switch {
		case n > 0 && b[0] == '\n':
			return strings.TrimSuffix(string(line), "\r"), nil
		case n > 0:
			line = append(line, b[0])
		case err != nil:
			return "", ErrNothing
		}
	}
	return "", errors.New("a line of more than 4096 characters")
}

// printable keeps a text of somebody else's, such as a plugin's, from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
