package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The rules of references, over what kustomizations build to. The last two are warnings.
const (
	MissingSecret = "missing-secret" // something refers to a Secret that nothing makes
	MissingKey    = "missing-key"    // or to a key that its Secret does not have
	UnusedSecret  = "unused-secret"  // nothing refers to a Secret
	UnusedKey     = "unused-key"     // or to one of its keys, where all the references are by key
)

// Render is what one kustomization builds to, redacted: the names of keys are in it, and no value is looked at.
type Render struct {
	File string // the kustomization, as the user knows it
	Path string // of its directory in the repository, with slashes
	YAML []byte
}

// References is what became of the references to Secrets in renders that belong together.
type References struct {
	Findings []Finding // MissingSecret, MissingKey
	Warnings []Finding // at that level: UnusedSecret, UnusedKey; MissingSecret of a reference that a chart or an operator will write
	Resolved int       // references whose Secret is there, and whose key is there or can't be known
	Unjudged int       // by a name that is made later (${VARIABLE}, {{ template }}), or perhaps to a Secret whose namespace nobody knows
}

// CheckReferences joins the references in renders with the Secrets that they have or will have. A Secret of the same render counts where
// neither namespace contradicts the other, one of another render where both say the same. hidden begins the key that stands for
// unknown ones. The error is of a render that can't be read.
func CheckReferences(renders []Render, hidden string) (*References, error) {
	r := &referencer{byName: make(map[string][]*source), first: make(map[vain]*miss)}
	for i := range renders {
		r.findings = append(r.findings, &checker{name: renders[i].File})
		r.warnings = append(r.warnings, &checker{name: renders[i].File})
		all, err := readResources(renders[i].YAML, i)
		if err != nil {
			return nil, fmt.Errorf("%s: what it builds to can't be read", renders[i].File)
		}
		r.resources = append(r.resources, all...)
	}
	r.place(renders)
	for _, o := range r.resources {
		for _, s := range o.makes(hidden) {
			r.sources = append(r.sources, s)
			r.byName[s.name] = append(r.byName[s.name], s)
		}
	}
	for _, o := range r.resources {
		for _, x := range o.refers() {
			r.judge(o, x)
		}
		o.mentions(func(name string) {
			for _, s := range r.byName[name] {
				s.whole = true
			}
		})
	}
	for _, m := range r.missed {
		m.report(r)
	}
	r.unused()
	for i := range renders {
		r.Findings = append(r.Findings, r.findings[i].found...)
		for _, f := range r.warnings[i].found {
			f.Level = Warning
			r.Warnings = append(r.Warnings, f)
		}
	}
	return &r.References, nil
}

type referencer struct {
	References
	resources []*resource
	sources   []*source
	byName    map[string][]*source
	missed    []*miss
	first     map[vain]*miss

	findings, warnings []*checker // by render
}

// reference is a place in a resource that needs a Secret.
type reference struct {
	place           string // inside the resource
	namespace, name string
	keys            []string // without any the Secret is used as a whole
	optional        bool
	weak            bool // what stands there only becomes a reference, by a chart or an operator, which may make the Secret, too
}

// source is a Secret: one in a render, or one that will be made.
type source struct {
	render          int
	namespace, name string
	anywhere        bool            // copied into other namespaces
	keys            map[string]bool // whether something refers to each
	more            bool            // there are keys, or will be, that nobody knows here
	used            bool            // something refers to it
	whole           bool            // and not by key, or nobody knows how
	native          bool            // it stands in a render itself
	exempt          bool            // whoever uses it finds it without a reference
}

// vain is what one resource refers to in vain, however often.
type vain struct {
	resource        *resource
	namespace, name string
	key             string // or "", if the Secret is missing
	weak            bool
}

// miss is the first place where a resource does so.
type miss struct {
	vain
	place string
	has   []*source // the Secrets that should have the key
	more  int       // further places
}

// judge resolves one reference.
func (r *referencer) judge(o *resource, x *reference) {
	if x.name == "" {
		return // the API server's to refuse, and allowed in imagePullSecrets
	}
	var here, elsewhere []*source
	for _, s := range r.byName[x.name] {
		if s.namespace != "" && x.namespace != "" && s.namespace != x.namespace && !s.anywhere {
			continue
		}
		s.use(x)
		switch {
		case s.render == o.render:
			here = append(here, s)
		case s.anywhere || x.namespace != "" && s.namespace == x.namespace:
			elsewhere = append(elsewhere, s)
		}
	}
	if len(here) == 0 {
		here = elsewhere
	}
	switch {
	case len(here) > 0:
		missing := slices.DeleteFunc(slices.Clone(x.keys), func(key string) bool {
			return x.optional || madeLater(key) || slices.ContainsFunc(here, func(s *source) bool { _, ok := s.keys[key]; return ok || s.more })
		})
		for _, key := range missing {
			r.miss(o, x, key, here)
		}
		if len(missing) == 0 {
			r.Resolved++
		}
	case madeLater(x.name) || madeLater(x.namespace) || x.weak && r.perhaps(x):
		r.Unjudged++
	case !x.optional:
		r.miss(o, x, "", nil)
	}
}

// perhaps reports whether a Secret elsewhere may be the one that is meant, if only its namespace were known.
func (r *referencer) perhaps(x *reference) bool {
	return slices.ContainsFunc(r.byName[x.name], func(s *source) bool { return s.namespace == "" || x.namespace == "" })
}

// use notes that something refers to the Secret. Without namespaces that may be wrong, and then a warning is missing.
func (s *source) use(x *reference) {
	s.used = true
	s.whole = s.whole || len(x.keys) == 0
	for _, key := range x.keys {
		if _, ok := s.keys[key]; ok {
			s.keys[key] = true
		}
	}
}

// madeLater reports whether a name is none yet: Flux, a storage driver or Helm puts something in.
func madeLater(name string) bool {
	return strings.Contains(name, "$") || strings.Contains(name, "{{")
}

func (r *referencer) miss(o *resource, x *reference, key string, has []*source) {
	v := vain{o, x.namespace, x.name, key, x.weak}
	if first := r.first[v]; first != nil {
		first.more++
		return
	}
	m := &miss{vain: v, place: x.place, has: has}
	r.first[v] = m
	r.missed = append(r.missed, m)
}

// report says where the reference is, and what may have been meant.
func (m *miss) report(r *referencer) {
	level, rule := r.findings, MissingSecret
	switch {
	case m.key != "":
		rule = MissingKey
	case m.weak:
		level = r.warnings
	}
	if level[m.resource.render].full(rule) {
		return // what may have been meant takes time to find out
	}
	f := Finding{Rule: rule, Secret: ref(m.namespace, m.name, ""), What: m.resource.describe() + ": " + m.place,
		Hint: `correct the name, or mark the reference "optional: true"; if something outside these kustomizations makes the Secret, silence ` + MissingSecret + ` in the policy and say what`}
	if m.more > 0 {
		f.What += fmt.Sprintf(", and %d more like it", m.more)
	}
	if m.key != "" {
		f.Key = joinKeys([]string{m.key})
		f.Hint = `correct the key, or mark the reference "optional: true"`
		var keys []string
		for _, s := range m.has {
			keys = slices.AppendSeq(keys, maps.Keys(s.keys))
		}
		f.What += ": the Secret has no such key" + meant(m.key, keys)
	} else {
		f.What += ": there is no such Secret" + r.elsewhere(m)
	}
	level[m.resource.render].add(f)
}

// elsewhere says which other Secret may have been meant: one of the same name in another place, or of a similar one in this.
func (r *referencer) elsewhere(m *miss) string {
	if others := r.byName[m.name]; len(others) > 0 {
		s := others[0]
		switch {
		case s.namespace != "" && m.namespace != "":
			return "; there is one in namespace " + nameOnly(s.namespace)
		case s.namespace != "":
			return fmt.Sprintf("; there is one in namespace %s, and nothing says that this is the same", nameOnly(s.namespace))
		default:
			return fmt.Sprintf("; there is one in what %s builds to, and nothing says that its namespace is the same", r.findings[s.render].name)
		}
	}
	var names []string
	for _, s := range r.sources {
		if s.render == m.resource.render || s.namespace != "" && s.namespace == m.namespace {
			names = append(names, unhashed(s.name))
		}
	}
	if slices.Contains(names, m.name) {
		return "; there is one with a hash behind its name, which references of its own kustomization follow and no others"
	}
	return meant(m.name, names)
}

// unhashed is a name as people write it, without what kustomize appends to that of a generated Secret (kustomize/api/hasher).
func unhashed(name string) string {
	const length, letters = 10, "2456789bcdfghkmt"
	if i := strings.LastIndexByte(name, '-'); i > 0 && len(name) == i+1+length && strings.Trim(name[i+1:], letters) == "" {
		return name[:i]
	}
	return name
}

// unused warns of Secrets in the renders that nothing refers to.
func (r *referencer) unused() {
	for _, s := range r.sources {
		if !s.native || s.exempt || s.whole {
			continue
		}
		f := Finding{Rule: UnusedSecret, Secret: ref(s.namespace, s.name, ""), What: "nothing in these kustomizations refers to it",
			Hint: "remove it, or silence the rule in the policy and say who uses it"}
		if s.used {
			var keys []string
			for key, used := range s.keys {
				if !used {
					keys = append(keys, key)
				}
			}
			if len(keys) == 0 {
				continue
			}
			f.Rule, f.Key = UnusedKey, joinKeys(keys)
		}
		r.warnings[s.render].add(f)
	}
}

// meant names the nearest of what there is, if a slip of the hand can have made one of the other.
func meant(name string, candidates []string) string {
	const longest = 253 // of a name or key in Kubernetes
	if len(name) > longest {
		return ""
	}
	best, least := "", 1+min(3, len(name)/2)
	slices.Sort(candidates)
	for _, c := range candidates {
		if len(c) <= longest {
			if d := distance(name, c, least-1); d < least {
				best, least = c, d
			}
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + nameOnly(best) + "?"
}

// distance counts the letters to insert, delete or replace to make b of a (Levenshtein), up to most: a render may have thousands of names, each
// of which is held against each.
func distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		from, to := max(0, i-most), min(len(b), i+most+1) // further away it is more than most
		diagonal := row[from]
		if row[from] = most + 1; from == 0 {
			row[from] = i + 1
		}
		nearest := row[from]
		for j := from; j < to; j++ {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
			nearest = min(nearest, cost)
		}
		if nearest > most {
			return nearest
		}
	}
	return row[len(b)]
}
