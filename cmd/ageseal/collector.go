package main

import (
	"os"
	"runtime/debug"
)

// heapPercent is how much the heap may grow between two collections: a run is short, and with Go's 100 the collector
// takes a fifth of a build. With 200 a large build would need more memory than kustomize does.
const heapPercent = 150

// tuneCollector trades memory that nobody misses for time. $GOGC overrules it.
func tuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapPercent)
	}
}
