package main

import (
	"os"
	"runtime/debug"
)

// heapPercent is how much the heap may grow between two collections: a run is short, and every percent above Go's 100 saves
// time. From about 140 on, a large build would need more memory than kustomize does.
const heapPercent = 115

// tuneCollector trades memory that nobody misses for time. $GOGC overrules it.
func tuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapPercent)
	}
}
