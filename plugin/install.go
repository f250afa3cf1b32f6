package plugin

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/ageseal/ageseal/kustomize"
)

// Kinds are the names that kustomize calls us by as a plugin of the older kind.
var Kinds = []string{kustomize.SealedKind, kustomize.DecrypterKind}

// FunctionName is the name that we are called by as a KRM function: older versions of kustomize have no arguments for one.
const FunctionName = "ageseal-fn"

// ErrNotOurs: something that ageseal did not put there is where a plugin belongs.
var ErrNotOurs = errors.New("there is something else, which ageseal did not put there")

// Home is where kustomize looks for plugins: the first directory of its own list that exists (konfig.DefaultAbsPluginHome).
// It is an error, fs.ErrNotExist, if there is none.
func Home() (string, error) {
	dir, err := konfig.DefaultAbsPluginHome(filesys.MakeFsOnDisk())
	if err != nil {
		return "", fmt.Errorf("kustomize has no directory for plugins: %w", fs.ErrNotExist)
	}
	return filepath.Abs(dir)
}

// HomeToMake is where plugins are to be installed: $KUSTOMIZE_PLUGIN_HOME, else what Home says, else the first of
// kustomize's own list, which has to be made. One that is made before another that exists would hide the plugins there.
func HomeToMake() (string, error) {
	if dir := os.Getenv(konfig.KustomizePluginHomeEnv); dir != "" {
		return filepath.Abs(dir)
	}
	if dir, err := Home(); err == nil {
		return dir, nil
	}
	config := os.Getenv(konfig.XdgConfigHomeEnv)
	if config == "" {
		home := konfig.HomeDir()
		if !filepath.IsAbs(home) {
			return "", errors.New("no home directory")
		}
		config = filepath.Join(home, konfig.XdgConfigHomeEnvDefault)
	}
	return filepath.Abs(filepath.Join(config, konfig.ProgramName, konfig.RelPluginHome))
}

// Path is where kustomize looks for the plugin of one of Kinds.
func Path(home, kind string) string {
	return filepath.Join(home, filepath.FromSlash(kustomize.APIVersion), strings.ToLower(kind), kind)
}

// Link is one plugin of ours in its place.
type Link struct {
	Path    string
	Changed bool
}

// Install puts a link to program, an absolute path, where kustomize looks for each of Kinds; on Windows, a copy. Again
// is harmless. What ageseal did not put there is left alone, and then nothing is changed: the error is an
// *fs.PathError that matches ErrNotOurs.
func Install(home, program string) ([]Link, error) {
	links := make([]Link, len(Kinds))
	for i, kind := range Kinds {
		path := Path(home, kind)
		same, err := installed(path, program)
		if err != nil {
			return nil, err
		}
		links[i] = Link{path, !same}
	}
	for _, l := range links {
		if !l.Changed {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(l.Path), 0o755); err != nil {
			return nil, err
		}
		if err := put(l.Path, program); err != nil {
			return nil, err
		}
	}
	return links, nil
}

// Check looks at the plugin of a kind in home as kustomize would: nil if it is this program, which is an absolute path.
// An error is one of fs.ErrNotExist for none or a link to nowhere, or ErrNotOurs.
func Check(home, kind, program string) error {
	path := executable(Path(home, kind))
	real, err := os.Stat(path)
	if err != nil {
		return err
	}
	own, err := os.Stat(program)
	if err != nil {
		return err
	}
	if os.SameFile(real, own) || isProgram(path) && isCopy(path, program) {
		return nil
	}
	if isProgram(path) {
		return &fs.PathError{Op: "check", Path: path, Err: errors.New("another version of ageseal than this one")}
	}
	return &fs.PathError{Op: "check", Path: path, Err: ErrNotOurs}
}

// executable is the file that is run for a path: on Windows kustomize looks for the path and the system runs PATH.exe.
func executable(path string) string {
	if runtime.GOOS == "windows" {
		return path + ".exe"
	}
	return path
}

// installed reports whether the plugin at path is the program already. What may not be replaced is an error.
func installed(path, program string) (same bool, err error) {
	path = executable(path)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		if err != nil {
			return false, err
		}
		if target == program {
			return true, nil
		}
		// A link to where a program of ours is, or was before it moved.
		_, err = os.Stat(path)
		gone := errors.Is(err, fs.ErrNotExist) && slices.Contains([]string{"ageseal", "kubectl-ageseal"}, filepath.Base(target))
		if gone || isProgram(path) {
			return false, nil
		}
	} else if isProgram(path) {
		return isCopy(path, program), nil
	}
	return false, &fs.PathError{Op: "replace", Path: path, Err: ErrNotOurs}
}

// put replaces what is at path in one step: a build may be looking for it.
func put(path, program string) error {
	path = executable(path)
	fresh := filepath.Join(filepath.Dir(path), ".new-"+filepath.Base(path))
	_ = os.Remove(fresh) // of a run that was killed
	if runtime.GOOS != "windows" {
		if err := os.Symlink(program, fresh); err != nil {
			return err
		}
		return os.Rename(fresh, path)
	}
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	if err := os.WriteFile(fresh, data, 0o755); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	// kustomize only asks whether this one exists.
	return os.WriteFile(strings.TrimSuffix(path, ".exe"), nil, 0o755)
}

// maxProgram is the size, in bytes, from which on a file is no program of ours.
const maxProgram = 128 << 20

// isProgram reports whether the file at path is a program built from this module: its name is in every such binary, and
// a script that mentions it is none.
func isProgram(path string) bool {
	data := readProgram(path)
	return bytes.IndexByte(data[:min(len(data), 4096)], 0) >= 0 && bytes.Contains(data, []byte("github.com/ageseal/"+"ageseal/plugin"))
}

func isCopy(path, program string) bool {
	a, b := readProgram(path), readProgram(program)
	return a != nil && bytes.Equal(a, b)
}

func readProgram(path string) []byte {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxProgram {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return data
}
