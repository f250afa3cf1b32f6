package main

import (
	"os"
	"runtime/debug"
)

// How much the heap may grow between two collections, in percent: a run is short, and what is above Go's 100 saves time.
// In a large build, anything above about 140 would need more memory than kustomize does.
const (
	heapPercent      = 300
	heapPercentBuild = 115
)

// tuneCollector trades memory that nobody misses for time. $GOGC overrules it.
func tuneCollector(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
