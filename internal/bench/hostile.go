package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// attack is what somebody may do to a sealed tree by a pull request.
type attack struct {
	name          string
	kustomization string              // beside the resources
	change        func(string) string // of the sealed Secret
}

func attacks() []attack {
	same := func(sealed string) string { return sealed }
	return []attack{
		{"another namespace", "namespace: elsewhere\n", same},
		{"a value copied to an annotation", `replacements:
- source: {kind: Secret, name: app-0001, fieldPath: data.API_TOKEN}
  targets:
  - select: {kind: Deployment}
    fieldPaths: [metadata.annotations.note]
    options: {create: true}
`, same},
		{"two values that changed places", "", func(sealed string) string {
			return strings.NewReplacer("API_TOKEN:", "DB_PASSWORD:", "DB_PASSWORD:", "API_TOKEN:").Replace(sealed)
		}},
		{"a box that was altered", "", func(sealed string) string {
			return regexp.MustCompile(`box: (\S\S)`).ReplaceAllString(sealed, "box: AA")
		}},
	}
}

// checkRefuses fails unless the very binary that is measured refuses what it must, without any output: it is easy to be fast without the checks.
// The tests have many more of these.
func (b *bench) checkRefuses(ctx context.Context) error {
	dir := b.path("hostile")
	if err := writeWorkload(dir, 1); err != nil {
		return err
	}
	secret, list := filepath.Join(dir, secretFile(1)), filepath.Join(dir, "kustomization.yaml")
	if _, err := b.output(ctx, b.encrypt(secret)); err != nil {
		return err
	}
	if _, err := b.output(ctx, b.build(dir)); err != nil {
		return err // nothing is refused yet
	}
	sealed, err := os.ReadFile(secret)
	if err != nil {
		return err
	}
	resources, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	for _, a := range attacks() {
		err := errors.Join(
			os.WriteFile(secret, []byte(a.change(string(sealed))), 0o600),
			os.WriteFile(list, append(bytes.Clone(resources), a.kustomization...), 0o600),
		)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if _, err := b.exec(ctx, b.build(dir), &out); err == nil || out.Len() > 0 {
			return fmt.Errorf("%s: %s was not refused, or not without output: it is not measured", filepath.Base(b.ageseal), a.name)
		}
	}
	return nil
}
