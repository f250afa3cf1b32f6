package verify

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// localName names an object of the same namespace, or of another where there is a field for it.
type localName struct {
	Namespace, Name string
}

type keyItem struct{ Key string }

type container struct {
	Name string
	Env  []struct {
		Name      string
		ValueFrom struct {
			SecretKeyRef *keyReference `yaml:"secretKeyRef"`
		} `yaml:"valueFrom"`
	}
	EnvFrom []struct {
		SecretRef *keyReference `yaml:"secretRef"`
	} `yaml:"envFrom"`
	Args, Command yaml.Node
}

type keyReference struct {
	Namespace, Name, Key string
	Optional             bool
}

type secretVolume struct {
	SecretName string `yaml:"secretName"`
	Name       string // in a projected volume
	Items      []keyItem
	Optional   bool
}

type podSpec struct {
	ImagePullSecrets []localName `yaml:"imagePullSecrets"`

	InitContainers      []container `yaml:"initContainers"`
	Containers          []container
	EphemeralContainers []container `yaml:"ephemeralContainers"`

	Volumes []struct {
		Name      string
		Secret    *secretVolume
		Projected struct {
			Sources []struct{ Secret *secretVolume }
		}
		Others map[string]yaml.Node `yaml:",inline"`
	}
}

// podSpecAt is where a kind has a pod's spec. The kinds of others are those whose template the API defines as a pod's, unchanged: those of Argo
// Rollouts, Knative Serving, OpenShift and OpenKruise.
func (o *resource) podSpecAt() []string {
	switch o.group + "/" + o.kind {
	case "/Pod":
		return []string{"spec"}
	case "/PodTemplate":
		return []string{"template", "spec"}
	case "/ReplicationController", "apps/Deployment", "apps/StatefulSet", "apps/DaemonSet", "apps/ReplicaSet", "batch/Job",
		"argoproj.io/Rollout", "serving.knative.dev/Service", "serving.knative.dev/Configuration", "apps.openshift.io/DeploymentConfig",
		"apps.kruise.io/CloneSet", "apps.kruise.io/StatefulSet", "apps.kruise.io/DaemonSet":
		return []string{"spec", "template", "spec"}
	case "batch/CronJob":
		return []string{"spec", "jobTemplate", "spec", "template", "spec"}
	}
	return nil
}

// refers are the references of a resource.
func (o *resource) refers() []*reference {
	c := &collector{resource: o}
	if at := o.podSpecAt(); at != nil {
		var spec podSpec
		o.decode(&spec, at...)
		c.pod(&spec)
		return c.all
	}
	switch o.group + "/" + o.kind {
	case "/ServiceAccount":
		var lists struct {
			Secrets          []localName
			ImagePullSecrets []localName `yaml:"imagePullSecrets"`
		}
		o.decode(&lists)
		c.names("secrets", lists.Secrets)
		c.names("imagePullSecrets", lists.ImagePullSecrets)
	case "networking.k8s.io/Ingress", "extensions/Ingress":
		for _, name := range o.tlsNames() {
			c.add(&reference{place: "tls", namespace: name.Namespace, name: name.Name, keys: tlsKeys()})
		}
	case "gateway.networking.k8s.io/Gateway":
		for _, name := range o.tlsNames() {
			c.add(&reference{place: "certificateRefs", namespace: name.Namespace, name: name.Name, keys: tlsKeys()})
		}
	case "/PersistentVolume":
		eachEntry(field(o.node, "spec"), func(kind string, v *yaml.Node) { c.driver(kind, v) })
	case "storage.k8s.io/StorageClass", "snapshot.storage.k8s.io/VolumeSnapshotClass":
		c.parameters()
	default:
		if o.open() {
			c.embedded(o.node, make(map[*yaml.Node]bool))
		}
	}
	return c.all
}

func tlsKeys() []string { return []string{"tls.crt", "tls.key"} }

// tlsNames are the Secrets with certificates that an Ingress or a Gateway names.
func (o *resource) tlsNames() (names []localName) {
	var spec struct {
		TLS []struct {
			SecretName string `yaml:"secretName"`
		}
		Listeners []struct {
			TLS struct {
				CertificateRefs []struct{ Group, Kind, Name, Namespace string } `yaml:"certificateRefs"`
			}
		}
	}
	o.decode(&spec, "spec")
	for _, t := range spec.TLS {
		names = append(names, localName{o.namespace, t.SecretName})
	}
	for _, l := range spec.Listeners {
		for _, x := range l.TLS.CertificateRefs {
			if x.Group == "" && (x.Kind == "" || x.Kind == "Secret") {
				names = append(names, localName{cmp.Or(x.Namespace, o.namespace), x.Name})
			}
		}
	}
	return names
}

type collector struct {
	*resource
	all []*reference
}

func (c *collector) add(x *reference) {
	if x.namespace == "" {
		x.namespace = c.namespace
	}
	c.all = append(c.all, x)
}

func (c *collector) names(place string, list []localName) {
	for _, x := range list {
		c.add(&reference{place: place, name: x.Name, namespace: x.Namespace})
	}
}

func (c *collector) pod(spec *podSpec) {
	for _, x := range slices.Concat(spec.InitContainers, spec.Containers, spec.EphemeralContainers) {
		in := "container " + nameOnly(x.Name)
		for _, e := range x.Env {
			c.key(in+": env "+nameOnly(e.Name), e.ValueFrom.SecretKeyRef, false)
		}
		for _, e := range x.EnvFrom {
			c.key(in+": envFrom", e.SecretRef, false)
		}
	}
	for _, v := range spec.Volumes {
		in := "volume " + nameOnly(v.Name)
		c.volume(in, v.Secret)
		for _, s := range v.Projected.Sources {
			c.volume(in, s.Secret)
		}
		for _, kind := range slices.Sorted(maps.Keys(v.Others)) {
			n := v.Others[kind]
			c.driver(in, &n)
		}
	}
	c.names("imagePullSecrets", spec.ImagePullSecrets)
}

func (c *collector) key(place string, k *keyReference, weak bool) {
	if k == nil {
		return
	}
	x := &reference{place: place, name: k.Name, namespace: k.Namespace, optional: k.Optional, weak: weak}
	if k.Key != "" {
		x.keys = []string{k.Key}
	}
	c.add(x)
}

func (c *collector) volume(place string, v *secretVolume) {
	if v == nil {
		return
	}
	x := &reference{place: place, name: cmp.Or(v.SecretName, v.Name), optional: v.Optional}
	for _, item := range v.Items {
		x.keys = append(x.keys, item.Key)
	}
	c.add(x)
}

// driver is about a volume of a storage driver: CSI has nodePublishSecretRef, nodeStageSecretRef and more, those in Kubernetes itself secretRef
// or secretName.
func (c *collector) driver(place string, v *yaml.Node) {
	eachEntry(v, func(k string, v *yaml.Node) {
		var x localName
		switch {
		case strings.HasSuffix(k, "ecretRef"):
			_ = v.Decode(&x)
		case k == "secretName":
			x.Name = v.Value
		default:
			return
		}
		c.add(&reference{place: place + ": " + nameOnly(k), name: x.Name, namespace: x.Namespace})
	})
}

// parameters are those of a class of volumes or snapshots that name Secrets (kubernetes-csi.github.io/docs/secrets-and-credentials.html).
func (c *collector) parameters() {
	all := map[string]string{}
	c.decode(&all, "parameters")
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if prefix, ok := strings.CutSuffix(k, "-secret-name"); ok && strings.HasPrefix(k, "csi.storage.k8s.io/") {
			c.add(&reference{place: "parameter " + nameOnly(k), name: all[k], namespace: all[prefix+"-secret-namespace"]})
		}
	}
}

// embedded are references that stand in a resource of a kind nobody knows here, in the two shapes of a container's environment that nothing
// else has: secretKeyRef, and secretRef in envFrom. A chart's values and the specs of operators have them where pods are made of.
func (c *collector) embedded(n *yaml.Node, seen map[*yaml.Node]bool) {
	if seen[n] { // aliases of aliases are more than anybody can read
		return
	}
	seen[n] = true
	if n.Kind == yaml.SequenceNode {
		for _, e := range n.Content {
			c.embedded(resolve(e), seen)
		}
	}
	eachEntry(n, func(k string, v *yaml.Node) {
		switch k {
		case "secretKeyRef":
			var x keyReference
			if v.Decode(&x) == nil && x.Name != "" && x.Key != "" {
				c.key("secretKeyRef", &x, true)
			}
		case "envFrom":
			var list []struct {
				SecretRef *keyReference `yaml:"secretRef"`
			}
			if v.Decode(&list) == nil {
				for _, e := range list {
					c.key("envFrom", e.SecretRef, true)
				}
			}
		default:
			c.embedded(v, seen)
		}
	})
}
