// Command probe is a KRM function that says, in a ConfigMap, what it sees of the container it runs in. The tests put it into the image in
// ageseal's place.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

func main() {
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	dir, _ := os.Getwd()
	fmt.Print("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: probe}\n  data:\n")
	say("user", fmt.Sprint(os.Getuid(), " ", os.Getgid()))
	say("privileges", privileges())
	say("network", network())
	say("environment", names())
	say("root", list("/"))
	say("directory", dir)
	say("files", list("."))
	say("writes", fmt.Sprint(os.WriteFile("file", nil, 0o600) == nil))
}

func say(what, text string) { fmt.Printf("    %s: %q\n", what, text) }

// privileges are the lines of the kernel that say which ones there are, and whether there may be more.
func privileges() string {
	status, _ := os.ReadFile("/proc/self/status")
	var out []string
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "CapEff:") || strings.HasPrefix(line, "NoNewPrivs:") {
			out = append(out, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(out, ", ")
}

// network is the interfaces with an address that is not the loopback's.
func network() string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return "unknown"
	}
	var out []string
	for _, a := range all {
		if ip, ok := a.(*net.IPNet); !ok || !ip.IP.IsLoopback() {
			out = append(out, a.String())
		}
	}
	return strings.Join(out, " ")
}

func names() string {
	var out []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

func list(dir string) string {
	entries, _ := os.ReadDir(dir)
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}
