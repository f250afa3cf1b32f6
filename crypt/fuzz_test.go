package crypt

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func fuzzDataKey() *DataKey {
	var key [keySize]byte
	copy(key[:], "the data key of the fuzz targets")
	return newDataKey(&key)
}

var fuzzBinding = Binding{Namespace: "prod", Name: "db"}

// FuzzOpen: a box opens only if it is, to the byte, what Seal writes for that value and salt.
func FuzzOpen(f *testing.F) {
	k := fuzzDataKey()
	f.Fuzz(func(t *testing.T, box string) {
		value, err := k.Open(fuzzBinding, "password", box)
		if err != nil {
			if value != nil || !isOneOf(err, ErrBase64, ErrBoxLength, ErrAEAD, ErrPadding, ErrLimit) {
				t.Fatalf("got %d bytes, %v", len(value), err)
			}
			return
		}
		raw, err := base64.StdEncoding.DecodeString(box)
		if err != nil {
			t.Fatal(err)
		}
		if k.seal((*[saltSize]byte)(raw), fuzzBinding, "password", value) != box {
			t.Fatal("another box opens to the same value")
		}
	})
}

// FuzzAge: no age file makes the reader of headers panic, answer with an error of another class, or open
// behind a passphrase.
func FuzzAge(f *testing.F) {
	id := exampleIdentity(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		payload, err := openAge(file, []*Identity{id}, maxPayload)
		if err != nil {
			if payload != nil || !isOneOf(err, ErrAge, ErrNoIdentity, ErrLimit) {
				t.Fatalf("got %d bytes, %v", len(payload), err)
			}
			return
		}
		header, _, _ := bytes.Cut(file, []byte("\n---"))
		if bytes.Contains(header, []byte("\n-> scrypt ")) || bytes.Contains(header, []byte("\n-> mlkem768x25519 ")) {
			t.Fatal("opened in spite of a recipient that does not belong there")
		}
		if len(payload) > maxPayload {
			t.Fatalf("%d bytes", len(payload))
		}
	})
}

// FuzzPayload: a payload is read only if it is, to the byte, what a session writes.
func FuzzPayload(f *testing.F) {
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, err := parsePayload(payload)
		if err != nil {
			if s != nil || !errors.Is(err, ErrPayloadMagic) {
				t.Fatalf("got %v, %v", s, err)
			}
			return
		}
		if again := payloadOf(payloadMagic, s.key[:], s.to); !bytes.Equal(again, payload) {
			t.Fatal("another payload is read as the same")
		}
	})
}

// FuzzFileHeader: the plaintext of a sealed file is read only if it is, to the byte, what SealFile writes.
func FuzzFileHeader(f *testing.F) {
	f.Fuzz(func(t *testing.T, plaintext []byte) {
		file, err := parseFile(plaintext)
		if err != nil {
			if file != nil || !isOneOf(err, ErrFileSessionKey, ErrFileMagic, ErrFileHeader, ErrFilePadding, ErrLimit) {
				t.Fatalf("got %v, %v", file, err)
			}
			return
		}
		if err := file.check(); err != nil {
			t.Fatal(err)
		}
		if again := file.payload(); !bytes.Equal(again, plaintext) {
			t.Fatal("another plaintext is read as the same")
		}
	})
}

func isOneOf(err error, sentinels ...error) bool {
	for _, s := range sentinels {
		if errors.Is(err, s) {
			return true
		}
	}
	return false
}

// TestSeedsAreThere: a corpus that moved away is silently empty.
func TestSeedsAreThere(t *testing.T) {
	for _, target := range []string{"FuzzOpen", "FuzzAge", "FuzzPayload", "FuzzFileHeader"} {
		files, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
		if err != nil || len(files) < 20 {
			t.Errorf("%s has %d seeds, %v", target, len(files), err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil || !strings.HasPrefix(string(b), "go test fuzz v1\n") {
				t.Errorf("%s is no seed: %v", file, err)
			}
		}
	}
}
