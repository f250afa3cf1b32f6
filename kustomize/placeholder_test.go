package kustomize

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestMarksSeeThroughEncodings(t *testing.T) {
	m := newMarks()
	p := m.placeholder(12345)
	if len(p) != 30 {
		t.Fatalf("placeholder of %d bytes, want 30", len(p))
	}
	token := base64.StdEncoding.EncodeToString([]byte(p))
	if len(token) != 40 || strings.ContainsAny(token, "+/=") {
		t.Fatalf("token %q, want 40 letters and digits", token)
	}
	enc := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	wrap := func(s string) string { return s[:7] + "\n  " + s[7:17] + "\r\n" + s[17:] }
	for _, part := range []string{p, p[:markLen], p[len(p)-markLen:], p[3:], p[:25]} {
		for before := range 4 {
			for after := range 4 {
				around := func(s string) string { return strings.Repeat("~", before) + s + strings.Repeat("~", after) }
				for name, s := range map[string]string{
					"raw":                  around(part),
					"base64":               enc(around(part)),
					"base64 url":           base64.URLEncoding.EncodeToString([]byte(around(part))),
					"token in base64":      enc(around(enc(part))),
					"raw, broken":          wrap(strings.Repeat("y", 18) + around(part)),
					"base64, broken":       wrap(enc("secret: " + around(part))),
					"base64 within":        around(enc(part)),
					"twice, then embedded": around(enc(enc(part))),
				} {
					if !m.in(s) {
						t.Errorf("%s: the mark in %q (%d before, %d after) goes unseen", name, s, before, after)
					}
				}
			}
		}
	}
	for _, s := range []string{"", "postgres", "registry.example/web:1.2.3", enc(strings.Repeat("x", 100)), newMarks().placeholder(1)} {
		if m.in(s) {
			t.Errorf("false alarm on %q", s)
		}
	}
}

func TestScrub(t *testing.T) {
	m := newMarks()
	p := m.placeholder(35)
	token := base64.StdEncoding.EncodeToString([]byte(p))
	got := m.scrub("no match for " + p + " in map[a:" + token + "]")
	if want := "no match for (sealed value) in map[a:(sealed value)]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
