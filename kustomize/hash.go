package kustomize

import (
	"strings"

	"sigs.k8s.io/kustomize/api/hasher"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/ageseal/ageseal/internal/lazy"
)

// hashLen is the length of the content hash that kustomize appends to names; see hashSuffix for its alphabet
// (api/hasher: hexadecimal with 0, 1, 3, a, e replaced).
const hashLen = 10

var hashSuffix = lazy.Regexp(`-([2456789bcdfghkmt]{10})$`)

// contentHash is the hash in a Secret's name: as kustomize computed it over placeholders, and over the values.
type contentHash struct{ old, new string }

// findHash notes the hash at the end of the name of p, if there is one. kustomize's mark for it is gone from the result,
// so it is computed again; the hash covers type and content, not the name.
func (p *placed) findHash() error {
	m := hashSuffix().FindStringSubmatch(p.res.GetName())
	if m == nil {
		return nil
	}
	h, err := (&hasher.Hasher{}).Hash(&p.res.RNode)
	if err != nil {
		return err
	}
	if h == m[1] {
		p.hash = &contentHash{old: h}
	}
	return nil
}

// rehash computes the hash over the values.
func (p *placed) rehash() error {
	if p.hash == nil {
		return nil
	}
	values := make(map[*yaml.Node]string, len(p.sites))
	for _, s := range p.sites {
		text, err := s.text()
		if err != nil {
			return err
		}
		values[s.node] = text
	}
	// A copy of what counts. It leaves the node of the resource as it is: values are written into the output only.
	from, to := p.res.YNode(), &yaml.Node{Kind: yaml.MappingNode}
	for i := 0; i+1 < len(from.Content); i += 2 {
		key, value := from.Content[i], from.Content[i+1]
		switch key.Value {
		case "kind", "type", "stringData":
		case "data":
			value = withValues(value, values)
		default:
			continue
		}
		to.Content = append(to.Content, key, value)
	}
	h, err := (&hasher.Hasher{}).Hash(yaml.NewRNode(to))
	p.hash.new = h
	return err
}

func withValues(data *yaml.Node, values map[*yaml.Node]string) *yaml.Node {
	c := *data
	c.Content = make([]*yaml.Node, len(data.Content))
	for i, n := range data.Content {
		c.Content[i] = n
		if text, ok := values[n]; ok {
			v := &yaml.Node{Kind: yaml.ScalarNode, Tag: yaml.NodeTagString, Value: text}
			if strings.Contains(text, "\n") {
				v.Style = yaml.LiteralStyle
			}
			c.Content[i] = v
		}
	}
	return &c
}

// renames are the Secrets whose name changes with their hash: old hash → the change and the names before it.
type renames map[string]*rename

type rename struct {
	new   string
	names []string
}

func (r renames) add(p *placed) {
	if p.hash == nil {
		return
	}
	entry := r[p.hash.old]
	if entry == nil {
		entry = &rename{new: p.hash.new}
		r[p.hash.old] = entry
	}
	entry.names = append(entry.names, p.baseName())
}

// node rewrites every name in a resource: its own, references, and what vars made of them. Both hashes are equally
// long, and the old one, over random placeholders, can't be anything else.
func (r renames) node(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		n.Value = r.apply(n.Value)
		return
	}
	for _, c := range n.Content {
		r.node(c)
	}
}

func (r renames) apply(s string) string {
	for i := strings.IndexByte(s, '-'); i >= 0 && i+1+hashLen <= len(s); {
		if entry, ok := r[s[i+1:i+1+hashLen]]; ok && entry.ends(s[:i]) {
			s = s[:i+1] + entry.new + s[i+1+hashLen:]
		}
		next := strings.IndexByte(s[i+1:], '-')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return s
}

func (r *rename) ends(s string) bool {
	for _, name := range r.names {
		if strings.HasSuffix(s, name) {
			return true
		}
	}
	return false
}
