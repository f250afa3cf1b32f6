package secret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/corpora"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/secret"
)

// breakglass.py is a decryptor in Python over the stock age, written from the format alone. It has to open whatever opens here.

// breakglass collects documents, to start Python once.
type breakglass struct {
	names []string
	want  []map[string]string // by sealed document, in order
	text  strings.Builder
}

// add takes a text with the values of its sealed documents.
func (b *breakglass) add(name, text string, want ...map[string]string) {
	if b.text.Len() > 0 {
		b.text.WriteString("---\n")
	}
	b.text.WriteString(text)
	if !strings.HasSuffix(text, "\n") {
		b.text.WriteString("\n")
	}
	for i, w := range want {
		b.names = append(b.names, fmt.Sprintf("%s, document %d", name, i+1))
		b.want = append(b.want, w)
	}
}

// find looks for a program in .tools, the PATH and Go's own bin directory.
func find(t *testing.T, program string) string {
	t.Helper()
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/nonexistent"
	}
	for _, p := range []string{filepath.Join("..", ".tools", program), program, filepath.Join(home, "go", "bin", program)} {
		if found, err := exec.LookPath(p); err == nil {
			if found, err = filepath.Abs(found); err == nil {
				return found
			}
		}
	}
	t.Skipf("%s is absent", program)
	return ""
}

func (b *breakglass) run(t *testing.T, names ...string) {
	t.Helper()
	script := corpora.Path(t, "tools", "breakglass.py")
	python, stock := find(t, "python3"), find(t, "age")
	if err := exec.CommandContext(t.Context(), python, "-c", "import yaml").Run(); err != nil {
		t.Skip("PyYAML is absent")
	}
	dir := t.TempDir()
	file, keys := filepath.Join(dir, "sealed.yaml"), filepath.Join(dir, "keys.txt")
	var identities strings.Builder
	for _, id := range people(names...) {
		identities.WriteString(id.SecretText() + "\n")
	}
	for name, text := range map[string]string{file: b.text.String(), keys: identities.String()} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, script, file, keys)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(stock)+string(os.PathListSeparator)+os.Getenv("PATH"), "PYTHONIOENCODING=utf-8")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("breakglass.py: %v\n%s", err, stderr.String()) // and compare: where it stopped says which document
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	for i, want := range b.want {
		got := map[string]string{}
		for range want {
			if len(lines) == 0 || lines[0] == "" {
				t.Fatalf("%s: the output ends", b.names[i])
			}
			key, repr, _ := strings.Cut(lines[0], " = ")
			if got[key], err = unrepr(repr); err != nil {
				t.Fatalf("%s: key %s: %v", b.names[i], key, err)
			}
			lines = lines[1:]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", b.names[i], diff)
		}
	}
	if len(lines) > 0 && lines[0] != "" {
		t.Errorf("%d values more than expected", len(lines))
	}
	t.Logf("%d documents", len(b.want))
}

// unrepr reads a bytes literal as Python prints it.
func unrepr(s string) (string, error) {
	if len(s) < 3 || s[0] != 'b' || s[1] != s[len(s)-1] {
		return "", fmt.Errorf("not a bytes literal")
	}
	var b strings.Builder
	for s = s[2 : len(s)-1]; s != ""; {
		if s[0] != '\\' {
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		if len(s) < 2 {
			return "", fmt.Errorf("an escape is cut")
		}
		n := 2
		switch s[1] {
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case '\\', '\'', '"':
			b.WriteByte(s[1])
		case 'x':
			if len(s) < 4 {
				return "", fmt.Errorf("an escape is cut")
			}
			v, err := strconv.ParseUint(s[2:4], 16, 8)
			if err != nil {
				return "", err
			}
			b.WriteByte(byte(v))
			n = 4
		default:
			return "", fmt.Errorf("escape %q", s[:2])
		}
		s = s[n:]
	}
	return b.String(), nil
}

func TestBreakglassOpensTheVectors(t *testing.T) {
	b := &breakglass{}
	vectors := readVectors(t)
	for _, bom := range []bool{true, false} { // a byte order mark can only stand at the beginning of the file
		for _, v := range vectors {
			if v.expect == "success" && strings.HasPrefix(v.document, "\uFEFF") == bom {
				v.pad = 0 // Python would read 8 MiB of comment for long
				b.add(v.name, v.text(), v.values)
			}
		}
	}
	for _, c := range readCompat(t) {
		b.add(c.name, c.sealed, c.values...)
	}
	if len(b.want) < 30 {
		t.Errorf("%d documents", len(b.want))
	}
	b.run(t, "alice", "bob", "carol", "dave", "erin")
}

func TestBreakglassOpensRandomDocuments(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	g := &generator{t: t, r: rand.New(rand.NewPCG(seed, 0))}
	b := &breakglass{}
	documents := 0
	for i := range 60 {
		text, want := g.file()
		documents += len(want)
		b.add(fmt.Sprintf("file %d of seed %d", i, seed), text, want...)
	}
	if documents < 100 {
		t.Errorf("%d documents", documents)
	}
	b.run(t, "alice", "bob", "carol", "dave", "erin")
}

// generator makes random Secrets and the life of their sealed files.
type generator struct {
	t      *testing.T
	r      *rand.Rand
	names  int
	writer *secret.Writer
}

func (g *generator) one(of ...string) string { return of[g.r.IntN(len(of))] }
func (g *generator) chance(in int) bool      { return g.r.IntN(in) == 0 }

func (g *generator) key() string {
	if g.chance(5) {
		return g.one("on", "null", "1e3", "0o17", "true", "~x", "-", "---", "-.-", "_", "1", "0x1f", "1_000", "12-30", "y", ".a", "=", "1.0")
	}
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	var b strings.Builder
	for range 1 + g.r.IntN(1+g.r.IntN(60)) {
		b.WriteByte(alphabet[g.r.IntN(len(alphabet))])
	}
	return b.String()
}

// value has a size near the edge of a bucket, mostly.
func (g *generator) value() string {
	n := []int{0, 1, 62, 63, 64, 65, 126, 127, 128, 191, 192, 255, 256, 511, 512, 1023, 1024, 2047, 2111, 2112, 4095, 4223}[g.r.IntN(22)]
	if g.chance(3) {
		n = g.r.IntN(300)
	}
	if g.chance(150) {
		n = 20_000 + g.r.IntN(20_000)
	}
	b := make([]byte, n)
	switch g.r.IntN(4) {
	case 0:
		for i := range b {
			b[i] = byte(g.r.Uint32())
		}
	case 1:
		for i := range b {
			b[i] = byte(' ' + g.r.IntN(95))
		}
	case 2:
		for i := range b {
			b[i] = "\x00\x80\n'\"\\"[g.r.IntN(6)]
		}
	}
	return string(b)
}

// fresh is one native Secret as a tree.
func (g *generator) fresh() (map[string]any, map[string]string) {
	g.names++
	metadata := map[string]any{"name": fmt.Sprintf("s%d", g.names)}
	if !g.chance(3) {
		metadata["namespace"] = g.one("prod", "dev", "a", strings.Repeat("n", 63))
	}
	data, values := map[string]any{}, map[string]string{}
	for range g.r.IntN(6) + 1 {
		k, v := g.key(), g.value()
		if strings.HasPrefix(k, "..") || k == "." || k == "~x" || k == "=" {
			continue
		}
		data[k], values[k] = base64.StdEncoding.EncodeToString([]byte(v)), v
	}
	data["last"], values["last"] = "", ""
	object := map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
	if g.chance(3) {
		object["type"] = "kubernetes.io/tls"
		for _, key := range []string{"tls.crt", "tls.key"} {
			v := g.value()
			data[key], values[key] = base64.StdEncoding.EncodeToString([]byte(v)), v
		}
	}
	return object, values
}

// asYAML writes a tree in block style, asJSON in JSON.
func (g *generator) asYAML(v any, indent string) string {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return " {}\n"
		}
		out := "\n"
		for _, k := range sortedKeys(v) {
			out += indent + strconv.Quote(k) + ":" + g.asYAML(v[k], indent+"  ")
		}
		return out
	case []any:
		out := "\n"
		for _, e := range v {
			out += indent + "-" + strings.Replace(g.asYAML(e, indent+"  "), "\n"+indent+"  ", " ", 1)
		}
		return out
	}
	return " " + g.asJSON(v)
}

func (g *generator) asJSON(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		g.t.Fatal(err)
	}
	return string(out) + "\n"
}

// file is a sealed file of some documents, with the values of each.
func (g *generator) file() (string, []map[string]string) {
	t := g.t
	t.Helper()
	if g.writer == nil || g.chance(8) {
		g.writer = secret.NewWriter()
	}
	var docs []string
	want := map[string]map[string]string{}
	for range 1 + g.r.IntN(4) {
		var objects []any
		for range 1 + g.r.IntN(3) {
			o, values := g.fresh()
			objects = append(objects, o)
			want[fmt.Sprintf("s%d", g.names)] = values
			if !g.chance(3) {
				break
			}
			objects = append(objects, map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "c"}})
		}
		object := objects[0]
		if len(objects) > 1 || g.chance(5) {
			object = map[string]any{"apiVersion": "v1", "kind": "List", "items": objects}
		}
		if g.chance(4) {
			docs = append(docs, g.asJSON(object))
		} else {
			docs = append(docs, strings.TrimPrefix(g.asYAML(object, ""), "\n"))
		}
	}
	readers := [][]string{{"dave"}, {"dave", "erin"}, {"alice"}, {"alice", "carol"}}[g.r.IntN(4)]
	to := target(people(readers...)...)
	if g.chance(2) {
		to.Namespace = "from-the-policy"
	}
	text := strings.Join(docs, "---\n")
	f := parse(t, text)
	if _, err := g.writer.Encrypt(f, secret.EncryptOptions{Target: to}); err != nil {
		t.Fatalf("%v\n%s", report(err), text)
	}
	text = string(f.Bytes())
	text = g.lives(text, to, readers, want)

	var values []map[string]string
	for _, i := range parse(t, text).Items() {
		s, err := secret.Read(i)
		if err != nil {
			t.Fatalf("%v\n%s", report(err), text)
		}
		if !s.Canonical {
			t.Errorf("%s is not as this version writes", s.Name)
		}
		values = append(values, want[s.Name])
	}
	return text, values
}

// lives sets values and lets people join and leave.
func (g *generator) lives(text string, to secret.Target, readers []string, want map[string]map[string]string) string {
	t := g.t
	t.Helper()
	for name := range want {
		for range g.r.IntN(3) {
			f := parse(t, text)
			item, s, err := secret.Select(f, "", name)
			if err != nil {
				t.Fatal(err)
			}
			key, v := g.one(append(sortedKeys(want[name]), "new", "newer")...), g.value()
			if _, err := secret.NewWriter().Set(item, s, key, []byte(v), secret.SetOptions{Target: to}); err != nil {
				t.Fatalf("%v", report(err))
			}
			want[name][key], text = v, string(f.Bytes())
		}
	}
	if !g.chance(3) {
		return text
	}
	f := parse(t, text)
	wider := testkeys.PostQuantum("bob")
	if readers[0] == "dave" {
		wider = testkeys.Classic("someone-" + strconv.Itoa(g.r.IntN(3)))
	}
	to.Recipients = append(to.Recipients, wider.Recipient())
	_, err := g.writer.Rekey(f, secret.RekeyOptions{
		Target: to, Opener: crypt.NewOpener(people(readers...)...), Sharing: secret.Sharing{Widen: true}, Rotate: g.chance(4),
	})
	if err != nil {
		t.Fatalf("%v", report(err))
	}
	return string(f.Bytes())
}

func TestUnrepr(t *testing.T) {
	for in, want := range map[string]string{`b''`: "", `b"it's"`: "it's", `b'\x00\x80\n\t\r\\\'"'`: "\x00\x80\n\t\r\\'\""} {
		if got, err := unrepr(in); err != nil || got != want {
			t.Errorf("%s: got %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "b'", "'x'", `b'\q'`, `b'\x0'`} {
		if got, err := unrepr(in); err == nil {
			t.Errorf("%s: got %q", in, got)
		}
	}
}
