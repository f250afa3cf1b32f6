package crypt

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"

	"filippo.io/age/armor"
)

const fileMagic = domain + " file\n"

// What the content of a sealed file is for.
const (
	UseValue = "value" // one value, under File.Key
	UseEnv   = "env"   // a dotenv: each line a key and its value
)

// File is what a sealed file holds: content and, in the authenticated header before it, where that belongs.
type File struct {
	Use     string  // UseValue or UseEnv
	Binding Binding // each part printable ASCII without spaces, at most 253 characters
	Key     string  // with UseValue the Secret's key, else empty
	Content []byte  // at most MaxPlaintext bytes
}

// SealFile encrypts f to the recipients, in any order; duplicates are dropped. The result is an armored
// age file. Errors: ErrFileHeader for a field that no header can have, ErrLimit over MaxPlaintext or
// MaxRecipients, ErrNoRecipients, *MixedError.
func SealFile(f *File, to []*Recipient) ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	to, err := canonicalSet(to)
	if err != nil {
		return nil, err
	}
	file, err := encryptAge(f.payload(), to)
	if err != nil {
		return nil, fmt.Errorf("sealing a file: %w", err)
	}
	return armorOf(file)
}

func armorOf(file []byte) ([]byte, error) {
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	if _, err := w.Write(file); err != nil { // not reached: a buffer takes everything
		return nil, err
	}
	if err := w.Close(); err != nil { // not reached: as above
		return nil, err
	}
	return out.Bytes(), nil
}

// OpenFile opens a sealed file, which has to be armored.
//
// The order of checks: limits, armor, age, magic, header, padding. Errors: ErrLimit, ErrAge (armor, too),
// ErrNoIdentity, ErrFileSessionKey and ErrFileMagic (other age files), ErrFileHeader, ErrFilePadding. A
// sealed file has no list of recipients to tell an altered one from one for somebody else: what age
// does not open is ErrNoIdentity.
func (o *Opener) OpenFile(armored []byte) (*File, error) {
	if len(armored) > MaxFile {
		return nil, fmt.Errorf("the sealed file is %w of %d bytes", ErrLimit, MaxFile)
	}
	file, err := io.ReadAll(armor.NewReader(bytes.NewReader(armored)))
	if err != nil {
		return nil, ErrAge // armor's errors quote a line
	}
	payload, err := o.openUnlisted(file, MaxPlaintext+maxHeader)
	if err != nil {
		return nil, err
	}
	return parseFile(payload)
}

// IsAgeFile reports whether text begins as an age file does, armored or binary. What age's readers skip
// before the armor, white space of up to a kilobyte, is skipped here.
func IsAgeFile(text []byte) bool {
	return IsArmored(text) || bytes.HasPrefix(text, []byte("age-encryption.org/v1"))
}

// IsArmored reports whether text begins as an armored age file does, be it one that an editor gave a byte order mark or UTF-16:
// age opens no such file, and it must not pass for something else.
func IsArmored(text []byte) bool {
	head := text[:min(len(text), 4<<10)]
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		head = bytes.TrimPrefix(head, []byte(mark))
	}
	if bytes.IndexByte(head, 0) >= 0 {
		head = bytes.ReplaceAll(head, []byte{0}, nil)
	}
	return bytes.HasPrefix(bytes.TrimLeftFunc(head, unicode.IsSpace), []byte(armor.Header))
}

// check holds the fields against what a header can say, and the content against its limit.
func (f *File) check() error {
	switch {
	case f.Use != UseValue && f.Use != UseEnv:
		return fmt.Errorf("%w: use is neither value nor env", ErrFileHeader)
	case f.Binding.Namespace != "" && !isBound(f.Binding.Namespace):
		return fmt.Errorf("%w: namespace", ErrFileHeader)
	case f.Binding.Name != "" && !isBound(f.Binding.Name):
		return fmt.Errorf("%w: name", ErrFileHeader)
	case f.Use == UseValue && !isSecretKey(f.Key):
		return fmt.Errorf("%w: no key that Kubernetes takes in a Secret", ErrFileHeader)
	case f.Use == UseEnv && f.Key != "":
		return fmt.Errorf("%w: a key beside use env", ErrFileHeader)
	case len(f.Content) > MaxPlaintext:
		return fmt.Errorf("the content is %w of %d bytes", ErrLimit, MaxPlaintext)
	}
	return nil
}

// fields is the header up to the padding.
func (f *File) fields() string {
	var b strings.Builder
	b.WriteString(fileMagic)
	fmt.Fprintf(&b, "use: %s\n", f.Use)
	for _, field := range [][2]string{{"namespace", f.Binding.Namespace}, {"name", f.Binding.Name}, {"key", f.Key}} {
		if field[1] != "" {
			fmt.Fprintf(&b, "%s: %s\n", field[0], field[1])
		}
	}
	return b.String()
}

const padField = "pad: "

// payload is header and content. Its length is always a bucket.
func (f *File) payload() []byte {
	fields := f.fields()
	n := f.headerLength() + len(f.Content)
	out := make([]byte, 0, bucket(n))
	out = append(out, fields...)
	out = append(out, padField...)
	for range bucket(n) - n {
		out = append(out, '0')
	}
	out = append(out, "\n\n"...)
	return append(out, f.Content...)
}

// parseFile reads what payload writes, and nothing else.
func parseFile(p []byte) (*File, error) {
	switch {
	case bytes.HasPrefix(p, []byte(payloadMagic)):
		return nil, ErrFileSessionKey
	case !bytes.HasPrefix(p, []byte(fileMagic)):
		return nil, ErrFileMagic
	}
	end := bytes.Index(p[:min(len(p), maxHeader)], []byte("\n\n"))
	if end < 0 && len(p) > maxHeader {
		return nil, fmt.Errorf("the header of the sealed file is %w of %d bytes", ErrLimit, maxHeader)
	}
	if end < 0 {
		return nil, fmt.Errorf("%w: no blank line ends it", ErrFileHeader)
	}
	// A field is taken where it is due: what is left over is out of order, there twice or unknown.
	rest := string(p[len(fileMagic) : end+1])
	take := func(name string) string {
		line, after, _ := strings.Cut(rest, "\n")
		value, ok := strings.CutPrefix(line, name+": ")
		if !ok {
			return ""
		}
		rest = after
		return value
	}
	f := &File{Use: take("use"), Binding: Binding{Namespace: take("namespace"), Name: take("name")}, Key: take("key")}
	pad, ok := strings.CutPrefix(strings.TrimSuffix(rest, "\n"), padField)
	// Empty fields were taken, too: written again, the header has to be the same.
	if !ok || strings.Contains(pad, "\n") || f.fields()+padField+pad+"\n" != string(p[:end+1]) {
		return nil, fmt.Errorf("%w: it has use, namespace, name, key and pad, in this order", ErrFileHeader)
	}
	f.Content = p[end+2 : len(p) : len(p)]
	if err := f.check(); err != nil {
		return nil, err
	}
	if strings.Trim(pad, "0") != "" || len(p) != bucket(len(p)-len(pad)) {
		return nil, ErrFilePadding
	}
	return f, nil
}

// maxName is how many characters a namespace, a name or a key can have.
const maxName = 253

// isBound accepts whatever a namespace or a name can be, a variable that is substituted after the build
// included, and nothing that could end a line or steer a terminal.
func isBound(s string) bool {
	return len(s) > 0 && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// isSecretKey is Kubernetes' rule for the keys of a Secret (IsConfigMapKey in k8s.io/apimachinery).
func isSecretKey(s string) bool {
	return len(s) > 0 && len(s) <= maxName && s != "." && !strings.HasPrefix(s, "..") && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._", r)
	})
}
