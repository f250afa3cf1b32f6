//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

var (
	stopSignals     = []os.Signal{os.Interrupt, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP}
	terminalSignals = []os.Signal{os.Interrupt, syscall.SIGQUIT} // that a key sends (termios(3))
)

// catchFileSizeSignal turns SIGXFSZ, which would end the process with a stack trace, into an error of the write. It is not ignored: a
// program that we run or become would inherit that. Without a limit there is none, and each signal to catch is a thirtieth of a start.
func catchFileSizeSignal() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err == nil && uint64(limit.Cur) >= 1<<62 { //nolint:unconvert // signed elsewhere
		return // RLIM_INFINITY, which is another number on each system
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGXFSZ)
}
