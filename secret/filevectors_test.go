package secret_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age/armor"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/secret"
)

const fileVectorDir = "../testdata/vectors/sealed-files"

// fileVector is a sealed file and what comes of opening it. testdata/vectors/README.md describes the files.
type fileVector struct {
	name, expect, comment string
	identities            []string
	says                  map[string]string // use, namespace, name, key, content: of success
	file                  string
}

const fileMagic = domain + " file\n"

// filled completes the fields of a header, with the padding that the length of everything asks for.
func filled(fields, content string) string {
	n := len(fields) + len("pad: \n\n") + len(content)
	return fields + "pad: " + strings.Repeat("0", bucket(n)-n) + "\n\n" + content
}

func armored(file string) string {
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	if _, err := w.Write([]byte(file)); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.String()
}

func sealedFile(plaintext string, to ...string) string {
	return armored(ageFile(plaintext, ageRecipients(to...)...))
}

// fileVectors are made here once; what is in the directory is what counts.
func fileVectors() []*fileVector {
	const fields = fileMagic + "use: value\nnamespace: prod\nname: app-tls\nkey: keystore.p12\n"
	good := filled(fields, canary)
	var all []*fileVector
	add := func(class, name, comment, file string, by ...string) *fileVector {
		if len(by) == 0 {
			by = []string{"dave"}
		}
		v := &fileVector{name: class + "-" + name, expect: class, comment: comment, identities: by, file: file}
		all = append(all, v)
		return v
	}
	plain := func(class, name, comment, plaintext string) { add(class, name, comment, sealedFile(plaintext, "dave")) }
	change := func(class, name, comment, old, now string) { plain(class, name, comment, edit(good, old, now)) }
	with := func(name, comment, fields string) {
		plain("file-header", name, comment, filled(fileMagic+fields, canary))
	}

	ok := func(name, comment, fields, content string, to ...string) {
		v := add("success", name, comment, sealedFile(filled(fileMagic+fields, content), to...), to...)
		v.says = map[string]string{"content": content}
		for line := range strings.Lines(fields) {
			field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			v.says[field] = value
		}
	}
	ok("value", "one value", "use: value\nnamespace: prod\nname: app-tls\nkey: keystore.p12\n", canary, "dave")
	ok("env", "a dotenv", "use: env\nnamespace: prod\nname: app\n", "A=canary\n\n# a comment\n B=x=y \nC\n", "dave")
	ok("hybrid", "to post-quantum recipients", "use: value\nnamespace: prod\nname: app-tls\nkey: tls.key\n", canary, "alice", "bob")
	ok("unbound", "neither namespace nor name", "use: value\nkey: k\n", canary, "dave")
	ok("name-only", "a name alone", "use: value\nname: app\nkey: k\n", canary, "dave")
	ok("namespace-only", "a namespace alone", "use: value\nnamespace: prod\nkey: k\n", canary, "dave")
	ok("binary", "content with empty lines, NUL, no line end", "use: value\nname: app\nkey: k\n", "\n\n\x00\xff\r\n\npad: 0\n\n", "dave")
	ok("no-content", "no content", "use: value\nname: app\nkey: k\n", "", "dave")
	ok("no-zeros", "a length that is a bucket already", "use: value\nname: app\nkey: k\n", strings.Repeat("c", 128-len(fileMagic+"use: value\nname: app\nkey: k\npad: \n\n")), "dave")
	ok("large-bucket", "a bucket that is no multiple of 64 bytes only", "use: value\nname: app\nkey: k\n", strings.Repeat("canary ", 3000), "dave")

	add("no-identity", "stranger", "an identity that it was not sealed for", sealedFile(good, "dave"), "erin")
	add("no-identity", "none", "no identity at all", sealedFile(good, "dave"), "")
	add("no-identity", "hybrid-stranger", "a post-quantum identity that it was not sealed for", sealedFile(good, "alice"), "bob")
	add("no-identity", "classic-for-hybrid", "a classic identity for a post-quantum file", sealedFile(good, "alice"), "dave")
	add("no-identity", "altered-share", "a bit of the ephemeral share: without a list of recipients nobody can tell",
		armored(alteredShare(unarmored(sealedFile(good, "dave")))))

	file := sealedFile(good, "dave")
	lines := strings.SplitAfter(file, "\n")
	add("age", "binary", "not armored", unarmored(file))
	add("age", "cut", "the last line is missing", strings.Join(lines[:len(lines)-2], ""))
	add("age", "cut-to-half", "truncated", file[:len(file)/2])
	add("age", "cut-inside", "truncated, in armor that is whole", armored(unarmored(file)[:len(unarmored(file))-20]))
	add("age", "line-missing", "a line of the armor is missing", strings.Join(append(append([]string{}, lines[:3]...), lines[4:]...), ""))
	add("age", "long-line", "two lines of the armor are one", lines[0]+strings.TrimSpace(lines[1])+strings.Join(lines[2:], ""))
	add("age", "empty-line", "an empty line in the armor", lines[0]+"\n"+strings.Join(lines[1:], ""))
	add("age", "header-of-pem", "a header as PEM has them", lines[0]+"Comment: x\n\n"+strings.Join(lines[1:], ""))
	add("age", "text-behind", "text behind the armor", file+"x\n")
	add("age", "text-in-front", "text in front of the armor", "x\n"+file)
	add("age", "twice", "two of them", file+file)
	add("age", "payload-bit", "a bit of the payload", armored(lastBit(unarmored(file))))
	add("age", "byte-more", "a byte after the payload", armored(unarmored(file)+"x"))
	add("age", "not-age", "armor around something else", armored("canary"))

	plain("file-magic", "plaintext", "no header at all", canary)
	plain("file-magic", "empty", "nothing", "")
	change("file-magic", "suite-2", "another suite", "suite-1", "suite-2")
	change("file-magic", "upper-case", "in upper case", "ageseal", "AGESEAL")
	change("file-magic", "crlf", "ended by CRLF", "file\n", "file\r\n")
	change("file-magic", "space", "a space at its end", "file\n", "file \n")
	plain("file-magic", "bom", "a byte order mark in front", "\ufeff"+good)
	plain("file-magic", "line-in-front", "not in the first line", "\n"+good)
	plain("file-magic", "cut", "cut inside", fileMagic[:20])
	plain("file-magic", "ssh-key", "another file that somebody encrypted", "-----BEGIN CANARY-----\n")

	s := sessionFor("session of a sealed file", "dave")
	add("file-session-key", "copied", "the age file of a wrap", armored(unb64(s.age)))
	h := sessionFor("hybrid session of a sealed file", "alice", "bob")
	add("file-session-key", "hybrid", "the same for post-quantum recipients", armored(unb64(h.age)), "alice")
	payload := payloadMagic + s.sk + lp(s.to...)
	plain("file-session-key", "header-behind", "a header behind it", payload+"\n"+good)
	plain("file-session-key", "header-inside", "a header in place of the list", payloadMagic+s.sk+good)
	plain("file-session-key", "short", "no list", payloadMagic+s.sk)
	plain("file-session-key", "magic-only", "nothing behind the magic", payloadMagic)

	change("file-header", "crlf", "lines that end with CRLF", "use: value\n", "use: value\r\n")
	change("file-header", "crlf-blank", "the empty line is CRLF", "\n\n", "\r\n\r\n")
	with("order", "name before namespace", "use: value\nname: app-tls\nnamespace: prod\nkey: keystore.p12\n")
	with("use-last", "use after key", "key: keystore.p12\nuse: value\n")
	with("twice", "a field twice", "use: value\nkey: keystore.p12\nkey: keystore.p12\n")
	with("unknown", "an unknown field", "use: value\nkey: keystore.p12\ntype: Opaque\n")
	change("file-header", "after-pad", "a field after pad", "\n\n", "\nname: x\n\n")
	with("no-use", "no use", "namespace: prod\nkey: keystore.p12\n")
	with("use", "a use that is none", "use: values\nkey: keystore.p12\n")
	with("upper-case", "a field in upper case", "Use: value\nkey: keystore.p12\n")
	with("no-space", "no space behind the colon", "use:value\nkey: keystore.p12\n")
	with("no-key", "no key", "use: value\nname: app-tls\n")
	with("env-key", "a key beside use env", "use: env\nkey: keystore.p12\n")
	with("empty-key", "an empty key", "use: value\nkey: \n")
	with("empty-name", "an empty name", "use: value\nname: \nkey: keystore.p12\n")
	with("empty-namespace", "an empty namespace", "use: value\nnamespace: \nkey: keystore.p12\n")
	with("key-slash", "a key with a slash", "use: value\nkey: a/b\n")
	with("key-dots", "a key that begins with ..", "use: value\nkey: ..b\n")
	with("key-254", "a key of 254 characters", "use: value\nkey: "+strings.Repeat("k", 254)+"\n")
	with("name-space", "a space in the name", "use: value\nname: app tls\nkey: k\n")
	with("name-not-ascii", "a name that is not ASCII", "use: value\nname: \u0430pp\nkey: k\n")
	with("name-escape", "a control character in the name", "use: value\nname: app\x1b[m\nkey: k\n")
	plain("file-header", "no-pad", "no pad", fields+"\n"+canary)
	change("file-header", "no-blank-line", "no empty line", "\n\n", "\n")
	plain("file-header", "cut", "cut inside", good[:len(fields)-5])
	plain("file-header", "magic-only", "the magic alone", fileMagic)

	change("file-padding", "zero-less", "one zero less", "pad: 0", "pad: ")
	change("file-padding", "zero-more", "one zero more", "pad: ", "pad: 0")
	change("file-padding", "bucket-more", "64 zeros more", "pad: ", "pad: "+strings.Repeat("0", 64))
	change("file-padding", "one", "a 1", "pad: 0", "pad: 1")
	change("file-padding", "space", "a space", "pad: 0", "pad:  ")
	plain("file-padding", "none", "no zeros", fields+"pad: \n\n"+canary)
	plain("file-padding", "content-cut", "the content is cut", good[:len(good)-1])
	plain("file-padding", "content-longer", "the content has a byte more", good+"x")

	env := func(name, comment, content string) {
		plain("file-env", name, comment, filled(fileMagic+"use: env\nname: app\n", content))
	}
	env("twice", "a key twice", "A=canary\nA=canary\n")
	env("key", "a key with a space", "A B=canary\n")
	env("export", "export in front of a key", "export A=canary\n")
	env("no-key", "no key", "=canary\n")
	env("value-goes-on", "a value of two lines", "A=canary\ncanary canary\n")
	env("not-utf8", "bytes that are no UTF-8", "A=\xffcanary\n")
	env("long-line", "a line of 64 KiB", "A="+strings.Repeat("canary..", 1<<13)+"\n")
	return all
}

func unarmored(text string) string {
	var out bytes.Buffer
	if _, err := out.ReadFrom(armor.NewReader(strings.NewReader(text))); err != nil {
		panic(err)
	}
	return out.String()
}

func alteredShare(file string) string {
	i := strings.Index(file, "X25519 ") + 12
	return file[:i] + swapCase(file[i:i+1]) + file[i+1:]
}

func lastBit(file string) string { return file[:len(file)-1] + string([]byte{file[len(file)-1] ^ 1}) }

var fileFields = []string{"use", "namespace", "name", "key", "content"}

func (v *fileVector) bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "expect: %s\n", v.expect)
	for _, id := range v.identities {
		if id != "" {
			fmt.Fprintf(&b, "identity: %s\n", id)
		}
	}
	fmt.Fprintf(&b, "comment: %s\n", v.comment)
	for _, field := range fileFields {
		if value, ok := v.says[field]; ok {
			if field == "content" {
				value = b64([]byte(value))
			}
			fmt.Fprintf(&b, "%s: %s\n", field, value)
		}
	}
	b.WriteString("\n" + v.file)
	return b.Bytes()
}

func readFileVector(t *testing.T, path string) *fileVector {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, file, ok := strings.Cut(string(src), "\n\n")
	if !ok {
		t.Fatalf("%s: no blank line ends the header", path)
	}
	v := &fileVector{name: filepath.Base(path), file: file, says: map[string]string{}}
	for line := range strings.SplitSeq(head, "\n") {
		field, text, _ := strings.Cut(line, ":")
		text = strings.TrimPrefix(text, " ")
		switch field {
		case "expect":
			v.expect = text
		case "comment":
			v.comment = text
		case "identity":
			v.identities = append(v.identities, text)
		case "content":
			raw, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			v.says[field] = string(raw)
		case "use", "namespace", "name", "key":
			v.says[field] = text
		default:
			t.Fatalf("%s: header line %q", path, line)
		}
	}
	return v
}

// TestFileVectors opens the sealed files among the vectors. To add some, write them in fileVectors and run it once with -update-vectors.
func TestFileVectors(t *testing.T) {
	planned := fileVectors()
	if *updateVectors {
		for _, v := range planned {
			frozen(t, filepath.Join(fileVectorDir, v.name), v.bytes())
		}
	}
	paths, err := filepath.Glob(filepath.Join(fileVectorDir, "*"))
	if err != nil || len(paths) < len(planned) {
		t.Fatalf("%d vectors in %s, %v; want %d", len(paths), fileVectorDir, err, len(planned))
	}
	count := map[string]int{}
	for _, path := range paths {
		v := readFileVector(t, path)
		count[v.expect]++
		t.Run(v.name, func(t *testing.T) { runFileVector(t, v) })
	}
	for _, c := range []string{"success", "no-identity", "age", "file-magic", "file-session-key", "file-header", "file-padding", "file-env"} {
		if count[c] < vectorsPerClass {
			t.Errorf("%d vectors of class %s, at least %d are due", count[c], c, vectorsPerClass)
		}
		delete(count, c)
	}
	for c := range count {
		t.Errorf("vectors of an unknown class %q", c)
	}
}

func runFileVector(t *testing.T, v *fileVector) {
	f, err := secret.OpenFile([]byte(v.file), crypt.NewOpener(people(v.identities...)...))
	if v.expect == "success" {
		if err != nil {
			t.Fatal(report(err))
		}
		got := fileVector{says: map[string]string{"use": f.Use, "namespace": f.Binding.Namespace, "name": f.Binding.Name, "key": f.Key, "content": string(f.Content)}}
		for _, field := range fileFields {
			if got.says[field] != v.says[field] {
				t.Errorf("%s: got %q, want %q", field, got.says[field], v.says[field])
			}
		}
		return
	}
	if err == nil || f != nil {
		t.Fatalf("opened, want %s", v.expect)
	}
	if got := secret.Class(err); got != v.expect {
		t.Errorf("class %q, want %q: %s", got, v.expect, report(err))
	}
	if got := secret.IsAuthentication(err); got != (v.expect != "no-identity") {
		t.Errorf("authentication: %v", got)
	}
	checkQuiet(t, v.file, err)
}
