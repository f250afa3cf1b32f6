//go:build e2e

package e2e

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// argoGuide is docs/guides/argo-cd.md as a person applies it, so that the page and what is tested can't differ.
type argoGuide struct {
	plugin        string   // plugin.yaml
	team          string   // command of the plugin for an Argo CD of one team
	rooted        string   // command of a plugin that says where the root is
	pluginName    string   // as the Application asks for it
	sidecar       []string // the plugin server's command
	sidecarEnv    []string
	sidecarUser   int
	group         int         // of the pod's volumes
	identityMode  os.FileMode // of the file with the identity
	kustomize     string      // the script that is Argo CD's kustomize
	kustomizePath string
	kustomizeName string // as the Application asks for it: spec.source.kustomize.version
	kustomizeEnv  []string
	path          string // of the Application
	namespace     string // it is deployed to
}

// argoGuideObject is what is read of one object of the guide.
type argoGuideObject struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		Source struct {
			Path   string
			Plugin struct{ Name string }
		}
		Destination struct{ Namespace string }
		Template    struct {
			Spec struct {
				SecurityContext struct {
					FSGroup int `yaml:"fsGroup"`
				} `yaml:"securityContext"`
				Containers []struct {
					Name            string
					Command         []string
					Env             []struct{ Name, Value string }
					SecurityContext struct {
						RunAsUser int `yaml:"runAsUser"`
					} `yaml:"securityContext"`
				}
				Volumes []struct {
					Secret struct {
						DefaultMode os.FileMode `yaml:"defaultMode"`
					}
				}
			}
		}
	}
}

func readArgoGuide(t testing.TB) argoGuide {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "docs", "guides", "argo-cd.md"))
	if err != nil {
		t.Fatal(err)
	}
	var g argoGuide
	if team := regexp.MustCompile("`(command: [^`]*ageseal[^`]*)`").FindSubmatch(text); team != nil {
		g.team = string(team[1])
	}
	if rooted := regexp.MustCompile("`([^`]*ageseal build --root[^`]*)`").FindSubmatch(text); rooted != nil {
		g.rooted = strings.Join(strings.Fields(string(rooted[1])), " ") // it may go over a line's end
	}
	for _, block := range strings.Split(string(text), "\n```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "\n```")
		for dec := yaml.NewDecoder(strings.NewReader(block)); ; {
			var o argoGuideObject
			if err := dec.Decode(&o); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("the guide: %v", err)
			}
			g.read(o)
		}
	}
	for what, missing := range map[string]bool{
		"plugin": g.plugin == "", "name of the plugin": g.pluginName == "", "sidecar": len(g.sidecar) == 0 || len(g.sidecarEnv) == 0,
		"user, group and mode": g.sidecarUser == 0 || g.group == 0 || g.identityMode == 0,
		"kustomize":            g.kustomize == "" || len(g.kustomizeEnv) == 0, "kustomize.path": g.kustomizePath == "",
		"command with --root": g.rooted == "", "command of one team": g.team == "", "path": g.path == "", "namespace": g.namespace == "",
	} {
		if missing {
			t.Fatalf("the guide has no %s", what)
		}
	}
	return g
}

func (g *argoGuide) read(o argoGuideObject) {
	for key, value := range o.Data {
		switch name, isPath := strings.CutPrefix(key, "kustomize.path."); {
		case key == "plugin.yaml":
			g.plugin = value
		case key == "kustomize":
			g.kustomize = value
		case isPath:
			g.kustomizeName, g.kustomizePath = name, value
		}
	}
	for _, c := range o.Spec.Template.Spec.Containers {
		var env []string
		for _, e := range c.Env {
			env = append(env, e.Name+"="+e.Value)
		}
		if len(c.Command) > 0 {
			g.sidecar, g.sidecarEnv, g.sidecarUser = c.Command, env, c.SecurityContext.RunAsUser
			g.group = o.Spec.Template.Spec.SecurityContext.FSGroup
		} else {
			g.kustomizeEnv = env
		}
	}
	for _, v := range o.Spec.Template.Spec.Volumes {
		g.identityMode |= v.Secret.DefaultMode
	}
	if o.Kind == "Application" {
		g.path, g.pluginName, g.namespace = o.Spec.Source.Path, o.Spec.Source.Plugin.Name, o.Spec.Destination.Namespace
	}
}
