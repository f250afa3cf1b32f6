package values

import (
	"errors"
	"strings"
)

// AddLiteral adds what --from-literal gives, key=value: split at the first "=", quotes and blanks kept. A text without "="
// may be a value whose key was forgotten, and is not quoted.
func (v *Values) AddLiteral(text string) error {
	key, value, found := strings.Cut(text, "=")
	if !found || key == "" {
		return &Error{Err: errors.New("a literal is key=value"), Hint: keyRule}
	}
	return v.Add(key, []byte(value))
}
