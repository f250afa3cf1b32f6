package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ageseal/ageseal/crypt"
)

// DefaultFile is the path of the platform's identity file: $XDG_CONFIG_HOME/ageseal/identities, or where
// macOS and Windows keep configuration. It fails without a home directory.
func DefaultFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", errors.New("no directory for configuration: set $HOME or name a file")
	}
	return filepath.Join(dir, "ageseal", "identities"), nil
}

// abbreviate writes the home directory as ~, for messages.
func abbreviate(path string) string {
	home, err := os.UserHomeDir()
	if err != nil || home == "" {
		return path
	}
	rest, ok := strings.CutPrefix(path, filepath.Clean(home)+string(filepath.Separator))
	if !ok {
		return path
	}
	return filepath.Join("~", rest)
}

// Text is an identity file for id, as age and age-keygen read it. It holds the private key.
func Text(id *crypt.Identity) string {
	return fmt.Sprintf("# created: %s\n# an ageseal identity: keep it to yourself, and a copy of it offline\n# public key: %s\n%s\n",
		time.Now().Format(time.RFC3339), id.Recipient(), id.SecretText())
}

// Write creates an identity file with this text, readable by its owner only, and the directories above it where they
// are missing, likewise. A file that exists is left alone: the error wraps fs.ErrExist.
func Write(path, text string) (err error) {
	where := abbreviate(path)
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &SourceError{Source: abbreviate(dir), Err: reason(err)}
	}
	// In place, not through a temporary file: no second copy of a key can be left behind.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return &SourceError{Source: where, Err: fmt.Errorf("%w and is not overwritten", fs.ErrExist)}
	}
	if err != nil {
		return &SourceError{Source: where, Err: reason(err)}
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(path)
		return &SourceError{Source: where, Err: reason(err)}
	}
	syncDir(dir)
	return nil
}

// syncDir makes the new name last. Some file systems and all of Windows cannot; the file itself is safe.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
