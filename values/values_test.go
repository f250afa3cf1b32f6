package values

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/manifest"
)

// added is the keys and values in their order, one "key=value" each, then the warnings.
func added(v *Values) []string {
	var list []string
	for _, key := range v.Keys() {
		list = append(list, key+"="+string(v.Get(key)))
	}
	for _, w := range v.Warnings {
		list = append(list, "warning: "+told(w))
	}
	return list
}

// told is an error as people see it.
func told(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	text := filepath.Base(e.Path)
	if e.Path == "" {
		text = ""
	}
	if e.Line > 0 {
		text += fmt.Sprintf(":%d", e.Line)
	}
	if e.Key != "" {
		text += " key " + e.Key
	}
	return strings.TrimSpace(text + " " + e.Error())
}

// refused checks an error: what it is, what it says, and that neither it nor its hint has the canary.
func refused(t *testing.T, err, is error, text string) {
	t.Helper()
	if err == nil || is != nil && !errors.Is(err, is) || !strings.Contains(told(err), text) {
		t.Errorf("got %q, want %q (%v)", told(err), text, is)
	}
	var e *Error
	if errors.As(err, &e) && strings.Contains(told(err)+e.Hint, "canary") {
		t.Errorf("the error has a value: %q, %q", told(err), e.Hint)
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAdd(t *testing.T) {
	v := &Values{}
	if err := v.Add("b", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := v.Add("a", nil); err != nil {
		t.Fatal(err)
	}
	refused(t, v.Add("b", []byte("canary")), ErrTwice, "key b there is a value for this key already")
	for _, key := range []string{"", ".", "..", "..a", "a b", "canary é", strings.Repeat("a", 254)} {
		refused(t, v.Add(key, nil), ErrKey, "")
	}
	if diff := cmp.Diff([]string{"b=1", "a="}, added(v)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestLimits(t *testing.T) {
	v := &Values{}
	if err := v.Add("a", make([]byte, manifest.MaxTotal-1)); err != nil {
		t.Fatal(err)
	}
	refused(t, v.Add("b", make([]byte, 2)), ErrLimit, "key b over a limit: the values add up to more than the 1048576 bytes")
	if err := v.Add("b", make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "x", "canary")
	refused(t, v.AddFile(dir), ErrLimit, "x key x over a limit")
	refused(t, v.AddEnvFile(write(t, dir, "e", "# c\nA=canary\n")), ErrLimit, "e:2 key A over a limit")
	if _, err := os.Stat("/dev/zero"); err == nil {
		refused(t, (&Values{}).AddFile("/dev/zero"), ErrLimit, "zero key zero over a limit")
		refused(t, (&Values{}).AddEnvFile("/dev/zero"), ErrLimit, "an env file of more than 8388608 bytes")
	}
	v = &Values{}
	for i := range manifest.MaxValues {
		if err := v.Add(fmt.Sprint("k", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, v.Add("k", nil), ErrLimit, "more than 1024 values")
}

func TestLiteral(t *testing.T) {
	v := &Values{}
	for _, text := range []string{"a=1,b=2", `q="x"`, "e=", "eq==a=b", "s= x "} {
		if err := v.AddLiteral(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if diff := cmp.Diff([]string{"a=1,b=2", `q="x"`, "e=", "eq==a=b", "s= x "}, added(v)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	refused(t, v.AddLiteral("canary"), nil, "a literal is key=value")
	refused(t, v.AddLiteral("=canary"), nil, "a literal is key=value")
	refused(t, v.AddLiteral(""), nil, "a literal is key=value")
	refused(t, v.AddLiteral("canary#1=canary"), ErrKey, "")
	refused(t, v.AddLiteral("a=canary"), ErrTwice, "key a")
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	one := write(t, dir, "one.txt", "1\r\n")
	tree := filepath.Join(dir, "tree")
	for _, d := range []string{tree, filepath.Join(tree, "sub"), filepath.Join(dir, "bad")} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, tree, "b", "B")
	write(t, tree, ".a", "A")
	write(t, filepath.Join(dir, "bad"), "canary file", "canary")
	if err := os.Symlink(one, filepath.Join(tree, "link")); err != nil {
		t.Skip("this system has no symbolic links")
	}
	v := &Values{Stdin: strings.NewReader("in\n")}
	for _, source := range []string{one, "k=" + one, tree, "l=" + filepath.Join(tree, "link"), "stdin=-"} {
		if err := v.AddFile(source); err != nil {
			t.Errorf("%s: %v", source, err)
		}
	}
	want := []string{"one.txt=1\r\n", "k=1\r\n", ".a=A", "b=B", "l=1\r\n", "stdin=in\n",
		"warning: tree left out, being no regular files: link, sub"}
	if diff := cmp.Diff(want, added(v)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	for _, test := range []struct {
		source string
		is     error
		text   string
	}{
		{"a=/canary=2", ErrSource, "can't contain '='"},
		{"==canary", ErrSource, "can't contain '='"},
		{"=canary", ErrSource, "the key is missing"},
		{"a=", ErrSource, "the path is missing"},
		{"-", ErrSource, "standard input needs a key"},
		{"again=-", ErrStdin, ""},
		{"d=" + tree, nil, "tree a directory can't have a key"},
		{filepath.Join(dir, "bad"), ErrKey, ""},
		{"a b=" + one, ErrKey, ""},
		{one, ErrTwice, "one.txt key one.txt"},
		{filepath.Join(dir, "none"), os.ErrNotExist, "none no such file or directory"},
		{"n=" + filepath.Join(dir, "none"), os.ErrNotExist, ""},
	} {
		err := v.AddFile(test.source)
		if e, ok := errors.AsType[*Error](err); ok && test.is == ErrKey {
			e.Path = "" // the name of a file is no secret
		}
		refused(t, err, test.is, test.text)
	}
}

// A path with "=" is only refused where key=path is read.
func TestFileAs(t *testing.T) {
	v := &Values{}
	if err := v.AddFileAs("tls.crt", write(t, t.TempDir(), "a=b.pem", "x")); err != nil {
		t.Fatal(err)
	}
	refused(t, v.AddFileAs("tls.key", t.TempDir()), nil, "is a directory")
	refused(t, v.AddFileAs("tls.key", "-"), ErrStdin, "")
}

// What kubectl 1.32 made of the same inputs, but for the last, which it can't.
func TestDockerConfig(t *testing.T) {
	tests := []struct {
		logins []Registry
		want   string
	}{
		{[]Registry{{"https://index.docker.io/v1/", "test-user", "test-password", "test-user@example.org"}},
			`{"auths":{"https://index.docker.io/v1/":{"username":"test-user","password":"test-password","email":"test-user@example.org","auth":"dGVzdC11c2VyOnRlc3QtcGFzc3dvcmQ="}}}`},
		{[]Registry{{"s", "u<", `p&"é`, ""}}, `{"auths":{"s":{"username":"u\u003c","password":"p\u0026\"é","auth":"dTw6cCYiw6k="}}}`},
		{[]Registry{{"b", "u", "p", ""}, {"a", "v", "q", "e"}},
			`{"auths":{"a":{"username":"v","password":"q","email":"e","auth":"djpx"},"b":{"username":"u","password":"p","auth":"dTpw"}}}`},
	}
	for _, test := range tests {
		v := &Values{}
		if err := v.AddDockerConfig(test.logins...); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, string(v.Get(DockerConfigKey))); diff != "" {
			t.Errorf("config (-want +got):\n%s", diff)
		}
	}
	v := &Values{}
	refused(t, v.AddDockerConfig(Registry{"s", "canary", "", ""}), nil, "needs a server")
	refused(t, v.AddDockerConfig(Registry{"s", "canary", "p", ""}, Registry{"s", "v", "canary", ""}), nil, "twice")
	refused(t, v.AddDockerConfig(Registry{"s", "canary", "canary\xff", ""}), nil, "UTF-8")
}

// From kubectl's own tests; the last has another hash than the first.
func TestHash(t *testing.T) {
	yes := true
	tests := []struct {
		name, typ string
		immutable *bool
		literals  []string
		want      string
	}{
		{"foo", "", nil, nil, "949tdgdkgg"},
		{"foo", "my-type", nil, nil, "dg474f9t76"},
		{"foo", "", nil, []string{"key2=value2", "key1=value1"}, "tf72c228m4"},
		{"foo", "", &yes, nil, ""},
	}
	seen := map[string]bool{}
	for _, test := range tests {
		v := &Values{}
		for _, l := range test.literals {
			if err := v.AddLiteral(l); err != nil {
				t.Fatal(err)
			}
		}
		got, err := v.Hash(test.name, test.typ, test.immutable)
		if err != nil || len(got) != HashLength || test.want != "" && got != test.want || seen[got] {
			t.Errorf("%s: got %s, %v; want %s", test.name, got, err, test.want)
		}
		seen[got] = true
	}
}
