package kustomize

import (
	"bytes"
	"fmt"
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/fn/runtime/runtimeutil"
	"sigs.k8s.io/kustomize/kyaml/kio"
)

// dropsExec reports whether kustomize drops exec functions: plugins are on, and these ones are not (kyaml/runfn, ffp).
func dropsExec(c *types.PluginConfig) bool {
	return c != nil && c.PluginRestrictions == types.PluginRestrictionsNone && !c.FnpLoadingOptions.EnableExec
}

// functions notes the exec functions among the plugins in a text from the file at path, if kustomize drops them: it does
// so without a word, and what they would have made or changed is missing.
func (t *tree) functions(path string, src []byte) {
	if !t.dropsExec || !bytes.Contains(src, []byte("exec")) {
		return
	}
	docs, err := kio.FromBytes(src)
	if err != nil {
		return // kustomize's to say
	}
	for _, doc := range docs {
		spec, err := runtimeutil.GetFunctionSpec(doc)
		if err != nil || spec == nil || spec.Exec.Path == "" || spec.Container.Image != "" || doc.GetApiVersion() == konfig.BuiltinPluginApiVersion {
			continue
		}
		text := fmt.Sprintf("%s: kustomize leaves out the function %s %s without --enable-exec", shortPath(path), doc.GetKind(), doc.GetName())
		if !slices.Contains(t.leftOut, text) {
			t.leftOut = append(t.leftOut, text)
		}
	}
}
