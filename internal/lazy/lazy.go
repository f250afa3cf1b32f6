// Package lazy puts off what a start of the program should not pay for.
package lazy

import (
	"regexp"
	"sync"
)

// Regexp returns a function that gives the compiled expr. It is compiled when first asked for: a command that asks for
// none starts in half the time. Like regexp.MustCompile it panics on a malformed expr, but only then, so a test has to
// come by every one.
func Regexp(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
