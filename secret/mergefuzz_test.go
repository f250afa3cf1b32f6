package secret_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// alter does one edit to a text, as a colleague could have made it without a key: which one, and where, the byte says.
func alter(text string, op byte) string {
	keys := []string{"    API_TOKEN:\n", "    later:\n", "    user:\n"}
	key := keys[int(op>>4)%len(keys)]
	at := strings.Index(text, key)
	entry, end := "", at
	if at >= 0 {
		end = at + len(key)
		for range 2 { // by, box
			end += strings.IndexByte(text[end:]+"\n", '\n') + 1
		}
		end = min(end, len(text))
		entry = text[at:end]
	}
	switch op & 7 {
	case 0, 1: // a value written again: another box
		other := map[byte]string{0: "AAAA", 1: "BBBB"}[op&7]
		if i := strings.Index(entry, "box: "); i >= 0 && len(entry) > i+20 {
			return text[:at] + entry[:i+9] + other + entry[i+13:] + text[end:]
		}
	case 2:
		return text[:max(at, 0)] + text[max(end, 0):]
	case 3: // a new key, behind the others
		if entry != "" {
			return text + strings.Replace(entry, strings.TrimSpace(key), fmt.Sprintf("z%d:", op>>4&1), 1)
		}
	case 4: // somebody joins
		return strings.Replace(text, "[oud3pjs5s22zflxc]", "[oud3pjs5s22zflxc, zzzzzzzzzzzzzzzz]", 1+int(op>>4)%2)
	case 5:
		return strings.Replace(text, "metadata:\n", fmt.Sprintf("metadata: # seen by %d\n", op>>4&1), 1)
	case 6:
		return strings.ReplaceAll(text, "name: db\n", fmt.Sprintf("name: db%d\n", op>>4&1))
	case 7:
		return text + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	}
	return text
}

// careless are merges of text that git would never make: whatever one says, no value may be lost or restored in silence.
var careless = []secret.TextMerge{
	func(_, ours, _ []byte) ([]byte, bool, error) { return ours, true, nil },
	func(_, _, theirs []byte) ([]byte, bool, error) { return theirs, true, nil },
	func(_, ours, theirs []byte) ([]byte, bool, error) { return slices.Concat(ours, theirs), true, nil },
	func(base, _, _ []byte) ([]byte, bool, error) { return base, true, nil },
	func(_, ours, _ []byte) ([]byte, bool, error) { return ours, false, nil },
}

// boxes are those of the sealed documents of a text, by binding and key; false if one can't be read, or two are bound alike.
func boxes(text []byte) (map[string]string, bool) {
	f, err := manifest.Parse(text)
	if err != nil {
		return nil, false
	}
	all := map[string]string{}
	seen := map[manifest.Binding]bool{}
	for _, item := range f.Items() {
		switch item.Kind {
		case manifest.Broken:
			return nil, false
		case manifest.Sealed:
			s, err := secret.Read(item)
			if err != nil || seen[s.Spec.Binding] {
				return nil, false
			}
			seen[s.Spec.Binding] = true
			for key, box := range s.Spec.Data {
				all[fmt.Sprint(s.Spec.Binding, " ", key)] = box.Box
			}
		}
	}
	return all, true
}

// FuzzMergeFile holds that a merge without a conflict is the merge of the maps, whatever two people did and whatever text is merged to.
func FuzzMergeFile(f *testing.F) {
	original := mutated(f).document
	f.Fuzz(func(t *testing.T, ours, theirs []byte, at, n uint16, put string, merge byte) {
		if len(ours)+len(theirs) > 12 || len(put) > 4096 {
			return
		}
		sides := [3]string{original, original, original}
		for _, op := range ours {
			sides[1] = alter(sides[1], op)
		}
		for _, op := range theirs {
			sides[2] = alter(sides[2], op)
		}
		sides[2] = splice(sides[2], at, n, put)
		markers := plainMarkers
		m, err := secret.MergeFile([]byte(sides[0]), []byte(sides[1]), []byte(sides[2]), markers, careless[int(merge)%len(careless)])
		if err != nil || !m.Clean {
			if err != nil || m.Text == nil {
				t.Fatalf("%v, %v", m, err)
			}
			return
		}
		if !utf8.ValidString(sides[2]) || strings.ContainsAny(sides[2], "\x00\r\ufeff") {
			return // left to text, in the hands of git
		}
		base, _ := boxes([]byte(sides[0]))
		ourBoxes, ok1 := boxes([]byte(sides[1]))
		theirBoxes, ok2 := boxes([]byte(sides[2]))
		if !ok1 || !ok2 {
			return // text, as git makes it
		}
		got, ok := boxes(m.Text)
		if !ok {
			t.Fatalf("a clean merge that can't be read:\n%s", m.Text)
		}
		for key := range union(base, ourBoxes, theirBoxes, got) {
			b, o, th, want := base[key], ourBoxes[key], theirBoxes[key], ""
			switch {
			case o == th, b == th:
				want = o
			case b == o:
				want = th
			default:
				t.Fatalf("%s was changed on both sides, and there is no conflict:\n%s", key, m.Text)
			}
			if got[key] != want {
				t.Errorf("%s is not what both sides made of it", key)
			}
		}
	})
}

func union(all ...map[string]string) map[string]bool {
	keys := map[string]bool{}
	for _, m := range all {
		for k := range m {
			keys[k] = true
		}
	}
	return keys
}
