package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

var (
	systems  = []string{"linux", "darwin", "windows"}
	archs    = []string{"amd64", "arm64"}
	packages = []string{"deb", "rpm", "apk"}
	shells   = map[string]string{"bash": "ageseal.bash", "zsh": "_ageseal", "fish": "ageseal.fish", "powershell": "ageseal.ps1"}
)

// platform is what an archive or package is for.
type platform struct{ system, arch string }

// archives and linuxPackages are all that there have to be, by name.
func archives() map[string]platform {
	all := map[string]platform{}
	for _, system := range systems {
		for _, arch := range archs {
			ending := "tar.gz"
			if system == "windows" {
				ending = "zip"
			}
			all[fmt.Sprintf("ageseal_%s_%s.%s", system, arch, ending)] = platform{system, arch}
		}
	}
	return all
}

func linuxPackages() map[string]platform {
	all := map[string]platform{}
	for _, arch := range archs {
		for _, kind := range packages {
			all[fmt.Sprintf("ageseal_linux_%s.%s", arch, kind)] = platform{"linux", arch}
		}
	}
	return all
}

// manifests are those of package managers, with the systems whose archives they name.
var manifests = map[string][]string{
	"homebrew/Casks/ageseal.rb": {"linux", "darwin"},
	"krew/ageseal.yaml":         systems,
	"scoop/ageseal.json":        {"windows"},
}

// checker collects what is wrong with a release, all of it.
type checker struct {
	dist  string
	sums  map[string]string // of checksums.txt
	pages map[string][]byte // docs/man
	texts map[string][]byte // what archives hold beside the program and the pages
	wrong []error
}

func (c *checker) fault(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Errorf(format, args...))
}

// check looks at a whole release and says what there is.
func check(ctx context.Context, dist string, out io.Writer) error {
	c := &checker{dist: dist}
	if err := c.read(); err != nil {
		return err
	}
	c.checksums()
	programs := map[platform][]byte{}
	for _, name := range slices.Sorted(maps.Keys(archives())) {
		programs[archives()[name]] = c.archive(name, archives()[name])
	}
	for _, name := range slices.Sorted(maps.Keys(linuxPackages())) {
		c.linuxPackage(name, programs[linuxPackages()[name]])
	}
	c.manifests()
	for _, arch := range archs { // what make image has put into the image
		if packed, err := os.ReadFile(filepath.Join(dist, "linux-"+arch, "ageseal")); err != nil || !bytes.Equal(packed, programs[platform{"linux", arch}]) {
			c.fault("the program of the %s image is not that of the archive: %v", arch, err)
		}
	}
	ran, err := c.installed(ctx, programs[platform{runtime.GOOS, runtime.GOARCH}])
	if err := errors.Join(append(c.wrong, err)...); err != nil {
		return err
	}
	names, err := artifacts(dist)
	if err != nil {
		return err
	}
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dist, name))
		if err != nil {
			return err
		}
		if strings.HasPrefix(name, "image/") && name != "image/index.json" {
			continue // names that are hashes
		}
		fmt.Fprintf(out, "%10d  %s\n", info.Size(), name)
	}
	fmt.Fprintf(out, "%d files; %d checksums hold; archives and packages hold the same program, %d man pages and completions for %d shells\n%s\n",
		len(names), len(c.sums), len(c.pages), len(shells), ran)
	return nil
}

func (c *checker) read() error {
	c.pages, c.texts, c.sums = map[string][]byte{}, map[string][]byte{}, map[string]string{}
	names, err := filepath.Glob("docs/man/*.1")
	if err != nil || len(names) == 0 {
		return errors.Join(err, errors.New("no man pages: run it in the checkout"))
	}
	for _, name := range names {
		if c.pages[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			return err
		}
	}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		if c.texts[name], err = os.ReadFile(name); err != nil {
			return err
		}
	}
	for _, script := range shells {
		if c.texts["completions/"+script], err = os.ReadFile(filepath.Join(".release", "completions", script)); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(filepath.Join(c.dist, "checksums.txt"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			return fmt.Errorf("checksums.txt: %q", line)
		}
		c.sums[name] = sum
	}
	return nil
}

// checksums: what is published is listed, nothing else is, and each sum is that of the file.
func (c *checker) checksums() {
	want := map[string]bool{}
	for name := range archives() {
		want[name], want[name+".spdx.json"] = true, true
	}
	for name := range linuxPackages() {
		want[name] = true
	}
	for name := range want {
		if sum, err := sha256File(filepath.Join(c.dist, name)); err != nil || sum != c.sums[name] {
			c.fault("%s: its checksum is %q in checksums.txt, and %q: %v", name, c.sums[name], sum, err)
		}
	}
	for name := range c.sums {
		if !want[name] {
			c.fault("checksums.txt: %s is no part of a release", name)
		}
	}
}

func (c *checker) unpack(name string) (map[string]file, error) {
	data, err := os.ReadFile(filepath.Join(c.dist, name))
	if err != nil {
		return nil, err
	}
	return unpack(name, data)
}

// archive gives the program in it.
func (c *checker) archive(name string, p platform) []byte {
	files, err := c.unpack(name)
	if err != nil {
		c.fault("%w", err)
		return nil
	}
	want := maps.Clone(c.texts)
	for page, text := range c.pages {
		want["man/"+page] = text
	}
	program := "ageseal"
	if p.system == "windows" {
		program = "ageseal.exe"
	}
	want[program] = files[program].data
	c.compare(name, files, want, program)
	c.built(name, files[program].data, p)
	c.inventory(name)
	return files[program].data
}

// compare: exactly these files, with these bytes, and only the program can be run.
func (c *checker) compare(name string, files map[string]file, want map[string][]byte, program string) {
	for p, text := range want {
		f, ok := files[p]
		mode := int64(0o644)
		if p == program {
			mode = 0o755
		}
		if !ok || !bytes.Equal(f.data, text) || f.mode != mode {
			c.fault("%s: %s is missing, or not what it has to be (%d bytes, mode %o)", name, p, len(f.data), f.mode)
		}
	}
	for p := range files {
		if _, ok := want[p]; !ok && files[p].link == "" {
			c.fault("%s: %s has no business there", name, p)
		}
	}
}

// built reads from a program how it was built.
func (c *checker) built(name string, program []byte, p platform) {
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		c.fault("%s: %w", name, err)
		return
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	for key, want := range map[string]string{"GOOS": p.system, "GOARCH": p.arch, "CGO_ENABLED": "0", "-trimpath": "true"} {
		if settings[key] != want {
			c.fault("%s: built with %s=%s, not %s", name, key, settings[key], want)
		}
	}
	if settings["vcs.modified"] == "true" {
		c.fault("%s: built from files that are not committed", name)
	}
}

// inventory: the SBOM of an archive names the modules that the program is made of.
func (c *checker) inventory(archive string) {
	text, err := os.ReadFile(filepath.Join(c.dist, archive+".spdx.json"))
	var doc struct {
		Version  string `json:"spdxVersion"`
		Packages []struct {
			Name    string `json:"name"`
			Version string `json:"versionInfo"`
		} `json:"packages"`
	}
	if err := errors.Join(err, json.Unmarshal(text, &doc)); err != nil {
		c.fault("%s: its SBOM: %w", archive, err)
		return
	}
	found := map[string]bool{}
	for _, p := range doc.Packages {
		found[p.Name] = p.Version != ""
	}
	for _, module := range []string{"filippo.io/age", "sigs.k8s.io/kustomize/api", "github.com/spf13/cobra", "golang.org/x/crypto", "stdlib"} {
		if !found[module] {
			c.fault("%s: its SBOM, of %d packages, lacks %s", archive, len(found), module)
		}
	}
}

// linuxPackage holds what the archive does, where systems look for it.
func (c *checker) linuxPackage(name string, program []byte) {
	files, err := c.unpack(name)
	if err != nil {
		c.fault("%w", err)
		return
	}
	zsh := "usr/share/zsh/site-functions/_ageseal"
	if strings.HasSuffix(name, ".deb") {
		zsh = "usr/share/zsh/vendor-completions/_ageseal"
	}
	want := map[string][]byte{
		"usr/bin/ageseal":                                  program,
		"usr/share/doc/ageseal/copyright":                  c.texts["LICENSE"],
		"usr/share/doc/ageseal/README.md":                  c.texts["README.md"],
		"usr/share/doc/ageseal/CHANGELOG.md":               c.texts["CHANGELOG.md"],
		"usr/share/bash-completion/completions/ageseal":    c.texts["completions/ageseal.bash"],
		"usr/share/fish/vendor_completions.d/ageseal.fish": c.texts["completions/ageseal.fish"],
		zsh: c.texts["completions/_ageseal"],
	}
	for page, text := range c.pages {
		p := "usr/share/man/man1/" + page + ".gz"
		plain, err := gunzip(files[p].data)
		if err != nil || !bytes.Equal(plain, text) {
			c.fault("%s: %s is not %s: %v", name, p, page, err)
		}
		want[p] = files[p].data
	}
	if strings.HasSuffix(name, ".apk") { // .PKGINFO and the like lie beside the rest
		maps.DeleteFunc(files, func(p string, _ file) bool { return strings.HasPrefix(p, ".") })
	}
	c.compare(name, files, want, "usr/bin/ageseal")
	if link := files["usr/bin/kubectl-ageseal"].link; path.Base(link) != "ageseal" {
		c.fault("%s: kubectl-ageseal leads to %q", name, link)
	}
}

func gunzip(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// manifests name every archive of their systems, by address and checksum.
func (c *checker) manifests() {
	for name, of := range manifests {
		text, err := os.ReadFile(filepath.Join(c.dist, name))
		if err != nil {
			c.fault("%w", err)
			continue
		}
		for archive, p := range archives() {
			if !slices.Contains(of, p.system) {
				continue
			}
			if !bytes.Contains(text, []byte(c.sums[archive])) || c.sums[archive] == "" {
				c.fault("%s does not have the checksum of %s", name, archive)
			}
		}
	}
}

// installed runs what the archive and the package of this machine's platform hold, the way a user would have put them in place.
func (c *checker) installed(ctx context.Context, program []byte) (string, error) {
	dir, err := os.MkdirTemp("", "ageseal-release-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "ageseal")
	if err := os.WriteFile(bin, program, 0o755); err != nil {
		return "", err
	}
	version, err := exec.CommandContext(ctx, bin, "version").Output()
	if err != nil {
		return "", fmt.Errorf("the program of the archive: %w", err)
	}
	var metadata struct{ Version string }
	text, err := os.ReadFile(filepath.Join(c.dist, "metadata.json"))
	if err := errors.Join(err, json.Unmarshal(text, &metadata)); err != nil {
		return "", err
	}
	if !strings.HasPrefix(string(version), "ageseal "+metadata.Version+" (") {
		return "", fmt.Errorf("it says %q, and is version %s", version, metadata.Version)
	}
	for shell, script := range shells {
		out, err := exec.CommandContext(ctx, bin, "completion", shell).Output()
		if err == nil && !bytes.Equal(out, c.texts["completions/"+script]) {
			err = errors.New("they differ")
		}
		if err != nil {
			return "", fmt.Errorf("%s is not its completion of %s: %w", script, shell, err)
		}
	}
	ran := "from the archive: " + strings.TrimSpace(string(version))
	if _, err := exec.LookPath("dpkg-deb"); err != nil || runtime.GOOS != "linux" {
		return ran + "; no dpkg-deb here", nil
	}
	deb := filepath.Join(c.dist, "ageseal_linux_"+runtime.GOARCH+".deb")
	if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", deb, filepath.Join(dir, "deb")).CombinedOutput(); err != nil {
		return "", fmt.Errorf("dpkg-deb -x: %w: %s", err, out)
	}
	again, err := exec.CommandContext(ctx, filepath.Join(dir, "deb", "usr", "bin", "kubectl-ageseal"), "version").Output()
	if err == nil && !bytes.Equal(again, version) {
		err = fmt.Errorf("it says %q", again)
	}
	if err != nil {
		return "", fmt.Errorf("kubectl-ageseal of the deb: %w", err)
	}
	control, err := exec.CommandContext(ctx, "dpkg-deb", "-f", deb, "Package", "Version", "Architecture").Output()
	if err != nil {
		return "", fmt.Errorf("dpkg-deb -f: %w", err)
	}
	return ran + "\nfrom the deb, as kubectl-ageseal, the same; " + strings.Join(strings.Fields(string(control)), " "), nil
}
