package secret_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

var (
	updateVectors    = flag.Bool("update-vectors", false, "write the vectors and compatibility files that are missing")
	overwriteVectors = flag.Bool("overwrite-vectors", false, "with -update-vectors: replace those that exist, which breaks the promise that they are frozen")
)

const vectorDir = "../testdata/vectors"

// classes are the outcomes that vectors have, at least vectorsPerClass of each.
var classes = []string{
	"success", "parse", "schema", "limit", "base64", "unknown-suite", "no-identity", "age", "payload-magic", "kid-mismatch",
	"to-mismatch", "unknown-key", "dk", "box-length", "aead", "padding", "binding", "type",
}

const vectorsPerClass = 5

// vector is a document and what comes of opening it. testdata/vectors/README.md describes the files.
type vector struct {
	name       string
	expect     string
	comment    string
	identities []string
	values     map[string]string // of success
	pad        int               // the document is filled up with a comment to so many bytes
	repeat     int               // its lines that begin with "@" stand so many times
	document   string
	make       func() string // the document, when it is first written
}

// text is the document with its directives carried out.
func (v *vector) text() string {
	doc := v.document
	if v.repeat > 0 {
		var b, block strings.Builder
		flush := func() {
			for i := range v.repeat {
				b.WriteString(strings.ReplaceAll(block.String(), "{i}", counter(i)))
			}
			block.Reset()
		}
		for line := range strings.Lines(doc) {
			if rest, ok := strings.CutPrefix(line, "@"); ok {
				block.WriteString(rest)
				continue
			}
			flush()
			b.WriteString(line)
		}
		flush()
		doc = b.String()
	}
	if n := v.pad - len(doc); n >= 2 {
		doc += "#" + strings.Repeat("x", n-2) + "\n"
	}
	return doc
}

// counter writes numbers in four letters, in ascending order.
func counter(i int) string {
	return string([]byte{byte('a' + i/17576%26), byte('a' + i/676%26), byte('a' + i/26%26), byte('a' + i%26)})
}

func parseVector(name string, src []byte) (*vector, error) {
	head, doc, ok := bytes.Cut(src, []byte("\n\n"))
	if !ok {
		return nil, errors.New("no blank line ends the header")
	}
	v := &vector{name: name, document: string(doc), values: map[string]string{}}
	for line := range strings.SplitSeq(string(head), "\n") {
		field, text, ok := strings.Cut(line, ": ")
		if !ok {
			return nil, fmt.Errorf("header line %q", line)
		}
		var err error
		switch field {
		case "expect":
			v.expect = text
		case "comment":
			v.comment = text
		case "identity":
			v.identities = append(v.identities, text)
		case "value":
			key, encoded, _ := strings.Cut(text, "=")
			var value []byte
			value, err = base64.StdEncoding.DecodeString(encoded)
			v.values[key] = string(value)
		case "pad":
			v.pad, err = strconv.Atoi(text)
		case "repeat":
			v.repeat, err = strconv.Atoi(text)
		default:
			err = errors.New("unknown field")
		}
		if err != nil {
			return nil, fmt.Errorf("header line %q: %w", line, err)
		}
	}
	if v.expect == "" || v.comment == "" {
		return nil, errors.New("the header has no expect or no comment")
	}
	return v, nil
}

func (v *vector) bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "expect: %s\n", v.expect)
	for _, id := range v.identities {
		fmt.Fprintf(&b, "identity: %s\n", id)
	}
	fmt.Fprintf(&b, "comment: %s\n", v.comment)
	for _, key := range sortedKeys(v.values) {
		fmt.Fprintf(&b, "value: %s=%s\n", key, b64([]byte(v.values[key])))
	}
	if v.pad > 0 {
		fmt.Fprintf(&b, "pad: %d\n", v.pad)
	}
	if v.repeat > 0 {
		fmt.Fprintf(&b, "repeat: %d\n", v.repeat)
	}
	b.WriteString("\n" + v.document)
	return b.Bytes()
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// frozen writes a file once.
func frozen(t *testing.T, name string, content []byte) {
	t.Helper()
	how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if *overwriteVectors {
		how = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(name, how, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	t.Logf("wrote %s", name)
}

// readVectors reads all vectors there are.
func readVectors(t *testing.T) []*vector {
	t.Helper()
	entries, err := os.ReadDir(vectorDir)
	if err != nil {
		t.Fatal(err)
	}
	var all []*vector
	for _, e := range entries {
		if e.Name() == "README.md" || e.IsDir() {
			continue
		}
		src, err := os.ReadFile(filepath.Join(vectorDir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		v, err := parseVector(e.Name(), src)
		if err != nil {
			t.Fatalf("%s: %v", e.Name(), err)
		}
		all = append(all, v)
	}
	return all
}

// TestVectors opens the vectors. To add some, write them in allVectors and run it once with -update-vectors.
func TestVectors(t *testing.T) {
	planned := allVectors()
	if *updateVectors {
		for _, v := range planned {
			v.document = v.make()
			frozen(t, filepath.Join(vectorDir, v.name), v.bytes())
		}
	}
	vectors := readVectors(t)
	count := map[string]int{}
	there := map[string]bool{}
	for _, v := range vectors {
		count[v.expect]++
		there[v.name] = true
		t.Run(v.name, func(t *testing.T) { runVector(t, v) })
	}
	if len(vectors) == 0 {
		t.Fatalf("no vectors in %s", vectorDir)
	}
	for _, c := range classes {
		if count[c] < vectorsPerClass {
			t.Errorf("%d vectors of class %s, at least %d are due", count[c], c, vectorsPerClass)
		}
		delete(count, c)
	}
	for c := range count {
		t.Errorf("vectors of an unknown class %q", c)
	}
	for _, v := range planned {
		if !there[v.name] {
			t.Errorf("vector %s is gone", v.name)
		}
	}
}

func runVector(t *testing.T, v *vector) {
	text := v.text()
	if v.pad > 0 && len(text) != v.pad {
		t.Fatalf("%d bytes, want %d", len(text), v.pad)
	}
	values, err := openText(t, text, crypt.NewOpener(people(v.identities...)...))
	if v.expect == "success" {
		if err != nil {
			t.Fatalf("got %v", report(err))
		}
		if diff := cmp.Diff(v.values, values); diff != "" {
			t.Errorf("values (-want +got):\n%s", diff)
		}
		return
	}
	if err == nil {
		t.Fatalf("opened, want %s", v.expect)
	}
	if got := secret.Class(err); got != v.expect {
		t.Errorf("class %q, want %q: %s", got, v.expect, report(err))
	}
}

// openText opens the one sealed document of a text, with every check: on a fault nothing is given out, the file stays as it is,
// Decrypt sees the same fault, the exit status fits, and no message quotes anything secret.
func openText(t *testing.T, text string, o *crypt.Opener) (map[string]string, error) {
	t.Helper()
	values, err := readAndOpen(t, text, o)
	if err != nil {
		checkQuiet(t, text, err)
		switch class := secret.Class(err); class {
		case "":
			t.Errorf("an error of no class: %v", err)
		case "no-identity":
			if secret.IsAuthentication(err) {
				t.Errorf("a missing identity is taken for altered data: %v", err)
			}
		case "limit", "type": // either is right, by what went over it
		default:
			if !secret.IsAuthentication(err) {
				t.Errorf("altered data is not taken for it: %v", err)
			}
		}
	}
	return values, err
}

func readAndOpen(t *testing.T, text string, o *crypt.Opener) (map[string]string, error) {
	t.Helper()
	f, err := manifest.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	var found []*manifest.Item
	for _, i := range f.Items() {
		if i.Kind == manifest.Sealed || i.Kind == manifest.Broken {
			found = append(found, i)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d sealed documents", len(found))
	}
	s, err := secret.Read(found[0])
	var values map[string][]byte
	if err == nil {
		values, err = secret.Open(s, o, nil)
	}
	if err != nil && (s != nil && secret.Class(err) == "" || values != nil) {
		t.Errorf("%d values beside the error %v", len(values), err)
	}
	n, errDecrypt := secret.Decrypt(f, o, nil)
	if (err == nil) != (errDecrypt == nil) || err != nil && (n != 0 || f.Changed() || string(f.Bytes()) != text) {
		t.Errorf("Decrypt: %d documents, changed %v, %v, where Open says %v", n, f.Changed(), errDecrypt, err)
	}
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for k, v := range values {
		texts[k] = string(v)
	}
	return texts, nil
}

// report is everything that a command prints of an error.
func report(err error) string {
	switch e := err.(type) {
	case *secret.Error:
		return fmt.Sprintf("line %d: %s: %s: %v (%s)\n", e.Line, e.Secret, e.Key, e.Err, e.Hint)
	case interface{ Unwrap() []error }:
		var b strings.Builder
		for _, e := range e.Unwrap() {
			b.WriteString(report(e))
		}
		return b.String()
	case interface{ Unwrap() error }:
		return err.Error() + "\n" + report(e.Unwrap())
	case nil:
		return ""
	}
	return err.Error() + "\n"
}

// checkQuiet fails if a message quotes the canary, or a piece of anything in the document that is base64 and longer than an id.
func checkQuiet(t *testing.T, text string, err error) {
	t.Helper()
	checkSaid(t, text, report(err))
}

func checkSaid(t *testing.T, text, said string) {
	t.Helper()
	const piece = 12
	if strings.Contains(said, "canary") || strings.Contains(said, "Y2FuYXJ5") {
		t.Errorf("the message quotes plaintext: %s", said)
	}
	if len(text) > 1<<19 || len(said) > 1<<17 {
		return // too much for a search of each piece
	}
	for field := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" \n\r\t\"',", r) }) {
		if len(field) <= 32 || strings.ContainsAny(field, ":.") {
			continue
		}
		for i := 0; i+piece <= len(said); i++ {
			if strings.Contains(field, said[i:i+piece]) {
				t.Errorf("the message quotes ciphertext: %s", said)
				return
			}
		}
	}
}
