package values

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/manifest"
)

// What kubectl 1.32 makes of the same files, but for the long line and the warnings.
func TestEnvFile(t *testing.T) {
	env := func(key string) (string, bool) {
		value, ok := map[string]string{"SET": "from environment", "EMPTY": ""}[key]
		return value, ok
	}
	long := strings.Repeat("x", 70_000)
	tests := []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"lines", "A=1\nB=2", []string{"A=1", "B=2"}},
		{"crlf", "A=1\r\n\r\n B=2\r\r\n", []string{"A=1", "B=2\r"}},
		{"cr alone", "A=1\rB=2\n", []string{"A=1\rB=2"}},
		{"values as they are", "A= x y \nB=\"q\"\nC='q' # c\nD=a=b\nE=\nF==\n",
			[]string{"A= x y ", "B=\"q\"", "C='q' # c", "D=a=b", "E=", "F=="}},
		{"comments", "# A=1\n\t #\nA=#1\n", []string{"A=#1"}},
		{"blanks of all kinds", " \t\v\f\u00a0\u2003A=1\n", []string{"A=1"}},
		{"byte order mark", "\ufeffA=1\n", []string{"A=1"}},
		{"the environment", "SET\nEMPTY\nUNSET\n", []string{"SET=from environment", "EMPTY=", "UNSET=",
			"warning: e.env:3 key UNSET the environment has no value for it: sealed as an empty one"}},
		{"keys", "_=1\n-=2\n.a=3\na.=4\n", []string{"_=1", "-=2", ".a=3", "a.=4"}},
		{"NUL", "A=\x00\n", []string{"A=\x00"}},
		{"a long line, and one behind", "A=" + long + "\nB=2\n", []string{"A=" + long, "B=2"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := &Values{Getenv: env}
			if err := v.AddEnvFile(write(t, t.TempDir(), "e.env", test.text)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, added(v)); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnvFileRefused(t *testing.T) {
	for _, test := range []struct {
		name, text string
		is         error
		want       string
	}{
		{"no key", "\n=canary\n", ErrKey, "e.env:2 no valid key"},
		{"a digit", "A=1\n\n1canary=2\n", ErrKey, "e.env:3 no valid key"},
		{"a blank before the =", "canary =2\n", ErrKey, "e.env:1"},
		{"a piece of a value", "A='canary\nmore canary'\n", ErrKey, "e.env:2"},
		{"dots", "..canary=1\n", ErrKey, "e.env:1"},
		{"a mark in the second line", "A=1\n\ufeffcanary=1\n", ErrKey, "e.env:2"},
		{"a mark behind a blank", " \ufeffcanary=1\n", ErrKey, "e.env:1"},
		{"twice", "A=1\nA=canary\n", ErrTwice, "e.env:2 key A there is a value"},
		{"no UTF-8", "A=1\nB=canary\xff\n", nil, "e.env:2 bytes that are no UTF-8"},
		{"a long key", strings.Repeat("canary", 50) + "=1", ErrKey, "e.env:1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			refused(t, (&Values{}).AddEnvFile(write(t, t.TempDir(), "e.env", test.text)), test.is, test.want)
		})
	}
	v := &Values{Stdin: strings.NewReader("A=canary\n..=1")}
	refused(t, v.AddEnvFile("-"), ErrKey, "standard input:2")
	refused(t, v.AddEnvFile("-"), ErrStdin, "")
	refused(t, v.AddEnvFile(t.TempDir()), nil, "is a directory")
	refused(t, v.AddEnvFile("no such file"), os.ErrNotExist, "no such file")
}

type pair struct {
	Key, Value string
	Bare       bool
}

var errFault = errors.New("fault")

func pairs(data []byte) (list []pair, err error) {
	err = readEnv(data, func(_ int, key, value string, bare bool) error {
		list = append(list, pair{key, value, bare})
		return nil
	}, func(int, error, string) error { return errFault })
	return list, err
}

var envKey = regexp.MustCompile(`^[-._a-zA-Z][-._a-zA-Z0-9]*$`)

// scanned reads an env file as kubectl does, with its scanner, whose buffer is made large enough.
func scanned(data []byte) (list []pair, err error) {
	s := bufio.NewScanner(bytes.NewReader(data))
	s.Buffer(nil, len(data)+2)
	for n := 0; s.Scan(); n++ {
		line := s.Bytes()
		if !utf8.Valid(line) {
			return list, errFault
		}
		if n == 0 {
			line = bytes.TrimPrefix(line, []byte{0xef, 0xbb, 0xbf})
		}
		line = bytes.TrimLeftFunc(line, unicode.IsSpace)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		parts := strings.SplitN(string(line), "=", 2)
		if k := parts[0]; !envKey.MatchString(k) || k == "." || strings.HasPrefix(k, "..") || len(k) > 253 {
			return list, errFault
		}
		list = append(list, pair{parts[0], strings.Join(parts[1:], ""), len(parts) == 1})
	}
	return list, s.Err()
}

// FuzzEnvFile holds for every text: the keys that are accepted are keys of a Secret, kubectl's way of reading gives the same,
// and what was read, written a line each, is read as the same again.
func FuzzEnvFile(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := pairs(data)
		want, wantErr := scanned(data)
		if !slices.Equal(want, got) || err != wantErr {
			t.Fatalf("kubectl (%v) and we (%v) differ (-kubectl +we):\n%s", wantErr, err, cmp.Diff(want, got))
		}
		var lines strings.Builder
		for _, p := range got {
			if !manifest.IsSecretKey(p.Key) {
				t.Fatalf("%q is no key of a Secret", p.Key)
			}
			lines.WriteString(p.Key)
			if !p.Bare {
				lines.WriteString("=" + p.Value)
				if strings.HasSuffix(p.Value, "\r") {
					lines.WriteString("\r") // one is taken for a part of the line end
				}
			}
			lines.WriteString("\n")
		}
		again, err := pairs([]byte(lines.String()))
		if !slices.Equal(got, again) || err != nil {
			t.Fatalf("written and read again (-first +second), %v:\n%s", err, cmp.Diff(got, again))
		}
	})
}
