package values

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ageseal/ageseal/manifest"
)

// AddEnvFile adds the lines of an env file (--from-env-file), as kubectl reads it: KEY=VALUE, blanks before the key dropped,
// the value as it stands, quotes and all; empty lines and such that begin with "#" mean nothing; a CR before the line end and
// a BOM are dropped. A bare KEY has its value from the environment; if that has none the value is empty, as in kubectl, with
// a warning. Keys don't begin with a digit.
//
// Faults name file and line: ErrKey, ErrTwice, ErrLimit (of a file, too: manifest.MaxFileSize), bytes that are no UTF-8. A
// text before "=" that is no key may be a piece of a value with line breaks, and is not quoted.
func (v *Values) AddEnvFile(path string) error {
	if info, err := os.Stat(path); path != "-" && err == nil && info.IsDir() {
		return &Error{Path: path, Err: errors.New("is a directory"), Hint: "name an env file; --from-file takes directories"}
	}
	data, err := v.read(path, manifest.MaxFileSize)
	if err != nil {
		return err
	}
	if path == "-" {
		path = "standard input"
	}
	if len(data) > manifest.MaxFileSize {
		return &Error{Path: path, Err: fmt.Errorf("%w: an env file of more than %d bytes", ErrLimit, manifest.MaxFileSize)}
	}
	return readEnv(data, func(line int, key, value string, bare bool) error {
		if bare {
			set := false
			if v.Getenv != nil {
				value, set = v.Getenv(key)
			}
			if !set {
				v.warn(path, line, key, "write KEY= for an empty value, or set it in the environment",
					"the environment has no value for it: sealed as an empty one")
			}
		}
		return at(path, line, v.Add(key, []byte(value)))
	}, func(line int, err error, hint string) error {
		return &Error{Path: path, Line: line, Err: err, Hint: hint}
	})
}

var bom = []byte("\ufeff")

// readEnv calls add for each line that has a key, until it returns an error; bare says that there was no "=". What can't be
// read is made an error by fault.
func readEnv(data []byte, add func(line int, key, value string, bare bool) error,
	fault func(line int, err error, hint string) error) error {
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		line = bytes.TrimSuffix(line, []byte("\r"))
		if !utf8.Valid(line) {
			return fault(n, errors.New("bytes that are no UTF-8"), "binary values come from files: --from-file")
		}
		if n == 1 {
			line = bytes.TrimPrefix(line, bom)
		}
		line = bytes.TrimLeftFunc(line, unicode.IsSpace)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key, value, found := strings.Cut(string(line), "=")
		if !manifest.IsSecretKey(key) || key[0] >= '0' && key[0] <= '9' {
			return fault(n, ErrKey, "a line is KEY=VALUE, KEY of letters, digits, '-', '_' and '.', "+
				"no digit and no '..' at the beginning; values with line breaks come from files")
		}
		if err := add(n, key, value, !found); err != nil {
			return err
		}
	}
	return nil
}

// at adds the place to a fault.
func at(path string, line int, err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Path, e.Line = path, line
	}
	return err
}
