package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"filippo.io/age"
)

// baselineMode as first argument turns this program into the floor that ageseal is measured against: the age library over whole files,
// one process, nothing else.
//
//	bench age-library encrypt RECIPIENT PATTERN OUTDIR      each file to OUTDIR/NAME.age
//	bench age-library decrypt IDENTITYFILE PATTERN          each file to stdout
const baselineMode = "age-library"

func baseline(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("%s: missing arguments", baselineMode)
	}
	files, err := filepath.Glob(args[2])
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s matches no file", args[2])
	}
	if args[0] == "encrypt" {
		return baselineEncrypt(files, args[1], args[3])
	}
	return baselineDecrypt(files, args[1])
}

func baselineEncrypt(files []string, recipient, dir string) error {
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

func baselineDecrypt(files []string, identityFile string) error {
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
