package kustomize

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// strictReader walks the nodes of a Decrypter and collects what is wrong with them. No message quotes a value.
type strictReader struct {
	file   string
	faults []error
}

func (r *strictReader) add(line int, hint, format string, args ...any) {
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, &Error{File: r.file, Line: line, Err: factf(ErrDecrypter, format, args...), Hint: hint})
	}
}

// plain refuses what makes a YAML tree another one than it looks. It never follows an alias.
func (r *strictReader) plain(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.add(n.Line, "write the value out", "YAML anchors and aliases are not supported here")
		return
	case n.Style&yaml.TaggedStyle != 0:
		r.add(n.Line, "", "YAML tags are not supported here")
	}
	for _, c := range n.Content {
		r.plain(c)
	}
}

// fields reads a mapping of a fixed set of names; "*" is in front of those that must be there.
func (r *strictReader) fields(n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	got := make(map[string]*yaml.Node)
	if n.Kind != yaml.MappingNode {
		r.add(n.Line, "", "%s must be a mapping", what)
		return got
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case !slices.Contains(known, k.Value) && !slices.Contains(known, "*"+k.Value):
			r.add(k.Line, "known are "+strings.ReplaceAll(strings.Join(known, ", "), "*", ""), "unknown field in %s", what)
		case got[k.Value] != nil:
			r.add(k.Line, "", "duplicate %s in %s", k.Value, what)
		default:
			got[k.Value] = n.Content[i+1]
		}
	}
	for _, k := range known {
		if name, required := strings.CutPrefix(k, "*"); required && got[name] == nil {
			r.add(n.Line, "", "%s: %s is missing", what, name)
		}
	}
	return got
}

func (r *strictReader) string(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != yaml.NodeTagString || n.Value == "" {
		r.add(n.Line, "", "%s must be a text", what)
		return ""
	}
	return n.Value
}

func (r *strictReader) patterns(n *yaml.Node) (all []pattern) {
	switch {
	case n.Kind != yaml.SequenceNode || len(n.Content) == 0:
		r.add(n.Line, "", "spec.files must be a list of paths")
		return nil
	case len(n.Content) > maxPatterns:
		r.add(n.Line, "use patterns: secrets/*.yaml", "spec.files has more than %d entries", maxPatterns)
		return nil
	}
	for _, c := range n.Content {
		text := r.string(c, "an entry of spec.files")
		if text == "" {
			continue
		}
		if hint, err := checkPattern(text); err != nil {
			r.faults = append(r.faults, &Error{File: r.file, Line: c.Line, Err: err, Hint: hint})
			continue
		}
		all = append(all, pattern{path.Clean(text), c.Line})
	}
	return all
}

// checkPattern refuses an entry of spec.files that is no path below the kustomization on every platform, or that means
// something else to other tools.
func checkPattern(text string) (hint string, err error) {
	segments := strings.Split(text, "/")
	switch {
	case len(text) > maxPattern || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", factf(ErrDecrypter, "a path is one line of at most %d printable characters", maxPattern)
	case strings.Contains(text, `\`):
		return `directories are separated by "/"`, factf(ErrDecrypter, `a path with "\" in it`)
	case path.IsAbs(text) || slices.Contains(segments, "..") || !filepath.IsLocal(filepath.FromSlash(text)):
		return hintOutside(ErrOutside), factf(ErrOutside, "a path that leads outside the kustomization")
	case strings.Contains(text, "**"):
		return "name each directory: a/*.yaml, b/*.yaml", factf(ErrDecrypter, `"**" is not supported`)
	}
	for _, s := range segments {
		if _, err := path.Match(s, ""); err != nil {
			return "a set looks like [a-z]", factf(ErrDecrypter, "malformed character set in a pattern")
		}
	}
	return "", nil
}
