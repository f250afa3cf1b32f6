module github.com/ageseal/ageseal

go 1.26.0

// Given: what ageseal is made of.
require (
	filippo.io/age v1.3.2
	github.com/spf13/cobra v1.10.2
	sigs.k8s.io/kustomize/api v0.21.2
	sigs.k8s.io/yaml v1.6.0
)

// Needed beside them, each for one reason.
require (
	github.com/spf13/pflag v1.0.10 // cobra's flags: its errors, to say them without what was given
	go.yaml.in/yaml/v3 v3.0.5 // nodes with line numbers; the YAML library that kustomize has already
	golang.org/x/crypto v0.56.0 // chacha20poly1305 of suite 1
	golang.org/x/sys v0.49.0 // locks, rename and process limits of the platform
	golang.org/x/term v0.47.0 // is this a terminal, hidden prompts
	sigs.k8s.io/kustomize/kustomize/v5 v5.8.2 // the flags of "kustomize build", and "kustomize version"
	sigs.k8s.io/kustomize/kyaml v0.21.2 // filesystem and nodes of the kustomize library
)

// Tests only.
require (
	github.com/google/go-cmp v0.7.0 // what differs, as a diff
	github.com/rogpeppe/go-internal v1.16.0 // testscript
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // docs/schemas, held to what the parsers take
)

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	filippo.io/hpke v0.4.0 // indirect
	filippo.io/nistec v0.0.4 // indirect
	github.com/blang/semver/v4 v4.0.0 // indirect
	github.com/go-errors/errors v1.5.1 // indirect
	github.com/go-openapi/jsonpointer v1.0.0 // indirect
	github.com/go-openapi/jsonreference v1.0.0 // indirect
	github.com/go-openapi/swag v0.27.1 // indirect
	github.com/go-openapi/swag/cmdutils v0.27.1 // indirect
	github.com/go-openapi/swag/conv v0.27.1 // indirect
	github.com/go-openapi/swag/fileutils v0.27.1 // indirect
	github.com/go-openapi/swag/jsonutils v0.27.1 // indirect
	github.com/go-openapi/swag/loading v0.27.1 // indirect
	github.com/go-openapi/swag/mangling v0.27.1 // indirect
	github.com/go-openapi/swag/netutils v0.27.1 // indirect
	github.com/go-openapi/swag/pools v0.27.1 // indirect
	github.com/go-openapi/swag/stringutils v0.27.1 // indirect
	github.com/go-openapi/swag/typeutils v0.27.1 // indirect
	github.com/go-openapi/swag/yamlutils v0.27.1 // indirect
	github.com/google/gnostic-models v0.7.1 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/monochromegane/go-gitignore v0.0.0-20200626010858-205db1a8cc00 // indirect
	github.com/xlab/treeprint v1.2.0 // indirect
	go.yaml.in/yaml/v2 v2.4.4 // indirect
	golang.org/x/text v0.42.0 // indirect
	golang.org/x/tools v0.49.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
	gopkg.in/evanphx/json-patch.v4 v4.13.0 // indirect
	k8s.io/kube-openapi v0.0.0-20260721132016-d427ff9ee9ad // indirect
)
