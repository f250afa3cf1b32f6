package secret

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/internal/lazy"
	"github.com/ageseal/ageseal/manifest"
)

// Check is everything that an API server refuses of a Secret, and what the format can't hold, joined: once it is sealed, nobody
// sees any more why the cluster does not take it. line is where the Secret begins; bound the namespace it would be bound to
// where metadata names none. (Kubernetes: ValidateSecret, pkg/apis/core/validation; ValidateObjectMeta and
// ValidateAnnotations, apimachinery pkg/api/validation.)
func Check(n *manifest.NativeSecret, line int, bound string) error {
	return check(n, line, bound, true)
}

// check is Check; complete says whether every key that the type needs has to be there.
func check(n *manifest.NativeSecret, line int, bound string, complete bool) error {
	f := faults{line: line, at: checkedRef(n.Namespace, n.Name+n.GenerateName)}
	if n.Name == "" && n.GenerateName == "" {
		f.add("values are bound to the Secret's name: give it one", "metadata.name is missing")
	}
	f.name(n.Namespace, n.Name)
	if n.Namespace == "" && bound != "" && !IsNamespace(bound) && !isVariable(bound) {
		f.add("correct it in the policy's rule, or in --namespace", "the namespace to bind is no DNS-1123 label (%s)", labelRule)
	}
	f.metadata(n.Labels, n.Annotations)
	f.account(n.Type, n.Annotations)
	if complete {
		f.required(n.Type, func(key string) bool { _, ok := n.Values[key]; return ok })
	}
	for _, key := range sortedKeys(n.Values) {
		f.value(n.Type, key, n.Values[key].Bytes, n.Values[key].Line)
	}
	f.sizes(n)
	return f.join()
}

// CheckName is what an API server refuses of a namespace, "" for none, and of a name.
func CheckName(namespace, name string) error {
	f := faults{at: checkedRef(namespace, name)}
	f.name(namespace, name)
	return f.join()
}

// faults collects what is wrong with one Secret.
type faults struct {
	line int
	at   string
	list []*Error
}

func (f *faults) add(hint, format string, args ...any) { f.addKey("", f.line, hint, format, args...) }

func (f *faults) addKey(key string, line int, hint, format string, args ...any) {
	err := fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
	f.list = append(f.list, &Error{Line: line, Secret: f.at, Key: key, Err: err, Hint: hint})
}

func (f *faults) join() error {
	all := make([]error, len(f.list))
	for i, e := range f.list {
		all[i] = e
	}
	return errors.Join(all...)
}

const (
	labelRule     = "at most 63 of a-z, 0-9 and -, the first and the last no -"
	subdomainRule = "at most 253 of a-z, 0-9, - and ., the first and the last of each part no -"
	nameRule      = "at most 63 letters, digits, - _ and ., the first and the last a letter or a digit"
)

func (f *faults) name(namespace, name string) {
	if name != "" && !IsName(name) && !isVariable(name) {
		f.add("", "metadata.name is no DNS-1123 subdomain (%s)", subdomainRule)
	}
	if namespace != "" && !IsNamespace(namespace) && !isVariable(namespace) {
		f.add("", "metadata.namespace is no DNS-1123 label (%s)", labelRule)
	}
}

// maxAnnotations in bytes, keys included (apimachinery: TotalAnnotationSizeLimitB).
const maxAnnotations = 256 << 10

func (f *faults) metadata(labels, annotations map[string]string) {
	for _, key := range sortedKeys(labels) {
		switch value := labels[key]; {
		case !isQualified(key) && !isVariable(key):
			f.add("[DNS-1123 subdomain/]name: "+nameRule, "the key of a label%s is no qualified name", named(key))
		case value != "" && !isLabelValue(value) && !isVariable(value):
			f.add("", "the value of the label %s has to be empty or %s", key, nameRule)
		}
	}
	size := 0
	for _, key := range sortedKeys(annotations) {
		size += len(key) + len(annotations[key])
		if !isQualified(strings.ToLower(key)) && !isVariable(key) {
			f.add("[DNS-1123 subdomain/]name: "+nameRule, "the key of an annotation%s is no qualified name", named(key))
		}
	}
	if size > maxAnnotations {
		f.add("", "the annotations add up to %d bytes, %d at most", size, maxAnnotations)
	}
}

const (
	tlsType        = "kubernetes.io/tls"
	tokenType      = "kubernetes.io/service-account-token"
	accountOfToken = "kubernetes.io/service-account.name"
)

func (f *faults) account(t *string, annotations map[string]string) {
	if typeOf(t) == tokenType && annotations[accountOfToken] == "" {
		f.add("a patch leaves type out", "type %s needs the annotation %s, naming a ServiceAccount", tokenType, accountOfToken)
	}
}

// typeRule is what a type asks of the Secret's keys.
type typeRule struct {
	keys  []string
	any   bool                    // one of them is enough
	takes func(value []byte) bool // nil: any value
	wants string                  // what it takes
}

// typeRules are those of ValidateSecret (core/v1: SecretTypeDockercfg and its like). A certificate need not be one.
var typeRules = map[string]typeRule{
	"kubernetes.io/dockercfg":        {keys: []string{".dockercfg"}, takes: isObject, wants: "a JSON object"},
	"kubernetes.io/dockerconfigjson": {keys: []string{".dockerconfigjson"}, takes: isObject, wants: "a JSON object"},
	"kubernetes.io/basic-auth":       {keys: []string{"username", "password"}, any: true},
	"kubernetes.io/ssh-auth":         {keys: []string{"ssh-privatekey"}, takes: isFull, wants: "a value that is not empty"},
	tlsType:                          {keys: []string{"tls.crt", "tls.key"}},
}

// isObject decides as the API server does, for which null is an object, too.
func isObject(value []byte) bool { return json.Unmarshal(value, &map[string]any{}) == nil }

func isFull(value []byte) bool { return len(value) > 0 }

// CheckRequired lists the keys that a Secret of type t needs and does not have; where one of several would do, all of them.
func CheckRequired(t *string, has func(key string) bool) (missing []string) {
	rule := typeRules[typeOf(t)]
	for _, key := range rule.keys {
		if !has(key) {
			missing = append(missing, key)
		}
	}
	if rule.any && len(missing) < len(rule.keys) {
		return nil
	}
	return missing
}

func (f *faults) required(t *string, has func(key string) bool) {
	missing := CheckRequired(t, has)
	hint := "add it; a patch leaves type out"
	if typeRules[typeOf(t)].any && len(missing) > 0 {
		f.add(hint, "type %s needs the key %s", *t, strings.Join(missing, " or "))
		return
	}
	for _, key := range missing {
		f.addKey(key, f.line, hint, "type %s needs this key", *t)
	}
}

// value holds one value against the rule of the type.
func (f *faults) value(t *string, key string, value []byte, line int) {
	rule := typeRules[typeOf(t)]
	if rule.takes != nil && slices.Contains(rule.keys, key) && !rule.takes(value) {
		hint := ""
		if isTextInBase64(value) {
			hint = "it is base64 of text: " + twiceHint
		}
		f.addKey(key, line, hint, "type %s wants %s here", *t, rule.wants)
	}
}

// sizes holds what Kubernetes and the format can carry: 1 MiB of values, 1,024 of them.
func (f *faults) sizes(n *manifest.NativeSecret) {
	total := 0
	for _, v := range n.Values {
		total += len(v.Bytes)
	}
	limit := func(format string, args ...any) {
		f.list = append(f.list, &Error{Line: f.line, Secret: f.at, Hint: "split it into several Secrets",
			Err: fmt.Errorf("%w: "+format, append([]any{manifest.ErrLimit}, args...)...)})
	}
	if len(n.Values) > manifest.MaxValues {
		limit("%d values, %d at most", len(n.Values), manifest.MaxValues)
	}
	if total > manifest.MaxTotal {
		limit("the values add up to %d bytes, Kubernetes takes %d", total, manifest.MaxTotal)
	}
}

// typeOf gives the type as the API server has it (core/v1: SetDefaults_Secret).
func typeOf(t *string) string {
	if t == nil || *t == "" {
		return "Opaque"
	}
	return *t
}

var (
	label     = lazy.Regexp(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	subdomain = lazy.Regexp(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	qualified = lazy.Regexp(`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)
)

// IsName tells a DNS-1123 subdomain, as Secrets are named (apimachinery, pkg/util/validation: IsDNS1123Subdomain).
func IsName(s string) bool { return len(s) <= 253 && subdomain().MatchString(s) }

// IsNamespace tells a DNS-1123 label (IsDNS1123Label).
func IsNamespace(s string) bool { return len(s) <= 63 && label().MatchString(s) }

// isLabelValue leaves out the empty one (IsValidLabelValue).
func isLabelValue(s string) bool { return len(s) <= 63 && qualified().MatchString(s) }

// isQualified tells a key of labels (IsQualifiedName).
func isQualified(key string) bool {
	prefix, name, ok := strings.Cut(key, "/")
	if !ok {
		return isLabelValue(key)
	}
	return IsName(prefix) && isLabelValue(name)
}

// isVariable tells a text that something substitutes later, such as Flux after the build (postBuild.substitute) or kustomize's vars: what
// will stand there can't be judged. No name has a dollar sign.
func isVariable(s string) bool { return strings.ContainsRune(s, '$') }

// named quotes the key of a label for a message, unless it may be a piece of a value that went astray.
func named(key string) string {
	if len(key) > 0 && len(key) <= 63 && !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }) {
		return " " + key
	}
	return ""
}

// checkedRef is Ref for names that nobody has checked: what does not even look like one may be a value that went astray, and is left out.
func checkedRef(namespace, name string) string {
	if !isShown(name) || namespace != "" && !isShown(namespace) {
		return ""
	}
	return Ref(namespace, name)
}

func isShown(s string) bool {
	return len(s) > 0 && len(s) <= 253 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._${}():=", r)
	})
}
