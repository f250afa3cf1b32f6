// Command image packs ageseal, built for each platform, into the container image of the KRM function: an OCI image layout of all
// platforms, and an archive of one for "docker load" and "podman load". "make image" runs it. It needs no daemon and no network.
//
// It is by hand because there is so little of it: a tar of four entries and five JSON documents, which podman reads in the tests. A
// library for it would bring a registry client along. The same binaries and options give the same bytes: times are those of the commit,
// and nothing is taken from the machine but the Go toolchain's gzip.
//
// It is a tool for people who work on ageseal, and no part of the binary.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

func main() {
	var a about
	var epoch int64
	flag.StringVar(&a.version, "version", "", "of ageseal; the tag, too")
	flag.StringVar(&a.revision, "revision", "", "commit")
	flag.Int64Var(&epoch, "epoch", -1, "time of everything in the image, in seconds: that of the commit")
	layout := flag.String("layout", "dist/image", "directory of the OCI image layout, which must not exist")
	archive := flag.String("archive", "dist/image.tar", "file to load with docker or podman")
	arch := flag.String("arch", runtime.GOARCH, "architecture of the archive")
	flag.Parse()
	a.created = time.Unix(epoch, 0).UTC()
	if err := run(a, *layout, *archive, *arch, flag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "image: error: %v\n", err)
		os.Exit(1)
	}
}

func run(a about, layout, archive, arch string, binaries []string) error {
	var images []*image
	var loadable *image
	for _, b := range binaries {
		name, file, ok := strings.Cut(b, "=")
		if !ok {
			return fmt.Errorf("%s: expected ARCHITECTURE=BINARY", b)
		}
		binary, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		i, err := newImage(name, binary, a)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		images = append(images, i)
		if name == arch {
			loadable = i
		}
	}
	if loadable == nil {
		return fmt.Errorf("no binary for %s, of which the archive is to be: name another with -arch", arch)
	}
	digest, err := writeLayout(layout, images, a)
	if err != nil {
		return err
	}
	for _, i := range images {
		fmt.Printf("%s/%s: %s, %.1f MB, compressed %.1f MB\n", system, i.arch, i.manifest.Digest, mega(len(i.tar)), mega(len(i.layer)))
	}
	fmt.Printf("%s: %s\n", layout, digest)
	f, err := os.Create(archive)
	if err != nil {
		return err
	}
	if err := writeArchive(f, loadable, name+":"+a.version, a); err != nil {
		_ = f.Close()
		return err
	}
	fmt.Printf("%s: %s:%s for %s/%s\n", archive, name, a.version, system, arch)
	return f.Close()
}

func mega(n int) float64 { return float64(n) / 1e6 }
