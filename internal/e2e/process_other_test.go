//go:build e2e && !linux

package e2e

import "syscall"

func withUs() *syscall.SysProcAttr { return nil }
