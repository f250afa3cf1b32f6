package secret_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// specOf makes a spec from words such as "a=k1.x" (key a, data key k1, ciphertext x) and "k1>ann,bob" (its readers; ann where none are
// said, another wrap of it behind a slash: "k1>ann/2"), "type=t", "immutable", "name=n".
func specOf(words string) *manifest.Spec {
	s := &manifest.Spec{Binding: manifest.Binding{Namespace: "prod", Name: "db"}, Wraps: map[string]manifest.Wrap{}, Data: map[string]manifest.Box{}}
	for n, word := range strings.Fields(words) {
		if id, to, ok := strings.Cut(word, ">"); ok {
			to, version, _ := strings.Cut(to, "/")
			s.Wraps[id] = manifest.Wrap{To: strings.Split(to, ","), Age: "age-" + to + version, DK: "dk-" + to + version, Line: n}
			continue
		}
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "type":
			s.Type = &value
		case "immutable":
			s.Immutable = new(true)
		case "name":
			s.Binding.Name = value
		default:
			id, box, _ := strings.Cut(value, ".")
			s.Data[name] = manifest.Box{By: id, Box: box, Line: n}
			if _, ok := s.Wraps[id]; !ok {
				s.Wraps[id] = manifest.Wrap{To: []string{"ann"}, Age: "age-ann", DK: "dk-ann", Line: n}
			}
		}
	}
	return s
}

// specText is specOf backwards, as far as a merge decides on it.
func specText(s *manifest.Spec) string {
	var words []string
	for key, b := range s.Data {
		words = append(words, key+"="+b.By+"."+b.Box)
	}
	for id, w := range s.Wraps {
		words = append(words, id+">"+strings.TrimPrefix(w.Age, "age-"))
	}
	if s.Type != nil {
		words = append(words, "type="+*s.Type)
	}
	if s.Immutable != nil {
		words = append(words, "immutable")
	}
	if s.Binding.Name != "db" {
		words = append(words, "name="+s.Binding.Name)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func TestMerge(t *testing.T) {
	for name, test := range map[string]struct {
		base, ours, theirs string // base "-": none
		want               string
		keys, dataKeys     []string
		whole              bool
	}{
		"nothing":                     {"a=k1.x", "a=k1.x", "a=k1.x", "a=k1.x k1>ann", nil, nil, false},
		"two values":                  {"a=k1.x b=k1.y", "a=k2.z b=k1.y", "a=k1.x b=k3.w", "a=k2.z b=k3.w k2>ann k3>ann", nil, nil, false},
		"added and removed":           {"a=k1.x b=k1.y", "a=k1.x b=k1.y c=k2.z", "b=k1.y", "b=k1.y c=k2.z k1>ann k2>ann", nil, nil, false},
		"removed by both":             {"a=k1.x b=k1.y", "b=k1.y", "b=k1.y", "b=k1.y k1>ann", nil, nil, false},
		"both alike":                  {"a=k1.x", "a=k2.y", "a=k2.y", "a=k2.y k2>ann", nil, nil, false},
		"both changed":                {"a=k1.x b=k1.y", "a=k2.z b=k1.y", "a=k3.w b=k1.y", "b=k1.y k1>ann k2>ann k3>ann", []string{"a"}, nil, false},
		"both added":                  {"", "a=k1.x", "a=k2.y", "k1>ann k2>ann", []string{"a"}, nil, false},
		"removed and changed":         {"a=k1.x b=k1.y", "b=k1.y", "a=k2.z b=k1.y", "b=k1.y k1>ann k2>ann", []string{"a"}, nil, false},
		"changed and removed":         {"a=k1.x b=k1.y", "a=k2.z b=k1.y", "b=k1.y", "b=k1.y k1>ann k2>ann", []string{"a"}, nil, false},
		"data key that nothing needs": {"a=k1.x k9>ann", "a=k1.x k9>ann", "a=k1.x b=k2.y k9>ann", "a=k1.x b=k2.y k1>ann k2>ann", nil, nil, false},
		"made by both, other keys":    {"-", "a=k1.x", "b=k2.y", "a=k1.x b=k2.y k1>ann k2>ann", nil, nil, false},
		"made by both, same key":      {"-", "a=k1.x", "a=k2.x", "k1>ann k2>ann", []string{"a"}, nil, false},
		"made by both, other type":    {"-", "a=k1.x type=t", "b=k2.y", "", nil, nil, true},

		// Rotated: everything is new, so what the other side wrote meanwhile conflicts, and what it left alone stays rotated.
		"rotated, one value changed": {"a=k1.x b=k1.y", "a=k2.x2 b=k2.y2", "a=k3.z b=k1.y", "b=k2.y2 k2>ann k3>ann", []string{"a"}, nil, false},
		"rotated, one removed":       {"a=k1.x b=k1.y", "a=k2.x2 b=k2.y2", "b=k1.y", "b=k2.y2 k2>ann", []string{"a"}, nil, false},
		"rotated, one added":         {"a=k1.x", "a=k2.x2", "a=k1.x b=k3.y", "a=k2.x2 b=k3.y k2>ann k3>ann", nil, nil, false},
		"rotated by both":            {"a=k1.x b=k1.y", "a=k2.x2 b=k2.y2", "a=k3.x3 b=k3.y3", "k2>ann k3>ann", []string{"a", "b"}, nil, false},
		"rotated, wrapped again":     {"a=k1.x k1>ann", "a=k2.x2 k2>ann", "a=k1.x k1>ann,eve", "a=k2.x2 k2>ann", nil, nil, false},

		// Wrapped again for more readers: no value changed.
		"joined, one value changed":     {"a=k1.x b=k1.y k1>ann", "a=k1.x b=k1.y k1>ann,bob", "a=k1.x b=k2.z k1>ann k2>ann", "a=k1.x b=k2.z k1>ann,bob k2>ann", nil, nil, false},
		"joined by theirs":              {"a=k1.x k1>ann", "a=k1.x k1>ann b=k2.y", "a=k1.x k1>ann,bob", "a=k1.x b=k2.y k1>ann,bob k2>ann", nil, nil, false},
		"wrapped again by both":         {"a=k1.x k1>ann", "a=k1.x k1>ann,bob/2", "a=k1.x k1>ann,bob/3", "a=k1.x k1>ann,bob2", nil, nil, false},
		"one let more in":               {"a=k1.x k1>ann", "a=k1.x k1>ann,bob", "a=k1.x k1>ann,bob,eve", "a=k1.x k1>ann,bob,eve", nil, nil, false},
		"one let more in, ours":         {"a=k1.x k1>ann", "a=k1.x k1>ann,bob,eve", "a=k1.x k1>ann,bob", "a=k1.x k1>ann,bob,eve", nil, nil, false},
		"each let in another":           {"a=k1.x k1>ann", "a=k1.x k1>ann,bob", "a=k1.x k1>ann,eve", "a=k1.x k1>ann,bob", nil, []string{"k1"}, false},
		"each let in another, replaced": {"a=k1.x k1>ann", "a=k1.x k1>ann,bob", "a=k2.y k2>ann,eve", "a=k2.y k2>ann,eve", nil, nil, false},

		// bob was taken away, and a value that the other side sealed for him must not come in unseen.
		"left, one added for them":      {"a=k1.x k1>ann,bob", "a=k2.x2 k2>ann", "a=k1.x b=k3.y k1>ann,bob k3>ann,bob", "a=k2.x2 k2>ann k3>ann,bob", []string{"b"}, nil, false},
		"added for who left":            {"a=k1.x k1>ann,bob", "a=k1.x b=k3.y k1>ann,bob k3>ann,bob", "a=k2.x2 k2>ann", "a=k2.x2 k2>ann k3>ann,bob", []string{"b"}, nil, false},
		"left, one added for the rest":  {"a=k1.x k1>ann,bob", "a=k2.x2 k2>ann", "a=k1.x b=k3.y k1>ann,bob k3>ann", "a=k2.x2 b=k3.y k2>ann k3>ann", nil, nil, false},
		"left, the other removes":       {"a=k1.x b=k1.y k1>ann,bob", "a=k2.x2 b=k2.y2 k2>ann", "a=k1.x k1>ann,bob", "a=k2.x2 k2>ann", []string{"b"}, nil, false},
		"values removed, nobody left":   {"a=k1.x b=k2.y k1>ann k2>ann,bob", "a=k1.x k1>ann", "a=k1.x b=k2.y c=k3.z k1>ann k2>ann,bob k3>ann,bob", "a=k1.x c=k3.z k1>ann k3>ann,bob", nil, nil, false},
		"left by a value written again": {"a=k1.x k1>ann,bob", "a=k2.y k2>ann", "a=k1.x c=k3.z k1>ann,bob k3>ann,bob", "a=k2.y k2>ann k3>ann,bob", []string{"c"}, nil, false},

		"type, nothing else":          {"a=k1.x", "a=k1.x type=t", "a=k1.x", "a=k1.x k1>ann type=t", nil, nil, false},
		"type by theirs":              {"a=k1.x", "a=k1.x", "a=k1.x type=t", "a=k1.x k1>ann type=t", nil, nil, false},
		"type by both alike":          {"a=k1.x", "a=k2.y type=t", "a=k1.x type=t", "a=k2.y k2>ann type=t", nil, nil, false},
		"type, and a value":           {"a=k1.x", "a=k1.x type=t", "a=k2.y", "", nil, nil, true},
		"a value, and immutable":      {"a=k1.x", "a=k2.y", "a=k1.x immutable", "", nil, nil, true},
		"immutable, and joined":       {"a=k1.x k1>ann", "a=k1.x k1>ann immutable", "a=k1.x k1>ann,bob", "", nil, nil, true},
		"bound anew":                  {"a=k1.x", "a=k2.x2 name=other", "a=k1.x", "a=k2.x2 k2>ann name=other", nil, nil, false},
		"bound anew, and one added":   {"a=k1.x", "a=k2.x2 name=other", "a=k1.x b=k3.y", "", nil, nil, true},
		"bound anew by both":          {"a=k1.x", "a=k2.x2 name=other", "a=k3.x3 name=third", "", nil, nil, true},
		"bound anew by both the same": {"a=k1.x", "a=k2.x2 name=other", "a=k3.x3 name=other", "k2>ann k3>ann name=other", []string{"a"}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			var base *manifest.Spec
			if test.base != "-" {
				base = specOf(test.base)
			}
			ours, theirs := specOf(test.ours), specOf(test.theirs)
			m := secret.Merge(base, ours, theirs)
			got := ""
			if m.Spec != nil {
				got = specText(m.Spec)
			}
			if got != test.want || !slices.Equal(m.Keys, test.keys) || !slices.Equal(m.DataKeys, test.dataKeys) || m.Whole != test.whole {
				t.Errorf("%q, keys %v, data keys %v, whole %v", got, m.Keys, m.DataKeys, m.Whole)
			}
			if want := len(test.keys) + len(test.dataKeys); (len(m.Conflicts) > 0) != (want > 0 || test.whole) || !test.whole && len(m.Conflicts) != want {
				t.Errorf("conflicts: %v", m.Conflicts)
			}
			for _, c := range m.Conflicts {
				if !errors.Is(&c, secret.ErrConflict) || c.Secret == "" {
					t.Errorf("%+v", c)
				}
			}
			if specText(ours) != specText(specOf(test.ours)) || specText(theirs) != specText(specOf(test.theirs)) {
				t.Error("a side was changed")
			}
		})
	}
}

// TestMergeLimits: what together would be too much for the format, or for Kubernetes, is no clean merge.
func TestMergeLimits(t *testing.T) {
	many := func(prefix string, n int, id func(int) string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%s%d=%s.x ", prefix, i, id(i))
		}
		return b.String()
	}
	one := func(int) string { return "k1" }
	each := func(prefix string) func(int) string { return func(i int) string { return fmt.Sprint(prefix, i) } }
	for name, test := range map[string]struct {
		ours, theirs string
		whole        bool
	}{
		"values":           {many("a", 512, one), many("b", 512, one), false},
		"too many values":  {many("a", 512, one), many("b", 513, one), true},
		"data keys":        {many("a", 32, each("k")), many("b", 32, each("l")), false},
		"too many of them": {many("a", 32, each("k")), many("b", 33, each("l")), true},
	} {
		if m := secret.Merge(specOf(""), specOf(test.ours), specOf(test.theirs)); m.Whole != test.whole || (len(m.Conflicts) > 0) != test.whole {
			t.Errorf("%s: whole %v, %v", name, m.Whole, m.Conflicts)
		}
	}
	k := crypt.GenerateDataKey()
	big := func(key string) *manifest.Spec {
		s := specOf("")
		s.Data[key] = manifest.Box{By: "k1", Box: k.Seal(crypt.Binding(s.Binding), key, make([]byte, 600_000))}
		s.Wraps["k1"] = manifest.Wrap{To: []string{"ann"}, Age: "x", DK: "x"}
		return s
	}
	if m := secret.Merge(specOf(""), big("a"), big("b")); !m.Whole {
		t.Errorf("1.2 MB of values: %v", m.Conflicts)
	}
}

// TestMergeProperties compares with the rule, key by key, over random edits, and holds what must be true of any merge.
func TestMergeProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 17))
	fresh := 0
	next := func() string { fresh++; return fmt.Sprintf("k%d.%d", fresh, fresh) }
	edit := func(from *manifest.Spec) *manifest.Spec {
		values := map[string]string{}
		for key, b := range from.Data {
			values[key] = b.By + "." + b.Box
		}
		for range random.IntN(4) {
			key := string(rune('a' + random.IntN(6)))
			switch random.IntN(8) {
			case 0:
				delete(values, key)
			case 1: // rotate
				for key := range values {
					values[key] = next()
				}
			default:
				values[key] = next()
			}
		}
		words := ""
		for key, v := range values {
			words += key + "=" + v + " "
		}
		return specOf(words)
	}
	conflicts := 0
	for range 3000 {
		base := edit(specOf("a=k0.1 b=k0.2 c=k0.3"))
		ours, theirs := edit(base), edit(base)
		m, mirrored := secret.Merge(base, ours, theirs), secret.Merge(base, theirs, ours)
		if specText(m.Spec) != specText(mirrored.Spec) || !slices.Equal(m.Keys, mirrored.Keys) {
			t.Fatalf("depends on the side: %q %v, %q %v", specText(m.Spec), m.Keys, specText(mirrored.Spec), mirrored.Keys)
		}
		conflicts += len(m.Keys)
		all := map[string]bool{}
		for _, s := range []*manifest.Spec{base, ours, theirs} {
			for key := range maps.Keys(s.Data) {
				all[key] = true
			}
		}
		for key := range all {
			of := func(s *manifest.Spec) string { return s.Data[key].By + "." + s.Data[key].Box }
			b, o, th := of(base), of(ours), of(theirs)
			want, conflict := o, b != o && b != th && o != th
			if b == o {
				want = th
			}
			if conflict {
				want = "."
			}
			if of(m.Spec) != want || slices.Contains(m.Keys, key) != conflict {
				t.Fatalf("%s: base %q, ours %q, theirs %q: %q, conflict %v", key, b, o, th, of(m.Spec), slices.Contains(m.Keys, key))
			}
		}
		for key, box := range m.Spec.Data {
			if _, ok := m.Spec.Wraps[box.By]; !ok {
				t.Fatalf("%s has no data key", key)
			}
		}
		for _, same := range []*secret.Merged{secret.Merge(base, ours, base), secret.Merge(base, base, ours), secret.Merge(base, ours, ours)} {
			if len(same.Conflicts) > 0 || specText(same.Spec) != specText(ours) {
				t.Fatalf("a side without a change: %q, want %q", specText(same.Spec), specText(ours))
			}
		}
	}
	if conflicts < 300 {
		t.Errorf("only %d conflicts: too few to prove anything", conflicts)
	}
}

// TestMergeOpens merges what real writers wrote.
func TestMergeOpens(t *testing.T) {
	dave := people("dave")
	base := seal(t, native("prod", "db", map[string]string{"a": "canary-a", "b": "canary-b", "c": "canary-c"}), dave...)
	ours, theirs := set(t, base, "a", "canary-ours", dave...), set(t, set(t, base, "b", "canary-theirs", dave...), "d", "canary-d", dave...)
	m := secret.Merge(&doc(t, base).Spec, &doc(t, ours).Spec, &doc(t, theirs).Spec)
	if len(m.Conflicts) > 0 {
		t.Fatal(m.Conflicts)
	}
	f := parse(t, ours)
	item, _, err := secret.Select(f, "", "")
	if err != nil {
		t.Fatal(err)
	}
	item.SetSpec(m.Spec)
	mustOpen(t, string(f.Bytes()), map[string]string{"a": "canary-ours", "b": "canary-theirs", "c": "canary-c", "d": "canary-d"}, dave...)
	if !reflect.DeepEqual(slices.Sorted(maps.Keys(m.Spec.Data)), []string{"a", "b", "c", "d"}) || cmp.Diff(m.Spec.Binding, doc(t, base).Spec.Binding) != "" {
		t.Errorf("%+v", m.Spec)
	}
}
