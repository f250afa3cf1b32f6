package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/identity"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/internal/lazy"
	"github.com/ageseal/ageseal/kustomize"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/secret"
	"github.com/ageseal/ageseal/values"
)

// fileError says in which file a fault is.
type fileError struct {
	path string
	err  error
}

func (e *fileError) Error() string { return e.path + ": " + e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

// within names the file of a fault that does not name one itself.
func within(path string, err error) error {
	var named *fileError
	if errors.As(err, &named) {
		return err
	}
	return &fileError{path, err}
}

// hintError adds what to do next: a command to paste, if there is one.
type hintError struct {
	error
	hint string
}

func (e *hintError) Unwrap() error { return e.error }

func hinted(hint, format string, args ...any) error {
	return &hintError{fmt.Errorf(format, args...), hint}
}

// report prints an error, each of joined ones by itself, as "ageseal: error: <where>: <what>" and a hint.
func (c *cli) report(err error) {
	if errors.Is(err, errLeftUndone) || errors.Is(err, errPassedOn) {
		return
	}
	all := c.messages("", err)
	for i, m := range all {
		c.say("error", m.text)
		// One hint for all the messages in a row that it is for.
		if m.hint != "" && (i+1 == len(all) || all[i+1].hint != m.hint) {
			c.say("hint", m.hint)
		}
	}
}

func (c *cli) warn(text, hint string) {
	c.say("warning", text)
	if hint != "" {
		c.say("hint", hint)
	}
}

// warnAll prints what a use case had to say of one file.
func (c *cli) warnAll(path string, warnings []secret.Error) {
	for _, w := range warnings {
		m := c.faultMessage(path, &w)
		if errors.Is(&w, secret.ErrManyKeys) {
			m.hint = "whoever can read it brings all values under one: ageseal rekey --consolidate " + quoted(path)
		}
		c.warn(m.text, m.hint)
	}
}

func (c *cli) say(what, text string) {
	fmt.Fprintf(c.err, "ageseal: %s: %s\n", what, shown(strings.TrimRight(text, "\n")))
}

// note is a line of progress: what was done to which file. --quiet silences it.
func (c *cli) note(format string, args ...any) {
	if !c.quiet {
		fmt.Fprintln(c.err, shown(fmt.Sprintf(format, args...)))
	}
}

// privateKey is the text of an identity, as somebody may pass it where a file or a recipient belongs.
var privateKey = lazy.Regexp(`(?i)(AGE-SECRET-KEY-(?:PQ-)?|AGE-PLUGIN-[a-z0-9+._-]+-)1[a-z0-9]+`)

// shown makes a text fit for a terminal and for a CI log: names in it may come from a repository. A private key in it is
// left out, control characters and what changes the direction of text are escaped, and so is what CI systems take for a
// command of theirs ("::" that begins a line, "##[", "##vso["); line breaks stay only where a message of ours has them,
// before an indented line.
func shown(text string) string {
	if isHarmless(text) {
		return text
	}
	text = privateKey().ReplaceAllString(text, "${1}…")
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == ':' && strings.HasPrefix(text[i:], "::") && strings.TrimSpace(text[:i]) == "", r == '#' && i > 0 && text[i-1] == '#':
			fmt.Fprintf(&b, `\x%x`, r)
		case r == '\n' && strings.HasPrefix(text[i+1:], "  ") && !strings.HasPrefix(strings.TrimLeft(text[i+1:], " "), "::"):
			b.WriteRune(r)
		case r == '\t', r == '…', r == '→', unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// isHarmless tells a text of printable ASCII that has not even the beginning of a private key, at a fraction of the cost.
func isHarmless(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < ' ' || text[i] > '~' || text[i] == '#' || text[i] == ':' && i+1 < len(text) && text[i+1] == ':' || text[i] == '-' && i >= 3 && strings.EqualFold(text[i-3:i], "age") {
			return false
		}
	}
	return true
}

type message struct{ text, hint string }

// messages flattens an error into what people read. path is the file that an enclosing error named. Wrappers around a
// located fault only add how the program got there, which is of no use to the reader.
func (c *cli) messages(path string, err error) []message {
	switch e := err.(type) {
	case *fileError:
		return c.messages(e.path, e.err)
	case *secret.Error:
		return []message{c.faultMessage(path, e)}
	case *kustomize.Error:
		return []message{c.faultMessage(e.File, &secret.Error{Line: e.Line, Secret: e.Secret, Key: e.Key, Err: e.Err, Hint: e.Hint})}
	case *values.Error:
		return []message{valuesMessage(path, e)}
	case *git.Error:
		return []message{{place(path, 0) + e.Error(), e.Hint}}
	case *policy.Error:
		return []message{{place(path, e.Line) + e.Error(), e.Hint}}
	case *hintError:
		return []message{{place(path, 0) + e.Error(), e.hint}}
	case *identity.KeyError:
		return []message{{place(path, 0) + e.Error(), e.Hint()}}
	case interface{ Unwrap() []error }:
		var all []message
		for _, joined := range e.Unwrap() {
			all = append(all, c.messages(path, joined)...)
		}
		return all
	}
	if located(err) {
		return c.messages(path, errors.Unwrap(err))
	}
	return []message{{place(path, 0) + systemText(path, err), systemHint(err)}}
}

// located reports whether a fault with a place or a hint is somewhere inside err.
func located(err error) bool {
	var file *fileError
	var fault *secret.Error
	var built *kustomize.Error
	var rule *policy.Error
	var hint *hintError
	var ofGit *git.Error
	var value *values.Error
	var key *identity.KeyError
	return errors.As(err, &key) || errors.As(err, &value) || errors.As(err, &ofGit) || errors.As(err, &file) || errors.As(err, &built) || errors.As(err, &fault) || errors.As(err, &rule) || errors.As(err, &hint)
}

// faultMessage is the text for one Secret's fault; what concerns people's keys is said with their names.
func (c *cli) faultMessage(path string, e *secret.Error) message {
	var none *secret.NoIdentityError
	var widen *secret.WidenError
	var widenFile *secret.WidenFileError
	who := ""
	if e.Secret != "" {
		who = "Secret " + e.Secret
	}
	switch {
	case errors.As(e.Err, &none) && len(none.To) == 0: // a sealed file
		text := fmt.Sprintf("%sno identity opens it (%s)", place(path, 0), c.tried())
		return unusable(message{text, c.noIdentityHint("runs: ageseal rekey " + quoted(path))}, none)
	case errors.As(e.Err, &none):
		text := fmt.Sprintf("%sno identity opens %s (readable by %s; %s)", place(path, 0), who, c.names(none.To), c.tried())
		return unusable(message{text, cmp.Or(c.groupHint(none.To), c.noIdentityHint("runs: ageseal rekey "+quoted(path)))}, none)
	case errors.As(e.Err, &widen):
		text := fmt.Sprintf("%s%s: was sealed for %s; this path would add %s", place(path, e.Line), who, c.names(widen.To), c.names(widen.Added))
		return message{text, "if they may read it: ageseal rekey --widen " + quoted(path)}
	case errors.As(e.Err, &widenFile):
		text := fmt.Sprintf("%s%s: %v; rekey would open it to %s", place(path, 0), who, widenFile, c.names(widenFile.Target))
		return message{text, "if they may read it: ageseal rekey --widen " + quoted(path)}
	}
	text := place(path, e.Line)
	if who != "" {
		text += who + ": "
	}
	if e.Key != "" {
		text += "key " + e.Key + ": "
	}
	if key, ok := errors.AsType[*identity.KeyError](e.Err); ok && e.Hint == "" {
		return message{text + e.Err.Error(), key.Hint()}
	}
	return message{text + e.Err.Error(), e.Hint}
}

// unusable adds to a message which identities could not be tried, and why: to mend that comes before asking others.
func unusable(m message, none error) message {
	var found *crypt.UnavailableError
	if !errors.As(none, &found) {
		return m
	}
	var why []string
	next := ""
	for _, reason := range found.Reasons {
		if !slices.Contains(why, reason.Error()) {
			why = append(why, reason.Error())
		}
		if key, ok := errors.AsType[*identity.KeyError](reason); ok && next == "" {
			next = key.Hint()
		}
	}
	return message{m.text + ": " + strings.Join(why, "; "), cmp.Or(next, m.hint)}
}

// valuesMessage is the text for a fault in a source of values.
func valuesMessage(path string, e *values.Error) message {
	text := place(cmp.Or(e.Path, path), e.Line)
	if e.Key != "" {
		text += "key " + e.Key + ": "
	}
	return message{text + e.Error(), cmp.Or(e.Hint, systemHint(e))}
}

// eachFault copies an error with a change made to each fault of a Secret in it.
func eachFault(err error, change func(*secret.Error)) error {
	switch e := err.(type) {
	case *secret.Error:
		copied := *e
		change(&copied)
		return &copied
	case interface{ Unwrap() []error }:
		var all []error
		for _, joined := range e.Unwrap() {
			all = append(all, eachFault(joined, change))
		}
		return errors.Join(all...)
	}
	return err
}

func place(path string, line int) string {
	switch {
	case path == "":
		return ""
	case line == 0:
		return path + ": "
	}
	return fmt.Sprintf("%s:%d: ", path, line)
}

// systemText drops a path that the operating system's error repeats, and Go's names of system calls.
func systemText(path string, err error) string {
	var e *fs.PathError
	if errors.As(err, &e) {
		if path == "" {
			return relative(e.Path) + ": " + e.Err.Error()
		}
		return e.Err.Error()
	}
	// kustomize's texts have lines.
	return strings.Join(strings.Fields(err.Error()), " ")
}

func systemHint(err error) string {
	source, ofIdentity := errors.AsType[*identity.SourceError](err)
	switch {
	case ofIdentity && source.Hint() != "":
		return source.Hint()
	case errors.Is(err, atomicfile.ErrChanged):
		return "nothing was overwritten; run the command again"
	case errors.Is(err, fs.ErrPermission):
		return "nothing was written; check the permissions of the file and its directory"
	}
	return ""
}

// names joins the policy's names for fingerprints; who has none stays a fingerprint.
func (c *cli) names(fingerprints []string) string {
	names := make([]string, len(fingerprints))
	for i, f := range fingerprints {
		names[i] = f
		for j, p := range c.known {
			if name := p.NameOf(f); name != "" {
				names[i] = name + former(c.known[:j], name)
				break
			}
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// former says that a group has another identity by now, if a policy that counts for more says so.
func former(policies []*policy.Policy, group string) string {
	for _, p := range policies {
		if g, ok := p.Group(group); ok && g.Recipient != nil {
			return " (its former identity)"
		}
	}
	return ""
}

// quoted is a path as it can be pasted into a shell.
func quoted(path string) string {
	if path != "" && strings.IndexFunc(path, func(r rune) bool {
		return !strings.ContainsRune("/._-+=:@%,", r) && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	}) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// tried says which private keys were there to try.
func (c *cli) tried() string {
	if c.keys == nil || len(c.keys.Identities) == 0 {
		for _, name := range []string{"AGESEAL_IDENTITY", "AGESEAL_IDENTITY_FILE", "AGESEAL_IDENTITY_COMMAND"} {
			if value, set := c.environment[name]; set && value == "" { // a secret of the CI that this job does not get
				return "no identity found: $" + name + " is empty"
			}
		}
		return "no identity found"
	}
	return fmt.Sprintf("tried %d from %s", len(c.keys.Identities), strings.Join(c.keys.Sources, ", "))
}

func (c *cli) noIdentityHint(lets string) string {
	if c.keys == nil || len(c.keys.Identities) == 0 {
		return `name one with --identity FILE or $AGESEAL_IDENTITY_FILE, or put it into $AGESEAL_IDENTITY; "ageseal keygen" makes one`
	}
	return fmt.Sprintf("someone who can read it adds you to %s and %s", policy.FileName, lets)
}
