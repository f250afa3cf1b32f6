package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/secret"
)

// reader is one who can read something. Name is the policy's, if it has one for the fingerprint.
type reader struct {
	Name        string `json:"name,omitempty"`
	Fingerprint string `json:"fingerprint"`
}

func (c *cli) readers(fingerprints []string) []reader {
	all := make([]reader, len(fingerprints))
	for i, f := range fingerprints {
		all[i].Fingerprint = f
		if name := c.names([]string{f}); name != f {
			all[i].Name = name
		}
	}
	return all
}

type sizeJSON struct {
	Least int `json:"least"` // bytes
	Most  int `json:"most"`
}

type bindingJSON struct {
	Namespace string `json:"namespace,omitempty"` // absent: any
	Name      string `json:"name,omitempty"`
}

// manifestJSON is a sealed Secret as docs/describe.md has it. Fields are only ever added.
func (c *cli) manifestJSON(path string, d *secret.Described) any {
	type value struct {
		Key string `json:"key"`
		sizeJSON
		Readers []reader `json:"readers"`
	}
	out := struct {
		Kind        string            `json:"kind"`
		File        string            `json:"file"`
		Line        int               `json:"line"`
		Namespace   string            `json:"namespace,omitempty"`
		Name        string            `json:"name,omitempty"`
		Labels      map[string]string `json:"labels,omitempty"`
		Annotations map[string]string `json:"annotations,omitempty"`
		Type        *string           `json:"type,omitempty"`
		Immutable   *bool             `json:"immutable,omitempty"`
		Binding     bindingJSON       `json:"binding"`
		Fits        bool              `json:"fits"`
		DataKeys    int               `json:"dataKeys"`
		UnusedKeys  int               `json:"unusedDataKeys"`
		Values      []value           `json:"values"`
	}{
		"EncryptedSecret", path, d.Item.Line, d.Namespace, d.Name, d.Labels, d.Annotations, d.Spec.Type, d.Spec.Immutable,
		bindingJSON(d.Spec.Binding), d.Misfit == nil, d.Keys, len(d.Unused), []value{},
	}
	for _, v := range d.Values {
		out.Values = append(out.Values, value{v.Key, sizeJSON{v.Least, v.Most}, c.readers(v.To)})
	}
	return out
}

// fileDescription is a sealed file as docs/describe.md has it. Fields are only ever added.
type fileDescription struct {
	Kind string `json:"kind"`
	File string `json:"file"`
	sizeJSON
	Recipients struct {
		PostQuantum int `json:"postQuantum"`
		Classic     int `json:"classic"`
		Other       int `json:"other"`
	} `json:"recipients"`
	Rule    *ruleJSON    `json:"rule,omitempty"`
	Opened  bool         `json:"opened"`
	Use     string       `json:"use,omitempty"` // this and what follows: only if it was opened
	Binding *bindingJSON `json:"binding,omitempty"`
	Keys    []string     `json:"keys,omitempty"`

	facts *crypt.FileFacts
	ref   string
	who   string
}

// ruleJSON is the rule of the policy for a sealed file's path.
type ruleJSON struct {
	Path    string   `json:"path"`
	Readers []reader `json:"readers"`
	Fits    bool     `json:"fits"` // as many, of the same kind: more can't be known
}

// describeFiles describes sealed files; with --open or an identity, what they are for, too.
func (c *cli) describeFiles(o *describeOptions, files []*sealedInput) ([]*fileDescription, error) {
	var opener *crypt.Opener
	if len(files) > 0 && (o.open || len(o.identities.files) > 0) {
		var err error
		var paths []string
		for _, in := range files {
			paths = append(paths, in.path)
		}
		if opener, err = c.opener(&o.identities, paths...); err != nil {
			return nil, err
		}
	}
	rules := rulesAsTheyAre{c: c}
	all := make([]*fileDescription, len(files))
	for i, in := range files {
		d := &fileDescription{Kind: "SealedFile", File: in.shown, sizeJSON: sizeJSON{in.facts.Least, in.facts.Most}, facts: in.facts}
		d.Recipients.PostQuantum, d.Recipients.Classic, d.Recipients.Other = in.facts.PostQuantum, in.facts.Classic, in.facts.Other
		if in.path != "" {
			c.knowNames(in.path)
			if rule := rules.of(in.path); rule != nil {
				d.rule(c, rule)
			}
		}
		all[i] = d
	}
	if opener == nil {
		return all, nil
	}
	return all, errors.Join(c.each(len(files), "opening", func(i int) error {
		f, err := secret.OpenFile(files[i].data, opener)
		if err != nil {
			return &fileError{files[i].shown, err}
		}
		all[i].opened(f)
		return nil
	})...)
}

func (d *fileDescription) rule(c *cli, rule *policy.Rule) {
	to := crypt.Fingerprints(rule.Recipients)
	d.Rule = &ruleJSON{Path: rule.Path, Readers: c.readers(to), Fits: d.facts.Fits(rule.Recipients)}
	d.who = c.names(to)
}

func (d *fileDescription) opened(f *secret.File) {
	d.Opened, d.Use, d.ref = true, f.Use, f.Ref()
	binding := bindingJSON(f.Binding)
	d.Binding = &binding
	d.Least, d.Most = f.SizeClass()
	for key := range f.Values {
		d.Keys = append(d.Keys, key)
	}
	slices.Sort(d.Keys)
}

// text is one sealed file as kubectl would describe it.
func (d *fileDescription) text() string {
	var b strings.Builder
	w := newFields(&b)
	w.add("File", d.File)
	const encrypted = "<encrypted>, see with --open"
	kind, bound, keys := "sealed file", encrypted, encrypted
	if d.Opened {
		kind, bound = "sealed file of one value", d.ref
		if d.Use == crypt.UseEnv {
			kind = "sealed file of a dotenv"
		}
		if d.Binding.Namespace == "" {
			bound += ", in any namespace"
		}
		keys = cmp.Or(strings.Join(d.Keys, ", "), "<none>")
	}
	w.add("Kind", kind)
	w.add("Bound to", bound)
	w.add("Keys", keys)
	w.add("Content", fmt.Sprintf("%d to %d bytes", d.Least, d.Most))
	w.add("Recipients", recipientsText(d.facts)+"; the file does not say who")
	if d.Rule != nil {
		fit := "as many as the file has; more does not show"
		if !d.Rule.Fits {
			fit = "not what the file has: ageseal rekey " + quoted(d.File)
		}
		w.add("Rule", fmt.Sprintf("%s: %s (%s)", d.Rule.Path, d.who, fit))
	}
	w.Flush()
	return b.String()
}

// recipientsText counts the recipients of a sealed file by kind.
func recipientsText(f *crypt.FileFacts) string {
	var parts []string
	for _, kind := range []struct {
		n    int
		name string
	}{{f.PostQuantum, "post-quantum"}, {f.Classic, "classic"}, {f.Other, "of an unknown kind"}} {
		if kind.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", kind.n, kind.name))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "none")
}
