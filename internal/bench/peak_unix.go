//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory is the largest resident set of a process that ended, in bytes.
func peakMemory(p *os.ProcessState) int64 {
	r, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	peak := int64(r.Maxrss) //nolint:unconvert // an int32 on 32-bit machines
	if runtime.GOOS != "darwin" {
		peak <<= 10 // KiB, but for macOS
	}
	return peak
}
