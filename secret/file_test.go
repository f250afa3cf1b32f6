package secret_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

func fileOptions(use, key string) secret.FileOptions {
	o := secret.FileOptions{Use: use, Key: key, Name: "app"}
	o.Recipients, o.Namespace = target(people("dave")...).Recipients, "prod"
	return o
}

func TestSealAndOpenFile(t *testing.T) {
	sealed, warnings, err := secret.SealFile([]byte("\ufeff# canary\n  A=canary\nB.1-x=1=2\r\nC\n"), fileOptions(crypt.UseEnv, ""))
	if err != nil || len(warnings) > 0 {
		t.Fatal(report(err), warnings)
	}
	f, err := secret.OpenFile(sealed, crypt.NewOpener(people("dave")...))
	if err != nil {
		t.Fatal(report(err))
	}
	got := map[string]string{}
	for k, v := range f.Values {
		got[k] = fmt.Sprintf("%d %s", v.Line, v.Bytes)
	}
	if diff := cmp.Diff(map[string]string{"A": "2 canary", "B.1-x": "3 1=2", "C": "4 "}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if f.Ref() != "prod/app" {
		t.Errorf("ref %s", f.Ref())
	}
}

func TestSealFileRefuses(t *testing.T) {
	name := func(namespace, name string) secret.FileOptions {
		o := fileOptions(crypt.UseValue, "k")
		o.Namespace, o.Name = namespace, name
		return o
	}
	env := fileOptions(crypt.UseEnv, "")
	for what, c := range map[string]struct {
		content string
		o       secret.FileOptions
		want    error
	}{
		"a name":              {canary, name("prod", "App"), secret.ErrRefused},
		"a namespace":         {canary, name("prod.x", "app"), secret.ErrRefused},
		"a key":               {canary, fileOptions(crypt.UseValue, "a/b"), secret.ErrRefused},
		"too much":            {strings.Repeat("canary!!", 1<<17) + "x", fileOptions(crypt.UseValue, "k"), manifest.ErrLimit},
		"a line of an env":    {"A=b\ncanary canary\n", env, secret.ErrEnv},
		"a key twice":         {"A=canary\nA=canary\n", env, secret.ErrEnv},
		"not UTF-8":           {"A=canary\xff\n", env, secret.ErrEnv},
		"a line for nobody":   {"A=" + strings.Repeat("canary..", 1<<13), env, secret.ErrEnv},
		"more than it can be": {manyLines(manifest.MaxValues + 1), env, manifest.ErrLimit},
	} {
		_, _, err := secret.SealFile([]byte(c.content), c.o)
		if !errors.Is(err, c.want) || secret.IsAuthentication(err) {
			t.Errorf("%s: %v", what, err)
		}
		checkQuiet(t, c.content, err)
	}
	// Two bytes less than the line that kustomize drops.
	if _, _, err := secret.SealFile([]byte("A="+strings.Repeat("c", 64<<10-4)+"\n"), env); err != nil {
		t.Error(report(err))
	}
}

func manyLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "K%d=canary\n", i)
	}
	return b.String()
}

func TestSealFileWarns(t *testing.T) {
	o := fileOptions(crypt.UseValue, "password")
	o.Name, o.Namespace = "", ""
	_, warnings, err := secret.SealFile([]byte("canary\n"), o)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, w := range warnings {
		texts = append(texts, w.Err.Error())
	}
	if len(texts) != 3 || !strings.HasPrefix(texts[0], "no name is bound") || !strings.HasPrefix(texts[1], "no namespace is bound") {
		t.Errorf("%q", texts)
	}
	o.AnyNamespace, o.Name, o.Namespace = true, "app", "prod"
	sealed, warnings, err := secret.SealFile([]byte("canary"), o)
	if err != nil || len(warnings) != 0 {
		t.Errorf("%v, %v", warnings, err)
	}
	if f, err := secret.OpenFile(sealed, crypt.NewOpener(people("dave")...)); err != nil || f.Binding != (crypt.Binding{Name: "app"}) {
		t.Errorf("%v, %v", f, err)
	}
}
