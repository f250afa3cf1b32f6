package secret_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/secret"
)

func summary(text string) string {
	return string(secret.Summary([]byte(text), func(to []string) string { return fmt.Sprintf("%d", len(to)) }))
}

// differing lists the lines that only one of two texts has.
func differing(a, b string) (lines []string) {
	in := func(line, text string) bool { return strings.Contains("\n"+text, "\n"+line) }
	for line := range strings.Lines(a) {
		if !in(line, b) {
			lines = append(lines, "-"+line)
		}
	}
	for line := range strings.Lines(b) {
		if !in(line, a) {
			lines = append(lines, "+"+line)
		}
	}
	return lines
}

func TestSummary(t *testing.T) {
	dave := people("dave")
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			base := seal(t, shape, dave...)
			was := summary(base)
			if strings.Contains(was, "box") || strings.Contains(was, "wraps") || strings.Contains(was, "canary") || regexp.MustCompile(`[A-Za-z0-9+/]{40}`).MatchString(was) {
				t.Errorf("not readable:\n%s", was)
			}
			// One value of the same size: one line.
			changed := differing(was, summary(setIn(t, base, "one", "a", "canary-2x", dave...)))
			if len(changed) != 2 || !regexp.MustCompile(`^- +"?a"?: "0 to 63 bytes, [0-9a-f]{8}, readable by 1",?\n$`).MatchString(changed[0]) {
				t.Errorf("%q", changed)
			}
			// Somebody joined: every value of it has another reader, and is what it was.
			f := parse(t, base)
			if _, err := secret.NewWriter().Rekey(f, secret.RekeyOptions{Target: target(people("dave", "erin")...), Sharing: secret.Sharing{Widen: true}, Opener: crypt.NewOpener(dave...)}); err != nil {
				t.Fatal(report(err))
			}
			joined := summary(string(f.Bytes()))
			if strings.ReplaceAll(joined, "readable by 2", "readable by 1") != was || joined == was {
				t.Errorf("(-was +is)\n%s", differing(was, joined))
			}
		})
	}
}

// TestSummaryKeeps: comments, metadata, other documents, and what can't be read are as they were.
func TestSummaryKeeps(t *testing.T) {
	dave := people("dave")
	sealed := strings.Replace(seal(t, editable, dave...), "    b:\n", "    # rotate it in spring\n    b: # or in autumn\n", 1)
	got := summary(sealed)
	for _, kept := range []string{"    # rotate it in spring\n    b: \"0 to", " # or in autumn\n", "# bound\n", "kind: ConfigMap\napiVersion: v1\nmetadata: {name:   odd}\n", "  binding:\n    namespace: prod\n"} {
		if !strings.Contains(got, kept) {
			t.Errorf("lost: %s\n%s", kept, got)
		}
	}
	for name, text := range map[string]string{
		"nothing sealed": "a: 1\r\nb: 2",
		"no YAML":        "kind: EncryptedSecret\n\t{{",
		"a conflict":     strings.Replace(sealed, "  suite: 1\n", "<<<<<<< x\n  suite: 1\n=======\n>>>>>>> y\n", 1),
		"malformed":      strings.Replace(sealed, "  suite: 1\n", "  suite: 2\n", 1),
		"no base64":      regexp.MustCompile(`box: ....`).ReplaceAllString(sealed, "box: ...."),
		"empty":          "",
		"UTF-16":         "\xff\xfek\x00i\x00",
		"too long":       "# EncryptedSecret\n" + strings.Repeat("x", 9<<20),
	} {
		if got := summary(text); got != text {
			t.Errorf("%s: %d bytes became %d", name, len(text), len(got))
		}
	}
	// One of two can't be read: the other is shown all the same.
	half := strings.Replace(seal(t, shapes["stream"], dave...), "  suite: 1\n", "  suite: 2\n", 1)
	if got := summary(half); !strings.HasPrefix(got, half[:strings.Index(half, "---\n")]) || !strings.Contains(got, "0 to 63 bytes") {
		t.Errorf("%s", got)
	}
}
