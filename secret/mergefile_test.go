package secret_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// gitMerge is what git makes of texts, with the markers of these tests.
func gitMerge(t *testing.T, texts *int, options ...string) secret.TextMerge {
	return func(base, ours, theirs []byte) ([]byte, bool, error) {
		*texts++
		dir := t.TempDir()
		args := append([]string{"merge-file", "-p", "-q", "-L", "ours", "-L", "base", "-L", "theirs"}, options...)
		for i, text := range [][]byte{ours, base, theirs} {
			path := filepath.Join(dir, string(rune('0'+i)))
			if err := os.WriteFile(path, text, 0o600); err != nil {
				return nil, false, err
			}
			args = append(args, path)
		}
		out, err := exec.Command("git", args...).Output()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() < 128 {
			return out, false, nil
		}
		return out, err == nil, err
	}
}

var plainMarkers = secret.Markers{Size: 7, Base: "base", Ours: "ours", Theirs: "theirs", ShowBase: func() bool { return false }}

func mergeFile(t *testing.T, base, ours, theirs string) *secret.MergedFile {
	t.Helper()
	m, err := secret.MergeFile([]byte(base), []byte(ours), []byte(theirs), plainMarkers, gitMerge(t, new(int)))
	if err != nil {
		t.Fatal(err)
	}
	if m.Clean == bytes.Contains(m.Text, []byte("<<<<<<< ours\n")) || m.Clean == bytes.Contains(m.Text, []byte(">>>>>>> theirs\n")) {
		t.Errorf("clean %v, and the text is\n%s", m.Clean, m.Text)
	}
	if bytes.Contains(m.Text, []byte("canary")) {
		t.Errorf("plaintext:\n%s", m.Text)
	}
	return m
}

// resolved is a text with conflicts after somebody took one side of each: "ours" or "theirs".
func resolved(text []byte, side string) string {
	var b strings.Builder
	at := ""
	for line := range strings.Lines(string(text)) {
		switch line {
		case "<<<<<<< ours\n":
			at = "ours"
		case "=======\n":
			at = "theirs"
		case ">>>>>>> theirs\n":
			at = ""
		default:
			if at == "" || at == side {
				b.WriteString(line)
			}
		}
	}
	return b.String()
}

// values opens every sealed document of a text, "namespace/name key" → value.
func values(t *testing.T, text string, ids ...*crypt.Identity) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, item := range parse(t, text).Items() {
		s, err := secret.Read(item)
		if err != nil {
			t.Fatalf("%v\n%s", report(err), text)
		}
		if !s.Canonical {
			t.Errorf("not canonical:\n%s", text)
		}
		opened, err := secret.Open(s, crypt.NewOpener(ids...), nil)
		if err != nil {
			t.Fatalf("%v\n%s", report(err), text)
		}
		for key, v := range opened {
			all[s.Name+" "+key] = string(v)
		}
	}
	return all
}

func setIn(t *testing.T, text, name, key, value string, ids ...*crypt.Identity) string {
	t.Helper()
	f := parse(t, text)
	item, s, err := secret.Select(f, "", name)
	if err == nil {
		_, err = secret.NewWriter().Set(item, s, key, []byte(value), secret.SetOptions{Target: target(ids...)})
	}
	if err != nil {
		t.Fatal(report(err))
	}
	return string(f.Bytes())
}

func unsetIn(t *testing.T, text, name, key string) string {
	t.Helper()
	f := parse(t, text)
	item, s, err := secret.Select(f, "", name)
	if err == nil {
		err = secret.Unset(item, s, true, key)
	}
	if err != nil {
		t.Fatal(report(err))
	}
	return string(f.Bytes())
}

func moveIn(t *testing.T, text, name, to string, ids ...*crypt.Identity) string {
	t.Helper()
	f := parse(t, text)
	item, s, err := secret.Select(f, "", name)
	if err == nil {
		o := editOptions(ids...)
		o.Opener = crypt.NewOpener(ids...)
		_, err = secret.NewWriter().Move(item, s, manifest.Binding{Namespace: s.Namespace, Name: to}, nil, o)
	}
	if err != nil {
		t.Fatal(report(err))
	}
	return string(f.Bytes())
}

// shapes are the ways in which two Secrets, one and two, stand in a file.
var shapes = map[string]string{
	"stream": native("prod", "one", map[string]string{"a": "canary-1a", "b": "canary-1b"}) + "---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: plain}\n---\n" +
		native("prod", "two", map[string]string{"a": "canary-2a", "b": "canary-2b"}),
	"List": "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: one, namespace: prod}\n  stringData: {a: canary-1a, b: canary-1b}\n" +
		"- kind: Pod\n  apiVersion: v1\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: two, namespace: prod}\n  stringData: {a: canary-2a, b: canary-2b}\n",
	"JSON": `{"apiVersion": "v1", "kind": "List", "items": [
{"apiVersion":"v1","kind":"Secret","metadata":{"name":"one","namespace":"prod"},"stringData":{"a":"canary-1a","b":"canary-1b"}},
{"apiVersion":"v1","kind":"Secret","metadata":{"name":"two","namespace":"prod"},"stringData":{"a":"canary-2a","b":"canary-2b"}}
]}
`,
}

func TestMergeFileShapes(t *testing.T) {
	dave := people("dave")
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			base := seal(t, shape, dave...)
			ours := setIn(t, setIn(t, base, "one", "a", "canary-ours", dave...), "two", "c", "canary-added", dave...)
			theirs := unsetIn(t, setIn(t, base, "one", "b", "canary-theirs", dave...), "two", "a")
			m := mergeFile(t, base, ours, theirs)
			if !m.Clean {
				t.Fatalf("conflict:\n%s", m.Text)
			}
			want := map[string]string{"one a": "canary-ours", "one b": "canary-theirs", "two b": "canary-2b", "two c": "canary-added"}
			if got := values(t, string(m.Text), dave...); !equalMaps(got, want) {
				t.Errorf("%v", got)
			}

			// Changed by one, removed by the other.
			m = mergeFile(t, base, setIn(t, ours, "two", "a", "canary-kept", dave...), theirs)
			if m.Clean || len(m.Conflicts) != 1 || m.Conflicts[0].Secret != "prod/two" {
				t.Errorf("clean %v, %v", m.Clean, m.Conflicts)
			}
			if got := values(t, pruned(t, resolved(m.Text, "theirs")), dave...); !equalMaps(got, want) {
				t.Errorf("theirs: %v", got)
			}
			if got := values(t, pruned(t, resolved(m.Text, "ours")), dave...); got["two a"] != "canary-kept" || len(got) != 5 {
				t.Errorf("ours: %v", got)
			}

			// Both change one value, and others: the markers hold that one, its key among them, and taking a side gives that side's.
			theirs = setIn(t, theirs, "one", "a", "canary-theirs-a", dave...)
			m = mergeFile(t, base, ours, theirs)
			if m.Clean || len(m.Conflicts) != 1 || m.Conflicts[0].Key != "a" || m.Conflicts[0].Secret != "prod/one" {
				t.Fatalf("clean %v, %v", m.Clean, m.Conflicts)
			}
			if bytes.Count(m.Text, []byte("<<<<<<<")) != 1 {
				t.Errorf("markers:\n%s", m.Text)
			}
			key := map[bool]string{true: `"a": {`, false: "a:\n"}[name == "JSON"]
			for n, part := range strings.SplitN(strings.SplitN(string(m.Text), "<<<<<<< ours\n", 2)[1], "=======\n", 2) {
				if !strings.HasPrefix(strings.TrimLeft(part, " "), key) {
					t.Errorf("part %d does not begin with its key:\n%s", n, part)
				}
			}
			for side, value := range map[string]string{"ours": "canary-ours", "theirs": "canary-theirs-a"} {
				want["one a"] = value
				got := pruned(t, resolved(m.Text, side))
				if got := values(t, got, dave...); !equalMaps(got, want) {
					t.Errorf("%s: %v", side, got)
				}
			}
		})
	}
}

// pruned is a text after any next write: without the data keys of the side that was not taken.
func pruned(t *testing.T, text string) string {
	t.Helper()
	f := parse(t, text)
	for _, item := range f.Items() {
		s, err := secret.Read(item)
		if err != nil {
			t.Fatalf("%v\n%s", report(err), text)
		}
		used := map[string]manifest.Wrap{}
		for _, box := range s.Spec.Data {
			used[box.By] = s.Spec.Wraps[box.By]
		}
		s.Spec.Wraps = used
		item.SetSpec(&s.Spec)
	}
	return string(f.Bytes())
}

func equalMaps(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k := range a {
		if a[k] != b[k] {
			return false
		}
	}
	return true
}

// TestMergeFileText: comments, metadata and other documents merge as text beside the values.
func TestMergeFileText(t *testing.T) {
	dave := people("dave")
	base := seal(t, "# the shop's\n"+shapes["stream"], dave...)
	ours := strings.Replace(setIn(t, base, "one", "a", "canary-ours", dave...), "# the shop's", "# the shop's own", 1)
	ours = strings.Replace(ours, "    b:\n", "    # of the shop\n    b:\n", 1)
	theirs := strings.Replace(setIn(t, base, "one", "b", "canary-theirs", dave...), "{name: plain}", "{name: plain, namespace: prod}", 1)
	m := mergeFile(t, base, ours, theirs)
	for _, kept := range []string{"# the shop's own\n", "    # of the shop\n    b:\n", "{name: plain, namespace: prod}\n"} {
		if !m.Clean || !strings.Contains(string(m.Text), kept) {
			t.Errorf("lost %s\n%s", kept, m.Text)
		}
	}
	values(t, string(m.Text), dave...)

	// The comment in conflict, the values not.
	theirs = strings.Replace(theirs, "# the shop's", "# the store's", 1)
	m = mergeFile(t, base, ours, theirs)
	if m.Clean || len(m.Conflicts) > 0 {
		t.Errorf("clean %v, %v", m.Clean, m.Conflicts)
	}
	for _, side := range []string{"ours", "theirs"} {
		if got := values(t, resolved(m.Text, side), dave...); got["one a"] != "canary-ours" || got["one b"] != "canary-theirs" {
			t.Errorf("%s: %v", side, got)
		}
	}

	// A value in conflict inside a comment's conflict.
	theirs = strings.Replace(setIn(t, base, "one", "a", "canary-theirs", dave...), "    a:\n", "    a: # theirs\n", 1)
	ours = strings.Replace(ours, "    a:\n", "    a: # ours\n", 1)
	m = mergeFile(t, base, ours, theirs)
	if len(m.Conflicts) != 1 {
		t.Errorf("%v", m.Conflicts)
	}
	for side, want := range map[string]string{"ours": "canary-ours", "theirs": "canary-theirs"} {
		text := resolved(m.Text, side)
		if got := values(t, pruned(t, text), dave...); got["one a"] != want || !strings.Contains(text, "a: # "+side+"\n") {
			t.Errorf("%s: %v\n%s", side, got, text)
		}
	}
}

// TestMergeFileWhole: what can't be merged value by value stands in the markers as a whole, and so does what lines would join to something
// that nobody meant.
func TestMergeFileWhole(t *testing.T) {
	dave := people("dave")
	base := seal(t, shapes["stream"], dave...)
	added := seal(t, native("prod", "added", map[string]string{"k": "canary"}), dave...)
	for name, test := range map[string]struct {
		ours, theirs string
		markers      int
	}{
		"one added in two places":           {added + "---\n" + base, base + "---\n" + added, 1},
		"moved, and a value added in front": {moveIn(t, base, "one", "three", dave...), setIn(t, base, "one", "A", "canary", dave...), 1},
		"moved, and removed":                {moveIn(t, base, "one", "three", dave...), unsetIn(t, base, "one", "a"), 1},
		"removed, and a value added":        {base[strings.Index(base, "---\nkind: ConfigMap"):], setIn(t, base, "one", "A", "canary", dave...), 1},
		"type, and a value":                 {strings.Replace(base, "  suite: 1\n", "  suite: 1\n  type: Opaque\n", 1), setIn(t, base, "one", "c", "canary", dave...), 1},
		"immutable, and a value, twice": {strings.ReplaceAll(base, "  suite: 1\n", "  suite: 1\n  immutable: true\n"),
			setIn(t, setIn(t, base, "one", "c", "canary", dave...), "two", "c", "canary", dave...), 2},
	} {
		t.Run(name, func(t *testing.T) {
			for _, swap := range []bool{false, true} {
				ours, theirs := test.ours, test.theirs
				if swap {
					ours, theirs = theirs, ours
				}
				m := mergeFile(t, base, ours, theirs)
				if m.Clean || len(m.Conflicts) == 0 || bytes.Count(m.Text, []byte("<<<<<<<")) != test.markers {
					t.Errorf("clean %v, %v\n%s", m.Clean, m.Conflicts, m.Text)
				}
				if resolved(m.Text, "ours") != ours || resolved(m.Text, "theirs") != theirs {
					t.Errorf("a side is not what it was:\n%s", m.Text)
				}
			}
		})
	}
	// A change of the type alone, or a move alone, is no conflict.
	moved := moveIn(t, base, "one", "three", dave...)
	m := mergeFile(t, base, moved, setIn(t, base, "two", "a", "canary-two", dave...))
	if got := values(t, string(m.Text), dave...); !m.Clean || got["three a"] != "canary-1a" || got["two a"] != "canary-two" || len(got) != 4 {
		t.Errorf("clean %v, %v", m.Clean, got)
	}
	// One added by a side, beside a change of the other.
	for _, texts := range [][2]string{{base + "---\n" + added, setIn(t, base, "one", "a", "canary-1", dave...)}, {setIn(t, base, "one", "a", "canary-1", dave...), base + "---\n" + added}} {
		m = mergeFile(t, base, texts[0], texts[1])
		if got := values(t, string(m.Text), dave...); !m.Clean || got["one a"] != "canary-1" || got["added k"] != "canary" {
			t.Errorf("clean %v, %v", m.Clean, got)
		}
	}
	// Added by both, one value apart.
	m = mergeFile(t, "", setIn(t, base, "one", "c", "canary-c", dave...), setIn(t, base, "one", "d", "canary-d", dave...))
	if got := values(t, string(m.Text), dave...); !m.Clean || got["one c"] != "canary-c" || got["one d"] != "canary-d" {
		t.Errorf("clean %v, %v", m.Clean, got)
	}
}

// TestMergeFileDepartedReader: bob left on one side, the other wrote a new value for him. It comes in between markers, or not at all.
func TestMergeFileDepartedReader(t *testing.T) {
	alice, bob := testkeys.Dave(), testkeys.Erin()
	base := seal(t, native("prod", "db", map[string]string{"b": "canary-b"}), alice, bob)
	f := parse(t, base)
	if _, err := secret.NewWriter().Rekey(f, secret.RekeyOptions{Target: target(alice), Opener: crypt.NewOpener(alice)}); err != nil {
		t.Fatal(report(err))
	}
	ours, theirs := string(f.Bytes()), setIn(t, base, "db", "a", "canary-a", alice, bob)
	m := mergeFile(t, base, ours, theirs)
	if m.Clean || len(m.Conflicts) != 1 || m.Conflicts[0].Key != "a" || !strings.Contains(m.Conflicts[0].Error(), "took a reader away") {
		t.Fatalf("clean %v, %v\n%s", m.Clean, m.Conflicts, m.Text)
	}
	if got := values(t, pruned(t, resolved(m.Text, "ours")), alice); !equalMaps(got, map[string]string{"db b": "canary-b"}) {
		t.Errorf("ours: %v", got)
	}
	if got := values(t, pruned(t, resolved(m.Text, "theirs")), alice); !equalMaps(got, map[string]string{"db a": "canary-a", "db b": "canary-b"}) {
		t.Errorf("theirs: %v", got)
	}
}

// TestMergeFileAsText: what has no sealed document, or one that can't be edited without changing bytes that are nobody's business, is what
// git makes of it, byte for byte.
func TestMergeFileAsText(t *testing.T) {
	dave := people("dave")
	base := seal(t, shapes["stream"], dave...)
	ours, theirs := setIn(t, base, "one", "a", "canary-1", dave...), setIn(t, base, "two", "a", "canary-2", dave...)
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	broken := func(s string) string { return strings.Replace(s, "  suite: 1\n", "  suite: one\n", 1) }
	for name, texts := range map[string][3]string{
		"plain, clean":       {"a: 1\nb: 2\nc: 3\nd: 4\n", "a: 0\nb: 2\nc: 3\nd: 4\n", "a: 1\nb: 2\nc: 3\nd: 5\n"},
		"plain, conflict":    {"a: 1\nb: 2\n", "a: 1\nb: 3\n", "a: 1\nb: 4\n"},
		"no YAML":            {"\t{{ a\n", "\t{{ b\n", "\t{{ c\n"},
		"CRLF":               {crlf(base), crlf(ours), crlf(theirs)},
		"BOM":                {"\ufeff" + base, "\ufeff" + ours, "\ufeff" + theirs},
		"no UTF-8":           {base + "# \xff\n", ours + "# \xff\n", theirs + "# \xff\n"},
		"broken on one side": {base, broken(ours), theirs},
		"twice the same":     {base + "---\n" + base, ours + "---\n" + base, theirs + "---\n" + base},
		"markers in base":    {strings.Replace(base, "  suite: 1\n", "<<<<<<< x\n  suite: 1\n=======\n>>>>>>> y\n", 1), ours, theirs},
		"empty":              {"", "a: 1\n", "b: 2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			runs := 0
			text := gitMerge(t, &runs)
			m, err := secret.MergeFile([]byte(texts[0]), []byte(texts[1]), []byte(texts[2]), plainMarkers, text)
			if err != nil {
				t.Fatal(err)
			}
			want, clean, err := text([]byte(texts[0]), []byte(texts[1]), []byte(texts[2]))
			if err != nil || !bytes.Equal(m.Text, want) || m.Clean != clean || runs != 2 || len(m.Conflicts) > 0 {
				t.Errorf("%v, clean %v, %d runs\n%s\nwant\n%s", err, m.Clean, runs, m.Text, want)
			}
		})
	}
	if _, err := secret.MergeFile([]byte("a\x00"), []byte("b\x00"), []byte("c\x00"), plainMarkers, gitMerge(t, new(int))); err == nil {
		t.Error("git does not merge that, and nobody says so")
	}
}

// TestMergeFileInside: with git's diff3 a file that both sides added is one conflict, and a value's stands on each side of it.
func TestMergeFileInside(t *testing.T) {
	dave := people("dave")
	base := seal(t, native("prod", "db", map[string]string{"a": "canary", "b": "canary-b"}), dave...)
	ours, theirs := "# ours\n"+set(t, base, "a", "canary-1", dave...), "# theirs\n"+set(t, base, "a", "canary-2", dave...)
	markers := plainMarkers
	markers.ShowBase = func() bool { return true }
	m, err := secret.MergeFile(nil, []byte(ours), []byte(theirs), markers, gitMerge(t, new(int), "--diff3"))
	if err != nil || m.Clean || bytes.Count(m.Text, []byte("<<<<<<<")) != 1 {
		t.Fatalf("%v\n%s", err, m.Text)
	}
	text := strings.Replace(string(m.Text), "||||||| base\n", "", 1)
	for side, want := range map[string]string{"ours": "canary-1", "theirs": "canary-2"} {
		text := pruned(t, resolved([]byte(text), side))
		if got := values(t, text, dave...); got["db a"] != want || got["db b"] != "canary-b" || !strings.HasPrefix(text, "# "+side+"\n") {
			t.Errorf("%s: %v\n%s", side, got, text)
		}
	}
}

// TestMergeFileMarkers: size, names and what both began with are as git is configured.
func TestMergeFileMarkers(t *testing.T) {
	dave := people("dave")
	base := seal(t, native("prod", "db", map[string]string{"a": "canary"}), dave...)
	m, err := secret.MergeFile([]byte(base), []byte(set(t, base, "a", "canary-1", dave...)), []byte(set(t, base, "a", "canary-2", dave...)),
		secret.Markers{Size: 9, Base: "1234567", Ours: "HEAD", Theirs: "side", ShowBase: func() bool { return true }}, gitMerge(t, new(int)))
	if err != nil || m.Clean {
		t.Fatal(m, err)
	}
	var got []string
	for line := range strings.Lines(string(m.Text)) {
		if strings.ContainsRune("<|=>", rune(line[0])) || strings.HasPrefix(line, "    a:") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if want := "<<<<<<<<< HEAD a: ||||||||| 1234567 a: ========= a: >>>>>>>>> side"; strings.Join(got, " ") != want {
		t.Errorf("%q", got)
	}
	if box := doc(t, base).Spec.Data["a"].Box; !bytes.Contains(m.Text, []byte(box)) {
		t.Error("what both began with is not there")
	}
}

// TestMergeFileMany: a file of thousands of Secrets, all in conflict, takes memory in proportion to its length. Whoever can push can write one.
func TestMergeFileMany(t *testing.T) {
	const n, most = 1000, 400 // bytes in all for each of the file
	one := seal(t, native("prod", "one", map[string]string{"a": "canary", "b": "canary"}), people("dave")...)
	file := func(change func(string) string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = strings.ReplaceAll(change(one), "name: one", fmt.Sprintf("name: one-%d", i))
		}
		return strings.Join(all, "---\n")
	}
	typed := func(name string) func(string) string {
		return func(s string) string {
			return strings.Replace(s, "  suite: 1\n", "  suite: 1\n  type: example.org/"+name+"\n", 1)
		}
	}
	base := file(func(s string) string { return s })
	ours, theirs := file(typed("x")), file(typed("y"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m := mergeFile(t, base, ours, theirs)
	runtime.ReadMemStats(&after)
	if got := bytes.Count(m.Text, []byte("<<<<<<<")); got != n || resolved(m.Text, "theirs") != theirs {
		t.Errorf("%d conflicts", got)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > most*uint64(len(base)) {
		t.Errorf("%d bytes for a file of %d", used, len(base))
	}
}
