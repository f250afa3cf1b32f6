package secret

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// ErrEnv: content that kustomize, or Kubernetes after it, does not take as a dotenv.
var ErrEnv = errors.New("no dotenv")

// FileOptions say for whom and for what a sealed file is made.
type FileOptions struct {
	Target              // Namespace is what the value is bound to; "" for none
	Use          string // crypt.UseValue or crypt.UseEnv
	Key          string // with UseValue the key it fills
	Name         string // of the Secret; "" for any
	AnyNamespace bool   // no namespace is bound, and that is meant
	Now          func() time.Time
}

// File is an opened sealed file.
type File struct {
	crypt.File
	Values map[string]manifest.Value // what it puts into a Secret; lines are those of a dotenv
}

// SealFile makes a sealed file of one value, or of a dotenv that kustomize's envs: would read alike. Warnings are what whoever uses it may
// regret. Errors: *Error that match ErrRefused (namespace, name), ErrEnv with their line, manifest.ErrLimit; those of crypt.SealFile.
func SealFile(content []byte, o FileOptions) (sealed []byte, warnings []Error, err error) {
	f := &File{File: crypt.File{Use: o.Use, Key: o.Key, Binding: crypt.Binding{Namespace: o.Namespace, Name: o.Name}}}
	if o.AnyNamespace {
		f.Binding.Namespace = ""
	}
	at := checkedRef(f.Binding.Namespace, f.Binding.Name)
	if err := CheckName(f.Binding.Namespace, f.Binding.Name); err != nil {
		return nil, nil, err
	}
	if o.Use == crypt.UseValue && !manifest.IsSecretKey(o.Key) {
		return nil, nil, &Error{Secret: at, Err: fmt.Errorf("%w: no key that a Secret can have", ErrRefused),
			Hint: "letters, digits, - _ . only, at most 253, not . or .. at the beginning: --key KEY"}
	}
	regrets, err := f.SetContent(content, o.Now)
	if err != nil {
		return nil, nil, err
	}
	warn := func(hint, text string) {
		warnings = append(warnings, Error{Secret: at, Err: errors.New(text), Hint: hint})
	}
	if f.Binding.Name == "" {
		warn("bind it to one with --name NAME", "no name is bound: any Secret with the key can take it")
	}
	if f.Binding.Namespace == "" && !o.AnyNamespace {
		warn("name one with --namespace or in the policy's rule; --any-namespace if that is meant", "no namespace is bound: any namespace can take it")
	}
	sealed, err = crypt.SealFile(&f.File, o.Recipients)
	return sealed, append(warnings, regrets...), err
}

// SetContent has a file hold something else, for the same use and binding. Warnings are what whoever uses it may regret; clock may be nil.
// Errors: *Error that match ErrEnv with their line, manifest.ErrLimit; then the file is as it was.
func (f *File) SetContent(content []byte, clock func() time.Time) (warnings []Error, err error) {
	at := checkedRef(f.Binding.Namespace, f.Binding.Name)
	if len(content) > manifest.MaxTotal {
		return nil, &Error{Secret: at, Err: fmt.Errorf("%w: %d bytes, Kubernetes takes %d in one Secret", manifest.ErrLimit, len(content), manifest.MaxTotal)}
	}
	next := *f
	next.Content = content
	if err := next.read(); err != nil {
		return nil, err
	}
	*f = next
	for _, w := range Regrets(nil, f.Values, now(clock)) {
		w.Secret = at
		warnings = append(warnings, w)
	}
	return warnings, nil
}

// OpenFile opens a sealed file. Errors: *Error that match the sentinels of crypt.Opener.OpenFile; ErrMalformed for content that is no dotenv
// though the header says so.
func OpenFile(sealed []byte, o *crypt.Opener) (*File, error) {
	if err := checkArmored(sealed); err != nil {
		return nil, err
	}
	opened, err := o.OpenFile(sealed)
	if errors.Is(err, crypt.ErrNoIdentity) {
		return nil, &Error{Err: &NoIdentityError{Cause: err}}
	}
	if err != nil {
		return nil, &Error{Err: err, Hint: fileHint(err)}
	}
	f := &File{File: *opened}
	if err := f.read(); err != nil {
		return nil, markEach(err, ErrMalformed)
	}
	return f, nil
}

// InspectFile reads what a sealed file says without a key. Errors: *Error that match the sentinels of crypt.InspectFile.
func InspectFile(sealed []byte) (*crypt.FileFacts, error) {
	if err := checkArmored(sealed); err != nil {
		return nil, err
	}
	facts, err := crypt.InspectFile(sealed)
	if err != nil {
		return nil, &Error{Err: err, Hint: fileHint(err)}
	}
	return facts, nil
}

func checkArmored(sealed []byte) error {
	if crypt.IsAgeFile(sealed) && !crypt.IsArmored(sealed) {
		return &Error{Err: marked{errors.New("a binary age file; a sealed file is armored"), crypt.ErrAge}, Hint: fileHint(crypt.ErrFileMagic)}
	}
	return nil
}

func fileHint(err error) string {
	switch {
	case errors.Is(err, crypt.ErrShared):
		return sharedHint
	case errors.Is(err, crypt.ErrFileSessionKey):
		return "it opens every value of that manifest: it is never handed out; find out who put it here"
	case errors.Is(err, crypt.ErrFileMagic):
		return `a sealed file says what it is for: decrypt this one with "age", and make one of it with "ageseal encrypt --as value"`
	}
	return "restore it from git history, or encrypt it again"
}

// Ref names the Secret it is bound to, as far as it is bound.
func (f *File) Ref() string { return Ref(f.Binding.Namespace, cmp.Or(f.Binding.Name, "*")) }

// read fills in the values.
func (f *File) read() error {
	if f.Use == crypt.UseEnv {
		values, err := ParseEnv(f.Content)
		f.Values = values
		return err
	}
	f.Values = map[string]manifest.Value{f.Key: {Bytes: f.Content}}
	return nil
}

// maxEnvLine is where kustomize stops reading a dotenv, without a word (bufio.MaxScanTokenSize, the line end included).
const maxEnvLine = 64 << 10

// ParseEnv reads a dotenv as kustomize's envs: does (api/kv): KEY=VALUE, a KEY alone is empty, blanks before the key, empty lines and such that
// begin with "#" mean nothing; a CR before the line end and a BOM are dropped. Refused, with their line: keys that Kubernetes does not take,
// and what kustomize would drop or take twice. Text before "=" that is no key may be a piece of a value and is not quoted.
func ParseEnv(content []byte) (map[string]manifest.Value, error) {
	values := map[string]manifest.Value{}
	for n := 1; len(content) > 0; n++ {
		line, rest, _ := bytes.Cut(content, []byte("\n"))
		content = rest
		fault := func(key, hint, text string) error {
			return &Error{Line: n, Key: key, Err: fmt.Errorf("%w: %s", ErrEnv, text), Hint: hint}
		}
		if len(line)+1 >= maxEnvLine {
			return nil, fault("", "seal the value as a file of its own: --as value", "a line of 64 KiB, where kustomize stops reading")
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if !utf8.Valid(line) {
			return nil, fault("", "seal a binary value as a file of its own: --as value", "bytes that are no UTF-8")
		}
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		line = bytes.TrimLeftFunc(line, unicode.IsSpace)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key, value, _ := strings.Cut(string(line), "=")
		if !manifest.IsSecretKey(key) {
			return nil, fault("", "a line is KEY=VALUE, KEY of letters, digits, - _ and .; a value with line breaks is sealed by itself: --as value",
				"no key that a Secret can have")
		}
		if _, twice := values[key]; twice {
			return nil, fault(key, "kustomize takes each key once", "the key is there twice")
		}
		values[key] = manifest.Value{Bytes: []byte(value), Line: n}
	}
	if len(values) > manifest.MaxValues {
		return nil, &Error{Err: fmt.Errorf("%w: %d values, %d at most", manifest.ErrLimit, len(values), manifest.MaxValues)}
	}
	return values, nil
}
