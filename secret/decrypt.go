package secret

import (
	"encoding/base64"
	"errors"
	"maps"
	"runtime"
	"sync"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
)

// Decrypt turns every sealed document of the file into a native Secret and returns how many there were. On any fault the
// file is as it was. A document that speaks of a Secret and can't be parsed is a fault: it could be a sealed one.
func Decrypt(f *manifest.File, o *crypt.Opener, allowTypes []string) (int, error) {
	type opened struct {
		item  *manifest.Item
		plain *manifest.Plain
	}
	var done []opened
	var faults []error
	for _, item := range f.Items() {
		if item.Kind != manifest.Sealed && item.Kind != manifest.Broken {
			continue
		}
		s, err := Read(item)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		values, err := Open(s, o, allowTypes)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		done = append(done, opened{item, Plain(s, values)})
	}
	if len(faults) > 0 {
		return 0, errors.Join(faults...)
	}
	for _, d := range done {
		d.item.Unseal(d.plain)
	}
	return len(done), nil
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
	return Open(s, o, credentialTypes)
}

// Each runs fn for 0…n-1 on all processors and returns the errors by index. The work of a run over many files is
// independent by file, and fn must only touch what belongs to its index.
func Each(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	var next sync.Mutex
	at := 0
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
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
