//go:build unix

package main

import "syscall"

// detach takes the terminal of whoever runs the tests away, so that nothing waits for an answer there. A story that has one leads its session.
func detach() { _, _ = syscall.Setsid() }
