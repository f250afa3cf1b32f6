package kustomize

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// sealedSource is a sealed file that was served as input of a secretGenerator. Its header is encrypted, too: what it is bound to is known
// only when it is open, so it is checked at the end, as strictly as a manifest's binding.
type sealedSource struct {
	text []byte // until it is opened
	env  bool   // served as a dotenv
	slot *slot  // of one value; its key is unknown until settleFiles

	opened *secret.File // once it is open
}

// isAgeFile reports whether a file is one that is opened, or refused, here. A binary age file is none of ours; it is refused where it
// would become a value of a Secret, since whoever lists it there believes that it is opened.
func isAgeFile(src []byte, u use) bool {
	return crypt.IsArmored(src) || u&(useSecretFile|useSecretEnv) != 0 && crypt.IsAgeFile(src)
}

// serveFile gives the text that stands for an age file: a placeholder, or a dotenv of placeholders.
func (b *build) serveFile(path string, u use, src []byte) ([]byte, error) {
	if u != useSecretFile && u != useSecretEnv {
		return nil, misusedFile(shortPath(path), u)
	}
	if out, ok := b.fs.served[path]; ok {
		return out, nil
	}
	d := &document{path: path, file: shortPath(path), wrapped: true, src: &sealedSource{text: src, env: u == useSecretEnv}}
	out, err := b.serveSource(d)
	if err != nil {
		return nil, err
	}
	b.docs = append(b.docs, d)
	if !d.src.env {
		b.open()
	} else if b.opened++; b.opened != len(b.docs) {
		return nil, errors.New("internal error: a document waits to be opened")
	}
	b.fs.served[path] = out
	return out, nil
}

func (b *build) serveSource(d *document) ([]byte, error) {
	if !d.src.env {
		d.keys = []sealedKey{{}}
		text, token := b.placeholder(d, "")
		d.src.slot = b.slots[token]
		return []byte(text), nil
	}
	// The keys of a dotenv are inside.
	b.opening.document(d)
	var run *identityError
	if errors.As(d.err, &run) {
		return nil, run.err
	}
	if d.err == nil {
		d.err = b.settle(d)
	}
	if d.err != nil {
		return nil, d.err
	}
	var out bytes.Buffer
	for _, k := range d.keys {
		text, _ := b.placeholder(d, k.name)
		fmt.Fprintf(&out, "%s=%s\n", k.name, text)
	}
	return out.Bytes(), nil
}

// withoutLine takes the line out of a fault in a dotenv: it counts lines that nobody sees.
func withoutLine(err error) error {
	var m *manifest.Error
	if !errors.As(err, &m) || m.Line == 0 {
		return err
	}
	return &manifest.Error{Key: m.Key, Hint: m.Hint, Err: fmt.Errorf("%w: line %d of its content: %w", secret.ErrMalformed, m.Line, m.Err)}
}

// settleFiles waits for the sealed files and enters what their headers say into the build.
func (b *build) settleFiles() error {
	var files []*document
	for _, d := range b.docs {
		if d.src != nil {
			files = append(files, d)
		}
	}
	if len(files) == 0 {
		return nil // manifests need not be waited for yet
	}
	if err := b.opening.wait(files); err != nil {
		return err
	}
	var faults []error
	for _, d := range files {
		if !d.open {
			if err := b.settle(d); err != nil {
				faults = append(faults, err)
			}
		}
	}
	return errors.Join(faults...)
}

// settle makes a document of an opened file.
func (b *build) settle(d *document) error {
	f := d.src.opened
	d.binding, d.ref = manifest.Binding(f.Binding), f.Ref()
	if env := f.Use == crypt.UseEnv; env != d.src.env {
		is, field := "one value", "files:"
		if env {
			is, field = "a dotenv", "envs:"
		}
		return d.fault("", factf(ErrUse, "it is sealed as %s", is), "list it under "+field+" of the secretGenerator")
	}
	if ns := d.binding.Namespace; b.o.OnlyNamespaces != nil && !b.o.Redact && (ns == "" || !slices.Contains(b.o.OnlyNamespaces, ns)) {
		return d.fault("", outOfBounds(ns), "it may open "+strings.Join(b.o.OnlyNamespaces, ", "))
	}
	d.keys = d.keys[:0]
	for _, key := range slices.Sorted(maps.Keys(f.Values)) {
		d.keys = append(d.keys, sealedKey{name: key, value: f.Values[key].Bytes})
	}
	if d.src.slot != nil {
		d.src.slot.key = f.Key
	}
	d.src.opened, d.open = nil, true
	return nil
}

func misusedFile(file string, u use) error {
	var where []string
	for _, bit := range slices.Sorted(maps.Keys(fields)) {
		if u&bit != 0 {
			where = append(where, fields[bit])
		}
	}
	what := "nothing that kustomize reads it for is a Secret"
	if len(where) > 0 {
		what = "it is listed under " + strings.Join(where, " and ")
	}
	hint := "only secretGenerator: of a kustomization takes one, under files: or envs:"
	if u == useSecretFile|useSecretEnv {
		hint = "a sealed file is one value, for files:, or a dotenv, for envs:"
	}
	return &Error{File: file, Err: factf(ErrUse, "a sealed file can't be used here: %s", what), Hint: hint}
}
