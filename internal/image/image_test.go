package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var commit = about{version: "v1.2.3", revision: "0123abc", created: time.Unix(1700000000, 0).UTC()}

// program is the smallest that passes for one: a header, and a program header of a type.
func program(t *testing.T, m elf.Machine, p elf.ProgType) []byte {
	t.Helper()
	var b bytes.Buffer
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(m), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1}
	copy(h.Ident[:], elf.ELFMAG+"\x02\x01\x01") // 64 bits, little-endian
	for _, part := range []any{h, elf.Prog64{Type: uint32(p)}} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func both(t *testing.T) []*image {
	t.Helper()
	amd64, err := newImage("amd64", program(t, elf.EM_X86_64, elf.PT_LOAD), commit)
	if err != nil {
		t.Fatal(err)
	}
	arm64, err := newImage("arm64", program(t, elf.EM_AARCH64, elf.PT_LOAD), commit)
	if err != nil {
		t.Fatal(err)
	}
	return []*image{amd64, arm64}
}

// TestSame: the same binaries and the same commit give the same bytes. That no time is today's is in TestLayout and TestArchive.
func TestSame(t *testing.T) {
	type result struct {
		digest  string
		archive []byte
		files   map[string][]byte
	}
	pack := func() result {
		dir := filepath.Join(t.TempDir(), "dist", "image")
		images := both(t)
		d, err := writeLayout(dir, images, commit)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := writeArchive(&b, images[0], "ageseal:v1.2.3", commit); err != nil {
			t.Fatal(err)
		}
		return result{d, b.Bytes(), tree(t, dir)}
	}
	if diff := cmp.Diff(pack(), pack(), cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("the second differs (-first +second):\n%s", diff)
	}
}

func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[path], err = os.ReadFile(filepath.Join(dir, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestLayout follows the digests from index.json down, as whoever copies the layout does.
func TestLayout(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "image")
	d, err := writeLayout(dir, both(t), commit)
	if err != nil {
		t.Fatal(err)
	}
	files := tree(t, dir)
	blob := func(d descriptor) []byte {
		b, ok := files["blobs/sha256/"+strings.TrimPrefix(d.Digest, "sha256:")]
		if !ok || digest(b) != d.Digest || len(b) != d.Size {
			t.Fatalf("%s: there %t, %d bytes of %s", d.Digest, ok, len(b), digest(b))
		}
		return b
	}
	if got := string(files["oci-layout"]); got != `{"imageLayoutVersion":"1.0.0"}` {
		t.Errorf("oci-layout: %s", got)
	}
	var top, all index
	decode(t, files["index.json"], &top)
	if len(top.Manifests) != 1 || top.Manifests[0].Digest != d || top.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "v1.2.3" {
		t.Fatalf("index.json: %+v, want %s", top, d)
	}
	decode(t, blob(top.Manifests[0]), &all)
	var archs []string
	for _, m := range all.Manifests {
		var man manifest
		var c config
		decode(t, blob(m), &man)
		decode(t, blob(man.Config), &c)
		if *m.Platform != c.platform || c.OS != "linux" {
			t.Errorf("platform %+v, of the config %+v", *m.Platform, c.platform)
		}
		archs = append(archs, c.Architecture)
		if diff := cmp.Diff([]string{"/ageseal", "fn"}, c.Config.Entrypoint); diff != "" || c.Config.User != "65534:65534" || c.Config.WorkingDir != "/kustomization" {
			t.Errorf("config: %+v", c.Config)
		}
		for label, want := range map[string]string{"version": "v1.2.3", "revision": "0123abc", "created": "2023-11-14T22:13:20Z"} {
			if got := c.Config.Labels["org.opencontainers.image."+label]; got != want {
				t.Errorf("label %s: %q, want %q", label, got, want)
			}
		}
		z, err := gzip.NewReader(bytes.NewReader(blob(man.Layers[0])))
		if err != nil {
			t.Fatal(err)
		}
		if !z.ModTime.IsZero() {
			t.Errorf("a time in the compression: %s", z.ModTime)
		}
		text, err := io.ReadAll(z)
		if err != nil || c.RootFS.DiffIDs[0] != digest(text) {
			t.Errorf("layer: %v, %s, want %s", err, digest(text), c.RootFS.DiffIDs[0])
		}
		want := []string{"etc/ 755", "etc/group 644", "etc/passwd 644", "kustomization/ 755", "ageseal 755"}
		if diff := cmp.Diff(want, entries(t, text)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff([]string{"amd64", "arm64"}, archs); diff != "" {
		t.Errorf("architectures (-want +got):\n%s", diff)
	}
	if len(files) != 2+1+2*3 {
		t.Errorf("%d files: one that nothing refers to", len(files))
	}
	if _, err := writeLayout(dir, both(t), commit); !errors.Is(err, fs.ErrExist) {
		t.Errorf("into a layout that exists: %v", err)
	}
}

func TestArchive(t *testing.T) {
	i := both(t)[0]
	var b bytes.Buffer
	if err := writeArchive(&b, i, "ageseal:v1.2.3", commit); err != nil {
		t.Fatal(err)
	}
	config, layer := strings.TrimPrefix(digest(i.config), "sha256:")+".json", strings.TrimPrefix(digest(i.tar), "sha256:")+".tar"
	if diff := cmp.Diff([]string{"manifest.json 644", config + " 644", layer + " 644"}, entries(t, b.Bytes())); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if want := fmt.Sprintf(`[{"Config":%q,"RepoTags":["ageseal:v1.2.3"],"Layers":[%q]}]`, config, layer); !bytes.Contains(b.Bytes(), []byte(want)) {
		t.Errorf("no manifest %s", want)
	}
}

// entries are names and modes; owner and time have to be those of all.
func entries(t *testing.T, archive []byte) []string {
	t.Helper()
	var out []string
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || !h.ModTime.Equal(commit.created) {
			t.Errorf("%s: of %d:%d, %s", h.Name, h.Uid, h.Gid, h.ModTime)
		}
		out = append(out, fmt.Sprintf("%s %o", h.Name, h.Mode))
	}
}

func TestRefuses(t *testing.T) {
	static := program(t, elf.EM_X86_64, elf.PT_LOAD)
	for name, c := range map[string]struct {
		arch   string
		binary []byte
		about  about
		want   string
	}{
		"dynamic":        {"amd64", program(t, elf.EM_X86_64, elf.PT_INTERP), commit, "linked dynamically"},
		"other machine":  {"arm64", static, commit, "not a program for linux/arm64"},
		"no program":     {"amd64", []byte("#!/bin/sh\n"), commit, "not a program"},
		"other platform": {"riscv64", static, commit, "not an architecture"},
		"no tag":         {"amd64", static, about{"v1+x", "0123abc", commit.created}, "can't be the tag"},
		"no revision":    {"amd64", static, about{"v1", "", commit.created}, "no revision"},
		"no time":        {"amd64", static, about{"v1", "0123abc", time.Unix(-1, 0)}, "no time"},
	} {
		t.Run(name, func(t *testing.T) {
			if i, err := newImage(c.arch, c.binary, c.about); err == nil || i != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func decode(t *testing.T, b []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}
