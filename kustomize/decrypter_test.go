package kustomize

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/manifest"
)

func TestParseDecrypter(t *testing.T) {
	const head = "apiVersion: ageseal.dev/v1alpha1\nkind: Decrypter\nmetadata: {name: d}\n"
	many := head + "spec:\n  files: [" + strings.Repeat("a, ", maxPatterns) + "%s]\n"
	for name, c := range map[string]struct{ src, want string }{
		"good":             {head + "spec: {files: [a.yaml, 'b/*.y?ml', './[a-z].yaml']}\n", ""},
		"most entries":     {strings.Replace(strings.Replace(many, "a, ", "", 1), "%s", "b", 1), ""},
		"too many":         {strings.Replace(many, "%s", "b", 1), "5: spec.files has more than 1024 entries"},
		"longest entry":    {head + "spec: {files: [" + strings.Repeat("a", maxPattern) + "]}\n", ""},
		"too long":         {head + "spec: {files: [" + strings.Repeat("a", maxPattern+1) + "]}\n", "4: a path is one line of at most 1024"},
		"no files":         {head + "spec: {}\n", "4: spec: files is missing"},
		"empty":            {head + "spec: {files: []}\n", "4: spec.files must be a list"},
		"no list":          {head + "spec: {files: a.yaml}\n", "4: spec.files must be a list"},
		"number":           {head + "spec: {files: [1]}\n", "4: an entry of spec.files must be a text"},
		"null":             {head + "spec: {files: [~]}\n", "4: an entry of spec.files must be a text"},
		"no spec":          {head, "1: a Decrypter: spec is missing"},
		"no name":          {strings.Replace(head, "{name: d}", "{}", 1) + "spec: {files: [a]}\n", "3: metadata: name is missing"},
		"unknown":          {head + "canary: x\nspec: {files: [a]}\n", "4: unknown field in a Decrypter"},
		"unknown metadata": {strings.Replace(head, "name: d", "name: d, canary: x", 1) + "spec: {files: [a]}\n", "3: unknown field in metadata"},
		"duplicate":        {head + "spec: {files: [a]}\nspec: {files: [b]}\n", "5: duplicate spec in a Decrypter"},
		"up":               {head + "spec: {files: [a/../../b]}\n", "4: a path that leads outside"},
		"absolute":         {head + "spec: {files: [/b]}\n", "4: a path that leads outside"},
		"backslash":        {head + `spec: {files: ['..\b']}` + "\n", `4: a path with "\" in it`},
		"control":          {head + `spec: {files: ["a\nb"]}` + "\n", "4: a path is one line"},
		"set":              {head + "spec: {files: ['[a']}\n", "4: malformed character set"},
		"anchor":           {head + "spec: {files: &a [a]}\n", "4: YAML anchors"},
		"alias":            {head + "spec: {files: [&a a, *a]}\n", "4: YAML anchors"},
		"tag":              {head + "spec: {files: !!seq [a]}\n", "4: YAML tags"},
		"merge":            {head + "spec: {<<: {files: [a]}}\n", "4: unknown field in spec"},
		"two":              {head + "spec: {files: [a]}\n---\n" + head, ": a Decrypter stands in a document"},
		"not YAML":         {"canary: [", ": malformed YAML"},
		"another version":  {strings.Replace(head, "v1alpha1", "v1", 1) + "spec: {files: [a]}\n", "1: apiVersion must be ageseal.dev/v1alpha1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseDecrypter("d.yaml", []byte(c.src))
			got := ""
			if err != nil {
				first := split(err)[0].(*Error)
				if got = ": " + first.Error(); first.Line > 0 {
					got = strconv.Itoa(first.Line) + got
				}
			}
			if !strings.HasPrefix(got, c.want) || (c.want == "") != (got == "") {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if strings.Contains(got, "canary") {
				t.Errorf("the error quotes its input: %s", got)
			}
		})
	}
}

func TestExpand(t *testing.T) {
	dir := writeTree(t, map[string]string{"a.yaml": "", "b.yml": "", ".hidden.yaml": "", "x/db.yaml": "", "y/db.yaml": "", "y/z/db.yaml": "", "w/other": ""})
	outsideDir := t.TempDir()
	for link, to := range map[string]string{"out": outsideDir, "l.lnk": filepath.Join(outsideDir, "absent"), "in.lnk2": "a.yaml"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip("no links here")
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, c := range []struct {
		pattern string
		want    []string
		err     error
	}{
		{"a.yaml", []string{"a.yaml"}, nil},
		{"*.y*ml", []string{".hidden.yaml", "a.yaml", "b.yml"}, nil},
		{"[x-y]/db.yaml", []string{"x/db.yaml", "y/db.yaml"}, nil},
		{"[w-y]/db.yaml", []string{"x/db.yaml", "y/db.yaml"}, nil},
		{"[xy]/*/db.yaml", []string{"y/z/db.yaml"}, nil},
		{"?.yaml/db.yaml", nil, nil},
		{"*.lnk2", []string{"in.lnk2"}, nil},
		{"q*", nil, nil},
		{"absent.yaml", nil, fs.ErrNotExist},
		{"x/absent/db.yaml", nil, fs.ErrNotExist},
		{"o*/db.yaml", nil, ErrOutside},
		{"out/*", nil, ErrOutside},
		{"*.lnk", nil, ErrOutside},
	} {
		steps := maxSteps
		got, err := expand(root.FS(), c.pattern, &steps)
		if err != nil {
			err = outside(err)
		}
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.pattern, err, c.err)
			continue
		}
		if diff := cmp.Diff(c.want, got); err == nil && diff != "" && len(c.want)+len(got) > 0 {
			t.Errorf("%s (-want +got):\n%s", c.pattern, diff)
		}
	}
}

// TestObjects: nothing of a stream is passed over, and Lists are taken apart with the lines of their items.
func TestObjects(t *testing.T) {
	src := "# c\n---\n---\na: 1\n---\nkind: List\nitems:\n- {kind: X}\n- kind: XList\n  items: [{kind: Y}]\n---\n- list\n---\ntext\n---\n~\n"
	objects, err := Objects([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, n := range objects {
		lines = append(lines, n.Line)
	}
	if diff := cmp.Diff([]int{4, 8, 10, 12, 14}, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// FuzzDecrypter: whatever a repository writes, no entry leads out, and no text is a panic.
func FuzzDecrypter(f *testing.F) {
	f.Add("apiVersion: ageseal.dev/v1alpha1\nkind: Decrypter\nmetadata: {name: d}\nspec: {files: [a.yaml, 'b/*']}\n")
	f.Add("apiVersion: ageseal.dev/v1alpha1\nkind: Decrypter\nmetadata: {name: d}\nspec: {files: ['a/./../..']}\n")
	f.Fuzz(func(t *testing.T, src string) {
		d, err := ParseDecrypter("d.yaml", []byte(src))
		if err != nil {
			return
		}
		for _, p := range d.patterns {
			if !filepath.IsLocal(filepath.FromSlash(p.text)) || strings.Contains(p.text, "..") && strings.Contains("/"+p.text+"/", "/../") {
				t.Errorf("%q leads out", p.text)
			}
		}
	})
}

// TestManyPaths: links to the directory itself make any number of paths, and are looked at in bounded time.
func TestManyPaths(t *testing.T) {
	dir := t.TempDir()
	for _, name := range strings.Split("abcdefghij", "") {
		if err := os.Symlink(".", filepath.Join(dir, name)); err != nil {
			t.Skip("no links here")
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	steps := maxSteps
	if _, err := expand(root.FS(), strings.Repeat("*/", 12)+"x.yaml", &steps); !errors.Is(err, manifest.ErrLimit) {
		t.Errorf("no limit: %v", err)
	}
}
