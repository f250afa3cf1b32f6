package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

const (
	name   = "ageseal"
	system = "linux"

	// workDir is where the image starts, and so where a Decrypter looks for its files: kustomize can mount, and has no word for a working
	// directory.
	workDir = "/kustomization"

	// nobody in numbers: what checks that a container is not root's (runAsNonRoot) has no /etc/passwd to look a name up in.
	nobody = "65534:65534"
)

// about is what an image says of itself.
type about struct {
	version, revision string
	created           time.Time
}

// tag is what registries and docker take.
var tag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

func (a about) check() error {
	switch {
	case !tag.MatchString(a.version):
		return fmt.Errorf("%q can't be the tag of an image", a.version)
	case a.revision == "":
		return errors.New("no revision")
	case a.created.Unix() < 0:
		return errors.New("no time of the commit")
	}
	return nil
}

func (a about) labels() map[string]string {
	const page = "https://github.com/ageseal/ageseal"
	labels := map[string]string{
		"title":         "ageseal",
		"description":   "KRM function that decrypts the values of Kubernetes Secrets in git",
		"licenses":      "Apache-2.0",
		"url":           page,
		"source":        page,
		"documentation": page + "/blob/main/docs/container.md",
		"version":       a.version,
		"revision":      a.revision,
		"created":       a.created.Format(time.RFC3339),
	}
	out := make(map[string]string, len(labels))
	for k, v := range labels {
		out["org.opencontainers.image."+k] = v
	}
	return out
}

// image is one platform's.
type image struct {
	arch     string
	tar      []byte // the one layer
	layer    []byte // compressed
	config   []byte
	manifest descriptor
	text     []byte // of the manifest
}

// The documents of the OCI image specification, v1.1, as far as they are used here.
type (
	descriptor struct {
		MediaType   string            `json:"mediaType"`
		Digest      string            `json:"digest"`
		Size        int               `json:"size"`
		Platform    *platform         `json:"platform,omitempty"`
		Annotations map[string]string `json:"annotations,omitempty"`
	}
	platform struct {
		Architecture string `json:"architecture"`
		OS           string `json:"os"`
	}
	manifest struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     string            `json:"mediaType"`
		Config        descriptor        `json:"config"`
		Layers        []descriptor      `json:"layers"`
		Annotations   map[string]string `json:"annotations,omitempty"`
	}
	index struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     string            `json:"mediaType"`
		Manifests     []descriptor      `json:"manifests"`
		Annotations   map[string]string `json:"annotations,omitempty"`
	}
	config struct {
		Created string `json:"created"`
		platform
		Config  runConfig `json:"config"`
		RootFS  rootFS    `json:"rootfs"`
		History []history `json:"history"`
	}
	runConfig struct {
		User       string
		Entrypoint []string
		WorkingDir string
		Labels     map[string]string
	}
	rootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	}
	history struct {
		Created   string `json:"created"`
		CreatedBy string `json:"created_by"`
	}
)

const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

func newImage(arch string, binary []byte, a about) (*image, error) {
	if err := errors.Join(a.check(), checkBinary(arch, binary)); err != nil {
		return nil, err
	}
	i := &image{arch: arch}
	var err error
	if i.tar, err = layer(binary, a.created); err != nil {
		return nil, err
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(i.tar); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	i.layer = zipped.Bytes()

	created := a.created.Format(time.RFC3339)
	p := platform{Architecture: arch, OS: system}
	i.config = encode(config{
		Created:  created,
		platform: p,
		Config:   runConfig{User: nobody, Entrypoint: []string{"/" + name, "fn"}, WorkingDir: workDir, Labels: a.labels()},
		RootFS:   rootFS{Type: "layers", DiffIDs: []string{digest(i.tar)}},
		History:  []history{{created, "make image"}},
	})
	i.text = encode(manifest{
		SchemaVersion: 2, MediaType: typeManifest,
		Config: describe(typeConfig, i.config),
		Layers: []descriptor{describe(typeLayer, i.layer)},
	})
	i.manifest = describe(typeManifest, i.text)
	i.manifest.Platform = &p
	return i, nil
}

// checkBinary refuses what could not start: there is nothing beside it in the image, no loader and no library.
func checkBinary(arch string, binary []byte) error {
	machine, ok := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]
	if !ok {
		return fmt.Errorf("%s is not an architecture of the image", arch)
	}
	f, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil || f.Machine != machine {
		return fmt.Errorf("not a program for %s/%s", system, arch)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("linked dynamically: build it with CGO_ENABLED=0")
		}
	}
	return nil
}

// layer is the whole filesystem. kustomize runs functions with "--user nobody", a name, which the runtime looks up in the image.
func layer(binary []byte, created time.Time) ([]byte, error) {
	return archive(created, []entry{
		{"etc/", 0o755, nil},
		{"etc/group", 0o644, []byte("nobody:x:65534:\n")},
		{"etc/passwd", 0o644, []byte("nobody:x:65534:65534:nobody:/nonexistent:/nonexistent\n")},
		{workDir[1:] + "/", 0o755, nil},
		{name, 0o755, binary},
	})
}

// entry is a file of an archive, or a directory if its name ends in a slash; root owns it.
type entry struct {
	name string
	mode int64
	data []byte
}

func archive(created time.Time, entries []entry) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.data)), ModTime: created, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
		if e.name[len(e.name)-1] == '/' {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(&h); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	err := w.Close() // writes the end, too
	return b.Bytes(), err
}

func encode(document any) []byte {
	b, err := json.Marshal(document)
	if err != nil {
		panic(err) // strings, numbers and maps of strings
	}
	return b
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func describe(mediaType string, b []byte) descriptor {
	return descriptor{MediaType: mediaType, Digest: digest(b), Size: len(b)}
}
