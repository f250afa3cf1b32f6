package main

import (
	"bufio"
	"errors"
	"io/fs"
	"os"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/secret"
)

// errSealedFile is what every other command says of a sealed file.
var errSealedFile = errors.New("a sealed file, no manifest")

// sealedFiles gives those of the arguments that begin as an age file does. What can't be read is left to who reads it.
func (c *cli) sealedFiles(args []string) (sealed []string) {
	for _, arg := range args {
		begin := beginning(arg)
		if arg == "-" {
			in := bufio.NewReaderSize(c.in, beginningSize)
			c.in = in
			begin, _ = in.Peek(beginningSize)
		}
		if crypt.IsAgeFile(begin) {
			sealed = append(sealed, arg)
		}
	}
	return sealed
}

// beginningSize is how much of a file shows whether it is an age file, in bytes: white space may come before.
const beginningSize = 4 << 10

// beginning reads as much of a regular file.
func beginning(path string) []byte {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return beginningOf(path)
}

// beginningOf does the same for what is known to be one: a pipe would have it wait.
func beginningOf(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	begin := make([]byte, beginningSize)
	n, _ := f.Read(begin) // all at once, as regular files are read
	return begin[:n]
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
	opener, err := c.opener(&o.identities, sealed...)
	if err != nil {
		return err
	}
	f, err := c.openSealed(sealed[0], opener)
	if err != nil {
		return err
	}
	return c.writeOutput(o.output, f.Content, fs.FileMode(0o600))
}

// openSealed opens the sealed file that an argument names, standard input for "-".
func (c *cli) openSealed(arg string, opener *crypt.Opener) (*secret.File, error) {
	path := arg
	if arg == "-" {
		path = ""
	}
	text, err := c.sealedText(path)
	if err != nil {
		return nil, &fileError{shownName(arg), err}
	}
	f, err := secret.OpenFile(text, opener)
	if err != nil {
		return nil, &fileError{shownName(arg), err}
	}
	return f, nil
}

// bytesOf are the values of a sealed file by key.
func bytesOf(f *secret.File) map[string][]byte {
	values := map[string][]byte{}
	for key, v := range f.Values {
		values[key] = v.Bytes
	}
	return values
}
