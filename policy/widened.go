package policy

import (
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
)

// Widening is one way in which a policy allows what another did not.
type Widening struct {
	Line int    // of the rule, 0 if there is none
	What string // in the words of Diff
}

// Widened lists what now allows and old did not: somebody to read a file, a weaker key or a wider binding for it, a finding to be silenced. nil
// is a policy without a rule. It is empty only if nothing widened, for every path there may be; where that is hard to tell, because patterns
// overlap, it says too much.
func Widened(old, now *Policy) []Widening {
	if old == nil {
		old = &Policy{}
	}
	if now == nil {
		now = &Policy{}
	}
	w := &widener{old: old, now: now, known: map[string]bool{}}
	for _, rs := range old.recipients {
		for _, r := range rs {
			w.known[r.String()] = true
		}
	}
	for _, g := range old.Shared() {
		w.known[g.Recipient.String()] = true
	}
	for i, r := range now.rules {
		if _, ok := old.RuleByPattern(r.Path); !ok {
			w.added(i, r)
		}
	}
	for i, was := range old.rules {
		w.kept(i, was)
	}
	slices.SortStableFunc(w.list, func(a, b Widening) int { return a.Line - b.Line })
	for _, s := range now.silence {
		if !slices.ContainsFunc(old.silence, func(o silence) bool { return o.finding == s.finding && o.path == s.path }) {
			w.list = append(w.list, Widening{What: "+ silence " + s.finding + " for " + s.path + ": " + s.reason})
		}
	}
	return w.list
}

type widener struct {
	old, now *Policy
	known    map[string]bool // recipients of the old policy
	list     []Widening
}

func (w *widener) add(r *Rule, how string, gains []string) {
	if len(gains) > 0 {
		w.list = append(w.list, Widening{r.Line, "rule " + r.Path + how + ": + " + strings.Join(gains, ", ")})
	}
}

// added is about a rule with a new pattern. It may take files from every old rule that can match what it does, and files that had none.
func (w *widener) added(i int, r *Rule) {
	var gains []string
	everywhere := false
	for _, was := range w.old.rules {
		if !disjoint(was.glob, r.glob) {
			gains = append(gains, w.gains(was, r)...)
		}
		everywhere = everywhere || was.glob.all()
	}
	if !everywhere {
		gains = append(gains, w.gains(nil, r)...)
	}
	how := ", which is new"
	if i+1 < len(w.now.rules) {
		how += " and comes before rule " + w.now.rules[i+1].Path
	}
	w.add(r, how, distinctText(gains))
}

// kept is about an old rule: it may allow more, or hand its files to another that does.
func (w *widener) kept(i int, was *Rule) {
	at := slices.IndexFunc(w.now.rules, func(r *Rule) bool { return r.Path == was.Path })
	if at >= 0 {
		w.add(w.now.rules[at], "", w.gains(was, w.now.rules[at]))
	}
	for _, later := range w.old.rules[i+1:] {
		j := slices.IndexFunc(w.now.rules, func(r *Rule) bool { return r.Path == later.Path })
		if j < 0 || at >= 0 && at < j || disjoint(was.glob, later.glob) {
			continue
		}
		how := ", which gets files of rule " + was.Path + " as that one is gone"
		if at >= 0 {
			how = ", which comes before rule " + was.Path + " now"
		}
		w.add(w.now.rules[j], how, w.gains(was, w.now.rules[j]))
	}
}

// gains are what a file is open to under rule is that was under rule was, nil for none.
func (w *widener) gains(was, is *Rule) []string {
	var gains []string
	read := was.readers()
	for _, r := range is.readers() {
		if !slices.ContainsFunc(read, func(x *crypt.Recipient) bool { return x.String() == r.String() }) {
			name := w.now.NameOf(r.Fingerprint())
			if !slices.ContainsFunc(is.Recipients, func(x *crypt.Recipient) bool { return x.String() == r.String() }) {
				name += ", with the identity of a group"
			}
			if !w.known[r.String()] {
				name += " (a new key, " + r.Display() + ")"
			}
			gains = append(gains, name)
		}
	}
	slices.Sort(gains)
	if is.Classical && (was == nil || !was.Classical) {
		gains = append(gains, "classical: allow")
	}
	if was != nil && was.Namespace != "" && is.Namespace == "" {
		gains = append(gains, "Secrets without a namespace")
	}
	return gains
}

// readers are all whose keys open what the rule covers, directly or with a group's identity; none for no rule.
func (r *Rule) readers() []*crypt.Recipient {
	if r == nil {
		return nil
	}
	return distinct(append(slices.Clone(r.Recipients), r.Through...))
}

func distinctText(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// all reports whether g matches every file.
func (g glob) all() bool {
	last := len(g.segments) - 1
	return last > 0 && g.segments[last] == "*" && !slices.ContainsFunc(g.segments[:last], func(s string) bool { return s != anyDepth })
}

// disjoint reports that no file matches both; false where that is not seen at once.
func disjoint(a, b glob) bool {
	for i := 0; i < len(a.segments)-1 && i < len(b.segments)-1; i++ {
		x, y := a.segments[i], b.segments[i]
		if x == anyDepth || y == anyDepth {
			return false
		}
		if x != y && !strings.ContainsAny(x+y, "*?[") {
			return true
		}
	}
	return false
}
