// Command agelibrary is the floor that ageseal is measured against: the age library over whole files, one process, nothing else.
//
//	agelibrary encrypt RECIPIENT PATTERN OUTDIR      each file to OUTDIR/NAME.age
//	agelibrary decrypt IDENTITYFILE PATTERN          each file to stdout
//	agelibrary nothing                               what its start costs
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "agelibrary: error: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "nothing":
		return nil
	case len(args) == 3 && args[0] == "decrypt", len(args) == 4 && args[0] == "encrypt":
	default:
		return errors.New("usage: agelibrary encrypt|decrypt|nothing …")
	}
	files, err := filepath.Glob(args[2])
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s matches no file", args[2])
	}
	if args[0] == "encrypt" {
		return encrypt(files, args[1], args[3])
	}
	return decrypt(files, args[1])
}

func encrypt(files []string, recipient, dir string) error {
	r, err := age.ParseHybridRecipient(recipient)
	if err != nil {
		return err
	}
	for _, name := range files {
		plain, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		out, err := os.Create(filepath.Join(dir, filepath.Base(name)+".age"))
		if err != nil {
			return err
		}
		w, err := age.Encrypt(out, r)
		if err != nil {
			return err
		}
		if _, err := w.Write(plain); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
	}
	return nil
}

func decrypt(files []string, identityFile string) error {
	f, err := os.Open(identityFile)
	if err != nil {
		return err
	}
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	for _, name := range files {
		in, err := os.Open(name)
		if err != nil {
			return err
		}
		r, err := age.Decrypt(in, ids...)
		if err != nil {
			return err
		}
		if _, err := io.Copy(os.Stdout, r); err != nil {
			return err
		}
		if err := in.Close(); err != nil {
			return err
		}
	}
	return nil
}
