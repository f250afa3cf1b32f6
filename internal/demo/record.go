package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// A recorded command and what of its output is shown.
type recorded struct {
	command string
	output  []string
}

// shownLines is how much of one command's output a picture shows; the rest is one line that says how much that is.
const shownLines = 11

// record runs the first console block of a section, and masks what differs from run to run, so that the same program gives the same picture.
func (s *scratch) record(ctx context.Context, steps []step, width int) ([]recorded, error) {
	var all []recorded
	m := masks{root: s.root, seen: map[string]int{}}
	for _, step := range steps {
		if step.block != steps[0].block {
			break
		}
		out, status := s.run(ctx, step.command)
		if err := step.check(out, status); err != nil {
			return nil, err
		}
		lines := strings.Split(strings.TrimRight(shorten(m.mask(out), width), "\n"), "\n")
		if rest := len(lines) - shownLines; rest > 1 {
			lines = append(lines[:shownLines], fmt.Sprintf("… %d more lines", rest))
		}
		if lines[0] == "" {
			lines = nil
		}
		all = append(all, recorded{step.command, lines})
	}
	return all, nil
}

// masks replaces what a run makes up by what the same place gets in every run. What was equal stays equal.
type masks struct {
	root, login string
	seen        map[string]int
}

var (
	// The name that the policy gave to who runs it is that of the login.
	loginName = regexp.MustCompile(`who can read what: (\S+)`)
	random    = regexp.MustCompile(`(SHA256:)([0-9A-Za-z+/]{43})|(\b)([0-9a-f]{8})(, readable)|(\b)([0-9a-f]{7})(\.\.|\s\d)|(^|\n)(  password: )([0-9A-Za-z+/]{43}=)`)
)

func (m *masks) mask(out string) string {
	out = strings.ReplaceAll(out, m.root+"/home", "~")
	if found := loginName.FindStringSubmatch(out); found != nil {
		m.login = found[1]
	}
	if m.login != "" {
		out = regexp.MustCompile(`\b(what:|for|by) `+regexp.QuoteMeta(m.login)+`\b`).ReplaceAllString(out, "$1 alice")
	}
	return random.ReplaceAllStringFunc(out, func(text string) string {
		g := random.FindStringSubmatch(text)
		switch {
		case g[1] != "":
			return g[1] + base64.RawStdEncoding.EncodeToString(m.sum(g[2]))
		case g[4] != "":
			return g[3] + hex.EncodeToString(m.sum(g[4]))[:8] + g[5]
		case g[7] != "":
			return g[6] + hex.EncodeToString(m.sum(g[7]))[:7] + g[8]
		}
		value := base64.StdEncoding.EncodeToString(m.sum(g[11])[:24]) // what was set is base64 itself
		return g[9] + g[10] + base64.StdEncoding.EncodeToString([]byte(value))
	})
}

// sum is a hash of how many others were there before this one.
func (m *masks) sum(text string) []byte {
	if _, ok := m.seen[text]; !ok {
		m.seen[text] = len(m.seen)
	}
	sum := sha256.Sum256([]byte{byte(m.seen[text])})
	return sum[:]
}
