package manifest

import (
	"encoding/base64"
	"maps"
	"slices"
)

// Text writes a native Secret that is in no file yet, as canonical block style or as JSON with two blanks. Native reads the
// same back, but for lines; a Type or Immutable of nil is absent. What the fields hold is not checked, and has to be valid
// UTF-8 outside Values.
//
// data is always there, {} if nothing is in it: it is the place that Seal puts the spec at.
func (s *NativeSecret) Text(asJSON bool) []byte {
	m := &maker{}
	meta := m.mapping(5)
	for _, f := range []struct{ key, value string }{{"name", s.Name}, {"generateName", s.GenerateName}, {"namespace", s.Namespace}} {
		if f.value != "" {
			m.add(meta, f.key, m.text(f.value))
		}
	}
	for _, f := range []struct {
		key   string
		texts map[string]string
	}{{"labels", s.Labels}, {"annotations", s.Annotations}} {
		if len(f.texts) == 0 {
			continue
		}
		n := m.mapping(len(f.texts))
		for _, key := range slices.Sorted(maps.Keys(f.texts)) {
			m.add(n, key, m.text(f.texts[key]))
		}
		m.add(meta, f.key, n)
	}
	data := m.mapping(len(s.Values))
	for _, key := range slices.Sorted(maps.Keys(s.Values)) {
		m.add(data, key, m.text(base64.StdEncoding.EncodeToString(s.Values[key].Bytes)))
	}
	n := m.mapping(6)
	m.add(n, "apiVersion", m.text("v1"))
	m.add(n, "kind", m.text("Secret"))
	m.add(n, "metadata", meta)
	m.addType(n, s.Type, s.Immutable)
	m.add(n, "data", data)

	var e emitter
	if asJSON {
		e.json(n, 0)
		return append(e.b, '\n')
	}
	e.entries(n.kids, 0, false)
	return e.b
}
