package main

import (
	"os"
	"runtime/debug"
)

// How much the heap may grow between two collections, in percent: a run is short, and what is above Go's 100 saves time.
// Where all of a large tree is in memory at once, anything above about 140 would need more of it than kustomize does.
const (
	heapPercent     = 300
	heapPercentTree = 115
)

// tuneCollector trades memory that nobody misses for time. $GOGC overrules it.
func tuneCollector(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
