package main

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/demo.svg anew")

// TestPicture: docs/demo.svg is what the first commands of README.md do.
func TestPicture(t *testing.T) {
	checkout, _ := guides(t)
	file := filepath.Join(checkout, "docs", "demo.svg")
	got, err := drawn(t.Context(), filepath.Join(checkout, "README.md"), "In one minute", program(t, checkout), filepath.Join(checkout, "examples"))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, file)), got); diff != "" {
		t.Errorf("docs/demo.svg is of another program or README; \"make demo-svg\" draws it anew (-there +now):\n%s", diff)
	}
	if len(got) > 60_000 || strings.Contains(got, "<script") || strings.Contains(got, "url(") || strings.Contains(got, "href") {
		t.Errorf("%d bytes, or it loads or runs something", len(got))
	}
	decoder := xml.NewDecoder(strings.NewReader(got))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestMask: what differs from run to run gets the same text in each, and what is equal stays equal.
func TestMask(t *testing.T) {
	const want = "~/.config: SHA256:bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0\nwho can read what: alice\npassword: \"0 to 63 bytes, 4bf5122f, readable by alice\"\n" +
		"username: \"0 to 63 bytes, dbc1b4c9, readable by alice\"\npassword: \"0 to 63 bytes, 4bf5122f, readable by alice\"\nforeman\n"
	for _, run := range []string{"root ab12cd34 9fc4c77a fgA", "fore 00000000 11111111 xyz"} {
		w := strings.Fields(run)
		m := masks{root: "/tmp/" + w[0], seen: map[string]int{}}
		got := m.mask("/tmp/" + w[0] + "/home/.config: SHA256:" + w[3] + strings.Repeat("x", 40) + "\nwho can read what: " + w[0] + "\npassword: \"0 to 63 bytes, " + w[1] +
			", readable by " + w[0] + "\"\nusername: \"0 to 63 bytes, " + w[2] + ", readable by " + w[0] + "\"\npassword: \"0 to 63 bytes, " + w[1] + ", readable by " + w[0] + "\"\nforeman\n")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestSpans(t *testing.T) {
	for line, want := range map[string]string{
		"$ a <b   # c": `<tspan class="p">$ </tspan><tspan class="c">a &lt;b</tspan><tspan class="n">   # c</tspan>`,
		"$ # c":        `<tspan class="p">$ </tspan><tspan class="n"># c</tspan>`,
		"$ a#b":        `<tspan class="p">$ </tspan><tspan class="c">a#b</tspan>`,
		"-    x":       `<tspan class="r">-    x</tspan>`,
		"---":          "---",
	} {
		if diff := cmp.Diff(want, spans(line)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
	if diff := cmp.Diff([]string{"$ # why", "$ abcdef", "gh"}, wrap("$ abcdefgh   # why", 8)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
