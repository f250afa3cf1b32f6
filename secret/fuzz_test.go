package secret_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// mutated is the document that FuzzMutate changes: two values and two data keys for one Secret, for dave.
func mutated(t testing.TB) *vector {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(vectorDir, "success-two-data-keys"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := parseVector("", src)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// splice cuts n bytes at a place, both taken modulo what there is, and puts others there.
func splice(text string, at, n uint16, put string) string {
	from := int(at) % (len(text) + 1)
	to := from + int(n)%(len(text)-from+1)
	return text[:from] + put + text[to:]
}

// FuzzMutate holds that whatever two changes do to the text of a document, no value comes out that was not put in under that binding
// and key, and that nothing comes out beside an error.
func FuzzMutate(f *testing.F) {
	original := mutated(f)
	dave := people("dave")
	opener := crypt.NewOpener(dave...) // one for all, as in a run: what one document holds must not open another
	f.Fuzz(func(t *testing.T, at1, n1 uint16, put1 string, at2, n2 uint16, put2 string) {
		if len(put1)+len(put2) > 4096 {
			return
		}
		text := splice(splice(original.document, at1, n1, put1), at2, n2, put2)
		file, err := manifest.Parse([]byte(text))
		if err != nil {
			checkSaid(t, original.document, reasons(err))
			return
		}
		for _, i := range file.Items() {
			if i.Kind != manifest.Sealed && i.Kind != manifest.Broken {
				continue
			}
			s, err := secret.Read(i)
			var values map[string][]byte
			if err == nil {
				values, err = secret.Open(s, opener, nil)
			}
			if err != nil {
				// Not the names and keys: two splices can make a piece of a box one, and they are in clear.
				if checkSaid(t, original.document, reasons(err)); secret.Class(err) == "" || values != nil {
					t.Errorf("%d values beside %v", len(values), report(err))
				}
				continue
			}
			if len(values) > 0 && s.Spec.Binding != (manifest.Binding{Namespace: "prod", Name: "db"}) {
				t.Errorf("values opened for %v", s.Spec.Binding)
			}
			for k, v := range values {
				if want, ok := original.values[k]; !ok || want != string(v) {
					t.Errorf("key %q opened to what was not put there", k)
				}
			}
			if again, ok := referenceOpen(s, dave...); !ok || len(again) != len(values) {
				t.Error("the second implementation does not open it")
			}
		}
		if n, err := secret.Decrypt(file, opener, nil); err != nil && (n != 0 || file.Changed()) {
			t.Errorf("%d documents decrypted beside %v", n, report(err))
		}
	})
}

// FuzzProperties holds the properties of docs/format.md for any Secret.
func FuzzProperties(f *testing.F) {
	f.Fuzz(func(t *testing.T, namespace, name, key1, key2 string, value1, value2 []byte, asJSON bool) {
		want := map[string]string{key1: string(value1)}
		want[key2] = string(value2)
		want["last"] = ""
		data := map[string]string{}
		for k, v := range want {
			data[k] = b64([]byte(v))
		}
		out, err := json.Marshal(map[string]any{
			"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"namespace": namespace, "name": name}, "data": data,
		})
		if err != nil || !utf8.ValidString(namespace+name+key1+key2) {
			return
		}
		text := string(out) + "\n"
		if !asJSON {
			text = "# flow style\n---\n" + strings.Replace(text, "{", "{ ", 1) + "# end\n"
		}
		file := parse(t, text)
		dave := people("dave")
		if _, err := secret.NewWriter().Encrypt(file, secret.EncryptOptions{Target: target(dave...)}); err != nil {
			if file.Changed() || errors.Is(err, crypt.ErrAEAD) {
				t.Errorf("changed beside %v", report(err))
			}
			return
		}
		if file.Changed() { // it may be left alone as a template
			checkProperties(t, text, string(file.Bytes()), want)
		}
	})
}

// checkProperties takes a native text with one Secret, that text sealed for dave, and the values.
func checkProperties(t *testing.T, text, sealed string, want map[string]string) {
	t.Helper()
	dave := people("dave")
	// open∘seal = identity, twice.
	mustOpen(t, sealed, want, dave...)
	s := doc(t, sealed)
	if got, ok := referenceOpen(s, dave...); !ok || !maps.Equal(got, want) {
		t.Errorf("the second implementation reads %d values, %v", len(got), ok)
	}
	// parse∘emit = identity.
	if !s.Canonical {
		t.Error("not canonical")
	}
	f := parse(t, sealed)
	item, s, err := secret.Select(f, "", "")
	if err != nil {
		t.Fatal(err)
	}
	item.SetSpec(&s.Spec)
	if got := string(f.Bytes()); got != sealed {
		t.Errorf("written again it is\n%s\nwas\n%s", got, sealed)
	}
	// Two seals differ in everything.
	other := doc(t, seal(t, text, dave...))
	for key, b := range s.Spec.Data {
		if o := other.Spec.Data[key]; o.Box == b.Box || o.By == b.By {
			t.Errorf("key %s is the same in two seals", key)
		}
	}
	if wrapOf(other).Age == wrapOf(s).Age || wrapOf(other).DK == wrapOf(s).DK {
		t.Error("a session key or data key is the same in two seals")
	}
	// An edit leaves the rest as it is, line by line.
	ours := set(t, sealed, "last", "canary-ours", dave...)
	checkKept(t, sealed, ours, "last")
	theirs := set(t, sealed, "added", "canary-theirs", dave...)
	checkKept(t, sealed, theirs, "added")
	// A three-way merge of two edits is the merge of the maps.
	merged := mergeSpecs(s.Spec, doc(t, ours).Spec, doc(t, theirs).Spec)
	f = parse(t, sealed)
	if item, _, err = secret.Select(f, "", ""); err != nil {
		t.Fatal(err)
	}
	item.SetSpec(merged)
	both := maps.Clone(want)
	both["last"], both["added"] = "canary-ours", "canary-theirs"
	mustOpen(t, string(f.Bytes()), both, dave...)
}

// checkKept fails if an edit of one key changed another key's box, or any line that has nothing to do with the edit.
func checkKept(t *testing.T, before, after, key string) {
	t.Helper()
	old, now := doc(t, before), doc(t, after)
	for k, b := range old.Spec.Data {
		if n := now.Spec.Data[k]; (n.Box == b.Box && n.By == b.By) == (k == key) {
			t.Errorf("key %s after an edit of %s: changed %v", k, key, n.Box != b.Box)
		}
	}
	was, is := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	changed := 2 // by and box
	if _, ok := old.Spec.Data[key]; !ok {
		changed = 0
	}
	if strings.HasPrefix(strings.TrimLeft(before, "\n"), "{") {
		changed += 2 // a comma behind what was the last of wraps and of data
	}
	if kept := commonLines(was, is); kept < len(was)-changed {
		t.Errorf("an edit of %s kept %d of %d lines\nbefore\n%s\nafter\n%s", key, kept, len(was), before, after)
	}
}

// commonLines is the length of the longest common subsequence.
func commonLines(a, b []string) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if row[j+1] = max(above, row[j]); x == y {
				row[j+1] = diagonal + 1
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

// mergeSpecs merges two changes of one spec as git merges lines: what one side changed wins, what neither did stays.
func mergeSpecs(base, ours, theirs manifest.Spec) *manifest.Spec {
	base.Wraps = mergeMaps(base.Wraps, ours.Wraps, theirs.Wraps, func(a, b manifest.Wrap) bool { return a.Age == b.Age && a.DK == b.DK })
	base.Data = mergeMaps(base.Data, ours.Data, theirs.Data, func(a, b manifest.Box) bool { return a.Box == b.Box && a.By == b.By })
	return &base
}

func mergeMaps[V any](base, ours, theirs map[string]V, same func(a, b V) bool) map[string]V {
	merged := maps.Clone(theirs)
	for k, v := range ours {
		if was, ok := base[k]; !ok || !same(was, v) {
			merged[k] = v
		}
	}
	for k := range base {
		if _, ok := ours[k]; !ok {
			delete(merged, k)
		}
	}
	return merged
}

// TestCleanMergesOpen lets git merge the texts. It can't always: two new data keys may come to stand side by side.
func TestCleanMergesOpen(t *testing.T) {
	dave := people("dave")
	values := map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}
	clean := 0
	for i := 0; i < 40 && clean < 5; i++ {
		base := seal(t, native("prod", "db", values), dave...)
		ours, theirs := set(t, base, "a", "ours", dave...), set(t, base, "d", "theirs", dave...)
		dir := t.TempDir()
		for name, text := range map[string]string{"base": base, "ours": ours, "theirs": theirs} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), "git", "merge-file", "-p", "ours", "base", "theirs")
		cmd.Dir = dir
		merged, err := cmd.Output()
		if err != nil {
			continue
		}
		clean++
		mustOpen(t, string(merged), map[string]string{"a": "ours", "b": "2", "c": "3", "d": "theirs"}, dave...)
		byMaps := mergeSpecs(doc(t, base).Spec, doc(t, ours).Spec, doc(t, theirs).Spec)
		got := doc(t, string(merged)).Spec
		for k, b := range byMaps.Data {
			if g := got.Data[k]; g.Box != b.Box || g.By != b.By {
				t.Errorf("key %s is not that of the maps' merge", k)
			}
		}
		if len(got.Wraps) != len(byMaps.Wraps) || len(got.Data) != len(byMaps.Data) {
			t.Errorf("%d wraps and %d values, want %d and %d", len(got.Wraps), len(got.Data), len(byMaps.Wraps), len(byMaps.Data))
		}
	}
	if clean < 5 {
		t.Errorf("%d clean merges", clean)
	}
}

// A merge in which both sides replaced the last values of a data key leaves its wrap behind, unreferenced. It opens, and the next
// write prunes it.
func TestAMergeThatLeavesAWrapBehind(t *testing.T) {
	dave := people("dave")
	base := seal(t, native("prod", "db", map[string]string{"a": "1", "b": "2"}), dave...)
	ours, theirs := set(t, base, "a", "ours", dave...), set(t, base, "b", "theirs", dave...)
	merged := mergeSpecs(doc(t, base).Spec, doc(t, ours).Spec, doc(t, theirs).Spec)
	f := parse(t, base)
	item, _, err := secret.Select(f, "", "")
	if err != nil {
		t.Fatal(err)
	}
	item.SetSpec(merged)
	text := string(f.Bytes())
	if n := len(doc(t, text).Spec.Wraps); n != 3 {
		t.Fatalf("%d wraps, want 3", n)
	}
	mustOpen(t, text, map[string]string{"a": "ours", "b": "theirs"}, dave...)
	text = set(t, text, "c", "3", dave...)
	if n := len(doc(t, text).Spec.Wraps); n != 3 {
		t.Errorf("%d wraps after the next write, want 3: two and the new one", n)
	}
	mustOpen(t, text, map[string]string{"a": "ours", "b": "theirs", "c": "3"}, dave...)
}

func TestSeedsAreThere(t *testing.T) {
	for _, target := range []string{"FuzzMutate", "FuzzProperties", "FuzzEdit"} {
		seeds, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
		if err != nil || len(seeds) < 20 {
			t.Errorf("%s has %d seeds, %v", target, len(seeds), err)
		}
	}
}
