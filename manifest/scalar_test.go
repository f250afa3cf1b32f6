package manifest

import (
	"encoding/json"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/yaml"
)

var (
	strings11and12 = []string{"a", "prod", "1.2.3", "10.0.0.1", "1e", "e3", "0o", "0o8", "0x", "0xg", "1-2", "2024-1", "2024-01-01x", "a:b", "-x", "+a", ".a", "._", "..", "475rdxtz3v2prwywscz6juw6n4tmnstt",
		"YWdl", "eA==", "nul", "nulll", "yesno", "/", "a=", "--", "-a", "x1", "1x", "1_a", "0b2", "infinity", "nan", "inf", "12:60", "00:99", "a_1"}
	neither = []string{"", "~", "null", "Null", "NULL", "true", "True", "TRUE", "false", "yes", "Yes", "no", "NO", "on", "On", "off", "OFF", "y", "Y", "n", "N", "0", "1", "-1", "+1", "01", "0o17", "0O17", "0x1F", "0X1f", "0b1", "1_000",
		"1.", ".5", "1.5", "-1.5e3", "1e3", "1E-3", "1e+3", "2e2222", ".inf", "-.Inf", "+.INF", ".nan", ".NaN", "1:30", "190:20:30", "190:20:30.15", "2024-01-01", "2024-1-1", "2024-01-01T00:00:00Z", "2024-01-01 00:00:00", "<<", "=", "0777", "0_1", "0x_1", "0_x1F", "0_B0", "1_0e1_0", "-0o7"}
)

func TestIsString(t *testing.T) {
	for _, s := range strings11and12 {
		if !isString(s) {
			t.Errorf("%q is a string", s)
		}
	}
	for _, s := range neither {
		if isString(s) || isPlain(s) {
			t.Errorf("%q is not a string for everybody", s)
		}
	}
	for _, s := range []string{"-", "---", "a b", "a:", "#", "é", "a\n", "\"", "[a]", "*a", "&a", "!a", "%a", "@a", "`a", "a,", "?"} {
		if isPlain(s) {
			t.Errorf("%q is written plain", s)
		}
	}
}

// FuzzScalar holds that what we take for a string is one for Go's YAML libraries of 1.1 and 1.2, and that what we write is read back by
// YAML and JSON alike.
func FuzzScalar(f *testing.F) {
	for _, s := range append(strings11and12, neither...) {
		f.Add(s)
	}
	for _, s := range []string{"a b", "é\u2028\u0085\ufeff\U0001f600", "\x00\x01\x1f\x7f", "\"\\/\b\f\n\r\t", "\ufffe\uffff\ufffd", "{{ x }}", " a ", "#", "---", "...", "-", "?", "\U000e0001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if isPlain(s) || isString(s) && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+:/-") == "" && !strings.HasSuffix(s, ":") && !strings.HasPrefix(s, ":") && !strings.HasPrefix(s, "-") {
			var a, b map[string]any
			text := "a: " + s + "\n"
			if err := yaml.Unmarshal([]byte(text), &a); err != nil || a["a"] != s {
				t.Errorf("%q is %#v to yaml.v3 (%v)", s, a["a"], err)
			}
			if err := kyaml.Unmarshal([]byte(text), &b); err != nil || b["a"] != s {
				t.Errorf("%q is %#v to kubectl (%v)", s, b["a"], err)
			}
		}
		want := strings.ToValidUTF8(s, "\ufffd")
		text := "a:\n  " + string(appendScalar(nil, want)) + ": " + string(appendScalar(nil, want)) + "\n"
		if len(text) < 1000 {
			var n yaml.Node
			if err := yaml.Unmarshal([]byte(text), &n); err != nil {
				t.Fatalf("%v:\n%s", err, text)
			}
			m := n.Content[0].Content[1]
			for _, c := range m.Content {
				if c.Value != want || c.ShortTag() != "!!str" {
					t.Errorf("%q came back as %s %q", want, c.ShortTag(), c.Value)
				}
			}
		}
		var j string
		if err := json.Unmarshal(appendQuoted(nil, want), &j); err != nil || j != want {
			t.Errorf("%q is %q to JSON (%v)", want, j, err)
		}
	})
}

func TestIsSecretKey(t *testing.T) {
	for s, want := range map[string]bool{"a": true, ".a": true, "a..b": true, "-": true, "_": true, "A.b-c_1": true, strings.Repeat("a", 253): true,
		"": false, ".": false, "..": false, "..a": false, "a b": false, "a/b": false, "é": false, "a\n": false, strings.Repeat("a", 254): false} {
		if IsSecretKey(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

func TestLooksLikeValue(t *testing.T) {
	tests := []struct {
		comment string
		want    bool
	}{
		{"# password: hunter2", true}, {"#password: hunter2", true}, {"## 'a.b' : x", true}, {"# - key: x", true}, {"# stringData:", true}, {"# \"k\": |", true},
		{"# $schema: x", true}, {"#\tkey: x", true},
		{"# DB_PASSWORD=x", true}, {"# export TOKEN='x y'", true}, {"# password = x", true}, {"#- a=x", true}, {"# a.b/c=", true}, {"# A==B", false},
		{`# {"password": "x"}`, true}, {"# {password: x}", true}, {"# - {a: x}", true}, {`# [{"a": 1}]`, true}, {"# {", true}, {"# {{ .x }}", false},
		{"# my password: x", true}, {"# my old db password: x y z", true}, {"# the passwords:", true}, {"# user name : x", true}, {"# user name = x y", true},
		{"# 'pass word': x", true}, {`# "pass word" = x`, true}, {`# 'it''s': x`, true}, {"# pässwort: x", true}, {"# Mein Schlüssel: x", true},
		{"# who owns this", false}, {"# see RUNBOOK.md", false}, {"# rotated in june", false}, {"# owned by the platform team: ask them first", false},
		{"# 'quoted' word", false}, {"# it's ours", false}, {"# a <= b", false}, {"# see https://example.com/?a=b", false}, {"# ----", false}, {"# ======", false}, {"# == data ==", false},
		{"# yaml-language-server: $schema=https://example.com/x.json", false}, {"# yaml-language-server: $schema=x password: y", true},
		{"# Source: chart/templates/secret.yaml", false}, {"# Source: hunter2", true}, {"# SPDX-License-Identifier: Apache-2.0 OR MIT", false},
		{"# note that: this is prose", false}, {"# https://example.com/x", false}, {"# checkov:skip=CKV_SECRET_6 test", false}, {"# a=b", true}, {"#", false}, {"# 12:30 o'clock", false},
	}
	for _, tt := range tests {
		var f valueFilter
		if got := f.looksLikeValue(tt.comment, comment{off: 0, end: len(tt.comment), full: true, line: 1}); got != tt.want {
			t.Errorf("%q: %v", tt.comment, got)
		}
	}
}
