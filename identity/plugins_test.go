package identity_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/identity"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/internal/testplugin"
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "age-plugin-"+testplugin.Name {
		os.Exit(testplugin.Main(os.Args))
	}
	os.Exit(m.Run())
}

// install puts the test plugin on the path and returns what it notes.
func install(t *testing.T) (calls func() []string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin, log := t.TempDir(), filepath.Join(t.TempDir(), "log")
	if err := os.Symlink(program, filepath.Join(bin, "age-plugin-"+testplugin.Name)); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("TESTPLUGIN_LOG", log)
	return func() []string {
		text, _ := os.ReadFile(log)
		_ = os.Remove(log)
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		return slices.DeleteFunc(lines, func(s string) bool { return s == "" })
	}
}

// withPlugin loads the identity of a mode, beside those of $AGESEAL_IDENTITY.
func withPlugin(t *testing.T, mode string, p *identity.Plugins) *identity.Set {
	t.Helper()
	file := write(t, filepath.Join(t.TempDir(), "plugin"), testplugin.Identity(mode)+"\n")
	set, err := identity.Load(identity.Options{Files: []string{file}, Plugins: p})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func pluginRecipient(t *testing.T, mode string, p *identity.Plugins) *crypt.Recipient {
	t.Helper()
	r, err := crypt.ParseRecipient(testplugin.Recipient(mode))
	if err != nil {
		t.Fatal(err)
	}
	return p.Ready([]*crypt.Recipient{r})[0]
}

func starts(calls []string) int {
	return len(slices.DeleteFunc(slices.Clone(calls), func(s string) bool { return !strings.HasPrefix(s, "start") }))
}

// Each blob costs one call, whoever wants it and however often; one call at a time; none for what another identity opens.
func TestPluginIsAskedOnceForEachBlob(t *testing.T) {
	home(t)
	calls := install(t)
	p := &identity.Plugins{Allowed: []string{"test"}}
	t.Setenv("AGESEAL_IDENTITY", testkeys.DaveText())
	set := withPlugin(t, "good", p)
	plug := pluginRecipient(t, "good", p)
	ids, wraps := sealTo(t, 3, plug)
	both, bothWraps := sealTo(t, 3, plug, testkeys.Dave().Recipient())
	if got := calls(); starts(got) != 6 {
		t.Errorf("encrypting six times: %q", got)
	}
	for range 2 { // the same blobs, from several callers
		ids, wraps = append(ids, ids...), append(wraps, wraps...)
	}
	mustOpen(t, openAll(set, append(ids, both...), append(wraps, bothWraps...)))
	got := calls()
	if want := []string{"start --age-plugin=identity-v1"}; !slices.Equal(got, slices.Repeat(want, 3)) {
		t.Errorf("opening three blobs: %q", got)
	}
}

func TestPluginFaults(t *testing.T) {
	home(t)
	calls := install(t)
	allowed := func() *identity.Plugins {
		return &identity.Plugins{Allowed: []string{"test"}, Patience: 2 * time.Second}
	}
	ids, wraps := sealTo(t, 2, pluginRecipient(t, "good", allowed()))
	both, bothWraps := sealTo(t, 1, pluginRecipient(t, "good", allowed()), testkeys.Dave().Recipient())
	calls()
	tests := []struct {
		name, mode string
		plugins    *identity.Plugins
		says       string
		hint       string
		calls      int // for two blobs
	}{
		{"not allowed", "good", &identity.Plugins{Allowed: []string{"testing", "tes", "age-plugin-test"}}, "plugin test is not allowed to run", "--plugin test", 0},
		{"refuses", "refuse", allowed(), "plugin test says: this key can't�[2J be used", "", 2},
		{"crashes", "crash", allowed(), "plugin test ended without an answer", "age-plugin-test by itself", 2},
		{"rubbish", "rubbish", allowed(), "plugin test did not answer as a plugin of age does", "", 2},
		{"hangs", "hang", &identity.Plugins{Allowed: []string{"test"}, Patience: 2 * time.Second}, "plugin test did not answer in 2s", "age-plugin-test by itself", 1},
		{"wrong PIN", "pin", &identity.Plugins{Allowed: []string{"test"}, Ask: (&person{types: "canary-typo"}).ask}, "plugin test says: no PIN, or a wrong one", "", 2},
		{"no terminal", "pin", &identity.Plugins{Allowed: []string{"test"}, Ask: (&person{err: identity.ErrNoTerminal}).ask}, "plugin test says: no PIN, or a wrong one", "", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set := withPlugin(t, tt.mode, tt.plugins)
			for _, err := range openAll(set, ids, wraps) {
				var key *identity.KeyError
				if !errors.Is(err, crypt.ErrNoIdentity) || !errors.As(err, &key) || key.Error() != tt.says || !strings.Contains(key.Hint(), tt.hint) || strings.Contains(err.Error(), "canary") {
					t.Errorf("got %v, %#v", err, key)
				}
			}
			if got := starts(calls()); got != tt.calls {
				t.Errorf("%d calls, want %d", got, tt.calls)
			}
			// Another identity is not kept from opening.
			t.Setenv("AGESEAL_IDENTITY", testkeys.DaveText())
			mustOpen(t, openAll(withPlugin(t, tt.mode, tt.plugins), both, bothWraps))
		})
	}
	t.Run("matches nothing", func(t *testing.T) {
		if err := openAll(withPlugin(t, "other", allowed()), ids, wraps)[0]; !errors.Is(err, crypt.ErrNoIdentity) || errors.Is(err, crypt.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("not installed", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if err := openAll(withPlugin(t, "good", allowed()), ids, wraps)[0]; !errors.Is(err, crypt.ErrNoIdentity) || !strings.Contains(err.Error(), "plugin test is not installed: there is no program age-plugin-test") {
			t.Errorf("got %v", err)
		}
		t.Setenv("AGESEAL_IDENTITY", testkeys.DaveText())
		mustOpen(t, openAll(withPlugin(t, "good", allowed()), both, bothWraps))
	})
}

func TestPluginTalks(t *testing.T) {
	home(t)
	install(t)
	p := &person{types: testplugin.PIN}
	var said []string
	plugins := &identity.Plugins{Allowed: []string{"test"}, Ask: p.ask, Say: func(s string) { said = append(said, s) }}
	ids, wraps := sealTo(t, 1, pluginRecipient(t, "good", plugins))
	mustOpen(t, openAll(withPlugin(t, "pin", plugins), ids, wraps))
	if !slices.Equal(p.questions, []string{"plugin test: PIN "}) {
		t.Errorf("asked %q", p.questions)
	}
	mustOpen(t, openAll(withPlugin(t, "touch", plugins), ids, wraps))
	if !slices.Equal(said, []string{"plugin test: please touch the�[2J key"}) {
		t.Errorf("said %q", said)
	}
}

// What a plugin wrote must be what readers take, and a mixed set names who is odd.
func TestPluginRecipientFaults(t *testing.T) {
	home(t)
	calls := install(t)
	allowed := &identity.Plugins{Allowed: []string{"test"}}
	for _, tt := range []struct {
		mode, says string
		plugins    *identity.Plugins
		beside     []*crypt.Recipient
	}{
		{"scrypt", "encrypts with a passphrase", allowed, nil},
		{"native", "encrypts as a post-quantum recipient", allowed, nil},
		{"refuse", "plugin test says: ", allowed, nil},
		{"crash", "plugin test ended without an answer", allowed, nil},
		{"good", "plugin test is not allowed to run", &identity.Plugins{}, nil},
		{"labels", "does not let it be mixed", allowed, []*crypt.Recipient{testkeys.Dave().Recipient()}},
		{"labels", "", allowed, nil},
	} {
		r := pluginRecipient(t, tt.mode, tt.plugins)
		_, err := crypt.NewSession(append(tt.beside, r))
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), r.String())) {
			t.Errorf("%s: got %v", tt.mode, err)
		}
	}
	if got := starts(calls()); got != 6 {
		t.Errorf("%d calls: one that is not allowed was made, or one that is was not", got)
	}
}

// A comment says which recipient a plugin's identity has, as plugins write it: then an altered blob is told from one for somebody else.
func TestPluginIdentityWithItsRecipient(t *testing.T) {
	dir, _ := home(t)
	install(t)
	p := &identity.Plugins{Allowed: []string{"test"}}
	r := pluginRecipient(t, "good", p)
	file := write(t, filepath.Join(dir, "plugin"), "#       Serial: 123, Slot: 1\n#    Recipient: "+r.String()+"\n"+testplugin.Identity("other")+"\n")
	set, err := identity.Load(identity.Options{Files: []string{file}, Plugins: p})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := set.Recipient(); err != nil || got.String() != r.String() {
		t.Errorf("recipient %v, %v", got, err)
	}
	ids, wraps := sealTo(t, 1, r)
	if err := openAll(set, ids, wraps)[0]; !errors.Is(err, crypt.ErrAge) {
		t.Errorf("for this recipient, and does not open: %v", err)
	}
	set = withPlugin(t, "other", p)
	var key *identity.KeyError
	if _, err := set.Recipient(); !errors.As(err, &key) || key.Hint() == "" {
		t.Errorf("no recipient said: %v", err)
	}
}

func TestReadAllowed(t *testing.T) {
	home(t)
	if names, err := identity.ReadAllowed(); err != nil || len(names) > 0 {
		t.Errorf("no file: %q, %v", names, err)
	}
	file, err := identity.AllowedFile()
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, "# hardware\nyubikey\n\n  se \r\n")
	if names, err := identity.ReadAllowed(); err != nil || !slices.Equal(names, []string{"yubikey", "se"}) {
		t.Errorf("got %q, %v", names, err)
	}
	for _, bad := range []string{"../x", "/bin/sh", "-x", "a b", "YUBIKEY", "x;y", ".."} {
		write(t, file, "se\n"+bad+"\n")
		if names, err := identity.ReadAllowed(); err == nil || !strings.HasPrefix(err.Error(), "~/.config/ageseal/plugins:2: ") {
			t.Errorf("%q: %q, %v", bad, names, err)
		}
	}
}
