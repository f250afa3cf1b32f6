package values

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ageseal/ageseal/manifest"
)

// ErrSource: text that names no file, whatever there is on disk.
var ErrSource = errors.New("a file is path or key=path")

// AddFile adds what --from-file gives, [key=]path: a file under the key or its base name, as it is; of a directory every
// regular file right in it, under its name. Links and whatever else a directory holds are left out, with a warning: of a
// mounted Secret that is everything. A file whose name is no key is refused, as kubectl does (its help says otherwise).
func (v *Values) AddFile(source string) error {
	key, path, named := strings.Cut(source, "=")
	fault := func(text, hint string) error { return &Error{Err: fmt.Errorf("%w: %s", ErrSource, text), Hint: hint} }
	switch {
	case !named:
		path = source
	case strings.Contains(path, "="):
		return fault("key names and file paths can't contain '='", "rename the file, or pipe it in: key=-")
	case key == "":
		return fault("the key is missing before '='", keyRule)
	case path == "":
		return fault("the path is missing behind '='", "")
	}
	if path == "-" && !named {
		return fault("standard input needs a key", "key=-")
	}
	if path == "-" {
		return v.AddFileAs(key, path)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return pathError(path, err)
	case info.IsDir() && named:
		return &Error{Path: path, Err: errors.New("a directory can't have a key"),
			Hint: "name its files one by one, or leave the key away"}
	case info.IsDir():
		return v.addDirectory(path)
	case !named:
		key = filepath.Base(path)
	}
	return v.AddFileAs(key, path)
}

// AddFileAs adds a file under a key, as it is; "-" is standard input. A path may hold "=".
func (v *Values) AddFileAs(key, path string) error {
	if err := v.Check(key); err != nil {
		return in(path, err)
	}
	value, err := v.read(path, manifest.MaxTotal-v.total)
	if err != nil {
		return err
	}
	if len(value) > manifest.MaxTotal-v.total {
		return v.tooMuch(path, key)
	}
	return v.Add(key, value)
}

func (v *Values) addDirectory(path string) error {
	files, err := os.ReadDir(path) // sorted
	if err != nil {
		return pathError(path, err)
	}
	var skipped []string
	for _, f := range files {
		if !f.Type().IsRegular() {
			skipped = append(skipped, f.Name())
			continue
		}
		if err := v.AddFileAs(f.Name(), filepath.Join(path, f.Name())); err != nil {
			return err
		}
	}
	if len(skipped) > 0 {
		v.warn(path, 0, "", "name the ones that you want, each with --from-file",
			"left out, being no regular files: %s", strings.Join(skipped, ", "))
	}
	return nil
}

// read reads at most one byte more than the limit: a device has no end. A pipe is fine, as shells make them for <(command).
func (v *Values) read(path string, limit int) ([]byte, error) {
	var r io.Reader
	if path == "-" {
		if r = v.Stdin; r == nil {
			return nil, &Error{Err: ErrStdin, Hint: "one value comes from standard input, the others from files"}
		}
		v.Stdin = nil
		path = "standard input"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, pathError(path, err)
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, pathError(path, err)
	}
	return data, nil
}

// in names the file of a fault.
func in(path string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Path = path
	}
	return err
}

// pathError leaves out Go's names of system calls.
func pathError(path string, err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		err = e.Err
	}
	return &Error{Path: path, Err: err}
}
