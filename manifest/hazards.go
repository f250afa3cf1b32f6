package manifest

import (
	"slices"
	"strings"
)

// CredentialTypes make the cluster mint or accept a credential (Kubernetes: core/v1 SecretTypeServiceAccountToken,
// SecretTypeBootstrapToken): a repository must not be able to ask for one.
var CredentialTypes = []string{"kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"}

// IsCredentialType reports whether the cluster mints or accepts a credential for Secrets of this type.
func IsCredentialType(t string) bool { return slices.Contains(CredentialTypes, t) }

// copiers begin the annotations of controllers that copy Secrets into other namespaces: kubernetes-reflector,
// kubernetes-replicator, config-syncer.
var copiers = []string{"reflector.v1.k8s.emberstack.com/", "replicator.v1.mittwald.de/", "kubed.appscode.com/"}

// Copies reports whether an annotation of this name has a controller copy the Secret into other namespaces.
func Copies(annotation string) bool {
	return slices.ContainsFunc(copiers, func(c string) bool { return strings.HasPrefix(annotation, c) })
}
