package policy

import (
	"path"
	"strings"
)

// glob is a pattern over slash-separated paths, relative to the policy's directory. It matches whole paths of files,
// byte for byte (case-sensitive on every platform):
//
//	**            as a whole segment: any number of directories, none included; as the last one: everything below
//	*  ?  [a-z]   any characters, one character, one of a set – never a slash; names that begin with a dot included
//	no slash      the name at any depth, as in .gitignore
//	/x            x in the policy's directory only
//
// There is no negation, no escape and no brace expansion: a pattern that would need one is refused, because one that
// quietly matches nothing hands its files to the next, perhaps wider rule. Unlike .gitignore, the name of a directory
// does not match what is below it.
type glob struct{ segments []string }

const anyDepth = "**"

// parseGlob returns the compiled pattern, or what is wrong with it and what to do.
func parseGlob(pattern string) (g glob, fault, hint string) {
	switch {
	case pattern == "":
		return g, "empty pattern", `"**" matches every file`
	case len(pattern) > maxPattern || !printable(pattern):
		return g, "a pattern is one line of at most 1024 printable characters", ""
	case strings.Contains(pattern, "!"):
		return g, `"!" is not supported in patterns`, "the first rule that matches wins: put the exception in a rule before this one"
	case strings.Contains(pattern, `\`):
		return g, `"\" is not supported in patterns`, `separate directories by "/"; "?" stands for any one character`
	case strings.ContainsAny(pattern, "{}"):
		return g, "braces are not supported in patterns", `write a rule for each; "?" stands for any one character`
	case strings.HasSuffix(pattern, "/"):
		return g, "a pattern matches files, not directories", `to match all files below a directory, end the pattern with "/**"`
	}
	rooted := strings.TrimPrefix(pattern, "/")
	segments := strings.Split(rooted, "/")
	if len(segments) == 1 && rooted == pattern {
		segments = []string{anyDepth, pattern}
	}
	for _, s := range segments {
		switch {
		case s == anyDepth:
			continue
		case s == "" || s == "." || s == "..":
			return g, `a pattern has no empty, "." or ".." segments`, "write it relative to the policy's directory: apps/prod/**"
		case strings.Contains(s, anyDepth):
			return g, `"**" stands alone between slashes`, `write "**/*.yaml", or "*" for any characters but a slash`
		}
		if _, err := path.Match(s, ""); err != nil {
			return g, "malformed character set in a pattern", "a set looks like [a-z] and has no slash in it"
		}
	}
	if segments[len(segments)-1] == anyDepth {
		segments = append(segments, "*") // below, not the directory itself
	}
	return glob{segments}, "", ""
}

// maxPattern is the length of a pattern in bytes.
const maxPattern = 1024

// match takes a path as split cuts it. Going back to the last "**" only is enough, as with "*" in strings, so the time
// is at most the product of the two lengths.
func (g glob) match(file []string) bool {
	p, f := 0, 0
	star, resume := -1, 0
	for f < len(file) {
		switch {
		case p < len(g.segments) && g.segments[p] == anyDepth:
			star, resume = p, f
			p++
			continue
		case p < len(g.segments):
			if ok, _ := path.Match(g.segments[p], file[f]); ok { // parseGlob saw that the pattern is well-formed
				p++
				f++
				continue
			}
		}
		if star < 0 {
			return false
		}
		resume++
		p, f = star+1, resume
	}
	for p < len(g.segments) && g.segments[p] == anyDepth {
		p++
	}
	return p == len(g.segments)
}
