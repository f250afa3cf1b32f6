package manifest

import (
	"encoding/base64"
	"errors"
	"strings"
)

const (
	group      = "ageseal.dev"
	apiVersion = group + "/v1alpha1"
	sealedKind = "EncryptedSecret"
)

// Kind of an item.
type Kind int

const (
	Native       Kind = iota + 1 // apiVersion v1, kind Secret
	Sealed                       // ours
	SOPS                         // a Secret encrypted with SOPS
	SealedSecret                 // a SealedSecret of bitnami.com
	Template                     // a Secret in a Helm (or similar) template
	Broken                       // can't be parsed and speaks of a Secret: Err says where
)

// Item is one Secret of whichever Kind.
type Item struct {
	Kind Kind
	Line int   // first line of the object in the file
	Err  error // of a Broken one: why, an *Error
	Ours bool  // of a Broken one: its text names an EncryptedSecret

	doc    *document
	n      *node
	inFlow bool // stands inside a flow collection, where nothing can be in block style
	indent int  // block indentation of what holds it
	top    bool // is the document

	ready  bool  // checked and measured: can be edited
	own    *bool // what isCanonical said, nil before
	edited bool
	edits  []edit // in the order of the text
}

// classify parses a document and collects its items.
func (d *document) classify() {
	root, err := d.parse()
	if err != nil {
		d.broken(err)
		return
	}
	if root == nil {
		return
	}
	d.odd = hasOddBreak(d.text)
	c := classifier{d: d}
	c.object(root, root, 0, false, -1)
	for _, i := range d.items {
		i.top = i.n == root
	}
}

func (d *document) parse() (*node, error) {
	if err := d.bounded(); err != nil {
		return nil, err
	}
	if at := d.contentStart(); at < len(d.text) && d.text[at] == '{' {
		if n := parseJSON(d.source, at); n != nil {
			d.json = true
			return n, nil
		}
	}
	if n := parseFast(d.source); n != nil {
		return n, nil
	}
	d.slow = true
	return parseYAML(d.source)
}

// bounded refuses a document that could make more nodes than any manifest has: a node costs the YAML library some 300 bytes.
func (d *document) bounded() error {
	if len(d.text) <= maxNodes {
		return nil
	}
	n := 0
	for i := 0; i < len(d.text); i++ {
		switch d.text[i] {
		case ',', ':', '[', '{', '\n':
			n++
		case '-', '?':
			if i+1 < len(d.text) && (d.text[i+1] == ' ' || d.text[i+1] == '\t') {
				n++
			}
		}
	}
	if n > maxNodes {
		return &Error{Line: d.line0 + 1, Err: &fault{"the document has too many entries", ErrLimit}, Hint: "split it into several documents"}
	}
	return nil
}

// contentStart is the offset of the first byte that is no comment, blank, or document marker.
func (d *document) contentStart() int {
	for p := 0; p < len(d.text); {
		q := p
		if strings.HasPrefix(d.text[p:], "---") {
			q += 3
		}
		for q < len(d.text) && (d.text[q] == ' ' || d.text[q] == '\t') {
			q++
		}
		if q >= len(d.text) { // not reached: the text ends with a line break
			break
		}
		if c := d.text[q]; c != '\n' && c != '#' {
			return q
		}
		p = lineEnd(d.text, q)
	}
	return len(d.text)
}

// broken makes an item of a document that doesn't parse, if it speaks of a Secret.
func (d *document) broken(err error) {
	secret, sealed := speaksOf(d.text)
	if !secret && !sealed {
		return
	}
	var e *Error
	if !errors.As(err, &e) { // not reached: all errors of parse are of this type
		e = &Error{Err: err}
	}
	i := &Item{Kind: Broken, Line: d.line0 + 1 + strings.Count(d.text[:d.contentStart()], "\n"), Err: e, Ours: sealed, doc: d}
	d.items = append(d.items, i)
	switch line := conflictLine(d.text); {
	case line > 0:
		e.Line, e.Err, e.Hint = d.line0+line, &fault{"an unresolved merge conflict", ErrParse}, "keep one of the two between each pair of markers, then run this again"
	case hasTemplate(d.text) && !sealed:
		i.Kind, i.Err = Template, nil
	case hasTemplate(d.text):
		e.Hint = `this looks like a template: render it first, as in "helm template . | ageseal decrypt -"`
	case strings.HasPrefix(d.text[d.contentStart():], "{"):
		e.Hint = "several JSON objects in a file: make them items of a List, or put a line of --- between them"
	}
}

// conflictLine returns the 1-based line of git's first conflict marker, or 0.
func conflictLine(text string) int {
	line := 1
	for p := 0; p < len(text); p = lineEnd(text, p) {
		if strings.HasPrefix(text[p:], "<<<<<<< ") || strings.HasPrefix(text[p:], ">>>>>>> ") {
			return line
		}
		line++
	}
	return 0
}

// hasTemplate looks for template actions outside comments.
func hasTemplate(text string) bool {
	for p := 0; p < len(text); {
		end := lineEnd(text, p)
		line := strings.TrimLeft(text[p:end], " \t")
		if !strings.HasPrefix(line, "#") && (strings.Contains(line, "{{") || strings.Contains(line, "{%")) {
			return true
		}
		p = end
	}
	return false
}

// isCoreV1 reads an apiVersion as group/version, as apimachinery's ParseGroupVersion and kyaml do: an empty group is the core one.
func isCoreV1(s string) bool { return s == "v1" || s == "/v1" }

type classifier struct {
	d     *document
	steps int // nodes looked at through aliases and merge keys
}

// object looks at one object: n as listed, o with aliases resolved. list is the kind of the List around it.
func (c *classifier) object(n, o *node, depth int, inFlow bool, indent int) {
	if !o.is(mapping) {
		return
	}
	kinds, versions := c.strings(o, "kind"), c.strings(o, "apiVersion")
	has := func(list []string, f func(string) bool) bool {
		for _, s := range list {
			if f(s) {
				return true
			}
		}
		return false
	}
	is := func(want string) func(string) bool { return func(s string) bool { return s == want } }
	add := func(k Kind) {
		c.d.items = append(c.d.items, &Item{Kind: k, Line: n.line, doc: c.d, n: n, inFlow: inFlow, indent: indent})
	}
	ours := func(s string) bool { return s == group || strings.HasPrefix(s, group+"/") }
	switch {
	case has(kinds, is(sealedKind)) && (len(versions) == 0 || has(versions, ours)),
		has(kinds, is("Secret")) && has(versions, ours):
		add(Sealed)
	case has(kinds, is("SealedSecret")) && has(versions, func(s string) bool { return strings.HasPrefix(s, "bitnami.com/") }):
		add(SealedSecret)
	case has(kinds, is("Secret")) && (has(versions, isCoreV1) || hasAction(o.get("apiVersion"))):
		add(c.secretKind(o))
	case has(kinds, func(s string) bool { return strings.HasSuffix(s, "List") }):
		c.list(o, depth, has(kinds, is("SecretList")) && has(versions, isCoreV1), inFlow)
	}
}

func (c *classifier) list(o *node, depth int, secrets, inFlow bool) {
	items := c.resolve(o.get("items"))
	if !items.is(sequence) {
		return
	}
	if depth >= maxListDepth {
		c.d.items = append(c.d.items, &Item{Kind: Broken, Line: items.line, doc: c.d,
			Err: &Error{Line: items.line, Err: &fault{"Lists inside Lists, too deep", ErrLimit}}})
		return
	}
	inFlow = inFlow || items.style == flow
	indent := items.off - lineStart(c.d.text, items.off)
	if inFlow {
		indent = -1
	}
	for _, n := range items.kids {
		e := c.resolve(n)
		if e == nil { // not reached: the library gives no alias without its anchor
			continue
		}
		if secrets && e.is(mapping) && e.get("kind") == nil {
			// The API's own SecretList leaves kind and apiVersion out.
			c.d.items = append(c.d.items, &Item{Kind: Native, Line: n.line, doc: c.d, n: n, inFlow: inFlow, indent: indent})
			continue
		}
		c.object(n, e, depth+1, inFlow, indent)
	}
}

// secretKind tells what a Secret of version v1 is.
func (c *classifier) secretKind(o *node) Kind {
	if hasSOPS(c.resolve(o.get("sops"))) && allSOPS(o) {
		return SOPS
	}
	meta := c.resolve(o.get("metadata"))
	if hasAction(o.get("apiVersion")) || hasAction(o.get("kind")) || hasAction(meta.get("name")) || hasAction(meta.get("namespace")) || hasBareAction(o, 0) {
		return Template
	}
	if data := c.resolve(o.get("data")); data.is(mapping) {
		for i := 1; i < len(data.kids); i += 2 {
			if hasAction(data.kids[i]) {
				return Template
			}
		}
	}
	return Native
}

func hasSOPS(n *node) bool { return n.is(mapping) && (n.get("mac") != nil || n.get("version") != nil) }

// allSOPS says whether SOPS has encrypted every value of a Secret. What its encrypted_regex left out is plaintext, and so is what a
// misspelt field holds. It leaves empty values as they are, and writes neither aliases nor merge keys.
func allSOPS(o *node) bool {
	for i := 0; i < len(o.kids); i += 2 {
		if k := o.kids[i]; k.is(scalar) && k.str {
			switch k.value {
			case "apiVersion", "kind", "metadata", "type", "immutable", "sops":
				continue
			}
		}
		if !encryptedLeaves(o.kids[i+1], 0) {
			return false
		}
	}
	return true
}

func encryptedLeaves(n *node, depth int) bool {
	if n.kind == scalar {
		return n.value == "" || n.isNull() || strings.HasPrefix(n.value, "ENC[") && strings.HasSuffix(n.value, "]")
	}
	if n.kind == alias || depth > MaxDepth {
		return false
	}
	for i, k := range n.kids {
		if (n.kind == sequence || i%2 == 1) && !encryptedLeaves(k, depth+1) {
			return false
		}
	}
	return true
}

func hasAction(n *node) bool {
	return n.is(scalar) && strings.Contains(n.value, "{{") || hasBareAction(n, 0)
}

// hasBareAction finds {{ … }} without quotes, which YAML takes for a mapping whose key is a mapping.
func hasBareAction(n *node, depth int) bool {
	if n == nil || depth > MaxDepth {
		return false
	}
	for i, k := range n.kids {
		if n.kind == mapping && n.style == flow && i == 0 && k.kind == mapping && k.style == flow || hasBareAction(k, depth+1) {
			return true
		}
	}
	return false
}

func (c *classifier) resolve(n *node) *node {
	for n.is(alias) {
		n = n.target
	}
	return n
}

const maxSteps = 1 << 16

// strings returns every value that some reader could take for that of a key of o: duplicates, and those that a merge key brings.
func (c *classifier) strings(o *node, key string) (list []string) {
	var visit func(o *node, depth int)
	visit = func(o *node, depth int) {
		if c.steps++; c.steps > maxSteps || depth > MaxDepth {
			return
		}
		switch {
		case o.is(sequence):
			for _, k := range o.kids {
				visit(c.resolve(k), depth+1)
			}
		case o.is(mapping):
			for i := 0; i < len(o.kids); i += 2 {
				k := c.resolve(o.kids[i])
				switch s, ok := stringOf(k); {
				case !ok:
				case s == key:
					if v, ok := stringOf(c.resolve(o.kids[i+1])); ok {
						list = append(list, v)
					}
				case s == "<<":
					visit(c.resolve(o.kids[i+1]), depth+1)
				}
			}
		}
	}
	visit(o, 0)
	return list
}

func stringOf(n *node) (string, bool) {
	if !n.is(scalar) {
		return "", false
	}
	if n.binary {
		b, err := base64.StdEncoding.DecodeString(n.value)
		return string(b), err == nil
	}
	return n.value, true
}
