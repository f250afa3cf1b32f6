package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/internal/testplugin"
)

func TestMain(m *testing.M) {
	// Through a link that a test makes. As a command of testscript it would hide the real one.
	if calledAs(os.Args[0]) == "kustomize" {
		main()
	}
	testscript.Main(m, map[string]func(){
		"ageseal":         program,
		"kubectl-ageseal": program,
		"ageseal-fn":      program,
		"EncryptedSecret": program, // as kustomize calls its plugins, over the links of "fn install"
		"Decrypter":       program,
		"age-plugin-test": func() { os.Exit(testplugin.Main(os.Args)) },
	})
}

// program is the program as the stories run it.
func program() {
	detach()
	main()
}

// people are the test identities that scripts know by name.
var people = map[string]func() *crypt.Identity{
	"alice": testkeys.Alice, "bob": testkeys.Bob, "carol": testkeys.Carol, // post-quantum
	"dave": testkeys.Dave, "erin": testkeys.Erin, // X25519
}

// TestScripts runs the stories in testdata/script. Each has a home, a state directory and a git configuration of its own,
// $ALICE … $ERIN are recipients, $PROGRAM is this program for links to it, and there are these commands beside testscript's:
//
//	identity NAME FILE          write the identity of a test person, 0600
//	fails STATUS COMMAND ...    the command ends with the status, prints nothing on stdout, and leaks nothing on stderr
//	certificate CERT KEY        write a new self-signed certificate and its private key, in PEM
//	pluginkey MODE FILE         write an identity of internal/testplugin; $PLUGIN_GOOD … are recipients
//	sshkey TYPE FILE [WORDS]    write a private key of ssh, with a passphrase if there are words, and FILE.pub; $SSH is its recipient
//	sub FILE OLD NEW            replace text in a file, which must hold it; environment variables are expanded
//	mode OCTAL FILE             compare a file's permissions
func TestScripts(t *testing.T) {
	tools, err := filepath.Abs("../../.tools")
	if err != nil {
		t.Fatal(err)
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, ".home")
			if err := os.MkdirAll(home, 0o700); err != nil {
				return err
			}
			e.Setenv("HOME", home)
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
			e.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
			e.Setenv("USER", "alice")
			e.Setenv("PROGRAM", executable)
			e.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			e.Setenv("GORACE", os.Getenv("GORACE"))
			e.Setenv("PATH", e.Getenv("PATH")+string(os.PathListSeparator)+tools+string(os.PathListSeparator)+goBin())
			e.Setenv("TESTPLUGIN_LOG", filepath.Join(e.WorkDir, ".home", "plugin.log"))
			for _, mode := range []string{"good", "scrypt", "native", "labels", "refuse", "crash"} {
				e.Setenv("PLUGIN_"+strings.ToUpper(mode), testplugin.Recipient(mode))
			}
			for name, id := range people {
				e.Setenv(strings.ToUpper(name), id().Recipient().String())
			}
			return os.WriteFile(filepath.Join(home, ".gitconfig"),
				[]byte("[user]\n\tname = Alice\n\temail = alice@example.com\n[init]\n\tdefaultBranch = main\n[commit]\n\tgpgsign = false\n"), 0o600)
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "root":
				return os.Geteuid() == 0, nil
			}
			return false, errors.New("unknown condition")
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"certificate": writeCertificate,
			"identity":    writeIdentity,
			"fails":       fails,
			"finds":       finds,
			"sub":         substitute,
			"mode":        compareMode,
			"pluginkey":   writePluginKey,
			"sshkey":      writeSSHKey,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

func goBin() string {
	if dir := os.Getenv("GOBIN"); dir != "" {
		return dir
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(home, "go", "bin")
}

func writeIdentity(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || people[args[0]] == nil {
		ts.Fatalf("usage: identity NAME FILE")
	}
	file := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o700))
	ts.Check(os.WriteFile(file, []byte(people[args[0]]().SecretText()+"\n"), 0o600))
}

func writePluginKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pluginkey MODE FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(testplugin.Identity(args[0])+"\n"), 0o600))
}

func writeSSHKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sshkey TYPE FILE [WORDS]")
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	ts.Check(err)
	var key crypto.Signer = ed
	if args[0] == "rsa" {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
		ts.Check(err)
	}
	var block *pem.Block
	if words := strings.Join(args[2:], " "); words != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(words))
	} else {
		block, err = ssh.MarshalPrivateKey(key, "")
	}
	ts.Check(err)
	file := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o700))
	ts.Check(os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	public, err := ssh.NewPublicKey(key.Public())
	ts.Check(err)
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
	ts.Check(os.WriteFile(file+".pub", []byte(line+" somebody@example.com\n"), 0o600))
	ts.Setenv("SSH", line)
}

// leaks are what no message may hold: the plaintext of every story, its base64, keys, and ciphertext.
var leaks = regexp.MustCompile(`canary|Y2FuYXJ5|NhbmFye|jYW5hcn|AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]{4}|[A-Za-z0-9+/]{60,}`)

// fails runs a command that has to end with a status, a message, and nothing on standard output.
func fails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: fails STATUS COMMAND ...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	hasStatus(ts, want, args[1:])
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("stdout is not empty: %s", out)
	}
	if want != statusInterrupted && !strings.Contains(ts.ReadFile("stderr"), "ageseal: ") {
		ts.Fatalf("stderr has no message")
	}
}

// finds runs a command that has to end with findings.
func finds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: finds COMMAND ...")
	}
	hasStatus(ts, statusFindings, args)
}

// hasStatus runs a command whose status is known and whose output must not leak.
func hasStatus(ts *testscript.TestScript, want int, args []string) {
	err := ts.Exec(args[0], args[1:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("status %d, want %d", got, want)
	}
	for _, found := range leaks.FindAllString(ts.ReadFile("stdout")+ts.ReadFile("stderr"), -1) {
		// Recipients and hashes are public, and in lower case.
		if found == "canary" || found != strings.ToLower(found) {
			ts.Fatalf("the output leaks %q", found)
		}
	}
}

func substitute(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: sub FILE OLD NEW")
	}
	file := ts.MkAbs(args[0])
	data, err := os.ReadFile(file)
	ts.Check(err)
	unescape := strings.NewReplacer(`\n`, "\n", `\r`, "\r")
	old, replacement := unescape.Replace(args[1]), unescape.Replace(args[2])
	if !bytes.Contains(data, []byte(old)) {
		ts.Fatalf("%s does not hold %q", args[0], old)
	}
	ts.Check(os.WriteFile(file, bytes.ReplaceAll(data, []byte(old), []byte(replacement)), 0o600))
}

func compareMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode OCTAL FILE")
	}
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := info.Mode().Perm(); got != os.FileMode(want) {
		ts.Fatalf("mode %o, want %o", got, want)
	}
}
