package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

const mark = "// not reached: "

// reason is a comment that says why no test runs something, and where it goes for.
type reason struct {
	line     int
	from, to position // of the innermost block with the comment in it
	used     bool
}

func readReasons(path string) ([]*reason, error) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	at := func(p token.Pos) position {
		q := fset.Position(p)
		return position{q.Line, q.Column}
	}
	var reasons []*reason
	for _, group := range parsed.Comments {
		for _, c := range group.List {
			if !strings.HasPrefix(c.Text, mark) {
				continue
			}
			r := &reason{line: at(c.Pos()).line, from: at(c.Pos()), to: at(c.End())}
			ast.Inspect(parsed, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BlockStmt:
					if n.Pos() < c.Pos() && c.End() <= n.End() {
						r.from, r.to = at(n.Pos()), at(n.End())
					}
				case *ast.CaseClause: // its body may end before a comment on its last line
					if len(n.Body) > 0 && n.Colon < c.Pos() && fset.Position(n.Body[len(n.Body)-1].End()).Line >= r.line {
						r.from, r.to = at(n.Colon), at(n.End())
					}
				}
				return true
			})
			reasons = append(reasons, r)
		}
	}
	return reasons, nil
}

// narrow limits a reason to its line where anything runs in the block that it stands in.
func (r *reason) narrow(blocks []block) {
	for _, b := range blocks {
		if b.runs > 0 && !b.from.before(r.from) && !r.to.before(b.to) {
			r.from, r.to = position{r.line, 0}, position{r.line, 0}
			return
		}
	}
}

// explain looks for the reason of a block that no test runs.
func explain(reasons []*reason, b block) bool {
	for _, r := range reasons {
		if b.from.line == r.line || !b.from.before(r.from) && !r.to.before(b.to) {
			r.used = true
			return true
		}
	}
	return false
}
