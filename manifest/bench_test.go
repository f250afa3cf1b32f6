package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// The Secret of the project's benchmark: five values of 40 bytes and a PEM file of 2 KB.
func benchNative() []byte {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Secret\nmetadata:\n  name: app-0001\n  namespace: demo\n  labels:\n    app.kubernetes.io/name: app-0001\ntype: Opaque\nstringData:\n")
	for _, k := range []string{"DB_PASSWORD", "API_TOKEN", "REDIS_URL", "SESSION_KEY", "WEBHOOK_SECRET"} {
		fmt.Fprintf(&b, "  %s: %s\n", k, strings.Repeat("aB3_", 10))
	}
	b.WriteString("  tls.key: |\n    -----BEGIN PRIVATE KEY-----\n")
	for range 30 {
		b.WriteString("    " + strings.Repeat("c2Vj", 16) + "\n")
	}
	b.WriteString("    -----END PRIVATE KEY-----\n")
	return []byte(b.String())
}

func benchSpec() *Spec {
	typ := "Opaque"
	s := &Spec{Type: &typ, Binding: Binding{"demo", "app-0001"}, Wraps: map[string]Wrap{testID: {To: []string{testTo}, Age: strings.Repeat("YWdl", 550), DK: strings.Repeat("ZGs1", 16)}}, Data: map[string]Box{}}
	for _, k := range []string{"DB_PASSWORD", "API_TOKEN", "REDIS_URL", "SESSION_KEY", "WEBHOOK_SECRET"} {
		s.Data[k] = Box{By: testID, Box: strings.Repeat("Ym94", 32)}
	}
	s.Data["tls.key"] = Box{By: testID, Box: strings.Repeat("Ym94", 700)}
	return s
}

func benchSealed(tb testing.TB) []byte {
	f, err := Parse(benchNative())
	if err != nil {
		tb.Fatal(err)
	}
	f.Items()[0].Seal(benchSpec())
	return f.Bytes()
}

func BenchmarkSealed(b *testing.B) {
	src := benchSealed(b)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		f, _ := Parse(src)
		if s, err := f.Items()[0].Sealed(); err != nil || !s.Canonical {
			b.Fatal(err)
		}
	}
}

// BenchmarkSealedSlow is what the YAML library makes of the same document.
func BenchmarkSealedSlow(b *testing.B) {
	src := benchSealed(b)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, err := parseYAML(source{text: string(src)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNative(b *testing.B) {
	src := benchNative()
	for b.Loop() {
		f, _ := Parse(src)
		if _, err := f.Items()[0].Native(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	src, spec := benchNative(), benchSpec()
	for b.Loop() {
		f, _ := Parse(src)
		if _, err := f.Items()[0].Native(); err != nil {
			b.Fatal(err)
		}
		f.Items()[0].Seal(spec)
		f.Bytes()
	}
}

func BenchmarkUnseal(b *testing.B) {
	src := benchSealed(b)
	p := &Plain{Data: map[string]string{}}
	for k := range benchSpec().Data {
		p.Data[k] = "cGxhY2Vob2xkZXJwbGFjZWhvbGRlcnBs"
	}
	for b.Loop() {
		f, _ := Parse(src)
		f.Items()[0].Unseal(p)
		f.Bytes()
	}
}

func BenchmarkSetSpec(b *testing.B) {
	src := benchSealed(b)
	for b.Loop() {
		f, _ := Parse(src)
		s, _ := f.Items()[0].Sealed()
		s.Spec.Data["API_TOKEN"] = Box{By: testID, Box: "bmV3"}
		f.Items()[0].SetSpec(&s.Spec)
		f.Bytes()
	}
}

// BenchmarkForeign is a document that is no Secret.
func BenchmarkForeign(b *testing.B) {
	src := []byte("apiVersion: apps/v1\nkind: Deployment\nspec:\n" + strings.Repeat("  - name: tls\n    secret:\n      secretName: app-0001\n", 120))
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		Parse(src)
	}
}
