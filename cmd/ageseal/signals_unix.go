//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

var stopSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// ignoreFileSizeSignal turns SIGXFSZ, which would end the process with a stack trace, into an error of the write.
func ignoreFileSizeSignal() { signal.Ignore(syscall.SIGXFSZ) }
