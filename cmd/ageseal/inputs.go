package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/manifest"
)

// input is a manifest to work on: a file, or standard input.
type input struct {
	shown string // as messages name it
	path  string // the file itself, absolute and with links resolved; "" for standard input
	data  []byte
	file  *manifest.File
	given bool // named by the user, not found in a directory
}

// inputs reads what the arguments mean: files, "-", and the manifests below directories. A link that is named is
// followed, one that a walk meets is not. It reports every file that can't be read or parsed, and whether a directory
// was among the arguments.
func (c *cli) inputs(args []string) (found []*input, directory bool, err error) {
	var errs []error
	seen := map[string]bool{}
	add := func(in *input, err error) {
		switch {
		case err != nil:
			errs = append(errs, err)
		case in == nil || in.path != "" && seen[in.path]:
		default:
			seen[in.path] = true
			found = append(found, in)
		}
	}
	for _, arg := range args {
		if arg == "-" {
			in, err := c.standardInput()
			add(in, err)
			continue
		}
		info, err := os.Stat(arg)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if !info.IsDir() {
			in, err := readInput(arg)
			add(in, err)
			continue
		}
		directory = true
		dir, err := filepath.EvalSymlinks(arg)
		if err == nil {
			dir, err = filepath.Abs(dir)
		}
		var paths []string
		if err == nil {
			paths, err = manifestsBelow(dir)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, path := range paths {
			in, err := readFound(arg, dir, path)
			add(in, err)
		}
	}
	return found, directory, errors.Join(errs...)
}

// shownName is how messages name an argument.
func shownName(arg string) string {
	if arg == "-" {
		return "standard input"
	}
	return arg
}

func (c *cli) standardInput() (*input, error) {
	data, err := io.ReadAll(io.LimitReader(c.in, manifest.MaxFileSize+1))
	if err != nil {
		return nil, &fileError{"standard input", err}
	}
	return parseInput(&input{shown: "standard input", data: data, given: true})
}

func readInput(path string) (*input, error) {
	if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		// A process substitution, or another pipe: to be read once, with no name of its own that could be resolved or replaced.
		data, err := readBounded(path)
		if err != nil {
			return nil, err
		}
		return parseInput(&input{shown: path, data: data, given: true})
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err == nil {
		resolved, err = filepath.Abs(resolved)
	}
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(resolved)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fileError{path, errNotRegular}
	}
	return readResolved(&input{shown: path, path: resolved, given: true})
}

// readFound reads a file that a walk found below dir, which is what arg resolves to. One that is too large concerns us
// only if it could hold a Secret.
func readFound(arg, dir, found string) (*input, error) {
	rel, err := filepath.Rel(dir, found)
	if err != nil {
		return nil, err
	}
	in, err := readResolved(&input{shown: filepath.Join(arg, rel), path: found})
	if errors.Is(err, manifest.ErrLimit) && !mentionsSecret(found) {
		return nil, nil
	}
	return in, err
}

func readResolved(in *input) (*input, error) {
	data, err := readBounded(in.path)
	if err != nil {
		return nil, err
	}
	in.data = data
	return parseInput(in)
}

// mentionsSecret looks for the word in a file of any size, in bounded memory.
func mentionsSecret(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	kept := 0
	for {
		n, err := f.Read(buf[kept:])
		if bytes.Contains(buf[:kept+n], []byte("Secret")) {
			return true
		}
		if err != nil {
			return false
		}
		tail := min(kept+n, len("Secret")-1)
		copy(buf, buf[kept+n-tail:kept+n])
		kept = tail
	}
}

func parseInput(in *input) (*input, error) {
	if crypt.IsArmored(in.data) {
		if !in.given {
			return nil, nil // a walk looks for manifests
		}
		return nil, &fileError{in.shown, &hintError{errSealedFile, "ageseal decrypt " + quoted(in.shown) + " writes what it holds, ageseal edit changes it; only encrypt --as makes one"}}
	}
	f, err := manifest.Parse(in.data)
	if err != nil {
		return nil, &fileError{in.shown, err}
	}
	in.file = f
	return in, nil
}

// readBounded reads one byte more than a manifest may have, so that the limit is noticed and memory stays bounded.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var size int64
	if info, err := f.Stat(); err == nil {
		size = min(info.Size(), manifest.MaxFileSize)
	}
	buf := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	_, err = buf.ReadFrom(io.LimitReader(f, manifest.MaxFileSize+1))
	return buf.Bytes(), err
}

// manifestsBelow lists the YAML and JSON files below a directory. Links and .git are not followed.
func manifestsBelow(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git" && path != dir:
			return filepath.SkipDir
		case d.Type().IsRegular() && isManifestName(d.Name()):
			paths = append(paths, path)
		}
		return nil
	})
	return paths, err
}

func isManifestName(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(name)))
}

// write replaces other files and the inputs whose text changed, all or none.
func (c *cli) write(inputs []*input, files ...atomicfile.File) error {
	files, err := replacements(inputs, files...)
	if err != nil {
		return err
	}
	return atomicfile.WriteAll(files)
}

// replacements are files with the inputs whose text changed behind them. What a killed run left beside the others is removed.
func replacements(inputs []*input, files ...atomicfile.File) ([]atomicfile.File, error) {
	var done []string
	for _, in := range inputs {
		switch {
		case in.file.Changed() && in.path == "":
			return nil, &fileError{in.shown, hinted("name a file", "can't be replaced")}
		case in.file.Changed():
			data := in.file.Bytes()
			if err := fits(in.shown, data); err != nil {
				return nil, err
			}
			files = append(files, atomicfile.File{Path: in.path, Data: data, Old: in.data})
		case in.path != "":
			done = append(done, in.path)
		}
	}
	atomicfile.RemoveLeftovers(done)
	return files, nil
}

// fits refuses a manifest that would be larger than what is read back.
func fits(shown string, data []byte) error {
	if len(data) > manifest.MaxFileSize {
		return &fileError{shown, hinted("split it into several files", "%w: it would be larger than the 8 MiB of a manifest", manifest.ErrLimit)}
	}
	return nil
}

// writeOutput puts data on standard output, or into a file that is replaced as a whole. Plaintext gets mode 0600.
func (c *cli) writeOutput(path string, data []byte, mode fs.FileMode) error {
	if path == "" || path == "-" {
		_, err := c.out.Write(data)
		return err
	}
	old, err := readExisting(path)
	if errors.Is(err, errNotRegular) {
		// A device or a pipe is written to, never replaced: build -o /dev/null is common.
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return errors.Join(err, f.Close())
	}
	if err != nil {
		return err
	}
	if old != nil {
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	plaintext := mode == 0o600
	if err := atomicfile.WriteAll([]atomicfile.File{{Path: path, Data: data, Old: old, Mode: mode, Private: plaintext}}); err != nil {
		return err
	}
	if plaintext {
		c.warnExposed(path, "plaintext")
	}
	return nil
}

// writeJSON puts what a program asked for on standard output.
func (c *cli) writeJSON(what any) error {
	text, err := json.MarshalIndent(what, "", "  ")
	if err == nil {
		_, err = c.out.Write(append(text, '\n'))
	}
	return err
}

var errNotRegular = errors.New("not a regular file")

// readExisting reads what a file that is to be replaced holds, nil if there is none.
func readExisting(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, &fileError{path, errors.New("is a directory")}
	case !info.Mode().IsRegular():
		return nil, errNotRegular
	}
	old, err := os.ReadFile(path)
	if old == nil {
		old = []byte{} // there, and empty
	}
	return old, err
}

// lock keeps other writing runs away from the repositories, or else directories, that the arguments lie in.
func (c *cli) lock(args []string) (unlock func(), err error) {
	var dirs []string
	for _, arg := range args {
		if arg == "-" {
			continue
		}
		path, err := filepath.EvalSymlinks(arg)
		if err != nil {
			return nil, err
		}
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		dir := path
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			dir = filepath.Dir(path)
		}
		if top, ok := topLevel(dir); ok {
			dir = top
		}
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	sort.Strings(dirs) // always in one order: two runs can't wait for each other
	var unlocks []func()
	for _, dir := range dirs {
		u, err := atomicfile.Lock(dir, func() { c.note("%s: waiting for another run to finish", dir) })
		if err != nil {
			return nil, err
		}
		unlocks = append(unlocks, u)
	}
	return func() {
		for _, u := range unlocks {
			u()
		}
	}, nil
}

// count says "1 file", "2 files".
func count(n int, what string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
