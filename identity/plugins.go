package identity

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"filippo.io/age"
	"filippo.io/age/plugin"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/lazy"
)

// pluginPatience is how long a plugin may take: somebody may have to find a hardware key first.
const pluginPatience = 10 * time.Minute

// Plugins are the programs of age, age-plugin-NAME, that may run: those that the user named, in a file or on the command line. A
// repository has no say in it.
type Plugins struct {
	Allowed  []string                              // see ReadAllowed
	Say      func(text string)                     // a line for people, without prefix; nil drops it
	Ask      func(question string) ([]byte, error) // nil: AskHidden
	Patience time.Duration                         // 0: ten minutes

	mu   sync.Mutex       // one at a time: they talk to people, and to hardware
	lost map[string]error // those that did not end
}

// KeyError says why a plugin, or another key that needs somebody or something, could not be used. It matches crypt.ErrUnavailable.
type KeyError struct {
	What, Next string // Next is what to do about it, "" if that is not known
}

func (e *KeyError) Error() string        { return e.What }
func (e *KeyError) Hint() string         { return e.Next }
func (e *KeyError) Is(target error) bool { return target == crypt.ErrUnavailable }

var pluginName = lazy.Regexp(`^[a-z0-9][a-z0-9._+-]*$`)

// interruptGrace is for Ctrl-C, which ends the plugin as well as this process: the process's own end is to be first.
const interruptGrace = 200 * time.Millisecond

// IsPluginName says whether a plugin can be called so. A path or an option of a command line is none.
func IsPluginName(s string) bool { return pluginName().MatchString(s) }

// AllowedFile is the path of the file that lists the plugins which may run, a name in each line: "plugins" beside the identities. It
// fails without a home directory.
func AllowedFile() (string, error) {
	path, err := DefaultFile()
	return filepath.Join(filepath.Dir(path), "plugins"), err
}

// ReadAllowed reads the file of AllowedFile, which need not exist. Errors: *SourceError.
func ReadAllowed() ([]string, error) {
	path, err := AllowedFile()
	if err != nil {
		return nil, nil // no home, as in many containers
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &SourceError{Source: abbreviate(path), Err: reason(err)}
	}
	defer f.Close()
	text, err := readAll(f)
	if err != nil {
		return nil, &SourceError{Source: abbreviate(path), Err: err}
	}
	var names []string
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if !IsPluginName(line) {
			return nil, &SourceError{Source: abbreviate(path), Line: n, Err: errors.New("no name of a plugin: yubikey stands for the program age-plugin-yubikey")}
		}
		names = append(names, line)
	}
	return names, nil
}

// Ready gives recipients the plugins that encrypt to them. One that is not allowed says so when it is needed.
func (p *Plugins) Ready(rs []*crypt.Recipient) []*crypt.Recipient {
	rs = slices.Clone(rs)
	for i, r := range rs {
		if r.Plugin() != "" {
			rs[i] = r.Through(&pluginRecipient{p, r.Plugin(), r.String()})
		}
	}
	return rs
}

type pluginRecipient struct {
	plugins    *Plugins
	name, text string
}

func (r *pluginRecipient) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	s, _, err := r.WrapWithLabels(fileKey)
	return s, err
}

func (r *pluginRecipient) WrapWithLabels(fileKey []byte) (s []*age.Stanza, labels []string, err error) {
	inner, err := plugin.NewRecipient(r.text, r.plugins.ui())
	if err != nil {
		return nil, nil, &KeyError{What: "plugin " + r.name + ": malformed recipient"}
	}
	type wrapped struct {
		stanzas []*age.Stanza
		labels  []string
	}
	got, err := runPlugin(r.plugins, r.name, func() (wrapped, error) {
		s, labels, err := inner.WrapWithLabels(fileKey)
		return wrapped{s, labels}, err
	})
	return got.stanzas, got.labels, err
}

// identity makes an identity of the text "AGE-PLUGIN-…". r may be nil.
func (p *Plugins) identity(text string, r *crypt.Recipient) (*crypt.Identity, error) {
	inner, err := plugin.NewIdentity(text, p.ui())
	if err != nil {
		return nil, errors.New("malformed identity of a plugin: it was cut short or mistyped")
	}
	return crypt.NewIdentity(crypt.Plugin, &pluginIdentity{p, inner}, r), nil
}

type pluginIdentity struct {
	plugins *Plugins
	inner   *plugin.Identity
}

func (i *pluginIdentity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	return runPlugin(i.plugins, i.inner.Name(), func() ([]byte, error) { return i.inner.Unwrap(stanzas) })
}

// runPlugin has a plugin do something, if it may run, and turns what it says into text for people. It is given up when it takes too
// long: its standard input ends when this process does.
func runPlugin[T any](p *Plugins, name string, do func() (T, error)) (T, error) {
	var none T
	fault := func(next, format string, args ...any) (T, error) {
		return none, &KeyError{"plugin " + name + " " + fmt.Sprintf(format, args...), next}
	}
	if !IsPluginName(name) {
		return fault("", "has no name that a program can have")
	}
	if !slices.Contains(p.Allowed, name) {
		return fault(allowHint(name), "is not allowed to run")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.lost[name]; err != nil {
		return none, err
	}
	os.Unsetenv("AGEDEBUG") // would have age print file keys

	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	patience := p.Patience
	if patience == 0 {
		patience = pluginPatience
	}
	var got result
	select {
	case got = <-done:
	case <-time.After(patience):
		_, err := fault("run age-plugin-"+name+" by itself to see what it waits for", "did not answer in %v", patience)
		if p.lost == nil {
			p.lost = map[string]error{}
		}
		p.lost[name] = err
		return none, err
	}
	var missing *plugin.NotFoundError
	switch err := got.err; {
	case err == nil:
		return got.value, nil
	case errors.Is(err, age.ErrIncorrectIdentity):
		return none, age.ErrIncorrectIdentity
	case errors.As(err, &missing):
		return fault("install it where $PATH has it", "is not installed: there is no program age-plugin-%s", name)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE):
		time.Sleep(interruptGrace)
		return fault("run age-plugin-"+name+" by itself to see why", "ended without an answer")
	case strings.Contains(err.Error(), "malformed"): // age quotes what it read, which may be a key
		return fault("", "did not answer as a plugin of age does")
	default:
		const longest = 200
		text := printable(strings.TrimPrefix(err.Error(), name+" plugin: "))
		return fault("", "says: %s", text[:min(len(text), longest)])
	}
}

func allowHint(name string) string {
	path, err := AllowedFile()
	if err != nil {
		return "if you trust it: --plugin " + name
	}
	return fmt.Sprintf("if you trust it: --plugin %s, or for good: echo %s >> %s", name, name, abbreviate(path))
}

// ui is how plugins talk to people: on the terminal, and nowhere if there is none.
func (p *Plugins) ui() *plugin.ClientUI {
	say := func(text string) {
		if p.Say != nil {
			p.Say(printable(text))
		}
	}
	ask := p.Ask
	if ask == nil {
		ask = AskHidden
	}
	prefix := func(name, text string) string { return "plugin " + name + ": " + text + " " }
	noted := func(name string, err error) error {
		if err != nil {
			say(prefix(name, "asks for something: "+err.Error()))
		}
		return err
	}
	return &plugin.ClientUI{
		DisplayMessage: func(name, text string) error { say(strings.TrimSpace(prefix(name, text))); return nil },
		RequestValue: func(name, question string, secret bool) (string, error) {
			if !secret {
				answer, err := askShown(prefix(name, question))
				return answer, noted(name, err)
			}
			answer, err := ask(prefix(name, question))
			return string(answer), noted(name, err)
		},
		Confirm: func(name, question, yes, no string) (bool, error) {
			if no == "" {
				_, err := askShown(prefix(name, question+fmt.Sprintf(" (Enter for %q)", yes)))
				return err == nil, noted(name, err)
			}
			for {
				answer, err := askShown(prefix(name, question+fmt.Sprintf(" (1 for %q, 2 for %q)", yes, no)))
				if err != nil || answer == "1" || answer == "2" {
					return answer == "1", noted(name, err)
				}
			}
		},
		WaitTimer: func(name string) { say("waiting for plugin " + name) },
	}
}
