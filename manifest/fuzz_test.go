package manifest

import "testing"

// FuzzSealed holds for every text: parsing and writing is the identity, the fast reader and the library see the same tree, and a sealed
// document survives a rewrite of its spec and the way to a native Secret.
func FuzzSealed(f *testing.F) {
	f.Fuzz(func(t *testing.T, src []byte) {
		checkReaders(t, src)
		file := parse(t, src)
		for n, i := range file.Items() {
			if i.Kind != Sealed {
				continue
			}
			s, err := i.Sealed()
			if err != nil {
				continue
			}
			checkSetSpec(t, src, n, s)
			checkUnseal(t, src, n, s)
		}
	})
}

// FuzzNative holds for every text: what Native reads is what kubectl reads, and sealing and unsealing gives the same Secret and no other
// change.
func FuzzNative(f *testing.F) {
	f.Fuzz(func(t *testing.T, src []byte) {
		checkReaders(t, src)
		checkRoundTrip(t, src)
	})
}
