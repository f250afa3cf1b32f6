package archtest

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// given is what ageseal is made of: these need no reason.
var given = []string{"filippo.io/age", "github.com/spf13/cobra", "sigs.k8s.io/kustomize/api", "sigs.k8s.io/yaml"}

var required = regexp.MustCompile(`^\t(\S+) v\S+(?: // (.*))?$`)

// Each module that ageseal itself asks for has its reason beside it in go.mod.
func TestEveryModuleHasAReason(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if got := unexplained(string(text)); strings.Join(got, " ") != strings.Join(given, " ") {
		t.Errorf("without a reason: %v", got)
	}
	if got := unexplained("require (\n\ta.b/c v1.0.0\n\td.e/f v1.0.0 // why\n\tg.h/i v1.0.0 // indirect\n)\n"); len(got) != 1 || got[0] != "a.b/c" {
		t.Errorf("the check finds %v", got)
	}
}

func unexplained(text string) (list []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if m := required.FindStringSubmatch(line); m != nil && m[2] == "" {
			list = append(list, m[1])
		}
	}
	return list
}
