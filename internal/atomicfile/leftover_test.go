package atomicfile

import "testing"

func TestIsLeftover(t *testing.T) {
	for name, want := range map[string]bool{
		temporaryName("db.yaml") + "123": true, temporaryName("/x/db.yaml") + "-back": true,
		"db.yaml": false, ".ageseal.yaml": false, ".ageseal-tmp": false, "notes.ageseal-tmp1": false,
	} {
		if got := IsLeftover(name); got != want {
			t.Errorf("IsLeftover(%q) = %v", name, got)
		}
	}
}
