package kustomize

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/yaml"
	sigsyaml "sigs.k8s.io/yaml"
)

// writer writes resources with their values.
type writer struct {
	sites  map[*resource.Resource][]site
	values map[*yaml.Node]site
}

func newWriter(all []*placed) *writer {
	w := &writer{sites: make(map[*resource.Resource][]site, len(all)), values: make(map[*yaml.Node]site)}
	for _, p := range all {
		w.sites[p.res] = p.sites
		for _, s := range p.sites {
			w.values[s.node] = s
		}
	}
	return w
}

// stream gives all resources as one stream, as ResMap.AsYaml does.
func (w *writer) stream(all []*resource.Resource) ([]byte, error) {
	var out bytes.Buffer
	for i, r := range all {
		if i > 0 {
			out.WriteString("---\n")
		}
		if err := w.resource(&out, r); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// files gives one file for each resource, named as "kustomize build -o DIR" does (v5/commands/build/writer.go). A name
// that leads out of the directory is refused. A later resource of the same file name wins there and here; the names are
// returned, since that is a loss, and it is refused where values are lost or take the place of something else.
func (w *writer) files(m resmap.ResMap) (files map[string][]byte, lost []string, err error) {
	files = make(map[string][]byte)
	owners := make(map[string]*resource.Resource)
	write := func(name string, r *resource.Resource) error {
		if !filepath.IsLocal(name) || strings.ContainsAny(name, "/\\\x00") {
			return &Error{Err: fmt.Errorf("%s: %s is no file name", describe(r), strconv.Quote(name)),
				Hint: "its namespace, kind and name make the name of its file; build into one file, or look for a namePrefix or nameSuffix"}
		}
		if before := owners[name]; before != nil {
			if len(w.sites[before]) > 0 || len(w.sites[r]) > 0 {
				return &Error{Err: fmt.Errorf("%s and %s have the same file name, %s", describe(before), describe(r), name),
					Hint: "one of them would be lost; build into one file, or rename one"}
			}
			lost = append(lost, name)
		}
		owners[name] = r
		var out bytes.Buffer
		if err := w.resource(&out, r); err != nil {
			return err
		}
		files[name] = out.Bytes()
		return nil
	}
	byNamespace := m.GroupedByCurrentNamespace()
	for namespace, list := range byNamespace {
		for _, r := range list {
			name := fileName(r)
			if len(byNamespace) > 1 {
				name = strings.ToLower(namespace) + "_" + name
			}
			if err := write(name, r); err != nil {
				return nil, nil, err
			}
		}
	}
	for _, r := range m.ClusterScoped() {
		if err := write(fileName(r), r); err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(lost)
	return files, lost, nil
}

func fileName(r *resource.Resource) string {
	return strings.ToLower(r.GetGvk().StringWoEmptyField()) + "_" + strings.ToLower(r.GetName()) + ".yaml"
}

// resource writes one resource.
func (w *writer) resource(out *bytes.Buffer, r *resource.Resource) error {
	e := &emitter{out: out, values: w.values}
	if e.resource(r.YNode()) {
		return nil
	}
	if e.err != nil {
		return e.err
	}
	return w.splice(out, r)
}

// splice has kustomize write the resource, with placeholders, and replaces each in the text, where it stands once.
func (w *writer) splice(out *bytes.Buffer, r *resource.Resource) error {
	text, err := r.AsYAML()
	if err != nil {
		return fmt.Errorf("writing %s: %w", describe(r), err)
	}
	sites := w.sites[r]
	if len(sites) == 0 {
		out.Write(text)
		return nil
	}
	type cut struct {
		at int
		site
	}
	cuts := make([]cut, 0, len(sites))
	for _, s := range sites {
		at := bytes.Index(text, []byte(s.node.Value))
		if at < 0 || bytes.Contains(text[at+len(s.node.Value):], []byte(s.node.Value)) {
			return fmt.Errorf("internal error: the place of key %s in %s is not unique", s.key, describe(r))
		}
		cuts = append(cuts, cut{at, s})
	}
	slices.SortFunc(cuts, func(a, b cut) int { return a.at - b.at })
	from := 0
	for _, c := range cuts {
		value, err := c.text()
		if err != nil {
			return err
		}
		out.Write(text[from:c.at])
		if err := scalar(out, value); err != nil {
			return err
		}
		from = c.at + len(c.node.Value)
	}
	out.Write(text[from:])
	return nil
}

// scalar writes base64 as the value of a key of data, as kustomize's YAML library would: plain, quoted if it reads as
// something else than a string, or as a block if it has lines. The line's end is there already.
func scalar(out *bytes.Buffer, text string) error {
	if strings.HasSuffix(text, "\n") {
		out.WriteByte('|')
		for line := range strings.Lines(text) {
			out.WriteString("\n    ")
			out.WriteString(strings.TrimSuffix(line, "\n"))
		}
		return nil
	}
	if plainBase64(text) {
		out.WriteString(text)
		return nil
	}
	quoted, err := sigsyaml.Marshal(text)
	if err != nil {
		return err
	}
	out.Write(bytes.TrimSuffix(quoted, []byte("\n")))
	return nil
}

// plainBase64 reports whether base64 surely reads as a string in YAML 1.1: it has a letter that no number, bool, null or
// timestamp has, and is longer than any of the words.
func plainBase64(text string) bool {
	return len(text) >= 8 && strings.ContainsAny(text, "GHJKMPQRSVWZghjkmpqrsvwz")
}
