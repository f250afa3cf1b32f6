package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
)

// TestLinks: every relative link of every page leads to a file, and to a heading of it; every page of docs/ and examples/ can be reached
// from README.md.
func TestLinks(t *testing.T) {
	checkout, _ := guides(t)
	pages := map[string]string{} // path from the top → text, without code
	err := filepath.WalkDir(checkout, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (slices.Contains([]string{"testdata", "dist", "bin", "node_modules"}, name) || strings.HasPrefix(name, ".") && path != checkout) {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, ".md") {
			inner, err := filepath.Rel(checkout, path)
			if err != nil {
				return err
			}
			pages[filepath.ToSlash(inner)] = fenced.ReplaceAllString(string(read(t, path)), "")
		}
		return nil
	})
	if err != nil || len(pages) < 20 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}

	leads := map[string][]string{}
	for page, text := range pages {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(match[1], "://") || strings.HasPrefix(match[1], "mailto:") {
				continue
			}
			target, anchor, _ := strings.Cut(match[1], "#")
			to := page
			if target != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(page), target))
			}
			leads[page] = append(leads[page], to)
			info, err := os.Stat(filepath.Join(checkout, to))
			switch {
			case err != nil:
				t.Errorf("%s: %s: there is no %s", page, match[1], to)
			case anchor != "" && !info.IsDir() && !slices.Contains(anchors(pages[to]), anchor):
				t.Errorf("%s: %s has no heading for #%s", page, to, anchor)
			}
		}
	}

	seen := map[string]bool{"README.md": true}
	for queue := []string{"README.md"}; len(queue) > 0; queue = queue[1:] {
		for _, to := range leads[queue[0]] {
			if info, err := os.Stat(filepath.Join(checkout, to)); err == nil && info.IsDir() {
				to += "/README.md"
			}
			if _, ok := pages[to]; ok && !seen[to] {
				seen[to] = true
				queue = append(queue, to)
			}
		}
	}
	for page := range pages {
		if !seen[page] && (strings.HasPrefix(page, "docs/") || strings.HasPrefix(page, "examples/")) {
			t.Errorf("no way from README.md leads to %s", page)
		}
	}
}

// anchors are those of a page's headings, by the rule of forges: lower case, words joined by dashes, punctuation left out, and a number
// for each that is there already.
func anchors(text string) []string {
	var all []string
	seen := map[string]int{}
	for _, match := range heading.FindAllStringSubmatch(text, -1) {
		title := regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(strings.TrimSpace(match[1]), "$1")
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, title)
		if n := seen[anchor]; n > 0 {
			all = append(all, anchor+"-"+string(rune('0'+n)))
		} else {
			all = append(all, anchor)
		}
		seen[anchor]++
	}
	return all
}

func TestAnchors(t *testing.T) {
	got := anchors("# The `Decrypter`, and more\n\ntext\n## [Keys](keys.md) of ssh\n## Again\n## Again\n")
	if want := []string{"the-decrypter-and-more", "keys-of-ssh", "again", "again-1"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// TestComparison: the versions that docs/comparison.md speaks of are those that the benchmark runs.
func TestComparison(t *testing.T) {
	checkout, _ := guides(t)
	makefile := string(read(t, filepath.Join(checkout, "Makefile")))
	page := string(read(t, filepath.Join(checkout, "docs", "comparison.md")))
	for name, version := range map[string]*regexp.Regexp{"SOPS": regexp.MustCompile(`SOPS_VERSION\s+:= v(\S+)`), "KSOPS": regexp.MustCompile(`This is v(\d+\.\d+\.\d+)\.`)} {
		found := version.FindStringSubmatch(makefile)
		if found == nil || !strings.Contains(page, " "+name+" "+found[1]+",") {
			t.Errorf("%s: the Makefile has %q, the page does not", name, found)
		}
	}
}
