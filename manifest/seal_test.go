package manifest

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the results into testdata/seal")

// Each file of testdata/seal is a manifest, what it becomes sealed, what was left out on the way, and what it becomes unsealed.
func TestSeal(t *testing.T) {
	files, _ := filepath.Glob("testdata/seal/*.txtar")
	if len(files) < 15 {
		t.Fatalf("%d cases", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sealed, dropped, plain := sealCase(t, a.Files[0].Data)
			got := &txtar.Archive{Comment: a.Comment, Files: []txtar.File{a.Files[0], {Name: "sealed", Data: sealed}, {Name: "dropped", Data: dropped}, {Name: "plain", Data: plain}}}
			if *update {
				if err := os.WriteFile(file, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(txtar.Format(a)), string(txtar.Format(got))); diff != "" && !*update {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if bytes.Contains(sealed, []byte("canary")) || bytes.Contains(sealed, []byte("Y2FuYXJ5")) {
				t.Errorf("plaintext in the sealed form:\n%s", sealed)
			}
			if checkRoundTrip(t, a.Files[0].Data) == 0 {
				t.Error("nothing was sealed")
			}
			// The other line ends give the same.
			crlf := []byte(bom + strings.ReplaceAll(string(a.Files[0].Data), "\n", "\r\n"))
			if !bytes.Contains(crlf, []byte("---")) {
				if again, _, _ := sealCase(t, crlf); !bytes.Equal(again, sealed) {
					t.Errorf("with CRLF and BOM (-want +got):\n%s", cmp.Diff(string(sealed), string(again)))
				}
			}
			checkReaders(t, a.Files[0].Data)
			checkReaders(t, sealed)
			checkReaders(t, plain)
		})
	}
}

func sealCase(t *testing.T, src []byte) (sealed, dropped, plain []byte) {
	t.Helper()
	f := parse(t, src)
	var out strings.Builder
	var values []*NativeSecret
	for _, i := range f.Items() {
		s, err := i.Native()
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, s)
		for _, d := range i.Seal(specFor(s)) {
			fmt.Fprintf(&out, "%d: %s\n", d.Line, d.What)
		}
	}
	g := parse(t, f.Bytes())
	for n, i := range g.Items() {
		s, err := i.Sealed()
		if err != nil {
			t.Fatal(err)
		}
		if !s.Canonical {
			t.Errorf("%s is not canonical", s.Name)
		}
		checkSetSpec(t, f.Bytes(), n, s)
		checkUnseal(t, f.Bytes(), n, s)
		p := &Plain{Type: s.Spec.Type, Immutable: s.Spec.Immutable, Data: map[string]string{}}
		for k, v := range values[n].Values {
			p.Data[k] = base64Of(v.Bytes)
		}
		i.Unseal(p)
	}
	return f.Bytes(), []byte(out.String()), g.Bytes()
}

// What was /v1 is written as ageseal's own version, and comes back as v1.
func TestSealEmptyGroup(t *testing.T) {
	f := parse(t, []byte("apiVersion: /v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  a: "+canary+"\n"))
	if _, err := f.Items()[0].Native(); err != nil {
		t.Fatal(err)
	}
	f.Items()[0].Seal(&Spec{})
	sealed := f.Bytes()
	if !bytes.HasPrefix(sealed, []byte("apiVersion: "+apiVersion+"\nkind: EncryptedSecret\n")) || bytes.Contains(sealed, []byte(canary)) {
		t.Errorf("got\n%s", sealed)
	}
	g := parse(t, sealed)
	g.Items()[0].Unseal(&Plain{})
	if !bytes.HasPrefix(g.Bytes(), []byte("apiVersion: v1\nkind: Secret\n")) {
		t.Errorf("got\n%s", g.Bytes())
	}
}
