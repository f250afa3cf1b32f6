// Package plugin is how a process is spoken to that kustomize runs: as a KRM function, a ResourceList in and a
// ResourceList out, or as a plugin of the older kind, which has its configuration in a file and prints Secrets.
//
// It knows these protocols (KRM Functions Specification, config.kubernetes.io/v1; kustomize's api/internal/plugins) and
// where kustomize looks for plugins, and nothing of the format: sealed manifests are read and opened by kustomize,
// manifest and secret. It reads no key. kustomize takes what a plugin prints even if it fails, so on any fault there is
// no output at all.
package plugin

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/kustomize"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// maxInput bounds what is read, in bytes: a functionConfig of the largest size, and what a pipeline of functions may
// carry along.
const maxInput = 4 * manifest.MaxFileSize

// localConfig marks what is meant for functions and not for the cluster. kustomize hands a generator its own config as
// the only item, with this mark, and drops every resource that has it without a word.
const localConfig = "config.kubernetes.io/local-config"

// Options of a generator.
type Options struct {
	Dir        string                        // of the kustomization; nothing outside it is read
	Opener     func() (*crypt.Opener, error) // asked for keys once something has to be opened
	AllowTypes []string                      // credential types that may be opened (manifest.IsCredentialType)
}

// Generate reads a ResourceList whose functionConfig is a sealed manifest or a Decrypter, and returns one that holds the
// native Secrets behind the items that came in. It is complete or nil.
func Generate(r io.Reader, o Options) ([]byte, error) {
	list, err := read(r)
	if err != nil {
		return nil, err
	}
	if err := list.runsGenerator(); err != nil {
		return nil, err
	}
	config, err := yaml.Marshal(&list.FunctionConfig)
	if err != nil {
		return nil, errors.New("functionConfig can't be read")
	}
	secrets, err := o.secrets("functionConfig", config)
	if err != nil {
		return nil, err
	}
	out := struct {
		APIVersion string       `yaml:"apiVersion"`
		Kind       string       `yaml:"kind"`
		Items      []*yaml.Node `yaml:"items"`
	}{APIVersion: "config.kubernetes.io/v1", Kind: "ResourceList"}
	for i := range list.Items {
		if !list.isConfig(&list.Items[i]) {
			out.Items = append(out.Items, &list.Items[i])
		}
	}
	out.Items = append(out.Items, secrets...)
	return encode(out)
}

// Print is a plugin of the older kind: from the text of a sealed manifest or a Decrypter it makes a stream of the native
// Secrets, complete or nil. file is where the text is from, for messages.
func Print(file string, config []byte, o Options) ([]byte, error) {
	secrets, err := o.secrets(file, config)
	if err != nil {
		return nil, err
	}
	documents := make([]any, len(secrets))
	for i, s := range secrets {
		documents[i] = s
	}
	return encode(documents...)
}

func encode(documents ...any) ([]byte, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	for _, d := range documents {
		if err := e.Encode(d); err != nil {
			return nil, errors.New("the result can't be written")
		}
	}
	return b.Bytes(), e.Close()
}

// secrets are the native Secrets that a config stands for.
func (o *Options) secrets(file string, config []byte) ([]*yaml.Node, error) {
	objects, err := kustomize.Objects(config)
	if err != nil || len(objects) != 1 {
		return nil, errNoConfig
	}
	var files []*kustomize.SealedFile
	switch {
	case kustomize.IsOurs(objects[0], kustomize.DecrypterKind):
		d, err := kustomize.ParseDecrypter(file, config)
		if err != nil {
			return nil, err
		}
		if files, err = d.Open(o.Dir); err != nil {
			return nil, err
		}
	default:
		f, err := manifest.Parse(config)
		if err != nil {
			return nil, err
		}
		if items := f.Items(); len(items) != 1 || items[0].Kind != manifest.Sealed && items[0].Kind != manifest.Broken {
			return nil, errNoConfig
		}
		files = []*kustomize.SealedFile{{File: f}}
	}
	opener, err := o.Opener()
	if err != nil {
		return nil, err
	}
	natives := make([][]*yaml.Node, len(files))
	faults := secret.Each(len(files), func(i int) (err error) {
		if natives[i], err = native(files[i].File, opener, o.AllowTypes); err != nil && files[i].Path != "" {
			err = kustomize.InFile(files[i].Path, err)
		}
		files[i].File = nil // what was parsed is larger than what comes of it
		return err
	})
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	var all []*yaml.Node
	for _, n := range natives {
		all = append(all, n...)
	}
	return all, nil
}

var errNoConfig = errors.New("functionConfig is not a sealed manifest or a Decrypter: list an EncryptedSecret under generators")

// native decrypts a file that holds sealed manifests only. The annotations needs-hash and behavior stay: kustomize reads
// them from what a generator makes, and takes them away. The mark for configuration, which kustomize puts on a
// functionConfig, does not: the Secret would be left out of the build.
func native(f *manifest.File, opener *crypt.Opener, allowTypes []string) ([]*yaml.Node, error) {
	sealed, err := secret.Decrypt(f, opener, allowTypes)
	if err != nil {
		return nil, err
	}
	objects, err := kustomize.Objects(f.Bytes())
	if err != nil || len(objects) != sealed {
		return nil, errors.New("the decrypted Secrets can't be read back")
	}
	for _, n := range objects {
		if scalar(n, "apiVersion") != "v1" || scalar(n, "kind") != "Secret" {
			return nil, errors.New("the decrypted Secrets can't be read back")
		}
		removeLocalConfig(n)
	}
	return objects, nil
}

// resourceList is the wire form. Nodes keep everything that is not ours as it came.
type resourceList struct {
	APIVersion     string      `yaml:"apiVersion"`
	Kind           string      `yaml:"kind"`
	FunctionConfig yaml.Node   `yaml:"functionConfig"`
	Items          []yaml.Node `yaml:"items"`
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

// runsGenerator refuses whatever runs the function as something else than a generator. "kustomize fn run" and "kpt fn render" take
// its config from among the files that they write the results back into, where plaintext would lie ready to be committed. A
// transformer's Secret comes too late for kustomize, which has set names and references by then.
func (l *resourceList) runsGenerator() error {
	for _, path := range []string{"config.kubernetes.io/path", "internal.config.kubernetes.io/path"} {
		if scalar(&l.FunctionConfig, "metadata", "annotations", path) != "" {
			return &kustomize.Error{Err: errors.New("nothing is decrypted where the results are written back into the directory, as by \"kustomize fn run\" and \"kpt fn render\""),
				Hint: "ageseal build DIR; with kpt, and only with -o: kpt fn eval DIR --exec \"ageseal fn\" --fn-config FILE -o OUT"}
		}
	}
	for i := range l.Items {
		if scalar(&l.Items[i], "metadata", "annotations", "kustomize.config.k8s.io/id") != "" { // kustomize's mark on what it hands a transformer
			return ErrTransformer
		}
	}
	return nil
}

// ErrTransformer says that kustomize runs a generator under transformers: or validators:.
var ErrTransformer error = &kustomize.Error{Err: errors.New("listed under transformers: or validators:, where a Secret comes too late to be named and referred to"),
	Hint: "list it under generators:"}

// isConfig reports whether an item is the functionConfig itself. Other items may be marked as configuration, too; in a
// pipeline (kpt) they are somebody's files, and a function that leaves them out deletes them.
func (l *resourceList) isConfig(item *yaml.Node) bool {
	if scalar(item, "metadata", "annotations", localConfig) == "" {
		return false
	}
	for _, field := range [][]string{{"apiVersion"}, {"kind"}, {"metadata", "name"}, {"metadata", "namespace"}} {
		if scalar(item, field...) != scalar(&l.FunctionConfig, field...) {
			return false
		}
	}
	return true
}

func removeLocalConfig(n *yaml.Node) {
	metadata := child(n, "metadata")
	annotations := child(metadata, "annotations")
	if annotations == nil {
		return
	}
	for i := 0; i+1 < len(annotations.Content); i += 2 {
		if annotations.Content[i].Value == localConfig {
			annotations.Content = append(annotations.Content[:i], annotations.Content[i+2:]...)
			return
		}
	}
}

// child is the value that keys lead to through mappings, nil if there is none.
func child(n *yaml.Node, keys ...string) *yaml.Node {
next:
	for _, key := range keys {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				n = n.Content[i+1]
				continue next
			}
		}
		return nil
	}
	return n
}

// scalar is the text that keys lead to, "" if there is none.
func scalar(n *yaml.Node, keys ...string) string {
	if n = child(n, keys...); n != nil && n.Kind == yaml.ScalarNode {
		return n.Value
	}
	return ""
}
