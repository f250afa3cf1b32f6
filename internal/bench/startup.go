package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"runtime/debug"
	"strings"
)

// started is a program that does next to nothing: what its start costs is paid for each file where one is started for each.
type started struct {
	name, path string
	command
}

const emptyProgram = "a Go program with the age library that does nothing"

func (b *bench) started() []started {
	all := []started{
		{"ageseal", b.ageseal, command{args: []string{b.ageseal, "version"}}},
		{"kustomize", b.kustomize, command{args: []string{b.kustomize, "version"}}},
		{"age", b.age, command{args: []string{b.age, "--version"}}},
		{"sops", b.sops, command{args: []string{b.sops, "--version"}}},
		{"KSOPS", b.ksops, command{args: []string{b.ksops}, stdin: "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n"}},
		{"kubeseal", b.kubeseal, command{args: []string{b.kubeseal, "--version"}}},
		{emptyProgram, b.library, command{args: []string{b.library, "nothing"}}},
	}
	var out []started
	for _, s := range all {
		if s.path != "" {
			s.repeat = 10
			out = append(out, s)
		}
	}
	return out
}

// startUp is the case that no number of Secrets changes.
func (b *bench) startUp() round {
	r := round{ratios: []ratio{{of: "ageseal", to: "kustomize", limits: []limit{{1, 0.65}}}}}
	for _, s := range b.started() {
		r.programs = append(r.programs, program{s.name, s.command, 0})
	}
	return r
}

// startTable is that, beside what is started.
func (b *bench) startTable(ctx context.Context, m measured) (string, error) {
	text := "\n### Start-up and binaries\n\n| program | version | start-up, CPU time | / kustomize: median (min–max) | binary |\n| --- | --- | --- | --- | --- |\n"
	for _, s := range b.started() {
		size, err := fileSize(s.path)
		if err != nil {
			return "", err
		}
		version := moduleVersion(s.path)
		switch s.path {
		case b.library:
			version = "age " + ageVersion()
		case b.ageseal:
			version = b.says(ctx, s.path)
		}
		spread := m.ratio(ratio{of: s.name, to: "kustomize"}, cpu)
		text += row([]string{s.name, version, millis(m.median(s.name, cpu)), spread.String(), fmt.Sprintf("%.1f MiB", mib(size))})
	}
	return text, nil
}

// says is the version that a program gives itself.
func (b *bench) says(ctx context.Context, program string) string {
	out, err := b.output(ctx, command{args: []string{program, "version"}})
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(string(out)), "ageseal "), " ")
	return first
}

// moduleVersion is what the go command wrote into a program. (sops would ask the network.)
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
