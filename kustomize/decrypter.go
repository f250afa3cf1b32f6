package kustomize

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/ageseal/ageseal/manifest"
)

// Decrypter is configuration of a generator: which files of a kustomization hold sealed manifests.
//
//	apiVersion: ageseal.dev/v1alpha1
//	kind: Decrypter
//	metadata:
//	  name: shop
//	spec:
//	  files:
//	  - db.yaml
//	  - secrets/*.yaml
//
// Paths are relative to the kustomization that lists it, with slashes. "*", "?" and "[a-z]" stand for what they do in
// path.Match, never for a slash. Nothing leads out of the kustomization's directory, neither ".." nor a link; nor is an
// absolute link followed.
type Decrypter struct {
	Name string

	file     string // it was read from, for messages
	patterns []pattern
}

// pattern is one entry of spec.files.
type pattern struct {
	text string
	line int
}

// SealedFile is a file that holds sealed manifests and nothing else.
type SealedFile struct {
	Path string // as messages show it
	File *manifest.File

	full string // resolved but for links below the directory of the kustomization
}

// Limits of a Decrypter.
const (
	maxPatterns = 1024    // entries of spec.files
	maxMatches  = 1 << 14 // files that they stand for
	maxSteps    = 1 << 16 // names looked at for all of them: links to "." make any number of paths
	maxPattern  = 1024    // bytes of an entry
)

// ParseDecrypter reads a Decrypter strictly: unknown fields, duplicates, aliases, anchors, tags are faults. file is its
// name for messages. All faults come joined, each an *Error with its line.
func ParseDecrypter(file string, src []byte) (*Decrypter, error) {
	objects, err := Objects(src)
	switch {
	case err != nil:
		return nil, &Error{File: file, Err: err}
	case len(objects) != 1:
		return nil, &Error{File: file, Err: factf(ErrDecrypter, "a Decrypter stands in a document and a file of its own")}
	}
	return readDecrypter(file, objects[0])
}

func readDecrypter(file string, n *yaml.Node) (*Decrypter, error) {
	r := &strictReader{file: file}
	d := &Decrypter{file: file}
	if r.plain(n); len(r.faults) > 0 {
		return nil, errors.Join(r.faults...)
	}
	top := r.fields(n, "a Decrypter", "*apiVersion", "*kind", "*metadata", "*spec")
	for name, want := range map[string]string{"apiVersion": APIVersion, "kind": DecrypterKind} {
		if v := top[name]; v != nil && v.Value != want {
			r.add(v.Line, "", "%s must be %s", name, want)
		}
	}
	if m := top["metadata"]; m != nil {
		fields := r.fields(m, "metadata", "*name", "namespace", "labels", "annotations")
		if name := fields["name"]; name != nil {
			d.Name = r.string(name, "metadata.name")
		}
		if a := fields["annotations"]; a != nil {
			for _, name := range []string{hashAnnotation, behaviorAnnotation} {
				if v := lookup(a, name); v != nil {
					r.add(v.Line, "annotate the sealed manifests that it is meant for", "%s has no effect on a Decrypter", name)
				}
			}
		}
	}
	if s := top["spec"]; s != nil {
		if list := r.fields(s, "spec", "*files")["files"]; list != nil {
			d.patterns = r.patterns(list)
		}
	}
	if len(r.faults) > 0 {
		return nil, errors.Join(r.faults...)
	}
	return d, nil
}

// Open reads the files of a Decrypter that a kustomization in dir lists. Each must hold sealed manifests and nothing
// else, and each entry of the list must stand for a file. Nothing is decrypted. All faults come joined, each an *Error.
func (d *Decrypter) Open(dir string) ([]*SealedFile, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &Error{File: shortPath(dir), Err: cause(err)}
	}
	defer root.Close()
	var names []string
	var faults []error
	steps := maxSteps
	for _, p := range d.patterns {
		found, err := expand(root.FS(), p.text, &steps)
		switch {
		case err != nil:
			faults = append(faults, d.fault(p.line, outside(err)))
		case len(found) == 0:
			faults = append(faults, d.fault(p.line, factf(fs.ErrNotExist, "%s matches no file", p.text)))
		}
		if names = append(names, found...); len(names) > maxMatches {
			return nil, d.fault(p.line, factf(manifest.ErrLimit, "more than %d files", maxMatches))
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	slices.Sort(names)
	var files []*SealedFile
	for _, name := range slices.Compact(names) {
		full := filepath.Join(dir, filepath.FromSlash(name))
		shown := shortPath(full)
		src, err := readInside(root, name)
		if err != nil {
			faults = append(faults, &Error{File: shown, Err: outside(err), Hint: hintOutside(err)})
			continue
		}
		f, err := onlySealed(shown, src)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		files = append(files, &SealedFile{shown, f, full})
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return files, nil
}

func (d *Decrypter) fault(line int, err error) *Error {
	return &Error{File: d.file, Line: line, Err: err, Hint: hintOutside(err)}
}

// expand lists the files that a pattern stands for. Unlike fs.Glob it is silent about nothing but what does not match:
// a directory that can't be read, or a link that leads out, is an error.
// Each name that is looked at is one of steps.
func expand(fsys fs.FS, pattern string, steps *int) ([]string, error) {
	found := []string{"."}
	matched := false // a segment before this one was a pattern: what lacks the next is no match, and no fault
	segments := strings.Split(pattern, "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		var next []string
		for _, dir := range found {
			names := []string{segment}
			if isGlob(segment) {
				entries, err := fs.ReadDir(fsys, dir)
				if err != nil {
					return nil, err
				}
				names = nil
				*steps -= len(entries)
				for _, e := range entries {
					if ok, err := path.Match(segment, e.Name()); err != nil {
						return nil, err
					} else if ok {
						names = append(names, e.Name())
					}
				}
			}
			if *steps -= len(names); *steps < 0 {
				return nil, factf(manifest.ErrLimit, "the patterns stand for too many paths, %d names at most", maxSteps)
			}
			for _, name := range names {
				name = path.Join(dir, name)
				info, err := fs.Stat(fsys, name)
				switch {
				case errors.Is(err, fs.ErrNotExist) && matched && !isGlob(segment):
				case err != nil:
					return nil, &fs.PathError{Op: "stat", Path: name, Err: fmt.Errorf("%s: %w", name, cause(err))}
				case last || info.IsDir():
					next = append(next, name)
				case !isGlob(segment) && !matched:
					return nil, fmt.Errorf("%s is no directory", name)
				}
			}
		}
		found = next
		matched = matched || isGlob(segment)
	}
	return found, nil
}

func isGlob(segment string) bool { return strings.ContainsAny(segment, "*?[") }

// readInside reads a file that no link leads out of root from, to one byte more than a manifest may have.
func readInside(root *os.Root, name string) ([]byte, error) {
	info, err := root.Stat(name) // first: to open a pipe is to wait for somebody who writes
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, manifest.MaxFileSize+1))
}

// outside gives the error of an os.Root for a path that leads out of it a sentinel; the library's own has no name.
func outside(err error) error {
	err = cause(err)
	if strings.Contains(err.Error(), "path escapes from parent") {
		return factf(ErrOutside, "%s", strings.ReplaceAll(err.Error(), "path escapes from parent", "leads outside the kustomization"))
	}
	return err
}

func hintOutside(err error) string {
	if errors.Is(outside(err), ErrOutside) {
		return "a Decrypter opens what lies in its kustomization's directory; list one there"
	}
	return ""
}
