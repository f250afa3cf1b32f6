package crypt_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
)

var (
	keystore = crypt.File{Use: crypt.UseValue, Binding: crypt.Binding{Namespace: "prod", Name: "app-tls"}, Key: "keystore.p12", Content: []byte(canary)}
	dotenv   = crypt.File{Use: crypt.UseEnv, Binding: db, Content: []byte("A=" + canary + "\nB=\n")}
)

func mustSealFile(t testing.TB, f *crypt.File, ids ...*crypt.Identity) []byte {
	t.Helper()
	sealed, err := crypt.SealFile(f, recipients(ids...))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

// openAs encrypts any plaintext to Dave and opens it as a sealed file.
func openAs(t testing.TB, plaintext string) (*crypt.File, error) {
	t.Helper()
	return crypt.NewOpener(testkeys.Dave()).OpenFile(armored(t, ageFile(t, plaintext, testkeys.DaveText())))
}

func ageFile(t testing.TB, plaintext, identity string) []byte {
	t.Helper()
	id, err := age.ParseX25519Identity(identity)
	if err != nil {
		t.Fatal(err)
	}
	return encrypted(t, plaintext, id.Recipient())
}

func encrypted(t testing.TB, plaintext string, to ...age.Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(plaintext)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func armored(t testing.TB, file []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	if _, err := w.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestFileRoundTrip(t *testing.T) {
	for _, f := range []crypt.File{
		keystore, dotenv,
		{Use: crypt.UseValue, Key: "k"},
		{Use: crypt.UseValue, Key: strings.Repeat("k", 253), Binding: crypt.Binding{Namespace: strings.Repeat("n", 253), Name: "${NAME}"}, Content: []byte("\n\n\x00\xff\r\n")},
		{Use: crypt.UseEnv, Binding: crypt.Binding{Name: "db"}},
		{Use: crypt.UseValue, Key: "k", Content: bytes.Repeat([]byte("canary\n\n"), crypt.MaxPlaintext/8)},
	} {
		for _, id := range []*crypt.Identity{testkeys.Alice(), testkeys.Dave()} {
			sealed := mustSealFile(t, &f, id)
			if !crypt.IsArmored(sealed) || bytes.Contains(sealed, []byte("canary")) {
				t.Fatal("not armored, or in clear")
			}
			got, err := crypt.NewOpener(testkeys.Bob(), id).OpenFile(sealed)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(f.Content), string(got.Content)); diff != "" {
				t.Errorf("content (-want +got):\n%s", diff)
			}
			if got.Use != f.Use || got.Binding != f.Binding || got.Key != f.Key {
				t.Errorf("got %+v", got)
			}
			if bytes.Equal(sealed, mustSealFile(t, &f, id)) {
				t.Error("two seals of one file are alike")
			}
		}
	}
}

// TestFileLimits: one byte more is refused, by the writer and by the reader; the largest file of the most recipients is read.
func TestFileLimits(t *testing.T) {
	large := crypt.File{Use: crypt.UseValue, Key: "k", Content: make([]byte, crypt.MaxPlaintext+1)}
	_, err := crypt.SealFile(&large, recipients(testkeys.Dave()))
	wantError(t, err, crypt.ErrLimit)
	for over, want := range map[int]error{0: nil, 1: crypt.ErrLimit} {
		fields := "ageseal.dev/suite-1 file\nuse: value\nkey: k\npad: "
		n := len(fields) + 2 + crypt.MaxPlaintext + over
		_, err = openAs(t, fields+strings.Repeat("0", (n+32767)/32768*32768-n)+"\n\n"+strings.Repeat("x", crypt.MaxPlaintext+over))
		if want == nil && err != nil {
			t.Fatal(err)
		}
		if want != nil {
			wantError(t, err, want)
		}
	}
	_, err = openAs(t, strings.Repeat("x", crypt.MaxPlaintext+64<<10+1))
	wantError(t, err, crypt.ErrLimit)

	// The header, with its blank line.
	head := "ageseal.dev/suite-1 file\nuse: value\nkey: k\npad: "
	_, err = openAs(t, head+strings.Repeat("0", 64<<10-len(head)-2)+"\n\n"+canary)
	wantError(t, err, crypt.ErrFilePadding)
	_, err = openAs(t, head+strings.Repeat("0", 64<<10-len(head)-1)+"\n\n"+canary)
	wantError(t, err, crypt.ErrLimit)

	var many []*crypt.Identity
	for i := range crypt.MaxRecipients {
		many = append(many, testkeys.PostQuantum(fmt.Sprint("person ", i)))
	}
	large.Content = large.Content[1:]
	sealed := mustSealFile(t, &large, many...)
	if _, err := crypt.NewOpener(many[99]).OpenFile(sealed); err != nil {
		t.Errorf("%d bytes: %v", len(sealed), err)
	}
	pad := bytes.Repeat([]byte("\n"), crypt.MaxFile+1-len(sealed))
	_, err = crypt.NewOpener(many[99]).OpenFile(append(pad, sealed...))
	wantError(t, err, crypt.ErrLimit)
}

// TestFileHeaders: one header is right, and each that differs in one thing is not.
func TestFileHeaders(t *testing.T) {
	const magic, value = "ageseal.dev/suite-1 file\n", "use: value\nnamespace: prod\nname: db\nkey: k\n"
	// filled completes fields to a plaintext, with the padding that its length asks for.
	filled := func(fields string) string {
		n := len(fields) + len("pad: \n\n") + len(canary)
		return fields + "pad: " + strings.Repeat("0", (n+63)/64*64-n) + "\n\n" + canary
	}
	good := filled(magic + value)
	if f, err := openAs(t, good); err != nil || string(f.Content) != canary {
		t.Fatal(err)
	}
	once := func(old, now string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(good, old, now, 1)
	}
	for name, c := range map[string]struct {
		plaintext string
		want      error
	}{
		"empty":                       {"", crypt.ErrFileMagic},
		"no magic":                    {strings.TrimPrefix(good, magic), crypt.ErrFileMagic},
		"magic of another suite":      {once("suite-1", "suite-2"), crypt.ErrFileMagic},
		"magic in upper case":         {once("ageseal", "Ageseal"), crypt.ErrFileMagic},
		"magic with CRLF":             {once("file\n", "file\r\n"), crypt.ErrFileMagic},
		"a space after the magic":     {once("file\n", "file \n"), crypt.ErrFileMagic},
		"magic not first":             {"\n" + good, crypt.ErrFileMagic},
		"BOM":                         {"\ufeff" + good, crypt.ErrFileMagic},
		"cut in the magic":            {good[:20], crypt.ErrFileMagic},
		"a session key":               {"ageseal.dev/suite-1 session key\n" + strings.Repeat("k", 32) + "\x00\x00\x00\x00", crypt.ErrFileSessionKey},
		"a session key, header after": {"ageseal.dev/suite-1 session key\n" + good, crypt.ErrFileSessionKey},
		"magic only":                  {magic, crypt.ErrFileHeader},
		"no field":                    {magic + "\n" + canary, crypt.ErrFileHeader},
		"cut in the header":           {good[:40], crypt.ErrFileHeader},
		"CRLF":                        {once("use: value\n", "use: value\r\n"), crypt.ErrFileHeader},
		"CRLF at the blank line":      {once("\n\n", "\r\n\r\n"), crypt.ErrFileHeader},
		"use twice":                   {filled(magic + "use: value\n" + value), crypt.ErrFileHeader},
		"key twice":                   {filled(magic + value + "key: k\n"), crypt.ErrFileHeader},
		"another order":               {filled(magic + "use: value\nname: db\nnamespace: prod\nkey: k\n"), crypt.ErrFileHeader},
		"key before name":             {filled(magic + "use: value\nkey: k\nname: db\n"), crypt.ErrFileHeader},
		"an unknown field":            {filled(magic + value + "type: Opaque\n"), crypt.ErrFileHeader},
		"an unknown field first":      {filled(magic + "a: b\n" + value), crypt.ErrFileHeader},
		"a field after pad":           {once("\n\n", "\nkey: k\n\n"), crypt.ErrFileHeader},
		"no use":                      {filled(magic + "namespace: prod\nname: db\nkey: k\n"), crypt.ErrFileHeader},
		"another use":                 {filled(magic + "use: values\nkey: k\n"), crypt.ErrFileHeader},
		"use in upper case":           {filled(magic + "use: Value\nkey: k\n"), crypt.ErrFileHeader},
		"field in upper case":         {filled(magic + "Use: value\nkey: k\n"), crypt.ErrFileHeader},
		"no space":                    {filled(magic + "use:value\nkey: k\n"), crypt.ErrFileHeader},
		"two spaces":                  {filled(magic + "use:  value\nkey: k\n"), crypt.ErrFileHeader},
		"a space at the end":          {filled(magic + "use: value\nkey: k \n"), crypt.ErrFileHeader},
		"no key":                      {filled(magic + "use: value\nname: db\n"), crypt.ErrFileHeader},
		"a key of env":                {filled(magic + "use: env\nkey: k\n"), crypt.ErrFileHeader},
		"an empty key":                {filled(magic + "use: value\nkey: \n"), crypt.ErrFileHeader},
		"an empty namespace":          {filled(magic + "use: value\nnamespace: \nkey: k\n"), crypt.ErrFileHeader},
		"an empty name":               {filled(magic + "use: value\nname: \nkey: k\n"), crypt.ErrFileHeader},
		"a key with a slash":          {filled(magic + "use: value\nkey: a/b\n"), crypt.ErrFileHeader},
		"a key of dots":               {filled(magic + "use: value\nkey: ..k\n"), crypt.ErrFileHeader},
		"the key .":                   {filled(magic + "use: value\nkey: .\n"), crypt.ErrFileHeader},
		"a key too long":              {filled(magic + "use: value\nkey: " + strings.Repeat("k", 254) + "\n"), crypt.ErrFileHeader},
		"a name with a space":         {filled(magic + "use: value\nname: d b\nkey: k\n"), crypt.ErrFileHeader},
		"a name that is not ASCII":    {filled(magic + "use: value\nname: dä\nkey: k\n"), crypt.ErrFileHeader},
		"a control character":         {filled(magic + "use: value\nname: \x1b[2J\nkey: k\n"), crypt.ErrFileHeader},
		"NUL":                         {filled(magic + "use: value\nname: d\x00b\nkey: k\n"), crypt.ErrFileHeader},
		"no pad":                      {magic + value + "\n" + canary, crypt.ErrFileHeader},
		"no blank line":               {once("\n\n", "\n"), crypt.ErrFileHeader},
		"pad without a space":         {once("pad: ", "pad:"), crypt.ErrFileHeader},
		"one zero less":               {once("pad: 0", "pad: "), crypt.ErrFilePadding},
		"one zero more":               {once("pad: ", "pad: 0"), crypt.ErrFilePadding},
		"a bucket more":               {once("pad: ", "pad: "+strings.Repeat("0", 64)), crypt.ErrFilePadding},
		"no zero":                     {magic + value + "pad: \n\n" + canary, crypt.ErrFilePadding},
		"a one":                       {once("pad: 0", "pad: 1"), crypt.ErrFilePadding},
		"a space in pad":              {once("pad: 0", "pad:  "), crypt.ErrFilePadding},
		"content cut":                 {good[:len(good)-1], crypt.ErrFilePadding},
		"content longer":              {good + "x", crypt.ErrFilePadding},
		"no content":                  {strings.TrimSuffix(good, canary), crypt.ErrFilePadding},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := openAs(t, c.plaintext)
			wantError(t, err, c.want)
			if f != nil {
				t.Error("a file beside the error")
			}
		})
	}
}

func TestSealFileRefuses(t *testing.T) {
	to := recipients(testkeys.Dave())
	for name, f := range map[string]crypt.File{
		"no use": {Key: "k"}, "another use": {Use: "x", Key: "k"}, "no key": {Use: crypt.UseValue}, "a key of env": {Use: crypt.UseEnv, Key: "k"},
		"a bad key": {Use: crypt.UseValue, Key: "a b"}, "a line end": {Use: crypt.UseValue, Key: "k", Binding: crypt.Binding{Name: "a\nkey: x"}},
		"a namespace": {Use: crypt.UseValue, Key: "k", Binding: crypt.Binding{Namespace: "a b"}},
	} {
		f.Content = []byte(canary)
		if _, err := crypt.SealFile(&f, to); err == nil {
			t.Errorf("%s: sealed", name)
		} else {
			wantError(t, err, crypt.ErrFileHeader)
		}
	}
	_, err := crypt.SealFile(&keystore, nil)
	wantError(t, err, crypt.ErrNoRecipients)
	var mixed *crypt.MixedError
	if _, err := crypt.SealFile(&keystore, recipients(testkeys.Dave(), testkeys.Alice())); !errors.As(err, &mixed) {
		t.Errorf("mixed: %v", err)
	}
}

// TestEveryChangeOfAFileIsFound: every bit of the age file, every cut, and the armor around it.
func TestEveryChangeOfAFileIsFound(t *testing.T) {
	sealed := mustSealFile(t, &keystore, testkeys.Dave())
	o := crypt.NewOpener(testkeys.Dave())
	raw := dearmored(t, sealed)
	refuse := func(what string, text []byte) {
		t.Helper()
		f, err := o.OpenFile(text)
		wantOneOf(t, what, err, crypt.ErrAge, crypt.ErrNoIdentity)
		if f != nil {
			t.Fatalf("%s: a file beside the error", what)
		}
	}
	byteChanges(t, base64.StdEncoding.EncodeToString(raw), func(what, changed string, _ bool) {
		t.Helper()
		b, err := base64.StdEncoding.DecodeString(changed)
		if err != nil {
			t.Fatal(err)
		}
		refuse(what, armored(t, b))
	})
	for i := range len(sealed) - 1 { // the last line end may be missing
		refuse(fmt.Sprintf("cut to %d", i), sealed[:i])
		refuse(fmt.Sprintf("NUL for byte %d", i), bytes.Join([][]byte{sealed[:i], sealed[i+1:]}, []byte{0}))
	}
	refuse("binary", raw)
	refuse("something behind", append(bytes.Clone(sealed), 'x'))
	refuse("twice", append(bytes.Clone(sealed), sealed...))
	refuse("something in front", append([]byte("x\n"), sealed...))
	refuse("nothing", nil)

	_, err := crypt.NewOpener(testkeys.Erin(), testkeys.Alice()).OpenFile(sealed)
	wantError(t, err, crypt.ErrNoIdentity)
	_, err = crypt.NewOpener().OpenFile(sealed)
	wantError(t, err, crypt.ErrNoIdentity)
}

// TestFileStanzas: no passphrase, and no post-quantum recipient beside a classic one.
func TestFileStanzas(t *testing.T) {
	plaintext := string(dearmoredPlaintext(t))
	pass, err := age.NewScryptRecipient("canary")
	if err != nil {
		t.Fatal(err)
	}
	pass.SetWorkFactor(10)
	hybrid, err := age.ParseHybridIdentity(testkeys.AliceText())
	if err != nil {
		t.Fatal(err)
	}
	classic, err := age.ParseX25519Identity(testkeys.DaveText())
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string][]age.Recipient{
		"a passphrase": {pass}, "mixed": {bare{hybrid.Recipient()}, bare{classic.Recipient()}},
	} {
		_, err := crypt.NewOpener(testkeys.Alice(), testkeys.Dave()).OpenFile(armored(t, encrypted(t, plaintext, to...)))
		if err == nil {
			t.Fatalf("%s: opened", name)
		}
		wantError(t, err, crypt.ErrAge)
	}
}

// bare takes from age the label by which it refuses to mix.
type bare struct{ age.Recipient }

func (b bare) Wrap(key []byte) ([]*age.Stanza, error) { return b.Recipient.Wrap(key) }

func dearmored(t testing.TB, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := out.ReadFrom(armor.NewReader(bytes.NewReader(text))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// dearmoredPlaintext is what age itself makes of a sealed file.
func dearmoredPlaintext(t testing.TB) []byte {
	t.Helper()
	id, err := age.ParseX25519Identity(testkeys.DaveText())
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(bytes.NewReader(dearmored(t, mustSealFile(t, &keystore, testkeys.Dave()))), id)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := out.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestStockRecovery: a sealed file opens without us, as docs/format.md says.
func TestStockRecovery(t *testing.T) {
	for _, program := range []string{"age", "sed"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	dir := t.TempDir()
	binary := crypt.File{Use: crypt.UseValue, Key: "k", Content: []byte("\n\nkey: x\n\x00\xff\r\n\npad: 0\nno line end")}
	for i, f := range []crypt.File{keystore, dotenv, binary, {Use: crypt.UseEnv}} {
		for name, id := range map[string]*crypt.Identity{"classic": testkeys.Dave(), "hybrid": testkeys.Alice()} {
			key, file := filepath.Join(dir, name), filepath.Join(dir, fmt.Sprint(i, name, ".age"))
			if err := os.WriteFile(key, []byte(id.SecretText()+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, mustSealFile(t, &f, id), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := exec.Command("sh", "-c", `age -d -i "$1" "$2" | LC_ALL=C sed '1,/^$/d'`, "sh", key, file).Output()
			if err != nil || !bytes.Equal(got, f.Content) {
				t.Errorf("file %d, %s: %q, %v", i, name, got, err)
			}
		}
	}
}

func TestIsAgeFile(t *testing.T) {
	sealed := mustSealFile(t, &keystore, testkeys.Dave())
	utf16 := "\xff\xfe" + strings.Join(strings.Split(string(sealed), ""), "\x00") + "\x00"
	if !crypt.IsArmored([]byte(utf16)) {
		t.Error("armor in UTF-16 passes for something else")
	}
	for text, want := range map[string]bool{
		string(sealed): true, "\r\n \n" + string(sealed): true, string(dearmored(t, sealed)): true,
		"": false, "x" + string(sealed): false, "k: " + string(sealed): false, "age1": false, "-----BEGIN AGE ENCRYPTED": false,
	} {
		if got := crypt.IsAgeFile([]byte(text)); got != want {
			t.Errorf("%.20q: %v", text, got)
		}
	}
}
