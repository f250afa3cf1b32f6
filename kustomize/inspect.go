package kustomize

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/fn/runtime/runtimeutil"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/ageseal/ageseal/manifest"
)

// Inspection is what the kustomizations of a repository say, read without a build and without a key.
type Inspection struct {
	Kustomizations int
	Configs        []Config // of plugins, in the order of the kustomizations
	Faults         []error  // *Error: Decrypters that can't work, sealed manifests written into a kustomization

	tree *tree
	own  []string // paths of the kustomizations that are built by themselves, if no other one uses them
}

// Config is configuration of a plugin that is not kustomize's own.
type Config struct {
	Kustomization string // that lists it, as messages show it
	File          string // that holds it, the same if it is written into the kustomization
	Line          int    // 1-based, 0 in a kustomization
	Kind, Name    string
	Ours          bool // a sealed manifest or a Decrypter
	Exec          bool // runs as an exec function
	Container     bool // runs in a container
	Transforms    bool // listed under transformers: or validators:
}

// Inspect reads the kustomizations among the files, which are absolute and resolved paths, and what they list as
// generators, transformers and validators. What can't be read is kustomize's to say, in a build.
func Inspect(files []string) *Inspection {
	i := &Inspection{tree: newTree(func(path string) (string, bool) {
		full, err := filepath.EvalSymlinks(path)
		return full, err == nil
	})}
	for _, path := range files {
		if !isKustomization(path) {
			continue
		}
		k, src := readKustomization(path)
		if k == nil || k.Kind != types.ComponentKind {
			i.own = append(i.own, path)
		}
		if k != nil {
			i.Kustomizations++
			if err := i.tree.kustomization(path, src); err != nil {
				i.Faults = append(i.Faults, err)
			}
			i.plugins(path, k.Generators, false)
			i.plugins(path, slices.Concat(k.Transformers, k.Validators), true)
		}
	}
	return i
}

// Uses reports whether a kustomization, or a Decrypter that one lists, reads the file at an absolute and resolved path.
func (i *Inspection) Uses(path string) bool { return i.tree.uses[path] != 0 }

// Roots are the paths of the kustomizations that no other one uses, in the order of the files: what is built by itself.
// Components are not, ones that can't be read are.
func (i *Inspection) Roots() []string {
	return slices.DeleteFunc(slices.Clone(i.own), func(path string) bool { return i.Uses(filepath.Dir(path)) })
}

func readKustomization(path string) (*types.Kustomization, []byte) {
	src := readSmall(path)
	var k types.Kustomization
	if src == nil || k.Unmarshal(src) != nil {
		return nil, nil
	}
	k.FixKustomization()
	return &k, src
}

// readSmall reads a regular file of at most the size of a manifest, nil for any other.
func readSmall(path string) []byte {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > manifest.MaxFileSize {
		return nil
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return src
}

func (i *Inspection) plugins(path string, entries []string, transforms bool) {
	dir := filepath.Dir(path)
	for _, entry := range entries {
		if strings.Contains(entry, "\n") {
			i.configs(path, path, []byte(entry), transforms)
			continue
		}
		for _, file := range configFiles(dir, entry, 0) {
			i.configs(path, file, readSmall(file), transforms)
		}
	}
}

// configFiles are the files that an entry of generators: stands for; a directory is a kustomization that makes them.
func configFiles(dir, entry string, depth int) []string {
	const deepest = 8 // kustomizations that refer to one another in a circle are kustomize's to refuse
	full, err := filepath.EvalSymlinks(filepath.Join(dir, entry))
	if err != nil || depth > deepest {
		return nil // inline, a URL, or missing: kustomize's to say
	}
	if info, err := os.Stat(full); err != nil || !info.IsDir() {
		return []string{full}
	}
	var files []string
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if k, _ := readKustomization(filepath.Join(full, name)); k != nil {
			for _, r := range slices.Concat(k.Resources, k.Components) {
				files = append(files, configFiles(full, r, depth+1)...)
			}
			break
		}
	}
	return files
}

// configs notes the configurations of plugins in a text from file, which the kustomization at path lists.
func (i *Inspection) configs(path, file string, src []byte, transforms bool) {
	objects, err := Objects(src)
	if err != nil {
		return
	}
	for _, n := range objects {
		if text(n, "apiVersion") == konfig.BuiltinPluginApiVersion {
			continue
		}
		c := Config{
			Kustomization: shortPath(path), File: shortPath(file), Line: n.Line,
			Kind: text(n, "kind"), Name: text(n, "metadata", "name"),
			Ours: IsOurs(n, SealedKind) || IsOurs(n, DecrypterKind), Transforms: transforms,
		}
		if path == file {
			c.Line = 0
		}
		if spec, err := runtimeutil.GetFunctionSpec(yaml.NewRNode(n)); err == nil && spec != nil {
			c.Container = spec.Container.Image != ""
			c.Exec = spec.Exec.Path != "" && !c.Container
		}
		i.Configs = append(i.Configs, c)
		if IsOurs(n, DecrypterKind) && !transforms {
			i.decrypter(filepath.Dir(path), c.File, n)
		}
	}
}

// decrypter checks a Decrypter and notes that its files are used.
func (i *Inspection) decrypter(dir, file string, n *yaml.Node) {
	d, err := readDecrypter(file, n)
	var files []*SealedFile
	if err == nil {
		files, err = d.Open(dir)
	}
	if err != nil {
		i.Faults = append(i.Faults, split(err)...)
	}
	for _, f := range files {
		if full, err := filepath.EvalSymlinks(f.full); err == nil {
			i.tree.uses[full] |= useGenerator
		}
	}
}

// split takes joined errors apart, to *Error.
func split(err error) (all []error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			all = append(all, split(e)...)
		}
		return all
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return []error{e}
	}
	return []error{&Error{Err: err}}
}
