package kustomize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"

	"github.com/ageseal/ageseal/crypt"
)

// Options of a build.
type Options struct {
	// Kustomize are the options of "kustomize build"; nil stands for that command without flags.
	Kustomize *krusty.Options
	// Opener gives the identities. It is called at most once, on another goroutine, and only if a sealed document is
	// used. Its error is the build's.
	Opener func() (*crypt.Opener, error)
	// Redact puts a redacted value in the place of each sealed one: Opener is never called, and AllowTypes is of no concern.
	// Equal input gives equal output, and a value that is written again changes itself and the name hash over it alone.
	Redact bool
	// Root is the directory that no path may leave. Empty: the nearest one at or above the target that has a .git, else
	// the target. The root of a remote target is its clone.
	Root string
	// AllowRemote lets bases come from other git repositories. What is sealed there is opened like the rest.
	AllowRemote bool
	// Offline refuses a kustomization that names anything elsewhere, before it is fetched.
	Offline bool
	// AllowTypes are the credential types (manifest.IsCredentialType) that the builder allows.
	AllowTypes []string
	// Namespace is where output without a namespace will be applied. Empty: unknown.
	Namespace string
	// OnlyNamespaces are the namespaces whose bindings this build may open; nil for all.
	OnlyNamespaces []string
	// OutputDir asks for one file for each resource. A resource whose name makes no plain file name fails the build, and so
	// do two of one file name if one has sealed values; two others are a warning.
	OutputDir bool
}

// Result of a build. It holds plaintext, unless it is redacted.
type Result struct {
	YAML     []byte            // the stream; nil with OutputDir
	Files    map[string][]byte // with OutputDir: file name, as kustomize's and without separators, → content
	Warnings []string
}

// build is the state of one build.
type build struct {
	o       Options
	marks   *marks
	tree    *tree
	fs      *fileSystem
	slots   map[string]*slot // base64 of the placeholder → what it stands for
	docs    []*document
	opened  int // how many of docs are being opened
	opening *opening
}

// kustomize keeps its OpenAPI schema in global variables, so builds in one process take turns.
var oneBuild sync.Mutex

// Build runs "kustomize build" on target, a directory or a URL, with sealed documents decrypted.
//
// The result is complete or nil. Faults of ours are *Error, joined where there are several; they match the sentinels of
// this package, of secret, crypt and manifest. kustomize's own come as they are, with placeholders taken out.
// When ctx ends Build returns at once, and kustomize runs on to its end unseen.
func Build(ctx context.Context, target string, o Options) (*Result, error) {
	b := &build{o: o, marks: newMarks(), slots: make(map[string]*slot), opening: &opening{source: newKeyed(o.Opener, o.AllowTypes)}}
	if o.Redact {
		b.opening.source = redactor{}
	}
	root, err := findRoot(o.Root, target)
	if err != nil {
		if o.Root != "" {
			return nil, &Error{File: o.Root, Err: fmt.Errorf("the root of the build: %w", cause(err))}
		}
		// A URL, or a directory that is missing: kustomize says which.
		if looksRemote(target) && !o.AllowRemote {
			return nil, &Error{Err: factf(ErrRemote, "%s is in another repository", target),
				Hint: "what is sealed there would be opened with your identity; if you trust it, build with --allow-remote"}
		}
		root = os.DevNull // nothing is below it
	}
	b.fs = newFileSystem(root, o.AllowRemote)
	b.fs.offline = o.Offline
	b.fs.serve, b.fs.serveFile = b.serve, b.serveFile
	b.tree = newTree(func(path string) (string, bool) {
		full, _, err := b.fs.resolve(path)
		return full, err == nil
	})
	b.fs.tree = b.tree

	type outcome struct {
		result *Result
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		oneBuild.Lock()
		defer oneBuild.Unlock()
		result, err := b.run(ctx, target)
		done <- outcome{result, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case out := <-done:
		if out.err != nil {
			return nil, out.err
		}
		return out.result, nil
	}
}

// looksRemote reports whether a target that is no directory is meant to be a repository elsewhere.
func looksRemote(target string) bool {
	return strings.Contains(target, "://") || strings.HasPrefix(target, "git@") || strings.HasPrefix(target, "git::") ||
		strings.HasPrefix(target, "github.com") || strings.Contains(target, ".git")
}

func (b *build) run(ctx context.Context, target string) (result *Result, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("internal error in a build") // what panicked may quote a value
		}
		b.opening.wg.Wait()
		if err != nil {
			result = nil
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	openapi.ResetOpenAPI()
	m, order, err := b.kustomize(target)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return b.finish(m, order)
}

// kustomize runs kustomize over placeholders.
func (b *build) kustomize(target string) (resmap.ResMap, order, error) {
	opts := krusty.Options{Reorder: krusty.ReorderOptionUnspecified, LoadRestrictions: types.LoadRestrictionsRootOnly}
	if b.o.Kustomize != nil {
		opts = *b.o.Kustomize
	}
	if opts.PluginConfig == nil {
		opts.PluginConfig = types.DisabledPluginConfig()
	}
	b.tree.dropsExec = dropsExec(opts.PluginConfig)
	reorder := opts.Reorder
	if !b.sortsItself(target) {
		opts.Reorder = krusty.ReorderOptionNone
	}
	m, err := krusty.MakeKustomizer(&opts).Run(b.fs, target)
	if b.fs.err != nil {
		return nil, order{}, b.fs.err
	}
	if len(b.slots) > 0 && len(b.tree.cuts) > 0 { // before kustomize's own error: it may be that the placeholder has too few parts
		return nil, order{}, &Error{File: b.tree.cuts[0],
			Err:  factf(ErrPlacement, "a replacement cuts a Secret's value at a delimiter"),
			Hint: "give the part a key of its own in the Secret, and refer to that"}
	}
	if err != nil {
		return nil, order{}, b.shown(err)
	}
	return m, newOrder(reorder, b.tree.root), nil
}

// sortsItself reports whether kustomize may have to sort: the target is not here to be looked at, or it says how.
func (b *build) sortsItself(target string) bool {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		full, info, err := b.fs.resolve(filepath.Join(target, name))
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		src, err := os.ReadFile(full)
		return err != nil || bytes.Contains(src, []byte("sortOptions"))
	}
	return true
}

// shown is an error of kustomize's as it may be shown: without placeholders.
func (b *build) shown(err error) error {
	text := err.Error()
	if clean := b.marks.scrub(text); clean != text {
		err = &scrubbed{text: clean, err: err}
	}
	if hint := placeholderHint(text); hint != "" && len(b.docs) > 0 {
		return &Error{Err: err, Hint: hint}
	}
	return err
}

// placeholderHint says why an error of kustomize's may be ours: what works on the plaintext need not on placeholders.
func placeholderHint(text string) string {
	switch {
	case strings.Contains(text, "/stringData"):
		return "sealed Secrets have their values under data: let the patch say /data/ in place of /stringData/"
	case strings.Contains(text, "testing value /data/"):
		return "kustomize has placeholders for sealed values, on which no test of a value succeeds: leave it out of the patch"
	case strings.Contains(text, "couldn't execute function"), strings.Contains(text, "unable to run: "): // helm
		return "functions, validators and charts see placeholders for sealed values, and no identity; if this one looks at values, run it on the finished build"
	}
	return ""
}

// finish checks the result of kustomize, waits for the values and puts them in.
func (b *build) finish(m resmap.ResMap, o order) (*Result, error) {
	all := m.Resources()
	s := &survey{b: b}
	for _, r := range all {
		s.resource(r)
	}
	faults := s.faults
	if len(faults) == 0 { // of what is out of place already, the binding does not matter
		if err := b.settleFiles(); err != nil {
			return nil, err
		}
	}
	for _, p := range s.placed {
		if err := p.findHash(); err != nil {
			return nil, b.shown(fmt.Errorf("hashing %s: %w", describe(p.res), err))
		}
		if err := b.check(p); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	if err := b.opening.wait(b.docs); err != nil {
		return nil, err
	}
	for _, p := range s.placed {
		if err := b.total(p); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	slices.Sort(b.tree.leftOut)
	warnings := slices.Concat(s.warnings(), s.missing(all), b.tree.leftOut)
	if err := s.rename(all); err != nil {
		return nil, b.shown(err)
	}
	if err := o.apply(all, len(s.placed) > 0); err != nil {
		return nil, b.shown(err)
	}
	result := &Result{Warnings: warnings}
	w := newWriter(s.placed)
	var err error
	if !b.o.OutputDir {
		if result.YAML, err = w.stream(all); err != nil {
			return nil, b.shown(err)
		}
		return result, nil
	}
	var lost []string
	if result.Files, lost, err = w.files(m); err != nil {
		return nil, b.shown(err)
	}
	for _, name := range lost {
		result.Warnings = append(result.Warnings, name+": two resources have this file name, the later one is kept")
	}
	return result, nil
}

// rename gives hashed Secrets the name that goes with their values, wherever kustomize wrote the other one.
func (s *survey) rename(all []*resource.Resource) error {
	r := make(renames)
	for _, p := range s.placed {
		if err := p.rehash(); err != nil {
			return fmt.Errorf("hashing %s: %w", describe(p.res), err)
		}
		r.add(p)
	}
	if len(r) == 0 {
		return nil
	}
	for _, res := range all {
		r.node(res.YNode())
	}
	return nil
}
