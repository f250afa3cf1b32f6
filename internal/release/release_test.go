package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReproducible(t *testing.T) {
	document := func(namespace, created string) string {
		return `{"spdxVersion":"SPDX-2.3","documentNamespace":"` + namespace + `","creationInfo":{"creators":["Tool: x"],"created":"` + created + `"},"packages":[` +
			strings.Repeat(`{"name":"a"},`, 9) + `{"name":"b"}]}` + "\n"
	}
	want := document("https://example.org/x", "2026-01-02T03:04:05Z")
	for _, text := range []string{document("https://a/1", "2026-05-05T05:05:05Z"), document("https://b/2", "2027-05-05T05:05:05Z"), want} {
		if got, err := reproducible([]byte(text), "https://example.org/x", 1767323045); err != nil || string(got) != want {
			t.Errorf("%s, %v", got, err)
		}
	}
	for name, text := range map[string]string{
		"not JSON":     "x",
		"no namespace": strings.Replace(want, "documentNamespace", "x", 1),
		"no time":      strings.Replace(want, `"created"`, `"x"`, 1),
		"no packages":  strings.Replace(want, `{"name":"a"},`, "", 5),
		"spaced":       strings.Replace(want, `"created":`, `"created": `, 1),
		"twice":        strings.Replace(want, `{"name":"b"}`, `{"created":"2026-01-02T03:04:05Z"}`, 1),
	} {
		if got, err := reproducible([]byte(text), "https://example.org/x", 0); err == nil {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestNotes(t *testing.T) {
	const log = "# Changelog\n\n## Unreleased\n\nnot yet\n\n## 1.2.0 – in May\n\nwhy\n\n### Format\n\n* what\n\n## 1.2\n\n## 1.1.0\n\nold\n"
	for tag, want := range map[string]string{"v1.2.0": "why\n\n### Format\n\n* what\n", "v1.1.0": "old\n", "v1.2": "", "v1.3.0": "", "v": "", "v1.2.0-rc.1": ""} {
		if got, err := notes(log, tag); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", tag, got, err)
		}
	}
}

func TestCompressPages(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "man")
	if err := compressPages(from, to); err == nil {
		t.Error("no pages are no error")
	}
	if err := os.WriteFile(filepath.Join(from, "a.1"), []byte(".TH a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := compressPages(from, to); err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile(filepath.Join(to, "a.1.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := gunzip(packed); err != nil || string(plain) != ".TH a\n" || !bytes.Equal(packed[4:8], make([]byte, 4)) {
		t.Errorf("%q, %v, time %v", plain, err, packed[4:8])
	}
}

// TestUnpack reads one tree from each kind of package, made here by hand, and refuses what is cut off anywhere.
func TestUnpack(t *testing.T) {
	want := map[string]file{"usr/bin/a": {mode: 0o755, data: []byte("program")}, "usr/bin/b": {mode: 0o777, data: []byte{}, link: "a"}}
	tarball := pack(t, want, true)
	kinds := map[string][]byte{
		"x.tar.gz": tarball,
		"x.apk":    append(pack(t, map[string]file{".PKGINFO": {mode: 0o644, data: []byte("i")}}, false), tarball...),
		"x.deb":    deb(tarball),
		"x.rpm":    rpm(t, want),
	}
	for name, data := range kinds {
		t.Run(name, func(t *testing.T) {
			got, err := unpack(name, data)
			if err != nil {
				t.Fatal(err)
			}
			delete(got, ".PKGINFO")
			for p, f := range got {
				got[p] = file{f.mode, append([]byte{}, f.data...), f.link}
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(file{})); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			for n := range len(data) - 8 {
				if got, err := unpack(name, data[:n]); err == nil && len(got) >= len(want) {
					t.Fatalf("the first %d of %d bytes are taken for all", n, len(data))
				}
			}
		})
	}
}

func zipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pack(t *testing.T, files map[string]file, end bool) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, f := range files {
		h := &tar.Header{Name: "./" + name, Mode: f.mode, Size: int64(len(f.data)), Typeflag: tar.TypeReg}
		if f.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.link
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if end {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return zipped(t, b.Bytes())
}

func deb(data []byte) []byte {
	out := []byte("!<arch>\n")
	for _, m := range []struct {
		name string
		data []byte
	}{{"debian-binary", []byte("2.0")}, {"data.tar.gz", data}} {
		out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", m.name, 0, 0, 0, "100644", len(m.data))
		out = append(out, m.data...)
		if len(m.data)%2 == 1 {
			out = append(out, '\n')
		}
	}
	return out
}

func rpm(t *testing.T, files map[string]file) []byte {
	t.Helper()
	header := func(store int) []byte {
		h := append([]byte{0x8e, 0xad, 0xe8, 1}, make([]byte, 4)...)
		h = binary.BigEndian.AppendUint32(h, 1)
		h = binary.BigEndian.AppendUint32(h, uint32(store))
		return append(h, make([]byte, 16+store)...)
	}
	out := append(make([]byte, 96), header(5)...)
	out = append(out, make([]byte, (8-len(out)%8)%8)...)
	out = append(out, header(7)...)
	var cpio []byte
	entry := func(name string, mode int64, data string) {
		cpio = append(cpio, "070701"...)
		for _, n := range []int64{0, mode, 0, 0, 1, 0, int64(len(data)), 0, 0, 0, 0, int64(len(name) + 1), 0} {
			cpio = fmt.Appendf(cpio, "%08x", n)
		}
		for _, s := range []string{name + "\x00", data} {
			cpio = append(cpio, s...)
			cpio = append(cpio, make([]byte, (4-len(cpio)%4)%4)...)
		}
	}
	for name, f := range files {
		if f.link != "" {
			entry("./"+name, 0o120000|f.mode, f.link)
		} else {
			entry("./"+name, 0o100000|f.mode, string(f.data))
		}
	}
	entry("TRAILER!!!", 0, "")
	return append(out, zipped(t, cpio)...)
}
