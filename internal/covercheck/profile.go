package main

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

const module = "github.com/ageseal/ageseal/"

type position struct{ line, column int }

func (p position) before(q position) bool {
	return p.line < q.line || p.line == q.line && p.column < q.column
}

// block is a run of statements without a branch, as the cover tool cuts them.
type block struct {
	from, to         position
	statements, runs int
}

type file struct {
	path, pkg string // from the root of the module
	blocks    []block
}

// readProfile joins what the tests of several packages saw of one block. The files are sorted.
func readProfile(r io.Reader) ([]*file, error) {
	byPath := map[string]*file{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		if strings.HasPrefix(lines.Text(), "mode: ") {
			continue
		}
		name, rest, _ := strings.Cut(lines.Text(), ":")
		var b block
		if _, err := fmt.Sscanf(rest, "%d.%d,%d.%d %d %d", &b.from.line, &b.from.column, &b.to.line, &b.to.column, &b.statements, &b.runs); err != nil {
			return nil, fmt.Errorf("line %d of the profile: %w", n, err)
		}
		name = strings.TrimPrefix(name, module)
		f := byPath[name]
		if f == nil {
			f = &file{path: name, pkg: path.Dir(name)}
			byPath[name] = f
		}
		same := func(o block) bool { return o.from == b.from && o.to == b.to }
		if i := slices.IndexFunc(f.blocks, same); i >= 0 {
			f.blocks[i].runs += b.runs
			continue
		}
		f.blocks = append(f.blocks, b)
	}
	if len(byPath) == 0 && lines.Err() == nil {
		return nil, fmt.Errorf("the profile is empty")
	}
	files := make([]*file, 0, len(byPath))
	for _, f := range byPath {
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b *file) int { return strings.Compare(a.path, b.path) })
	return files, lines.Err()
}
