package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// writeSBOM has syft look into an archive. Of what it writes, two things are not the archive's: the time, and a random number by which
// documents are told apart. The commit's time and the archive's hash do as well, and are the same every time.
func writeSBOM(ctx context.Context, syft, version, archive, document string, epoch int64) error {
	cmd := exec.CommandContext(ctx, syft, "scan", "--quiet", "file:"+archive, "--output", "spdx-json", "--source-name", filepath.Base(archive), "--source-version", version)
	cmd.Env = append(os.Environ(), "SYFT_CHECK_FOR_APP_UPDATE=false", "SYFT_FILE_METADATA_CATALOGER_ENABLED=true")
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("syft: %w", err)
	}
	sum, err := sha256File(archive)
	if err != nil {
		return err
	}
	text, err = reproducible(text, fmt.Sprintf("https://github.com/ageseal/ageseal/spdx/%s-%s", filepath.Base(archive), sum), epoch)
	if err != nil {
		return fmt.Errorf("%s: %w", document, err)
	}
	return os.WriteFile(document, text, 0o644)
}

// reproducible replaces the namespace and the time of an SPDX document, and nothing else.
func reproducible(text []byte, namespace string, epoch int64) ([]byte, error) {
	var doc struct {
		Namespace    string `json:"documentNamespace"`
		CreationInfo struct {
			Created string `json:"created"`
		} `json:"creationInfo"`
		Packages []json.RawMessage `json:"packages"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if doc.Namespace == "" || doc.CreationInfo.Created == "" {
		return nil, errors.New("not an SPDX document as syft writes it")
	}
	if len(doc.Packages) < 10 {
		return nil, fmt.Errorf("only %d packages: the program was not understood", len(doc.Packages))
	}
	for _, r := range []struct{ key, old, new string }{
		{"documentNamespace", doc.Namespace, namespace},
		{"created", doc.CreationInfo.Created, time.Unix(epoch, 0).UTC().Format(time.RFC3339)},
	} {
		old, new := fmt.Appendf(nil, "%q:%q", r.key, r.old), fmt.Appendf(nil, "%q:%q", r.key, r.new)
		if bytes.Count(text, old) != 1 {
			return nil, fmt.Errorf("%s stands %d times in the document", r.key, bytes.Count(text, old))
		}
		text = bytes.Replace(text, old, new, 1)
	}
	return text, nil
}

// compressPages is gzip with nothing in its header, so that the bytes depend on the page and on the version of Go alone.
func compressPages(from, to string) error {
	names, err := filepath.Glob(filepath.Join(from, "*.1"))
	if err != nil || len(names) == 0 {
		return errors.Join(err, fmt.Errorf("no page in %s", from))
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(name)+".gz"), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func sha256File(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
