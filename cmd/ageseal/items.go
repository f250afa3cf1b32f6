package main

import (
	"bytes"
	"errors"
	"slices"
	"sort"

	"github.com/ageseal/ageseal/manifest"
)

func holds(f *manifest.File, kinds ...manifest.Kind) bool {
	return slices.ContainsFunc(f.Items(), func(i *manifest.Item) bool { return slices.Contains(kinds, i.Kind) })
}

func holdsNative(f *manifest.File) bool { return holds(f, manifest.Native) }
func holdsSealed(f *manifest.File) bool { return holds(f, manifest.Sealed) }
func holdsBroken(f *manifest.File) bool { return holds(f, manifest.Broken) }

func hasStandardInput(inputs []*input) bool {
	return slices.ContainsFunc(inputs, func(in *input) bool { return in.path == "" })
}

// pathFor is the path whose rule governs an input; standard input has the one that --stdin-name gives it, else that of a
// file in the working directory.
func pathFor(in *input, stdinName string) string {
	switch {
	case in.path != "":
		return in.path
	case stdinName != "":
		return stdinName
	}
	return "stdin.yaml"
}

// findSealed finds the sealed document for a Secret by its metadata.
func findSealed(f *manifest.File, namespace, name string) *manifest.EncryptedSecret {
	if f == nil {
		return nil
	}
	for _, item := range f.Items() {
		if item.Kind != manifest.Sealed {
			continue
		}
		if s, err := item.Sealed(); err == nil && s.Namespace == namespace && s.Name == name {
			return s
		}
	}
	return nil
}

// joinStreams makes one stream of several files.
func joinStreams(inputs []*input) []byte {
	var parts [][]byte
	ended := true
	for i, in := range inputs {
		text := in.file.Bytes()
		if !ended {
			parts = append(parts, []byte("\n"))
		}
		if i > 0 && !startsWithMarker(text) {
			parts = append(parts, []byte("---\n"))
			ended = true
		}
		if len(text) > 0 {
			parts = append(parts, text)
			ended = bytes.HasSuffix(text, []byte("\n"))
		}
	}
	return bytes.Join(parts, nil)
}

// startsWithMarker reports whether a stream begins with the marker of a document (YAML 1.2, "---" and white space).
func startsWithMarker(text []byte) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimPrefix(text, []byte("\ufeff")), []byte("---"))
	return ok && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}

// distinct joins errors, each text once: one missing policy is one problem, however many files wait for it.
func distinct(errs []error) error {
	seen := map[string]bool{}
	var kept []error
	for _, err := range errs {
		text := err.Error()
		var file *fileError
		if errors.As(err, &file) {
			text = file.err.Error()
		}
		if !seen[text] {
			seen[text] = true
			kept = append(kept, err)
		}
	}
	return errors.Join(kept...)
}

func keysOf[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func pathsOf(inputs []*input) []string {
	paths := make([]string, len(inputs))
	for i, in := range inputs {
		paths[i] = in.path
	}
	return paths
}
