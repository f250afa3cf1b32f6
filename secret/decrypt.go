package secret

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"sync"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// Decrypt turns every sealed document of the file into a native Secret and returns how many there were. On a fault the
// file is to be discarded. A document that speaks of a Secret and can't be parsed is a fault: it could be a sealed one.
func Decrypt(f *manifest.File, o *crypt.Opener, allowTypes []string) (int, error) {
	return decrypt(f, o, allowTypes, Plain, func(s *manifest.EncryptedSecret) error {
		return CheckCopies(s.Spec.Binding.Namespace, s.Annotations, s.Spec.Line, place(s))
	})
}

// DecryptToKeep is Decrypt for a file that stays in plaintext: the comments inside the spec go along, and no annotation is dropped.
func DecryptToKeep(f *manifest.File, o *crypt.Opener, allowTypes []string) (int, error) {
	return decrypt(f, o, allowTypes, func(s *manifest.EncryptedSecret, values map[string][]byte) *manifest.Plain {
		p := Plain(s, values)
		p.Text = map[string]string{}
		return p
	}, func(*manifest.EncryptedSecret) error { return nil })
}

func decrypt(f *manifest.File, o *crypt.Opener, allowTypes []string, plain func(*manifest.EncryptedSecret, map[string][]byte) *manifest.Plain,
	check func(*manifest.EncryptedSecret) error) (int, error) {
	type opened struct {
		item  *manifest.Item
		plain *manifest.Plain
	}
	var done []opened
	items, docs, faults := sealedItems(f)
	for i, s := range docs {
		values, err := Open(s, o, allowTypes)
		if err == nil {
			err = check(s)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		done = append(done, opened{items[i], plain(s, values)})
	}
	if len(faults) > 0 {
		return 0, errors.Join(faults...)
	}
	for _, d := range done {
		d.item.Unseal(d.plain)
	}
	if at := leftover(f.Bytes()); at >= 0 {
		line := f.Line(at)
		f.Reset()
		return 0, &Error{Line: line, Err: fmt.Errorf("%w: sealed data in a document that is no EncryptedSecret", ErrMalformed),
			Hint: "only an EncryptedSecret by itself, or as an item of a List, is decrypted"}
	}
	return len(done), nil
}

// ageFile is how the base64 of a wrap begins: that of "age-encryption.org/v1".
const ageFile = "YWdlLWVuY3J5cHRpb24ub3JnL3Yx"

// leftover finds a wrap that is still in the text, under whatever it is nested, and returns its offset, else -1. Armored
// age files, as SOPS has them, don't stand behind "age:".
func leftover(text []byte) int {
	for from := 0; ; from += len(ageFile) {
		at := bytes.Index(text[from:], []byte(ageFile))
		if at < 0 {
			return -1
		}
		from += at
		const quotes = " \t\r\n\"'\\"
		before, colon := bytes.CutSuffix(bytes.TrimRight(text[max(0, from-64):from], quotes), []byte(":"))
		if colon && bytes.HasSuffix(bytes.TrimRight(before, quotes), []byte("age")) {
			return from
		}
	}
}

// Plain is the native Secret that s becomes with these values: type and immutable as sealed, the bound namespace where
// metadata names none.
func Plain(s *manifest.EncryptedSecret, values map[string][]byte) *manifest.Plain {
	p := &manifest.Plain{Type: s.Spec.Type, Immutable: s.Spec.Immutable, Data: make(map[string]string, len(values))}
	if s.Namespace == "" {
		p.Namespace = s.Spec.Binding.Namespace
	}
	for k, v := range values {
		p.Data[k] = base64.StdEncoding.EncodeToString(v)
	}
	return p
}

// OpenForReading is Open for a person who looks at values: nothing is given to a cluster, so every type is allowed.
func OpenForReading(s *manifest.EncryptedSecret, o *crypt.Opener) (map[string][]byte, error) {
	return Open(s, o, manifest.CredentialTypes)
}

// Each runs fn for 0…n-1 on all processors and returns the errors by index. The work of a run over many files is
// independent by file, and fn must only touch what belongs to its index.
func Each(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	var next sync.Mutex
	at := 0
	var wg sync.WaitGroup
	panics := make(chan any, n)
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			// One that is not caught here prints its value, and ends the process before anybody can clean up.
			defer func() {
				if p := recover(); p != nil {
					panics <- p
				}
			}()
			for {
				next.Lock()
				i := at
				at++
				next.Unlock()
				if i >= n {
					return
				}
				errs[i] = fn(i)
			}
		})
	}
	wg.Wait()
	close(panics)
	for p := range panics {
		panic(p)
	}
	return errs
}

func cloneSpec(s manifest.Spec) *manifest.Spec {
	s.Wraps, s.Data = maps.Clone(s.Wraps), maps.Clone(s.Data)
	if s.Wraps == nil {
		s.Wraps = map[string]manifest.Wrap{}
	}
	if s.Data == nil {
		s.Data = map[string]manifest.Box{}
	}
	return &s
}
