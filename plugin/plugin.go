// Package plugin is how a process is spoken to that runs us as a KRM function: a ResourceList in, a ResourceList out.
//
// It knows the protocol of kustomize's generators (KRM Functions Specification, config.kubernetes.io/v1) and nothing of
// the format: the sealed manifest in functionConfig is read and opened by manifest and secret.
package plugin

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// maxInput bounds what is read: a functionConfig of the largest size, and what a pipeline of functions may carry along.
const maxInput = 4 * manifest.MaxFileSize

// localConfig marks what is meant for functions and not for the cluster: kustomize hands a generator its own config as
// the only item with this mark.
const localConfig = "config.kubernetes.io/local-config"

// resourceList is the wire form. Nodes keep everything that is not ours as it came.
type resourceList struct {
	APIVersion     string      `yaml:"apiVersion"`
	Kind           string      `yaml:"kind"`
	FunctionConfig yaml.Node   `yaml:"functionConfig"`
	Items          []yaml.Node `yaml:"items"`
}

// Generate reads a ResourceList whose functionConfig is a sealed manifest and returns one that holds the native Secret
// behind the items that came in. opener is asked for keys once something has to be opened. On any fault there is no
// output at all, because kustomize takes what a function prints even if it fails.
func Generate(r io.Reader, opener func() (*crypt.Opener, error), allowTypes []string) ([]byte, error) {
	list, err := read(r)
	if err != nil {
		return nil, err
	}
	// kustomize marks the config, too; a Secret that inherited the mark would silently be left out of the build.
	removeLocalConfig(&list.FunctionConfig)
	config, err := yaml.Marshal(&list.FunctionConfig)
	if err != nil {
		return nil, errors.New("functionConfig can't be read")
	}
	f, err := manifest.Parse(config)
	if err != nil {
		return nil, err
	}
	if items := f.Items(); len(items) != 1 || items[0].Kind != manifest.Sealed && items[0].Kind != manifest.Broken {
		return nil, errors.New("functionConfig is not a sealed manifest: list an EncryptedSecret under generators")
	}
	o, err := opener()
	if err != nil {
		return nil, err
	}
	if _, err := secret.Decrypt(f, o, allowTypes); err != nil {
		return nil, err
	}
	var native yaml.Node
	if err := yaml.Unmarshal(f.Bytes(), &native); err != nil || len(native.Content) != 1 {
		return nil, errors.New("the decrypted Secret can't be read back")
	}
	out := struct {
		APIVersion string       `yaml:"apiVersion"`
		Kind       string       `yaml:"kind"`
		Items      []*yaml.Node `yaml:"items"`
	}{APIVersion: "config.kubernetes.io/v1", Kind: "ResourceList"}
	for i := range list.Items {
		if !isLocalConfig(&list.Items[i]) {
			out.Items = append(out.Items, &list.Items[i])
		}
	}
	out.Items = append(out.Items, native.Content[0])
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(out); err != nil {
		return nil, errors.New("the ResourceList can't be written")
	}
	return b.Bytes(), e.Close()
}

func read(r io.Reader) (*resourceList, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, fmt.Errorf("reading the ResourceList: %w", err)
	}
	if len(data) > maxInput {
		return nil, fmt.Errorf("%w: a ResourceList of more than %d bytes", manifest.ErrLimit, maxInput)
	}
	var list resourceList
	// yaml's own errors quote what they could not read.
	if err := yaml.Unmarshal(data, &list); err != nil || list.Kind != "ResourceList" {
		return nil, errors.New("standard input is not a ResourceList: this command is run by kustomize, not by hand")
	}
	return &list, nil
}

func isLocalConfig(item *yaml.Node) bool {
	var head struct {
		Metadata struct {
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"metadata"`
	}
	return item.Decode(&head) == nil && head.Metadata.Annotations[localConfig] != ""
}

func removeLocalConfig(config *yaml.Node) {
	annotations := child(child(config, "metadata"), "annotations")
	for i := 0; annotations != nil && i+1 < len(annotations.Content); i += 2 {
		if annotations.Content[i].Value == localConfig {
			annotations.Content = append(annotations.Content[:i], annotations.Content[i+2:]...)
			return
		}
	}
}

// child is the value of a key in a mapping, nil if there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
