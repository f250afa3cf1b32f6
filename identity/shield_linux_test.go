package identity_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ageseal/ageseal/identity"
)

func TestLoadKeepsOtherProcessesOut(t *testing.T) {
	home(t)
	if _, err := identity.Load(identity.Options{}); err != nil {
		t.Fatal(err)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("dumpable = %d, %v: /proc/PID/environ is open to others of the same user", dumpable, err)
	}
}
