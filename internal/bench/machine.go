package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// how is the command that makes this report.
func (b *bench) how() string {
	var flags []string
	for i := 0; i < len(b.args); i++ {
		switch b.args[i] {
		case "-ageseal", "-kustomize", "-age", "-library", "-sops", "-ksops", "-kubeseal", "-write", "-plot", "-dir":
			i++ // "make bench" gives these
		default:
			flags = append(flags, b.args[i])
		}
	}
	if len(flags) == 0 {
		return "make bench"
	}
	return fmt.Sprintf("make bench BENCHFLAGS=%q", strings.Join(flags, " "))
}

// machine says when and on what the figures were taken.
func (b *bench) machine(ctx context.Context) string {
	processor := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range bytes.Lines(info) {
			if name, value, ok := strings.Cut(string(line), ":"); ok && strings.TrimSpace(name) == "model name" {
				processor = strings.TrimSpace(value)
				break
			}
		}
	}
	text := fmt.Sprintf("%s, %s, %d cores, %s/%s, %s, ageseal %s, kustomize %s, age %s", time.Now().UTC().Format(time.DateOnly),
		processor, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), b.says(ctx, b.ageseal), moduleVersion(b.kustomize), ageVersion())
	for _, rival := range []struct{ name, path string }{{"sops", b.sops}, {"KSOPS", b.ksops}, {"kubeseal", b.kubeseal}} {
		if rival.path == "" {
			text += ", **without " + rival.name + "**, which was not to be had"
		} else {
			text += ", " + rival.name + " " + moduleVersion(rival.path)
		}
	}
	return text
}
