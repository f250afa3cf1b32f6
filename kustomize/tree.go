package kustomize

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/yaml"
)

// use says how the kustomizations of a tree use a file or a directory.
type use int

const (
	useResource use = 1 << iota
	usePatch
	useGenerator
	useTransformer // or validator
	useReplacement
	useConfigMap
	useSecretFile // files: of a secretGenerator
	useSecretEnv  // envs:
	useJSONPatch
	useConfiguration // configurations, crds, openapi
	useHelm
)

// fields names a use as the kustomization does.
var fields = map[use]string{
	useResource: "resources:", usePatch: "patches:", useGenerator: "generators:", useTransformer: "transformers: or validators:",
	useReplacement: "replacements:", useConfigMap: "configMapGenerator:", useSecretFile: "secretGenerator: files:", useSecretEnv: "secretGenerator: envs:",
	useJSONPatch: "patchesJson6902:", useConfiguration: "configurations:, crds: or openapi:", useHelm: "helmCharts:",
}

// tree is what the kustomizations that were served so far say: kustomize reads each one before any file it names.
type tree struct {
	resolve func(path string) (string, bool)
	uses    map[string]use    // resolved path → uses
	owners  map[string]string // resolved path of what generators: lists → directory of that kustomization, "" for several
	written map[string]string // resolved path → how files: or envs: of a generator write it
	// resolved path → names of the Secrets that generators make of it
	generated map[string][]string
	prefixes  []string
	suffixes  []string
	root      *types.Kustomization // the first one
	last      string               // path of the latest, as messages show it
	cuts      []string             // files whose replacements may cut a value of a Secret into pieces

	remote    string   // the first thing that is to be fetched
	dropsExec bool     // kustomize drops exec functions
	leftOut   []string // those, as warnings
}

func newTree(resolve func(string) (string, bool)) *tree {
	return &tree{resolve: resolve, uses: make(map[string]use), owners: make(map[string]string), written: make(map[string]string), generated: make(map[string][]string)}
}

func isKustomization(path string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(path))
}

// mayBeSealed is the cheap test before any parsing. A document that hides from it, by an escape in its kind, is served as
// it is and found in the result.
func mayBeSealed(src []byte) bool {
	return bytes.Contains(src, []byte("EncryptedSecret")) && bytes.Contains(src, []byte("ageseal.dev/"))
}

// kustomization notes what the kustomization at path, a resolved one, uses and does. One that kustomize won't be able
// to read either is left to its messages.
func (t *tree) kustomization(path string, src []byte) error {
	t.last = shortPath(path)
	var k types.Kustomization
	if k.Unmarshal(src) != nil {
		return nil
	}
	k.FixKustomization()
	if t.root == nil {
		t.root = &k
	}
	dir := filepath.Dir(path)
	resource := useResource
	if up := t.uses[dir] & (useGenerator | useTransformer); up != 0 {
		resource = up // what this kustomization makes is configuration of plugins
		t.own(dir, t.owners[dir], slices.Concat(k.Resources, k.Components))
	}
	t.own(dir, dir, k.Generators)
	t.add(dir, resource, k.Resources...)
	t.add(dir, resource, k.Components...)
	t.add(dir, useGenerator, k.Generators...)
	t.add(dir, useTransformer, k.Transformers...)
	t.add(dir, useTransformer, k.Validators...)
	t.add(dir, useConfiguration, k.Configurations...)
	t.add(dir, useConfiguration, k.Crds...)
	t.add(dir, useConfiguration, k.OpenAPI["path"])
	for _, p := range k.Patches {
		t.add(dir, usePatch, p.Path)
	}
	for _, p := range k.PatchesStrategicMerge {
		t.add(dir, usePatch, string(p))
	}
	for _, p := range k.PatchesJson6902 {
		t.add(dir, useJSONPatch, p.Path)
	}
	for _, g := range k.ConfigMapGenerator {
		t.addData(dir, "", useConfigMap, useConfigMap, g.KvPairSources)
	}
	for _, g := range k.SecretGenerator {
		t.addData(dir, g.Name, useSecretFile, useSecretEnv, g.KvPairSources)
	}
	for _, c := range k.HelmCharts {
		t.add(dir, useHelm, c.ValuesFile)
		t.add(dir, useHelm, c.AdditionalValuesFiles...)
	}
	t.names(k.NamePrefix, k.NameSuffix)
	t.replacements(dir, t.last, k.Replacements)
	for _, plugin := range slices.Concat(k.Generators, k.Transformers, k.Validators) {
		if strings.Contains(plugin, "\n") {
			t.functions(path, []byte(plugin))
			t.plugin([]byte(plugin))
		}
	}
	for _, inline := range k.Transformers {
		t.operators(path, useTransformer, []byte(inline))
	}
	if mayBeSealed(src) {
		return t.refuseInline(&k)
	}
	return nil
}

// own notes whose generators the paths are, which are relative to dir.
func (t *tree) own(dir, owner string, paths []string) {
	t.each(dir, paths, func(full, _ string) {
		if other, ok := t.owners[full]; ok && other != owner {
			owner = ""
		}
		t.owners[full] = owner
	})
}

// add notes uses of paths relative to dir.
func (t *tree) add(dir string, u use, paths ...string) {
	t.each(dir, paths, func(full, _ string) { t.uses[full] |= u })
}

// each resolves paths relative to dir. What is no file here is inline text, a URL, or missing: kustomize's to say.
func (t *tree) each(dir string, paths []string, do func(full, text string)) {
	for _, p := range paths {
		if p == "" || strings.Contains(p, "\n") {
			continue
		}
		text := p
		if !filepath.IsAbs(p) {
			p = filepath.Join(dir, p)
		}
		full, ok := t.resolve(p)
		if ok {
			do(full, text)
		}
		// A scheme goes before a file of that name; user@host:path and the like after it.
		if t.remote == "" && (strings.Contains(text, "://") || !ok && text[0] != '{' && (looksRemote(text) || strings.Contains(text, ":"))) {
			t.remote = text
		}
	}
}

// plugin notes that a text with configuration of kustomize's own plugins, which may name a file to fetch, has a URL in it.
func (t *tree) plugin(src []byte) {
	if t.remote == "" && bytes.Contains(src, []byte(konfig.BuiltinPluginApiVersion)) && bytes.Contains(src, []byte("://")) {
		t.remote = "a URL in a builtin generator or transformer"
	}
}

// addData notes what a generator makes a ConfigMap or a Secret of that name of.
func (t *tree) addData(dir, name string, file, env use, s types.KvPairSources) {
	add := func(u use, path string) {
		t.each(dir, []string{path}, func(full, text string) {
			t.uses[full] |= u
			if u&(useSecretFile|useSecretEnv) != 0 {
				t.written[full] = text
				t.generated[full] = append(t.generated[full], name)
			}
		})
	}
	for _, f := range s.FileSources {
		if _, after, ok := strings.Cut(f, "="); ok {
			f = after
		}
		add(file, f)
	}
	for _, f := range s.EnvSources {
		add(env, f)
	}
}

func (t *tree) names(prefix, suffix string) {
	if prefix != "" {
		t.prefixes = append(t.prefixes, prefix)
	}
	if suffix != "" {
		t.suffixes = append(t.suffixes, suffix)
	}
}

// operators notes what a file of builtin transformers or of replacements does to names, and whether it cuts values.
func (t *tree) operators(path string, u use, src []byte) {
	dir, at := filepath.Dir(path), shortPath(path)
	if u&useReplacement != 0 {
		var list []types.ReplacementField
		if yaml.Unmarshal(src, &list) != nil {
			var one types.ReplacementField
			if yaml.Unmarshal(src, &one) != nil {
				return
			}
			list = append(list, one)
		}
		t.replacements(dir, at, list)
	}
	if u&useTransformer == 0 {
		return
	}
	docs, err := kio.FromBytes(src)
	if err != nil {
		return
	}
	for _, doc := range docs {
		text, err := doc.String()
		if err != nil || doc.GetApiVersion() != konfig.BuiltinPluginApiVersion {
			continue
		}
		var config struct {
			Prefix, Suffix string
			Replacements   []types.ReplacementField
		}
		if yaml.Unmarshal([]byte(text), &config) == nil {
			t.names(config.Prefix, config.Suffix)
			t.replacements(dir, at, config.Replacements)
		}
	}
}

// replacements notes those that cut their source, which may be a Secret's value, at a delimiter: a piece of a
// placeholder as short as one letter could then get anywhere unseen.
func (t *tree) replacements(dir, at string, list []types.ReplacementField) {
	for _, r := range list {
		t.add(dir, useReplacement, r.Path)
		s := r.Source
		if s == nil || s.Options == nil || s.Options.Delimiter == "" || s.Kind != "" && s.Kind != "Secret" {
			continue
		}
		if field, _, _ := strings.Cut(s.FieldPath, "."); field != "" && field != "metadata" {
			t.cuts = append(t.cuts, at)
		}
	}
}

// refuseInline refuses sealed manifests that are written into a kustomization, which kustomize would take as they are.
func (t *tree) refuseInline(k *types.Kustomization) error {
	inline := slices.Concat(k.Generators, k.Transformers, k.Validators)
	for _, p := range k.PatchesStrategicMerge {
		inline = append(inline, string(p))
	}
	for _, p := range slices.Concat(k.Patches, k.PatchesJson6902) {
		inline = append(inline, p.Patch)
	}
	for _, text := range inline {
		if mayBeSealed([]byte(text)) {
			return &Error{File: t.last, Err: factf(ErrUse, "a sealed manifest is written into the kustomization itself"),
				Hint: "put it into a file of its own and list that file"}
		}
	}
	return nil
}
