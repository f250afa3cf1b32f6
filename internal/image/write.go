package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
)

// writeLayout writes an OCI image layout and returns the digest by which the image of all platforms goes. That is an index of its own,
// and index.json names it alone: tools that copy a layout want one thing to copy.
func writeLayout(dir string, images []*image, a about) (string, error) {
	all := index{SchemaVersion: 2, MediaType: typeIndex, Annotations: a.labels()}
	blobs := map[string][]byte{}
	for _, i := range images {
		all.Manifests = append(all.Manifests, i.manifest)
		for _, b := range [][]byte{i.layer, i.config, i.text} {
			blobs[digest(b)] = b
		}
	}
	text := encode(all)
	blobs[digest(text)] = text
	entry := describe(typeIndex, text)
	entry.Annotations = map[string]string{"org.opencontainers.image.ref.name": a.version}

	// Mkdir: blobs of an older image beside ours would be published with it.
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		return "", err
	}
	for d, b := range blobs {
		if err := os.WriteFile(filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(d, "sha256:")), b, 0o644); err != nil {
			return "", err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644); err != nil {
		return "", err
	}
	top := encode(index{SchemaVersion: 2, MediaType: typeIndex, Manifests: []descriptor{entry}})
	return entry.Digest, os.WriteFile(filepath.Join(dir, "index.json"), top, 0o644)
}

// writeArchive writes what "docker load" and "podman load" take: the layer as it is, and under its name. The image's ID is the same as
// that from the layout.
func writeArchive(w io.Writer, i *image, reference string, a about) error {
	configName := strings.TrimPrefix(digest(i.config), "sha256:") + ".json"
	layerName := strings.TrimPrefix(digest(i.tar), "sha256:") + ".tar"
	b, err := archive(a.created, []entry{
		{"manifest.json", 0o644, encode([]struct {
			Config   string
			RepoTags []string
			Layers   []string
		}{{configName, []string{reference}, []string{layerName}}})},
		{configName, 0o644, i.config},
		{layerName, 0o644, i.tar},
	})
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}
