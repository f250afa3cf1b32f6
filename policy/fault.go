package policy

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode"

	"github.com/ageseal/ageseal/internal/lazy"
)

// Error is a fault in a policy or in a pin. Error() is the text without the place: the caller knows the file.
type Error struct {
	Line int    // 1-based, 0 when no line is meant
	Err  error  // what is wrong
	Hint string // what to do next, "" if there is nothing to say
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// faults collects everything that is wrong with one file.
type faults struct {
	found []*Error
	more  int
}

func (f *faults) add(line int, hint, format string, args ...any) {
	if len(f.found) == maxFaults {
		f.more++
		return
	}
	f.found = append(f.found, &Error{Line: line, Err: fmt.Errorf(format, args...), Hint: hint})
}

// err joins the faults in the order of their lines; nil if there are none.
func (f *faults) err() error {
	if len(f.found) == 0 {
		return nil
	}
	sort.SliceStable(f.found, func(i, j int) bool { return f.found[i].Line < f.found[j].Line })
	errs := make([]error, 0, len(f.found)+1)
	for _, e := range f.found {
		errs = append(errs, e)
	}
	if f.more > 0 {
		errs = append(errs, &Error{Err: fmt.Errorf("%d more faults", f.more)})
	}
	return errors.Join(errs...)
}

// foundIdentity is the fault that is worth more than all others: the file is public.
func (f *faults) foundIdentity(line int) {
	for _, e := range f.found {
		if e.Line == line && errors.Is(e.Err, errIdentity) {
			return
		}
	}
	if len(f.found) >= maxFaults {
		f.more++
		return
	}
	f.found = append(f.found, &Error{Line: line, Err: errIdentity,
		Hint: "this file is public: if it was ever pushed, treat that key as lost"})
}

var errIdentity = errors.New("found an identity where a recipient was expected")

// identityText matches a private key in running text, a comment for instance. The bare prefix, which documentation
// mentions, is not one.
var identityText = lazy.Regexp(`(?i)AGE-SECRET-KEY-(PQ-)?1[a-z0-9]{32}|AGE-PLUGIN-[a-z0-9+._-]+-1[a-z0-9]{6}|-----BEGIN [A-Z0-9 ]*PRIVATE KEY`)

// looksPrivate reports whether a whole value is, or begins as, a private key.
func looksPrivate(s string) bool {
	s = strings.ToUpper(strings.TrimSpace(s))
	return strings.HasPrefix(s, "AGE-SECRET-KEY-") || strings.HasPrefix(s, "AGE-PLUGIN-") ||
		strings.HasPrefix(s, "-----BEGIN") || identityText().MatchString(s)
}

// longestQuote is short of what 32 bytes take in any encoding that keys are written in: base64 needs 43 characters.
const longestQuote = 40

// quote repeats a text of the file in a message, unless it may be a key.
func quote(s string) string {
	if len(s) > longestQuote || looksPrivate(s) || !printable(s) {
		return "(not repeated here)"
	}
	return strconv.Quote(s)
}

// quotePattern is quote for patterns, which are longer: their segments are judged one by one.
func quotePattern(s string) string {
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune("/._-", r) }) {
		if len(part) > longestQuote {
			return quote(part)
		}
	}
	if looksPrivate(s) || !printable(s) {
		return "(not repeated here)"
	}
	return s
}

func printable(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
