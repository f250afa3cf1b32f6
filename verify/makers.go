package verify

import (
	"cmp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// makes are the Secrets that a resource is, or that a controller will make of it. hidden begins the key that stands for unknown ones.
func (o *resource) makes(hidden string) []*source {
	switch o.group + "/" + o.kind {
	case "/Secret":
		return []*source{o.secret(hidden)}
	case "bitnami.com/SealedSecret":
		var spec struct {
			EncryptedData map[string]yaml.Node `yaml:"encryptedData"`
			Template      struct {
				Metadata localName
				Data     map[string]yaml.Node
			}
		}
		o.decode(&spec, "spec")
		s := o.made(cmp.Or(spec.Template.Metadata.Name, o.name))
		for _, keys := range []map[string]yaml.Node{spec.EncryptedData, spec.Template.Data} {
			for key := range keys {
				s.keys[key] = false
			}
		}
		return []*source{s}
	case "external-secrets.io/ExternalSecret":
		return o.external(o.name, "spec")
	case "external-secrets.io/ClusterExternalSecret":
		var name string
		o.decode(&name, "spec", "externalSecretName")
		all := o.external(cmp.Or(name, o.name), "spec", "externalSecretSpec")
		for _, s := range all {
			s.anywhere = true
		}
		return all
	case "cert-manager.io/Certificate":
		return o.certificate()
	case "networking.k8s.io/Ingress", "extensions/Ingress", "gateway.networking.k8s.io/Gateway":
		return o.shimmed()
	}
	path := map[string][]string{ // of others, who name the Secret, and not which keys it will have
		"secrets.hashicorp.com/VaultStaticSecret":  {"spec", "destination", "name"},
		"secrets.hashicorp.com/VaultDynamicSecret": {"spec", "destination", "name"},
		"secrets.hashicorp.com/VaultPKISecret":     {"spec", "destination", "name"},
		"secrets.infisical.com/InfisicalSecret":    {"spec", "managedSecretReference", "secretName"},
		"secrets.doppler.com/DopplerSecret":        {"spec", "managedSecret", "name"},
		"onepassword.com/OnePasswordItem":          {"metadata", "name"},
		"kafka.strimzi.io/KafkaUser":               {"metadata", "name"},
	}[o.group+"/"+o.kind]
	if path == nil {
		return nil
	}
	var name string
	o.decode(&name, path...)
	s := o.made(name)
	s.more = true
	return []*source{s}
}

// made is a Secret of that name that will be made beside the resource.
func (o *resource) made(name string, keys ...string) *source {
	s := &source{render: o.render, namespace: o.namespace, name: name, keys: make(map[string]bool)}
	for _, key := range keys {
		s.keys[key] = false
	}
	return s
}

func (o *resource) secret(hidden string) *source {
	s := o.made(o.name)
	s.native = true
	for _, values := range []string{"data", "stringData"} {
		eachEntry(field(o.node, values), func(key string, _ *yaml.Node) {
			if hidden != "" && strings.HasPrefix(key, hidden) {
				s.more = true
				return
			}
			if !strings.HasPrefix(key, "sops_") { // of a dotenv that Flux decrypts
				s.keys[key] = false
			}
		})
	}
	var kind string
	o.decode(&kind, "type")
	switch kind {
	case "kubernetes.io/service-account-token":
		for _, key := range []string{"token", "ca.crt", "namespace"} {
			s.keys[key] = false
		}
		s.exempt = true
	case "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg", "kubernetes.io/tls", "bootstrap.kubernetes.io/token":
		s.exempt = true
	}
	_, argo := o.labels["argocd.argoproj.io/secret-type"]
	s.exempt = s.exempt || argo || strings.HasPrefix(kind, "helm.sh/")
	s.more = s.more || len(s.keys) == 0 // it is there to be filled
	s.copied(o.annotated)
	return s
}

// copied is about annotations by which controllers copy a Secret into other namespaces, fill one from elsewhere, or generate
// values.
func (s *source) copied(annotations map[string]string) {
	for name := range annotations {
		controller, what, _ := strings.Cut(name, "/")
		switch controller {
		case "reflector.v1.k8s.emberstack.com", "replicator.v1.mittwald.de", "kubed.appscode.com":
			s.exempt = true
			if what == "reflects" || what == "replicate-from" {
				s.more = true
			} else {
				s.anywhere = true
			}
		case "secret-generator.v1.mittwald.de":
			s.more = true
		}
	}
}

// external is what External Secrets makes of a spec.
func (o *resource) external(name string, path ...string) []*source {
	var spec struct {
		Target struct {
			Name           string
			CreationPolicy string `yaml:"creationPolicy"`
			Template       *struct {
				Metadata struct{ Annotations map[string]string }
			}
		}
		Data []struct {
			SecretKey string `yaml:"secretKey"`
		}
		DataFrom []yaml.Node `yaml:"dataFrom"`
	}
	o.decode(&spec, path...)
	if spec.Target.CreationPolicy == "None" {
		return nil
	}
	s := o.made(cmp.Or(spec.Target.Name, name))
	for _, d := range spec.Data {
		s.keys[d.SecretKey] = false
	}
	s.more = len(spec.DataFrom) > 0
	if t := spec.Target.Template; t != nil {
		s.more = true
		s.copied(t.Metadata.Annotations)
	}
	return []*source{s}
}

// certificate is what cert-manager makes of a Certificate.
func (o *resource) certificate() []*source {
	var spec struct {
		SecretName     string `yaml:"secretName"`
		SecretTemplate struct {
			Annotations map[string]string
		} `yaml:"secretTemplate"`
		Keystores map[string]yaml.Node
		Formats   []yaml.Node `yaml:"additionalOutputFormats"`
	}
	o.decode(&spec, "spec")
	s := o.made(spec.SecretName, "tls.crt", "tls.key", "ca.crt")
	s.more = len(spec.Keystores) > 0 || len(spec.Formats) > 0
	s.copied(spec.SecretTemplate.Annotations)
	return []*source{s}
}

// shimmed is what cert-manager makes of the annotations of an Ingress or a Gateway: each certificate that it names in its
// own namespace.
func (o *resource) shimmed() (all []*source) {
	for _, name := range []string{"cert-manager.io/issuer", "cert-manager.io/cluster-issuer", "kubernetes.io/tls-acme"} {
		if _, ok := o.annotated[name]; !ok {
			continue
		}
		for _, x := range o.tlsNames() {
			if x.Namespace == o.namespace {
				all = append(all, o.made(x.Name, "tls.crt", "tls.key", "ca.crt"))
			}
		}
		break
	}
	return all
}
