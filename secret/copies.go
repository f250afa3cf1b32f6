package secret

import (
	"fmt"
	"strings"

	"github.com/ageseal/ageseal/manifest"
)

// CheckCopies refuses annotations that have a controller of the cluster copy a Secret whose values are bound to a namespace: the
// values would get into others, and an annotation is nothing that needs a key. The fault of the Secret of that line and namespace/name matches ErrCopied.
func CheckCopies(namespace string, annotations map[string]string, line int, ref string) error {
	if namespace == "" {
		return nil
	}
	for _, name := range sortedKeys(annotations) {
		if manifest.Copies(name) {
			return &Error{Line: line, Secret: ref, Err: fmt.Errorf("it is sealed for namespace %s, and the annotation %s %w", namespace, shownAnnotation(name), ErrCopied),
				Hint: "take the annotation away; if the values may go everywhere, bind them to none: --any-namespace, of ageseal mv and encrypt"}
		}
	}
	return nil
}

// shownAnnotation is the name of an annotation, unless it can be none.
func shownAnnotation(name string) string {
	if prefix, rest, _ := strings.Cut(name, "/"); !IsName(prefix) || len(rest) > 63 || strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "of another name"
	}
	return name
}
