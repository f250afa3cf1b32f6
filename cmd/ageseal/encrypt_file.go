package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/git"
	"github.com/ageseal/ageseal/internal/atomicfile"
	"github.com/ageseal/ageseal/manifest"
	"github.com/ageseal/ageseal/secret"
)

// sealedExt is what "encrypt --as" appends to the name of a file.
const sealedExt = ".age"

// fileOptions are what "encrypt" has for sealed files.
type fileOptions struct {
	use    string
	key    string
	name   string
	remove bool
}

// plainFile is a file to seal.
type plainFile struct {
	shown   string // as messages name it
	path    string // "" for what can't be read again: standard input, a pipe
	content []byte
	out     string // the sealed file, its directory resolved; "" for standard output
	old     []byte // what is in out
	key     string
	sealed  []byte
	to      []*crypt.Recipient
}

func (f *plainFile) written() string {
	if f.out == "" {
		return "standard output"
	}
	return relative(f.out)
}

const helpEncrypt = "ageseal encrypt --help"

// checkFileFlags refuses flags of the one kind beside those of the other.
func (o *encryptOptions) checkFileFlags(args []string) error {
	f := o.file
	switch {
	case f.use == "" && (f.key != "" || f.name != "" || f.remove):
		return usage(helpEncrypt, "--key, --name and --remove are for a sealed file: say --as value or --as env")
	case f.use == "":
		return nil
	case f.use != crypt.UseValue && f.use != crypt.UseEnv:
		return usage(helpEncrypt, "--as is value or env")
	case f.use == crypt.UseEnv && f.key != "":
		return usage(helpEncrypt, "--key is for --as value: the keys of a dotenv are in it")
	case len(o.allowClear) > 0 || o.keepGoing || o.comments || o.recreate:
		return usage(helpEncrypt, "--allow-clear, --keep-comments, --keep-going and --recreate are for manifests")
	case len(args) > 1 && (f.key != "" || o.output != ""):
		return usage(helpEncrypt, "--key and --output are for one file")
	case f.use == crypt.UseValue && args[0] == "-" && f.key == "":
		return usage(helpEncrypt, "standard input has no name: say --key KEY")
	case f.remove && (o.output == "-" || strings.Join(args, "") == "-"):
		return usage(helpEncrypt, "--remove is for files that are sealed into files")
	}
	return nil
}

// runEncryptFiles makes a sealed file of each argument.
func (c *cli) runEncryptFiles(o *encryptOptions, args []string) error {
	var files []*plainFile
	var errs []error
	for _, arg := range args {
		f, err := c.plainFile(o, arg)
		if err != nil {
			errs = append(errs, within(arg, err))
			continue
		}
		if slices.ContainsFunc(files, func(other *plainFile) bool { return f.out == other.out }) {
			return usage(helpEncrypt, "%s would be written twice", f.written())
		}
		files = append(files, f)
	}
	if len(errs) > 0 {
		return c.noneChanged(errors.Join(errs...), "encrypted")
	}
	warnings := make([][]secret.Error, len(files))
	for i, f := range files {
		var err error
		if warnings[i], err = c.sealFile(o, f); err != nil {
			errs = append(errs, within(f.shown, err))
		}
	}
	if len(errs) > 0 {
		return c.noneChanged(distinct(errs), "encrypted")
	}
	if err := c.writeSealed(files); err != nil {
		return err
	}
	for i, f := range files {
		c.warnAll(f.shown, warnings[i])
		use := "env"
		if o.file.use == crypt.UseValue {
			use = "key " + f.key
		}
		c.note("%s: sealed %s for %s", f.written(), use, c.names(crypt.Fingerprints(f.to)))
	}
	c.warnCommittedFiles(files)
	return c.removePlaintext(o, files)
}

// plainFile reads one argument and finds where its sealed file goes.
func (c *cli) plainFile(o *encryptOptions, arg string) (*plainFile, error) {
	f := &plainFile{shown: arg, key: o.file.key}
	in := c.in
	if arg == "-" {
		f.shown = "standard input"
	} else {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			return nil, hinted("", "a directory: name the files to seal")
		}
		file, err := os.Open(arg)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
		if info.Mode().IsRegular() {
			f.path = arg
		}
	}
	var err error
	if f.content, err = io.ReadAll(io.LimitReader(in, manifest.MaxTotal+1)); err != nil {
		return nil, err
	}
	if len(f.content) > manifest.MaxTotal {
		return nil, hinted("", "more than the %d bytes that Kubernetes takes in one Secret", manifest.MaxTotal)
	}
	if crypt.IsAgeFile(f.content) {
		return nil, hinted("", "is an age file already")
	}
	if link, err := os.Lstat(arg); o.file.remove && (f.path == "" || err != nil || !link.Mode().IsRegular()) {
		return nil, hinted("leave --remove away", "is no regular file, and is not removed")
	}
	if f.key == "" && o.file.use == crypt.UseValue {
		f.key = strings.TrimSuffix(filepath.Base(arg), sealedExt)
	}
	return f, f.destination(o, arg)
}

// destination finds the file to write. One that exists is only replaced with --write.
func (f *plainFile) destination(o *encryptOptions, arg string) error {
	out := o.output
	if out == "" && arg != "-" {
		out = arg + sealedExt
	}
	if out == "" || out == "-" {
		return nil
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(out))
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return &fileError{out, err}
	}
	path := filepath.Join(dir, filepath.Base(out))
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return &fileError{out, err}
	case !info.Mode().IsRegular():
		return &fileError{out, errNotRegular}
	case !o.inPlace:
		return &fileError{out, hinted("--write replaces it", "the file exists already")}
	default:
		if source, err := os.Stat(arg); arg != "-" && err == nil && os.SameFile(source, info) {
			return &fileError{out, errors.New("is the plaintext itself")}
		}
		if f.old, err = readExisting(path); err != nil {
			return &fileError{out, err}
		}
	}
	f.out = path
	return nil
}

func (c *cli) sealFile(o *encryptOptions, f *plainFile) (warnings []secret.Error, err error) {
	path := cmp.Or(f.out, o.stdinName)
	if path == "" {
		if path = f.path + sealedExt; f.path == "" {
			path = "stdin" + sealedExt
		}
	}
	t, err := c.target(path, &o.recipients)
	if err != nil {
		return nil, err
	}
	// There is no metadata that could name a namespace: the flag stands in for them.
	t.Namespace = cmp.Or(o.recipients.namespace, t.Namespace)
	f.to = t.Recipients
	f.sealed, warnings, err = secret.SealFile(f.content, secret.FileOptions{
		Target: t, Use: o.file.use, Key: f.key, Name: o.file.name, AnyNamespace: o.anywhere,
	})
	return warnings, err
}

// writeSealed writes all files or none.
func (c *cli) writeSealed(files []*plainFile) error {
	var writes []atomicfile.File
	var dirs []string
	for _, f := range files {
		if f.out == "" {
			if err := c.writeOutput("", f.sealed, 0); err != nil {
				return err
			}
			continue
		}
		dirs = append(dirs, filepath.Dir(f.out))
		writes = append(writes, atomicfile.File{Path: f.out, Data: f.sealed, Old: f.old, Mode: 0o644})
	}
	unlock, err := c.lock(dirs)
	if err != nil {
		return err
	}
	defer unlock()
	return atomicfile.WriteAll(writes)
}

// removePlaintext removes what was sealed, if that is wanted, and else says that it is still there.
func (c *cli) removePlaintext(o *encryptOptions, files []*plainFile) error {
	var errs []error
	var paths []string
	for _, f := range files {
		if f.path != "" {
			paths = append(paths, f.path)
		}
	}
	ignored := c.ignored(paths)
	for _, f := range files {
		switch {
		case f.path == "", !o.file.remove && ignored[f.path]:
		case !o.file.remove:
			c.warn(f.shown+": the plaintext is still there and must not be committed",
				"delete it, or have git ignore it; --remove deletes it once it is sealed")
		default:
			now, err := os.ReadFile(f.path)
			if err == nil && !bytes.Equal(now, f.content) {
				err = atomicfile.ErrChanged
			}
			if err == nil {
				err = os.Remove(f.path)
			}
			if err != nil {
				errs = append(errs, &fileError{f.shown, fmt.Errorf("the plaintext is still there: %w", err)})
				continue
			}
			c.note("%s: removed", f.shown)
		}
	}
	return errors.Join(errs...)
}

// warnCommittedFiles names the files that any commit holds in plaintext.
func (c *cli) warnCommittedFiles(files []*plainFile) {
	byTop := map[string]map[string]*plainFile{}
	for _, f := range files {
		path, err := filepath.EvalSymlinks(f.path)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if f.path == "" || err != nil {
			continue
		}
		if top, ok := topLevel(filepath.Dir(path)); ok {
			if name, ok := slashed(top, &input{path: path}); ok {
				if byTop[top] == nil {
					byTop[top] = map[string]*plainFile{}
				}
				byTop[top][name] = f
			}
		}
	}
	for top, paths := range byTop {
		committed := map[string]bool{}
		repo, err := git.Open(context.Background(), top)
		if err == nil {
			err = repo.Versions(context.Background(), func(b git.Blob) error {
				committed[b.Path] = committed[b.Path] || !crypt.IsAgeFile(b.Data)
				return nil
			}, keysOf(paths)...)
		}
		if err != nil {
			c.warn(fmt.Sprintf("the git history can't be searched for plaintext: %v", err), "")
		}
		for _, name := range keysOf(committed) {
			if f := paths[name]; f != nil && committed[name] {
				c.warn(f.shown+": was committed in plaintext: git history keeps it", "change what it holds at its source")
			}
		}
	}
}
