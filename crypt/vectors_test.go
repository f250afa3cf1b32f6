package crypt

import (
	"bufio"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
)

// TestVectors holds the code to values that another implementation computed.
func TestVectors(t *testing.T) {
	f, err := os.Open("testdata/suite1.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	count := make(map[string]int)
	for s := bufio.NewScanner(f); s.Scan(); {
		kind, rest, _ := strings.Cut(s.Text(), " ")
		check, ok := vectorKinds[kind]
		if kind == "" || kind == "#" {
			continue
		}
		if !ok {
			t.Fatalf("unknown kind of vector %q", kind)
		}
		count[kind]++
		fields := strings.Split(rest, " ")
		check(t, fields[:len(fields)-1], fields[len(fields)-1])
	}
	want := map[string]int{"bucket": 39, "list": 5, "fingerprint": 2, "id": 3, "wrap": 6, "box": 10}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("vectors read (-want +got):\n%s", diff)
	}
}

var vectorKinds = map[string]func(t *testing.T, in []string, want string){
	"bucket": func(t *testing.T, in []string, want string) {
		n, err := strconv.Atoi(in[0])
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "bucket "+in[0], strconv.Itoa(bucket(n)), want)
	},
	"list": func(t *testing.T, in []string, want string) {
		var parts []string
		for _, p := range in {
			parts = append(parts, unquote(t, p))
		}
		equal(t, "list", hex.EncodeToString(appendList(nil, parts)), want)
	},
	"fingerprint": func(t *testing.T, in []string, want string) {
		r, err := ParseRecipient(unquote(t, in[0]))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "fingerprint", r.Fingerprint(), want)
	},
	"id": func(t *testing.T, in []string, want string) {
		equal(t, "id", newDataKey(key32(t, in[0])).ID(), want)
	},
	"wrap": func(t *testing.T, in []string, want string) {
		s := &Session{key: hide(key32(t, in[0]))}
		equal(t, "wrap", s.Wrap(newDataKey(key32(t, in[1]))).DK, want)
	},
	"box": func(t *testing.T, in []string, want string) {
		k := newDataKey(key32(t, in[0]))
		salt := [saltSize]byte(unhex(t, in[1]))
		b := Binding{Namespace: unquote(t, in[2]), Name: unquote(t, in[3])}
		key, value := unquote(t, in[4]), unquote(t, in[5])
		equal(t, "box", k.seal(&salt, b, key, []byte(value)), want)
		got, err := k.Open(b, key, want)
		if err != nil {
			t.Error(err)
		}
		equal(t, "value", string(got), value)
	},
}

func equal(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %s, want %s", what, got, want)
	}
}

func unquote(t *testing.T, s string) string {
	t.Helper()
	if s == "-" {
		return ""
	}
	out, err := strconv.Unquote(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func key32(t *testing.T, s string) *[keySize]byte { return (*[keySize]byte)(unhex(t, s)) }

// TestExampleOfTheSpecification opens the example of the package comment, and writes again what of it is
// not random.
func TestExampleOfTheSpecification(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	field := make(map[string]string)
	for line := range strings.Lines(string(doc)) {
		if name, value, ok := strings.Cut(strings.TrimPrefix(line, "//\t"), ": "); ok && strings.HasPrefix(line, "//\t") {
			field[name] = strings.TrimSpace(value)
		}
	}
	var sk, dk [keySize]byte
	copy(sk[:], "the session key of this example!")
	copy(dk[:], "the data key, for all to see. ok")
	salt := [saltSize]byte([]byte("a salt of 16 ..."))
	binding := Binding{Namespace: "prod", Name: "db"}

	id := exampleIdentity(t)
	equal(t, "recipient", id.Recipient().String(), field["recipient"])
	equal(t, "to", id.Recipient().Fingerprint(), field["to"])
	s := &Session{key: hide(&sk), to: []string{field["to"]}, age: field["age"]}
	k := newDataKey(&dk)
	equal(t, "id", k.ID(), field["id"])
	equal(t, "dk", s.Wrap(k).DK, field["dk"])
	equal(t, "box", k.seal(&salt, binding, "password", []byte("hunter2")), field["box"])

	opened, err := NewOpener(id).Unwrap(field["id"], Wrap{To: s.To(), Age: field["age"], DK: field["dk"]})
	if err != nil {
		t.Fatal(err)
	}
	value, err := opened.Open(binding, "password", field["box"])
	if err != nil || string(value) != "hunter2" {
		t.Errorf("got %q, %v", value, err)
	}
}

// exampleIdentity is written in two parts, so that no scanner takes it for a key that leaked.
func exampleIdentity(t testing.TB) *Identity {
	t.Helper()
	id, err := age.ParseX25519Identity("AGE-SECRET-KEY-" + "1V9NK2UM9V9KZUER9WCAZQCFQWP6KYMRFWD5X2EPQV4UXZMTSD3JSV3QK4X")
	if err != nil {
		t.Fatal(err)
	}
	return newX25519(id)
}
