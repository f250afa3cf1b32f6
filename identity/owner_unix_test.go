//go:build !windows

package identity

import (
	"io/fs"
	"os"
	"syscall"
	"testing"
)

// owned is a file of a mode, with an owner.
type owned struct {
	fs.FileInfo
	mode  fs.FileMode
	owner int
}

func (o owned) Mode() fs.FileMode { return o.mode }
func (o owned) Sys() any          { return &syscall.Stat_t{Uid: uint32(o.owner)} }

// TestExposedToGroup: a file of somebody else, as Kubernetes mounts a Secret for a user that is not root, is read through
// its group or not at all.
func TestExposedToGroup(t *testing.T) {
	for _, test := range []struct {
		mode          fs.FileMode
		ours, another bool
	}{
		{0o400, false, false},
		{0o440, true, false},
		{0o640, true, false},
		{0o460, true, true},
		{0o450, true, true},
		{0o444, true, true},
		{0o404, true, true},
	} {
		us := os.Geteuid()
		if got := exposed(owned{mode: test.mode, owner: us}); got != test.ours {
			t.Errorf("%v of ours: %v", test.mode, got)
		}
		if got := exposed(owned{mode: test.mode, owner: us + 1}); got != test.another {
			t.Errorf("%v of another user: %v", test.mode, got)
		}
	}
}
