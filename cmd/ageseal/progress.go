package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ageseal/ageseal/secret"
)

// patience is how long a run is silent before a terminal sees how far it is.
const patience = time.Second

// each runs fn for 0…n-1 in parallel, like secret.Each. On a terminal, a run of more than a second shows a counter that
// disappears when it is done.
func (c *cli) each(n int, doing string, fn func(i int) error) []error {
	if _, ok := terminal(c.err); !ok || c.quiet {
		return secret.Each(n, fn)
	}
	var done atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(patience)
		defer tick.Stop()
		for shown := false; ; shown = true {
			select {
			case <-stop:
				if shown {
					fmt.Fprint(c.err, "\r\x1b[K")
				}
				return
			case <-tick.C:
				fmt.Fprintf(c.err, "\r%s %d of %d files", doing, done.Load(), n)
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	return secret.Each(n, func(i int) error {
		defer done.Add(1)
		return fn(i)
	})
}
