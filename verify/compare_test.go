package verify_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/internal/testkeys"
	"github.com/ageseal/ageseal/policy"
	"github.com/ageseal/ageseal/verify"
)

// wrote gives a sealed manifest: "ns/name" of metadata and of the binding, data keys with their readers and a letter for how they are wrapped, values
// with their data key and a letter for the box.
//
//	wrote("prod/db", "prod/db", "k alice,bob A; l alice B", "password k x; user l y")
func wrote(meta, binding, wraps, data string) string {
	var b strings.Builder
	named := func(pair, indent string) {
		ns, name, _ := strings.Cut(pair, "/")
		for _, f := range [][2]string{{"name", name}, {"namespace", ns}} {
			if f[1] != "" {
				b.WriteString(indent + f[0] + ": " + f[1] + "\n")
			}
		}
	}
	id := func(s string) string { return strings.Repeat(s, 32) }
	b.WriteString("apiVersion: ageseal.dev/v1alpha1\nkind: EncryptedSecret\nmetadata:\n")
	named(meta, "  ")
	b.WriteString("spec:\n  suite: 1\n  binding:\n")
	named(binding, "    ")
	b.WriteString("  wraps:\n")
	for _, w := range strings.Split(wraps, "; ") {
		f := strings.Fields(w)
		var to []string
		for _, who := range strings.Split(f[1], ",") {
			to = append(to, fingerprints[who])
		}
		slices.Sort(to)
		fmt.Fprintf(&b, "    %s: {to: [%s], age: %s, dk: %s}\n", id(f[0]), strings.Join(to, ", "), id(f[2]), id(f[2]))
	}
	b.WriteString("  data:\n")
	for _, d := range strings.Split(data, "; ") {
		f := strings.Fields(d)
		fmt.Fprintf(&b, "    %s: {by: %s, box: CANARYBOX%s}\n", f[0], id(f[1]), id(f[2]))
	}
	return b.String()
}

var fingerprints = map[string]string{
	"alice": testkeys.Alice().Recipient().Fingerprint(), "bob": testkeys.Bob().Recipient().Fingerprint(), "carol": testkeys.Carol().Recipient().Fingerprint(),
	"mallory": "mmmmmmmmmmmmmmmm",
}

const armor = "-----BEGIN AGE ENCRYPTED FILE-----\nCANARYBOX%s\n-----END AGE ENCRYPTED FILE-----\n"

func TestCompare(t *testing.T) {
	people := "apiVersion: ageseal.dev/v1alpha1\nkind: Policy\nrecipients:\n  alice: " + testkeys.Alice().Recipient().String() + "\n  bob: " + testkeys.Bob().Recipient().String() + "\n"
	rules := "rules:\n- {path: \"**\", recipients: [alice, bob]}\n"
	parse := func(text string) *policy.Policy {
		p, err := policy.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	before, after := parse(people+rules), parse(people+"  carol: "+testkeys.Carol().Recipient().String()+"\n"+rules)

	db := wrote("prod/db", "prod/db", "k alice,bob A", "password k x; user k y")
	type files map[string]string // path → content; a path "old>new" of what is was renamed
	tests := []struct {
		name    string
		was, is files
		older   string
		want    []string
	}{
		{"the same", files{"a": db}, files{"a": db}, "", nil},
		{"written in another way", files{"a": db}, files{"a": "# by hand\n" + db}, "", nil},
		{"no manifest", files{"a": "x: 1\n"}, files{"a": "x: 2\n", "b": "\x00EncryptedSecret"}, "", nil},
		{"a value", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "k alice,bob A; l alice,bob B", "password l z; user k y")}, "",
			[]string{"a:password change replaced-value prod/db [password] replaced"}},
		{"keys come and go", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "k alice,bob A; l alice,bob B", "new l z; user k y")}, "",
			[]string{"a:suite change removed-value prod/db [password] removed", "a:new change added-value prod/db [new] added"}},
		{"every value", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "l alice,bob B", "password l v; user l w")}, "",
			[]string{"a:suite change rotated prod/db every value was encrypted again (password, user): whether one changed shows with a key only"}},
		{"a box under another data key", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "k alice,bob A; l alice,bob B", "password l x; user k y")}, "",
			[]string{"a:password change replaced-value prod/db [password] replaced"}},
		{"restored", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "k alice,bob A; l alice,bob B", "password l z; user k y")},
			wrote("other/name", "other/name", "l alice C", "password l z"),
			[]string{"a:password finding restored-value prod/db [password] the value is back that it had in commit 0123456789ab"}},
		{"restored from a copy that lies about", files{"a": db, "old": wrote("prod/db", "prod/db", "l alice,bob B", "password l z")},
			files{"a": wrote("prod/db", "prod/db", "k alice,bob A; l alice,bob B", "password l z; user k y"), "old": "# kept\n" + wrote("prod/db", "prod/db", "l alice,bob B", "password l z")},
			wrote("prod/db", "prod/db", "l alice C", "password l z"), []string{"a:password finding restored-value prod/db [password] the value is back that it had in commit 0123456789ab"}},
		{"restored among all", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "l alice,bob B", "password l z; user l w; more l v")}, wrote("prod/db", "prod/db", "l alice C", "password l z"),
			[]string{"a:password finding restored-value prod/db [password] the value is back that it had in commit 0123456789ab", "a:user change replaced-value prod/db [user] replaced", "a:more change added-value prod/db [more] added"}},
		{"restored with the file", nil, files{"a": db}, db, []string{"a:suite change added-secret prod/db new, with password, user; readable by alice, bob",
			"a:password finding restored-value prod/db [password] the value is back that it had in commit 0123456789ab", "a:user finding restored-value prod/db [user] the value is back that it had in commit 0123456789ab"}},
		{"what was there is not restored", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "k alice,bob A", "password k x")}, db, []string{"a:suite change removed-value prod/db [user] removed"}},

		{"somebody joins", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "k alice,bob,carol B", "password k x; user k y")}, "",
			[]string{"a:suite finding widened-recipients prod/db readable by carol (a new key, $CAROL) now", "a:suite change rewrapped prod/db carol (a new key, $CAROL) joined, no value changed"}},
		{"somebody joins, and a value changes", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "k alice,bob,carol B; l alice,bob,carol C", "password l z; user k y")}, "",
			[]string{"a:suite finding widened-recipients prod/db readable by carol (a new key, $CAROL) now", "a:suite change rewrapped prod/db carol (a new key, $CAROL) joined, unchanged: user", "a:password change replaced-value prod/db [password] replaced"}},
		{"a value for somebody more", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "k alice,bob A; l alice,bob,mallory C", "password l z; user k y")}, "",
			[]string{"a:suite finding widened-recipients prod/db readable by a recipient that the policy does not have (mmmmmmmmmmmmmmmm) now: password", "a:password change replaced-value prod/db [password] replaced"}},
		{"a new value for who reads the others", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "k alice,bob A; l alice,bob B", "more l z; password k x; user k y")}, "",
			[]string{"a:more change added-value prod/db [more] added"}},
		{"somebody who could read one value reads another", files{"a": wrote("prod/db", "prod/db", "k alice A; l alice,bob B", "password k x; user l y")},
			files{"a": wrote("prod/db", "prod/db", "k alice,bob C; l alice,bob B", "password k x; user l y")}, "",
			[]string{"a:suite finding widened-recipients prod/db readable by bob now: password", "a:suite change rewrapped prod/db bob joined, unchanged: password"}},
		{"wrapped again for the same", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "k alice,bob B", "password k x; user k y")}, "",
			[]string{"a:suite change rewrapped prod/db wrapped again for the same people, no value changed"}},
		{"somebody leaves", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "l alice B", "password l v; user l w")}, "",
			[]string{"a:suite change rotated prod/db every value was encrypted again (password, user): whether one changed shows with a key only", "a:suite change narrowed-recipients prod/db bob can't read what was encrypted again, and keeps what git has"}},
		{"somebody is only taken off the list", files{"a": db}, files{"a": wrote("prod/db", "prod/db", "k alice B", "password k x; user k y")}, "",
			[]string{"a:suite warning rewrapped prod/db bob was left out, but opens what was not encrypted again (password, user) with what git has"}},

		{"no namespace any more", files{"a": db}, files{"a": wrote("prod/db", "/db", "l alice,bob B", "password l z; user l w")}, "",
			[]string{"a:suite finding widened-binding prod/db not bound to namespace prod any more: its values open elsewhere, too", "a:suite change rotated prod/db every value was encrypted again (password, user): whether one changed shows with a key only"}},
		{"no namespace any more, in another file", files{"a": db}, files{"b": wrote("/db", "/db", "l alice,bob,mallory B", "password l z")}, "",
			[]string{"b:suite change moved-secret db was in a", "b:suite finding widened-binding db not bound to namespace prod any more: its values open elsewhere, too", "b:suite change removed-value db [user] removed",
				"b:suite finding widened-recipients db readable by a recipient that the policy does not have (mmmmmmmmmmmmmmmm) now", "b:password change replaced-value db [password] replaced"}},
		{"another namespace", files{"a": db}, files{"a": wrote("dev/db", "dev/db", "l alice,bob B", "password l z; user l w")}, "",
			[]string{"a:suite change changed-binding dev/db bound to dev/db, was prod/db", "a:suite change rotated dev/db every value was encrypted again (password, user): whether one changed shows with a key only"}},
		{"a namespace at last", files{"a": wrote("/db", "/db", "k alice,bob A", "user k y")}, files{"a": wrote("prod/db", "prod/db", "l alice,bob B", "user l w")}, "",
			[]string{"a:suite change changed-binding prod/db bound to prod/db, was db", "a:user change replaced-value prod/db [user] replaced"}},
		{"type", files{"a": db}, files{"a": strings.Replace(db, "  suite: 1\n", "  suite: 1\n  type: kubernetes.io/tls\n", 1)}, "",
			[]string{"a:suite change changed-type prod/db type kubernetes.io/tls, was no type"}},

		{"a Secret comes, another goes", files{"a": db}, files{"b": wrote("dev/mail", "dev/mail", "l alice B", "user l w")}, "",
			[]string{"a:suite change removed-secret prod/db removed; it had password, user", "b:suite change added-secret dev/mail new, with user; readable by alice"}},
		{"a file is renamed", files{"a>b": db}, files{"a>b": db}, "", []string{"b:suite change moved-secret prod/db was in a"}},
		{"renamed, and git does not see it", files{"a": db}, files{"b": wrote("prod/db", "prod/db", "l alice,bob B", "password l v; user l w")}, "",
			[]string{"b:suite change moved-secret prod/db was in a", "b:suite change rotated prod/db every value was encrypted again (password, user): whether one changed shows with a key only"}},
		{"git takes two files for one another", files{"a>d": db, "c>b": wrote("prod/mail", "prod/mail", "l alice B", "user l w")}, files{"a>d": wrote("prod/mail", "prod/mail", "l alice B", "user l w"), "c>b": db}, "",
			[]string{"b:suite change moved-secret prod/db was in a", "d:suite change moved-secret prod/mail was in c"}},
		{"a value that moves to a new Secret for more", files{"a": db}, files{"a": db + "---\n" + wrote("dev/copy", "prod/copy", "k alice,bob,mallory B", "password k x")}, "",
			[]string{"a:suite change added-secret dev/copy new, with password; readable by a recipient that the policy does not have (mmmmmmmmmmmmmmmm), alice, bob",
				"a:suite finding widened-recipients dev/copy readable by a recipient that the policy does not have (mmmmmmmmmmmmmmmm) now"}},
		{"order in a file", files{"a": db + "---\n" + wrote("prod/mail", "prod/mail", "l alice B", "user l w")}, files{"a": wrote("prod/mail", "prod/mail", "l alice B", "user l w") + "---\n" + db}, "", nil},
		{"equal bindings stay with their files", files{"a": wrote("/db", "/db", "k alice A", "user k y"), "b": wrote("/db", "/db", "l bob B", "user l w")},
			files{"a": wrote("/db", "/db", "k alice A", "user k z"), "b": wrote("/db", "/db", "l bob B", "user l w")}, "", []string{"a:user change replaced-value db [user] replaced"}},

		{"sealed files", files{"a.age": fmt.Sprintf(armor, "1"), "b.age": fmt.Sprintf(armor, "2"), "c.age>d.age": fmt.Sprintf(armor, "3")}, files{"a.age": fmt.Sprintf(armor, "4"), "e.age": fmt.Sprintf(armor, "5"), "c.age>d.age": fmt.Sprintf(armor, "3") + "\n"}, "",
			[]string{"a.age:BEGIN AGE ENCRYPTED FILE change replaced-file  sealed file replaced", "b.age:BEGIN AGE ENCRYPTED FILE change removed-file  sealed file removed, or no sealed file any more", "d.age:BEGIN AGE ENCRYPTED FILE change moved-file  sealed file, was c.age", "e.age:BEGIN AGE ENCRYPTED FILE change added-file  sealed file added"}},
		{"a sealed file is restored", files{"a.age": fmt.Sprintf(armor, "1")}, files{"a.age": strings.Replace(fmt.Sprintf(armor, "2"), "CANARY", "CAN\nARY", 1)}, fmt.Sprintf(armor, "2"),
			[]string{"a.age:BEGIN AGE ENCRYPTED FILE finding restored-value  the sealed file is back as it was in commit 0123456789ab"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := verify.NewComparison(before, after)
			for _, path := range slices.Sorted(maps.Keys(union(tt.was, tt.is))) {
				was, is := path, path
				if from, to, ok := strings.Cut(path, ">"); ok {
					was, is = from, to
				}
				side := func(all files, name string) verify.Side {
					if text, ok := all[path]; ok {
						return verify.Side{Path: name, Name: name, Data: []byte(text)}
					}
					return verify.Side{}
				}
				c.File(side(tt.was, was), side(tt.is, is))
			}
			if paths := c.Written(); tt.older != "" && len(paths) > 0 {
				c.Older("0123456789abcdef", []byte(tt.older))
				c.Older("fedcba9876543210", []byte(tt.older)) // an older one still
			}
			// at is what stands on the line of a finding.
			at := func(f verify.Finding) string {
				for _, all := range []files{tt.is, tt.was} {
					for path, text := range all {
						if from, to, _ := strings.Cut(path, ">"); f.File == from && to == "" || f.File == to {
							word, _, _ := strings.Cut(strings.TrimSpace(strings.Split(text, "\n")[f.Line-1]), ":")
							return strings.Trim(word, "-")
						}
					}
				}
				return "nowhere"
			}
			var got []string
			for _, f := range c.Findings() {
				all, _ := json.Marshal(f)
				if strings.Contains(string(all), "CANARY") || f.Level == verify.Fault && f.Hint == "" {
					t.Errorf("quotes ciphertext, or lacks a hint: %s", all)
				}
				key := ""
				if f.Key != "" {
					key = "[" + f.Key + "] "
				}
				got = append(got, strings.ReplaceAll(fmt.Sprintf("%s:%s %s %s %s %s%s", f.File, at(f), f.Level, f.Rule, f.Secret, key, f.What), fingerprints["carol"], "$CAROL"))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func union(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, b)
	return out
}

// A file that the change leaves alone has values that are no news, and an older content that is worth a look, for a Secret of its binding only.
func TestCompareBeside(t *testing.T) {
	db := wrote("prod/db", "prod/db", "k alice A", "password k x; user k y")
	for _, tt := range []struct {
		name, was, is, beside string
		looks                 bool
		want                  []string
	}{
		{"a copy", "", db, db, true, nil},
		{"an old one beside it", "", strings.Replace(db, "xxxx", "zzzz", 1), db, true, []string{"beside", "new"}},
		{"bound otherwise", "", strings.Replace(db, "xxxx", "zzzz", 1), wrote("prod/other", "prod/other", "k alice A", "user k y"), true, []string{"new"}},
		{"in the place of another", wrote("prod/other", "prod/other", "k alice A", "user k w"), strings.Replace(db, "xxxx", "zzzz", 1), db, true, []string{"beside", "new", "old"}},
		{"an old copy hides nothing", db, strings.Replace(db, "xxxx", "zzzz", 1), strings.Replace(db, "xxxx", "zzzz", 1), false, []string{"new", "old"}},
		{"a copy of a sealed file", "", fmt.Sprintf(armor, "1"), fmt.Sprintf(armor, "1"), false, nil},
	} {
		c := verify.NewComparison(nil, nil)
		was := verify.Side{Path: "old", Name: "old", Data: []byte(tt.was)}
		if tt.was == "" {
			was = verify.Side{}
		}
		c.File(was, verify.Side{Path: "new", Name: "new", Data: []byte(tt.is)})
		if got := c.LooksBeside(); got != tt.looks {
			t.Errorf("%s: looks beside: %t", tt.name, got)
		}
		c.Beside("beside", []byte(tt.beside))
		if diff := cmp.Diff(tt.want, c.Written()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// What was sealed before, or is moved only, needs no look at history.
func TestCompareAsksForHistory(t *testing.T) {
	db := wrote("prod/db", "prod/db", "k alice A", "password k x; user k y")
	for _, tt := range []struct {
		name, is string
		want     []string
	}{
		{"moved", db, nil},
		{"wrapped again", strings.ReplaceAll(db, "AAAA", "BBBB"), nil},
		{"removed", "", nil},
		{"written", strings.Replace(db, "xxxx", "zzzz", 1), []string{"new", "old"}},
	} {
		c := verify.NewComparison(nil, nil)
		is := verify.Side{Path: "new", Name: "new", Data: []byte(tt.is)}
		c.File(verify.Side{Path: "old", Name: "old", Data: []byte(db)}, is)
		if diff := cmp.Diff(tt.want, c.Written()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
