//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// argoCD is a repo-server with a Redis, and plugin servers beside it, on the loopback interface. What the guide's containers have at a path
// is below dir here.
type argoCD struct {
	guide   argoGuide
	shop    *argoShop
	dir     string
	program string
	redis   string // address
	address string
	level   string // of the logs
	servers []*server
}

// version is Argo CD's, as the program says that it was built.
func (a *argoCD) version(t testing.TB) string {
	t.Helper()
	info, err := buildinfo.ReadFile(a.program)
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range info.Deps {
		if strings.HasPrefix(dep.Path, "github.com/argoproj/argo-cd/") {
			return dep.Version
		}
	}
	t.Fatalf("no Argo CD in %s", a.program)
	return ""
}

// argoOptions are what differs from a plain Argo CD.
type argoOptions struct {
	level string   // of the logs: info
	first string   // in the repo-server's PATH
	flags []string // of the repo-server
}

func startArgoCD(t testing.TB, o argoOptions) *argoCD {
	t.Helper()
	a := &argoCD{guide: readArgoGuide(t), program: tool(t, "argocd"), level: cmp.Or(o.level, "info")}
	a.shop = newArgoShop(t, a.guide)
	dir, err := os.MkdirTemp("", "argocd-") //nolint:usetesting // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	a.dir = dir
	for _, sub := range []string{"home", "tmp", "plugins"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	a.setIdentity(t, a.shop.key)
	a.install(t)

	redis := a.start(t, "redis", nil, a.program, "redis", "127.0.0.1:0")
	a.redis = listens(t, redis, `(?m)^(127\.0\.0\.1:\d+)$`)
	env := append(a.mounted(a.guide.kustomizeEnv),
		"PATH="+strings.Join([]string{o.first, filepath.Dir(tool(t, "kustomize")), os.Getenv("PATH")}, ":"),
		"ARGOCD_ASK_PASS_SOCK="+filepath.Join(dir, "ask-pass.sock"))
	repo := a.start(t, "argocd-repo-server", env, append([]string{a.program, "argocd-repo-server", "--loglevel", a.level, "--disable-tls",
		"--redis", a.redis, "--address", "127.0.0.1", "--port", "0", "--metrics-address", "127.0.0.1", "--metrics-port", "0"}, o.flags...)...)
	a.address = listens(t, repo, `argocd-repo-server is listening on (127\.0\.0\.1:\d+)`)
	return a
}

// listens is the address that a server says it has.
func listens(t testing.TB, s *server, pattern string) (address string) {
	t.Helper()
	s.await(t, func(context.Context) error {
		text, err := os.ReadFile(s.log)
		match := regexp.MustCompile(pattern).FindSubmatch(text)
		if match == nil {
			return fmt.Errorf("it names no address: %v", err)
		}
		address = string(match[1])
		return nil
	})
	return address
}

func (a *argoCD) start(t testing.TB, name string, env []string, args ...string) *server {
	t.Helper()
	env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(a.dir, "home"), "TMPDIR=" + filepath.Join(a.dir, "tmp"),
		"ARGOCD_GPG_ENABLED=false", "ARGOCD_PLUGINSOCKFILEPATH=" + filepath.Join(a.dir, "plugins")}, env...)
	s := start(t, a.dir, name, env, args...)
	a.servers = append(a.servers, s)
	return s
}

// in is where a path of the guide's containers is here.
func (a *argoCD) in(path string) string { return filepath.Join(a.dir, path) }

// mounted is an environment of the guide's: what is a path in it is below dir.
func (a *argoCD) mounted(env []string) []string {
	var out []string
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		if strings.HasPrefix(value, "/") {
			value = a.in(value)
		}
		out = append(out, name+"="+value)
	}
	return out
}

func installFile(t testing.TB, file, text string, mode os.FileMode) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	if err == nil {
		os.Remove(file)
		err = os.WriteFile(file, []byte(text), mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func installLink(t testing.TB, target, file string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	if err == nil {
		err = os.Symlink(target, file)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// setIdentity is what a changed Secret ageseal-identity does; "" is a Secret that is not there.
func (a *argoCD) setIdentity(t testing.TB, text string) {
	t.Helper()
	_, file, _ := strings.Cut(a.guide.sidecarEnv[0], "=")
	if text == "" {
		os.Remove(a.in(file))
		return
	}
	installFile(t, a.in(file), text, 0o400)
	// A mounted Secret is somebody else's, and read through the group.
	if os.Geteuid() == 0 {
		err := errors.Join(os.Chown(a.in(file), 1, 0), os.Chmod(a.in(file), 0o440))
		if err != nil {
			t.Fatal(err)
		}
	}
}

// install is what the images and the init container of the guide do.
func (a *argoCD) install(t testing.TB) {
	t.Helper()
	installLink(t, a.program, a.in(a.guide.sidecar[0]))
	// The sidecar's image is no more than busybox and ageseal: no git, no kustomize.
	installLink(t, ageseal(t), a.in("/image/ageseal"))
	for _, name := range []string{"sh", "cat"} {
		file, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		installLink(t, file, a.in("/image/"+name))
	}
	installLink(t, ageseal(t), a.in("/custom-tools/ageseal"))
	installLink(t, tool(t, "kustomize"), a.in("/usr/local/bin/kustomize"))
	script := strings.NewReplacer(" /custom-tools/", " "+a.in("/custom-tools")+"/", " /usr/local/bin/", " "+a.in("/usr/local/bin")+"/").Replace(a.guide.kustomize)
	installFile(t, a.in(a.guide.kustomizePath), script, 0o555)
}

// startPlugin runs the guide's sidecar with a plugin, mostly the guide's. A command may stand before it, which becomes it.
func (a *argoCD) startPlugin(t testing.TB, name, plugin string, before ...string) {
	t.Helper()
	config := a.in("/config-" + name)
	installFile(t, filepath.Join(config, "plugin.yaml"), plugin, 0o444)
	tmp := a.in("/tmp-" + name)
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	env := append(a.mounted(a.guide.sidecarEnv), "PATH="+a.in("/image"), "HOME=/nonexistent", "TMPDIR="+tmp)
	command := slices.Concat(before, []string{a.in(a.guide.sidecar[0])}, a.guide.sidecar[1:], []string{"--loglevel", a.level, "--config-dir-path", config})
	s := a.start(t, name, env, command...)
	t.Cleanup(func() { s.cmd.Process.Kill(); <-s.done }) // asked to end, it removes its socket and stays
	s.await(t, func(context.Context) error {
		_, err := os.Stat(filepath.Join(a.dir, "plugins", name+".sock"))
		return err
	})
}

// logs is all that the servers have printed, and the cache all that Redis holds.
func (a *argoCD) logs(t testing.TB) string {
	t.Helper()
	var all bytes.Buffer
	for _, s := range a.servers {
		text, err := os.ReadFile(s.log)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

func (a *argoCD) cache(t testing.TB) string {
	t.Helper()
	return place{dir: a.dir, env: os.Environ()}.must(t, "", a.program, "cache", a.redis)
}
