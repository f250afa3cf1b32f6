package kustomize

import (
	"bytes"
	"errors"
	"runtime"
	"sync"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// source gives the values of a sealed document by their keys, and what a sealed file holds: opened, or redacted.
type source interface {
	values(*manifest.EncryptedSecret) (map[string][]byte, error)
	file(*sealedSource) (*secret.File, error)
}

// keyed is the source of a build with keys.
type keyed struct {
	identities func() (*crypt.Opener, error) // the caller's, at most once
	allowTypes []string
}

func newKeyed(get func() (*crypt.Opener, error), allowTypes []string) *keyed {
	return &keyed{allowTypes: allowTypes, identities: sync.OnceValues(func() (*crypt.Opener, error) {
		if get == nil {
			return nil, &identityError{crypt.ErrNoIdentity}
		}
		ids, err := get()
		if err != nil {
			return nil, &identityError{err}
		}
		return ids, nil
	})}
}

func (o *keyed) values(s *manifest.EncryptedSecret) (map[string][]byte, error) {
	ids, err := o.identities()
	if err != nil {
		return nil, err
	}
	return secret.Open(s, ids, o.allowTypes)
}

func (o *keyed) file(s *sealedSource) (*secret.File, error) {
	ids, err := o.identities()
	if err != nil {
		return nil, err
	}
	f, err := secret.OpenFile(s.text, ids)
	if err != nil {
		return nil, withoutLine(err)
	}
	return f, nil
}

// opening gets the values of documents beside kustomize, with as many workers as there are processors.
type opening struct {
	source source

	mu      sync.Mutex
	queue   []*document
	workers int
	wg      sync.WaitGroup
}

// open starts to decrypt the documents that were read since the last call.
func (b *build) open() {
	fresh := b.docs[b.opened:]
	b.opened = len(b.docs)
	o := b.opening
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, fresh...)
	for len(o.queue) > 0 && o.workers < min(len(o.queue), runtime.GOMAXPROCS(0)) {
		o.workers++
		o.wg.Go(o.work)
	}
}

// work opens documents until there are none.
func (o *opening) work() {
	for {
		o.mu.Lock()
		if len(o.queue) == 0 {
			o.workers--
			o.mu.Unlock()
			return
		}
		d := o.queue[0]
		o.queue = o.queue[1:]
		o.mu.Unlock()
		o.document(d)
	}
}

func (o *opening) document(d *document) {
	defer func() {
		if r := recover(); r != nil {
			d.open, d.err = false, d.fault("", errors.New("internal error while opening"), "")
		}
		d.sealed = nil
	}()
	var values map[string][]byte
	var err error
	if d.src != nil {
		d.src.opened, err = o.source.file(d.src)
		d.src.text = nil
	} else {
		values, err = o.source.values(d.sealed)
	}
	var id *identityError
	switch {
	case errors.As(err, &id):
		d.err = id
		return
	case err != nil:
		d.err = InFile(d.file, err)
		return
	case d.src != nil:
		return // the rest is settle's
	}
	if len(values) != len(d.keys) {
		d.err = d.fault("", errors.New("internal error: values are missing"), "")
		return
	}
	for i := range d.keys {
		k := &d.keys[i]
		value, ok := values[k.name]
		if !ok {
			d.err = d.fault(k.name, errors.New("internal error: a value is missing"), "")
			return
		}
		k.value = bytes.Clone(value) // what it is cut from is several times as large
	}
	d.open = true
}

// identityError is what the caller's function for identities said. It is about the run, not about a document.
type identityError struct{ err error }

func (e *identityError) Error() string { return e.err.Error() }
func (e *identityError) Unwrap() error { return e.err }

// wait gives the faults of all documents, in the order they were served.
func (o *opening) wait(docs []*document) error {
	o.wg.Wait()
	var faults []error
	for _, d := range docs {
		var id *identityError
		if errors.As(d.err, &id) {
			return id.err
		}
		if d.err != nil {
			faults = append(faults, d.err)
		}
	}
	return errors.Join(faults...)
}
