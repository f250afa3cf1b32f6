package crypt_test

import (
	"bytes"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
)

func TestInspectFile(t *testing.T) {
	long := strings.Repeat("n", 253)
	for size, content := range []int{0, 1, 20, 21, 63, 64, 1000, 40_000, 65_400, 65_500, 131_000, 300_000, crypt.MaxPlaintext} {
		for _, f := range []crypt.File{
			{Use: crypt.UseEnv}, keystore,
			{Use: crypt.UseValue, Key: long, Binding: crypt.Binding{Namespace: long, Name: long}},
		} {
			f.Content = bytes.Repeat([]byte("A"), content)
			sealed := mustSealFile(t, &f, testkeys.Dave(), testkeys.Erin())
			facts, err := crypt.InspectFile(bytes.ReplaceAll(sealed, []byte("\n"), []byte("\r\n")))
			if err != nil {
				t.Fatalf("%d bytes: %v", content, err)
			}
			least, most := f.SizeClass()
			if content < least || content > most || least < facts.Least || most > facts.Most {
				t.Errorf("%d bytes of %d to %d, without a key %d to %d", content, least, most, facts.Least, facts.Most)
			}
			if size > 10 && facts.Least == 0 || facts.Most > crypt.MaxPlaintext {
				t.Errorf("%d bytes say nothing: %d to %d", content, facts.Least, facts.Most)
			}
			if !bytes.Equal(facts.Armor, sealed) {
				t.Error("two copies of one file are not alike")
			}
		}
	}
}

// TestInspectFileSizeClass: what the class is, who opens the file can check to the byte.
func TestInspectFileSizeClass(t *testing.T) {
	for content := range 700 {
		f := crypt.File{Use: crypt.UseEnv, Content: bytes.Repeat([]byte("\n"), content)}
		least, most := f.SizeClass()
		for _, edge := range []int{least - 1, least, most, most + 1} {
			if edge < 0 {
				continue
			}
			other := f
			other.Content = bytes.Repeat([]byte("\n"), edge)
			l, m := other.SizeClass()
			if same := l == least && m == most; same != (edge >= least && edge <= most) {
				t.Fatalf("%d bytes: %d to %d, but %d bytes: %d to %d", content, least, most, edge, l, m)
			}
		}
	}
}

func TestInspectFileRecipients(t *testing.T) {
	for _, c := range []struct {
		sealed, rule []*crypt.Identity
		fits         bool
	}{
		{[]*crypt.Identity{testkeys.Alice()}, []*crypt.Identity{testkeys.Alice()}, true},
		{[]*crypt.Identity{testkeys.Alice()}, []*crypt.Identity{testkeys.Bob()}, true}, // nobody can tell
		{[]*crypt.Identity{testkeys.Alice()}, []*crypt.Identity{testkeys.Alice(), testkeys.Bob()}, false},
		{[]*crypt.Identity{testkeys.Alice(), testkeys.Bob()}, []*crypt.Identity{testkeys.Alice()}, false},
		{[]*crypt.Identity{testkeys.Alice(), testkeys.Alice()}, []*crypt.Identity{testkeys.Bob(), testkeys.Bob()}, true},
		{[]*crypt.Identity{testkeys.Alice()}, []*crypt.Identity{testkeys.Dave()}, false},
		{[]*crypt.Identity{testkeys.Dave(), testkeys.Erin()}, []*crypt.Identity{testkeys.Erin(), testkeys.Dave()}, true},
		{[]*crypt.Identity{testkeys.Dave(), testkeys.Erin()}, []*crypt.Identity{testkeys.Alice(), testkeys.Bob()}, false},
	} {
		facts, err := crypt.InspectFile(mustSealFile(t, &keystore, c.sealed...))
		if err != nil {
			t.Fatal(err)
		}
		if got := facts.Fits(recipients(c.rule...)); got != c.fits {
			t.Errorf("%+v fits %d recipients: %v", *facts, len(c.rule), got)
		}
	}
}

// TestInspectFileRefuses: what no sealed file looks like is told without a key, and nothing of it is quoted.
func TestInspectFileRefuses(t *testing.T) {
	dave := recipientOf(t, testkeys.DaveText())
	sealed := string(mustSealFile(t, &keystore, testkeys.Dave()))
	lines := strings.Split(sealed, "\n")
	scrypt, err := age.NewScryptRecipient("canary passphrase")
	if err != nil {
		t.Fatal(err)
	}
	scrypt.SetWorkFactor(1)
	session := "ageseal.dev/suite-1 session key\n" + strings.Repeat("k", 32) + "\x00\x00\x00\x01\x00\x00\x00\x10" + strings.Repeat("a", 16)
	for what, c := range map[string]struct {
		text string
		want error
	}{
		"nothing":                {"", crypt.ErrAge},
		"no armor":               {canary, crypt.ErrAge},
		"binary":                 {string(dearmored(t, []byte(sealed))), crypt.ErrAge},
		"no last line":           {strings.Join(lines[:len(lines)-2], "\n") + "\n", crypt.ErrAge},
		"half":                   {sealed[:len(sealed)/2], crypt.ErrAge},
		"trailing bytes":         {sealed + canary + "\n", crypt.ErrAge},
		"another one behind it":  {sealed + sealed, crypt.ErrAge},
		"a line too few":         {lineless(sealed), crypt.ErrAge},
		"a line of a recipient":  {lineless(string(mustSealFile(t, &keystore, testkeys.Alice()))), crypt.ErrAge},
		"a byte too few":         {string(armored(t, cut(dearmored(t, []byte(sealed)), 1))), crypt.ErrFileMagic},
		"no payload":             {string(armored(t, dearmored(t, []byte(sealed))[:250])), crypt.ErrFileMagic},
		"a passphrase":           {string(armored(t, encrypted(t, strings.Repeat("c", 128), scrypt))), crypt.ErrFileMagic},
		"another tool's content": {string(armored(t, encrypted(t, canary, dave))), crypt.ErrFileMagic},
		"a session key":          {string(armored(t, encrypted(t, session, dave))), crypt.ErrFileMagic},
		"empty":                  {string(armored(t, encrypted(t, "", dave))), crypt.ErrFileMagic},
		"far too large":          {sealed + strings.Repeat("\n", crypt.MaxFile), crypt.ErrLimit},
		"more than fits":         {string(armored(t, encrypted(t, strings.Repeat("c", 35<<15), dave))), crypt.ErrFileMagic},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := crypt.InspectFile([]byte(c.text))
			wantError(t, err, c.want)
		})
	}
}

// TestInspectIdentity: the file of a shared identity says its recipients, and that it was cut.
func TestInspectIdentity(t *testing.T) {
	sealed, err := crypt.SealIdentity(testkeys.PostQuantum("ops"), recipients(testkeys.Alice(), testkeys.Bob()))
	if err != nil {
		t.Fatal(err)
	}
	facts, err := crypt.InspectIdentity(bytes.ReplaceAll(sealed, []byte("\n"), []byte("\r\n")))
	if err != nil || facts.Recipients() != 2 || facts.PostQuantum != 2 || !bytes.Equal(facts.Armor, sealed) {
		t.Errorf("%+v, %v", facts, err)
	}
	file := dearmored(t, sealed)
	header := bytes.Index(file, []byte("\n---"))
	header += bytes.IndexByte(file[header+1:], '\n') + 2
	for what, c := range map[string]struct {
		text []byte
		want error
	}{
		"a header alone":  {armored(t, file[:header]), crypt.ErrAge},
		"nothing behind":  {armored(t, file[:header+16+16]), crypt.ErrAge},
		"a blank in it":   {append([]byte(" x"), sealed...), crypt.ErrAge},
		"far too large":   {append(sealed, bytes.Repeat([]byte("\n"), crypt.MaxIdentityFile)...), crypt.ErrLimit},
		"text behind":     {append(sealed, canary...), crypt.ErrAge},
		"no armor at all": {[]byte(canary), crypt.ErrAge},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := crypt.InspectIdentity(c.text)
			wantError(t, err, c.want)
		})
	}
}

// lineless takes out a line of the first recipient.
func lineless(sealed string) string {
	lines := strings.Split(sealed, "\n")
	return strings.Join(append(lines[:4:4], lines[5:]...), "\n")
}

func cut(b []byte, n int) []byte { return b[:len(b)-n] }

func recipientOf(t *testing.T, identity string) age.Recipient {
	t.Helper()
	id, err := age.ParseX25519Identity(identity)
	if err != nil {
		t.Fatal(err)
	}
	return id.Recipient()
}

// TestInspectOwnContent: an age file of each length is taken for one exactly where some sealed file has it.
func TestInspectOwnContent(t *testing.T) {
	dave := recipientOf(t, testkeys.DaveText())
	got := map[int]bool{}
	for n := range 300 {
		_, err := crypt.InspectFile(armored(t, encrypted(t, strings.Repeat("c", n), dave)))
		got[n] = err == nil
	}
	want := map[int]bool{}
	for n := range 300 {
		want[n] = n == 64 || n == 128 || n == 192 || n == 256
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzInspect: no text breaks the reader that has no key, and what opens is also what it takes for a sealed file.
func FuzzInspect(f *testing.F) {
	for _, file := range []crypt.File{keystore, dotenv} {
		f.Add(dearmored(f, mustSealFile(f, &file, testkeys.Dave())))
	}
	o := crypt.NewOpener(testkeys.Dave())
	f.Fuzz(func(t *testing.T, file []byte) {
		text := armored(t, file)
		facts, err := crypt.InspectFile(text)
		opened, openErr := o.OpenFile(text)
		if openErr != nil {
			return
		}
		if err != nil {
			t.Fatalf("it opens, and is taken for none: %v", err)
		}
		if n := len(opened.Content); n < facts.Least || n > facts.Most {
			t.Errorf("%d bytes, said to be %d to %d", n, facts.Least, facts.Most)
		}
	})
}

// TestMark: copies are alike in it, and nothing else is. The digits are those of sha256sum: what is written down by them stays valid.
func TestMark(t *testing.T) {
	if got := crypt.Mark("a"); got != "ca978112ca1bbdca" {
		t.Errorf("got %s", got)
	}
}
