package testkeys_test

import (
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
)

func TestTextsRoundTrip(t *testing.T) {
	tests := []struct {
		name        string
		id          *crypt.Identity
		text        string
		postQuantum bool
		fingerprint string // frozen: scripts and vectors name the keys by it
	}{
		{"alice", testkeys.Alice(), testkeys.AliceText(), true, "tsgiqfvvu2ofbhkr"},
		{"bob", testkeys.Bob(), testkeys.BobText(), true, "chokqstd27lbbadf"},
		{"carol", testkeys.Carol(), testkeys.CarolText(), true, "hksnwgmy6bhyhrnu"},
		{"dave", testkeys.Dave(), testkeys.DaveText(), false, "oud3pjs5s22zflxc"},
		{"erin", testkeys.Erin(), testkeys.ErinText(), false, "cc6jrmdqpwx27223"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.id.SecretText() != tt.text {
				t.Error("the text is not what age writes")
			}
			if got := tt.id.Recipient().PostQuantum(); got != tt.postQuantum {
				t.Errorf("post-quantum = %t", got)
			}
			if got := tt.id.Recipient().Fingerprint(); got != tt.fingerprint {
				t.Errorf("fingerprint = %s, want %s", got, tt.fingerprint)
			}
		})
	}
}
