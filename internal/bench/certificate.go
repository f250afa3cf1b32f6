package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

const (
	certificateFile = "tls.crt"
	sealingKeyFile  = "tls.key"
	sealingKeyBits  = 4096 // what the controller of Sealed Secrets makes by default
)

// makeCertificate stands in for the controller, whose certificate kubeseal encrypts to.
func makeCertificate(dir string) error {
	key, err := rsa.GenerateKey(rand.Reader, sealingKeyBits)
	if err != nil {
		return err
	}
	now := time.Now()
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, NotBefore: now, NotAfter: now.Add(24 * time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return err
	}
	write := func(name, kind string, der []byte) error {
		return os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
	}
	return errors.Join(
		os.MkdirAll(dir, 0o700),
		write(certificateFile, "CERTIFICATE", certificate),
		write(sealingKeyFile, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)),
	)
}
