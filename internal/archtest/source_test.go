package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// processOnly are the parts of a process that only cmd touches: everybody else takes a reader, a writer or an argument.
var processOnly = map[string][]string{
	"os":  {"Stdin", "Stdout", "Stderr", "Args", "Exit"},
	"fmt": {"Print", "Printf", "Println"},
}

// cryptForLeaves is all that policy and identity may use of crypt: keys as types, never a box or a data key.
var cryptForLeaves = []string{
	"Recipient", "ParseRecipient", "ParseNativeRecipient", "Fingerprints", "Identity", "ParseIdentity", "GenerateIdentity",
	"NewIdentity", "Kind", "SSH", "Locked", "Plugin", "ErrUnavailable", "ErrUnsupported", // identities that are not age's own
}

// misuses are the broken source rules of one file of a room, each with its place.
func misuses(fset *token.FileSet, f *ast.File, from string) []string {
	var out []string
	names := map[string]string{} // name in this file → import path
	for _, i := range f.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		name := p[strings.LastIndex(p, "/")+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		names[name] = p
	}
	report := func(n ast.Node, format string, args ...any) {
		at := fset.Position(n.Pos())
		out = append(out, fmt.Sprintf("%s:%d: ", filepath.Base(at.Filename), at.Line)+fmt.Sprintf(format, args...))
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok {
				break
			}
			p := names[x.Name]
			if from != "cmd" && slices.Contains(processOnly[p], n.Sel.Name) {
				report(n, "only cmd touches %s.%s", p, n.Sel.Name)
			}
			if p == module+"/crypt" && (from == "policy" || from == "identity") && !slices.Contains(cryptForLeaves, n.Sel.Name) {
				report(n, "%s may use crypt's recipients and identities, not crypt.%s", from, n.Sel.Name)
			}
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				break
			}
			if x, ok := sel.X.(*ast.Ident); !ok || names[x.Name] != "os/exec" || from == "git" {
				break
			}
			for _, a := range n.Args {
				if lit, ok := a.(*ast.BasicLit); ok && lit.Value == `"git"` {
					report(n, "only git runs git")
				}
			}
		}
		return true
	})
	return out
}

func TestSources(t *testing.T) {
	_, own := load(t)
	files := 0
	for _, p := range own {
		from := room(p.ImportPath)
		if slices.Contains(tools, from) {
			continue
		}
		for _, name := range p.GoFiles {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files++
			for _, m := range misuses(fset, f, from) {
				t.Errorf("%s/%s", from, m)
			}
		}
	}
	if files < 9 {
		t.Fatalf("read %d files: too few to prove anything", files)
	}
}

// TestMisuses proves that each source rule can fail.
func TestMisuses(t *testing.T) {
	const src = `package x

import (
	"fmt"
	sys "os"
	"os/exec"

	"github.com/ageseal/ageseal/crypt"
)

var key crypt.Recipient

func f() {
	fmt.Println()
	fmt.Fprintln(sys.Stderr)
	sys.Exit(1)
	exec.Command("git", "log")
	crypt.GenerateDataKey()
}
`
	tests := []struct {
		room string
		want []string
	}{
		{"cmd", []string{"x.go:17: only git runs git"}},
		{"policy", []string{
			"x.go:14: only cmd touches fmt.Println",
			"x.go:15: only cmd touches os.Stderr",
			"x.go:16: only cmd touches os.Exit",
			"x.go:17: only git runs git",
			"x.go:18: policy may use crypt's recipients and identities, not crypt.GenerateDataKey",
		}},
		{"git", []string{
			"x.go:14: only cmd touches fmt.Println",
			"x.go:15: only cmd touches os.Stderr",
			"x.go:16: only cmd touches os.Exit",
		}},
	}
	for _, test := range tests {
		t.Run(test.room, func(t *testing.T) {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, "x.go", src, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, misuses(fset, f, test.room)); diff != "" {
				t.Errorf("misuses (-want +got):\n%s", diff)
			}
		})
	}
}
