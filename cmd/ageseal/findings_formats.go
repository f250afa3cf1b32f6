package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ageseal/ageseal/verify"
)

// sarif writes findings as SARIF 2.1.0 (OASIS), for code scanning. Each has a fingerprint that does not change with its line.
func (f *findings) sarif() ([]byte, error) {
	type object = map[string]any
	rules, results := []object{}, []object{}
	var known []string
	seen := map[string]int{}
	for _, x := range f.list {
		if !slices.Contains(known, x.Rule) {
			known = append(known, x.Rule)
			rules = append(rules, object{"id": x.Rule})
		}
		file := f.file(x)
		print := strings.Join([]string{x.Rule, file, x.Secret, x.Key}, "|")
		seen[print]++
		result := object{
			"ruleId":              x.Rule,
			"level":               map[string]string{verify.Fault: "error", verify.Warning: "warning", verify.Change: "note"}[x.Level],
			"message":             object{"text": withHint(x)},
			"partialFingerprints": object{"ageseal/v1": print + "|" + strconv.Itoa(seen[print])},
		}
		if file != "" {
			result["locations"] = []object{{"physicalLocation": object{
				"artifactLocation": object{"uri": uri(file), "uriBaseId": "%SRCROOT%"}, "region": object{"startLine": max(x.Line, 1)},
			}}}
		}
		results = append(results, result)
	}
	out, err := json.MarshalIndent(object{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
		"runs": []object{{
			"tool":    object{"driver": object{"name": "ageseal", "version": version, "informationUri": "https://github.com/ageseal/ageseal", "rules": rules}},
			"results": results,
		}},
	}, "", "  ")
	return append(out, '\n'), err
}

// uri is a path as a relative reference (RFC 3986).
func uri(path string) string {
	var b strings.Builder
	for _, c := range []byte(path) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// github writes workflow commands, which show findings beside their lines in a pull request.
func (f *findings) github() ([]byte, error) {
	message := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	var b strings.Builder
	for _, x := range f.list {
		command := map[string]string{verify.Fault: "error", verify.Warning: "warning", verify.Change: "notice"}[x.Level]
		where := ""
		if x.File != "" {
			where = fmt.Sprintf("file=%s,line=%d,", property.Replace(f.file(x)), max(x.Line, 1))
		}
		fmt.Fprintf(&b, "::%s %stitle=%s::%s\n", command, where, property.Replace("ageseal: "+x.Rule), message.Replace(withHint(x)))
	}
	return []byte(b.String()), nil
}

// junit writes a test report, which GitLab and others show in a merge request: a failed test for each finding.
func (f *findings) junit() ([]byte, error) {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;")
	failed := 0
	var b strings.Builder
	for _, x := range f.list {
		if x.Level != verify.Fault {
			continue
		}
		failed++
		where := f.file(x) + ":" + strconv.Itoa(max(x.Line, 1))
		fmt.Fprintf(&b, "  <testcase classname=\"%s\" name=\"%s\" file=\"%s\">\n    <failure message=\"%s\">%s</failure>\n  </testcase>\n",
			escape.Replace(x.Rule), escape.Replace(where+" "+strings.TrimSuffix(subject(x), ": ")), escape.Replace(f.file(x)), escape.Replace(shown(x.What)), escape.Replace(where+": "+withHint(x)))
	}
	if failed == 0 { // some readers take an empty report for a broken one
		b.WriteString("  <testcase classname=\"ageseal\" name=\"verify\"/>\n")
	}
	return fmt.Appendf(nil, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"ageseal\" tests=\"%d\" failures=\"%d\">\n%s</testsuite>\n", max(failed, 1), failed, b.String()), nil
}

// markdown writes a comment for a pull request: what fails, what is to be looked at, what changes.
func (f *findings) markdown() ([]byte, error) {
	if f.base != "" {
		return f.pullRequest(), nil
	}
	var b strings.Builder
	f.table(&b, "Findings", verify.Fault)
	f.table(&b, "Warnings", verify.Warning)
	f.table(&b, "Changes", verify.Change)
	if b.Len() == 0 {
		b.WriteString("ageseal found nothing.\n")
	}
	return []byte(b.String()), nil
}

// table has the findings of a level.
func (f *findings) table(b *strings.Builder, title, level string) {
	first := true
	for _, x := range f.list[f.wider:] {
		if x.Level != level {
			continue
		}
		if first {
			fmt.Fprintf(b, "### %s\n\n| where | rule | what |\n| --- | --- | --- |\n", title)
			first = false
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", cell(f.at(x)), cell(x.Rule), plain(withHint(x)))
	}
	if !first {
		b.WriteString("\n")
	}
}

// at is the place of a finding as it can be pasted.
func (f *findings) at(x verify.Finding) string {
	return strings.TrimSuffix(place(f.file(x), x.Line), ": ")
}

// cell is code in a table of Markdown, whatever it holds.
func cell(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.NewReplacer("|", `\|`, "`", "'", "\n", " ").Replace(text) + "`"
}

// plain is text in such a table that means nothing to Markdown or HTML: names of files and keys come from whoever opened the pull request.
func plain(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteByte(' ')
		case r == '&' || r == '<' || r == '>':
			fmt.Fprintf(&b, "&#%d;", r)
		case r == '@':
			b.WriteString("@\u200b") // calls nobody
		case r == '.' && strings.HasSuffix(b.String(), "www") || r == '/' && strings.HasSuffix(b.String(), ":"):
			b.WriteString("\u200b" + string(r)) // leads nowhere
		case strings.ContainsRune("\\`*_{}[]()#+!|~", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
