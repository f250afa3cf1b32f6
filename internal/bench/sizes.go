package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
)

// figure is something counted once.
type figure struct {
	name, value, target string
	met                 bool
}

// figures are the sizes: of the binary, of a sealed Secret, of a change.
func (b *bench) figures(ctx context.Context) ([]figure, error) {
	info, err := os.Stat(b.ageseal)
	if err != nil {
		return nil, err
	}
	mib := float64(info.Size()) / (1 << 20)
	out := []figure{{"binary, stripped, without cgo", fmt.Sprintf("%.1f MiB", mib), "≤ 14 MiB", mib <= 14}}
	plain := []byte(secretYAML(1))
	for _, kind := range []struct {
		name, recipient string
		limit           float64
	}{{"X25519", b.classic, 1.8}, {"hybrid", b.hybrid, 2.6}} {
		name := b.path("size.yaml")
		if err := os.WriteFile(name, plain, 0o600); err != nil {
			return nil, err
		}
		if _, err := b.output(ctx, command{args: []string{b.ageseal, "encrypt", "-q", "-w", "-r", kind.recipient, name}}); err != nil {
			return nil, err
		}
		sealed, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		ratio := float64(len(sealed)) / float64(len(plain))
		out = append(out, figure{
			fmt.Sprintf("one sealed Secret, one %s recipient / its %d plain bytes", kind.name, len(plain)),
			fmt.Sprintf("%.2f", ratio), fmt.Sprintf("≤ %.1f", kind.limit), ratio <= kind.limit,
		})
	}
	change, err := b.linesOfChange(ctx)
	return append(out, change), err
}

// linesOfChange sets one value of a sealed Secret and counts what a diff shows: the value's box and reference replaced, one wrap new.
func (b *bench) linesOfChange(ctx context.Context) (figure, error) {
	name := b.path("size.yaml")
	before, err := os.ReadFile(name)
	if err != nil {
		return figure{}, err
	}
	set := command{args: []string{b.ageseal, "set", "-q", "-r", b.hybrid, name, valueKeys[0]}, stdin: "another value"}
	if _, err := b.output(ctx, set); err != nil {
		return figure{}, err
	}
	after, err := os.ReadFile(name)
	if err != nil {
		return figure{}, err
	}
	gone, added := linesOnlyIn(before, after), linesOnlyIn(after, before)
	return figure{"lines changed by one value changed: gone + new", fmt.Sprintf("%d + %d", gone, added), "2 + 6", gone == 2 && added == 6}, nil
}

// linesOnlyIn counts the lines of a that b does not have. Boxes, ids and wraps occur once, so that this is the diff.
func linesOnlyIn(a, b []byte) int {
	there := map[string]int{}
	for line := range bytes.Lines(b) {
		there[strings.TrimSpace(string(line))]++
	}
	n := 0
	for line := range bytes.Lines(a) {
		text := strings.TrimSpace(string(line))
		if there[text]--; there[text] < 0 {
			n++
		}
	}
	return n
}
