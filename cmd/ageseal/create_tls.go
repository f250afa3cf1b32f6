package main

import (
	"crypto/tls"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ageseal/ageseal/values"
)

// tlsText says crypto/tls's errors, which quote nothing, in our words.
var tlsText = strings.NewReplacer("tls: ", "", "x509: ", "",
	"failed to find any", "there is no", "failed to find", "there is no", "failed to parse", "can't read")

func newCreateTLSCommand(c *cli) *cobra.Command {
	o := &createOptions{kind: "kubernetes.io/tls"}
	var cert, key string
	cmd := &cobra.Command{
		Use:   "tls NAME",
		Short: "Create a sealed Secret of a certificate and its private key",
		Long: `Create a sealed Secret of type kubernetes.io/tls from PEM files. A key that does not belong to the certificate
is refused. "-" as a path is standard input.`,
		Example: `  ageseal create secret tls shop-tls -n prod --cert tls.crt --key tls.key --file apps/shop/prod/tls.yaml
  pass show shop/tls.key | ageseal create secret tls shop-tls -n prod --cert tls.crt --key - --file tls.yaml`,
	}
	cmd.Flags().StringVar(&cert, "cert", "", "the certificate, with those of its issuers, as a PEM `file`")
	cmd.Flags().StringVar(&key, "key", "", "the private key of the certificate, as a PEM `file`")
	_ = cmd.MarkFlagFilename("cert")
	_ = cmd.MarkFlagFilename("key")

	return createCommand(c, o, cmd, func(v *values.Values) error {
		if cert == "" || key == "" {
			return usage(o.help, "--cert and --key are needed")
		}
		if err := v.AddFileAs("tls.crt", cert); err != nil {
			return err
		}
		if err := v.AddFileAs("tls.key", key); err != nil {
			return err
		}
		if _, err := tls.X509KeyPair(v.Get("tls.crt"), v.Get("tls.key")); err != nil {
			return hinted("look at both: openssl x509 -in "+quoted(cert)+" -noout -pubkey; openssl pkey -in "+quoted(key)+" -pubout",
				"--cert and --key: %s", tlsText.Replace(err.Error()))
		}
		return nil
	})
}
