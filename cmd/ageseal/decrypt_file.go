package main

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/secret"
)

// errSealedFile is what every other command says of a sealed file.
var errSealedFile = errors.New("a sealed file, no manifest")

// sealedFiles gives those of the arguments that begin as an age file does. What can't be read is left to who reads it.
func (c *cli) sealedFiles(args []string) (sealed []string) {
	const head = 4 << 10
	for _, arg := range args {
		var begin []byte
		if arg == "-" {
			in := bufio.NewReaderSize(c.in, head)
			c.in = in
			begin, _ = in.Peek(head)
		} else if info, err := os.Stat(arg); err == nil && info.Mode().IsRegular() {
			if f, err := os.Open(arg); err == nil {
				begin, _ = io.ReadAll(io.LimitReader(f, head))
				f.Close()
			}
		}
		if crypt.IsAgeFile(begin) {
			sealed = append(sealed, arg)
		}
	}
	return sealed
}

// runDecryptFile writes the content of one sealed file, as it is.
func (c *cli) runDecryptFile(o *decryptOptions, sealed, args []string) error {
	switch {
	case len(args) > len(sealed):
		return usage("ageseal decrypt "+quoted(sealed[0]), "manifests and sealed files can't be decrypted into one stream: decrypt %s by itself", sealed[0])
	case len(sealed) > 1:
		return usage("ageseal decrypt "+quoted(sealed[0]), "sealed files are decrypted one at a time")
	case o.inPlace:
		return usage("ageseal decrypt --output FILE "+quoted(sealed[0]), "a sealed file is not replaced by its plaintext")
	}
	name := sealed[0]
	in := c.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	} else {
		name = "standard input"
	}
	text, err := io.ReadAll(io.LimitReader(in, crypt.MaxFile+1))
	if err != nil {
		return &fileError{name, err}
	}
	opener, err := c.opener(&o.identities)
	if err != nil {
		return err
	}
	f, err := secret.OpenFile(text, opener)
	if err != nil {
		return &fileError{name, err}
	}
	return c.writeOutput(o.output, f.Content, fs.FileMode(0o600))
}
