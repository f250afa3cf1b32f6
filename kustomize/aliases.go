package kustomize

import (
	"bytes"
	"errors"

	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// maxNodes is how many YAML nodes a file may have once its aliases are written out. kustomize writes them out without a
// limit: a file of a few hundred bytes can take all memory.
const maxNodes = 1 << 20

var errAliases = errors.New("the aliases of this file stand for too much")

// checkAliases refuses a file whose aliases multiply beyond reason. What it can't read is left to kustomize.
func checkAliases(src []byte) error {
	if bytes.IndexByte(src, '&') < 0 || bytes.IndexByte(src, '*') < 0 {
		return nil
	}
	for decoder := yaml.NewDecoder(bytes.NewReader(src)); ; {
		var doc yaml.Node
		if decoder.Decode(&doc) != nil {
			return nil
		}
		if written(&doc, make(map[*yaml.Node]int)) > maxNodes {
			return errAliases
		}
	}
}

// written counts the nodes of n with aliases written out, each anchor once. A node that contains itself counts as too many.
func written(n *yaml.Node, known map[*yaml.Node]int) int {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if sum, ok := known[n]; ok {
		return sum
	}
	known[n] = maxNodes + 1
	sum := 1
	for _, c := range n.Content {
		if sum += written(c, known); sum > maxNodes {
			sum = maxNodes + 1
			break
		}
	}
	known[n] = sum
	return sum
}
