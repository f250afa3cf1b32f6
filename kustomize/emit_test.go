package kustomize

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/ageseal/ageseal/internal/corpora"
)

// sameAsYAML compares the emitter with kustomize on one resource, and reports whether the emitter took it.
func sameAsYAML(t *testing.T, r *resource.Resource) bool {
	t.Helper()
	var out bytes.Buffer
	if !(&emitter{out: &out}).resource(r.YNode()) {
		if out.Len() > 0 {
			t.Errorf("the emitter gave up and left %q", out.String())
		}
		return false
	}
	want, err := r.AsYAML()
	if err != nil {
		t.Errorf("the emitter wrote what AsYAML refuses (%v):\n%s", err, out.String())
		return true
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" && !circular(r.YNode()) {
		t.Errorf("(-AsYAML +emitter):\n%s", diff)
	}
	return true
}

// circular reports whether a mapping has keys such as a12 < a1b < a2 < a12: go-yaml's order of keys goes in circles where
// numbers meet letters, and what kustomize writes is then a matter of chance.
func circular(n *yaml.Node) bool {
	for i, c := range n.Content {
		if circular(c) {
			return true
		}
		for j := 0; n.Kind == yaml.MappingNode && i%2 == 0 && j < len(n.Content); j += 2 {
			for k := 0; k < len(n.Content); k += 2 {
				a, b, d := c.Value, n.Content[j].Value, n.Content[k].Value
				if keyLess(a, b) && keyLess(b, d) && !keyLess(a, d) {
					return true
				}
			}
		}
	}
	return false
}

func TestEmit(t *testing.T) {
	for name, src := range map[string]string{
		"scalars":          "a: {s: text, i: 12, n: -7, z: 0, t: true, f: false, u: null, q: '12', w: 'yes', o: \"on\", tilde: ~, tq: '~'}",
		"strings":          "a: [a b, 'a: b', 'a:b', 'a:', 'a #b', 'a#b', '#a', '-a', '- a', '?a', ':a', 'a,b', '[a]', '{a}', '&a', '*a', '!a', '|', '>', '%a', '@a', '`a', '\"a', \"it's\", 'a ', ' a', '', ' ', '=', '<<', '---', '...', '.', '..', '.5', './x', '/x', '_', '-', '--flag=x y']",
		"like numbers":     "a: ['1', '1.5', '1e3', '0x1f', '0o17', '017', '1_000', '+1', '1:30', '190:20:30.15', '2024-01-02', '2024-01-02T03:04:05Z', '.inf', '-.INF', '.nan', 1.2.3, 10m, 100Mi, 1e, '1e-2456789246']",
		"words":            "a: [ y, Y, n, N, 'yes', 'Yes', 'YES', 'yEs', 'no', 'on', 'On', 'off', 'OFF', 'true', 'True', 'TRUE', 'tRue', 'false', 'null', 'Null', 'NULL', 'nuLL', trueish, nope]",
		"empty":            "a: {}\nb: []\nc: [{}, [], [[]], [{}]]\nd: {e: {}}",
		"nested lists":     "a: [[1, 2], [[3], 4], [{b: [5]}, {c: {d: [6]}}]]",
		"lists in mapping": "a:\n- b: 1\n  c:\n  - d\n  - e: 2\n    f: [3]\n- - g\n  - h: i",
		"key order":        "a10: 1\na2: 1\nA: 1\n_: 1\n'0': 1\n'00': 1\na01: 1\na1: 1\na001: 1\na-b: 1\na.b: 1\nab: 1\na: 1\nb: 1\n/: 1\na100: 1\na20: 1\nx1y10: 1\nx1y9: 1\nx10: 1",
		"odd keys":         "'yes': 1\n'12': 1\n'a b': 1\n'a: b': 1\n'-': 1\n'': 1\n' ': 1\n'#': 1\nkey.with/slash-and_more: 1",
		"width":            "a: " + strings.Repeat("word ", 14) + "end\nbb: " + strings.Repeat("w", 200) + "\nd:\n  e:\n    f: " + strings.Repeat("word ", 13) + "end\n",
		"quoted width":     "a: '" + strings.Repeat("\"w ", 18) + "end'\nb: ': " + strings.Repeat("it''s ", 11) + "'",
		"styles":           "a: |-\n  x\nb: >-\n  x\n  y\nc: \"x\"\nd: 'x'\n",
	} {
		t.Run(name, func(t *testing.T) {
			n, err := yaml.Parse(src)
			if err != nil {
				t.Fatal(err)
			}
			// The whole, and each entry by itself: one that is not for the emitter must not hide the others.
			taken := sameAsYAML(t, &resource.Resource{RNode: *n})
			each := 0
			for i := 0; i+1 < len(n.YNode().Content); i += 2 {
				one := &yaml.Node{Kind: yaml.MappingNode, Content: n.YNode().Content[i : i+2]}
				if sameAsYAML(t, &resource.Resource{RNode: *yaml.NewRNode(one)}) {
					each++
				}
			}
			if !taken && each == 0 {
				t.Error("the emitter took nothing of it")
			}
		})
	}
}

func TestEmitGivesUp(t *testing.T) {
	for _, src := range []string{
		"a: 1.5", "a: {e: }", "e:", "a: 0x1f", "a: 010", "a: -0", "a: 9223372036854775808", "a: True", "a: 2024-01-02", "a: ü", "ü: a", "1: a", "true: a", "~: a",
		"a: \"x\\ny\"", "a: \"\\t\"", "a: &x 1", "a: {b: &x {}, c: *x}", "a: !!binary eA==", "a: {b: 1, b: 2}", "<<: {a: b}", "a: !x y",
		strings.Repeat("k", 130) + ": a", "a: " + strings.Repeat("word ", 20) + "end", "[]", "a", "a: +1", "a: 1_000",
	} {
		n, err := yaml.Parse(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if (&emitter{out: new(bytes.Buffer)}).resource(n.YNode()) {
			t.Errorf("the emitter took %q", src)
		}
	}
}

// TestEmitCorpora compares on every resource of the real repositories and of kustomize's own cases.
func TestEmitCorpora(t *testing.T) {
	var all []*resource.Resource
	add := func(dir string, args []string) {
		o := flags(t, args)
		m, err := krusty.MakeKustomizer(o).Run(filesys.MakeFsOnDisk(), dir)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m.Resources()...)
	}
	dir, cases := krustyCases(t)
	for _, c := range cases {
		add(filepath.Join(dir, c.Case, "in", c.Run), c.Flags)
	}
	var builds []goldenBuild
	corpora.JSON(t, &builds, "corpora", "gitops", "golden-builds.json")
	roots := goldenRoots(t, builds)
	for _, b := range builds {
		add(goldenPath(t, roots[b.Repo], b.Path), b.Flags)
	}
	taken := 0
	for _, r := range all {
		if sameAsYAML(t, r) {
			taken++
		}
	}
	t.Logf("%d of %d resources", taken, len(all))
	if taken*2 < len(all) {
		t.Errorf("the emitter took %d of %d resources, want at least half", taken, len(all))
	}
}

// TestEmitRandom compares on random trees of scalars that are easy to get wrong.
func TestEmitRandom(t *testing.T) {
	const alphabet = "aZ09yN  ::##--__..//\"\"''\\,[]{}&*!|>%@`~?=+<$()ü\n\t"
	words := strings.Fields("y N yes on null ~ true 12 -7 0 1.5 1e3 0x1f 017 1:30 2024-01-02 .5 << = --- ... - ? : # a: a:b a#b key10 key9 key-2 k01 k1 /x x/y 100Mi 1.2.3")
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		if random.IntN(3) > 0 {
			return words[random.IntN(len(words))]
		}
		runes := []rune(alphabet)
		if random.IntN(4) > 0 {
			runes = runes[:len(runes)-3] // mostly what the emitter takes
		}
		s := make([]rune, random.IntN(30))
		for i := range s {
			s[i] = runes[random.IntN(len(runes))]
		}
		return string(s)
	}
	scalar := func() *yaml.Node {
		n := &yaml.Node{Kind: yaml.ScalarNode, Tag: yaml.NodeTagString, Value: text()}
		switch random.IntN(8) {
		case 0:
			n.Tag, n.Value = yaml.NodeTagInt, strconv.Itoa(random.IntN(100)-50)
		case 1:
			n.Tag, n.Value = yaml.NodeTagBool, "true"
		case 2:
			n.Tag = "" // as code of kustomize makes them
		case 3:
			n.Style = yaml.DoubleQuotedStyle
		}
		return n
	}
	var node func(depth int) *yaml.Node
	node = func(depth int) *yaml.Node {
		kind := random.IntN(4)
		switch {
		case depth == 0 || kind > 2-min(depth, 2):
			n := &yaml.Node{Kind: yaml.MappingNode, Tag: yaml.NodeTagMap}
			seen := make(map[string]bool)
			for range random.IntN(5) {
				key := text()
				if seen[key] {
					continue
				}
				seen[key] = true
				value := scalar()
				if depth < 4 && random.IntN(2) == 0 {
					value = node(depth + 1)
				}
				n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: yaml.NodeTagString, Value: key}, value)
			}
			return n
		default:
			n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
			for range random.IntN(4) {
				item := scalar()
				if depth < 4 && random.IntN(2) == 0 {
					item = node(depth + 1)
				}
				n.Content = append(n.Content, item)
			}
			return n
		}
	}
	taken := 0
	const docs = 4000
	for range docs {
		if sameAsYAML(t, &resource.Resource{RNode: *yaml.NewRNode(node(0))}) {
			taken++
		}
		if t.Failed() {
			return
		}
	}
	if taken < docs/4 {
		t.Errorf("the emitter took %d of %d documents", taken, docs)
	}
}

func FuzzEmit(f *testing.F) {
	f.Fuzz(func(t *testing.T, src string) {
		n, err := yaml.Parse(src)
		if err != nil || n.YNode() == nil {
			return
		}
		defer func() { _ = recover() }() // the YAML library panics on some documents that it has read
		sameAsYAML(t, &resource.Resource{RNode: *n})
	})
}
