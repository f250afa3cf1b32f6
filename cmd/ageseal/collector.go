package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// A run is short, and most are small: for them the collector's work is a third of the time and saves memory
// that nobody misses. A large one should need no more than kustomize does.
const (
	smallHeapPercent = 300
	largeHeapPercent = 60
	largeHeap        = 20 << 20 // bytes in use after a collection
)

// tuneCollector collects seldom while the heap is small and often once it is large. $GOGC overrules it.
func tuneCollector() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(smallHeapPercent)
	afterCollection(func() (again bool) {
		sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(sample)
		if sample[0].Value.Kind() != metrics.KindUint64 || sample[0].Value.Uint64() < largeHeap {
			return true
		}
		debug.SetGCPercent(largeHeapPercent)
		return false
	})
}

// afterCollection calls fn after each collection for as long as it returns true: the finalizer of an object that nothing
// refers to runs then.
func afterCollection(fn func() (again bool)) {
	type sentinel struct{ _ [16]byte } // larger than what the tiny allocator would share with others
	runtime.SetFinalizer(&sentinel{}, func(*sentinel) {
		if fn() {
			afterCollection(fn)
		}
	})
}
