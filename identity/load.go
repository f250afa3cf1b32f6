package identity

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ageseal/ageseal/crypt"
)

// The variables that name identities. Every other AGESEAL_ variable is unset with them.
const (
	envPrefix   = "AGESEAL_"
	envIdentity = "AGESEAL_IDENTITY"         // the identity itself
	envFiles    = "AGESEAL_IDENTITY_FILE"    // paths, in the platform's list form
	envCommand  = "AGESEAL_IDENTITY_COMMAND" // a shell command that prints identities
)

// Options says what to read beside the environment and the default file. The zero value is ready to use.
type Options struct {
	Files  []string     // as given by -i, "-" for Stdin
	Stdin  io.Reader    // read to its end if Files names it
	Stderr io.Writer    // of $AGESEAL_IDENTITY_COMMAND, which may have to prompt; nil discards it
	Warn   func(string) // one line without prefix; nil drops warnings

	Plugins *Plugins                              // nil: none may run
	Ask     func(question string) ([]byte, error) // for a passphrase; nil: AskHidden

	// Environment is what TakeEnvironment gave; nil has Load call it.
	Environment Environment
}

// Environment holds the AGESEAL_ variables of the process, by name. They may be private keys.
type Environment map[string]string

// Set is what was found, in order.
type Set struct {
	Identities []*crypt.Identity // no recipient twice
	Further    []*crypt.Identity // tried as well, and read only when something is encrypted to such a key: ~/.ssh/id_ed25519
	Sources    []string          // where they came from, for messages: "$AGESEAL_IDENTITY", "~/.config/ageseal/identities"
}

// Recipient is that of the first identity of which it is known; for a file with a passphrase, somebody is asked. Errors: *KeyError if none is known.
func (s *Set) Recipient() (*crypt.Recipient, error) {
	var last error = &KeyError{"the recipient of a plugin's identity is not known",
		"write the line that the plugin printed, \"# recipient: age1…\", above the identity"}
	for _, id := range s.Identities {
		if r := id.Recipient(); r != nil {
			return r, nil
		}
		rs, err := id.Unlock()
		if len(rs) > 0 {
			return rs[0], nil
		}
		if err != nil {
			last = err
		}
	}
	return nil, last
}

// Load reads every source: o.Files, $AGESEAL_IDENTITY, $AGESEAL_IDENTITY_FILE, $AGESEAL_IDENTITY_COMMAND,
// the default file, and when something is encrypted to an ssh key ~/.ssh/id_ed25519. A source that is named has to exist and to hold an identity; the default file need
// not, and a Set without any identity is no error here. An empty variable counts as unset.
//
// However it ends, no AGESEAL_ variable is left in the process's environment: see TakeEnvironment.
//
// Errors are of type *SourceError and wrap fs.ErrNotExist, crypt.ErrIsRecipient, crypt.ErrUnsupported,
// ErrTooLarge or ErrEmpty where one of these is the reason.
func Load(o Options) (*Set, error) {
	env := o.Environment
	if env == nil {
		env = TakeEnvironment()
	}
	if o.Plugins == nil {
		o.Plugins = &Plugins{}
	}
	l := &loader{o: o, seen: make(map[string]bool)}
	for _, read := range []func() error{
		l.files,
		func() error { return l.variable(env[envIdentity]) },
		func() error { return l.fileList(env[envFiles]) },
		func() error { return l.command(env[envCommand]) },
		l.defaultFile,
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	l.defaultSSHKey()
	return &l.set, nil
}

// TakeEnvironment returns the AGESEAL_ variables and unsets them. Call it once and before anything is executed: a build
// may run functions and helm long before it needs a key. On Linux other processes of the same user can no longer read
// this one's memory and first environment either.
func TakeEnvironment() Environment {
	shield()
	env := make(Environment)
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		key := name
		if runtime.GOOS == "windows" { // where names have no case
			key = strings.ToUpper(name)
		}
		if strings.HasPrefix(key, envPrefix) {
			env[key] = value
			os.Unsetenv(name)
		}
	}
	return env
}

type loader struct {
	o    Options
	set  Set
	seen map[string]bool // recipients
}

func (l *loader) files() error {
	stdin := false
	for _, path := range l.o.Files {
		if path != "-" {
			if err := l.file(path, abbreviate(path)); err != nil {
				return err
			}
			continue
		}
		if stdin {
			continue
		}
		stdin = true
		if l.o.Stdin == nil {
			return &SourceError{Source: "standard input", Err: errors.New("not available here")}
		}
		if err := l.read("standard input", "standard input", l.o.Stdin); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) variable(value string) error {
	if value == "" {
		return nil
	}
	return l.read("$"+envIdentity, "$"+envIdentity, strings.NewReader(value))
}

func (l *loader) fileList(value string) error {
	for _, path := range filepath.SplitList(value) {
		if path == "" {
			continue
		}
		err := l.file(path, "$"+envFiles)
		if errors.Is(err, fs.ErrNotExist) {
			return &SourceError{Source: "$" + envFiles, Err: err}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) command(command string) error {
	if command == "" {
		return nil
	}
	out, err := run(command, l.o.Stderr)
	if err != nil {
		return &SourceError{Source: "$" + envCommand, Err: err}
	}
	return l.add("the output of $"+envCommand, "$"+envCommand, out)
}

func (l *loader) defaultFile() error {
	var err error
	if path, noHome := DefaultFile(); noHome == nil { // many containers have none
		err = l.file(path, abbreviate(path))
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrEmpty) {
		return nil
	}
	return err
}

// file reads one file; source is its name in Set.Sources.
func (l *loader) file(path, source string) error {
	where := abbreviate(path)
	f, err := os.Open(path)
	if err != nil {
		return &SourceError{Source: where, Err: reason(err)}
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil {
		l.warnIfShared(where, info)
	}
	return l.read(where, source, f)
}

// warnIfShared leaves out what is no regular file, such as the pipe of a process substitution.
func (l *loader) warnIfShared(where string, info fs.FileInfo) {
	if l.o.Warn == nil || !exposed(info) {
		return
	}
	l.o.Warn(fmt.Sprintf("%s can be read by other users: run \"chmod 600 %s\"", where, where))
}

// exposed goes by mode and owner. A file of somebody else that its group may only read is not: the group is how it was
// given to us, as Kubernetes mounts a Secret for a user that is not root, and its mode is not ours to change.
func exposed(info fs.FileInfo) bool {
	others := fs.FileMode(0o077)
	if ownedByOther(info) {
		others = 0o037
	}
	return runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&others != 0
}

// Paths are the files that Load reads without being told to: those of $AGESEAL_IDENTITY_FILE, and the default file. They
// need not exist, and none is opened.
func Paths(env Environment) []string {
	var paths []string
	for _, path := range filepath.SplitList(env[envFiles]) {
		if path != "" {
			paths = append(paths, path)
		}
	}
	if path, err := DefaultFile(); err == nil {
		paths = append(paths, path)
	}
	return paths
}

// Exposed reports whether other users may read the file at path, going by its mode and owner: it is not opened. On Windows,
// where the mode says nothing, it is false.
func Exposed(path string) (bool, error) {
	info, err := os.Stat(path)
	return err == nil && exposed(info), err
}

func (l *loader) read(where, source string, r io.Reader) error {
	text, err := readAll(r)
	if err != nil {
		return &SourceError{Source: where, Err: err}
	}
	return l.add(where, source, text)
}

func (l *loader) add(where, source, text string) error {
	ids, err := l.parse(where, text, false)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if r := id.Recipient(); r == nil || !l.seen[r.String()] {
			if r != nil {
				l.seen[r.String()] = true
			}
			l.set.Identities = append(l.set.Identities, id)
		}
	}
	if n := len(l.set.Sources); n == 0 || l.set.Sources[n-1] != source {
		l.set.Sources = append(l.set.Sources, source)
	}
	return nil
}
