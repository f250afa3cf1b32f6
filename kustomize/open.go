package kustomize

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/secret"
)

// opening decrypts documents beside kustomize, on as many threads as there are processors.
type opening struct {
	identities func() (*crypt.Opener, error) // the caller's, at most once
	allowTypes []string
	slots      chan struct{}
	wg         sync.WaitGroup
}

func newOpening(get func() (*crypt.Opener, error), allowTypes []string) *opening {
	return &opening{
		identities: sync.OnceValues(func() (*crypt.Opener, error) {
			if get == nil {
				return nil, crypt.ErrNoIdentity
			}
			return get()
		}),
		allowTypes: allowTypes,
		slots:      make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
}

// open starts to decrypt the documents of a file that is about to be served.
func (b *build) open() {
	for _, d := range b.docs[b.opened:] {
		b.opening.start(d)
	}
	b.opened = len(b.docs)
}

func (o *opening) start(d *document) {
	o.wg.Go(func() {
		o.slots <- struct{}{}
		defer func() {
			if r := recover(); r != nil {
				d.values, d.err = nil, d.fault("", errors.New("internal error while opening"), "")
			}
			<-o.slots
		}()
		ids, err := o.identities()
		if err != nil {
			d.err = &identityError{err}
			return
		}
		values, err := secret.Open(d.sealed, ids, o.allowTypes)
		if err != nil {
			d.err = inFile(d.file, err)
			return
		}
		if len(values) != len(d.sealed.Spec.Data) {
			d.err = d.fault("", errors.New("internal error: values are missing"), "")
			return
		}
		d.values = values
	})
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
			return fmt.Errorf("%w", id.err)
		}
		if d.err != nil {
			faults = append(faults, d.err)
		}
	}
	return errors.Join(faults...)
}
