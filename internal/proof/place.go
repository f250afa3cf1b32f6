package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// place is where the checkout lies and commands run: a bare Debian in a directory, or a scratch directory of the machine as it is.
type place struct {
	root   string // removed at the end
	bare   bool
	caches bool
	binds  []string // what a bare one sees of the machine: from, to (below the root), "ro" or "rw", and so on
}

// newPlace makes the barest place that this machine allows.
func newPlace(ctx context.Context, o *options) (*place, error) {
	root, err := os.MkdirTemp("", "ageseal-proof-")
	if err != nil {
		return nil, err
	}
	_, missing := exec.LookPath("debootstrap")
	p := &place{root: root, bare: !o.here && missing == nil && runtime.GOOS == "linux" && os.Getuid() == 0, caches: o.caches}
	if p.bare {
		err = p.bootstrap(ctx, o)
	}
	if err == nil {
		err = quietly(exec.CommandContext(ctx, "git", "clone", "-q", "--no-hardlinks", ".", p.checkout()))
	}
	if err != nil {
		return nil, errors.Join(err, p.remove())
	}
	return p, nil
}

func (p *place) name() string {
	switch {
	case !p.bare:
		return "a scratch directory of this machine, with all it has"
	case p.caches:
		return "a bare Debian made for it, with Go, git and make, and the caches of the machine's Go"
	default:
		return "a bare Debian made for it, with Go, git and make"
	}
}

func (p *place) checkout() string { return p.root + inside }

// command is a line for the shell. The mounts of a bare Debian are in a namespace of each command, and go with it, whatever ends that.
func (p *place) command(ctx context.Context, line string) *exec.Cmd {
	if p.bare {
		args := append([]string{"--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", enter, "sh", p.root, line}, p.binds...)
		return exec.CommandContext(ctx, "unshare", args...)
	}
	// A make that knows it was started by another one says where it goes, and takes its flags.
	cmd := exec.CommandContext(ctx, "env", "-u", "MAKELEVEL", "-u", "MAKEFLAGS", "-u", "MFLAGS", "sh", "-c", line)
	cmd.Dir = p.checkout()
	return cmd
}

const (
	inside = "/root/ageseal"
	enter  = `root=$1; line=$2; shift 2
mount --bind "$root" "$root" # containers want a root that is mounted
while [ $# -gt 0 ]; do
	mkdir -p "$root$2"; mount --bind "$1" "$root$2"
	if [ "$3" = ro ]; then mount -o remount,ro,bind "$root$2"; fi
	shift 3
done
mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; mount --rbind /sys "$root/sys"
exec chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	KSOPS_SOURCE="${KSOPS_SOURCE-}" DEBIAN_FRONTEND=noninteractive sh -c "[ -n \"\$KSOPS_SOURCE\" ] || unset KSOPS_SOURCE
cd ` + inside + ` && $line"`
)

func (p *place) bootstrap(ctx context.Context, o *options) error {
	fmt.Fprintln(os.Stderr, "proof: making a bare Debian")
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	dirs := strings.Fields(string(goroot))
	p.binds = []string{dirs[0], "/usr/local/go", "ro"}
	if p.caches {
		p.binds = append(p.binds, dirs[1], "/root/go/pkg/mod", "rw", dirs[2], "/root/.cache/go-build", "rw")
	}
	for _, m := range o.mounts {
		p.binds = append(p.binds, m, m, "ro")
	}
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return err
	}
	codename := regexp.MustCompile(`(?m)^VERSION_CODENAME=(\w+)$`).FindSubmatch(release)
	if codename == nil {
		return errors.New("/etc/os-release has no VERSION_CODENAME: -here proves it on this machine as it is")
	}
	// What debootstrap mounts, and may leave mounted, is gone with its namespace.
	if err := quietly(exec.CommandContext(ctx, "unshare", "--mount", "debootstrap", "--variant=minbase", "--include=git,make,ca-certificates", string(codename[1]), p.root)); err != nil {
		return err
	}
	if err := os.Chmod(p.root, 0o755); err != nil { // as a machine's root is: not everybody in it is root
		return err
	}
	// The way to the network is the machine's: its resolver, and whom it trusts.
	for _, name := range []string{"/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"} {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if err := os.WriteFile(p.root+name, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (p *place) install(ctx context.Context, packages []string) error {
	fmt.Fprintln(os.Stderr, "proof: installing", strings.Join(packages, " "))
	return quietly(p.command(ctx, "apt-get -qq update && apt-get -qq install -y --no-install-recommends "+strings.Join(packages, " ")))
}

// facts are the versions of what it has.
func (p *place) facts(ctx context.Context) ([]string, error) {
	const ask = `. /etc/os-release && echo "$PRETTY_NAME, Linux $(uname -r)"
sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort | uniq -c | sed 's/^ *\([0-9]*\) /\1 × /'
awk '/MemTotal/ { printf "%.0f GiB of memory\n", $2 / 1048576 }' /proc/meminfo
echo "$(go version), $(git --version), $(make --version | head -1)"
echo "ageseal $(git describe --tags --always), commit $(git rev-parse HEAD)"
make -s --no-print-directory --eval='pins: ; @printf "%s\n" $(foreach v,$(sort $(filter %_VERSION %_COMMIT,$(.VARIABLES))),$(if $(filter file,$(origin $v)),$v=$($v)))' pins |
	sed 's/_[A-Z]*=/ /' | tr 'A-Z_' 'a-z-' | paste -s -d , | sed 's/,/, /g; s/^/pinned tools: /'`
	out, err := p.command(ctx, ask).Output()
	if err != nil {
		return nil, fmt.Errorf("asking for versions: %w", err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n"), nil
}

// remove is sure that nothing of the machine is mounted below the root, for mounts are not its own to delete. There are none where it made none.
func (p *place) remove() error {
	if p.bare {
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		if err == nil {
			err = mounted(string(mounts), p.root)
		}
		if err != nil {
			return fmt.Errorf("%s is left as it is: %w", p.root, err)
		}
	}
	return os.RemoveAll(p.root)
}

// mounted finds what is mounted on a directory or below it, by the lines of /proc/self/mountinfo: those have no links in their paths, and
// blanks as three octal digits.
func mounted(mounts, dir string) error {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	dir = strings.NewReplacer(`\`, `\134`, " ", `\040`, "\t", `\011`, "\n", `\012`).Replace(dir)
	for line := range strings.Lines(mounts) {
		f := strings.Fields(line)
		if len(f) < 5 {
			return errors.New("a list of mounts that can't be read")
		}
		if f[4] == dir || strings.HasPrefix(f[4], dir+"/") {
			return fmt.Errorf("%s is mounted", f[4])
		}
	}
	return nil
}

// quietly runs a command whose output is of interest only if it fails.
func quietly(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, excerpt(string(out), 0, ""))
	}
	return nil
}
