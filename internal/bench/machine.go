package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// how is the command that makes this report.
func (b *bench) how() string {
	var flags []string
	for i := 0; i < len(b.args); i++ {
		switch b.args[i] {
		case "-ageseal", "-kustomize", "-sops", "-ksops", "-write", "-dir":
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

// machine says what the figures were taken on.
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
	says := func(program string) string {
		out, err := b.output(ctx, command{args: []string{program, "version"}})
		if err != nil {
			return "unknown"
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(out)), "ageseal "), " ")
		return first
	}
	text := fmt.Sprintf("%s, %d cores, %s/%s, %s, ageseal %s, kustomize %s, age library %s",
		processor, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), says(b.ageseal), says(b.kustomize), ageVersion())
	if b.sops == "" {
		return text + ", without sops"
	}
	text += ", sops " + moduleVersion(b.sops)
	if b.ksops == "" {
		return text + ", without KSOPS"
	}
	return text + ", KSOPS " + moduleVersion(b.ksops)
}

// moduleVersion is what a program made by Go says of itself. (sops would ask the network.)
func moduleVersion(program string) string {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return "unknown"
	}
	return info.Main.Version
}

// ageVersion is the version of the library in this program, which is the one in ageseal.
func ageVersion() string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, m := range info.Deps {
			if m.Path == "filippo.io/age" {
				return m.Version
			}
		}
	}
	return "unknown"
}
