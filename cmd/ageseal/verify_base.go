package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/verify"
)

func (o *verifyOptions) checkBase(cmd *cobra.Command, args []string) error {
	given := cmd.Flags().Changed("base")
	switch {
	case given && o.base == "":
		return usage("ageseal verify --base origin/main", "--base is empty, as an unset variable makes it")
	case given && o.staged:
		return usage("ageseal verify --help", "--base looks at what is committed, --staged at what is not")
	case o.allowWidening && !given:
		return usage("ageseal verify --help", "--allow-widening is about what changed since --base")
	case given && slices.Contains(args, ""):
		return usage("ageseal verify --base origin/main", "a PATH is empty, as an unset variable makes it")
	}
	return nil
}

// change is one look at what HEAD changed since it left a revision.
type change struct {
	stage
	o          *verifyOptions
	span       *git.Span
	comparison *verify.Comparison
	earlier    *verify.Judge // of files as they were
	next       *verify.Judge // by the change's policy, if that is another
	due        []verify.Finding
	found      []verify.Finding
	wider      []verify.Finding
}

func (c *cli) runVerifyBase(o *verifyOptions, args []string) error {
	ctx := context.Background()
	repo, err := git.Open(ctx, ".")
	if err != nil {
		return err
	}
	span, err := repo.Since(ctx, o.base)
	if err != nil {
		return err
	}
	ch := &change{o: o, span: span, stage: stage{c: c, ctx: ctx, repo: repo, commit: span.Head, seen: map[string]bool{}}}
	ch.read = func(ctx context.Context, paths ...string) (map[string][]byte, error) {
		return repo.At(ctx, span.Head, paths...)
	}
	pairs, err := repo.Pairs(ctx, span.Base, span.Head)
	if err != nil {
		return err
	}
	if pairs, err = ch.limit(pairs, args); err != nil {
		return err
	}
	if err := ch.look(pairs); err != nil {
		return err
	}
	return c.writeAll(o.output, &findings{list: append(ch.wider, ch.found...), base: o.base, wider: len(ch.wider)})
}

// limit keeps the files that lie, or lay, below the arguments. The policy is about all of them.
func (ch *change) limit(pairs []git.Pair, args []string) ([]git.Pair, error) {
	var asked []string
	for _, arg := range args {
		rel, err := ch.repo.Rel(arg)
		if err != nil {
			return nil, within(arg, err)
		}
		if rel == "." {
			return pairs, nil
		}
		asked = append(asked, rel)
		if _, err := os.Lstat(arg); errors.Is(err, fs.ErrNotExist) && !slices.ContainsFunc(pairs, func(p git.Pair) bool { return below(p.Was, rel) || below(p.Is, rel) }) {
			return nil, &fileError{arg, hinted("git diff --stat "+quoted(ch.o.base)+"... lists what changed", "is not there, and was not changed")}
		}
	}
	if len(args) == 0 {
		return pairs, nil
	}
	return slices.DeleteFunc(pairs, func(p git.Pair) bool {
		return !isPolicy(p) && !slices.ContainsFunc(asked, func(dir string) bool { return below(p.Was, dir) || below(p.Is, dir) })
	}), nil
}

func below(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// look collects the findings: ch.wider are those that more is allowed than before.
func (ch *change) look(pairs []git.Pair) error {
	if len(pairs) == 0 {
		return nil
	}
	judging, silenced, err := ch.policies()
	if err != nil {
		return err
	}
	before, after, err := ch.policyPair(pairs)
	if err != nil {
		return err
	}
	ch.comparison = verify.NewComparison(judging, after)
	judgeBy := func(p *policy.Policy) *verify.Judge { return verify.NewJudge(func() *policy.Policy { return p }) }
	if after != nil && ch.c.policyFile == "" {
		ch.next = judgeBy(after)
		if ch.o.allowWidening {
			judging = after
		}
	}
	ch.judge, ch.earlier = judgeBy(judging), judgeBy(judging)
	ch.policy = func() *policy.Policy { return judging }
	var found []verify.Finding
	var files []seenFile
	err = ch.repo.Both(ch.ctx, maxVerified, pairs, func(p git.Pair, was, is git.Blob) error {
		found = append(found, ch.file(p, was, is)...)
		ch.judge.Was(ch.shown(p.Was), p.Was, was.Data)
		if _, identity := policy.IdentityOf(p.Is); crypt.IsArmored(is.Data) && !identity {
			files = append(files, seenFile{ch.shown(p.Is), filepath.Join(ch.repo.Top, filepath.FromSlash(p.Is)), is.Data})
		}
		ch.comparison.File(verify.Side{Path: p.Was, Name: ch.shown(p.Was), Data: was.Data}, verify.Side{Path: p.Is, Name: ch.shown(p.Is), Data: is.Data})
		return nil
	})
	if err != nil {
		return err
	}
	copies, err := ch.copies(found)
	if err != nil {
		return err
	}
	beside, err := ch.beside(files)
	if err != nil {
		return err
	}
	found = append(found, ch.files(files, ch.policy)...)
	if ch.next != nil {
		due := ch.files(files, func() *policy.Policy { return after })
		found = slices.Concat(slices.DeleteFunc(found, isDue), ch.due, pick(&due, isDue))
	}
	if lacking, err := ch.older(files); err != nil {
		return err
	} else if lacking {
		found = append(found, verify.Finding{Level: verify.Warning, Rule: "shallow-clone", What: "a value that is back from a commit that this clone lacks is not told from a new one",
			Hint: `"git fetch --unshallow"; in CI "fetch-depth: 0", or GIT_DEPTH: "0"`})
	}
	identities, err := ch.identities()
	if err != nil {
		return err
	}
	found = slices.Concat(found, copies, beside, identities, ch.comparison.Findings())
	if slices.ContainsFunc(pairs, isPolicy) {
		found = append(found, verify.ComparePolicies(ch.shown(policy.FileName), before, after)...)
	}
	quiet := func(f verify.Finding) bool {
		path, err := ch.repo.Rel(f.File)
		return err == nil && silenced(f.Rule, path)
	}
	ch.wider = slices.DeleteFunc(ch.wider, quiet)
	ch.sort(slices.DeleteFunc(found, quiet))
	return nil
}

// isDue tells warnings of what is to be done next: for that the policy counts that the change brings.
func isDue(f verify.Finding) bool { return f.Rule == verify.PendingJoin || f.Rule == verify.NoRule }

func isPolicy(p git.Pair) bool { return p.Was == policy.FileName || p.Is == policy.FileName }

// policies are the one that judges, nil for none, and what silences: that at the tip of the base, which the change can't choose, as it can the
// commit where it left it.
func (ch *change) policies() (*policy.Policy, func(rule, path string) bool, error) {
	var data []byte
	if ch.c.policyFile != "" {
		var err error
		if data, err = os.ReadFile(ch.c.policyFile); err != nil {
			return nil, nil, err
		}
	} else {
		tip, err := ch.repo.At(ch.ctx, ch.span.Tip, policy.FileName)
		if err != nil {
			return nil, nil, err
		}
		data = tip[policy.FileName]
	}
	p, err := policy.Parse(data)
	switch {
	case err != nil && ch.c.policyFile != "":
		return nil, nil, within(ch.c.policyFile, err)
	case err != nil && data != nil:
		ch.c.warn(fmt.Sprintf("the policy at %s can't be read, so it judges and silences nothing", ch.o.base), "")
	}
	return p, func(rule, path string) bool {
		if p == nil {
			return false
		}
		_, ok := p.Silenced(rule, path)
		return ok
	}, nil
}

// policyPair are the policies on both sides of the change, nil for one that is not there or can't be read.
func (ch *change) policyPair(pairs []git.Pair) (before, after *policy.Policy, err error) {
	if !slices.ContainsFunc(pairs, isPolicy) {
		return nil, nil, nil
	}
	both := [2]*policy.Policy{}
	for i, commit := range []string{ch.span.Base, ch.span.Head} {
		at, err := ch.repo.At(ch.ctx, commit, policy.FileName)
		if err != nil {
			return nil, nil, err
		}
		both[i], _ = policy.Parse(at[policy.FileName])
	}
	return both[0], both[1], nil
}

// file holds what a file is against the checks. What it was already is no news: a recipient that only a key takes away is a warning.
func (ch *change) file(p git.Pair, was, is git.Blob) []verify.Finding {
	if p.Is == "" {
		return nil
	}
	name := ch.shown(p.Is)
	ch.seen[p.Is] = true
	if is.Data == nil {
		return ch.c.tooLarge(name)
	}
	judge := ch.judge
	if _, identity := policy.IdentityOf(p.Is); identity && ch.next != nil {
		judge = ch.next // which groups there are is the policy's to say that comes with it; what widens is told
	}
	found := judge.Bytes(name, p.Is, is.Data)
	if ch.next != nil {
		due := ch.next.Bytes(name, p.Is, is.Data)
		ch.due = append(ch.due, pick(&due, isDue)...)
	}
	if p.Is == policy.FileName {
		found = append(found, brokenPolicy(name, is.Data)...)
	}
	found = append(found, ch.checklist(name, is.Data)...)
	ofBoth := func(f verify.Finding) bool { return f.Rule == verify.ExtraRecipient || f.Rule == verify.RiskyLabel }
	if p.Was == "" || !slices.ContainsFunc(found, ofBoth) {
		ch.wider = append(ch.wider, pick(&found, func(f verify.Finding) bool { return f.Rule == verify.RiskyLabel })...)
		return found
	}
	known := map[string]bool{}
	id := func(f verify.Finding) string { return f.Rule + "\n" + f.Secret + "\n" + f.What }
	for _, f := range ch.earlier.Bytes(name, p.Is, was.Data) {
		known[id(f)] = true
	}
	for i, f := range found {
		if f.Rule == verify.ExtraRecipient && known[id(f)] {
			found[i].Level = verify.Warning
		}
	}
	ch.wider = append(ch.wider, pick(&found, func(f verify.Finding) bool { return f.Rule == verify.RiskyLabel && !known[id(f)] })...)
	return found
}

// pick takes those out of a list that a test holds for.
func pick(list *[]verify.Finding, test func(verify.Finding) bool) (picked []verify.Finding) {
	*list = slices.DeleteFunc(*list, func(f verify.Finding) bool {
		if test(f) {
			picked = append(picked, f)
			return true
		}
		return false
	})
	return picked
}

// sort puts what widened first, then findings, warnings and changes.
func (ch *change) sort(found []verify.Finding) {
	ch.wider = append(ch.wider, pick(&found, func(f verify.Finding) bool { return verify.Widens(f.Rule) })...)
	ch.found = found
	told := map[string]bool{}
	for i, f := range ch.wider {
		if ch.o.allowWidening {
			ch.wider[i].Level, ch.wider[i].Hint = verify.Change, ""
		}
		told[f.Rule+"\n"+f.File+"\n"+f.Secret] = true
	}
	if !ch.o.allowWidening { // that the rule lacks him is the same once more
		pick(&ch.found, func(f verify.Finding) bool {
			return f.Rule == verify.ExtraRecipient && told[verify.WidenedRecipients+"\n"+f.File+"\n"+f.Secret]
		})
	}
	rank := func(f verify.Finding) int {
		return slices.Index([]string{verify.Fault, verify.Warning, verify.Change}, cmp.Or(f.Level, verify.Fault))
	}
	order := func(a, b verify.Finding) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	}
	slices.SortStableFunc(ch.wider, order)
	slices.SortStableFunc(ch.found, order)
}
