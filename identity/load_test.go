package identity_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/identity"
	"github.com/ageseal/ageseal/internal/testkeys"
)

// home gives the test an empty home directory, and returns it and the path of its default file.
func home(t *testing.T) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"HOME", "USERPROFILE"} {
		t.Setenv(name, dir)
	}
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, ".config"))
	t.Setenv("AppData", filepath.Join(dir, "AppData"))
	for _, name := range []string{"AGESEAL_IDENTITY", "AGESEAL_IDENTITY_FILE", "AGESEAL_IDENTITY_COMMAND"} {
		t.Setenv(name, "")
	}
	file, err := identity.DefaultFile()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func fingerprints(s *identity.Set) []string {
	var fps []string
	for _, id := range s.Identities {
		fps = append(fps, id.Recipient().Fingerprint())
	}
	return fps
}

func fingerprintsOf(ids ...*crypt.Identity) []string {
	return fingerprints(&identity.Set{Identities: ids})
}

// wantSilent fails if text quotes any part of a private key.
func wantSilent(t *testing.T, text string) {
	t.Helper()
	for _, key := range []string{testkeys.AliceText(), testkeys.DaveText()} {
		data := key[strings.LastIndex(key, "1")+1:]
		for i := 0; i+8 <= len(data); i++ {
			if strings.Contains(strings.ToUpper(text), data[i:i+8]) {
				t.Fatal("the text quotes a private key")
			}
		}
	}
}

func noVariables(t *testing.T) {
	t.Helper()
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "AGESEAL_") {
			t.Errorf("%s is still set", name)
		}
	}
}

func TestLoadReadsEverySourceInOrder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the command is written for a POSIX shell")
	}
	dir, def := home(t)
	write(t, def, testkeys.DaveText()+"\n")
	flag := write(t, filepath.Join(dir, "flag"), testkeys.ErinText())
	one := write(t, filepath.Join(dir, "one"), testkeys.BobText())
	two := write(t, filepath.Join(dir, "two"), testkeys.CarolText())
	printed := write(t, filepath.Join(dir, "printed"), testkeys.ClassicText("printed")+"\n"+testkeys.BobText())
	t.Setenv("AGESEAL_IDENTITY", testkeys.AliceText())
	t.Setenv("AGESEAL_IDENTITY_FILE", one+string(filepath.ListSeparator)+string(filepath.ListSeparator)+two)
	t.Setenv("AGESEAL_IDENTITY_COMMAND", "cat '"+printed+"'")

	set, err := identity.Load(identity.Options{
		Files: []string{flag, "-", "-"},
		Stdin: strings.NewReader(testkeys.ClassicText("stdin")),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := fingerprintsOf(testkeys.Erin(), testkeys.Classic("stdin"), testkeys.Alice(), testkeys.Bob(),
		testkeys.Carol(), testkeys.Classic("printed"), testkeys.Dave())
	if diff := cmp.Diff(want, fingerprints(set)); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
	wantSources := []string{
		"~/flag", "standard input", "$AGESEAL_IDENTITY", "$AGESEAL_IDENTITY_FILE",
		"$AGESEAL_IDENTITY_COMMAND", "~" + strings.TrimPrefix(def, dir),
	}
	if diff := cmp.Diff(wantSources, set.Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		wantSilent(t, fmt.Sprintf(verb, set))
		wantSilent(t, fmt.Sprintf(verb, *set))
	}
	noVariables(t)
}

func TestLoadFindsNothing(t *testing.T) {
	for name, content := range map[string]string{"no default file": "", "a default file of comments": "# none yet\n"} {
		t.Run(name, func(t *testing.T) {
			_, def := home(t)
			if content != "" {
				write(t, def, content)
			}
			set, err := identity.Load(identity.Options{})
			if err != nil || len(set.Identities) != 0 || len(set.Sources) != 0 {
				t.Errorf("got %v, %v", set, err)
			}
		})
	}
	t.Run("no home", func(t *testing.T) {
		home(t)
		for _, name := range []string{"HOME", "USERPROFILE", "XDG_CONFIG_HOME", "AppData"} {
			t.Setenv(name, "")
		}
		if set, err := identity.Load(identity.Options{}); err != nil || len(set.Identities) != 0 {
			t.Errorf("got %v, %v", set, err)
		}
		if _, err := identity.DefaultFile(); err == nil {
			t.Error("DefaultFile made up a directory")
		}
	})
}

func TestLoadAcceptsHowFilesAreWritten(t *testing.T) {
	alice, dave := testkeys.AliceText(), testkeys.DaveText()
	both := fingerprintsOf(testkeys.Alice(), testkeys.Dave())
	tests := map[string]string{
		"lines":             alice + "\n" + dave + "\n",
		"no last line end":  alice + "\n" + dave,
		"CRLF":              alice + "\r\n" + dave + "\r\n",
		"comments":          "# created: now\n# public key: age1x\n" + alice + "\n\n# next\n" + dave + "\n",
		"blank and spaces":  "\n \n\t\n  " + alice + "  \n\n" + dave + "\t\n",
		"byte order mark":   "\ufeff" + alice + "\n" + dave + "\n",
		"the same twice":    alice + "\n" + dave + "\n" + alice + "\n",
		"comment of UTF-8":  "# für später\n" + alice + "\n" + dave + "\n",
		"1 MiB to the byte": alice + "\n" + dave + "\n#" + strings.Repeat("x", identity.MaxSource-len(alice)-len(dave)-3),
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			dir, _ := home(t)
			path := write(t, filepath.Join(dir, "keys"), content)
			set, err := identity.Load(identity.Options{Files: []string{path}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(both, fingerprints(set)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadSaysWhereAndWhatIsWrong(t *testing.T) {
	alice, dave := testkeys.AliceText(), testkeys.DaveText()
	toKey, err := crypt.SealFile(&crypt.File{Use: crypt.UseEnv}, []*crypt.Recipient{testkeys.Alice().Recipient()})
	if err != nil {
		t.Fatal(err)
	}
	pem := ecdsaKey(t)
	tests := []struct {
		name, content string
		line          int
		is            error // nil: only the text counts
		says          string
	}{
		{"empty", "", 0, identity.ErrEmpty, "holds no identity"},
		{"comments only", "# nothing\n", 0, identity.ErrEmpty, "holds no identity"},
		{"recipient", "\n" + testkeys.Alice().Recipient().String() + "\n", 2, crypt.ErrIsRecipient, "found a recipient"},
		{"classic recipient", testkeys.Dave().Recipient().String(), 1, crypt.ErrIsRecipient, "found a recipient"},
		{"ssh recipient", "ssh-ed25519 AAAA alice", 1, crypt.ErrIsRecipient, "found a recipient"},
		{"plugin cut short", alice + "\nAGE-PLUGIN-YUBIKEY-1QQQQ\n", 2, nil, "malformed identity of a plugin"},
		{"plugin with a path", "AGE-PLUGIN-../X-1QQQQ\n", 1, nil, "malformed identity of a plugin"},
		{"ssh key cut short", "# mine\n-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", 2, crypt.ErrUnsupported, "ssh"},
		{"RSA key cut short", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n", 1, crypt.ErrUnsupported, "ssh"},
		{"key of a web server", pem, 1, crypt.ErrUnsupported, "ssh"},
		{"encrypted, armor cut short", "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n", 1, nil, "altered or cut short"},
		{"encrypted, binary cut short", "age-encryption.org/v1\n-> scrypt x 18\n\x00", 0, nil, "altered or cut short"},
		{"encrypted to a key", string(toKey), 1, crypt.ErrUnsupported, "without a passphrase"},
		{"cut short", dave + "\n" + alice[:len(alice)-1] + "\n", 2, nil, "cut short or mistyped"},
		{"classic cut short", dave[:40], 1, nil, "cut short or mistyped"},
		{"lower case", strings.ToLower(dave), 1, nil, "malformed identity"},
		{"two on one line", alice + " " + dave, 1, nil, "malformed"},
		{"shell syntax", "export AGESEAL_IDENTITY=" + dave, 1, nil, "malformed"},
		{"something else", "apiVersion: v1\nkind: Secret\n", 1, nil, "malformed"},
		{"UTF-16", "\xff\xfeA\x00G\x00E\x00", 0, nil, "UTF-16"},
		{"a byte over 1 MiB", alice + "\n#" + strings.Repeat("x", identity.MaxSource-len(alice)-1), 0, identity.ErrTooLarge, "over 1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, def := home(t)
			path := write(t, filepath.Join(dir, "keys"), tt.content)
			check := func(where string, o identity.Options) {
				t.Helper()
				set, err := identity.Load(o)
				if err == nil || set != nil {
					t.Fatalf("got %v, %v", set, err)
				}
				wantSilent(t, err.Error())
				noVariables(t)
				if tt.line > 0 {
					where = fmt.Sprintf("%s:%d", where, tt.line)
				}
				if got := err.Error(); !strings.HasPrefix(got, where+": ") || !strings.Contains(got, tt.says) {
					t.Errorf("got %q, want %q with %q", got, where, tt.says)
				}
				if tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("got %v, want it to be %v", err, tt.is)
				}
				if e, ok := errors.AsType[*identity.SourceError](err); !ok || e.Line != tt.line {
					t.Errorf("got %#v, want line %d", e, tt.line)
				}
			}
			check("~/keys", identity.Options{Files: []string{path}})
			check("standard input", identity.Options{Files: []string{"-"}, Stdin: strings.NewReader(tt.content)})
			t.Setenv("AGESEAL_IDENTITY_FILE", path)
			check("~/keys", identity.Options{})
			if !strings.ContainsRune(tt.content, 0) && len(tt.content) > 0 { // a variable cannot hold these
				t.Setenv("AGESEAL_IDENTITY", tt.content)
				check("$AGESEAL_IDENTITY", identity.Options{})
			}
			if !errors.Is(tt.is, identity.ErrEmpty) { // the default file may be empty
				write(t, def, tt.content)
				check("~"+strings.TrimPrefix(def, dir), identity.Options{})
			}
		})
	}
}

func TestLoadWantsTheFilesThatAreNamed(t *testing.T) {
	dir, _ := home(t)
	missing := filepath.Join(dir, "missing")
	_, err := identity.Load(identity.Options{Files: []string{missing}})
	if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "~/missing: ") {
		t.Errorf("flag: got %v", err)
	}
	t.Setenv("AGESEAL_IDENTITY_FILE", missing)
	if _, err := identity.Load(identity.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("variable: got %v", err)
	}
	if _, err := identity.Load(identity.Options{Files: []string{dir}}); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("directory: got %v", err)
	}
	if _, err := identity.Load(identity.Options{Files: []string{"-"}}); err == nil {
		t.Error("standard input: no error without one")
	}
}

func TestLoadUnsetsEveryVariable(t *testing.T) {
	for name, value := range map[string]string{"success": testkeys.AliceText(), "failure": "nonsense"} {
		t.Run(name, func(t *testing.T) {
			home(t)
			t.Setenv("AGESEAL_IDENTITY", value)
			t.Setenv("AGESEAL_SOMETHING_NEW", "x")
			t.Setenv("AGESEALED", "stays")
			if _, err := identity.Load(identity.Options{}); (err != nil) != (name == "failure") {
				t.Fatal(err)
			}
			noVariables(t)
			if os.Getenv("AGESEALED") != "stays" {
				t.Error("a variable of somebody else is gone")
			}
			if set, err := identity.Load(identity.Options{}); err != nil || len(set.Identities) != 0 {
				t.Errorf("the second time: got %v, %v", set, err)
			}
		})
	}
}

func TestLoadWarnsOfSharedFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	tests := map[fs.FileMode]bool{0o600: false, 0o400: false, 0o700: false, 0o640: true, 0o604: true, 0o620: true, 0o644: true}
	for mode, warns := range tests {
		t.Run(mode.String(), func(t *testing.T) {
			dir, _ := home(t)
			path := write(t, filepath.Join(dir, "keys"), testkeys.DaveText())
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			var got []string
			set, err := identity.Load(identity.Options{Files: []string{path}, Warn: func(s string) { got = append(got, s) }})
			if err != nil || len(set.Identities) != 1 {
				t.Fatalf("got %v, %v", set, err)
			}
			if (len(got) == 1) != warns || len(got) > 1 {
				t.Errorf("warnings: %q", got)
			}
			if warns && !strings.Contains(got[0], `chmod 600 ~/keys`) {
				t.Errorf("no way out in %q", got[0])
			}
			wantSilent(t, strings.Join(got, "\n"))
		})
	}
}

func TestLoadRunsTheCommand(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are written for a POSIX shell")
	}
	tests := []struct {
		name, command string
		says          string // of the error; "" for success
		stderr        string
	}{
		{"shell syntax", `echo touch it >&2; cat "$DIR/keys" | tr -d X`, "", "touch it\n"},
		{"sees no variable", `env | grep -q ^AGESEAL_ && exit 9; cat "$DIR/keys"`, "", ""},
		{"has no standard input", `cat; cat "$DIR/keys"`, "", ""},
		{"fails after printing", `cat "$DIR/keys"; exit 3`, "the command ended with exit status 3", ""},
		{"is not there", `no-such-password-manager 2>/dev/null`, "the command ended with exit status 127", ""},
		{"prints nothing", `true`, "holds no identity", ""},
		{"prints a recipient", `echo age1x`, ":1: found a recipient", ""},
		{"never stops", `while :; do echo '# more'; done`, "over 1 MiB", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := home(t)
			t.Setenv("DIR", dir)
			write(t, filepath.Join(dir, "keys"), testkeys.DaveText())
			t.Setenv("AGESEAL_IDENTITY_COMMAND", tt.command)
			t.Setenv("AGESEAL_IDENTITY", testkeys.AliceText())
			var stderr bytes.Buffer
			set, err := identity.Load(identity.Options{Stderr: &stderr})
			noVariables(t)
			if got := stderr.String(); got != tt.stderr {
				t.Errorf("stderr = %q, want %q", got, tt.stderr)
			}
			if tt.says == "" {
				if err != nil || len(set.Identities) != 2 {
					t.Fatalf("got %v, %v", set, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "$AGESEAL_IDENTITY_COMMAND") {
				t.Fatalf("got %v, want %q", err, tt.says)
			}
			wantSilent(t, err.Error())
		})
	}
}

// TestPaths: names of files and their modes only. None is opened, so one that nobody can read is no error.
func TestPaths(t *testing.T) {
	_, file := home(t)
	private, shared := write(t, filepath.Join(t.TempDir(), "a"), "canary"), write(t, filepath.Join(t.TempDir(), "b"), "canary")
	env := identity.Environment{"AGESEAL_IDENTITY_FILE": private + string(filepath.ListSeparator) + string(filepath.ListSeparator) + shared}
	if got := identity.Paths(env); !slices.Equal(got, []string{private, shared, file}) {
		t.Errorf("Paths = %q", got)
	}
	if runtime.GOOS == "windows" {
		t.Skip("modes of Unix")
	}
	for path, mode := range map[string]os.FileMode{private: 0o200, shared: 0o640} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if got, err := identity.Exposed(path); err != nil || got != (path == shared) {
			t.Errorf("Exposed(%s) = %v, %v", path, got, err)
		}
	}
	if _, err := identity.Exposed(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
