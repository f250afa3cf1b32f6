package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/policy"
)

func newPolicyCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "policy",
		Short:   "Explain the policy",
		Long:    "What the policy says, and why. To change it: ageseal recipients." + exitHelp(),
		Example: "  ageseal policy explain apps/shop/prod/db.yaml",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPolicyExplainCommand(c))
	return cmd
}

func newPolicyExplainCommand(c *cli) *cobra.Command {
	output := ""
	cmd := &cobra.Command{
		Use:   "explain PATH ...",
		Short: "Say which rule governs a path, and why",
		Long: `Say which rule of the policy governs a path, which ones before it do not match and which ones after it come too late;
who reads by it, through which group; the namespace it binds Secrets to; and which findings are silenced there.
The path need not exist. No private key is needed, and the policy is the one that lies here, accepted or not.

What -o json prints is in docs/recipients.md.` + exitHelp(),
		Example: `  ageseal policy explain apps/shop/prod/db.yaml
  ageseal policy explain -o json new/file.yaml | jq -r '.[].rule.path'`,
		Args: argsBetween(1, -1, "paths of files"),
		RunE: func(_ *cobra.Command, args []string) error { return c.runPolicyExplain(output, args) },
	}
	addTextOrJSON(cmd, &output)
	return cmd
}

// explained is why a path is governed by a rule; as JSON, docs/recipients.md has it. Fields are only ever added.
type explained struct {
	Path     string            `json:"path"` // relative to the policy
	Policy   string            `json:"policy"`
	Rule     *accessRule       `json:"rule,omitempty"`
	Before   []passedRule      `json:"before"` // do not match
	After    []passedRule      `json:"after"`  // match, and come too late
	Silenced []policy.Silenced `json:"silenced"`
}

type passedRule struct {
	Path string `json:"path"`
	Line int    `json:"line"`
}

func passed(rules []*policy.Rule) []passedRule {
	all := make([]passedRule, len(rules))
	for i, r := range rules {
		all[i] = passedRule{r.Path, r.Line}
	}
	return all
}

func (c *cli) runPolicyExplain(output string, args []string) error {
	repo, err := c.repositoryHere()
	if err != nil {
		return err
	}
	c.warnUnaccepted(repo)
	var all []explained
	for _, arg := range args {
		e, err := c.explain(repo, arg)
		if err != nil {
			return err
		}
		all = append(all, *e)
	}
	if output == "json" {
		return c.writeJSON(all)
	}
	texts := make([]string, len(all))
	for i := range all {
		texts[i] = all[i].text()
	}
	_, err = fmt.Fprint(c.out, strings.Join(texts, "\n"))
	return err
}

func (c *cli) explain(repo *repository, path string) (*explained, error) {
	real, err := realPath(path)
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(repo.top, real)
	if err != nil {
		return nil, err
	}
	rel = filepath.ToSlash(rel)
	why, ok := repo.policy.Explain(rel)
	if !ok {
		return nil, &fileError{path, hinted("name a file below "+repo.top, "no file inside the directory of the policy")}
	}
	e := &explained{Path: rel, Policy: relative(c.policyAt(repo.top)), Before: passed(why.Before), After: passed(why.After), Silenced: why.Silenced}
	if why.Rule != nil {
		rule := ruleOf(repo.policy, why.Rule)
		e.Rule = &rule
	}
	if e.Silenced == nil {
		e.Silenced = []policy.Silenced{}
	}
	return e, nil
}

func (e *explained) text() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintln(&b, onOneLine(fmt.Sprintf(format, args...))) }
	at := func(r passedRule) string { return fmt.Sprintf("rule %s (%s:%d)", r.Path, e.Policy, r.Line) }
	line("%s", e.Path)
	for _, r := range e.Before {
		line("  %s does not match", at(r))
	}
	if e.Rule == nil {
		line("  no rule matches: nothing is encrypted here")
	} else {
		line("  %s is the first that matches", at(passedRule{e.Rule.Path, e.Rule.Line}))
		var rows [][]string
		for _, r := range e.Rule.Readers {
			rows = append(rows, []string{"    " + r.Name, r.through(), r.Fingerprint, r.shown})
		}
		b.WriteString(table(rows))
		kind := "every recipient has to be post-quantum"
		if e.Rule.Classical {
			kind = "classical: allow: the classic recipients of each name"
		}
		line("    %s", kind)
		namespace := "Secrets that name no namespace are bound to none"
		if e.Rule.Namespace != "" {
			namespace = "Secrets that name no namespace are bound to " + e.Rule.Namespace
		}
		line("    %s", namespace)
	}
	for _, r := range e.After {
		line("  %s matches, too, and comes too late", at(r))
	}
	for _, s := range e.Silenced {
		line("  %s is silenced for %s: %s", s.Finding, s.Path, s.Reason)
	}
	return b.String()
}
