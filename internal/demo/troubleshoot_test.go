package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// findingID is the definition of one, in verify or in cmd/ageseal.
var findingID = regexp.MustCompile(`(?m)^(?:const )?\s*(?:[A-Z]\w+|rule[A-Z]\w*)\s+= "([a-z]+(?:-[a-z]+)*)"`)

// TestTroubleshoot: the page has every finding and every exit status that there is, and no finding that there is not.
func TestTroubleshoot(t *testing.T) {
	checkout, _ := guides(t)
	page := string(read(t, filepath.Join(checkout, "docs", "guides", "troubleshoot.md")))
	defined, sources := map[string]bool{}, ""
	for _, room := range []string{"verify", "cmd/ageseal", "crypt", "kustomize", "secret"} {
		files, err := filepath.Glob(filepath.Join(checkout, room, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text := string(read(t, file))
			sources += text
			if room == "verify" || room == "cmd/ageseal" {
				for _, match := range findingID.FindAllStringSubmatch(text, -1) {
					defined[match[1]] = true
				}
			}
		}
	}
	for _, level := range []string{"finding", "warning", "change"} {
		delete(defined, level)
	}
	if len(defined) < 50 {
		t.Fatalf("found %d findings in the sources", len(defined))
	}
	messages, tables, _ := strings.Cut(page, "## Findings\n")
	_, messages, _ = strings.Cut(messages, "| it says |")
	rows := 0
	for line := range strings.Lines(messages) {
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		if strings.HasPrefix(line, "| ") && !strings.Contains(cell, "`") && !strings.HasPrefix(cell, "---") && !strings.HasPrefix(cell, "because") {
			rows++
			for piece := range strings.SplitSeq(cell, "…") {
				if !strings.Contains(sources, strings.TrimSpace(piece)) {
					t.Errorf("nothing says %q", piece)
				}
			}
		}
	}
	if rows < 8 {
		t.Errorf("%d messages", rows)
	}
	told := map[string]bool{}
	for line := range strings.Lines(tables) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
				told[match[1]] = true
			}
		}
	}
	for id := range defined {
		if !told[id] {
			t.Errorf("%s is not on the page", id)
		}
	}
	for id := range told {
		if !defined[id] && !strings.HasPrefix(id, "verify --") {
			t.Errorf("%s is on the page, and nothing finds it", id)
		}
	}
	for _, match := range regexp.MustCompile(`(?m)^\s+status\w+ += (\d+)`).FindAllStringSubmatch(string(read(t, filepath.Join(checkout, "cmd", "ageseal", "status.go"))), -1) {
		if !strings.Contains(page, "\n| "+match[1]+" | ") {
			t.Errorf("status %s is not on the page", match[1])
		}
	}
}
