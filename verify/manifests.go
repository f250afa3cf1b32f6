package verify

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ageseal/ageseal/manifest"
)

// manifests checks the Secrets of a file, of every kind, and the copies of Secrets that other objects carry.
func (c *checker) manifests(data []byte) {
	f, err := manifest.Parse(data)
	if err != nil {
		if c.named() {
			c.unreadable(0, err)
		}
		return
	}
	var tree *objects // of the whole file, if it is needed
	lenient := func() *objects {
		if tree == nil {
			tree = readObjects(data)
		}
		return tree
	}
	for _, item := range f.Items() {
		switch item.Kind {
		case manifest.Native:
			c.native(item, lenient)
		case manifest.Template:
			c.template(item, data, lenient)
		case manifest.Sealed:
			c.sealed(item)
		case manifest.Broken:
			if speaksOfSealed(data, item.Line) {
				c.malformed(item.Line, "", item.Err)
			} else if c.named() {
				c.unreadable(item.Line, item.Err)
			}
		}
	}
	if mayWrapSecret(data) || manifest.MayHideWords(data) {
		for _, q := range lenient().quotes() {
			c.quoted(q, 0)
		}
		c.wrapped(lenient())
	}
}

// native is about a Secret that kubectl would take, or would but for a fault.
func (c *checker) native(item *manifest.Item, lenient func() *objects) {
	var keys []string
	var secret string
	s, err := item.Native()
	if err == nil {
		secret = ref(s.Namespace, s.Name, s.GenerateName)
		keys = slices.Collect(maps.Keys(s.Values))
		if c.valued == nil {
			c.valued = map[int]bool{}
		}
		for _, v := range s.Values {
			c.valued[v.Line] = true
		}
	} else {
		secret = secretOf(err)
		o := lenient().at(item.Line)
		if o == nil {
			c.unreadable(item.Line, err)
			return
		}
		keys = o.keys()
		if len(keys) == 0 && (o.strayFields() || o.all.gaveUp) {
			c.unreadable(item.Line, err)
			return
		}
	}
	if len(keys) > 0 {
		c.add(Finding{Rule: PlaintextSecret, Line: item.Line, Secret: secret, Key: joinKeys(keys), What: "plaintext values of a Secret",
			Hint: "ageseal encrypt -w " + shellQuote(c.name)})
	}
}

func (c *checker) sealed(item *manifest.Item) {
	s, err := item.Sealed()
	if err != nil {
		c.malformed(item.Line, secretOf(err), err)
		return
	}
	b := s.Spec.Binding
	if c.judge != nil {
		c.judge(c, s)
	}
	for _, f := range []struct{ field, is, bound string }{{"namespace", s.Namespace, b.Namespace}, {"name", s.Name, b.Name}} {
		if f.is != "" && f.bound != "" && f.is != f.bound {
			c.add(Finding{Rule: MalformedSealed, Line: s.Spec.Line, Secret: ref(s.Namespace, s.Name, ""),
				What: fmt.Sprintf("metadata.%s is %s, but the values were sealed for %s, and only there they open", f.field, nameOnly(f.is), nameOnly(f.bound)),
				Hint: "restore metadata and binding from git history, or encrypt the values again under the new name"})
		}
	}
}

// malformed reports the first of the faults of a sealed manifest.
func (c *checker) malformed(line int, secret string, err error) {
	f := Finding{Rule: MalformedSealed, Line: line, Secret: secret, What: firstFault(err), Hint: "restore it from git history, or encrypt the values again"}
	if e, ok := errors.AsType[*manifest.Error](err); ok {
		f.Key = e.Key
		if e.Line > 0 {
			f.Line = e.Line
		}
		if e.Hint != "" {
			f.Hint = e.Hint
		}
	}
	c.add(f)
}

func (c *checker) unreadable(line int, err error) {
	f := Finding{Rule: PlaintextUnreadable, Line: max(line, 1), What: "speaks of a Secret and can't be checked for plaintext: " + firstFault(err),
		Hint: "correct it, or take the file out of the commit"}
	if e, ok := errors.AsType[*manifest.Error](err); ok {
		f.Secret = e.Secret
		if e.Line > 0 {
			f.Line = e.Line
		}
		if e.Hint != "" {
			f.Hint = e.Hint
		}
	}
	c.add(f)
}

// quoted is about a string of another object that is a manifest itself.
func (c *checker) quoted(q quote, depth int) {
	const deepest = 3 // a ConfigMap in a ConfigMap in …
	data := []byte(q.text)
	if depth > deepest || !mayHoldManifest(data) {
		return
	}
	f, err := manifest.Parse(data)
	if err != nil {
		return
	}
	var tree *objects
	for _, item := range f.Items() {
		if item.Kind != manifest.Native {
			continue
		}
		var keys []string
		var secret string
		if s, err := item.Native(); err == nil {
			keys, secret = slices.Collect(maps.Keys(s.Values)), ref(s.Namespace, s.Name, s.GenerateName)
		} else {
			if tree == nil {
				tree = readObjects(data)
			}
			secret = secretOf(err)
			if o := tree.at(item.Line); o != nil {
				keys = o.keys()
			}
		}
		if len(keys) > 0 {
			c.add(Finding{Rule: PlaintextSecret, Line: q.lineOf(item.Line), Secret: secret, Key: joinKeys(keys),
				What: "plaintext values of a Secret, quoted in " + q.where, Hint: q.hint})
		}
	}
	if mayWrapSecret(data) || manifest.MayHideWords(data) {
		for _, inner := range readObjects(data).quotes() {
			inner.line, inner.block = q.lineOf(inner.line), false
			c.quoted(inner, depth+1)
		}
	}
}

// firstFault is the text of the first of joined errors, and how many more there are. manifest's errors quote no values.
func firstFault(err error) string {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err.Error()
	}
	errs := joined.Unwrap()
	if len(errs) == 1 {
		return firstFault(errs[0])
	}
	return fmt.Sprintf("%s (and %d more)", firstFault(errs[0]), len(errs)-1)
}

func secretOf(err error) string {
	if e, ok := errors.AsType[*manifest.Error](err); ok {
		return e.Secret
	}
	return ""
}

// ref is how messages name a Secret.
func ref(namespace, name, generateName string) string {
	if name == "" && generateName != "" {
		name = generateName + "*"
	}
	if namespace != "" {
		name = namespace + "/" + name
	}
	return nameOnly(name)
}

// nameOnly repeats what may be the name of an object, or a pair of them, and nothing else.
func nameOnly(s string) string {
	const longest = 2*253 + 1
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._/*", r)
	}
	if len(s) > longest || strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return "(no name)"
	}
	return s
}

// joinKeys names keys of a Secret. What Kubernetes does not allow as one, or is very long, may be a value that wrong
// quotes or indentation made a key.
func joinKeys(keys []string) string {
	const most, longest = 12, 63
	slices.Sort(keys)
	var out []string
	for i, k := range keys {
		if i == most {
			out = append(out, strconv.Itoa(len(keys)-most)+" more")
			break
		}
		if k == "" || len(k) > longest || nameOnly(k) != k || strings.ContainsAny(k, "/*") {
			k = "(no name)"
		}
		out = append(out, k)
	}
	return strings.Join(out, ", ")
}

// shellQuote makes a name fit to be pasted.
func shellQuote(s string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._/+=@%:,", r)
	}
	switch {
	case s == "" || strings.ContainsFunc(s, func(r rune) bool { return !safe(r) }):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	case s[0] == '-':
		return "./" + s
	}
	return s
}
