package secret_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/secret"
)

// past is a history for a ledger: each commit is named by what it does, and each content by itself.
type past struct {
	*testing.T
	ledger *secret.Ledger
	now    map[string]string // content by path
}

func newPast(t *testing.T) *past { return &past{t, secret.NewLedger(), map[string]string{}} }

// commit gives paths contents, "" for none.
func (p *past) commit(name string, files map[string]string) {
	var changes []secret.LedgerChange
	for path, text := range files {
		c := secret.LedgerChange{Path: path, Is: text}
		if was := p.now[path]; was != "" {
			c.Was = []string{was}
		}
		p.ledger.Content(text, []byte(text))
		p.now[path] = text
		changes = append(changes, c)
	}
	p.ledger.Commit(name, changes)
}

// left lists what became of what bob could read, and with a key what a look at the values adds.
func (p *past) left(keys ...*crypt.Identity) []string {
	p.Helper()
	bob := testkeys.Bob().Recipient().Fingerprint()
	for path, text := range p.now {
		p.ledger.Now(path, text)
	}
	list := p.ledger.List(func(fp, _ string) bool { return fp == bob })
	if len(keys) > 0 {
		err := p.ledger.Compare(list, crypt.NewOpener(keys...), func(names []string, fn func(string, []byte) error) error {
			for _, name := range names {
				if err := fn(name, []byte(name)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			p.Fatal(err)
		}
	}
	var lines []string
	for _, x := range list {
		if len(x.Readers) != 1 || x.Readers[0] != bob {
			p.Errorf("readers %q", x.Readers)
		}
		lines = append(lines, strings.Join([]string{x.File, x.Secret, x.Key, x.State, x.Changed, x.Since}, " "))
	}
	return lines
}

func TestLedger(t *testing.T) {
	alice, bob, carol := testkeys.Alice(), testkeys.Bob(), testkeys.Carol()
	both := seal(t, native("prod", "db", map[string]string{"a": canary + "a", "b": canary + "b"}), alice, bob)
	rekeyed := rekey(t, both, alice)
	tests := []struct {
		name    string
		history func(p *past)
		want    []string
		opened  []string // nil: the same
	}{
		{"nobody took anything away", func(p *past) {
			p.commit("first", map[string]string{"db.yaml": both})
		}, []string{"db.yaml prod/db a readable first first", "db.yaml prod/db b readable first first"}, nil},
		{"a rekey, and one value set since", func(p *past) {
			p.commit("first", map[string]string{"db.yaml": both})
			p.commit("rekey", map[string]string{"db.yaml": rekeyed})
			p.commit("set", map[string]string{"db.yaml": set(t, rekeyed, "b", canary+"new", alice)})
		}, []string{"db.yaml prod/db a encrypted first rekey", "db.yaml prod/db b written first set"},
			[]string{"db.yaml prod/db a unchanged first rekey", "db.yaml prod/db b changed first set"}},
		{"set to what it was", func(p *past) {
			p.commit("first", map[string]string{"db.yaml": both})
			p.commit("rekey", map[string]string{"db.yaml": rekeyed})
			p.commit("set", map[string]string{"db.yaml": set(t, rekeyed, "b", canary+"b", alice)})
		}, []string{"db.yaml prod/db a encrypted first rekey", "db.yaml prod/db b written first set"},
			[]string{"db.yaml prod/db a unchanged first rekey", "db.yaml prod/db b unchanged first set"}},
		{"moved to another path, and rekeyed on the way", func(p *past) {
			p.commit("first", map[string]string{"db.yaml": both})
			p.commit("move", map[string]string{"db.yaml": "", "new.yaml": rekeyed})
		}, []string{"new.yaml prod/db a encrypted first move", "new.yaml prod/db b encrypted first move"},
			[]string{"new.yaml prod/db a unchanged first move", "new.yaml prod/db b unchanged first move"}},
		{"decrypted, and encrypted again later", func(p *past) {
			p.commit("first", map[string]string{"db.yaml": both})
			p.commit("out", map[string]string{"db.yaml": ""})
			p.commit("in", map[string]string{"db.yaml": seal(t, native("prod", "db", map[string]string{"a": canary + "a"}), alice)})
		}, []string{"db.yaml prod/db a encrypted first in", "db.yaml prod/db b removed first "},
			[]string{"db.yaml prod/db a unchanged first in", "db.yaml prod/db b removed first "}},
		{"gone", func(p *past) {
			p.commit("first", map[string]string{"db.yaml": both})
			p.commit("out", map[string]string{"db.yaml": ""})
		}, []string{"db.yaml prod/db a removed first ", "db.yaml prod/db b removed first "}, nil},
		{"bound to another name", func(p *past) {
			p.commit("first", map[string]string{"db.yaml": both})
			p.commit("mv", map[string]string{"db.yaml": seal(t, native("prod", "db2", map[string]string{"a": canary + "a", "b": canary + "b"}), alice)})
		}, []string{"db.yaml prod/db2 a encrypted first mv", "db.yaml prod/db2 b encrypted first mv"},
			[]string{"db.yaml prod/db2 a unchanged first mv", "db.yaml prod/db2 b unchanged first mv"}},
		{"one value was replaced before he joined, under a data key that he got later", func(p *past) {
			first := seal(t, native("prod", "db", map[string]string{"a": canary + "a", "b": canary + "b"}), alice)
			replaced := set(t, first, "a", canary+"new", alice)
			p.commit("first", map[string]string{"db.yaml": first})
			p.commit("set", map[string]string{"db.yaml": replaced})
			joined := rekey(t, replaced, alice, bob)
			p.commit("join", map[string]string{"db.yaml": joined})
			p.commit("leave", map[string]string{"db.yaml": rekey(t, joined, alice)})
		}, []string{"db.yaml prod/db a encrypted set leave", "db.yaml prod/db b encrypted first leave"},
			[]string{"db.yaml prod/db a unchanged set leave", "db.yaml prod/db b unchanged first leave"}},
		{"he never read it", func(p *past) {
			p.commit("first", map[string]string{"db.yaml": rekeyed})
			p.commit("carol", map[string]string{"db.yaml": rekey(t, rekeyed, alice, carol)})
		}, nil, nil},
		{"two Secrets that nothing tells apart but their paths", func(p *past) {
			one, two := seal(t, native("", "db", map[string]string{"a": canary + "1"}), alice, bob), seal(t, native("", "db", map[string]string{"a": canary + "2"}), alice, bob)
			p.commit("first", map[string]string{"dev/db.yaml": one, "prod/db.yaml": two})
			p.commit("rekey", map[string]string{"prod/db.yaml": rekey(t, two, alice)})
		}, []string{"dev/db.yaml db a readable first first", "prod/db.yaml db a encrypted first rekey"},
			[]string{"dev/db.yaml db a readable first first", "prod/db.yaml db a unchanged first rekey"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newPast(t)
			test.history(p)
			if diff := cmp.Diff(test.want, p.left()); diff != "" {
				t.Errorf("without a key (-want +got):\n%s", diff)
			}
			if test.opened == nil {
				test.opened = test.want
			}
			p = newPast(t)
			test.history(p)
			if diff := cmp.Diff(test.opened, p.left(alice)); diff != "" {
				t.Errorf("with alice's key (-want +got):\n%s", diff)
			}
			p = newPast(t)
			test.history(p)
			if diff := cmp.Diff(test.want, p.left(testkeys.PostQuantum("mallory"))); diff != "" {
				t.Errorf("with a key that opens nothing (-want +got):\n%s", diff)
			}
		})
	}
}

// rekey gives a sealed document other readers.
func rekey(t *testing.T, text string, to ...*crypt.Identity) string {
	t.Helper()
	f := parse(t, text)
	_, err := secret.NewWriter().Rekey(f, secret.RekeyOptions{Target: target(to...), Sharing: secret.Sharing{Widen: true}, Opener: crypt.NewOpener(testkeys.Alice())})
	if err != nil {
		t.Fatal(err)
	}
	return string(f.Bytes())
}

// TestLedgerFiles: of a sealed file is known what those say who were asked for it.
func TestLedgerFiles(t *testing.T) {
	p := newPast(t)
	before, after := string(sealFileFor(t, "alice", "bob")), string(sealFileFor(t, "alice"))
	p.commit("first", map[string]string{"k.age": before})
	p.commit("rekey", map[string]string{"k.age": after})
	if !p.ledger.FileReaders(before, recipients(people("alice", "bob")...)) || p.ledger.FileReaders(after, recipients(people("alice", "bob")...)) {
		t.Error("what fits is known by its count")
	}
	if diff := cmp.Diff([]string{"k.age   encrypted first rekey"}, p.left()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := p.ledger.SealedFiles([]secret.LedgerChange{{Path: "k.age", Is: after}, {Path: "x", Is: "x"}}); len(got) != 1 || got[0].Path != "k.age" {
		t.Errorf("sealed files %v", got)
	}
}

// TestLedgerGaps: a history that begins in the middle, and a file that no commit brought, are taken as far as they go.
func TestLedgerGaps(t *testing.T) {
	alice, bob := testkeys.Alice(), testkeys.Bob()
	before := seal(t, native("prod", "db", map[string]string{"a": canary}), alice, bob)
	after := rekey(t, before, alice)
	p := newPast(t)
	p.ledger.Content(before, []byte(before))
	p.now["db.yaml"] = before
	p.commit("rekey", map[string]string{"db.yaml": after})
	if diff := cmp.Diff([]string(nil), p.left()); diff != "" {
		t.Errorf("what no commit brought (-want +got):\n%s", diff)
	}
	p = newPast(t)
	p.ledger.Content(before, []byte(before))
	p.now["db.yaml"] = before
	if diff := cmp.Diff([]string{"db.yaml prod/db a readable  "}, p.left()); diff != "" {
		t.Errorf("not committed (-want +got):\n%s", diff)
	}
}
