//go:build e2e

package e2e

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/ageseal/ageseal/internal/testkeys"
)

// limits are why docs/guides/kubectl.md says --server-side.
func limits(t *testing.T, c *cluster) {
	p := c.in(t, "limits")
	build := func(t *testing.T, value string) string {
		t.Helper()
		p.write(t, "app/kustomization.yaml", "resources: [big.yaml]\n")
		p.write(t, "app/big.yaml", secretCase{name: "big", data: map[string]string{"value": value}}.text("limits"))
		p.must(t, "", c.ageseal, "encrypt", "-q", "-w", "-r", testkeys.Alice().Recipient().String(), "app")
		return p.must(t, "", c.ageseal, "build", "app")
	}
	server := []string{c.kubectl, "apply", "--server-side", "-f", "-"}
	client := []string{c.kubectl, "apply", "-f", "-"}
	const mebibyte = 1 << 20
	fill := func(size int) string { return "canary-" + strings.Repeat("x", size-len("canary-")) }

	t.Run("over 262,144 bytes only server-side", func(t *testing.T) {
		built := build(t, fill(200_000)) // as base64 it is over
		fails(t, p.run(t, built, client...), `metadata.annotations: Too long: may not be more than 262144 bytes`)
		c.none(t, "limits")
		p.must(t, built, server...)
	})
	t.Run("1 MiB", func(t *testing.T) {
		value := fill(mebibyte)
		p.must(t, build(t, value), server...)
		if got := c.secrets(t, "limits")["big"]; string(got.Data["value"]) != value {
			t.Errorf("%d bytes are stored, want %d", len(got.Data["value"]), len(value))
		}
	})
	t.Run("1 MiB and a byte", func(t *testing.T) {
		value := fill(mebibyte + 1)
		text := secretCase{name: "big", data: map[string]string{"value": value}}.text("limits")
		fails(t, p.run(t, text, c.ageseal, "encrypt", "-r", testkeys.Alice().Recipient().String(), "-"), "1048577 bytes|1048576 bytes")
		fails(t, p.run(t, text, server...), `data: Too long: may not be more than 1048576 bytes`)
	})

	t.Run("the copy in an annotation", func(t *testing.T) {
		copied := func(value string) bool {
			text, ok := c.secrets(t, "limits")["big"].Metadata.Annotations[lastApplied]
			return ok && strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(value)))
		}
		p.must(t, "", c.kubectl, "delete", "secret", "big", "-n", "limits")
		p.must(t, build(t, "canary-1"), client...)
		if !copied("canary-1") {
			t.Error("client-side apply keeps no copy: the guide's reason is gone")
		}
		p.must(t, build(t, "canary-2"), server...)
		if !copied("canary-2") {
			t.Error("an old copy is not kept up to date: the guide can say less")
		}
		p.must(t, "", c.kubectl, "annotate", "secret", "big", "-n", "limits", lastApplied+"-")
		p.must(t, build(t, "canary-3"), server...)
		got := c.secrets(t, "limits")["big"]
		if _, ok := got.Metadata.Annotations[lastApplied]; ok || string(got.Data["value"]) != "canary-3" {
			t.Errorf("removed, it came back, or the value is not there: %v", got)
		}
	})
}
