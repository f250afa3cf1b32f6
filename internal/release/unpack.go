package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// file is one of an archive or package, however packed.
type file struct {
	mode int64 // permissions only
	data []byte
	link string // where a symbolic link leads
}

// unpack gives the files of an archive or package by path, without a leading "./" or "/", and without directories.
func unpack(name string, data []byte) (files map[string]file, err error) {
	switch {
	case strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".apk"):
		files, err = untar(data)
	case strings.HasSuffix(name, ".zip"):
		files, err = unzip(data)
	case strings.HasSuffix(name, ".deb"):
		files, err = undeb(data)
	case strings.HasSuffix(name, ".rpm"):
		files, err = unrpm(data)
	default:
		err = errors.New("an unknown kind of package")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return files, nil
}

func clean(name string) string { return path.Clean("/" + name)[1:] }

// untar reads a compressed tar. An apk is several, one behind the other, of which only the last has an end.
func untar(data []byte) (map[string]file, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	files := map[string]file{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			_, err := io.Copy(io.Discard, z) // what is behind the end has a checksum, too
			return files, err
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeDir {
			continue
		}
		if h.Uid != 0 || h.Gid != 0 {
			return nil, fmt.Errorf("%s is owned by %d:%d", h.Name, h.Uid, h.Gid)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		files[clean(h.Name)] = file{h.Mode & 0o777, content, h.Linkname}
	}
}

func unzip(data []byte) (map[string]file, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	files := map[string]file{}
	for _, f := range z.File {
		if f.Mode().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		files[f.Name] = file{mode: int64(f.Mode().Perm()), data: content}
	}
	return files, nil
}

// undeb reads the member data.tar.gz of the ar archive that a deb is.
func undeb(data []byte) (map[string]file, error) {
	rest, ok := bytes.CutPrefix(data, []byte("!<arch>\n"))
	for ok && len(rest) >= 60 {
		name := strings.TrimRight(string(rest[:16]), " /")
		size, err := strconv.Atoi(strings.TrimSpace(string(rest[48:58])))
		if err != nil || size > len(rest)-60 {
			return nil, errors.New("malformed member")
		}
		if name == "data.tar.gz" {
			return untar(rest[60 : 60+size])
		}
		rest = rest[min(60+size+size%2, len(rest)):]
	}
	return nil, errors.New("no data.tar.gz")
}

// unrpm reads the compressed cpio archive behind the two headers of an rpm.
func unrpm(data []byte) (map[string]file, error) {
	const lead, entry = 96, 16
	at := lead
	for range 2 {
		at = (at + 7) / 8 * 8 // the first header is padded
		if len(data) < at+entry || !bytes.HasPrefix(data[at:], []byte{0x8e, 0xad, 0xe8, 1}) {
			return nil, errors.New("no header")
		}
		at += entry + entry*int(binary.BigEndian.Uint32(data[at+8:])) + int(binary.BigEndian.Uint32(data[at+12:]))
	}
	if at > len(data) {
		return nil, errors.New("headers longer than the file")
	}
	z, err := gzip.NewReader(bytes.NewReader(data[at:]))
	if err != nil {
		return nil, err
	}
	cpio, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	files := map[string]file{}
	for {
		const head = 110 // a magic and 13 numbers of 8 hexadecimal digits
		if len(cpio) < head || string(cpio[:6]) != "070701" {
			return nil, errors.New("malformed payload")
		}
		number := func(i int) int {
			n, err := strconv.ParseUint(string(cpio[6+8*i:14+8*i]), 16, 32)
			if err != nil {
				return len(cpio)
			}
			return int(n)
		}
		mode, size, nameSize := number(1), number(6), number(11)
		begin := (head + nameSize + 3) / 4 * 4
		if nameSize < 1 || begin+size > len(cpio) {
			return nil, errors.New("malformed payload")
		}
		name := clean(string(cpio[head : head+nameSize-1]))
		if name == "TRAILER!!!" {
			return files, nil
		}
		content := cpio[begin : begin+size]
		switch mode & 0o170000 {
		case 0o100000:
			files[name] = file{mode: int64(mode & 0o777), data: content}
		case 0o120000:
			files[name] = file{mode: int64(mode & 0o777), link: string(content)}
		}
		cpio = cpio[min((begin+size+3)/4*4, len(cpio)):]
	}
}
