// Package testplugin is a plugin of age that tests run under the name age-plugin-test: it speaks age's protocol, keeps nothing
// secret, and behaves as the text in a recipient or an identity says. What it was asked stands in the file $TESTPLUGIN_LOG.
package testplugin

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/plugin"
)

// Name is what the plugin is called.
const Name = "test"

// stanza is the type of what it writes: the file key, each byte of it changed.
const stanza = "age-plugin-test"

// Recipient is one that has the plugin do what mode says: "good", "scrypt", "native", "labels", "refuse", "crash".
func Recipient(mode string) string { return plugin.EncodeRecipient(Name, []byte(mode)) }

// Identity is one that has the plugin do what mode says: "good", "other" (matches nothing), "pin", "touch", "confirm", "refuse",
// "crash", "rubbish", "hang".
func Identity(mode string) string { return plugin.EncodeIdentity(Name, []byte(mode)) }

// PIN is what mode "pin" wants to be typed.
const PIN = "canary-pin"

// Main is the program with these arguments. It returns the status to exit with.
func Main(args []string) int {
	p, err := plugin.New(Name)
	if err != nil {
		return 1
	}
	note("start " + strings.Join(args[1:], " "))
	for _, kv := range os.Environ() {
		if strings.HasPrefix(kv, "AGESEAL_") || strings.Contains(kv, "canary") {
			note("inherits " + kv)
		}
	}
	p.HandleRecipient(func(data []byte) (age.Recipient, error) { return &recipient{string(data)}, nil })
	p.HandleIdentity(func(data []byte) (age.Identity, error) { return &identity{p, string(data)}, nil })
	switch args[len(args)-1] {
	case "--age-plugin=recipient-v1":
		return p.RecipientV1()
	case "--age-plugin=identity-v1":
		return p.IdentityV1()
	}
	return 2
}

func note(line string) {
	f, err := os.OpenFile(os.Getenv("TESTPLUGIN_LOG"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintln(f, line)
}

// alone works for a while, in which no other one may be at work.
func alone() {
	busy := os.Getenv("TESTPLUGIN_LOG") + ".busy"
	if err := os.Mkdir(busy, 0o700); err != nil {
		note("beside another one")
		return
	}
	time.Sleep(20 * time.Millisecond)
	_ = os.Remove(busy) // before the answer: after it, the process may be interrupted
}

func changed(key []byte) []byte {
	key = slices.Clone(key)
	for i := range key {
		key[i] ^= 0x5a
	}
	return key
}

type recipient struct{ mode string }

func (r *recipient) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	s, _, err := r.WrapWithLabels(fileKey)
	return s, err
}

func (r *recipient) WrapWithLabels(fileKey []byte) ([]*age.Stanza, []string, error) {
	s := &age.Stanza{Type: stanza, Args: []string{"x"}, Body: changed(fileKey)}
	switch r.mode {
	case "refuse":
		return nil, nil, errors.New("this key can't\x1b[2J be used")
	case "crash":
		panic("crashed")
	case "scrypt":
		s.Type = "scrypt"
	case "native":
		s.Type = "mlkem768x25519"
	case "labels":
		return []*age.Stanza{s}, []string{"postquantum"}, nil
	}
	return []*age.Stanza{s}, nil, nil
}

type identity struct {
	p    *plugin.Plugin
	mode string
}

func (i *identity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	at := slices.IndexFunc(stanzas, func(s *age.Stanza) bool { return s.Type == stanza })
	switch i.mode {
	case "other":
		return nil, age.ErrIncorrectIdentity
	case "refuse":
		return nil, errors.New("this key can't\x1b[2J be used")
	case "crash":
		panic("crashed")
	case "rubbish":
		fmt.Fprintln(os.NewFile(1, "stdout"), "-> \x1b[2J canary rubbish\nnot even a stanza")
		return nil, errors.New("unreachable for whoever reads")
	case "hang":
		time.Sleep(time.Hour)
	case "touch":
		if err := i.p.DisplayMessage("please touch the\x1b[2J key"); err != nil {
			return nil, err
		}
	case "pin":
		if pin, err := i.p.RequestValue("PIN", true); err != nil || pin != PIN {
			return nil, errors.New("no PIN, or a wrong one")
		}
	case "confirm":
		if yes, err := i.p.Confirm("insert the key", "done", "cancel"); err != nil || !yes {
			return nil, errors.New("cancelled")
		}
	}
	alone()
	if at < 0 {
		return nil, age.ErrIncorrectIdentity
	}
	return changed(stanzas[at].Body), nil
}
